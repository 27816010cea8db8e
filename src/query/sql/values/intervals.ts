/** Interval literals: text -> months, days, nanoseconds. */
import { DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS } from '../../../shared/time-units.ts';
import { planError } from '../types/errors.ts';

export interface IntervalValue {
  readonly months: number;
  readonly days: number;
  readonly ns: bigint;
}

interface Unit {
  readonly part: 'months' | 'days' | 'ns';
  readonly factor: number;
}

const hourNs = 3_600_000_000_000;
const units: Readonly<Record<string, Unit>> = {
  nanosecond: { part: 'ns', factor: 1 },
  ns: { part: 'ns', factor: 1 },
  microsecond: { part: 'ns', factor: 1000 },
  us: { part: 'ns', factor: 1000 },
  millisecond: { part: 'ns', factor: 1_000_000 },
  ms: { part: 'ns', factor: 1_000_000 },
  second: { part: 'ns', factor: 1_000_000_000 },
  sec: { part: 'ns', factor: 1_000_000_000 },
  s: { part: 'ns', factor: 1_000_000_000 },
  minute: { part: 'ns', factor: 60_000_000_000 },
  min: { part: 'ns', factor: 60_000_000_000 },
  m: { part: 'ns', factor: 60_000_000_000 },
  hour: { part: 'ns', factor: hourNs },
  hr: { part: 'ns', factor: hourNs },
  h: { part: 'ns', factor: hourNs },
  day: { part: 'days', factor: 1 },
  d: { part: 'days', factor: 1 },
  week: { part: 'days', factor: 7 },
  w: { part: 'days', factor: 7 },
  month: { part: 'months', factor: 1 },
  mon: { part: 'months', factor: 1 },
  year: { part: 'months', factor: 12 },
  yr: { part: 'months', factor: 12 },
  y: { part: 'months', factor: 12 },
  decade: { part: 'months', factor: 120 },
  century: { part: 'months', factor: 1200 },
  centuries: { part: 'months', factor: 1200 },
};

const term = /\s*([+-]?\s*\d+(?:\.\d*)?|[+-]?\s*\.\d+)\s*([a-zA-Z]*)\s*/y;
const clock = /\s*([+-]?)(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d*)?))?\s*/y;

/** A number without a unit means `defaultUnit` (seconds when the statement names none). */
export function parseInterval(text: string, defaultUnit = 'second'): IntervalValue {
  let months = 0;
  let days = 0;
  let ns = 0n;
  let at = 0;
  if (text.trim() === '') throw invalid(text);
  while (at < text.length) {
    clock.lastIndex = at;
    const time = clock.exec(text);
    if (time) {
      ns += clockNs(time);
      at = clock.lastIndex;
      continue;
    }
    term.lastIndex = at;
    const match = term.exec(text);
    if (!match) throw invalid(text);
    at = term.lastIndex;
    const unit = unitOf((match[2] as string) || defaultUnit);
    if (!unit)
      throw invalid(
        text,
        `'${match[2]}' is no unit of time (nanosecond, microsecond, millisecond, second, minute, hour, day, week, month, year)`,
      );
    const amount = (match[1] as string).replaceAll(/\s/g, '');
    if (unit.part === 'ns') ns += scaled(amount, BigInt(unit.factor));
    else if (unit.part === 'days') {
      days += Math.trunc(Number(amount) * unit.factor);
      ns += fractionNs(Number(amount) * unit.factor);
    } else {
      const whole = Number(amount) * unit.factor;
      months += Math.trunc(whole);
      // compat: a month counts 30 days when it is split
      const restDays = (whole - Math.trunc(whole)) * 30;
      days += Math.trunc(restDays);
      ns += fractionNs(restDays);
    }
  }
  if (!Number.isSafeInteger(months) || !Number.isSafeInteger(days) || Math.abs(months) > 2_147_483_647 || Math.abs(days) > 2_147_483_647) {
    throw invalid(text);
  }
  if (ns > 9_223_372_036_854_775_807n || ns < -9_223_372_036_854_775_808n) throw invalid(text);
  return { months, days, ns };
}

/** The interval as nanoseconds with 24-hour days, or undefined when it holds months. */
export function intervalNs(value: IntervalValue): bigint | undefined {
  return value.months === 0 ? BigInt(value.days) * DAY_NS + value.ns : undefined;
}

function unitOf(name: string): Unit | undefined {
  const lower = name.toLowerCase();
  if (Object.hasOwn(units, lower)) return units[lower];
  const singular = lower.endsWith('s') ? lower.slice(0, -1) : lower;
  return Object.hasOwn(units, singular) ? units[singular] : undefined;
}

function clockNs(time: RegExpExecArray): bigint {
  const seconds = scaled(time[4] ?? '0', SECOND_NS);
  const total = BigInt(time[2] as string) * HOUR_NS + BigInt(time[3] as string) * MINUTE_NS + seconds;
  return time[1] === '-' ? -total : total;
}

/** Decimal text times an integer factor, exact, truncated. */
function scaled(text: string, factor: bigint): bigint {
  const negative = text.startsWith('-');
  const [whole, fraction = ''] = text.replace(/^[+-]/, '').split('.');
  const digits = fraction.slice(0, 18);
  const total = BigInt(whole || '0') * factor + (BigInt(digits || '0') * factor) / 10n ** BigInt(digits.length);
  return negative ? -total : total;
}

function fractionNs(days: number): bigint {
  return BigInt(Math.round((days - Math.trunc(days)) * 86_400_000_000_000));
}

function invalid(text: string, reason?: string): Error {
  return planError(`Invalid interval '${text}'${reason === undefined ? '' : `: ${reason}`}`);
}
