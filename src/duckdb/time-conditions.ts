import { TIME_NS_MAX, TIME_NS_MIN } from '../shared/time-range.ts';

/** Condition that a time is at or after `ns`. Bounds beyond the times that rows can have are no literals of DuckDB. */
export function timeFrom(time: string, ns: bigint): string {
  if (ns <= TIME_NS_MIN) return 'true';
  return ns > TIME_NS_MAX ? 'false' : `${time} >= make_timestamp_ns(${ns})`;
}

/** Condition that a time is before `ns`. */
export function timeBefore(time: string, ns: bigint): string {
  if (ns > TIME_NS_MAX) return 'true';
  return ns <= TIME_NS_MIN ? 'false' : `${time} < make_timestamp_ns(${ns})`;
}

/** Condition that a time is at or before `ns`. */
export function timeUntil(time: string, ns: bigint): string {
  if (ns >= TIME_NS_MAX) return 'true';
  return ns < TIME_NS_MIN ? 'false' : `${time} <= make_timestamp_ns(${ns})`;
}
