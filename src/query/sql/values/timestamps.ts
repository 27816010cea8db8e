/** Timestamps in text -> nanoseconds, with the grammar and the messages of DataFusion. */
import { DAY_NS, SECOND_NS } from '../../../shared/time-units.ts';
import { zoneOffsets } from '../../../shared/zone-offset.ts';
import { foldingError } from '../types/errors.ts';

/** The widest range InfluxDB 3 Core can show. */
export const timestampNsMin = -9_223_372_036_854_775_808n;
export const timestampNsMax = 9_223_372_036_854_775_807n;

/**
 * Throws InfluxDB 3 Core's error for anything that is not a timestamp.
 * @param toInstant of a wall-clock time, for texts without a zone; they are UTC without it. Undefined = the clock does not
 * show that time, or shows it twice.
 */
export function parseTimestamp(text: string, toInstant: (localNs: bigint) => bigint | undefined = (ns) => ns): bigint {
  if (text.length < 10) throw failed(text, 'timestamp must contain at least 10 characters');
  const date = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text.slice(0, 10));
  const days = date ? dayNumber(Number(date[1]), Number(date[2]), Number(date[3])) : undefined;
  if (days === undefined) throw failed(text, 'error parsing date');
  if (text.length === 10) return inRange(text, onceShown(text, toInstant(BigInt(days) * DAY_NS)));
  if (!'Tt '.includes(text[10] as string)) throw failed(text, 'invalid timestamp separator');
  const time = /^(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?/.exec(text.slice(11));
  const seconds = time ? clockSeconds(time) : undefined;
  if (!time || seconds === undefined) throw failed(text, 'error parsing time');
  const fraction = BigInt((time[4] ?? '').slice(0, 9).padEnd(9, '0'));
  const local = (BigInt(days) * 86_400n + BigInt(seconds)) * SECOND_NS + fraction;
  const zone = text.slice(11 + time[0].length);
  return inRange(text, onceShown(text, zone === '' ? toInstant(local) : zoned(local, zone)));
}

/** The date of a text, as `YYYY-MM-DD`; dates go further than timestamps. Throws InfluxDB 3 Core's error for anything else. */
export function parseDate(text: string): string {
  const [, year = '', month = '', day = ''] = PLAIN_DATE.exec(text) ?? SHORT_DATE.exec(text) ?? [];
  if (year !== '' && dayNumber(Number(year), Number(month), Number(day)) !== undefined)
    return `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
  if (text.length <= 10) throw foldingError(`Cast error: Cannot cast string '${text}' to value of Date32 type`);
  const days = parseTimestamp(text) / DAY_NS - (parseTimestamp(text) % DAY_NS < 0n ? 1n : 0n);
  return new Date(Number(days) * 86_400_000).toISOString().slice(0, 10);
}

const PLAIN_DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})$/;
const SHORT_DATE = /^(\d{4})(\d{2})(\d{2})$/;

function onceShown(text: string, instant: bigint | undefined): bigint {
  if (instant === undefined) throw failed(text, 'error computing timezone offset');
  return instant;
}

function clockSeconds(time: RegExpExecArray): number | undefined {
  const [hour, minute, second] = [Number(time[1]), Number(time[2]), Number(time[3])];
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  return hour * 3600 + minute * 60 + second;
}

function dayNumber(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return Math.floor(date.getTime() / 86_400_000);
}

function zoned(localNs: bigint, zoneText: string): bigint | undefined {
  if (zoneText === 'Z' || zoneText === 'z') return localNs;
  const zone = zoneText.trimStart();
  const offset = /^([+-])(\d{2})(?::?(\d{2}))?$/.exec(zone);
  if (offset) {
    if (Number(offset[2]) > 23 || Number(offset[3] ?? 0) > 59) throw invalidZone(zone);
    const seconds = BigInt(Number(offset[2]) * 3600 + Number(offset[3] ?? 0) * 60) * SECOND_NS;
    return offset[1] === '-' ? localNs + seconds : localNs - seconds;
  }
  if (!isZoneName(zone)) throw invalidZone(zone);
  const east = zoneOffsetNs(zone, localNs);
  return east === undefined ? undefined : localNs - east;
}

function invalidZone(zone: string): Error {
  return foldingError(`Parser error: Invalid timezone "${zone}": failed to parse timezone`);
}

/** A name of the tz database, spelled exactly. */
export function isZoneName(zone: string): boolean {
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(zone)) return false;
  try {
    const canonical = new Intl.DateTimeFormat('en', { timeZone: zone });
    // Intl ignores case; the tz database has no lower-case or all-caps variant of its slashed names
    return canonical.resolvedOptions().timeZone.length > 0 && (!zone.includes('/') || /[a-z]/.test(zone));
  } catch {
    return false;
  }
}

/**
 * Nanoseconds that a zone is east of UTC when its clock shows a time. Undefined where the clock never shows it, or shows it twice: it
 * is set forward over the time, or back.
 */
export function zoneOffsetNs(zone: string, localNs: bigint): bigint | undefined {
  const offsetSecs = zoneOffsets(zone);
  const localSecs = Number((localNs - (((localNs % SECOND_NS) + SECOND_NS) % SECOND_NS)) / SECOND_NS);
  // The clock is set once in two days at most: the offset is that of the day before or of the day after.
  const around = [localSecs - DAY_SECS, localSecs + DAY_SECS].map(offsetSecs);
  const [offset, other] = [...new Set(around)].filter((secs) => offsetSecs(localSecs - secs) === secs);
  return offset === undefined || other !== undefined ? undefined : BigInt(offset) * SECOND_NS;
}

const DAY_SECS = 86_400;

function inRange(text: string, ns: bigint): bigint {
  if (ns >= timestampNsMin && ns <= timestampNsMax) return ns;
  const shown = text.length === 10 ? `${text} 00:00:00` : text.slice(0, 19).replace(/[Tt]/, ' ');
  throw foldingError(
    `Cast error: Overflow converting ${shown} to Nanosecond. The dates that can be represented as nanoseconds have to be between 1677-09-21T00:12:44.0 and 2262-04-11T23:47:16.854775804`,
  );
}

function failed(text: string, reason: string): Error {
  return foldingError(`Parser error: Error parsing timestamp from '${text}': ${reason}`);
}

/** Moves a timestamp by whole months; the day is cut to the month's last, as both engines do. */
export function addMonths(ns: bigint, months: number): bigint {
  let days = ns / DAY_NS;
  let rest = ns % DAY_NS;
  if (rest < 0n) {
    rest += DAY_NS;
    days -= 1n;
  }
  const date = new Date(Number(days) * 86_400_000);
  const target = date.getUTCFullYear() * 12 + date.getUTCMonth() + months;
  const year = Math.floor(target / 12);
  const month = target - year * 12;
  const last = new Date(0);
  last.setUTCFullYear(year, month + 1, 0);
  const moved = new Date(0);
  moved.setUTCFullYear(year, month, Math.min(date.getUTCDate(), last.getUTCDate()));
  return BigInt(moved.getTime() / 86_400_000) * DAY_NS + rest;
}
