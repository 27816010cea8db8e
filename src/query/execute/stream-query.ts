import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api';
import type { Engine, EngineConnection } from '../../duckdb/index.ts';
import type { QueryLane } from '../../scheduling/index.ts';
import type { InfluxError } from '../../shared/errors.ts';
import { queryCancelled } from '../query-cancelled.ts';
import type { QueryResult, ResultBatch, ResultColumn } from '../result.ts';
import { TEXT } from '../results/made-result.ts';
import { textVector } from '../results/made-vectors.ts';
import { digestingReader } from '../results/result-digests.ts';
import { type ChunkReader, ResultReader } from '../results/result-reader.ts';
import type { CompiledSql } from '../sql/types/contract.ts';
import { type MemoryWatch, needsTooMuchMemory, type WatchedQuery } from './memory-watch.ts';

export interface StreamQuery {
  readonly engine: Engine;
  readonly memory: MemoryWatch;
  readonly lane: QueryLane;
  readonly sql: string;
  readonly output: CompiledSql['output'];
  readonly explain: CompiledSql['explain'];
  /** Take all rows at once: a stream costs several turns of the thread pool more. */
  readonly small: boolean;
  /** The rows may come in any order, and DuckDB may hold all of them. */
  readonly collect: boolean;
  readonly signal: AbortSignal | undefined;
  readonly mapError: (error: unknown) => InfluxError;
  /** Called exactly once, when DuckDB no longer needs what the query reads. Not called when this function throws. */
  readonly onEnd: () => void;
}

/** Whether a call may be ended and begun again, to let other queries pass. */
type Repeatable = 'repeatable' | 'once';

/** A query whose calls of DuckDB wait for their turn; none begins once it is not wanted any more. */
type OpenQuery = StreamQuery & { readonly turn: <T>(kind: Repeatable, task: () => Promise<T>) => Promise<T> };

/** Starts a query and waits for its first rows, so that its failures are known before anything is sent. */
export async function streamQuery(query: StreamQuery): Promise<QueryResult> {
  const connection = await query.engine.acquire();
  const leaving = new AbortController();
  const interrupt = (): void => connection.interrupt();
  let running: RunningQuery | undefined;
  /** Ends what runs and what waits. */
  const leave = (reason: unknown): void => {
    leaving.abort(reason);
    interrupt();
  };
  /** The same for a query whose reader may not come for the next rows: nothing is kept for it. */
  const abandon = (reason?: unknown): void => {
    leave(reason);
    running?.abandon();
  };
  const abandonAborted = (): void => abandon(query.signal?.reason);
  query.signal?.addEventListener('abort', abandonAborted, { once: true });
  const watched = query.memory.watch(abandon, query.engine.memoryLimitBytes);
  const isUnwanted = (): boolean => query.signal?.aborted === true || watched.exceeded;
  const stopListening = (): void => {
    query.signal?.removeEventListener('abort', abandonAborted);
    watched.done();
  };
  try {
    if (isUnwanted()) throw queryCancelled(query.signal);
    const turn: OpenQuery['turn'] = (kind, task) =>
      query.lane.take({
        run: () => watched.during(task),
        signal: leaving.signal,
        ...(kind === 'repeatable' ? { interrupt } : {}),
      });
    const asked = { ...query, turn };
    const open = query.explain !== 'no' ? explainRows : query.small ? allRows : streamedRows;
    const withReason = async (error: unknown): Promise<never> => {
      throw isUnwanted() ? error : await reasonOf(connection, asked, error);
    };
    const rows = await open(connection, asked).catch(withReason);
    const first = await rows.next().catch(withReason);
    if (isUnwanted()) throw queryCancelled(query.signal);
    running = new RunningQuery(
      rows,
      first,
      query,
      watched,
      () => {
        stopListening();
        query.engine.release(connection);
        query.onEnd();
      },
      () => leave(undefined),
    );
    return running;
  } catch (error) {
    stopListening();
    query.engine.release(connection);
    if (watched.exceeded) throw needsTooMuchMemory(error);
    throw query.signal?.aborted === true ? queryCancelled(query.signal) : error;
  }
}

interface Rows {
  readonly columns: readonly ResultColumn[];
  /** Undefined at the end. */
  next(): Promise<ResultBatch | undefined>;
  /** Why `next` failed. */
  reason(error: unknown): Promise<unknown>;
}

/** The binding ends a stream that fails after its start like a complete one; only the result's type tells. */
class BrokenStream extends Error {}

/** The binding's `ResultType.INVALID`. */
const FAILED_RESULT = 0;

