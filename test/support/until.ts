import { setTimeout as delay } from 'node:timers/promises';

/** The first looks follow each other at once, one a turn of the event loop. */
const QUICK_LOOKS = 20;
const PAUSE_MS = 20;
/** Far beyond what anything takes; a test that waits in vain ends with this error instead of the run's own limit. */
const ATTEMPTS_MAX = 3000;

/**
 * The first value of `probe` that is neither undefined nor false; a probe that throws is asked again. Throws the last
 * error, or says that nothing came.
 */
export async function until<T>(probe: () => T | Promise<T>): Promise<Exclude<T, undefined | false>> {
  let failure: unknown;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    if (attempt < QUICK_LOOKS) await new Promise(setImmediate);
    else await delay(PAUSE_MS);
  }
  throw failure ?? new Error(`nothing came in ${ATTEMPTS_MAX} attempts`);
}
