import type { Clock } from '../../shared/clock.ts';
import type { InfluxError } from '../../shared/errors.ts';
import type { CancelTimer, Timers } from '../../shared/timers.ts';
import { walUnavailable } from './errors.ts';

/** A group with as many bytes goes at once: what a request costs then no longer matters. */
const GROUP_BYTES_ENOUGH = 1024 * 1024;

/** How long writers wait for an answer of the store. */
const ANSWER_TIME_MAX_MS = 10_000;

/** What waits for the next group. */
export interface Waiting {
  readonly bytes: number;
  /** Somebody waits for the end of a file, or the log stops. */
  readonly isUrgent: boolean;
}

/** When the next group of a log in a bucket is put, and what writers are told while the store does not take one. */
export class WalPace {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #intervalMs: number;
  #putAtMs = Number.NEGATIVE_INFINITY;
  #wake: (() => void) | undefined;
  #outage: InfluxError | undefined;
  readonly #unanswered = new Set<(error: InfluxError) => void>();

  constructor(options: { readonly clock: Clock; readonly timers: Timers; readonly flushIntervalMs: number }) {
    this.#clock = options.clock;
    this.#timers = options.timers;
    this.#intervalMs = options.flushIntervalMs;
  }

  /** Why nothing is taken now; undefined = it is. */
  get outage(): InfluxError | undefined {
    return this.#outage;
  }

  /** Resolves when the next group may go: after a pause at once, else one interval after the last, or when much waits. */
  async turn(waiting: () => Waiting): Promise<void> {
    for (;;) {
      const { bytes, isUrgent } = waiting();
      const leftMs = this.#putAtMs + this.#intervalMs - this.#clock.monotonicMs();
      if (leftMs <= 0 || isUrgent || bytes >= GROUP_BYTES_ENOUGH) return;
      let cancel: CancelTimer = () => undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        cancel = this.#timers.after(leftMs, resolve, 'keepsAlive');
      });
      cancel();
      this.#wake = undefined;
    }
  }

  /** Call it when more waits: the turn may have come. */
  look(bytes: number, isUrgent: boolean): void {
    if (this.#wake !== undefined && (isUrgent || bytes >= GROUP_BYTES_ENOUGH)) this.#wake();
  }

  /** A group is put. Returns what to call when it is known what became of it. */
  begin(): () => void {
    this.#putAtMs = this.#clock.monotonicMs();
    const cancel = this.#timers.after(ANSWER_TIME_MAX_MS, () => {
      this.#outage = walUnavailable();
      for (const refuse of this.#unanswered) refuse(this.#outage);
      this.#unanswered.clear();
    });
    return () => {
      cancel();
      this.#outage = undefined;
    };
  }

  /** The same promise for whoever waits for an answer: it rejects when the store has not answered in time, although the record stays in the log's queue. */
  answered(durable: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#unanswered.add(reject);
      const settled = (): void => void this.#unanswered.delete(reject);
      durable.finally(settled).then(resolve, reject);
    });
  }
}
