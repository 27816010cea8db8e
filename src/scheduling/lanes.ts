/**
 * Shared by: every query that DuckDB answers and every load of columns. All counters and queues change in synchronous steps
 * only; a call under way is touched by its own end and by the timer of its budget, and the end stops the timer first.
 */

import { type Clock, systemClock } from '../shared/clock.ts';
import { InfluxError } from '../shared/errors.ts';
import { type CancelTimer, systemTimers, type Timers } from '../shared/timers.ts';

export interface LanesOptions {
  /** Calls of DuckDB at the same time, all lanes together; each takes a thread of Node.js's pool. */
  readonly slots: number;
  /** Calls at the same time in each lane. DuckDB has so many threads: more calls only take processor time from each other, and from the main thread. */
  readonly threads: number;
  /** Calls that may wait; 1000 by default. */
  readonly waitingMax?: number;
  /** Time that a query may take before it is a heavy one, all of its calls together; by default 500 and 200 ms. */
  readonly budgetMs?: Readonly<Record<'light' | 'short', number>>;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/** `light` = little to read, `short` = nobody knows, `heavy` = much to do. */
export type LaneName = 'light' | 'short' | 'heavy';

/** A call of DuckDB for a query. */
export interface LaneTask<T> {
  run(): Promise<T>;
  /** When it comes, a call that waits leaves the queue; whoever gives it interrupts a call that runs. */
  readonly signal?: AbortSignal | undefined;
  /** Makes `run` fail soon, so that it can be run again later. Absent = it cannot be run again. */
  readonly interrupt?: () => void;
}

const WAITING_MAX = 1_000;
const BUDGET_MS = { light: 500, short: 200 };

interface Waiting {
  readonly call: Call;
  readonly begin: () => void;
}

/** One call, from its wait for a slot to its end. */
interface Call {
  readonly query: QueryLane;
  readonly interrupt: (() => void) | undefined;
  /** Since when it runs, monotonic ms. */
  sinceMs: number;
  lane: LaneName;
  cancelTimer: CancelTimer | undefined;
  evicted: boolean;
}

interface Lane {
  used: number;
  readonly max: number;
  readonly waiting: Waiting[];
}

/** What the lanes know of one query. */
export class QueryLane {
  readonly #lanes: Lanes;
  /** Where its next call waits. */
  lane: LaneName;
  /** Time of its calls so far. */
  usedMs = 0;

  constructor(lanes: Lanes, lane: LaneName) {
    this.#lanes = lanes;
    this.lane = lane;
  }

  /** Runs a call when it is its turn. Rejects with the reason of its signal, or QUERY_QUEUE_FULL, without having run it. */
  take<T>(task: LaneTask<T>): Promise<T> {
    return this.#lanes.run(this, task);
  }
}

/**
 * Bounds how many calls of DuckDB run at the same time, in three lanes, so that a query waits for its like only. Nobody knows
 * beforehand how long a query takes: where it begins is a guess from what it reads. One that has used up its budget is a
 * heavy one from then on: it takes a slot of the heavy ones; if there is none, it is interrupted and begun again when its
 * turn has come, so that those that are short in truth need not wait for it, nor share the processor with it.
 */
export class Lanes {
  readonly #slots: number;
  readonly #waitingMax: number;
  readonly #budgetMs: Readonly<Record<'light' | 'short', number>>;
  readonly #lanes: Readonly<Record<LaneName, Lane>>;
  readonly #clock: Clock;
  readonly #timers: Timers;

