import type { Clock } from '../../shared/clock.ts';
import { pause, type Timers } from '../../shared/timers.ts';
import { ObjectStoreError } from './object-store.ts';

/** How often and how long a request that may be repeated is repeated. */
export interface RetryPolicy {
  /** Repetitions of a request; 0 = none. */
  readonly maxRetries: number;
  /** No repetition begins later than this after the first attempt. */
  readonly retryTimeoutMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
}

const FIRST_PAUSE_MS = 50;
const PAUSE_MS_MAX = 5_000;

/** Repeats an operation that failed as UNAVAILABLE, after pauses that double. For operations that may take place twice. `signal` ends that. */
export async function withRetries<T>(policy: RetryPolicy, operation: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const isOver = (): boolean => signal?.aborted === true;
  const startedMs = policy.clock.monotonicMs();
  for (let attempt = 0; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof ObjectStoreError) || error.code !== 'UNAVAILABLE' || attempt >= policy.maxRetries) throw error;
      const pauseMs = pauseBefore(attempt);
      if (policy.clock.monotonicMs() - startedMs + pauseMs > policy.retryTimeoutMs || isOver()) throw error;
      await pause(policy.timers, pauseMs, signal);
      if (isOver()) throw error;
    }
  }
}

/** Pause after the attempt with this number, from 0; ms. */
export function pauseBefore(attempt: number): number {
  return Math.min(PAUSE_MS_MAX, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 10));
}
