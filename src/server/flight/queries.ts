import type { GroupKey } from '../../query/influxql/contract.ts';
import { needsDatabase, parseInfluxql, statementDatabase } from '../../query/influxql/parse/index.ts';
import type { QueryResult, QueryStatistics, ResultColumn } from '../../query/result.ts';
import { InfluxError } from '../../shared/errors.ts';
import type { FlightDependencies } from './dependencies.ts';
import { invalidTicket, type QueryStage, queryFailure } from './errors.ts';
import type { GrpcCall } from './grpc/grpc-call.ts';
import { ResultSender } from './send-result.ts';
import { type FlightTicket, readFlightTicket } from './ticket.ts';

/** Answers DoGet. */
export async function answerTicket(call: GrpcCall, deps: FlightDependencies, bytes: Uint8Array): Promise<void> {
  const ticket = readFlightTicket(bytes);
  if (ticket.kind === 'flightsql') throw invalidTicket();
  await answerQuery(call, deps, ticket.database, 'query', () => startQuery(ticket, deps, call.signal));
}

/** A query under way, with what its schema says besides its columns. */
interface StartedQuery {
  readonly result: QueryResult;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** Runs a query and sends what it answers. `columns` gives them for a query that takes long. */
export async function answerQuery(
  call: GrpcCall,
  deps: FlightDependencies,
  database: string,
  stage: QueryStage,
  start: () => Promise<StartedQuery>,
  columns?: () => Promise<readonly ResultColumn[]>,
): Promise<void> {
  const sender = new ResultSender(call, deps.keepAliveMs);
  const { result, metadata } = await sender.awaited(start(), columns).catch((error: unknown) => {
    throw queryFailure(error, stage, database);
  });
  try {
    await sender.schema(result.columns, metadata);
    await sender.rows(result);
  } catch (error) {
    throw queryFailure(error, 'stream', database);
  }
  call.end(trailers(result.statistics?.()));
}

type TextTicket = Extract<FlightTicket, { kind: 'sql' | 'influxql' }>;

async function startQuery(ticket: TextTicket, deps: FlightDependencies, signal: AbortSignal): Promise<StartedQuery> {
  const { database, query, params } = ticket;
  if (ticket.kind === 'sql') return { result: await deps.queryService.sql({ database, query, params, signal }) };
  const [parsed, ...more] = parseInfluxql(query, params);
  if (parsed === undefined || more.length > 0) {
    throw new InfluxError({ code: 'INFLUXQL_STATEMENTS', message: 'must provide only one InfluxQl statement per query', status: 400 });
  }
  const named = statementDatabase(parsed, database);
  if (named !== undefined && named !== database) {
    throw new InfluxError({
      code: 'FLIGHT_OTHER_DATABASE',
      message: 'This feature is not implemented: database prefix in qualified measurement syntax',
      status: 400,
    });
  }
  const { statement, text } = parsed;
  const { result, groupKey } = await deps.influxqlService.run({
    database: needsDatabase(statement) ? database : undefined,
    statement,
    text,
    signal,
  });
  return { result, metadata: groupKeyMetadata(groupKey) };
}

/** Which columns make series of the rows of an InfluxQL answer. */
function groupKeyMetadata({ measurementColumn, tagColumns }: GroupKey): ReadonlyMap<string, string> {
  const tags = tagColumns.map(({ key, columnIndex, projected }) => ({ tag_key: key, column_index: columnIndex, is_projected: projected }));
  const value = { measurement_column_index: Math.max(0, measurementColumn), tag_key_columns: tags };
  return new Map([['iox::influxql::group_key::metadata', JSON.stringify(value)]]);
}

function trailers(statistics: QueryStatistics | undefined): Record<string, string> {
  if (statistics === undefined) return {};
  const { planningSecs, queueSecs, executionSecs, partitions, parquetFiles } = statistics;
  const known = {
    'x-influxdata-planning-duration-seconds': planningSecs,
    'x-influxdata-queue-duration-seconds': queueSecs,
    'x-influxdata-execution-duration-seconds': executionSecs,
    'x-influxdata-partitions': partitions,
    'x-influxdata-parquet-files': parquetFiles,
  };
  return Object.fromEntries(Object.entries(known).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
}
