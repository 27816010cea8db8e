import type { Catalog } from '../../catalog/index.ts';
import type { Engine } from '../../duckdb/index.ts';
import type { Clock } from '../../shared/clock.ts';
import { clampedTimeNs } from '../../shared/time-range.ts';
import { errorText, type Log, type Store } from '../../storage/index.ts';
import type { WriteBuffer } from '../buffer/index.ts';
import type { FileChange, FileIndexStore } from '../file-index/file-index-store.ts';
import type { PendingFiles } from '../file-index/pending-files.ts';
import { ParquetWriter } from '../parquet/parquet-writer.ts';
import type { Wal, WalPeriod } from '../wal/index.ts';
import { BufferSize } from './buffer-size.ts';
import { type ParquetFileInfo, type SnapshotPlan, SnapshotPlanner } from './index.ts';
import type { PersistedFile } from './persist-table.ts';
import { runSnapshot, type SealedTable, sealBuffer } from './snapshotter.ts';

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
  /** Closed WAL files that replay found. */
  readonly periods: readonly WalPeriod[];
  readonly forceSnapshotBytes: number;
  readonly filesPerSnapshot: number;
  readonly filesToKeep: number;
  /** Between attempts of a failed step; 1000 by default. */
  readonly retryPauseMs?: number;
  /** Starts a timer that does not keep the process alive; returns what cancels it. */
  readonly startTimer?: StartTimer;
}

/** Runs a callback once after a delay; the returned function cancels it. */
export type StartTimer = (callback: () => void, delayMs: number) => () => void;

const RETRY_PAUSE_MS = 1_000;

/** How often the buffer's size is looked at while rows arrive. */
const MEMORY_CHECK_MS = 1_000;

/** It is also looked at when bodies that add up to this part of the limit have come since. */
const UNCHECKED_SHARE = 8;

/** Writers that paused this long may be done: what they left is persisted if it is much. */
const IDLE_MS = 1_000;

