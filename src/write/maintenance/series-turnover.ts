import type { Catalog } from '../../catalog/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { DatabaseId, TableId } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import { HOUR_NS } from '../../shared/time-units.ts';
import type { Timers } from '../../shared/timers.ts';
import type { WriteBuffer } from '../buffer/index.ts';
import type { SeriesIndex } from '../series/index.ts';

/** Series of a table at rest are forgotten from here on; fewer are not worth finding out about them again. */
const RESTING_SERIES_MIN = 1000;

/** Series that nobody writes any more from which on writes to their database are held up so that they can be forgotten. */
const IDLE_SERIES_MIN = 500_000;

/** A series is idle when the table has rows that are newer than its newest one by more than this. */
const IDLE_NS = HOUR_NS;

/** Writes of a database wait for the snapshot of its rows for so long at most, and so often at most. */
const HOLD_MS_MAX = 5_000;
const PAUSE_MS = 600_000;

export interface SeriesTurnoverOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly buffer: WriteBuffer;
  /** Runs a task while no snapshot does. */
  readonly exclusive: <T>(task: () => Promise<T>) => Promise<T>;
  /** Persists everything that is buffered. */
  readonly persist: () => Promise<void>;
  /** Keeps writes of a database waiting before they are parsed. Returns what lets them go on. */
  readonly hold: (databaseId: DatabaseId) => () => void;
  /** Forgets the texts of series of a database. */
  readonly forget: (databaseId: DatabaseId) => void;
  readonly idleSeriesMin?: number;
}

/**
 * Forgets series of which no row is in memory any more. A series that is written again simply becomes known again, as after
 * a restart.
 *
 * Every series takes some 200 bytes while it is known. A table at rest, all of whose rows are in files, forgets all of its
 * series. A table that is always written to never comes to rest by itself: once many of its series are idle, its writers are
 * held up for one snapshot.
 */
export class SeriesTurnover {
  readonly #options: SeriesTurnoverOptions;
  readonly #heldAtMs = new WeakMap<object, number>();

  constructor(options: SeriesTurnoverOptions) {
    this.#options = options;
  }

  /** Looks at all tables. Must not run beside itself. */
  async run(): Promise<void> {
    const { buffer } = this.#options;
    const resting = buffer.tablesWithSeries(RESTING_SERIES_MIN).filter((table) => buffer.isAtRest(table.databaseId, table.tableId));
    for (const { databaseId, tableId } of resting) await this.#forget(databaseId, tableId);
    for (const { databaseId, tableId, series } of buffer.tablesWithSeries(this.#idleSeriesMin)) {
      if (this.#isWorthHolding(databaseId, tableId, series)) await this.#holdAndForget(databaseId, tableId);
    }
  }

  get #idleSeriesMin(): number {
    return this.#options.idleSeriesMin ?? IDLE_SERIES_MIN;
  }

  #isWorthHolding(databaseId: DatabaseId, tableId: TableId, series: SeriesIndex): boolean {
    const table = this.#options.catalog.tableById(databaseId, tableId);
    if (table === undefined) return false;
    const heldAtMs = this.#heldAtMs.get(table);
    if (heldAtMs !== undefined && this.#options.clock.monotonicMs() - heldAtMs < PAUSE_MS) return false;
    const idle = series.countIdle(IDLE_NS);
    return idle >= this.#idleSeriesMin && idle * 2 >= series.count;
  }

  async #holdAndForget(databaseId: DatabaseId, tableId: TableId): Promise<void> {
    const { catalog, clock, hold, persist, timers } = this.#options;
    const table = catalog.tableById(databaseId, tableId);
    if (table !== undefined) this.#heldAtMs.set(table, clock.monotonicMs());
    const release = hold(databaseId);
    const cancel = timers.after(HOLD_MS_MAX, release, 'keepsAlive');
    try {
      await persist();
      await this.#forget(databaseId, tableId);
    } finally {
      cancel();
      release();
    }
  }

  async #forget(databaseId: DatabaseId, tableId: TableId): Promise<void> {
    const { buffer, exclusive, forget, log } = this.#options;
    await exclusive(async () => {
      const count = buffer.seriesCount;
      if (!(await buffer.forgetSeries(databaseId, tableId))) return;
      forget(databaseId);
      log.info('series that are in files only were forgotten', {
        database_id: databaseId,
        table_id: tableId,
        series: count - buffer.seriesCount,
      });
    });
  }
}
