/** Lengths of the units of time, in nanoseconds. */
export const US_NS = 1_000n;
export const MS_NS = 1_000_000n;
export const SECOND_NS = 1_000_000_000n;
export const MINUTE_NS = 60n * SECOND_NS;
export const HOUR_NS = 60n * MINUTE_NS;
export const DAY_NS = 24n * HOUR_NS;
export const WEEK_NS = 7n * DAY_NS;

/** The units of Arrow's and DuckDB's timestamps. */
export const TIMESTAMP_UNIT_NS = { s: SECOND_NS, ms: MS_NS, us: US_NS, ns: 1n } as const;

/** The units of InfluxQL's durations and of `epoch`, largest first; `u` and `µ` are other spellings of `us`. */
export const INFLUXQL_UNIT_NS: Readonly<Record<string, bigint>> = {
  w: WEEK_NS,
  d: DAY_NS,
  h: HOUR_NS,
  m: MINUTE_NS,
  s: SECOND_NS,
  ms: MS_NS,
  us: US_NS,
  u: US_NS,
  µ: US_NS,
  ns: 1n,
};