/** Decides when to persist the buffer and does it in the background, one snapshot at a time (storage spec 3.3). */
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
  readonly #startTimer: StartTimer;
  #cancelIdle: (() => void) | undefined;

  constructor(options: SnapshotSchedulerOptions) {
    this.#options = options;
    const { newest } = options.files;
    this.#size = new BufferSize(options.forceSnapshotBytes);
    this.#startTimer = options.startTimer ?? startUnrefTimer;
    this.#lastClosed = options.periods.at(-1)?.fileNumber ?? newest?.walFileNumber ?? 0;
    this.#planner = new SnapshotPlanner({
      walFilesPerSnapshot: options.filesPerSnapshot,
      gen1DurationNs: options.chunkDurationNs,
      periods: options.periods,
    });
    options.wal.onPeriodClosed((period) => this.#periodClosed(period));
    this.#writtenAtMs = options.clock.monotonicMs();
    // What was replayed is persisted too when nobody writes.
    if (options.periods.length > 0) this.#cancelIdle = this.#startTimer(() => void this.#whenIdle(), IDLE_MS);
  }

  /** Persists everything buffered now; resolves when it is in Parquet files. */
  async force(): Promise<void> {
    do {
      await this.#running;
      await this.#forceNext();
      await this.#running;
    } while (this.#forced && !this.#stopping.signal.aborted);
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
    const { buffer, clock } = this.#options;
    const now = clock.monotonicMs();
    this.#writtenAtMs = now;
    this.#cancelIdle ??= this.#startTimer(() => void this.#whenIdle(), IDLE_MS);
    this.#uncheckedBytes += bytes;
    if (now - this.#checkedAtMs >= MEMORY_CHECK_MS || this.#uncheckedBytes * UNCHECKED_SHARE >= this.#size.persistBytes) {
      this.#checkedAtMs = now;
      this.#uncheckedBytes = 0;
      this.#full = this.#size.isFull(buffer);
    }
    if (!this.#full) return;
    if (this.#running === undefined) {
      this.#full = this.#size.isFull(buffer); // a snapshot may have ended since
      if (this.#full) await this.#persistFull();
    }
    while (this.#running !== undefined && buffer.bytes >= this.#waitBytes) await this.#running;
  }

  async #persistFull(): Promise<void> {
    if (this.#forced) return;
    const { buffer, log } = this.#options;
    const fields = { current_buffer_size_bytes: buffer.bytes, memory_threshold_bytes: this.#size.persistBytes };
    log.info(fields, 'forcing snapshot as buffer size > mem threshold');
    await this.#forceNext();
  }

  /** Persists everything buffered now, but waits for the beginning only. */
  async #forceNext(): Promise<void> {
    this.#forced = true;
    this.#waitBytes = this.#size.waitBytes(this.#options.buffer.bytes);
    await this.#options.wal.rotate();
    // With nothing written since the last rotation no period was closed: the buffer is complete as it is.
    if (this.#forced) this.#maybeStart();
  }

  /** Persists what writers left when they have paused, so that it takes no memory meanwhile. */
  async #whenIdle(): Promise<void> {
    const { buffer, clock, log } = this.#options;
    this.#cancelIdle = undefined;
    if (this.#stopping.signal.aborted) return;
    const leftMs = this.#writtenAtMs + IDLE_MS - clock.monotonicMs();
    if (leftMs > 0 || this.#running !== undefined) {
      this.#cancelIdle = this.#startTimer(() => void this.#whenIdle(), leftMs > 0 ? leftMs : IDLE_MS);
      return;
    }
    if (this.#forced || !this.#size.isWorthPersisting(buffer)) return;
    log.info({ current_buffer_size_bytes: buffer.bytes }, 'persisting the buffer as writes have paused');
    await this.#forceNext();
  }

  /** Ends retries and waits for the step under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelIdle?.();
    await this.#running;
  }

  #periodClosed(period: WalPeriod): void {
    this.#lastClosed = period.fileNumber;
    this.#planner.addPeriod(period);
    this.#maybeStart();
  }

  #maybeStart(): void {
    if (this.#running !== undefined || this.#stopping.signal.aborted) return;
    const plan = this.#planner.plan({ forced: this.#forced });
    this.#forced = false;
    if (plan === undefined) return;
    const sealed = sealBuffer(this.#options.buffer);
    this.#running = this.#run(plan, this.#lastClosed, sealed)
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#options.log.error({ error: errorText(error) }, 'snapshot failed');
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #run(plan: SnapshotPlan, frozenWalFile: number, sealed: readonly SealedTable[]): Promise<void> {
    const { buffer, chunkDurationNs, files, filesToKeep, log, pending, store, wal } = this.#options;
    const engine = await buffer.open();
    await runSnapshot({ endMarkerNs: plan.endTimeMarkerNs, lastCoveredWalFile: plan.lastFileNumber }, sealed, {
      engine,
      writer: new ParquetWriter(engine, store.fs, this.#stopping.signal),
      buffer,
      root: store.root,
      chunkDurationNs,
      log,
      announce: (paths) => pending.announce(paths),
      commit: async (persisted, swap) => {
        const change = this.#change(plan, frozenWalFile, persisted);
        await files.commit(() => change, { pause: () => this.pause(), onVisible: swap });
        pending.settle(persisted.map((file) => file.path));
      },
      fileCount: (databaseId, tableId, chunkTimeNs) => {
        const end = chunkTimeNs + chunkDurationNs - 1n;
        return files.index.filesFor(databaseId, tableId, chunkTimeNs, end).length;
      },
      pause: () => this.pause(),
    });
    this.#planner.accept(plan);
    await wal.deleteCovered(plan.lastFileNumber, filesToKeep);
  }

  #change(plan: SnapshotPlan, frozenWalFileNumber: number, persisted: readonly PersistedFile[]): FileChange {
    const { catalog, files, nodeId, store } = this.#options;
    let id = files.takeFileIds(persisted.length);
    return {
      nodeId,
      catalogSequence: catalog.sequence,
      files: persisted.map(
        (file): ParquetFileInfo => ({
          ...file,
          id: id++,
          path: `${store.prefix}/${file.path}`,
          chunkTimeNs: clampedTimeNs(file.chunkTimeNs),
        }),
      ),
      removedFiles: [],
      snapshot: { walFileNumber: plan.lastFileNumber, endTimeMarkerNs: plan.endTimeMarkerNs, frozenWalFileNumber },
    };
  }

  /** The pause between attempts, or less when the server stops: then it rejects, and whoever retried gives up. */
  async pause(): Promise<void> {
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, this.#options.retryPauseMs ?? RETRY_PAUSE_MS);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done, { once: true });
    });
    signal.throwIfAborted();
  }
}

function startUnrefTimer(callback: () => void, delayMs: number): () => void {
  const timer = setTimeout(callback, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
