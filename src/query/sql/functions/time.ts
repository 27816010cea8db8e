/** Time and date functions. */

import { DAY_NS, MS_NS, US_NS } from '../../../shared/time-units.ts';
import { executionError, notImplemented, planError } from '../types/errors.ts';
import { type Typed, timestampConstant, typed } from '../types/typed.ts';
import { dateType, int64, isFloat, type SqlType, timestampNs, utf8 } from '../types/types.ts';
import { castTo, toText } from '../values/casts.ts';
import { type IntervalValue, intervalNs } from '../values/intervals.ts';
import {
  clockInstantUs,
  fixedOffsetNs,
  fromLocal,
  instantOfClock,
  isUtc,
  isZone,
  toLocal,
  wallClock,
  wallClockBin,
} from '../values/zones.ts';
import { formatted, formattedByColumn, momentOf } from './chrono-format.ts';
import { datePart } from './date-part.ts';
import { arg, constantText, defineFunctions, type ScalarCall } from './define.ts';
import { exactBin, exactMonths, exactTrunc, startConstant } from './exact-bins.ts';
import { parsedByFormats } from './parsed-times.ts';
import { fixedParts, instant, zoneOf } from './time-arguments.ts';

export const timeFunctions = defineFunctions([
  ['date_bin', 2, 3, dateBin],
  ['date_bin_wallclock', 2, 3, dateBinWallclock],
  ['date_trunc datetrunc', 2, 2, dateTrunc],
  ['date_part datepart', 2, 2, datePart],
  ['now current_timestamp', 0, 0, (call) => timestampConstant(call.state.nowNs, '+00:00')],
  ['current_date today', 0, 0, (call) => typed(`CAST(make_timestamp_ns(${call.state.nowNs}) AS DATE)`, dateType)],
  ['current_time', 0, 0, (call) => typed(`CAST(make_timestamp_ns(${call.state.nowNs}) AS TIME_NS)`, { kind: 'time' })],
  ['to_timestamp to_timestamp_nanos', 1, 10, (call) => toTimestamp(call, 'ns')],
  ['to_timestamp_micros', 1, 10, (call) => toTimestamp(call, 'us')],
  ['to_timestamp_millis', 1, 10, (call) => toTimestamp(call, 'ms')],
  ['to_timestamp_seconds', 1, 10, (call) => toTimestamp(call, 's')],
  ['to_unixtime', 1, 10, toUnixtime],
  ['from_unixtime', 1, 2, fromUnixtime],
  ['to_date', 1, 10, toDate],
  ['make_date', 3, 3, (call) => typed(`make_date(${call.args.map((value) => castTo(value, int64).sql).join(', ')})`, dateType)],
  ['to_char date_format', 2, 2, toChar],
  ['to_local_time', 1, 1, toLocalTime],
  ['tz', 1, 2, tz],
]);

/** The stride of `date_bin`: a constant in nanoseconds or in months. */
export function binStride(name: string, value: Typed): { readonly ns: bigint } | { readonly months: number } {
  const interval: IntervalValue | undefined =
    value.constant?.kind === 'interval'
      ? value.constant.value
      : value.type.kind === 'duration' || value.constant?.kind === 'string'
        ? (castTo(value, { kind: 'interval' }).constant as { value: IntervalValue } | undefined)?.value
        : undefined;
  if (!interval) throw notImplemented(`${name.toUpperCase()} only supports literal values for the stride argument, not arrays`);
  const ns = intervalNs(interval);
  if (ns === undefined) {
    if (interval.days !== 0 || interval.ns !== 0n) {
      throw notImplemented('DATE_BIN stride does not support combination of month, day and nanosecond intervals');
    }
    return { months: interval.months };
  }
  if (ns === 0n) throw executionError('DATE_BIN stride must be non-zero');
  if (ns < 0n) throw executionError('DATE_BIN stride must be positive');
  return { ns };
}

function dateBin(call: ScalarCall): Typed {
  const stride = binStride('DATE_BIN', arg(call, 0));
  const time = instant(call, 1);
  const origin = call.args[2] ? originNs(call) : 0n;
  return binned(stride, time, origin, call.state.wrapsIntegers);
}

function originNs(call: ScalarCall): bigint {
  const origin = instant(call, 2);
  if (origin.constant?.kind !== 'timestamp') {
    throw notImplemented('DATE_BIN only supports literal values for the origin argument, not arrays');
  }
  return origin.constant.ns;
}

