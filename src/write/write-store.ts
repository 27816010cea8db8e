import { join } from 'node:path';
import type { Catalog, TableSchema } from '../catalog/index.ts';
import type { Engine } from '../duckdb/index.ts';
import type { Clock } from '../shared/clock.ts';
import { databaseNotFound, type InfluxError } from '../shared/errors.ts';
import type { DatabaseId, TableId } from '../shared/ids.ts';
import type { Log } from '../shared/logger.ts';
import { systemTimers, type Timers } from '../shared/timers.ts';
import { errorText, type Store } from '../storage/index.ts';
import { AsideLog, type SetAsideTable, TablesAside } from './aside/index.ts';
import { encodeDeleteRecord } from './batch/index.ts';
import { type AppliedListener, type BufferMoment, type BufferView, WriteBuffer } from './buffer/index.ts';
import { type DeleteRequest, resolveDeletes } from './deletes/index.ts';
import { type DurableListener, DurableRows } from './durable-rows.ts';
import type { FileTotals, LiveFile } from './file-index/file-index.ts';
import type { FileIndexStore } from './file-index/file-index-store.ts';
import { FileRemoval } from './file-index/file-removal.ts';
import { PendingFiles } from './file-index/pending-files.ts';
import { Ingest } from './ingest.ts';
import {
  type CompactionTotals,
  defaultMaintenance,
  Maintenance,
  type MaintenanceSettings,
  retentionPeriodNs,
} from './maintenance/index.ts';
import { FileChecks } from './parquet/file-checks.ts';
import { type PinnedMoment, Pins } from './pin/index.ts';
import { claimAndLoad, type LostRows, replayLogs } from './recovery/index.ts';
import type { ScanFile } from './scan/index.ts';
import type { SeriesIndex } from './series/index.ts';
import type { SnapshotTotals } from './snapshot/snapshot-figures.ts';
import { SnapshotScheduler } from './snapshot/snapshot-scheduler.ts';
import { Wal, type WalTotals, walShutdown } from './wal/index.ts';
import type { WriteOutcome, WriteRequest, WriteService } from './write-service.ts';

export interface WriteStoreOptions {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly engine: () => Promise<Engine>;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeId: string;
  readonly chunkDurationNs: bigint;
  readonly wal: {
    readonly flushIntervalMs: number;
    readonly filesPerSnapshot: number;
    readonly maxBufferedWrites: number;
    readonly snapshottedFilesToKeep: number;
    readonly replayFailOnError: boolean;
  };
  /** Buffered bytes at which everything is persisted whatever the WAL says. */
  readonly forceSnapshotBytes: number;
  /** Told of all durable rows, live and replayed. */
  readonly onApplied?: AppliedListener;
  /** Retention, deletion and compaction; what is left out has its default. */
  readonly maintenance?: Partial<MaintenanceSettings>;
  /** Time between attempts of a step that the disk refuses; 1000 by default. */
  readonly retryPauseMs?: number;
  /** Snapshot infos after which a bucket gets a checkpoint of the file index; 200 by default. */
  readonly infosPerCheckpoint?: number;
  /** The system's timers by default. */
  readonly timers?: Timers;
  /** Whether every byte of a batch is compared between its encoding and its use; false by default. */
  readonly checkBatches?: boolean;
}

/** A table's rows at one moment (see `TableReader` of the query side). */
export interface StoredTableSnapshot {
  readonly table: TableSchema;
  readonly files: readonly ScanFile[];
  readonly buffer: BufferView | undefined;
  readonly cutoffNs: bigint | undefined;
  release(): void;
}

/** A table's rows in one turn (see `TablePeek` of the query side). */
export interface StoredTablePeek extends BufferMoment {
  readonly files: readonly (ScanFile & { readonly id: number })[];
  readonly series: SeriesIndex | undefined;
  readonly cutoffNs: bigint | undefined;
}

