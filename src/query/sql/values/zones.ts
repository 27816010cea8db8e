/** Time zones: names of the tz database and fixed offsets. What is printed here moves between an instant and a zone's wall clock. */
import { TIME_NS_MAX } from '../../../shared/time-range.ts';
import { DAY_NS, HOUR_NS, MINUTE_NS, US_NS } from '../../../shared/time-units.ts';
import { arrowError } from '../types/errors.ts';
import { quoteString } from '../types/quote.ts';
import { isZoneName, zoneOffsetNs } from './timestamps.ts';

/** True for zones whose wall clock is that of UTC, all year. */
export function isUtc(zone: string): boolean {
  return zone === 'UTC' || zone === 'GMT' || zone === 'Zulu' || zone === 'Etc/UTC' || fixedOffsetNs(zone) === 0n;
}

/** True for what may be called a zone: a name, spelled exactly, or `+05:30`, `+0530`, `+05`. */
export function isZone(zone: string): boolean {
  return fixedOffsetNs(zone) !== undefined || isUtc(zone) || isZoneName(zone);
}

/** Nanoseconds east of UTC of a fixed offset; undefined for names. */
export function fixedOffsetNs(zone: string): bigint | undefined {
  const offset = /^([+-])(\d{2})(?::?(\d{2}))?$/.exec(zone);
  if (!offset) return undefined;
  const minutes = Number(offset[2]) * 60 + Number(offset[3] ?? 0);
  if (minutes >= 24 * 60) return undefined;
  return BigInt(offset[1] === '-' ? -minutes : minutes) * MINUTE_NS;
}

/** SQL of the wall clock of a zone at an instant, both TIMESTAMP_NS. */
export function toLocal(zone: string, instant: string): string {
  if (isUtc(zone)) return instant;
  const offset = fixedOffsetNs(zone);
  if (offset !== undefined) return `make_timestamp_ns(epoch_ns(${instant}) + (${offset}))`;
  return once(instant, (x) => `_df.to_local(${quoteString(zone)}, ${x})`);
}

/**
 * SQL of the wall clock of a zone at an instant, as a TIMESTAMP of microseconds: near both ends of time a clock shows what is no
 * TIMESTAMP_NS. The nanoseconds behind it are the instant's.
 */
export function wallClock(zone: string, instant: string): string {
  if (isUtc(zone)) return `_df.us(${instant})`;
  const offset = fixedOffsetNs(zone);
  if (offset !== undefined) return `make_timestamp(_df.floordiv(epoch_ns(${instant}), 1000) + (${offset / US_NS}))`;
  return once(instant, (x) => `timezone(${quoteString(zone)}, CAST(_df.us(${x}) AS TIMESTAMPTZ))`);
}

/** SQL of the microseconds (BIGINT) of the instant at which a zone's clock shows a TIMESTAMP. */
export function clockInstantUs(zone: string, clock: string): string {
  const offset = fixedOffsetNs(zone);
  if (offset !== undefined) return `(epoch_us(${clock}) - (${offset / US_NS}))`;
  return `epoch_us(${isUtc(zone) ? clock : `timezone(${quoteString(zone)}, ${clock})`})`;
}

/** SQL of the instant of a zone's wall clock, both TIMESTAMP_NS. */
export function fromLocal(zone: string, local: string): string {
  if (isUtc(zone)) return local;
  const offset = fixedOffsetNs(zone);
  if (offset !== undefined) return `make_timestamp_ns(epoch_ns(${local}) - (${offset}))`;
  return once(local, (x) => `_df.from_local(${quoteString(zone)}, ${x})`);
}

/** The instant of a zone's wall clock, both ns. Undefined where the clock does not show that time, or shows it twice. */
export function localToInstantNs(zone: string, localNs: bigint): bigint | undefined {
  if (isUtc(zone)) return localNs;
  const offset = fixedOffsetNs(zone) ?? zoneOffsetNs(zone, localNs);
  return offset === undefined ? undefined : localNs - offset;
}

