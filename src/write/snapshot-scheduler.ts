import type { Engine } from '../engine/index.ts';
import type { Clock } from '../shared/clock.ts';
import { errorText, type Log, type Store } from '../storage/index.ts';
import type { WriteBuffer } from './buffer/index.ts';
import type { Catalog } from './catalog/index.ts';
import type { FileChange, FileIndexStore } from './parquet/file-index-store.ts';
import { ParquetWriter } from './parquet/parquet-writer.ts';
import type { PendingFiles } from './pending-files.ts';
import { type ParquetFileInfo, type SnapshotPlan, SnapshotPlanner } from './snapshot/index.ts';
import type { PersistedFile } from './snapshot/persist-table.ts';
import { runSnapshot, type SealedTable, sealBuffer } from './snapshot/snapshotter.ts';
import type { Wal, WalPeriod } from './wal/index.ts';

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
}

const RETRY_PAUSE_MS = 1_000;

/** How often the buffer's size is looked at while rows arrive. */
const MEMORY_CHECK_MS = 1_000;

/** It is also looked at when bodies that add up to this part of the limit have come since. */
const UNCHECKED_SHARE = 8;

/** Decides when to persist the buffer and does it in the background, one snapshot at a time (storage spec 3.3). */
export class SnapshotScheduler {
  readonly #options: SnapshotSchedulerOptions;
  readonly #planner: SnapshotPlanner;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #forced = false;
  #lastClosed: number;
  #checkedAtMs = 0;
  #lastBytes = 0;
  #uncheckedBytes = 0;

  constructor(options: SnapshotSchedulerOptions) {
    this.#options = options;
    const { newest } = options.files;
    this.#lastClosed = options.periods.at(-1)?.fileNumber ?? newest?.walFileNumber ?? 0;
    this.#planner = new SnapshotPlanner({
      walFilesPerSnapshot: options.filesPerSnapshot,
      gen1DurationNs: options.chunkDurationNs,
      periods: options.periods,
    });
    options.wal.onPeriodClosed((period) => this.#periodClosed(period));
  }

  /** Persists everything buffered now; resolves when it is in Parquet files. */
  async force(): Promise<void> {
    do {
      await this.#running;
      this.#forced = true;
      await this.#options.wal.rotate();
      // With nothing written since the last rotation no period was closed: the buffer is complete as it is.
      if (this.#forced) this.#maybeStart();
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

  /** Resolves when the buffer may take `bytes` more: over its limit, writers wait for the snapshot that makes room. */
  async whenRoom(bytes: number): Promise<void> {
    const { buffer, clock, forceSnapshotBytes, log } = this.#options;
    const now = clock.monotonicMs();
    this.#uncheckedBytes += bytes;
    if (now - this.#checkedAtMs >= MEMORY_CHECK_MS || this.#uncheckedBytes * UNCHECKED_SHARE >= forceSnapshotBytes) {
      this.#checkedAtMs = now;
      this.#uncheckedBytes = 0;
      this.#lastBytes = buffer.bytes;
    }
    if (this.#lastBytes < forceSnapshotBytes) return;
    if (this.#running === undefined && !this.#forced) {
      const fields = { current_buffer_size_bytes: this.#lastBytes, memory_threshold_bytes: forceSnapshotBytes };
      log.info(fields, 'forcing snapshot as buffer size > mem threshold');
      this.#forced = true;
      await this.#options.wal.rotate();
    }
    this.#lastBytes = buffer.bytes;
    while (this.#running !== undefined && this.#lastBytes >= forceSnapshotBytes * 2) {
      await this.#running;
      this.#lastBytes = buffer.bytes;
    }
  }

  /** Ends retries and waits for the step under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
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
      files: persisted.map((file): ParquetFileInfo => ({ ...file, id: id++, path: `${store.prefix}/${file.path}` })),
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
