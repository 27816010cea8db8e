import { LITTLE_ENDIAN } from '../series/index.ts';

/** Index of the lower and upper half of a 64-bit value in an `Int32Array` over the same memory. */
export const LOW: number = LITTLE_ENDIAN ? 0 : 1;
export const HIGH: number = 1 - LOW;

const TWO_32 = 4294967296;
/** 20 digits hold every 64-bit value. */
const DIGITS_MAX = 20;

/**
 * Reads `-?[0-9]+` at `start` as a 64-bit integer into `words` at 64-bit index `at`. Returns the index behind the last
 * digit, or -1 when there is no digit or the value does not fit (`signed`: int64, else uint64 without a sign).
 */
export function readInt64(bytes: Uint8Array, start: number, words: Int32Array, at: number, signed: boolean): number {
  const negative = bytes[start] === 0x2d;
  if (negative && !signed) return -1;
  const first = negative ? start + 1 : start;
  let i = first;
  let value = 0;
  for (let digit = (bytes[i] as number) - 48; digit >= 0 && digit <= 9; digit = (bytes[++i] as number) - 48) {
    value = (Math.imul(value, 10) + digit) | 0;
  }
  if (i - first > 9) return readLongInt64(bytes, first, i, negative, words, at, signed);
  if (i === first) return -1;
  if (negative) value = -value | 0;
  words[at * 2 + LOW] = value;
  words[at * 2 + HIGH] = value >> 31;
  return i;
}

/** Exact product `value * factor` as a 64-bit integer, `value` 0..2^53, `factor` up to 1e9, product below 2^63. */
export function writeProduct(value: number, factor: number, negative: boolean, words: Int32Array, at: number): void {
  writeMulAdd(value, factor, 0, negative, words, at);
}

/** Digits `bytes[first, end)`, more than nine of them. */
function readLongInt64(
  bytes: Uint8Array,
  first: number,
  end: number,
  negative: boolean,
  words: Int32Array,
  at: number,
  signed: boolean,
): number {
  let from = first;
  while (end - from > DIGITS_MAX && bytes[from] === 48) from++;
  if (end - from > DIGITS_MAX) return -1;
  const middle = end - 9;
  let upper = 0;
  for (let i = from; i < middle; i++) upper = upper * 10 + (bytes[i] as number) - 48;
  let lower = 0;
  for (let i = Math.max(middle, from); i < end; i++) lower = (Math.imul(lower, 10) + (bytes[i] as number) - 48) | 0;
  const high = writeMulAdd(upper, 1e9, lower, negative, words, at);
  if (!signed) return high < TWO_32 ? end : -1;
  if (high < 0x80000000) return end;
  return negative && high === 0x80000000 && words[at * 2 + LOW] === 0 ? end : -1;
}

/**
 * Writes the low 64 bits of ±(a * f + b), all non-negative. Splits so that every step stays below 2^53.
 * Returns the magnitude's upper half, which is 2^32 or more when 64 bits are not enough.
 */
function writeMulAdd(a: number, f: number, b: number, negative: boolean, words: Int32Array, at: number): number {
  const aLow = a % 65536;
  const product = ((a - aLow) / 65536) * f;
  const productLow = product % 65536;
  const low = productLow * 65536 + aLow * f + b;
  const lowWord = low % TWO_32;
  const high = (product - productLow) / 65536 + (low - lowWord) / TWO_32;
  // Through >>> 0 first: a double beyond 2^31 must wrap, not saturate.
  let lowBits = (lowWord >>> 0) | 0;
  let highBits = ((high % TWO_32) >>> 0) | 0;
  if (negative) {
    lowBits = -lowBits | 0;
    highBits = lowBits === 0 ? -highBits | 0 : ~highBits;
  }
  words[at * 2 + LOW] = lowBits;
  words[at * 2 + HIGH] = highBits;
  return high;
}
