import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { QuietLog } from '../shared/quiet-log.ts';

/** Sources remembered at once. */
const SOURCES_MAX = 1000;

/** Logs failed attempts once per source and minute; the next line tells how many were left out. */
export class FailureLog {
  readonly #logger: Logger;
  readonly #quiet: QuietLog;

  constructor(clock: Clock, logger: Logger) {
    this.#logger = logger;
    this.#quiet = new QuietLog(clock, SOURCES_MAX);
  }

  record(source: string, path: string): void {
    const suppressed = this.#quiet.admit(source);
    if (suppressed !== undefined) this.#logger.warn('authentication failed', { source, path, suppressed });
  }
}
