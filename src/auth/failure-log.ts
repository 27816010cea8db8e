import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';

const QUIET_MS = 60_000;

/** Sources remembered at once; when full, the oldest is forgotten. */
const SOURCES_MAX = 1000;

/** Logs failed attempts once per source and minute; the next line tells how many were left out. */
export class FailureLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #sources = new Map<string, { loggedAtMs: number; suppressed: number }>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  record(source: string, path: string): void {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#sources.get(source);
    if (known !== undefined && nowMs - known.loggedAtMs < QUIET_MS) {
      known.suppressed++;
      return;
    }
    this.#logger.warn('authentication failed', { source, path, suppressed: known?.suppressed ?? 0 });
    this.#sources.delete(source);
    if (this.#sources.size >= SOURCES_MAX) this.#forgetOldest();
    this.#sources.set(source, { loggedAtMs: nowMs, suppressed: 0 });
  }

  #forgetOldest(): void {
    const oldest = this.#sources.keys().next();
    if (oldest.done !== true) this.#sources.delete(oldest.value);
  }
}
