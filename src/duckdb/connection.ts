/**
 * Shared by: nobody while it is leased; one task has it between `Engine.acquire` and `Engine.release`. What could still reach
 * it afterwards is an interrupt that comes late (a timeout, a client that leaves) and a call that has not ended: the first
 * does nothing after the release, the second keeps it out of the pool (`settle`).
 */
import type {
  DuckDBConnection,
  DuckDBDataChunk,
  DuckDBMaterializedResult,
  DuckDBResult,
  DuckDBResultReader,
  DuckDBType,
} from '@duckdb/node-api';
import { type CancelTimer, systemTimers } from '../shared/timers.ts';
import { withMemoryNamed } from './failure.ts';

/** A statement that DuckDB has not begun yet misses an interrupt: it is repeated until the call has ended, ms. */
const INTERRUPT_AGAIN_MS = 20;

/** Told of every failure of a call. */
export type FailureListener = (error: unknown) => void;

/** What DuckDB says of a statement before it runs. */
export interface StatementTypes {
  readonly columns: readonly DuckDBType[];
  readonly parameters: ReadonlyMap<string, DuckDBType>;
}

/** A connection of DuckDB for one task. */
export class EngineConnection {
  readonly #native: DuckDBConnection;
  readonly #onFailure: FailureListener;
  readonly #running = new Set<Promise<unknown>>();
  #openStream: DuckDBResult | undefined;
  #stopInterrupting: CancelTimer | undefined;
  #released = false;

  constructor(native: DuckDBConnection, onFailure: FailureListener) {
    this.#native = native;
    this.#onFailure = onFailure;
  }

  /** Runs a statement and keeps all of its rows inside DuckDB. */
  run(sql: string): Promise<DuckDBMaterializedResult> {
    return this.#watched(() => this.#native.run(sql));
  }

  /** As `run`, with the rows read. */
  runAndReadAll(sql: string): Promise<DuckDBResultReader> {
    return this.#watched(() => this.#native.runAndReadAll(sql));
  }

  /** Types of the columns, and of the parameters by their names, of a statement that is not run. */
  describe(sql: string): Promise<StatementTypes> {
    return this.#watched(async () => {
      const prepared = await this.#native.prepare(sql);
      try {
        const columns = Array.from({ length: prepared.columnCount }, (_, i) => prepared.columnType(i));
        const parameters = new Map<string, DuckDBType>();
        for (let i = 1; i <= prepared.parameterCount; i++) parameters.set(prepared.parameterName(i), prepared.parameterType(i));
        return { columns, parameters };
      } finally {
        prepared.destroySync();
      }
    });
  }

  /** Starts a statement whose rows are fetched one chunk at a time. It is prepared directly: DuckDB's own call parses every text twice. */
  stream(sql: string): Promise<DuckDBResult> {
    return this.#watched(async () => {
      const prepared = await this.#native.prepare(sql);
      try {
        this.#openStream = await prepared.stream();
        return this.#openStream;
      } finally {
        prepared.destroySync();
      }
    });
  }

  /** The next rows of a stream of this connection; null or an empty chunk at its end. */
  async fetch(result: DuckDBResult): Promise<DuckDBDataChunk | null> {
    const chunk = await this.#watched(() => result.fetchChunk());
    if (this.#openStream === result && (chunk === null || chunk.rowCount === 0)) this.#openStream = undefined;
    return chunk;
  }

  /** Runs a task of several calls as one: an interrupt that comes when a call has just ended meets the next one. */
  together<T>(task: () => Promise<T>): Promise<T> {
    return this.#underWay(task());
  }

  /**
   * Makes the calls under way fail soon, also those that DuckDB has not begun; later ones are not meant. Does nothing after
   * the release: the connection may serve somebody else by then.
   */
  interrupt(): void {
    if (this.#released || this.#running.size === 0) return;
    this.#native.interrupt();
    this.#stopInterrupting ??= systemTimers.every(INTERRUPT_AGAIN_MS, () => this.#native.interrupt());
  }

  /**
   * Ends the lease. A stream that was not read to its end keeps its transaction, and with it the memory of every table that
   * is dropped meanwhile, until another statement runs: one does. Undefined = nothing to wait for; resolves to false when
   * the connection is of no more use.
   */
  settle(): Promise<boolean> | undefined {
    if (this.#running.size === 0 && this.#openStream === undefined) {
      this.#released = true;
      return undefined;
    }
    return this.#settle();
  }

  /** DuckDB's own handle, for what the raw functions need. The wrapper of the bindings hides it. */
  get native(): DuckDBConnection {
    return this.#native;
  }

  async #settle(): Promise<boolean> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    this.#released = true;
    if (this.#openStream === undefined) return true;
    this.#openStream = undefined;
    try {
      await this.#native.run('SELECT 1');
      return true;
    } catch (error) {
      this.#onFailure(error);
      return false;
    }
  }

  async #watched<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await this.#underWay(call());
    } catch (error) {
      this.#onFailure(error);
      throw withMemoryNamed(error);
    }
  }

  async #underWay<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
      if (this.#running.size === 0) {
        this.#stopInterrupting?.();
        this.#stopInterrupting = undefined;
      }
    }
  }
}