/** `time` floored to multiples of the stride, counted from the origin. `exact` = bins that begin before all time are told by name. */
export function binned(stride: ReturnType<typeof binStride>, time: Typed, origin: bigint, exact: boolean): Typed {
  const type = time.type;
  if ('months' in stride) {
    const { months } = stride;
    const from = origin === 0n ? undefined : `make_timestamp_ns(${origin})`;
    if (exact) return { ...exactMonths(time.sql, months, from, monthNumber(origin)), type };
    if (origin === 0n) return typed(`_df.date_bin_months2(${stride.months}, ${time.sql})`, type);
    return typed(`_df.date_bin_months3(${stride.months}, ${time.sql}, make_timestamp_ns(${origin}), ${monthNumber(origin)})`, type);
  }
  const { ns } = stride;
  if (time.constant?.kind === 'timestamp') {
    return { ...startConstant(binStart(stride, time.constant.ns, origin), time.constant.ns), type };
  }
  const offset = ((origin % ns) + ns) % ns;
  if (exact) return { ...exactBin(time.sql, ns, offset), type };
  // the remainder of a division that truncates, made positive: correct before 1970 and before the origin
  const shifted = offset === 0n ? `epoch_ns(${time.sql})` : `(epoch_ns(${time.sql}) - ${offset})`;
  const sql = `make_timestamp_ns(epoch_ns(${time.sql}) - ((${shifted} % ${ns}) + ${ns}) % ${ns})`;
  return { sql, type, ...(time.column === undefined ? {} : { bin: { column: time.column, ns, originNs: origin } }) };
}

/** Months since the year 0. */
function monthNumber(ns: bigint): number {
  const date = new Date(Number((ns - (((ns % DAY_NS) + DAY_NS) % DAY_NS)) / MS_NS));
  return date.getUTCFullYear() * 12 + date.getUTCMonth() + 1;
}

function dateBinWallclock(call: ScalarCall): Typed {
  const stride = binStride('DATE_BIN_WALLCLOCK', arg(call, 0));
  if ('months' in stride) throw notImplemented('DATE_BIN_WALLCLOCK stride does not support months');
  const time = instant(call, 1);
  const origin = call.args[2] ? originNs(call) : 0n;
  const zone = zoneOf(time);
  const { wrapsIntegers } = call.state;
  if (zone === undefined || isUtc(zone)) return binned(stride, time, origin, wrapsIntegers);
  if (fixedOffsetNs(zone) === undefined) return typed(wallClockBin(zone, time.sql, stride.ns, origin, wrapsIntegers), time.type);
  // The clock of a fixed offset is never set: its bins are those of another origin.
  return binned(stride, time, origin - (fixedOffsetNs(zone) ?? 0n), wrapsIntegers);
}

const truncParts = new Set([
  'year',
  'quarter',
  'month',
  'week',
  'day',
  'hour',
  'minute',
  'second',
  'millisecond',
  'microsecond',
  'nanosecond',
]);
function dateTrunc(call: ScalarCall): Typed {
  const part = constantText(arg(call, 0))?.toLowerCase();
  if (part === undefined) throw executionError('First argument of `DATE_TRUNC` must be non-null scalar Utf8');
  if (!truncParts.has(part))
    throw executionError(`Unsupported date_trunc granularity: '${part}'. Supported values are: ${[...truncParts].join(', ')}`);
  const time = instant(call, 1);
  const zone = zoneOf(time);
  if (part === 'nanosecond') return time;
  const { wrapsIntegers } = call.state;
  if (zone !== undefined && !isUtc(zone)) return zonedTrunc(part, time, zone, wrapsIntegers);
  const ns = fixedParts[part];
  // weeks start on Monday; 1970 began on a Thursday
  const origin = part === 'week' ? -3n * DAY_NS : 0n;
  const cut = ns === undefined ? calendarTrunc(part, time, wrapsIntegers) : binned({ ns }, time, origin, wrapsIntegers);
  return { ...cut, type: time.type };
}

/** Cut by the zone's clock. */
function zonedTrunc(part: string, time: Typed, zone: string, exact: boolean): Typed {
  const clock = wallClock(zone, time.sql);
  const ns = fixedParts[part];
  const wide = (sql: string): string => (exact ? `CAST(${sql} AS HUGEINT)` : sql);
  // An hour that comes twice keeps its offset.
  const start =
    ns !== undefined && ns < DAY_NS
      ? `${wide(`epoch_ns(${time.sql})`)} - (_df.pmod(epoch_us(${clock}), ${ns / US_NS}) * 1000 + _df.sub(${time.sql}))`
      : `${wide(clockInstantUs(zone, `CAST(date_trunc('${part}', ${clock}) AS TIMESTAMP)`))} * 1000`;
  return typed(exact ? `_df.bin_start(${start}, ${time.sql})` : `make_timestamp_ns(${start})`, time.type);
}

function calendarTrunc(part: string, time: Typed, exact: boolean): Typed {
  if (time.constant?.kind === 'timestamp') return startConstant(calendarStart(part, time.constant.ns), time.constant.ns);
  if (exact) return exactTrunc(part, time.sql);
  return typed(`CAST(date_trunc('${part}', _df.us(${time.sql})) AS TIMESTAMP_NS)`, timestampNs);
}

/** Start of the month, quarter or year of an instant. */
function calendarStart(part: string, ns: bigint): bigint {
  const date = new Date(Number((ns - (((ns % DAY_NS) + DAY_NS) % DAY_NS)) / MS_NS));
  const month = part === 'year' ? 0 : part === 'quarter' ? Math.floor(date.getUTCMonth() / 3) * 3 : date.getUTCMonth();
  return BigInt(Date.UTC(date.getUTCFullYear(), month, 1)) * MS_NS;
}

