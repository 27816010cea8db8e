/** `date_part` and `extract`. */
import { HOUR_NS } from '../../../shared/time-units.ts';
import { executionError, notImplemented } from '../types/errors.ts';
import { type Typed, typed } from '../types/typed.ts';
import { float64, int32 } from '../types/types.ts';
import { isUtc, wallClock } from '../values/zones.ts';
import { arg, constantText, type ScalarCall } from './define.ts';
import { fixedParts, instant, zoneOf } from './time-arguments.ts';

const plainParts = new Set(['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second', 'dow', 'doy']);

const intervalParts = new Set(['year', 'month', 'week', 'day', 'hour', 'minute', 'second', 'millisecond', 'microsecond']);

const shortParts: Readonly<Record<string, string>> = {
  y: 'year',
  yr: 'year',
  mon: 'month',
  w: 'week',
  d: 'day',
  h: 'hour',
  hr: 'hour',
  m: 'minute',
  min: 'minute',
  s: 'second',
  sec: 'second',
  ms: 'millisecond',
  msec: 'millisecond',
  msecond: 'millisecond',
  us: 'microsecond',
  usec: 'microsecond',
  usecond: 'microsecond',
  ns: 'nanosecond',
  nsec: 'nanosecond',
  nsecond: 'nanosecond',
};

/** The part's full name in the singular. */
function partOf(given: string): string {
  if (Object.hasOwn(shortParts, given)) return shortParts[given] as string;
  const singular = given.replace(/s$/, '');
  return Object.hasOwn(shortParts, singular) ? (shortParts[singular] as string) : singular;
}

/** Parts of a second count the whole seconds of the minute too. */
function intervalPart(part: string, sql: string, given: string): Typed {
  if (part === 'epoch') return typed(`CAST(date_part('epoch', ${sql}) AS DOUBLE)`, float64);
  if (part === 'nanosecond') throw notImplemented('Date part Nanosecond not supported');
  if (!intervalParts.has(part)) throw executionError(`Date part '${given}' not supported`);
  // Weeks are whole ones of the days, which do not count for months.
  const sqlPart = part === 'week' ? `date_part('day', ${sql}) // 7` : `date_part('${part}', ${sql})`;
  return typed(`CAST(${sqlPart} AS INTEGER)`, int32);
}

/** The same of an interval with nanoseconds. */
function finePart(part: string, sql: string, given: string): Typed {
  if (part === 'year' || part === 'month') return typed(`CAST((${sql}).m ${part === 'year' ? '// 12' : '% 12'} AS INTEGER)`, int32);
  if (part === 'day' || part === 'week') return typed(`CAST((${sql}).d${part === 'week' ? ' // 7' : ''} AS INTEGER)`, int32);
  if (part === 'epoch') return typed(`(((${sql}).m * 30 + (${sql}).d) * 86400 + (${sql}).n / CAST(1000000000 AS DOUBLE))`, float64);
  if (part === 'hour') return typed(`CAST((${sql}).n // ${HOUR_NS} AS INTEGER)`, int32);
  return timePart(part, `(${sql}).n`, given);
}

/** A part of a time, a date or a span, as a 32-bit integer; `epoch` as a float. */
export function datePart(call: ScalarCall): Typed {
  const given = constantText(arg(call, 0))?.toLowerCase();
  if (given === undefined) throw executionError('First argument of `DATE_PART` must be non-null scalar Utf8');
  const part = partOf(given);
  const value = arg(call, 1);
  if (value.type.kind === 'interval' && value.type.fine === true) return finePart(part, value.sql, given);
  if (value.type.kind === 'interval') return intervalPart(part, value.sql, given);
  if (value.type.kind === 'duration') return durationPart(part, value.sql, given);
  if (value.type.kind === 'time') return timePart(part, `epoch_ns(${value.sql})`, given);
  if (value.type.kind === 'date') return calendarPart(part, value.sql, `CAST(${value.sql} AS TIMESTAMP)`, given);
  const time = instant(call, 1);
  if (part === 'epoch') return typed(`(epoch_ns(${time.sql}) / CAST(1000000000 AS DOUBLE))`, float64);
  const clock = wallClock(zoneOf(time) ?? 'UTC', time.sql);
  return calendarPart(part, isUtc(zoneOf(time) ?? 'UTC') ? time.sql : clock, clock, given);
}

/** A part of what a clock shows; `clock` is that as a TIMESTAMP. */
function calendarPart(part: string, shown: string, clock: string, given: string): Typed {
  if (part === 'epoch') return typed(`(epoch_us(${clock}) / CAST(1000000 AS DOUBLE))`, float64);
  if (part === 'millisecond') return typed(`CAST(_df.pmod(epoch_us(${clock}), 60000000) // 1000 AS INTEGER)`, int32);
  if (part === 'microsecond') return typed(`CAST(_df.pmod(epoch_us(${clock}), 60000000) AS INTEGER)`, int32);
  if (part === 'nanosecond') throw notImplemented('Date part Nanosecond not supported');
  if (part === 'isodow') return typed(`CAST(date_part('isodow', ${shown}) - 1 AS INTEGER)`, int32);
  if (!plainParts.has(part)) throw executionError(`Date part '${given}' not supported`);
  return typed(`CAST(date_part('${part}', ${shown}) AS INTEGER)`, int32);
}

/** Parts of a time of the day, from its nanoseconds; those of the second count it too. */
function timePart(part: string, ns: string, given: string): Typed {
  const whole = (divisor: number, modulo: number): Typed => typed(`CAST((${ns} // ${divisor}) % ${modulo} AS INTEGER)`, int32);
  switch (part) {
    case 'hour':
      return whole(3_600_000_000_000, 24);
    case 'minute':
      return whole(60_000_000_000, 60);
    case 'second':
      return whole(1_000_000_000, 60);
    case 'millisecond':
      return whole(1_000_000, 60_000);
    case 'microsecond':
      return whole(1000, 60_000_000);
    case 'nanosecond':
      // compat: cut to 32 bits would not be shown by DataFusion either
      throw notImplemented('Date part Nanosecond not supported');
    case 'epoch':
      return typed(`(${ns} / CAST(1000000000 AS DOUBLE))`, float64);
    default:
      throw executionError(`Date part '${given}' not supported`);
  }
}

/** Each part is the whole duration in its unit. */
function durationPart(part: string, sql: string, given: string): Typed {
  if (part === 'epoch') return typed(`(${sql} / CAST(1000000000 AS DOUBLE))`, float64);
  const ns = fixedParts[part];
  if (ns === undefined) throw executionError(`Date part '${given}' not supported`);
  return typed(`CAST(${sql} // ${ns} AS INTEGER)`, int32);
}
