/**
 * Shared by: every query that DuckDB answers. An entry belongs to its query; the look of the timer is synchronous, so that it
 * never sees half of a change, and ends a query by the same interrupt that a client that leaves causes.
 */

import { type Clock, systemClock } from '../../shared/clock.ts';
import { InfluxError } from '../../shared/errors.ts';
import { GRPC_STATUS } from '../../shared/grpc-status.ts';
import { type CancelTimer, systemTimers, type Timers } from '../../shared/timers.ts';

export interface MemoryWatchOptions {
  /** Memory of the process at which a query is ended in any case, bytes. */
  readonly limitBytes: number;
  /** Memory of the process now, bytes. */
  readonly residentBytes: () => number;
  /** The part of it that belongs to JavaScript: its heap, and buffers outside of it, bytes. */
  readonly scriptBytes: () => number;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/** One query under watch. */
export interface WatchedQuery {
  /** The watch has ended it. */
  readonly exceeded: boolean;
  /** Runs a call of DuckDB for the query: what the process grows meanwhile is put down to it. Rejects once the watch has ended it. */
  during<T>(call: () => Promise<T>): Promise<T>;
  /** Ends the watch. */
  done(): void;
}

/** Time between two looks while queries run, ms. */
const LOOK_MS = 20;

/** After a query was ended its memory needs time to come back before another one is blamed, ms. */
const RELIEF_MS = 300;

/** The program, its libraries and DuckDB without data. */
const BASE_BYTES = 150 * 1024 * 1024;

/** What DuckDB may have beyond its own limit before a query is ended: files that are written, freed memory that it keeps. */
const UNCOUNTED_BYTES_MIN = 256 * 1024 * 1024;
const UNCOUNTED_SHARE = 1 / 4;

/** Growth that says nothing, bytes. */
const BLAMED_BYTES_MIN = 64 * 1024 * 1024;

interface Entry {
  exceeded: boolean;
  readonly interrupt: () => void;
  /** Calls of DuckDB that run. */
  calls: number;
  /** What the process grew during its calls, shared with the queries that ran beside it. */
  grownBytes: number;
}

/**
 * Ends a query before the system would end the server, and before what DuckDB does not count (recursion, the lists and texts
 * of aggregates, values under way) gets far beyond its limit. What grew most meanwhile is ended; of several the oldest.
 */
export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  /** In the order of their start. */
  readonly #running = new Set<Entry>();
  #cancelTimer: CancelTimer | undefined;
  #waitUntilMs = 0;
  #nativeBytesMax = Number.POSITIVE_INFINITY;
  #nativeBytes = 0;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
  }

  /**
   * Watches a query until `done`.
   * @param interrupt makes it fail soon
   * @param engineBytes DuckDB's own limit
   */
  watch(interrupt: () => void, engineBytes: number): WatchedQuery {
    this.#nativeBytesMax = nativeBytesMax(engineBytes);
    const entry: Entry = { exceeded: false, interrupt, calls: 0, grownBytes: 0 };
    this.#running.add(entry);
    if (this.#cancelTimer === undefined) {
      this.#nativeBytes = Number.POSITIVE_INFINITY; // nothing is put down to anybody before the first look
      this.#cancelTimer = (this.#options.timers ?? systemTimers).every(LOOK_MS, () => this.#look());
    }
    return {
      get exceeded() {
        return entry.exceeded;
      },
      during: async (call) => {
        if (entry.exceeded) throw new Error('the query was ended while it waited');
        entry.calls++;
        try {
          return await call();
        } finally {
          entry.calls--;
        }
      },
      done: () => {
        this.#running.delete(entry);
      },
    };
  }

  #look(): void {
    if (this.#running.size === 0) {
      this.#cancelTimer?.();
      this.#cancelTimer = undefined;
      return;
    }
    const { limitBytes, residentBytes, scriptBytes } = this.#options;
    const resident = residentBytes();
    const native = resident - scriptBytes();
    this.#putDown(native - this.#nativeBytes);
    this.#nativeBytes = native;
    const nowMs = (this.#options.clock ?? systemClock).monotonicMs();
    if (nowMs < this.#waitUntilMs) return;
    const most = this.#mostGrown();
    if (most === undefined) return;
    if (resident >= limitBytes || (native >= this.#nativeBytesMax && this.#isToBlame(most, native))) {
      most.exceeded = true;
      this.#waitUntilMs = nowMs + RELIEF_MS;
      most.interrupt();
    }
  }

  /**
   * Whether queries that run now brought the process over the limit. What an ended one leaves comes back in some seconds only:
   * queries that are within their means go on meanwhile.
   */
  #isToBlame(most: Entry, nativeBytes: number): boolean {
    let grownBytes = 0;
    for (const { calls, grownBytes: own } of this.#running) if (calls > 0) grownBytes += own;
    return grownBytes >= nativeBytes - this.#nativeBytesMax + BLAMED_BYTES_MIN || most.grownBytes >= this.#nativeBytesMax;
  }

  /** Growth belongs to those that run, in equal shares: whoever causes it gathers more of it than those that come and go. */
  #putDown(grownBytes: number): void {
    if (!Number.isFinite(grownBytes)) return;
    const busy = [...this.#running].filter(({ calls }) => calls > 0);
    for (const entry of busy) entry.grownBytes = Math.max(0, entry.grownBytes + grownBytes / busy.length);
  }

  #mostGrown(): Entry | undefined {
    let most: Entry | undefined;
    for (const entry of this.#running) {
      if (!entry.exceeded && (most === undefined || entry.grownBytes > most.grownBytes)) most = entry;
    }
    return most;
  }
}

/** Memory outside of JavaScript beyond which DuckDB holds what it does not count, bytes. */
export function nativeBytesMax(engineBytes: number): number {
  return BASE_BYTES + engineBytes + Math.max(UNCOUNTED_BYTES_MIN, engineBytes * UNCOUNTED_SHARE);
}

/** The query was ended, or would have been, because of the memory that it needs. */
export function needsTooMuchMemory(cause?: unknown): InfluxError {
  return new InfluxError({
    code: 'SQL_MEMORY',
    message: 'Resources exhausted: the query needs more memory than the server allows',
    status: 500,
    grpc: GRPC_STATUS.RESOURCE_EXHAUSTED,
    cause,
  });
}