/** The same of a time that is no text. Throws where there is no such instant. */
export function instantOfClock(zone: string, localNs: bigint): bigint {
  const instant = localToInstantNs(zone, localNs);
  if (instant === undefined) throw arrowError('Cast error: Cannot cast timezone to different timezone');
  return instant;
}

/** Macros repeat their arguments: what is long is computed first, lest nested calls multiply. */
function once(sql: string, use: (name: string) => string): string {
  return sql.length <= INLINE_CHARS ? use(sql) : `list_transform([${sql}], lambda x: ${use('x')})[1]`;
}

const INLINE_CHARS = 60;

/** SQL of the nanoseconds that a zone is east of UTC at an instant. */
export function offsetSql(zone: string, instant: string): string {
  if (isUtc(zone)) return '0';
  const offset = fixedOffsetNs(zone);
  return offset === undefined ? `_df.tz_off(${quoteString(zone)}, epoch_ns(${instant}))` : `(${offset})`;
}

/** SQL of an instant as text with the zone's offset, `Z` where that is zero. */
export function zonedText(zone: string, instant: string): string {
  if (isUtc(zone)) return `(_df.ts_text(${instant}) || 'Z')`;
  const text = "_df.zoned_text(z.x, z.o) || _df.off_text(z.o, ':', 'Z')";
  return once(instant, (x) => `list_transform([{'x': ${x}, 'o': ${offsetSql(zone, x)}}], lambda z: ${text})[1]`);
}

/**
 * SQL of the start of the wall-clock bin of an instant, both TIMESTAMP_NS. Bins are `strideNs` long by the zone's clock and
 * begin at multiples from `originNs`, a wall-clock time. Where the clock is set back, bins that are no longer than the shift
 * come twice, longer ones begin at the earlier of both instants; where it is set forward, what would begin in the gap begins
 * at its end. `exact` = bins that begin before all time are told by name.
 */
export function wallClockBin(zone: string, instant: string, strideNs: bigint, originNs: bigint, exact = false): string {
  const origin = ((originNs % strideNs) + strideNs) % strideNs;
  if (exact) return `_df.exact_wall_bin(${quoteString(zone)}, ${instant}, ${strideNs}, ${origin})`;
  return `make_timestamp_ns(${wallClockBinNs(zone, `epoch_ns(${instant})`, strideNs, origin)})`;
}

/** As `wallClockBin` in nanoseconds: of a BIGINT, or of a HUGEINT where the bin or its neighbours may be out of 64 bits. */
export function wallClockBinNs(zone: string, instantNs: string, strideNs: bigint, originNs: bigint): string {
  const origin = ((originNs % strideNs) + strideNs) % strideNs;
  return `_df.wall_bin(${quoteString(zone)}, ${instantNs}, ${strideNs}, ${origin})`;
}

/**
 * SQL of a table of all wall-clock bins of the instants between two (inclusive, BIGINT ns), each once, under the name `b`.
 * @param bounds SQL of a table of one row with both, `lo` and `hi`
 */
export function wallClockBins(zone: string, bounds: string, strideNs: bigint, originNs: bigint): string {
  const origin = ((originNs % strideNs) + strideNs) % strideNs;
  const bin = (instant: string): string => `_df.wall_bin(${quoteString(zone)}, ${instant}, ${strideNs}, ${origin})`;
  // A table that is read keeps DuckDB from making one list of all bins while it plans, which cannot be interrupted.
  const first = `SELECT o.hi, ${bin('o.lo')} AS first FROM ${bounds} AS o, range(1)`;
  const starts = strideNs > HOUR_NS ? longBins(zone, first, strideNs, bin) : hourlyBins(zone, first, strideNs, origin, bin);
  return `(SELECT DISTINCT b FROM (${starts}) AS d WHERE b >= first AND b <= hi)`;
}

