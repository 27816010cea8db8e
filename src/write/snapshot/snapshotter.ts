import type { Engine } from '../../duckdb/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { DatabaseId, TableId, WalFileNumber } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import { errorText, ObjectStoreError, systemErrorCode, TakenOver } from '../../storage/index.ts';
import type { Generation, TableBuffer, WriteBuffer } from '../buffer/index.ts';
import type { ParquetWriter } from '../parquet/parquet-writer.ts';
import { type PersistedFile, type PersistedTable, type PersistOptions, persistTable } from './persist-table.ts';
import { plannedFiles } from './planned-files.ts';
import { RowsUnaccounted } from './row-accounts.ts';

/** What a snapshot is to persist. */
export interface SnapshotOrder {
  /** Chunks that start before this are persisted. */
  readonly endMarkerNs: bigint;
  /** Last WAL file whose rows are all persisted by this snapshot. */
  readonly lastCoveredWalFile: WalFileNumber;
}

/** A table that could not be persisted; `cause` is the last failure. */
export interface FailedTable {
  readonly table: TableBuffer;
  readonly cause: unknown;
}

/** What a snapshot came to, about to be made durable. */
export interface SnapshotResult {
  readonly files: readonly PersistedFile[];
  readonly persisted: readonly TableBuffer[];
  readonly failed: readonly FailedTable[];
}

export interface SnapshotterDependencies {
  readonly engine: Engine;
  readonly writer: ParquetWriter;
  /** The path under which a new file is written (see `DataFiles`). */
  readonly uniquePath: (path: string) => string;
  readonly chunkDurationNs: bigint;
  readonly clock: Clock;
  readonly log: Log;
  /** Notes the paths that are about to be written, so that a start after a crash can remove what no info lists. */
  readonly announce: (paths: readonly string[]) => Promise<void>;
  /** Removes files that were announced and are not needed. Never rejects. */
  readonly discard: (paths: readonly string[]) => Promise<void>;
  /** The table was set aside by an earlier snapshot: it is tried once, with all of its rows. */
  readonly isAside: (table: TableBuffer) => boolean;
  /** Makes the rows of tables durable elsewhere than in the WAL files that are to go. */
  readonly keepAside: (tables: readonly FailedTable[]) => Promise<void>;
  /**
   * Makes the snapshot durable (from then on the covered WAL files are not needed), then visible. `swap` runs in the
   * same step in which readers see the files.
   */
  readonly commit: (result: SnapshotResult, swap: () => void) => Promise<void>;
  /** Number of live files that reach into a chunk. */
  readonly fileCount: (databaseId: DatabaseId, tableId: TableId, chunkTimeNs: bigint) => number;
  /** Waits before a failed step is tried again; rejects when the server stops. */
  readonly pause: () => Promise<void>;
}

/** One table's share of the buffer when the snapshot began. */
export interface SealedTable {
  readonly table: TableBuffer;
  readonly generations: readonly Generation[];
}

/** Attempts after which a table is set aside. */
const ATTEMPTS_MAX = 3;

/** The same for failures that may pass: memory that others use, a disk that hiccups. */
const PASSING_ATTEMPTS_MAX = 30;

/** After every row that there can be. */
const END_OF_TIME_NS = 2n ** 63n;

/** Ends the open generations of all tables. Call it in the same step in which the last row of the period was applied. */
export function sealBuffer(buffer: WriteBuffer): SealedTable[] {
  return [...buffer.tables()].filter((table) => table.rows > 0).map((table) => ({ table, generations: table.seal() }));
}

/**
 * Persists sealed rows: Parquet files, then the snapshot info, then the one step in which readers change from buffered
 * rows to files. A step that the store fails is retried; the rows stay in the buffer and in the WAL until it works. A
 * table that fails for a reason of its own is left in the buffer, and its part of the WAL is kept aside.
 */
export async function runSnapshot(order: SnapshotOrder, sealed: readonly SealedTable[], deps: SnapshotterDependencies): Promise<void> {
  const started = deps.clock.monotonicMs();
  const jobs = sealed.map((table) => new TableJob(table, order, deps)).filter((job) => job.isDue);
  const paths = jobs.flatMap((job) => job.paths);
  await retried(deps, 'announcing a snapshot failed', () => deps.announce(paths));
  try {
    for (const job of jobs) await job.run();
    await keepFailed(jobs, deps);
  } catch (error) {
    for (const { result } of jobs) result?.remainder?.retire(); // nobody will read the copies
    throw error;
  }
  const persisted = jobs.flatMap((job) => job.result ?? []);
  const failed = jobs.flatMap((job) => job.failure ?? []);
  const files = persisted.flatMap((table) => table.files);
  await deps.commit({ files, persisted: persisted.map(({ table }) => table), failed }, () => {
    for (const table of persisted) swap(table, deps);
  });
  await deps.discard(jobs.filter((job) => job.failure !== undefined).flatMap((job) => job.paths));
  const rows = files.reduce((sum, file) => sum + file.rowCount, 0);
  const elapsedMs = Math.round(deps.clock.monotonicMs() - started);
  deps.log.info('snapshot persisted', {
    files: files.length,
    rows,
    wal_file_number: order.lastCoveredWalFile,
    ...(failed.length === 0 ? {} : { tables_set_aside: failed.length }),
    elapsed_ms: elapsedMs,
  });
}