class RunningQuery implements QueryResult {
  readonly columns: readonly ResultColumn[];
  readonly #rows: Rows;
  readonly #query: StreamQuery;
  readonly #watched: WatchedQuery;
  readonly #end: () => void;
  readonly #interrupt: () => void;
  #first: ResultBatch | undefined;
  /** The batch after the current one: DuckDB works on it while the current one becomes text. */
  #ahead: Promise<ResultBatch | undefined> = Promise.resolve(undefined);
  #fetching = false;
  #ended = false;
  #cancelled = false;

  constructor(
    rows: Rows,
    first: ResultBatch | undefined,
    query: StreamQuery,
    watched: WatchedQuery,
    end: () => void,
    interrupt: () => void,
  ) {
    this.columns = rows.columns;
    this.#rows = rows;
    this.#first = first;
    this.#query = query;
    this.#watched = watched;
    this.#end = end;
    this.#interrupt = interrupt;
    if (first === undefined) this.#finish();
    else this.#fetch();
  }

  async *batches(): AsyncGenerator<ResultBatch> {
    try {
      let batch = this.#first;
      this.#first = undefined;
      while (batch !== undefined && !this.#cancelled) {
        this.#requireGoing();
        yield batch;
        if (this.#cancelled) return;
        this.#requireGoing();
        batch = await this.#ahead;
        if (batch === undefined) return;
        this.#requireGoing();
        this.#fetch();
      }
    } catch (error) {
      if (this.#isUnwanted()) throw queryCancelled(this.#query.signal);
      if (this.#watched.exceeded) throw needsTooMuchMemory(error);
      const reason = await this.#reason(error);
      throw this.#isUnwanted() ? queryCancelled(this.#query.signal) : this.#query.mapError(reason);
    } finally {
      this.#leave();
    }
  }

  cancel(): void {
    this.#cancelled = true;
    this.#leave();
  }

  /** Nobody may come for the next rows: what the query holds is let go without that, and who comes is told. */
  abandon(): void {
    this.#leave();
  }

  /** Throws when the query was abandoned: its connection may serve somebody else by now. */
  #requireGoing(): void {
    if (this.#watched.exceeded || this.#query.signal?.aborted === true) throw new Error('the query was ended');
  }

  /** Counts as a fetch: it keeps the connection. */
  async #reason(error: unknown): Promise<unknown> {
    let reason: unknown = error;
    this.#fetching = true;
    this.#ahead = this.#rows.reason(error).then((found) => {
      reason = found;
      this.#fetching = false;
      return undefined;
    });
    await this.#ahead;
    return reason;
  }

  #isUnwanted(): boolean {
    return this.#cancelled || this.#query.signal?.aborted === true;
  }

  #fetch(): void {
    this.#fetching = true;
    this.#ahead = this.#rows.next().finally(() => {
      this.#fetching = false;
    });
    this.#ahead.catch(() => undefined); // told to whoever asks for the batch
  }

  /** No more batches are wanted. The connection is free once a fetch under way has ended, with an error if need be. */
  #leave(): void {
    if (this.#ended) return;
    if (!this.#fetching) {
      this.#finish();
      return;
    }
    this.#interrupt();
    const finish = (): void => this.#finish();
    this.#ahead.then(finish, finish);
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#end();
  }
}

async function allRows(connection: EngineConnection, query: OpenQuery): Promise<Rows> {
  const result = await query.turn('repeatable', () => connection.run(query.sql));
  const { chunkCount } = result;
  const reader = resultReader(result, query);
  let next = 0;
  return {
    columns: reader.columns,
    next: batchByBatch(reader, async () => (next < chunkCount ? result.getChunk(next++) : undefined)),
    reason: async (error) => error, // it is DuckDB's own
  };
}

function resultReader(result: DuckDBResult, query: StreamQuery): ChunkReader {
  const { output } = query;
  const expected = output.length === result.columnCount ? output : result.columnNames().map((name) => ({ name, type: undefined }));
  const reader = new ResultReader(expected, result.columnTypes());
  return digestingReader(
    reader,
    output.map((column) => column.digest),
  );
}

/** The batches of chunks, one a call; undefined after the last one. */
function batchByBatch(reader: ChunkReader, nextChunk: () => Promise<DuckDBDataChunk | undefined>): Rows['next'] {
  let batches: Iterator<ResultBatch> | undefined;
  return async () => {
    for (;;) {
      const step = batches?.next();
      if (step !== undefined && step.done !== true) return step.value;
      const chunk = await nextChunk();
      if (chunk === undefined) return undefined;
      batches = reader.batches(chunk)[Symbol.iterator]();
    }
  };
}

/** Chunks that are looked at before rows are sent. */
const PROBED_CHUNKS = 4;