  constructor({ slots, threads, waitingMax, budgetMs, clock, timers }: LanesOptions) {
    this.#slots = Math.max(1, slots);
    const max = Math.max(1, Math.min(threads, this.#slots - 1));
    const lane = (): Lane => ({ used: 0, max, waiting: [] });
    this.#lanes = { light: lane(), short: lane(), heavy: lane() };
    this.#waitingMax = waitingMax ?? WAITING_MAX;
    this.#budgetMs = budgetMs ?? BUDGET_MS;
    this.#clock = clock ?? systemClock;
    this.#timers = timers ?? systemTimers;
  }

  /** A new query that begins in this lane. */
  query(lane: LaneName): QueryLane {
    return new QueryLane(this, lane);
  }

  /** Calls that run and that wait now. */
  get figures(): Readonly<Record<LaneName, { readonly running: number; readonly waiting: number }>> {
    const of = (name: LaneName) => ({ running: this.#lanes[name].used, waiting: this.#lanes[name].waiting.length });
    return { light: of('light'), short: of('short'), heavy: of('heavy') };
  }

  /** See `QueryLane.take`. */
  async run<T>(query: QueryLane, task: LaneTask<T>): Promise<T> {
    for (;;) {
      const call = await this.#enter(query, task);
      try {
        task.signal?.throwIfAborted(); // it may come after the slot was given and before this turn
        const result = await task.run();
        // An interrupt that came at the very end would meet whoever reads the result.
        if (!call.evicted) return result;
      } catch (error) {
        if (!call.evicted) throw error;
      } finally {
        this.#leave(call);
      }
    }
  }

  #enter<T>(query: QueryLane, { interrupt, signal }: LaneTask<T>): Promise<Call> {
    signal?.throwIfAborted();
    const call: Call = { query, interrupt, sinceMs: 0, lane: query.lane, cancelTimer: undefined, evicted: false };
    const { waiting } = this.#lanes[call.lane];
    if (waiting.length === 0 && this.#hasRoom(call.lane)) {
      this.#begin(call);
      return Promise.resolve(call);
    }
    if (waiting.length >= this.#waitingMax) return Promise.reject(queueFull(this.#waitingMax));
    return new Promise<Call>((resolve, reject) => {
      const entry: Waiting = {
        call,
        begin: () => {
          signal?.removeEventListener('abort', leave);
          resolve(call);
        },
      };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(entry), 1);
        reject(signal?.reason);
      };
      waiting.push(entry);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  #hasRoom(name: LaneName): boolean {
    const { heavy, light, short } = this.#lanes;
    return this.#lanes[name].used < this.#lanes[name].max && heavy.used + light.used + short.used < this.#slots;
  }

  #begin(call: Call): void {
    call.sinceMs = this.#clock.monotonicMs();
    this.#lanes[call.lane].used++;
    if (call.lane === 'heavy') return;
    const leftMs = Math.max(0, this.#budgetMs[call.lane] - call.query.usedMs);
    call.cancelTimer = this.#timers.after(leftMs, () => this.#budgetUsed(call));
  }

  #leave(call: Call): void {
    call.cancelTimer?.();
    this.#lanes[call.lane].used--;
    call.query.usedMs += this.#clock.monotonicMs() - call.sinceMs;
    this.#startWaiting();
  }

  #budgetUsed(call: Call): void {
    const { heavy } = this.#lanes;
    call.query.lane = 'heavy';
    // What cannot begin again goes on; other heavy queries wait for it.
    if (call.interrupt === undefined || (heavy.used < heavy.max && heavy.waiting.length === 0)) {
      this.#lanes[call.lane].used--;
      heavy.used++;
      call.lane = 'heavy';
      this.#startWaiting();
      return;
    }
    call.evicted = true;
    call.interrupt();
  }

  #startWaiting(): void {
    for (const name of ['light', 'short', 'heavy'] as const) {
      const lane = this.#lanes[name];
      for (let next = lane.waiting[0]; next !== undefined && this.#hasRoom(name); next = lane.waiting[0]) {
        lane.waiting.shift();
        this.#begin(next.call);
        next.begin();
      }
    }
  }
}

/** Threads of Node.js's pool that queries leave to the log, the snapshots and other files. */
const RESERVED_THREADS = 2;
const DEFAULT_POOL_THREADS = 4;

/**
 * Lanes for a pool of that many threads.
 * @param poolSize text of `UV_THREADPOOL_SIZE`
 * @param threads threads of DuckDB
 */
export function queryLanes(poolSize: string | undefined, threads: number): Lanes {
  const pool = Number(poolSize ?? DEFAULT_POOL_THREADS);
  const usable = Number.isInteger(pool) && pool > 0 ? pool : DEFAULT_POOL_THREADS;
  return new Lanes({ slots: usable - RESERVED_THREADS, threads });
}

function queueFull(waitingMax: number): InfluxError {
  return new InfluxError({
    code: 'QUERY_QUEUE_FULL',
    message: `Resources exhausted: more than ${waitingMax} queries are waiting, try again later`,
    status: 503,
  });
}