/** Everything between an accepted request and files on disk: log, buffer, snapshots, the index of live files. */
export class WriteStore implements WriteService {
  readonly chunkDurationNs: bigint;
  readonly #options: WriteStoreOptions;
  readonly #wal: Wal;
  readonly #buffer: WriteBuffer;
  readonly #files: FileIndexStore;
  readonly #ingest: Ingest;
  readonly #durableRows: DurableRows;
  readonly #snapshots: SnapshotScheduler;
  readonly #removal: FileRemoval;
  readonly #checks: FileChecks<LiveFile>;
  readonly #maintenance: Maintenance;
  readonly #aside: TablesAside;
  readonly #pins: Pins;
  /** Files of logs that the start found missing or damaged, with acknowledged rows. */
  readonly lostRows: readonly LostRows[];
  /** The same for snapshot infos: Parquet files that only they listed are not served. */
  readonly lostInfos: readonly LostRows[];

  /** Loads the file index, removes leftovers of a crash and replays the log. Throws `StartupError`. */
  static async open(options: WriteStoreOptions): Promise<WriteStore> {
    const { catalog, log, store, timers = systemTimers } = options;
    const wal = new Wal({
      fs: store.fs,
      root: store.root,
      uuid: catalog.uuid,
      clock: options.clock,
      timers,
      log,
      durability: store.durable ? 'sync' : 'none',
      flushIntervalMs: options.wal.flushIntervalMs,
      maxBufferedWrites: options.wal.maxBufferedWrites,
      bucket: store.bucket && { store: store.bucket.store, fence: store.fence },
    });
    const files = await claimAndLoad(wal, { ...options, timers });
    const pending = new PendingFiles(store);
    const removed = await pending.removeLeftovers(livePaths(files, store.prefix));
    if (removed > 0) log.info('removed Parquet files of a change that did not finish', { files: removed });
    const tableSchema = (databaseId: DatabaseId, tableId: TableId): TableSchema | undefined => catalog.tableById(databaseId, tableId);
    const buffer = new WriteBuffer({
      engine: options.engine,
      chunkDurationNs: options.chunkDurationNs,
      tableSchema,
      fileMaxTimeNs: (databaseId, tableId) => files.index.maxTimeNs(databaseId, tableId),
      pendingBytesMax: PENDING_BYTES_MAX,
      timers,
      ...(options.onApplied === undefined ? {} : { onApplied: options.onApplied }),
      onError: (message, error) => log.error(message, { error: errorText(error) }),
    });
    const asideLog = new AsideLog({ store, uuid: catalog.uuid, log });
    const aside = new TablesAside({ buffer, files, log, asideLog, tableSchema, bytesMax: options.forceSnapshotBytes / ASIDE_SHARE });
    const report = await replayLogs({ ...options, failOnError: options.wal.replayFailOnError, buffer, files, wal, asideLog });
    const snapshots = new SnapshotScheduler({
      ...options,
      timers,
      buffer,
      wal,
      files,
      pending,
      aside,
      periods: report.periods,
      filesPerSnapshot: options.wal.filesPerSnapshot,
      filesToKeep: options.wal.snapshottedFilesToKeep,
    });
    return new WriteStore(options, { wal, buffer, files, snapshots, pending, aside, asideLog, lost: report.lost });
  }

