import type { Clock } from './clock.ts';

/** For this long after a line, others of the same kind are only counted. */
const QUIET_MS = 60_000;

/** Tells which lines of a log that could flood it are written: of each kind one a minute. */
export class QuietLog {
  readonly #clock: Clock;
  readonly #kindsMax: number;
  readonly #kinds = new Map<string, { loggedAtMs: number; suppressed: number }>();

  /** @param kindsMax kinds remembered at once; when full, the oldest is forgotten */
  constructor(clock: Clock, kindsMax: number) {
    this.#clock = clock;
    this.#kindsMax = kindsMax;
  }

  /** How many of this kind were left out before, or undefined when this one is left out too. */
  admit(kind: string): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#kinds.get(kind);
    if (known !== undefined && nowMs - known.loggedAtMs < QUIET_MS) {
      known.suppressed++;
      return undefined;
    }
    this.#kinds.delete(kind);
    const oldest = this.#kinds.keys().next();
    if (this.#kinds.size >= this.#kindsMax && oldest.done !== true) this.#kinds.delete(oldest.value);
    this.#kinds.set(kind, { loggedAtMs: nowMs, suppressed: 0 });
    return known?.suppressed ?? 0;
  }
}