function toTimestamp(call: ScalarCall, unit: 's' | 'ms' | 'us' | 'ns'): Typed {
  const type: SqlType = { kind: 'timestamp', unit, zone: undefined };
  const value = arg(call, 0);
  if (call.args.length > 1) {
    return castTo(typed(parsedByFormats(call, 'TIMESTAMP_NS'), timestampNs), type);
  }
  if (value.type.kind === 'timestamp') return castTo({ ...value, type: timestampNs }, type);
  // compat: a float is a count of the function's unit, cut to an integer
  if (isFloat(value.type)) return castTo(castTo(value, int64), type);
  return castTo(value, type);
}

function toUnixtime(call: ScalarCall): Typed {
  const value = arg(call, 0);
  if (call.args.length > 1) return typed(`_df.floordiv(epoch_ns(${parsedByFormats(call, 'TIMESTAMP_NS')}), 1000000000)`, int64);
  if (value.type.kind === 'int' || isFloat(value.type)) return castTo(value, int64);
  return typed(`_df.floordiv(epoch_ns(${instant(call, 0).sql}), 1000000000)`, int64);
}

function fromUnixtime(call: ScalarCall): Typed {
  const zone = call.args[1] ? zoneName(arg(call, 1)) : undefined;
  const value = castTo(arg(call, 0), int64);
  return castTo(value, { kind: 'timestamp', unit: 's', zone });
}

function toDate(call: ScalarCall): Typed {
  // compat: a number counts days, whatever formats follow
  if (call.args.length > 1 && arg(call, 0).type.kind !== 'int') return typed(parsedByFormats(call, 'DATE'), dateType);
  return castTo(arg(call, 0), dateType);
}

function toChar(call: ScalarCall): Typed {
  const format = constantText(arg(call, 1));
  const value = arg(call, 0);
  if (value.type.kind === 'duration') return durationChar(value, format, arg(call, 1));
  const time = value.type.kind === 'date' ? value : value.type.kind === 'time' ? onFirstDay(value) : instant(call, 0);
  const moment = momentOf(time.sql, time.type.kind === 'date' ? 'date' : 'time', zoneOf(time));
  return typed(format === undefined ? formattedByColumn(toText(arg(call, 1)).sql, moment) : `(${formatted(format, moment)})`, utf8);
}

/** A time of the day as one of the first day that there is. */
function onFirstDay(value: Typed): Typed {
  return typed(`make_timestamp_ns(epoch_ns(${value.sql}))`, timestampNs);
}

/** Durations have two forms, by name. */
function durationChar(value: Typed, format: string | undefined, given: Typed): Typed {
  if (given.constant?.kind === 'null' || given.type.kind === 'null') return castTo(given, utf8);
  const unit = value.type.kind === 'duration' ? (value.type.unit ?? 'ns') : 'ns';
  if (format?.toLowerCase() === 'iso8601') return typed(`_df.dur_text(${value.sql})`, utf8);
  if (format?.toLowerCase() === 'pretty') return typed(`_df.dur_pretty(${value.sql}, ${DURATION_DIGITS[unit]})`, utf8);
  throw executionError(`to_char of a duration knows the formats 'pretty' and 'iso8601', not '${format ?? 'a column'}'`);
}

/** Digits of a second's fraction. */
const DURATION_DIGITS = { s: 0, ms: 3, us: 6, ns: 9 } as const;

function toLocalTime(call: ScalarCall): Typed {
  const time = instant(call, 0);
  const zone = zoneOf(time);
  if (zone === undefined || isUtc(zone)) return { ...time, type: timestampNs };
  return typed(toLocal(zone, time.sql), timestampNs);
}

function zoneName(value: Typed): string {
  const zone = constantText(value);
  if (zone === undefined || !isZone(zone)) throw planError(`TZ requires a valid timezone string, got "${zone ?? ''}"`);
  return zone;
}

function tz(call: ScalarCall): Typed {
  const time = instant(call, 0);
  const zone = call.args[1] ? zoneName(arg(call, 1)) : 'UTC';
  return { ...time, type: { kind: 'timestamp', unit: 'ns', zone } };
}

/** `x AT TIME ZONE 'z'`: a zone-less value is wall clock time in the zone, a zoned one is shown in it. */
export function atTimeZone(value: Typed, zoneValue: Typed): Typed {
  const zone = zoneName(zoneValue);
  const type: SqlType = { kind: 'timestamp', unit: 'ns', zone };
  // Text may say its own zone.
  if (value.type.kind === 'string') return castTo(value, type);
  const time = value.type.kind === 'timestamp' ? value : castTo(value, timestampNs);
  if (zoneOf(time) !== undefined || isUtc(zone)) return { ...time, type };
  if (time.constant?.kind === 'timestamp') return { ...timestampConstant(instantOfClock(zone, time.constant.ns)), type };
  return typed(fromLocal(zone, time.sql), type);
}

/** Start of the bin of a constant instant, for grids. */
export function binStart(stride: { readonly ns: bigint }, ns: bigint, origin: bigint): bigint {
  return ns - ((((ns - origin) % stride.ns) + stride.ns) % stride.ns);
}
