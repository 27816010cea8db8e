import { systemTimers, type Timers } from '../shared/timers.ts';

/** How long the main thread is watched before it is judged. */
const LOOK_MS = 100;

/** Busy for a smaller share of a look: calm. */
const CALM_SHARE = 0.25;

/** Work that waits is done then, however busy the server is. */
const PATIENCE_MS = 5000;

/** What `whenCalm` needs of Node.js; tests own it. */
export interface CalmSources {
  /** Share of the time since the last call in which the main thread was busy, 0 to 1. */
  readonly busyShare: () => number;
  readonly timers: Pick<Timers, 'after'>;
}

/** Runs `work` once: as soon as the server has had little to do for a moment, and after some seconds in any case. */
export function whenCalm(work: () => void, { busyShare, timers }: CalmSources = systemSources()): void {
  let waitedMs = 0;
  busyShare();
  const look = (): void => {
    waitedMs += LOOK_MS;
    if (busyShare() < CALM_SHARE || waitedMs >= PATIENCE_MS) work();
    else timers.after(LOOK_MS, look);
  };
  timers.after(LOOK_MS, look);
}

function systemSources(): CalmSources {
  let last = performance.eventLoopUtilization();
  return {
    busyShare: () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
    timers: systemTimers,
  };
}
