import type { Catalog } from '../../catalog/index.ts';
import type { Engine } from '../../duckdb/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { WalFileNumber } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import { clampedTimeNs } from '../../shared/time-range.ts';
import { type CancelTimer, pause, type Timers } from '../../shared/timers.ts';
import { errorText, type Store } from '../../storage/index.ts';
import type { TablesAside } from '../aside/index.ts';
import type { WriteBuffer } from '../buffer/index.ts';
import type { FileChange, FileIndexStore } from '../file-index/file-index-store.ts';
import type { PendingFiles } from '../file-index/pending-files.ts';
import { ParquetWriter } from '../parquet/parquet-writer.ts';
import type { Wal, WalPeriod } from '../wal/index.ts';
import { type BufferFill, BufferSize, fillWithout } from './buffer-size.ts';
import { type ParquetFileInfo, type SnapshotPlan, SnapshotPlanner, type TableAside } from './index.ts';
import { SnapshotFigures, type SnapshotTotals } from './snapshot-figures.ts';
import { runSnapshot, type SealedTable, type SnapshotResult, sealBuffer } from './snapshotter.ts';

export interface SnapshotSchedulerOptions {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly engine: () => Promise<Engine>;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeId: string;
  readonly chunkDurationNs: bigint;
  readonly wal: Wal;
  readonly buffer: WriteBuffer;
  readonly files: FileIndexStore;
  readonly pending: PendingFiles;
  readonly aside: TablesAside;
  /** Closed WAL files that replay found. */
  readonly periods: readonly WalPeriod[];
  readonly forceSnapshotBytes: number;
  readonly filesPerSnapshot: number;
  readonly filesToKeep: number;
  /** Between attempts of a failed step; 1000 by default. */
  readonly retryPauseMs?: number;
  readonly timers: Timers;
}

/** Before every row that there can be: the end marker of snapshots that persist what is set aside only. */
const BEFORE_ALL_NS = -(2n ** 64n);

const RETRY_PAUSE_MS = 1_000;

/** How often the buffer's size is looked at while rows arrive. */
const MEMORY_CHECK_MS = 1_000;

/** It is also looked at when bodies that add up to this part of the limit have come since. */
const UNCHECKED_SHARE = 8;

/** Writers that paused this long may be done: what they left is persisted if it is much. */
const IDLE_MS = 1_000;

/** Decides when to persist the buffer and does it in the background, one snapshot at a time. */
export class SnapshotScheduler {
  readonly #options: SnapshotSchedulerOptions;
  readonly #planner: SnapshotPlanner;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #forced = false;
  #lastClosed: number;
  readonly #size: BufferSize;
  #checkedAtMs = 0;
  #uncheckedBytes = 0;
  #full = false;
  /** Buffered bytes at which writers wait for the snapshot under way. */
  #waitBytes = 0;
  #writtenAtMs = 0;
  /** Tables that were set aside before the start are tried again: the program may have got better. */
  #retriesAside: boolean;
  readonly #timers: Timers;
  readonly #figures = new SnapshotFigures();
  #cancelIdle: CancelTimer | undefined;

