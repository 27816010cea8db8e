/**
 * Times that rows can have, ns since the epoch: int64 without the three values at its ends by which DuckDB means
 * "infinity" and "none". InfluxDB 1 and 2 have the same range.
 */
export const TIME_NS_MIN = -(2n ** 63n) + 2n;
export const TIME_NS_MAX = 2n ** 63n - 2n;

/** The nearest time that a row can have. */
export function clampedTimeNs(ns: bigint): bigint {
  if (ns < TIME_NS_MIN) return TIME_NS_MIN;
  return ns > TIME_NS_MAX ? TIME_NS_MAX : ns;
}
