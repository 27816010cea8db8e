export { setImmediate as nextTurn } from 'node:timers/promises';

/** Ends a timer. Does nothing when it has ended or run already. */
export type CancelTimer = () => void;

/** Where delays come from. Tests own it; the server uses `systemTimers`. */
export interface Timers {
  /** Calls `run` once after `delayMs`. The timer does not keep the process alive, unless it says `keepsAlive`. */
  after(delayMs: number, run: () => void, keepsAlive?: 'keepsAlive'): CancelTimer;
  /** Calls `run` each time `periodMs` are over. The timer does not keep the process alive. */
  every(periodMs: number, run: () => void): CancelTimer;
}

export const systemTimers: Timers = {
  after: (delayMs, run, keepsAlive) => {
    const timer = setTimeout(run, delayMs);
    if (keepsAlive === undefined) timer.unref();
    return () => clearTimeout(timer);
  },
  every: (periodMs, run) => {
    const timer = setInterval(run, periodMs);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** Resolves after `delayMs`, or as soon as `signal` is aborted. The process stays alive meanwhile. */
export function pause(timers: Timers, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = timers.after(delayMs, done, 'keepsAlive');
    signal?.addEventListener('abort', done, { once: true });
    if (signal?.aborted === true) done();
  });
}
