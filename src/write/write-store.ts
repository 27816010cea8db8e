import { join } from 'node:path';
import type { Engine } from '../engine/index.ts';
import type { Clock } from '../shared/clock.ts';
import { errorText, type Log, type Store } from '../storage/index.ts';
import { type AppliedListener, type BufferView, WriteBuffer } from './buffer/index.ts';
import type { Catalog, TableSchema } from './catalog/index.ts';
import { Ingest } from './ingest.ts';
import type { FileTotals, LiveFile } from './parquet/file-index.ts';
import { FileIndexStore } from './parquet/file-index-store.ts';
import { PendingFiles } from './pending-files.ts';
import { Replay } from './recovery/index.ts';
import type { ScanFile } from './scan/index.ts';
import { SnapshotScheduler } from './snapshot-scheduler.ts';
import { Wal } from './wal/index.ts';
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
}

/** A table's rows at one moment (see `TableReader` of the query side). */
export interface StoredTableSnapshot {
  readonly table: TableSchema;
  readonly files: readonly ScanFile[];
  readonly buffer: BufferView | undefined;
  readonly cutoffNs: bigint | undefined;
  release(): void;
}

/** Everything between an accepted request and files on disk: log, buffer, snapshots, the index of live files. */
export class WriteStore implements WriteService {
  readonly chunkDurationNs: bigint;
  readonly #options: WriteStoreOptions;
  readonly #wal: Wal;
  readonly #buffer: WriteBuffer;
  readonly #files: FileIndexStore;
  readonly #ingest: Ingest;
  readonly #snapshots: SnapshotScheduler;

  /** Loads the file index, removes leftovers of a crash and replays the log. Throws `StartupError`. */
  static async open(options: WriteStoreOptions): Promise<WriteStore> {
    const { catalog, log, store } = options;
    const files = await FileIndexStore.open({ fs: store.fs, root: store.root, uuid: catalog.uuid, log });
    const pending = new PendingFiles(store.fs, store.root);
    const removed = await pending.removeLeftovers((path) => isLive(files, `${store.prefix}/${path}`));
    if (removed > 0) log.info({ files: removed }, 'removed Parquet files of a snapshot that did not finish');
    const tableSchema = (databaseId: number, tableId: number): TableSchema | undefined => catalog.tableById(databaseId, tableId);
    const buffer = new WriteBuffer({
      engine: options.engine,
      chunkDurationNs: options.chunkDurationNs,
      tableSchema,
      fileMaxTimeNs: (databaseId, tableId) => files.index.maxTimeNs(databaseId, tableId),
      pendingBytesMax: PENDING_BYTES_MAX,
      ...(options.onApplied === undefined ? {} : { onApplied: options.onApplied }),
      onError: (message, error) => log.error({ error: errorText(error) }, message),
    });
    const wal = new Wal({
      fs: store.fs,
      root: store.root,
      uuid: catalog.uuid,
      clock: options.clock,
      log,
      durability: store.durable ? 'sync' : 'none',
      flushIntervalMs: options.wal.flushIntervalMs,
      maxBufferedWrites: options.wal.maxBufferedWrites,
    });
    const { newest } = files;
    const replay = new Replay(buffer, tableSchema, files.persistedRanges);
    const started = options.clock.monotonicMs();
    const report = await wal.replay({
      afterFileNumber: newest?.walFileNumber ?? 0,
      failOnError: options.wal.replayFailOnError,
      async onRecord(fileNumber, body) {
        await buffer.open();
        replay.record(fileNumber, body);
        await buffer.ready();
      },
    });
    if (report.recordCount > 0) {
      const elapsedMs = Math.round(options.clock.monotonicMs() - started);
      log.info({ files: report.periods.length, ...replay.stats, elapsed_ms: elapsedMs }, 'write-ahead log replayed');
    }
    const snapshots = new SnapshotScheduler({
      ...options,
      buffer,
      wal,
      files,
      pending,
      periods: report.periods,
      filesPerSnapshot: options.wal.filesPerSnapshot,
      filesToKeep: options.wal.snapshottedFilesToKeep,
    });
    return new WriteStore(options, wal, buffer, files, snapshots);
  }

  private constructor(options: WriteStoreOptions, wal: Wal, buffer: WriteBuffer, files: FileIndexStore, snapshots: SnapshotScheduler) {
    this.#options = options;
    this.chunkDurationNs = options.chunkDurationNs;
    this.#wal = wal;
    this.#buffer = buffer;
    this.#files = files;
    this.#snapshots = snapshots;
    const onLostWrite = (error: unknown): void => options.log.error({ error: errorText(error) }, 'a write sent with no_sync was lost');
    this.#ingest = new Ingest({ catalog: options.catalog, wal, buffer, clock: options.clock, onLostWrite });
  }

  async write(request: WriteRequest): Promise<WriteOutcome> {
    await this.#snapshots.whenRoom();
    return this.#ingest.write(request);
  }

  /** Forgets what is cached of a database whose tables changed names or went. */
  forget(database: string): void {
    this.#ingest.forget(database);
  }

  /** Exact, case-sensitive. */
  table(database: string, name: string): TableSchema | undefined {
    return this.#options.catalog.database(database)?.tables.get(name);
  }

  /** Files and buffered rows, taken in one synchronous step; then the buffer's waiting rows are made visible. */
  async snapshot(table: TableSchema, minTimeNs: bigint | undefined, maxTimeNs: bigint | undefined): Promise<StoredTableSnapshot> {
    const cutoffNs = this.#cutoffNs(table);
    const viewing = this.#buffer.table(table.databaseId, table.id)?.view();
    const live = this.#files.index.filesFor(table.databaseId, table.id, minTimeNs, maxTimeNs);
    const base = join(this.#options.store.root, '..');
    const files = live.map((file) => ({ ...file, path: join(base, file.path) }));
    const buffer = await viewing;
    return { table, files, buffer, cutoffNs, release: () => buffer?.release() };
  }

  /** Sums over all live Parquet files. */
  get parquetTotals(): FileTotals {
    return this.#files.index.totals;
  }

  /** Live files of one table, oldest chunk first. */
  parquetFiles(table: TableSchema): readonly LiveFile[] {
    return this.#files.index.filesFor(table.databaseId, table.id);
  }

  /** Persists everything that is buffered now. */
  async snapshotNow(): Promise<void> {
    await this.#snapshots.force();
  }

  /** Makes waiting writes durable and ends background work. Buffered rows stay in the log. */
  async stop(): Promise<void> {
    await this.#wal.stop();
    await this.#snapshots.stop();
    await this.#files.close();
  }

  #cutoffNs(table: TableSchema): bigint | undefined {
    const period = table.retentionPeriodNs ?? this.#options.catalog.databaseById(table.databaseId)?.retentionPeriodNs;
    return period === undefined ? undefined : this.#options.clock.nowNs() - period;
  }
}

/** Rows that may wait outside the engine. */
const PENDING_BYTES_MAX = 32 * 1024 * 1024;

function isLive(files: FileIndexStore, path: string): boolean {
  const match = /\/dbs\/(\d+)\/(\d+)\//.exec(path);
  return match !== null && files.index.filesFor(Number(match[1]), Number(match[2])).some((file) => file.path === path);
}