/** Both instants of each local time: an hour that comes twice has two. */
function longBins(zone: string, first: string, strideNs: bigint, bin: (instant: string) => string): string {
  const name = quoteString(zone);
  const local = (instant: string): string => `${instant} + _df.tz_off(${name}, ${instant})`;
  // A stride more on both sides: the clock may be set between a bound and its bin.
  const locals = `SELECT first, hi, ${local('first')} - ${strideNs} AS low, ${local('hi')} + ${strideNs + 1n} AS high FROM (${first}) AS f`;
  const instants = `unnest([r.l - _df.tz_off(${name}, r.l - ${DAY_NS}), r.l - _df.tz_off(${name}, r.l + ${DAY_NS})])`;
  const candidates = `SELECT k.first, k.hi, ${instants} AS i FROM (${locals}) AS k, range(k.low, k.high, ${strideNs}) AS r(l)`;
  return `SELECT first, hi, ${bin('c.i')} AS b FROM (${candidates}) AS c`;
}

/**
 * Bins of an hour or less: hour by hour, by the offset of that hour where the clock is not set near it. Near a change each instant
 * that may be the first of a bin is asked for its bin: multiples of the stride by the offsets before and after, and whole
 * minutes, as clocks are set at one.
 */
function hourlyBins(zone: string, first: string, strideNs: bigint, origin: bigint, bin: (instant: string) => string): string {
  const offset = (hours: number): string => `_df.tz_off(${quoteString(zone)}, r.h + (${BigInt(hours) * HOUR_NS}))`;
  const from = `(f.first // ${HOUR_NS} - 2) * ${HOUR_NS}`;
  const hours = `SELECT f.first, f.hi, r.h, ${offset(-1)} AS a, ${offset(0)} AS o, ${offset(1)} AS b, ${offset(2)} AS c, ${offset(-24)} AS p, ${offset(-23)} AS q FROM (${first}) AS f, range(${from}, f.hi + ${HOUR_NS}, ${HOUR_NS}) AS r(h)`;
  const calm = `a = o AND b = o AND c = o AND p = q AND abs(o - p) <= ${HOUR_NS}`;
  const within = (condition: string, start: string, stride: bigint): string =>
    `SELECT k.first, k.hi, r.i FROM (SELECT * FROM hours WHERE ${condition}) AS k, range(${start}, k.h + ${HOUR_NS}, ${stride}) AS r(i)`;
  const multiple = (offsetColumn: string): string => `k.h + _df.pmod(${origin} - k.h - k.${offsetColumn}, ${strideNs})`;
  const near = [
    within(`NOT (${calm})`, multiple('a'), strideNs),
    within(`NOT (${calm})`, multiple('c'), strideNs),
    within(`NOT (${calm})`, 'k.h', MINUTE_NS),
  ];
  return (
    `WITH hours AS MATERIALIZED (${hours}) SELECT first, hi, i AS b FROM (${within(calm, multiple('o'), strideNs)}) AS s ` +
    `UNION ALL SELECT first, hi, ${bin('c.i')} AS b FROM (${near.join(' UNION ')}) AS c`
  );
}

/**
 * SQL of the start of the bin after another one, BIGINT ns: a bin may be longer or shorter than its stride where the clock is set.
 */
export function nextWallClockBin(zone: string, bin: string, strideNs: bigint, originNs: bigint): string {
  const later = `lambda h: ${wallClockBinNs(zone, `CAST(${bin} AS HUGEINT) + ${strideNs} + h`, strideNs, originNs)}`;
  const next = `list_min(list_filter(list_transform([0, ${HOUR_NS}, ${2n * HOUR_NS}, ${3n * HOUR_NS}], ${later}), lambda c: c > ${bin}))`;
  return `CAST(least(${next}, ${TIME_NS_MAX}) AS BIGINT)`;
}
