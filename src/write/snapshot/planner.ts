import { assert } from '../../shared/assert.ts';
import type { WalFileNumber } from '../../shared/ids.ts';

/** What the planner needs to know of one closed WAL file. */
export interface PlannedPeriod {
  readonly fileNumber: WalFileNumber;
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
}

/** One snapshot to take: persist all chunks that start before the marker, then the covered WAL files are needless. */
export interface SnapshotPlan {
  /** Chunks with a start below this are persisted, also rows that came with later WAL files. */
  readonly endTimeMarkerNs: bigint;
  readonly firstFileNumber: number;
  /** Last covered WAL file. */
  readonly lastFileNumber: number;
  readonly forced: boolean;
}

export interface SnapshotPlannerOptions {
  /** `--wal-snapshot-size`: files that one ordinary snapshot is meant to remove. */
  readonly walFilesPerSnapshot: number;
  readonly gen1DurationNs: bigint;
  /** Of replay, by number. */
  readonly periods: readonly PlannedPeriod[];
}

const INT64_MAX = 2n ** 63n - 1n;

/** Start of the chunk that a time belongs to. compat: the remainder is cut towards zero, so -1 ns lies in chunk 0. */
export function chunkStartNs(timeNs: bigint, gen1DurationNs: bigint): bigint {
  return timeNs - (timeNs % gen1DurationNs);
}

/** Decides when to snapshot and what it covers. Knows nothing of the data itself. */
export class SnapshotPlanner {
  readonly #walFilesPerSnapshot: number;
  readonly #gen1DurationNs: bigint;
  #periods: PlannedPeriod[];

  constructor(options: SnapshotPlannerOptions) {
    this.#walFilesPerSnapshot = options.walFilesPerSnapshot;
    this.#gen1DurationNs = options.gen1DurationNs;
    this.#periods = [...options.periods];
  }

  /** WAL files that no snapshot covers yet. */
  get periodCount(): number {
    return this.#periods.length;
  }

  /** Periods come in the order of their numbers. */
  addPeriod(period: PlannedPeriod): void {
    const last = this.#periods.at(-1);
    assert(last === undefined || last.fileNumber < period.fileNumber, 'WAL periods are out of order');
    this.#periods.push(period);
  }

  /**
   * The snapshot to take now, if any. Nothing is remembered: call `accept` when it is durable. After a failure the next
   * call plans it anew.
   */
  plan(options: { readonly forced: boolean }): SnapshotPlan | undefined {
    const size = this.#walFilesPerSnapshot;
    const count = this.#periods.length;
    if (count === 0) return undefined;
    if (!options.forced && count < size + Math.floor(size / 2)) return undefined;
    return options.forced || count >= 3 * size ? this.#planAll() : this.#planLeadingRun();
  }

  /** The snapshot is durable: its WAL files leave the list. */
  accept(plan: SnapshotPlan): void {
    this.#periods = this.#periods.filter((period) => period.fileNumber > plan.lastFileNumber);
  }

  #planAll(): SnapshotPlan | undefined {
    let max: bigint | undefined;
    for (const period of this.#periods) {
      if (max === undefined || period.maxTimeNs > max) max = period.maxTimeNs;
    }
    if (max === undefined) return undefined;
    return this.#planOf(this.#periods, chunkStartNs(max, this.#gen1DurationNs) + this.#gen1DurationNs, true);
  }

  /**
   * The leading files whose newest row lies in a chunk before that of the last file. Chunks are compared, not times:
   * the same for times after 1970, and before it no row of a covered file stays behind.
   */
  #planLeadingRun(): SnapshotPlan | undefined {
    const last = this.#periods.at(-1);
    if (last === undefined) return undefined;
    const marker = chunkStartNs(last.maxTimeNs, this.#gen1DurationNs);
    const end = this.#periods.findIndex((period) => chunkStartNs(period.maxTimeNs, this.#gen1DurationNs) >= marker);
    return this.#planOf(this.#periods.slice(0, end), marker, false);
  }

  #planOf(covered: readonly PlannedPeriod[], endTimeMarkerNs: bigint, forced: boolean): SnapshotPlan | undefined {
    const first = covered[0];
    const last = covered.at(-1);
    if (first === undefined || last === undefined) return undefined;
    return {
      // Infos keep it as int64; all rows are before it all the same.
      endTimeMarkerNs: endTimeMarkerNs > INT64_MAX ? INT64_MAX : endTimeMarkerNs,
      firstFileNumber: first.fileNumber,
      lastFileNumber: last.fileNumber,
      forced,
    };
  }
}
