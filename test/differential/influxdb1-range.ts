import type { Random } from '../fuzz/random.ts';

/** Seconds that all statements ask about begin and end with multiples of this. */
const STEP_SECS = 600;

/** First second of the data. */
export const START_SECS = 1200;

/** A condition on time. */
export function timeRange(random: Random): string {
  const from = START_SECS + random.below(4) * STEP_SECS;
  return `time >= ${from}s AND time < ${from + (1 + random.below(3)) * STEP_SECS}s`;
}
