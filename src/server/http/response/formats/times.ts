import { writeDigits, writeInteger } from './numbers.ts';
import type { TextSink } from './text-sink.ts';
import { type ZoneClock, zoneClock } from './zone.ts';

const SECONDS_PER_DAY = 86_400;
const NS_PER_SECOND = 1_000_000_000;
const TWO_POW_32 = 4294967296;
const [T, Z, PLUS, MINUS, DOT, COLON] = [0x54, 0x5a, 0x2b, 0x2d, 0x2e, 0x3a];

/** Length of `YYYY-MM-DDTHH:MM:SS`. */
const SECOND_TEXT_BYTES = 19;

/**
 * Writes timestamps as text: 0, 3, 6 or 9 fraction digits, no zone mark without a zone, else RFC 3339.
 * The text of the last second is kept, because neighbours mostly share it.
 */
export class TimestampWriter {
  readonly #zone: ZoneClock | undefined;
  readonly #text = Buffer.alloc(SECOND_TEXT_BYTES);
  #lastSecond = Number.NaN;
  #lastDay = Number.NaN;

  constructor(zone: string | undefined) {
    this.#zone = zone === undefined ? undefined : zoneClock(zone);
  }

  /** Writes the instant whose nanoseconds are `high * 2^32 + low` (`high` signed, `low` unsigned). */
  write(sink: TextSink, high: number, low: number): void {
    sink.reserveCell();
    let second = Math.floor((high * TWO_POW_32 + low) / NS_PER_SECOND);
    // The quotient may be one off, as the sum was rounded; the remainder modulo 2^32 is exact and tells.
    let nanos = (low - Math.imul(second, NS_PER_SECOND)) | 0;
    if (nanos < 0) {
      second -= 1;
      nanos += NS_PER_SECOND;
    } else if (nanos >= NS_PER_SECOND) {
      second += 1;
      nanos -= NS_PER_SECOND;
    }
    if (this.#zone === undefined) {
      this.#writeLocal(sink, second, nanos);
      return;
    }
    const offset = this.#zone.offsetSecs(second);
    this.#writeLocal(sink, second + offset, nanos);
    if (this.#zone.isUtc || offset === 0) sink.byte(Z);
    else writeOffset(sink, offset);
  }

  #writeLocal(sink: TextSink, second: number, nanos: number): void {
    if (second !== this.#lastSecond) this.#renderSecond(second);
    const bytes = sink.bytes;
    const text = this.#text;
    let at = sink.length;
    for (let i = 0; i < SECOND_TEXT_BYTES; i++) bytes[at++] = text[i] as number;
    if (nanos !== 0) {
      bytes[at++] = DOT;
      const digits = nanos % 1_000_000 === 0 ? 3 : nanos % 1000 === 0 ? 6 : 9;
      writeDigits(bytes, at, digits === 3 ? nanos / 1_000_000 : digits === 6 ? nanos / 1000 : nanos, digits);
      at += digits;
    }
    sink.length = at;
  }

  #renderSecond(second: number): void {
    const day = Math.floor(second / SECONDS_PER_DAY);
    const text = this.#text;
    if (day !== this.#lastDay) {
      renderDay(text, 0, day);
      this.#lastDay = day;
    }
    const inDay = second - day * SECONDS_PER_DAY;
    text[10] = T;
    writeDigits(text, 11, inDay / 3600, 2);
    text[13] = COLON;
    writeDigits(text, 14, (inDay / 60) % 60, 2);
    text[16] = COLON;
    writeDigits(text, 17, inDay % 60, 2);
    this.#lastSecond = second;
  }
}

/** Writes `YYYY-MM-DD` of a day counted from the epoch. Years outside 0-9999 take the slow path. */
export function writeDate(sink: TextSink, day: number): void {
  sink.reserveCell();
  const { year, month, dayOfMonth } = civilDate(day);
  if (year < 0 || year > 9999) {
    const digits = String(Math.abs(year)).padStart(4, '0');
    sink.ascii(`${year < 0 ? '-' : '+'}${digits}-${pad2(month)}-${pad2(dayOfMonth)}`);
    return;
  }
  renderDay(sink.bytes, sink.length, day);
  sink.length += 10;
}

