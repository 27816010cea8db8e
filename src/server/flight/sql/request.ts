import { invalidArgument } from '../errors.ts';
import type { GrpcCall } from '../grpc/grpc-call.ts';

/** Headers that may name the database; the first one is preferred. */
const DATABASE_HEADERS = ['database', 'bucket', 'bucket-name', 'iox-namespace-name'] as const;

/** The database of a Flight SQL request. Throws INVALID_ARGUMENT when none is named, or several. */
export function databaseOf(call: GrpcCall): string {
  const named = DATABASE_HEADERS.flatMap((header) => {
    const value = call.header(header);
    return value === undefined ? [] : [{ header, value }];
  });
  const [first] = named;
  if (first === undefined) throw invalidArgument("no 'database' header in request");
  if (named.some(({ value }) => value !== first.value)) {
    throw invalidArgument(`More than one headers are found in request: ${named.map(({ header }) => header).join(', ')}`);
  }
  return first.value;
}

/** True when the text of statements is InfluxQL. */
export function asksInfluxql(call: GrpcCall): boolean {
  return call.header('x-influxdata-query-language')?.toLowerCase() === 'influxql';
}

/** What tables are called that are no views: some drivers know only one of the two words. */
export function baseTableType(call: GrpcCall): string {
  const wanted = call.header('x-influxdata-base-table-type') ?? 'BASE TABLE';
  if (wanted !== 'BASE TABLE' && wanted !== 'TABLE') throw invalidArgument(`Invalid x-influxdata-base-table-type: ${wanted}`);
  return wanted;
}
