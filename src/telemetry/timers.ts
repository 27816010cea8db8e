/** A running timer. */
export interface TimerHandle {
  cancel(): void;
}

/** Where delays come from. Tests own it; the server uses `systemTimers`. */
export interface Timers {
  /** Calls `run` once after `delayMs`. Never keeps the process alive. */
  after(delayMs: number, run: () => void): TimerHandle;
}

export const systemTimers: Timers = {
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
