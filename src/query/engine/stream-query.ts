import type { DuckDBConnection, DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api';
import type { Engine } from '../../engine/index.ts';
import { InfluxError } from '../../shared/errors.ts';
import type { QueryResult, ResultBatch, ResultColumn } from '../result.ts';
import type { CompiledSql } from '../sql/contract.ts';
import { type MemoryWatch, needsTooMuchMemory, type WatchedQuery } from './memory-watch.ts';
import { resultColumns, toResultBatch } from './result-batch.ts';
import { checkListSizes } from './result-size.ts';

export interface StreamQuery {
  readonly engine: Engine;
  readonly memory: MemoryWatch;
  readonly sql: string;
  readonly output: CompiledSql['output'];
  readonly explain: CompiledSql['explain'];
  /** Take all rows at once: a stream costs several turns of the thread pool more. */
  readonly small: boolean;
  readonly signal: AbortSignal | undefined;
  readonly mapError: (error: unknown) => InfluxError;
  /** Called exactly once, when the engine no longer needs what the query reads. Not called when this function throws. */
  readonly onEnd: () => void;
}

/** Starts a query and waits for its first rows, so that its failures are known before anything is sent. */
export async function streamQuery(query: StreamQuery): Promise<QueryResult> {
  const connection = await query.engine.acquire();
  const interrupt = (): void => connection.interrupt();
  query.signal?.addEventListener('abort', interrupt, { once: true });
  const watched = query.memory.watch(interrupt);
  const stopListening = (): void => {
    query.signal?.removeEventListener('abort', interrupt);
    watched.done();
  };
  try {
    if (query.signal?.aborted === true) throw cancelled();
    const rows = await (query.explain !== 'no' ? explainRows : query.small ? allRows : streamedRows)(connection, query);
    const first = await rows.next().catch(async (error: unknown) => {
      throw query.signal?.aborted === true || watched.exceeded ? error : await rows.reason(error);
    });
    return new RunningQuery(
      rows,
      first,
      query,
      watched,
      () => {
        stopListening();
        query.engine.release(connection);
        query.onEnd();
      },
      interrupt,
    );
  } catch (error) {
    stopListening();
    query.engine.release(connection);
    if (watched.exceeded) throw needsTooMuchMemory(error);
    throw query.signal?.aborted === true ? cancelled() : error;
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
  /** The batch after the current one: the engine works on it while the current one becomes text. */
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
        yield batch;
        if (this.#cancelled) return;
        batch = await this.#ahead;
        if (batch !== undefined) this.#fetch();
      }
    } catch (error) {
      if (this.#isUnwanted()) throw cancelled();
      if (this.#watched.exceeded) throw needsTooMuchMemory(error);
      const reason = await this.#reason(error);
      throw this.#isUnwanted() ? cancelled() : this.#query.mapError(reason);
    } finally {
      this.#leave();
    }
  }

  cancel(): void {
    this.#cancelled = true;
    this.#leave();
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

async function allRows(connection: DuckDBConnection, query: StreamQuery): Promise<Rows> {
  const result = await connection.run(query.sql);
  const { chunkCount } = result;
  const { columns, batch } = resultReader(result, query);
  let next = 0;
  return {
    columns,
    next: async () => (next < chunkCount ? batch(result.getChunk(next++)) : undefined),
    reason: async (error) => error,
  };
}

/** What a result's chunks mean. */
function resultReader(
  result: DuckDBResult,
  query: StreamQuery,
): { readonly columns: readonly ResultColumn[]; readonly batch: (chunk: DuckDBDataChunk) => ResultBatch } {
  const names = query.output.length === result.columnCount ? query.output.map((column) => column.name) : result.columnNames();
  const hints = query.output.length === result.columnCount ? query.output.map((column) => column.type) : [];
  const types = result.columnTypes();
  const columns = resultColumns(names, types, hints);
  return {
    columns,
    batch(chunk) {
      checkListSizes(chunk, types);
      return toResultBatch(chunk, columns);
    },
  };
}

async function streamedRows(connection: DuckDBConnection, query: StreamQuery): Promise<Rows> {
  const result = await openStream(connection, query.sql);
  const { columns, batch } = resultReader(result, query);
  return {
    columns,
    async next() {
      const chunk = await result.fetchChunk();
      if (chunk !== null && chunk.rowCount > 0) return batch(chunk);
      if ((result.returnType as number) === FAILED_RESULT) throw new BrokenStream('the query failed while its rows were read');
      return undefined;
    },
    async reason(error) {
      return error instanceof BrokenStream ? reasonOfFailure(connection, query.sql, error) : error;
    },
  };
}

/** What a broken stream failed of is lost: run the statement once more without taking its rows to hear it. */
async function reasonOfFailure(connection: DuckDBConnection, sql: string, unknown: BrokenStream): Promise<unknown> {
  try {
    await connection.run(`EXPLAIN ANALYZE ${sql}`);
    return unknown;
  } catch (error) {
    return error;
  }
}

/** One statement, prepared directly: the connection's own `stream` parses every text once more to count its statements. */
async function openStream(connection: DuckDBConnection, sql: string): Promise<DuckDBResult> {
  const prepared = await connection.prepare(sql);
  try {
    return await prepared.stream();
  } finally {
    prepared.destroySync();
  }
}

/** The engine's plan as the two columns that clients of EXPLAIN expect. */
async function explainRows(connection: DuckDBConnection, query: StreamQuery): Promise<Rows> {
  const analyze = query.explain === 'analyze';
  const reader = await connection.runAndReadAll(`EXPLAIN ${analyze ? 'ANALYZE ' : ''}${query.sql}`);
  const plan = reader
    .getRows()
    .map((row) => String(row[1]))
    .join('\n');
  const rows = analyze
    ? [['Plan with Metrics', plan]]
    : [
        ['logical_plan', plan],
        ['physical_plan', plan],
      ];
  const text: ResultColumn['type'] = { kind: 'string', dictionary: false };
  let sent = false;
  return {
    columns: [
      { name: 'plan_type', type: text },
      { name: 'plan', type: text },
    ],
    async reason(error) {
      return error;
    },
    async next() {
      if (sent) return undefined;
      sent = true;
      return {
        rowCount: rows.length,
        columns: [0, 1].map((column) => ({ kind: 'string', text: (row) => rows[row]?.[column] ?? null })),
      };
    },
  };
}

function cancelled(): InfluxError {
  return new InfluxError({ code: 'QUERY_CANCELLED', message: 'query error: the query was cancelled', status: 500 });
}
