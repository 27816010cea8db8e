import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 20;
/** Far beyond what anything takes; a test that waits in vain ends with this error instead of the run's own limit. */
const ATTEMPTS_MAX = 3000;

/** The first value that `probe` gives; a probe that throws is asked again. Throws the last error, or says that nothing came. */
export async function until<T>(probe: () => Promise<T | undefined>): Promise<T> {
  let failure: unknown;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await delay(PAUSE_MS);
  }
  throw failure ?? new Error(`nothing came in ${ATTEMPTS_MAX} attempts`);
}
