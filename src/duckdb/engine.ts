import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Connection } from '@duckdb/node-bindings';
import { assert } from '../shared/assert.ts';
import { InfluxError } from '../shared/errors.ts';
import { type Bindings, ChunkAppender, type EngineColumnType } from './chunk-appender.ts';
import { EngineConnection } from './connection.ts';
import { engineFailed, suspicionOf, withMemoryNamed } from './failure.ts';

export interface EngineOptions {
  /** Worker threads of DuckDB. */
  readonly threads: number;
  readonly memoryLimitBytes: number;
  /** Where DuckDB spills; created by the caller. */
  readonly tempDirectory: string;
  /** The only directories whose files DuckDB may touch. */
  readonly allowedDirectories: readonly string[];
  /** Macros and the like, run once before the lock-down. */
  readonly setupStatements: readonly string[];
}

/**
 * The DuckDB instance: buffer tables, Parquet reading and writing, query execution. Locked down before first use:
 * no extension loading, no files outside the allowed directories, no configuration changes.
 *
 * Shared by: every query, the write buffer, snapshots, compaction and loads of columns. A connection belongs to one of them
 * at a time (`acquire`, `release`); the connection of the appenders is used in synchronous calls only, so that no two of
 * them meet on it. What all of them share is whether DuckDB is still alive: after a failure that takes it down every call
 * is refused, and whoever opened DuckDB is told once.
 */
export class Engine {
  /** What DuckDB holds itself to; what it does not count comes on top. */
  readonly memoryLimitBytes: number;
  readonly #instance: DuckDBInstance;
  readonly #bindings: Bindings;
  #writer: DuckDBConnection | undefined;
  readonly #idle: DuckDBConnection[] = [];
  readonly #leases = new Set<EngineConnection>();
  /** Connections that are being made. */
  readonly #connecting = new Set<Promise<DuckDBConnection>>();
  readonly #failureListeners: ((failure: InfluxError) => void)[] = [];
  #failure: InfluxError | undefined;
  #probing = false;
  #closed = false;

  private constructor(instance: DuckDBInstance, bindings: Bindings, memoryLimitBytes: number) {
    this.memoryLimitBytes = memoryLimitBytes;
    this.#instance = instance;
    this.#bindings = watchedAppends(bindings, (error) => this.noticeFailure(error));
  }