/** Keeps what failed aside. As long as the store does not let that happen, the tables are tried again too. */
async function keepFailed(jobs: readonly TableJob[], deps: SnapshotterDependencies): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const failed = jobs.flatMap((job) => job.failure ?? []);
    if (failed.length === 0) return;
    try {
      return await deps.keepAside(failed);
    } catch (error) {
      if (attempt === 1) deps.log.error('keeping rows of a table aside failed; retrying every second', { error: errorText(error) });
      await deps.pause();
      for (const job of jobs) if (job.failure !== undefined) await job.tryOnce();
    }
  }
}

/** One table on its way into files. */
class TableJob {
  /** Of the files that it is to become. */
  readonly paths: readonly string[];
  result: PersistedTable | undefined;
  failure: FailedTable | undefined;
  readonly #sealed: SealedTable;
  readonly #deps: SnapshotterDependencies;
  readonly #options: PersistOptions;
  readonly #planned: ReturnType<typeof plannedFiles>;

  constructor(sealed: SealedTable, order: SnapshotOrder, deps: SnapshotterDependencies) {
    const { chunkDurationNs, engine, uniquePath, writer } = deps;
    const { table, generations } = sealed;
    this.#sealed = sealed;
    this.#deps = deps;
    // The side log of a table that was set aside can only go when all of its rows are in files.
    const endMarkerNs = deps.isAside(table) ? END_OF_TIME_NS : order.endMarkerNs;
    this.#options = { engine, writer, chunkDurationNs, endMarkerNs, walFileNumber: order.lastCoveredWalFile };
    try {
      const planned = plannedFiles(table.table, generations, table.peek().dirtyChunks, this.#options);
      this.#planned = planned.map((file) => ({ ...file, path: uniquePath(file.path) }));
    } catch (cause) {
      this.#planned = [];
      this.failure = { table, cause };
    }
    this.paths = this.#planned.map(({ path }) => path);
  }

  get isDue(): boolean {
    return this.#planned.length > 0 || this.failure !== undefined;
  }

  /** Tries until the table is persisted or has failed as often as it may. Rejects only when the server stops. */
  async run(): Promise<void> {
    if (this.#planned.length === 0) return;
    const { databaseId, id } = this.#sealed.table.table;
    for (let attempt = 1; ; attempt++) {
      await this.tryOnce();
      if (this.failure === undefined) return;
      const { cause } = this.failure;
      if (!isOfStore(cause, this.#deps.engine)) {
        if (this.#deps.isAside(this.#sealed.table) || attempt >= (mayPass(cause) ? PASSING_ATTEMPTS_MAX : ATTEMPTS_MAX)) return;
      }
      if (attempt === 1) {
        const fields = { database_id: databaseId, table_id: id, error: errorText(cause) };
        this.#deps.log.error('writing Parquet files failed; retrying every second', fields);
      }
      await this.#deps.pause();
    }
  }

  async tryOnce(): Promise<void> {
    const { generations, table } = this.#sealed;
    if (this.#planned.length === 0) return;
    try {
      this.result = await persistTable(table, generations, this.#planned, this.#options);
      this.failure = undefined;
    } catch (cause) {
      this.failure = { table, cause };
    }
  }
}

const STORE_CODES: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE']);

/** How DuckDB words what the store fails. */
const STORE_TEXT = /No space left on device|Disk quota exceeded|Read-only file system|Too many open files/i;

/** The failure would meet every table: setting them aside would not help. */
function isOfStore(error: unknown, engine: Engine): boolean {
  return (
    engine.failure !== undefined ||
    error instanceof ObjectStoreError ||
    STORE_CODES.has(systemErrorCode(error) ?? '') ||
    STORE_TEXT.test(errorText(error))
  );
}

const PASSING_CODES: ReadonlySet<string> = new Set(['EIO', 'EAGAIN', 'EBUSY', 'ENOMEM', 'EINTR', 'ETIMEDOUT', 'ESTALE']);

function mayPass(error: unknown): boolean {
  return PASSING_CODES.has(systemErrorCode(error) ?? '') || /^(IO|Out of Memory) Error/i.test(errorText(error));
}

/** Takes persisted rows out of the buffer; chunks that are now one file and nothing else cannot hold a key twice. */
function swap({ table, generations, remainder, files }: PersistedTable, deps: SnapshotterDependencies): void {
  table.replace(generations, remainder);
  const buffered = table.bufferedChunks();
  const { databaseId, id } = table.table;
  for (const { chunkTimeNs } of files) {
    if (!buffered.has(chunkTimeNs) && deps.fileCount(databaseId, id, chunkTimeNs) === 1) table.markClean(chunkTimeNs);
  }
}

async function retried<T>(deps: SnapshotterDependencies, message: string, step: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await step();
    } catch (error) {
      if (error instanceof RowsUnaccounted || error instanceof TakenOver) throw error; // to do it again does not help
      if (attempt === 1) deps.log.error(`${message}; retrying every second`, { error: errorText(error) });
      await deps.pause();
    }
  }
}