/** Writes a duration in nanoseconds as ISO 8601: `PT3600S`, `-PT0.5S`, `P0D`. */
export function writeDuration(sink: TextSink, ns: bigint): void {
  sink.reserveCell();
  if (ns === 0n) {
    sink.ascii('P0D');
    return;
  }
  const size = ns < 0n ? -ns : ns;
  sink.ascii(ns < 0n ? '-PT' : 'PT');
  writeInteger(sink, Number(size / 1_000_000_000n));
  const nanos = Number(size % 1_000_000_000n);
  if (nanos > 0) sink.ascii(`.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`);
  sink.ascii('S');
}

/** Writes a time of day in nanoseconds: `08:00:00`, with 0, 3, 6 or 9 fraction digits. */
export function writeTimeOfDay(sink: TextSink, ns: bigint): void {
  sink.reserveCell();
  const second = Number(ns / 1_000_000_000n);
  const nanos = Number(ns % 1_000_000_000n);
  sink.ascii(`${pad2(Math.floor(second / 3600))}:${pad2(Math.floor(second / 60) % 60)}:${pad2(second % 60)}`);
  if (nanos === 0) return;
  const digits = String(nanos).padStart(9, '0');
  sink.ascii(`.${digits.endsWith('000000') ? digits.slice(0, 3) : digits.endsWith('000') ? digits.slice(0, 6) : digits}`);
}

/** Writes an interval, largest unit first: `1 mons 2 days 3 hours 4 mins 5.000006000 secs`, `0 secs` for zero. */
export function writeInterval(sink: TextSink, months: number, days: number, ns: bigint): void {
  const parts: string[] = [];
  if (months !== 0) parts.push(`${months} mons`);
  if (days !== 0) parts.push(`${days} days`);
  const size = ns < 0n ? -ns : ns;
  const sign = ns < 0n ? '-' : '';
  const hours = size / 3_600_000_000_000n;
  const minutes = (size / 60_000_000_000n) % 60n;
  const seconds = (size / 1_000_000_000n) % 60n;
  const fraction = String(size % 1_000_000_000n).padStart(9, '0');
  if (hours !== 0n) parts.push(`${sign}${hours} hours`);
  if (minutes !== 0n) parts.push(`${sign}${minutes} mins`);
  if (seconds !== 0n || fraction !== '000000000') parts.push(`${sign}${seconds}.${fraction} secs`);
  sink.ascii(parts.length === 0 ? '0 secs' : parts.join(' '));
}

function renderDay(target: Uint8Array, at: number, day: number): void {
  const { year, month, dayOfMonth } = civilDate(day);
  writeDigits(target, at, year, 4);
  target[at + 4] = MINUS;
  writeDigits(target, at + 5, month, 2);
  target[at + 7] = MINUS;
  writeDigits(target, at + 8, dayOfMonth, 2);
}

/** Proleptic Gregorian date of a day number; eras of 400 years, years starting in March. */
function civilDate(day: number): { year: number; month: number; dayOfMonth: number } {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return { year, month, dayOfMonth: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1 };
}

function writeOffset(sink: TextSink, offsetSecs: number): void {
  sink.reserveCell();
  const minutes = Math.abs(Math.trunc(offsetSecs / 60));
  sink.byte(offsetSecs < 0 ? MINUS : PLUS);
  writeDigits(sink.bytes, sink.length, minutes / 60, 2);
  sink.bytes[sink.length + 2] = COLON;
  writeDigits(sink.bytes, sink.length + 3, minutes % 60, 2);
  sink.length += 5;
}

function pad2(value: number): string {
  return String(value).padStart(2, '0');
}