  /** Loads DuckDB's library (tens of milliseconds the first time) and prepares it. */
  static async open(options: EngineOptions): Promise<Engine> {
    await removeSpilled(options.tempDirectory);
    const memoryLimitBytes = Math.max(MEMORY_MIB_MIN, Math.floor(options.memoryLimitBytes / MIB)) * MIB;
    const { DuckDBInstance } = (await import('@duckdb/node-api')).default;
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(options.threads),
      memory_limit: `${memoryLimitBytes / MIB}MiB`,
      temp_directory: options.tempDirectory,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      preserve_insertion_order: 'true',
      // Without it, memory of a snapshot or a query that is over goes back to the system with the next one only.
      allocator_background_threads: 'true',
    });
    const engine = new Engine(instance, (await import('@duckdb/node-bindings')).default as unknown as Bindings, memoryLimitBytes);
    await engine.#fillIdle(); // before the lock: what they are set to cannot be set for all connections
    const connection = await engine.acquire();
    for (const statement of [PROBE_TABLE, ...options.setupStatements, ...lockDown(options.allowedDirectories)])
      await connection.run(statement);
    engine.release(connection);
    engine.#writer = await instance.connect();
    return engine;
  }

  /** A connection for one task; give it back with `release`. Session state must be left as it was found. */
  async acquire(): Promise<EngineConnection> {
    if (this.#failure !== undefined) throw this.#failure;
    const native = this.#idle.pop() ?? (await this.#connect());
    const connection = new EngineConnection(native, (error) => this.noticeFailure(error));
    this.#leases.add(connection);
    return connection;
  }

  /** One more connection, unless DuckDB has ended meanwhile: nobody would interrupt what runs on it. */
  async #connect(): Promise<DuckDBConnection> {
    const connecting = this.#instance.connect();
    this.#connecting.add(connecting);
    const native = await connecting.finally(() => this.#connecting.delete(connecting));
    if (!this.#closed && this.#failure === undefined) return native;
    native.closeSync();
    throw this.#failure ?? new Error('DuckDB was closed');
  }

  /** Ends the lease, once. What still runs on the connection, or was not read to its end, is ended before anybody else gets it. */
  release(connection: EngineConnection): void {
    const settled = connection.settle();
    if (settled === undefined) this.#recycle(connection, true);
    else void settled.then((usable) => this.#recycle(connection, usable));
  }

  /** Starts appending to a table; all appenders share one connection of their own. */
  appender(table: string, types: readonly EngineColumnType[]): ChunkAppender {
    if (this.#failure !== undefined) throw this.#failure;
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

  /** True after `close`: there is nothing left to free. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Why DuckDB is of no more use; undefined = it lives. */
  get failure(): InfluxError | undefined {
    return this.#failure;
  }

  /** Calls back once, when DuckDB has failed; at once when it has already. */
  onFailure(listener: (failure: InfluxError) => void): void {
    if (this.#failure !== undefined) listener(this.#failure);
    else this.#failureListeners.push(listener);
  }

  /**
   * Looks at the failure of a call: most concern their statement only, some end the instance. A text that may come from a
   * user is not believed; then a statement is tried.
   */
  noticeFailure(error: unknown): void {
    if (this.#closed || this.#failure !== undefined || error instanceof InfluxError) return;
    const suspicion = suspicionOf(error);
    if (suspicion === 'certain') this.#fail(error);
    else if (suspicion === 'possible' && !this.#probing) void this.#probe();
  }

  /**
   * Interrupts what runs and frees the instance, once the last connection is released: a statement whose connection is
   * closed under it waits for itself for ever, and with it the thread that it runs on.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.closeSync();
    this.#writer?.closeSync(); // it only appends, and never in the background
    this.#writer = undefined;
    for (const connection of this.#leases) connection.interrupt();
    // A connection that is being made reads the instance in another thread: freed meanwhile, it would take the process down.
    if (this.#connecting.size === 0) this.#instance.closeSync();
    else void Promise.allSettled(this.#connecting).then(() => this.#instance.closeSync());
  }

  async #fillIdle(): Promise<void> {
    const bufferBytes = Math.min(STREAM_BUFFER_BYTES_MAX, Math.floor(this.memoryLimitBytes * STREAM_BUFFER_SHARE));
    while (this.#idle.length < IDLE_CONNECTIONS_MAX) {
      const connection = await this.#instance.connect();
      await connection.run(`SET SESSION streaming_buffer_size = '${bufferBytes}B'`);
      this.#idle.push(connection);
    }
  }

  #recycle(connection: EngineConnection, usable: boolean): void {
    this.#leases.delete(connection);
    const { native } = connection;
    const kept = usable && !this.#closed && this.#failure === undefined && this.#idle.length < IDLE_CONNECTIONS_MAX;
    if (kept) this.#idle.push(native);
    else native.closeSync();
  }

  #fail(cause: unknown): void {
    this.#failure = engineFailed(cause);
    for (const connection of this.#leases) connection.interrupt();
    for (const listener of this.#failureListeners.splice(0)) listener(this.#failure);
  }

  /** Never rejects. */
  async #probe(): Promise<void> {
    this.#probing = true;
    try {
      const connection = await this.acquire();
      await connection.run(PROBE).finally(() => this.release(connection));
    } catch (error) {
      // A statement without a user's text: here the words are DuckDB's own.
      if (!this.#closed && this.#failure === undefined && suspicionOf(error) !== 'none') this.#fail(error);
    } finally {
      this.#probing = false;
    }
  }
}

/** The functions of the bindings, with those that append telling of their failures. */
function watchedAppends(bindings: Bindings, onFailure: (error: unknown) => void): Bindings {
  const watched =
    <Args extends unknown[], Result>(call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      try {
        return call(...args);
      } catch (error) {
        onFailure(error);
        throw withMemoryNamed(error);
      }
    };
  // The bindings' functions are no enumerable properties, and they use no `this`.
  return Object.create(bindings, {
    appender_create_ext: { value: watched(bindings.appender_create_ext) },
    append_data_chunk: { value: watched(bindings.append_data_chunk) },
    appender_flush_sync: { value: watched(bindings.appender_flush_sync) },
    appender_close_sync: { value: watched(bindings.appender_close_sync) },
  }) as Bindings;
}

/** What an engine that was killed spilled: the files are of no use to anybody. */
async function removeSpilled(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []); // not there yet
  for (const name of names) {
    if (SPILLED.test(name)) await rm(join(directory, name), { force: true, recursive: true });
  }
}

/** DuckDB's own spill files, directories of instances that followed a failed one, and results that were being written. */
const SPILLED = /^(duckdb_temp_.*|reopened-\d+|result-.*\.parquet)$/;

/** Needs the database that holds all tables: without it DuckDB may still answer statements that read none. */
const PROBE_TABLE = 'CREATE TABLE alive (one INTEGER)';
const PROBE = 'SELECT one FROM alive';

const MIB = 1_048_576;

/** DuckDB does nothing of use with less. */
const MEMORY_MIB_MIN = 64;

const IDLE_CONNECTIONS_MAX = 16;

/** Rows that a stream makes ahead: with DuckDB's own megabyte its threads stop and go for every few chunks. */
const STREAM_BUFFER_BYTES_MAX = 8 * MIB;
const STREAM_BUFFER_SHARE = 1 / 64;

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

/** A text as a SQL expression: a literal, with NUL characters made by `chr(0)`, because a statement ends at the first NUL. */
export function sqlString(text: string): string {
  if (!text.includes('\0')) return `'${text.replaceAll("'", "''")}'`;
  return `(${text.split('\0').map(sqlString).join(' || chr(0) || ')})`;
}

/** A name as a quoted SQL identifier; it must not have a NUL (see `uniqueNames`). */
export function sqlIdentifier(name: string): string {
  assert(!name.includes('\0'), 'an identifier with a NUL would end the statement');
  return `"${name.replaceAll('"', '""')}"`;
}
