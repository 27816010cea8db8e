/**
 * Starts of bins computed with huge integers, for statements in which an integer was too large: a bin of the least times may begin
 * before all time, which is said then.
 */
import { executionError } from '../types/errors.ts';
import { quoteString } from '../types/quote.ts';
import { type Typed, timestampConstant, typed } from '../types/typed.ts';
import { timestampNs } from '../types/types.ts';

/** The least time that rows can have. */
const LEAST_NS = -9_223_372_036_854_775_806n;
const LEAST_TEXT = '1677-09-21T00:12:43.145224194';

/** Body of a macro: the start `b` (a huge integer of nanoseconds) of what the instant `x` is in, as a time. */
export const BIN_START_MACRO = `bin_start(b, x) as case when b < ${LEAST_NS} then error('Execution error: Timestamp ' || epoch_ns(x) || ' out of range: its bin begins before ${LEAST_TEXT}, the least time')::timestamp_ns else make_timestamp_ns(b::bigint) end`;

/** The start of what a constant instant is in. */
export function startConstant(ns: bigint, instantNs: bigint): Typed {
  if (ns >= LEAST_NS) return timestampConstant(ns);
  throw executionError(`Timestamp ${instantNs} out of range: its bin begins before ${LEAST_TEXT}, the least time`);
}

/** Bins of so many nanoseconds, counted from an origin. */
export function exactBin(time: string, ns: bigint, origin: bigint): Typed {
  const instant = `CAST(epoch_ns(${time}) AS HUGEINT)`;
  return typed(`_df.bin_start(${instant} - _df.pmod(${instant} - (${origin}), ${ns}), ${time})`, timestampNs);
}

/** Bins of so many months, as the macros without `exact` find them. */
export function exactMonths(time: string, months: number, origin: string | undefined, originMonth: number): Typed {
  const bin =
    origin === undefined
      ? `CAST(epoch_us(time_bucket(to_months(${months}), _df.us(${time}), TIMESTAMP '1970-01-01')) AS HUGEINT) * 1000`
      : `_df.exact_months(${months}, ${time}, ${origin}, ${originMonth})`;
  return typed(`_df.bin_start(${bin}, ${time})`, timestampNs);
}

/** Macro of the start of a bin of `m` months from `o`, whose month is `k`, as a huge integer. */
export const EXACT_MONTHS_MACRO =
  "exact_months(m, x, o, k) as list_transform([date_part('year', x) * 12 + date_part('month', x) - k], lambda d: list_transform([d - _df.pmod(d, m)], lambda e: list_filter(list_transform([e, e - m], lambda n: epoch_us(_df.us(o) + to_months(n::integer))::hugeint * 1000 + _df.sub(o)), lambda b: b <= epoch_ns(x))[1])[1])[1]";

/** Months, quarters and years. */
export function exactTrunc(part: string, time: string): Typed {
  return typed(`_df.bin_start(CAST(epoch_us(date_trunc(${quoteString(part)}, _df.us(${time}))) AS HUGEINT) * 1000, ${time})`, timestampNs);
}
