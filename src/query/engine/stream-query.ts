import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import type { Engine } from '../../engine/index.ts';
import { InfluxError } from '../../shared/errors.ts';
import type { QueryResult, ResultBatch, ResultColumn } from '../result.ts';
import type { CompiledSql } from '../sql/contract.ts';
import { resultColumns, toResultBatch } from './result-batch.ts';

export interface StreamQuery {
  readonly engine: Engine;
  readonly sql: string;
  readonly output: CompiledSql['output'];
  readonly explain: CompiledSql['explain'];
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
  const stopListening = (): void => query.signal?.removeEventListener('abort', interrupt);
  try {
    if (query.signal?.aborted === true) throw cancelled();
    const rows = query.explain === 'no' ? await openRows(connection, query) : await explainRows(connection, query);
    const first = await rows.next();
    return new RunningQuery(
      rows,
      first,
      query,
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
    throw query.signal?.aborted === true ? cancelled() : error;
  }
}

interface Rows {
  readonly columns: readonly ResultColumn[];
  /** Undefined at the end. */
  next(): Promise<ResultBatch | undefined>;
}

class RunningQuery implements QueryResult {
  readonly columns: readonly ResultColumn[];
  readonly #rows: Rows;
  readonly #query: StreamQuery;
  readonly #end: () => void;
  readonly #interrupt: () => void;
  #first: ResultBatch | undefined;
  #busy = false;
  #ended = false;
  #cancelled = false;

  constructor(rows: Rows, first: ResultBatch | undefined, query: StreamQuery, end: () => void, interrupt: () => void) {
    this.columns = rows.columns;
    this.#rows = rows;
    this.#first = first;
    this.#query = query;
    this.#end = end;
    this.#interrupt = interrupt;
    if (first === undefined) this.#finish();
  }

  async *batches(): AsyncGenerator<ResultBatch> {
    try {
      let batch = this.#first;
      this.#first = undefined;
      while (batch !== undefined && !this.#cancelled) {
        yield batch;
        if (this.#cancelled) return;
        this.#busy = true;
        try {
          batch = await this.#rows.next();
        } finally {
          this.#busy = false;
        }
      }
    } catch (error) {
      throw this.#cancelled || this.#query.signal?.aborted === true ? cancelled() : this.#query.mapError(error);
    } finally {
      this.#finish();
    }
  }

  cancel(): void {
    this.#cancelled = true;
    if (this.#ended) return;
    this.#interrupt();
    // A fetch under way ends with an error and finishes; otherwise nothing else will.
    if (!this.#busy) this.#finish();
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#end();
  }
}

async function openRows(connection: DuckDBConnection, query: StreamQuery): Promise<Rows> {
  const result = await openStream(connection, query.sql);
  const names = query.output.length === result.columnCount ? query.output.map((column) => column.name) : result.columnNames();
  const hints = query.output.length === result.columnCount ? query.output.map((column) => column.type) : [];
  const columns = resultColumns(names, result.columnTypes(), hints);
  return {
    columns,
    async next() {
      const chunk = await result.fetchChunk();
      return chunk === null || chunk.rowCount === 0 ? undefined : toResultBatch(chunk, columns);
    },
  };
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