/** Chunks with fewer rows than this cost more to hand over one by one than to collect first. */
const SPARSE_CHUNK_ROWS = 512;

/**
 * A stream. Filters leave DuckDB's chunks almost empty, and each costs a turn of the thread pool: when the first ones
 * show it, the statement is begun again with its rows collected inside DuckDB, where they count and may spill; their
 * order is lost.
 */
async function streamedRows(connection: EngineConnection, query: OpenQuery): Promise<Rows> {
  const first = await openStream(connection, query, query.sql);
  if (!query.collect) return streamRows(connection, query, first, { chunks: [], complete: false });
  const probed: DuckDBDataChunk[] = [];
  while (probed.length < PROBED_CHUNKS) {
    const chunk = await nextChunk(connection, query, first);
    if (chunk === undefined) return streamRows(connection, query, first, { chunks: probed, complete: true });
    probed.push(chunk);
  }
  const rows = probed.reduce((sum, chunk) => sum + chunk.rowCount, 0);
  if (rows >= PROBED_CHUNKS * SPARSE_CHUNK_ROWS) return streamRows(connection, query, first, { chunks: probed, complete: false });
  const collected = await openStream(connection, query, `WITH collected AS MATERIALIZED (${query.sql}) FROM collected`);
  return streamRows(connection, query, collected, { chunks: [], complete: false });
}

/** Undefined at the end. */
async function nextChunk(connection: EngineConnection, query: OpenQuery, result: DuckDBResult): Promise<DuckDBDataChunk | undefined> {
  const chunk = await query.turn('once', () => connection.fetch(result));
  if (chunk !== null && chunk.rowCount > 0) return chunk;
  if ((result.returnType as number) === FAILED_RESULT) throw new BrokenStream('the query failed while its rows were read');
  return undefined;
}

/** Chunks of a result that were fetched already; `complete` = there are no more, and none may be asked for. */
interface FetchedChunks {
  readonly chunks: DuckDBDataChunk[];
  readonly complete: boolean;
}

function streamRows(connection: EngineConnection, query: OpenQuery, result: DuckDBResult, fetched: FetchedChunks): Rows {
  const reader = resultReader(result, query);
  return {
    columns: reader.columns,
    next: batchByBatch(reader, async () => fetched.chunks.shift() ?? (fetched.complete ? undefined : nextChunk(connection, query, result))),
    reason: (error) => reasonOf(connection, query, error),
  };
}

/** What a broken stream failed of is lost: run the statement once more without taking its rows to hear it. */
async function reasonOf(connection: EngineConnection, query: OpenQuery, error: unknown): Promise<unknown> {
  if (!(error instanceof BrokenStream)) return error;
  try {
    await query.turn('repeatable', () => connection.run(`EXPLAIN ANALYZE ${query.sql}`));
    return error;
  } catch (reason) {
    return reason;
  }
}

function openStream(connection: EngineConnection, query: OpenQuery, sql: string): Promise<DuckDBResult> {
  return query.turn('repeatable', () => connection.stream(sql));
}

/** DuckDB's plan as the rows `plan_type, plan` that clients of EXPLAIN expect. */
export async function planRows(
  connection: EngineConnection,
  sql: string,
  explain: 'plan' | 'analyze',
): Promise<readonly [string, string][]> {
  const analyze = explain === 'analyze';
  const reader = await connection.runAndReadAll(`EXPLAIN ${analyze ? 'ANALYZE ' : ''}${sql}`);
  const plan = reader
    .getRows()
    .map((row) => String(row[1]))
    .join('\n');
  if (analyze) return [['Plan with Metrics', withoutStatement(plan)]];
  return [
    ['logical_plan', plan],
    ['physical_plan', plan],
  ];
}

async function explainRows(connection: EngineConnection, query: OpenQuery): Promise<Rows> {
  const explain = query.explain === 'analyze' ? 'analyze' : 'plan';
  const rows = await query.turn('repeatable', () => planRows(connection, query.sql, explain));
  let sent = false;
  return {
    columns: [
      { name: 'plan_type', type: TEXT },
      { name: 'plan', type: TEXT },
    ],
    async reason(error) {
      return error;
    },
    async next() {
      if (sent) return undefined;
      sent = true;
      return { rowCount: rows.length, columns: [textVector(rows.map(([type]) => type)), textVector(rows.map(([, plan]) => plan))] };
    },
  };
}

/** A measured plan begins with the statement that ran, which is DuckDB's and means nothing to clients. */
function withoutStatement(plan: string): string {
  return plan.slice(Math.max(0, plan.search(/^┌─+┐\n│┌─+┐│\n││ +Total Time/m)));
}
