import { TIME_NS_MAX, TIME_NS_MIN } from '../../shared/time-range.ts';
import { LITTLE_ENDIAN, WORD_MASKS } from '../series/index.ts';
import { HIGH, LOW, readInt64, writeProduct } from './int64.ts';
import type { Precision } from './types.ts';

/** Whole numbers below this are exact in a double, and 15 digits always are below it. */
const EXACT_DIGITS = 15;
/** A cached text has at most a sign, 20 digits and its newline. */
const TEXT_WORDS = 6;

const FACTORS: Readonly<Record<Exclude<Precision, 'auto'>, number>> = {
  hour: 3.6e12,
  minute: 6e10,
  second: 1e9,
  millisecond: 1e6,
  microsecond: 1e3,
  nanosecond: 1,
};

/** Greatest factor that is multiplied in halves of 32 bits. */
const FACTOR_MAX = 1e9;

/** How messages name a precision. */
export const PRECISION_NAMES: Readonly<Record<Precision, string>> = {
  auto: 'Auto',
  hour: 'Hour',
  minute: 'Minute',
  second: 'Second',
  millisecond: 'Millisecond',
  microsecond: 'Microsecond',
  nanosecond: 'Nanosecond',
};

/** A timestamp as a line has it, in nanoseconds; undefined when no row can have that time. */
export function timestampToNs(timestamp: bigint, precision: Precision): bigint | undefined {
  const magnitude = timestamp < 0n ? -timestamp : timestamp;
  const ns = timestamp * BigInt(precision === 'auto' ? guessedFactor(magnitude / 1_000_000_000n) : FACTORS[precision]);
  return ns < TIME_NS_MIN || ns > TIME_NS_MAX ? undefined : ns;
}

/** The time of a line without a timestamp: ingest time truncated to the precision, ns. */
export function defaultTimeNs(ingestTimeNs: bigint, precision: Precision): bigint {
  const factor = precision === 'auto' ? 1n : BigInt(FACTORS[precision]);
  return (ingestTimeNs / factor) * factor;
}

/** Reads timestamps in the hot loop; what it does not take is left to the slow path. */
export class TimestampReader {
  /** Signed halves of the last time read, ns. */
  high = 0;
  low = 0;
  /** Signed halves of the time of lines without a timestamp. */
  defaultHigh = 0;
  defaultLow = 0;
  #precision: Precision = 'nanosecond';
  readonly #result = new Int32Array(2);
  /** The last text and its newline, to compare the next one with. */
  readonly #text = new Int32Array(TEXT_WORDS);
  #textLength = 0;

  /** Sets up for one body. */
  begin(precision: Precision, ingestTimeNs: bigint): void {
    const ns = defaultTimeNs(ingestTimeNs, precision);
    this.defaultHigh = Number(BigInt.asIntN(32, ns >> 32n));
    this.defaultLow = Number(BigInt.asIntN(32, ns));
    this.#precision = precision;
    this.#textLength = 0;
  }

  /** Reads `-?[0-9]+ *SP newline` at `start` into `high` and `low`. Returns the index of the newline, -1 if it is not that. */
  read(bytes: Uint8Array, view: DataView, start: number): number {
    if (this.#textLength > 0 && this.#sameText(view, start)) return start + this.#textLength - 1;
    const result = this.#result;
    const end = readInt64(bytes, start, result, 0, true);
    if (end < 0 || !this.#scale(bytes, start, end)) return -1;
    this.high = result[HIGH] as number;
    this.low = result[LOW] as number;
    if (bytes[end] === 0x0a) {
      this.#keepText(view, start, end + 1 - start);
      return end;
    }
    // `high` and `low` no longer are those of the kept text.
    this.#textLength = 0;
    let i = end;
    while (bytes[i] === 0x20) i++;
    return bytes[i] === 0x0a ? i : -1;
  }

  #sameText(view: DataView, at: number): boolean {
    const length = this.#textLength;
    if (at + ((length + 3) & ~3) > view.byteLength) return false;
    const text = this.#text;
    let i = at;
    let k = 0;
    for (const end = at + length - 3; i < end; i += 4) if (view.getInt32(i, LITTLE_ENDIAN) !== text[k++]) return false;
    const mask = WORD_MASKS[length & 3] as number;
    return mask === 0 || (view.getInt32(i, LITTLE_ENDIAN) & mask) === text[k];
  }

  #keepText(view: DataView, at: number, length: number): void {
    const padded = (length + 3) & ~3;
    this.#textLength = 0;
    if (padded > TEXT_WORDS * 4 || at + padded > view.byteLength) return;
    for (let k = 0; k * 4 < padded; k++) this.#text[k] = view.getInt32(at + k * 4, LITTLE_ENDIAN);
    const mask = WORD_MASKS[length & 3] as number;
    if (mask !== 0) this.#text[(padded >> 2) - 1] = (this.#text[(padded >> 2) - 1] as number) & mask;
    this.#textLength = length;
  }

  /** Multiplies the timestamp in `#result` into ns. False when no row can have that time. */
  #scale(bytes: Uint8Array, start: number, end: number): boolean {
    const result = this.#result;
    if (this.#precision === 'nanosecond') return !isAtEnd(result[HIGH] as number, result[LOW] as number);
    const negative = bytes[start] === 0x2d;
    if (end - start - (negative ? 1 : 0) > EXACT_DIGITS) return this.#scaleLong();
    const magnitude = Math.abs((result[HIGH] as number) * 4294967296 + ((result[LOW] as number) >>> 0));
    const factor = this.#precision === 'auto' ? guessedFactor(Math.floor(magnitude / 1e9)) : FACTORS[this.#precision];
    if (factor > FACTOR_MAX || magnitude > 9.2e18 / factor) return this.#scaleLong();
    writeProduct(magnitude, factor, negative, result, 0);
    return true;
  }

  #scaleLong(): boolean {
    const result = this.#result;
    const timestamp = (BigInt(result[HIGH] as number) << 32n) | BigInt((result[LOW] as number) >>> 0);
    const ns = timestampToNs(timestamp, this.#precision);
    if (ns === undefined) return false;
    result[HIGH] = Number(BigInt.asIntN(32, ns >> 32n));
    result[LOW] = Number(BigInt.asIntN(32, ns));
    return true;
  }
}

/** True for the int64 values beyond `TIME_NS_MIN` and `TIME_NS_MAX`, given as signed halves. */
function isAtEnd(high: number, low: number): boolean {
  return (high === 0x7fffffff && low === -1) || (high === -0x80000000 && (low === 0 || low === 1));
}

/** Factor to ns that `auto` sees in a magnitude, given in units of 1e9. */
function guessedFactor(billions: number | bigint): number {
  if (billions < 5) return 1e9;
  if (billions < 5_000) return 1e6;
  if (billions < 5_000_000) return 1e3;
  return 1;
}
