import type { GroupKey, InfluxqlRequest } from '../../query/influxql/contract.ts';
import { needsDatabase, parseInfluxql, statementDatabase } from '../../query/influxql/parse/index.ts';
import type { SqlRequest } from '../../query/query-service.ts';
import type { BindValue, QueryResult, QueryStatistics } from '../../query/result.ts';
import { InfluxError } from '../../shared/errors.ts';
import type { CallDependencies } from './dependencies.ts';
import { type QueryStage, queryFailure } from './errors.ts';
import type { GrpcCall } from './grpc/grpc-call.ts';
import { ResultSender } from './send-result.ts';
import type { FlightTicket } from './ticket.ts';

/** A query under way, with what its schema says besides its columns. */
export interface StartedQuery {
  readonly result: QueryResult;
  readonly metadata?: ReadonlyMap<string, string>;
}

/** Runs a query and sends what it answers. What `start` is given is told how to learn the columns of a query that takes long. */
export async function answerQuery(
  call: GrpcCall,
  deps: CallDependencies,
  database: string,
  stage: QueryStage,
  start: (onPlanned: NonNullable<SqlRequest['onPlanned']>) => Promise<StartedQuery>,
): Promise<void> {
  const sender = new ResultSender(call, deps.keepAliveMs);
  try {
    const started = start((columns) => sender.planned(columns));
    const { result, metadata } = await sender.awaited(started).catch((error: unknown) => {
      throw queryFailure(error, stage, database);
    });
    await sendRows(sender, result, metadata).catch((error: unknown) => {
      throw queryFailure(error, 'stream', database);
    });
    call.end(trailers(result.statistics?.()));
  } finally {
    sender.stop();
  }
}

async function sendRows(sender: ResultSender, result: QueryResult, metadata: ReadonlyMap<string, string> | undefined): Promise<void> {
  try {
    await sender.schema(result.columns, metadata);
  } catch (error) {
    result.cancel();
    throw error;
  }
  await sender.rows(result);
}

type TextTicket = Extract<FlightTicket, { kind: 'sql' | 'influxql' }>;

/** Answers a ticket whose query is text. */
export async function answerText(call: GrpcCall, deps: CallDependencies, ticket: TextTicket): Promise<void> {
  const { database, query, params } = ticket;
  const { signal } = call;
  if (ticket.kind === 'influxql') {
    await answerQuery(call, deps, database, 'query', () => startInfluxql(database, query, deps, signal, params));
    return;
  }
  await answerQuery(call, deps, database, 'query', async (onPlanned) => ({
    result: await deps.queryService.sql({ database, query, params, signal, onPlanned }),
  }));
}

/** Starts an InfluxQL statement. */
export async function startInfluxql(
  database: string,
  query: string,
  deps: CallDependencies,
  signal: AbortSignal,
  params: ReadonlyMap<string, BindValue> = new Map(),
): Promise<StartedQuery> {
  const request = influxqlRequest(database, query, parseInfluxql(query, params), signal);
  const { result, groupKey } = await deps.influxqlService.run(request);
  return { result, metadata: groupKeyMetadata(groupKey) };
}

/** The request for a text that must be one statement about one database. */
export function influxqlRequest(
  database: string,
  query: string,
  [parsed, ...more]: ReturnType<typeof parseInfluxql>,
  signal: AbortSignal,
): InfluxqlRequest {
  if (parsed === undefined || more.length > 0) {
    throw new InfluxError({ code: 'INFLUXQL_STATEMENTS', message: 'must provide only one InfluxQl statement per query', status: 400 });
  }
  const named = statementDatabase(parsed, database);
  if (named !== database) {
    throw new InfluxError({
      code: 'FLIGHT_OTHER_DATABASE',
      message: 'This feature is not implemented: database prefix in qualified measurement syntax',
      status: 400,
    });
  }
  const { statement } = parsed;
  return { database: needsDatabase(statement) ? database : undefined, statement, text: query, signal };
}

/** Which columns make series of the rows of an InfluxQL answer. */
export function groupKeyMetadata({ measurementColumn, tagColumns }: GroupKey): ReadonlyMap<string, string> {
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