  private constructor(options: WriteStoreOptions, parts: WriteStoreParts) {
    const { wal, buffer, files, pending, snapshots, aside } = parts;
    this.#options = options;
    this.chunkDurationNs = options.chunkDurationNs;
    this.#wal = wal;
    this.#buffer = buffer;
    this.#files = files;
    this.#snapshots = snapshots;
    const onLostWrite = (error: unknown): void => options.log.error('a write sent with no_sync was lost', { error: errorText(error) });
    this.#durableRows = new DurableRows((error) => options.log.error('a listener of durable rows failed', { error: errorText(error) }));
    this.#aside = aside;
    this.lostRows = parts.lost;
    this.lostInfos = files.lost;
    const refusal = (table: TableSchema): InfluxError | undefined => aside.refusal(table);
    const waitsForRoom = options.store.bucket !== undefined;
    this.#ingest = new Ingest({ ...options, wal, buffer, onLostWrite, durableRows: this.#durableRows, refusal, waitsForRoom });
    this.#checks = new FileChecks({
      checksum: (file) => options.store.fs.checksum(this.#pathOf(file)),
      monotonicMs: () => options.clock.monotonicMs(),
      log: options.log,
    });
    this.#removal = new FileRemoval({ files: options.store.files, log: options.log, pending });
    this.#pins = new Pins({ ...options, wal, files, removal: this.#removal, asideLog: parts.asideLog });
    this.#maintenance = new Maintenance({
      ...options,
      ...defaultMaintenance,
      ...options.maintenance,
      timers: options.timers ?? systemTimers,
      buffer,
      files,
      pending,
      aside,
      removal: this.#removal,
      snapshots,
      scanFiles: (live) => this.#scanFiles(live),
      checks: this.#checks,
      forget: (databaseId) => this.#ingest.forget(databaseId),
      hold: (databaseId) => this.#ingest.hold(databaseId),
    });
    this.#maintenance.start();
  }

  async write(request: WriteRequest): Promise<WriteOutcome> {
    await this.#snapshots.whenRoom(request.body.byteLength);
    return this.#ingest.write(request);
  }

  /**
   * Tells of rows as they become durable, in the order of the log and before their write is answered; not of replayed rows.
   * Returns the function that ends it.
   */
  onDurable(listener: DurableListener): () => void {
    return this.#durableRows.subscribe(listener);
  }

  /** The series of a table, which the ids in a batch mean. */
  seriesOf(table: TableSchema): SeriesIndex {
    return this.#buffer.series(table);
  }

  /** Exact, case-sensitive. */
  table(database: string, name: string): TableSchema | undefined {
    return this.#options.catalog.database(database)?.tables.get(name);
  }

  /** Files and buffered rows, taken in one synchronous step; then the buffer's waiting rows are made visible. */
  async snapshot(table: TableSchema, minTimeNs: bigint | undefined, maxTimeNs: bigint | undefined): Promise<StoredTableSnapshot> {
    const cutoffNs = this.#cutoffNs(table);
    const live = this.#files.index.filesFor(table.databaseId, table.id, minTimeNs, maxTimeNs);
    const files = this.#scanFiles(live);
    const viewing = this.#buffer.table(table.databaseId, table.id)?.view();
    const readerDone = this.#removal.reader();
    let buffer: BufferView | undefined;
    let letGo: (() => void) | undefined;
    const release = (): void => {
      buffer?.release();
      letGo?.();
      readerDone();
    };
    try {
      buffer = await viewing;
      letGo = await this.#options.store.files.hold(live);
      await this.#checks.verify(live);
      return { table, files, buffer, cutoffNs, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Files and buffered rows as they are in this turn (see `TableReader.peek` of the query side). */
  peek(table: TableSchema, minTimeNs: bigint | undefined, maxTimeNs: bigint | undefined): StoredTablePeek {
    const buffer = this.#buffer.table(table.databaseId, table.id);
    return {
      files: this.#scanFiles(this.#files.index.filesFor(table.databaseId, table.id, minTimeNs, maxTimeNs)),
      ...(buffer?.peek() ?? { generations: [], dirtyChunks: new Set<bigint>() }),
      series: buffer?.series,
      cutoffNs: this.#cutoffNs(table),
    };
  }

  /** Sums over all live Parquet files. */
  get parquetTotals(): FileTotals {
    return this.#files.index.totals;
  }

  /** Live files of one table, oldest chunk first. */
  parquetFiles(table: TableSchema): readonly LiveFile[] {
    return this.#files.index.filesFor(table.databaseId, table.id);
  }

  /**
   * Deletes rows of every table that the request means, those that were acknowledged before it. Durable when it
   * resolves; a request that fails may have been carried out in part and can be repeated. Throws DATABASE_NOT_FOUND.
   */
  async deleteRows(database: string, request: DeleteRequest): Promise<void> {
    const schema = this.#options.catalog.database(database);
    if (schema === undefined || schema.deleted) throw databaseNotFound(database);
    const deletes = resolveDeletes(schema, request);
    if (deletes.length === 0) return;
    // A snapshot under way could bring rows back that it read before.
    await this.#snapshots.exclusive(async () => {
      await this.#wal.append(encodeDeleteRecord(deletes), 0n, 0n, () => {
        for (const deleted of deletes) this.#buffer.table(deleted.databaseId, deleted.tableId)?.hide(deleted);
      });
      const change = {
        nodeId: this.#options.nodeId,
        catalogSequence: this.#options.catalog.sequence,
        files: [],
        removedFiles: [],
        deletes,
      };
      await this.#files.commit(() => change, { pause: () => this.#snapshots.pause() });
    });
  }

  /** Estimated memory of buffered rows. */
  get bufferedBytes(): number {
    return this.#buffer.bytes;
  }

  /** Series known by their ids now; see `SeriesTurnover` for when they are forgotten. */
  get seriesInMemory(): number {
    return this.#buffer.seriesCount;
  }

  /** Live Parquet files that were found damaged since the start. */
  get damagedFiles(): number {
    return this.#checks.damagedFiles;
  }

  /** Tables that cannot be written to files: their rows stay in memory and in logs of their own. */
  get tablesAside(): readonly SetAsideTable[] {
    return this.#aside.list;
  }

  /** What compaction did since the start. */
  get compaction(): CompactionTotals {
    return this.#maintenance.compaction;
  }

  /** Steps of compaction, retention and hard deletes that failed since the start. */
  get maintenanceFailures(): number {
    return this.#maintenance.failures;
  }

  /** What snapshots did since the start. */
  get snapshots(): SnapshotTotals {
    return this.#snapshots.totals;
  }

  get log(): WalTotals {
    return this.#wal.totals;
  }

  /** Removes what is past its retention or hard-delete time and merges files that are due, now. Never rejects. */
  async maintainNow(): Promise<void> {
    await this.#maintenance.tick();
    await this.#maintenance.sweep();
  }

  /** Keeps what the node holds at this moment on disk, for a backup (see `PinnedMoment`). */
  pin(): Promise<PinnedMoment> {
    return this.#pins.pin();
  }

  /** Persists everything that is buffered now. */
  async snapshotNow(): Promise<void> {
    await this.#snapshots.force();
  }

  /**
   * Call when the server is going to stop, before it waits for its clients: writes are still taken, but none waits any more
   * for the memory that a snapshot makes free. Buffered rows stay in the log.
   */
  beginStop(): void {
    this.#snapshots.beginStop();
  }

  /** Makes waiting writes durable and ends background work. Buffered rows stay in the log. */
  async stop(): Promise<void> {
    this.#pins.end(walShutdown());
    const maintained = this.#maintenance.stop(); // ends what it does at once
    await this.#wal.stop();
    await this.#snapshots.stop();
    this.#buffer.close();
    await maintained;
    await this.#files.close();
  }

  #scanFiles(live: readonly LiveFile[]): (ScanFile & { readonly id: number })[] {
    return live.map((file) => ({ ...file, path: this.#pathOf(file), deletes: this.#files.index.deletesOf(file) }));
  }

  #pathOf(file: LiveFile): string {
    return join(this.#options.store.root, '..', file.path);
  }

  #cutoffNs(table: TableSchema): bigint | undefined {
    const period = retentionPeriodNs(this.#options.catalog, table);
    return period === undefined ? undefined : this.#options.clock.nowNs() - period;
  }
}

/** The part of the buffer's limit that one table may take which cannot be written to files. */
const ASIDE_SHARE = 4;

/** Bytes of rows that may wait outside DuckDB. */
const PENDING_BYTES_MAX = 32 * 1024 * 1024;

interface WriteStoreParts {
  readonly wal: Wal;
  readonly buffer: WriteBuffer;
  readonly files: FileIndexStore;
  readonly snapshots: SnapshotScheduler;
  readonly pending: PendingFiles;
  readonly aside: TablesAside;
  readonly asideLog: AsideLog;
  readonly lost: readonly LostRows[];
}

/** Whether a path below the node's directory is a live file; the set is built when it is first needed. */
function livePaths(files: FileIndexStore, prefix: string): (path: string) => boolean {
  let live: Set<string> | undefined;
  return (path) => {
    live ??= new Set([...files.index.tables()].flatMap((table) => table.files.map((file) => file.path)));
    return live.has(`${prefix}/${path}`);
  };
}