  constructor(options: SnapshotSchedulerOptions) {
    this.#options = options;
    this.#size = new BufferSize(options.forceSnapshotBytes);
    this.#timers = options.timers;
    this.#lastClosed = options.periods.at(-1)?.fileNumber ?? options.files.walFileNumber;
    this.#planner = new SnapshotPlanner({
      walFilesPerSnapshot: options.filesPerSnapshot,
      gen1DurationNs: options.chunkDurationNs,
      periods: options.periods,
    });
    for (const { fileNumber } of options.periods) this.#figures.fileClosed(fileNumber, options.clock.nowMs());
    options.wal.onPeriodClosed((period) => this.#periodClosed(period));
    this.#writtenAtMs = options.clock.monotonicMs();
    // What was replayed is persisted too when nobody writes.
    this.#retriesAside = options.aside.count > 0;
    if (options.periods.length > 0 || this.#retriesAside) this.#cancelIdle = this.#timers.after(IDLE_MS, () => void this.#whenIdle());
  }

  /** Persists everything buffered now; resolves when it is in Parquet files. */
  async force(): Promise<void> {
    do {
      await this.#running;
      await this.#forceNext();
      await this.#running;
    } while (this.#forced && !this.#stopping.signal.aborted);
  }

  /** What snapshots did since the start. */
  get totals(): SnapshotTotals {
    return this.#figures.totals;
  }

  /** True while a snapshot (or what excludes one) is under way. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Runs a task while no snapshot does; one that becomes due meanwhile starts with the next WAL file. */
  async exclusive<T>(task: () => Promise<T>): Promise<T> {
    while (this.#running !== undefined) await this.#running;
    const result = task();
    this.#running = result
      .then(
        () => undefined,
        () => undefined, // the caller hears of it
      )
      .finally(() => {
        this.#running = undefined;
      });
    return result;
  }

  /** Resolves when the buffer may take `bytes` more: far over its limit, writers wait for the snapshot that makes room. */
  async whenRoom(bytes: number): Promise<void> {
    const { clock } = this.#options;
    const now = clock.monotonicMs();
    this.#writtenAtMs = now;
    this.#cancelIdle ??= this.#timers.after(IDLE_MS, () => void this.#whenIdle());
    this.#uncheckedBytes += bytes;
    if (now - this.#checkedAtMs >= MEMORY_CHECK_MS || this.#uncheckedBytes * UNCHECKED_SHARE >= this.#size.persistBytes) {
      this.#checkedAtMs = now;
      this.#uncheckedBytes = 0;
      this.#full = this.#size.isFull(this.#fill());
    }
    if (!this.#full || this.#stopping.signal.aborted) return;
    if (this.#running === undefined) {
      this.#full = this.#size.isFull(this.#fill()); // a snapshot may have ended since
      if (this.#full) await this.#persistFull();
    }
    while (this.#running !== undefined && this.#fill().bytes >= this.#waitBytes) await this.#running;
  }

  /** What snapshots can persist: not what is set aside. */
  #fill(): BufferFill {
    const { aside, buffer } = this.#options;
    return aside.count === 0 ? buffer : fillWithout(buffer, ({ databaseId, id }) => aside.has(databaseId, id));
  }

  async #persistFull(): Promise<void> {
    if (this.#forced) return;
    const { log } = this.#options;
    const fields = { current_buffer_size_bytes: this.#fill().bytes, memory_threshold_bytes: this.#size.persistBytes };
    log.info('forcing snapshot as buffer size > mem threshold', fields);
    await this.#forceNext();
  }

  /** Persists everything buffered now, but waits for the beginning only. */
  async #forceNext(): Promise<void> {
    this.#forced = true;
    this.#waitBytes = this.#size.waitBytes(this.#fill().bytes);
    await this.#options.wal.rotate();
    // With nothing written since the last rotation no period was closed: the buffer is complete as it is.
    if (this.#forced) this.#maybeStart();
  }

  /** Persists what writers left when they have paused, so that it takes no memory meanwhile. */
  async #whenIdle(): Promise<void> {
    const { clock, log } = this.#options;
    this.#cancelIdle = undefined;
    if (this.#stopping.signal.aborted) return;
    const leftMs = this.#writtenAtMs + IDLE_MS - clock.monotonicMs();
    if (leftMs > 0 || this.#running !== undefined) {
      this.#cancelIdle = this.#timers.after(leftMs > 0 ? leftMs : IDLE_MS, () => void this.#whenIdle());
      return;
    }
    const fill = this.#fill();
    if (this.#forced || !(this.#retriesAside || this.#size.isWorthPersisting(fill))) return;
    log.info('persisting the buffer as writes have paused', { current_buffer_size_bytes: fill.bytes });
    await this.#forceNext();
  }

  /** Begins no more snapshots and gives up the one under way, so that writes that wait for its room go on. */
  beginStop(): void {
    this.#stopping.abort();
    this.#cancelIdle?.();
  }

  /** Ends retries and waits for the step under way. */
  async stop(): Promise<void> {
    this.beginStop();
    await this.#running;
  }

  #periodClosed(period: WalPeriod): void {
    this.#lastClosed = period.fileNumber;
    this.#figures.fileClosed(period.fileNumber, this.#options.clock.nowMs());
    this.#planner.addPeriod(period);
    this.#maybeStart();
  }

  #maybeStart(): void {
    if (this.#running !== undefined || this.#stopping.signal.aborted) return;
    const plan = this.#planner.plan({ forced: this.#forced }) ?? (this.#forced ? this.#asideOnly() : undefined);
    this.#forced = false;
    if (plan === undefined) return;
    const sealed = sealBuffer(this.#options.buffer);
    this.#running = this.#run(plan, this.#lastClosed, sealed)
      .catch((error: unknown) => {
        if (this.#stopping.signal.aborted) return;
        this.#figures.failed();
        this.#options.log.error('snapshot failed', { error: errorText(error) });
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** With nothing in the log a snapshot has only the tables that are set aside to try. */
  #asideOnly(): SnapshotPlan | undefined {
    const { aside, files } = this.#options;
    if (aside.count === 0 || this.#planner.periodCount > 0) return undefined;
    const { walFileNumber } = files;
    return { endTimeMarkerNs: BEFORE_ALL_NS, firstFileNumber: walFileNumber, lastFileNumber: walFileNumber, forced: true };
  }

  async #run(plan: SnapshotPlan, frozenWalFile: WalFileNumber, sealed: readonly SealedTable[]): Promise<void> {
    const { aside, buffer, chunkDurationNs, clock, files, filesToKeep, log, pending, store, wal } = this.#options;
    const started = clock.monotonicMs();
    const pauseAfterFailure = (): Promise<void> => {
      this.#figures.failed();
      return this.pause();
    };
    const engine = await buffer.open();
    let kept: readonly TableAside[] = [];
    this.#retriesAside = false;
    await runSnapshot({ endMarkerNs: plan.endTimeMarkerNs, lastCoveredWalFile: plan.lastFileNumber }, sealed, {
      engine,
      writer: new ParquetWriter(engine, store, this.#stopping.signal),
      uniquePath: (path) => store.files.unique(path),
      chunkDurationNs,
      clock,
      log,
      announce: (paths) => pending.announce(paths),
      discard: (paths) => pending.discard(paths),
      isAside: ({ table }) => aside.has(table.databaseId, table.id),
      keepAside: async (failed) => {
        const tables = failed.map(({ table }) => ({ databaseId: table.table.databaseId, tableId: table.table.id }));
        kept = await aside.copy(wal, tables, frozenWalFile);
      },
      commit: async (result, swap) => {
        const asideChange = aside.changeAfter({
          frozenWalFile,
          failed: result.failed.map(({ cause }, i) => ({ copied: kept[i] as TableAside, reason: errorText(cause) })),
          persisted: result.persisted.map(({ table }) => ({ databaseId: table.databaseId, tableId: table.id })),
        });
        const change = { ...this.#change(plan, frozenWalFile, result), tablesAside: asideChange.tablesAside };
        const onVisible = (): void => {
          swap();
          asideChange.done();
        };
        await files.commit(() => change, { pause: pauseAfterFailure, onVisible });
        pending.settle(result.files.map((file) => file.path));
        await aside.remove(asideChange.needless);
      },
      fileCount: (databaseId, tableId, chunkTimeNs) => {
        const end = chunkTimeNs + chunkDurationNs - 1n;
        return files.index.filesFor(databaseId, tableId, chunkTimeNs, end).length;
      },
      pause: pauseAfterFailure,
    });
    this.#planner.accept(plan);
    this.#figures.ended(plan.lastFileNumber, clock.nowMs(), clock.monotonicMs() - started);
    await wal.deleteCovered(plan.lastFileNumber, filesToKeep);
  }

  #change(plan: SnapshotPlan, frozenWalFileNumber: WalFileNumber, result: SnapshotResult): FileChange {
    const { catalog, files, nodeId, store } = this.#options;
    let id = files.takeFileIds(result.files.length);
    const covers = plan.endTimeMarkerNs !== BEFORE_ALL_NS;
    return {
      nodeId,
      catalogSequence: catalog.sequence,
      files: result.files.map(
        (file): ParquetFileInfo => ({
          ...file,
          id: id++,
          path: `${store.prefix}/${file.path}`,
          chunkTimeNs: clampedTimeNs(file.chunkTimeNs),
        }),
      ),
      removedFiles: [],
      ...(covers ? { snapshot: { walFileNumber: plan.lastFileNumber, endTimeMarkerNs: plan.endTimeMarkerNs, frozenWalFileNumber } } : {}),
    };
  }

  /** The pause between attempts, or less when the server stops: then it rejects, and whoever retried gives up. */
  async pause(): Promise<void> {
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    await pause(this.#timers, this.#options.retryPauseMs ?? RETRY_PAUSE_MS, signal);
    signal.throwIfAborted();
  }
}
