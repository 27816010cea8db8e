import type { Catalog } from '../../catalog/index.ts';
import type { Engine } from '../../duckdb/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { DatabaseId } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import type { CancelTimer, Timers } from '../../shared/timers.ts';
import { errorText, type Store } from '../../storage/index.ts';
import type { TablesAside } from '../aside/index.ts';
import type { WriteBuffer } from '../buffer/index.ts';
import type { LiveFile } from '../file-index/file-index.ts';
import type { FileIndexStore } from '../file-index/file-index-store.ts';
import type { FileRemoval } from '../file-index/file-removal.ts';
import type { PendingFiles } from '../file-index/pending-files.ts';
import type { FileChecks } from '../parquet/file-checks.ts';
import type { ScanFile } from '../scan/index.ts';
import type { SnapshotScheduler } from '../snapshot/snapshot-scheduler.ts';
import { type CompactionTotals, Compactor } from './compactor.ts';
import { FileChanges } from './file-changes.ts';
import { HardDelete } from './hard-delete.ts';
import { RetentionSweep } from './retention.ts';
import { SeriesTurnover } from './series-turnover.ts';

/** How files are looked after; all times in ms. */
export interface MaintenanceSettings {
  /** `--retention-check-interval`; the first sweep comes after one interval. */
  readonly retentionCheckMs: number;
  /** `--delete-grace-period`. */
  readonly deleteGraceMs: number;
  /** A set of files that is worth merging must have stayed the same this long. */
  readonly compactionQuietMs: number;
  /** Series that nobody writes any more from which on a table's writers are held up so that they can be forgotten. */
  readonly idleSeriesMin?: number;
}

export const defaultMaintenance: MaintenanceSettings = {
  retentionCheckMs: 30 * 60_000,
  deleteGraceMs: 24 * 3_600_000,
  compactionQuietMs: 60_000,
};

export interface MaintenanceOptions extends MaintenanceSettings {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly engine: () => Promise<Engine>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly nodeId: string;
  readonly chunkDurationNs: bigint;
  readonly buffer: WriteBuffer;
  readonly files: FileIndexStore;
  readonly pending: PendingFiles;
  readonly removal: FileRemoval;
  readonly aside: TablesAside;
  readonly snapshots: SnapshotScheduler;
  readonly scanFiles: (files: readonly LiveFile[]) => ScanFile[];
  readonly checks: FileChecks<LiveFile>;
  /** Forgets the texts of series of a database. */
  readonly forget: (databaseId: DatabaseId) => void;
  /** Keeps writes of a database waiting. Returns what lets them go on. */
  readonly hold: (databaseId: DatabaseId) => () => void;
}

/** Time between two looks at what is due. */
const TICK_MS = 10_000;

/** Merged files stay below these, unless their rows overlap. */
const MERGED_BYTES_MAX = 128 * 1024 * 1024;
const MERGED_ROWS_MAX = 4_000_000;

/** What happens to stored data without anybody asking: hard deletes, retention, compaction. One thing at a time. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  readonly #hardDelete: HardDelete;
  readonly #retention: RetentionSweep;
  readonly #compactor: Compactor;
  readonly #turnover: SeriesTurnover;
  readonly #stopping = new AbortController();
  readonly #failing = new Set<string>();
  #cancelTimer: CancelTimer | undefined;
  #working: Promise<unknown> = Promise.resolve();
  #queued = 0;
  #retentionAtMs: number;
  #failures = 0;
  #unsubscribe: () => void = () => undefined;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
    const { catalog, clock, files, log, snapshots } = options;
    const changes = new FileChanges({ ...options, pause: () => snapshots.pause() });
    const exclusive = <T>(task: () => Promise<T>): Promise<T> => snapshots.exclusive(task);
    this.#hardDelete = new HardDelete({ ...options, changes, exclusive, graceMs: options.deleteGraceMs });
    this.#turnover = new SeriesTurnover({ ...options, exclusive, persist: () => snapshots.force() });
    this.#retention = new RetentionSweep({ catalog, files, changes, clock, log });
    const limits = { chunkDurationNs: options.chunkDurationNs, fileBytesMax: MERGED_BYTES_MAX, fileRowsMax: MERGED_ROWS_MAX };
    const busy = (): boolean => snapshots.busy;
    this.#compactor = new Compactor({ ...options, changes, limits, quietMs: options.compactionQuietMs, busy });
    this.#retentionAtMs = clock.monotonicMs() + options.retentionCheckMs;
  }

  /** Looks after the files from now on. */
  start(): void {
    this.#unsubscribe = this.#options.catalog.onChange(({ ops }) => {
      const deletes = ops.filter((change) => change.op === 'delete_table' || change.op === 'delete_database');
      for (const { db } of deletes) this.#options.forget(db);
      if (deletes.length > 0 && this.#queued === 0) void this.tick();
    });
    this.#schedule();
  }

  get compaction(): CompactionTotals {
    return this.#compactor.totals;
  }

  /** Steps of maintenance that failed since the start; each is tried again. */
  get failures(): number {
    return this.#failures;
  }

  /** Does what is due now. Never rejects: what fails is logged once and tried again at the next tick. */
  tick(): Promise<void> {
    this.#queued++;
    return this.#enqueue(async () => {
      this.#queued--;
      await this.#guarded('removing deleted data failed', () => this.#hardDelete.run());
      if (this.#options.clock.monotonicMs() >= this.#retentionAtMs) await this.sweep();
      await this.#guarded('compaction failed', async () => {
        if (!this.#options.snapshots.busy) await this.#compactor.run(this.#stopping.signal);
      });
      await this.#options.removal.flush();
      await this.#guarded('forgetting series failed', () => this.#turnover.run());
    });
  }

  /** Removes what is past its retention period, now. */
  async sweep(): Promise<void> {
    this.#retentionAtMs = this.#options.clock.monotonicMs() + this.#options.retentionCheckMs;
    await this.#guarded('removing expired files failed', () => this.#retention.run());
  }

  /** Merges what is due now. */
  compact(): Promise<void> {
    return this.#enqueue(() => this.#guarded('compaction failed', () => this.#compactor.run(this.#stopping.signal)));
  }

  /** Ends the loop and waits for the step under way. Never rejects, so it may be awaited late. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#unsubscribe();
    this.#cancelTimer?.();
    await this.#working;
    await this.#options.removal.flush();
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    const next = this.#working.then(async () => {
      if (!this.#stopping.signal.aborted) await task();
    });
    // What is queued next and `stop` wait for this step, and learn of its failure from the log.
    this.#working = next.catch(() => undefined);
    return next;
  }

  #schedule(): void {
    this.#cancelTimer = this.#options.timers.after(TICK_MS, () => {
      void this.tick().then(() => {
        if (!this.#stopping.signal.aborted) this.#schedule();
      });
    });
  }

  async #guarded(message: string, task: () => Promise<unknown>): Promise<void> {
    try {
      await task();
      this.#failing.delete(message);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#failures++;
      if (!this.#failing.has(message)) this.#options.log.error(`${message}; it will be tried again`, { error: errorText(error) });
      this.#failing.add(message);
    }
  }
}
