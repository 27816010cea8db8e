import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Connection } from '@duckdb/node-bindings';
import { type Bindings, ChunkAppender, type EngineColumnType } from './chunk-appender.ts';

export interface EngineOptions {
  /** Worker threads of the engine. */
  readonly threads: number;
  readonly memoryLimitBytes: number;
  /** Where the engine spills; created by the caller. */
  readonly tempDirectory: string;
  /** The only directories whose files the engine may touch. */
  readonly allowedDirectories: readonly string[];
  /** Macros and the like, run once before the lock-down. */
  readonly setupStatements: readonly string[];
}

/**
 * The DuckDB instance: buffer tables, Parquet reading and writing, query execution. Locked down before first use:
 * no extension loading, no files outside the allowed directories, no configuration changes.
 */
export class Engine {
  readonly #instance: DuckDBInstance;
  readonly #bindings: Bindings;
  #writer: DuckDBConnection | undefined;
  readonly #idle: DuckDBConnection[] = [];
  readonly #open = new Set<DuckDBConnection>();
  #closed = false;

  private constructor(instance: DuckDBInstance, bindings: Bindings) {
    this.#instance = instance;
    this.#bindings = bindings;
  }

  /** Loads the engine's library (tens of milliseconds the first time) and prepares it. */
  static async open(options: EngineOptions): Promise<Engine> {
    await removeSpilled(options.tempDirectory);
    const { DuckDBInstance } = (await import('@duckdb/node-api')).default;
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(options.threads),
      memory_limit: `${Math.max(64, Math.floor(options.memoryLimitBytes / 1_048_576))}MiB`,
      temp_directory: options.tempDirectory,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      preserve_insertion_order: 'true',
      // Without it, memory of a snapshot or a query that is over goes back to the system with the next one only.
      allocator_background_threads: 'true',
    });
    const engine = new Engine(instance, (await import('@duckdb/node-bindings')).default as unknown as Bindings);
    const connection = await engine.acquire();
    for (const statement of [...options.setupStatements, ...lockDown(options.allowedDirectories)]) await connection.run(statement);
    engine.release(connection);
    engine.#writer = await engine.acquire();
    return engine;
  }

  /** A connection for one task; give it back with `release`. Session state must be left as it was found. */
  async acquire(): Promise<DuckDBConnection> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const connection = await this.#instance.connect();
    this.#open.add(connection);
    return connection;
  }

  /** Only when nothing runs on it any more. */
  release(connection: DuckDBConnection): void {
    if (this.#closed || this.#idle.length >= IDLE_CONNECTIONS_MAX) this.#disconnect(connection);
    else this.#idle.push(connection);
  }

  /** Starts appending to a table; all appenders share one connection of their own. */
  appender(table: string, types: readonly EngineColumnType[]): ChunkAppender {
    if (this.#writer === undefined) throw new Error('internal error: engine is not open');
    return new ChunkAppender(this.#bindings, nativeConnection(this.#writer), table, types);
  }

  /** Runs a statement that returns nothing of interest. */
  async run(sql: string): Promise<void> {
    const connection = await this.acquire();
    try {
      await connection.run(sql);
    } finally {
      this.release(connection);
    }
  }

  /**
   * Interrupts what runs and frees the instance, once the last connection is released: a statement whose connection is
   * closed under it waits for itself for ever, and with it the thread that it runs on.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) this.#disconnect(connection);
    if (this.#writer !== undefined) this.#disconnect(this.#writer); // it only appends, and never in the background
    for (const connection of this.#open) connection.interrupt();
    this.#instance.closeSync();
  }

  #disconnect(connection: DuckDBConnection): void {
    this.#open.delete(connection);
    connection.closeSync();
  }
}

/** What an engine that was killed spilled: the files are of no use to anybody. */
async function removeSpilled(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []); // not there yet
  for (const name of names) {
    if (SPILLED.test(name)) await rm(join(directory, name), { force: true });
  }
}

/** The engine's own spill files, and results that were being written. */
const SPILLED = /^(duckdb_temp_.*|result-.*\.parquet)$/;

const IDLE_CONNECTIONS_MAX = 16;

/** The wrapper hides its native handle, which the raw appender needs. */
function nativeConnection(connection: DuckDBConnection): Connection {
  return (connection as unknown as { connection: Connection }).connection;
}

function lockDown(allowedDirectories: readonly string[]): string[] {
  const list = allowedDirectories.map((directory) => sqlString(directory)).join(', ');
  return [
    "SET GLOBAL timezone = 'UTC'",
    "SET GLOBAL default_null_order = 'nulls_last_on_asc_first_on_desc'",
    'SET GLOBAL parquet_metadata_cache = true',
    // It would keep the bytes of files that compaction has long deleted; the operating system caches files anyway.
    'SET GLOBAL enable_external_file_cache = false',
    `SET GLOBAL allowed_directories = [${list}]`,
    'SET GLOBAL enable_external_access = false',
    'SET GLOBAL lock_configuration = true',
  ];
}

/** A text as a SQL string literal. */
export function sqlString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name as a quoted SQL identifier. */
export function sqlIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
