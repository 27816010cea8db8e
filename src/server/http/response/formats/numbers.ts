import type { TextSink } from './text-sink.ts';

/** Spelling of a float: `json` as in JSON output, `display` as in CSV and pretty output. */
export type FloatStyle = 'json' | 'display';

const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const TWO_POW_32 = 4294967296;

/**
 * Writes a 64-bit integer given as its two halves (`high` signed for int64, unsigned for uint64). False = beyond 2^53,
 * nothing was written, and the caller must spell the bigint.
 */
export function writeInt64(sink: TextSink, high: number, low: number): boolean {
  if (high < -0x20_0000 || high >= 0x20_0000) return false;
  sink.reserveCell();
  writeInteger(sink, high * TWO_POW_32 + low);
  return true;
}

/** Writes a whole number of at most 2^53. The caller has reserved a cell. */
export function writeInteger(sink: TextSink, value: number): void {
  const bytes = sink.bytes;
  let at = sink.length;
  let rest = value;
  if (rest < 0) {
    bytes[at++] = MINUS;
    rest = -rest;
  }
  if (rest > 0x7fff_ffff) {
    at = writeUint31(bytes, at, Math.floor(rest / 1e9));
    writeDigits(bytes, at, rest % 1e9, 9);
    sink.length = at + 9;
  } else {
    sink.length = writeUint31(bytes, at, rest);
  }
}

function writeUint31(bytes: Uint8Array, start: number, value: number): number {
  let size = 1;
  for (let bound = 10; size < 10 && value >= bound; bound *= 10) size++;
  let rest = value | 0;
  for (let at = start + size - 1; at >= start; at--) {
    const quotient = (rest / 10) | 0;
    bytes[at] = ZERO + rest - quotient * 10;
    rest = quotient;
  }
  return start + size;
}

/** Exactly `count` digits with leading zeros. */
export function writeDigits(bytes: Uint8Array, start: number, value: number, count: number): void {
  let rest = value | 0;
  for (let at = start + count - 1; at >= start; at--) {
    const quotient = (rest / 10) | 0;
    bytes[at] = ZERO + rest - quotient * 10;
    rest = quotient;
  }
}

/** Fraction digits that the fast path can write. */
const FAST_DIGITS = 5;
const FAST_POWER = 100_000;

/** Writes a finite double. Short decimals take the fast path: they are found by scaling, which is exact up to 2^53. */
export function writeFloat64(sink: TextSink, value: number, style: FloatStyle): void {
  sink.reserveCell();
  const size = Math.abs(value);
  if (size < 1e9) {
    const scaled = Math.round(size * FAST_POWER);
    if (scaled / FAST_POWER === size && (scaled !== 0 || value === 0)) {
      writeScaled(sink, value < 0 || Object.is(value, -0), scaled);
      return;
    }
  }
  sink.ascii(floatText(value, style));
}

function writeScaled(sink: TextSink, negative: boolean, scaled: number): void {
  if (negative) sink.bytes[sink.length++] = MINUS;
  const whole = Math.floor(scaled / FAST_POWER);
  writeInteger(sink, whole);
  sink.bytes[sink.length++] = DOT;
  let fraction = scaled - whole * FAST_POWER;
  let digits = FAST_DIGITS;
  while (digits > 1 && fraction % 10 === 0) {
    fraction = (fraction / 10) | 0;
    digits--;
  }
  writeDigits(sink.bytes, sink.length, fraction, digits);
  sink.length += digits;
}

/** Text of any double; always with a decimal point or exponent. Not finite: `NaN`, `inf`, `-inf`. */
export function floatText(value: number, style: FloatStyle): string {
  if (!Number.isFinite(value)) return notFiniteText(value);
  const size = Math.abs(value);
  // JavaScript prints plain digits here, as every style does.
  if (size >= 1e-5 && size < (style === 'json' ? 1e10 : 1e16)) {
    const text = String(value);
    return text.includes('.') ? text : `${text}.0`;
  }
  return layOut(value, value.toExponential(), style);
}

/** Text of a single-precision float: the shortest digits that give the same float32 back. */
export function float32Text(value: number, style: FloatStyle): string {
  if (!Number.isFinite(value)) return notFiniteText(value);
  for (let digits = 0; digits < 9; digits++) {
    const text = value.toExponential(digits);
    if (Math.fround(Number(text)) === value) return layOut(value, text, style);
  }
  return layOut(value, value.toExponential(), style);
}

function notFiniteText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'inf' : '-inf';
}

/** Lays shortest digits (`d.ddde+x`) out by the rules of the style. */
function layOut(value: number, exponential: string, style: FloatStyle): string {
  const mark = exponential.indexOf('e');
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const digits = exponential.slice(0, mark).replace('-', '').replace('.', '');
  const exponent = Number(exponential.slice(mark + 1));
  if (isPlain(exponent, digits.length, style)) return sign + plain(digits, exponent);
  const fraction = digits.slice(1);
  const mantissa = `${digits[0]}${fraction === '' ? '' : `.${fraction}`}`;
  // compat: JSON spells `1.0e10`, CSV and pretty `1e20`
  return `${sign}${fraction === '' && style === 'json' ? `${mantissa}.0` : mantissa}e${exponent}`;
}

function isPlain(exponent: number, digitCount: number, style: FloatStyle): boolean {
  if (style === 'json') return exponent >= -5 && exponent <= 9;
  return digitCount > 0 && exponent >= -5 && exponent < 16;
}

function plain(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return `${whole}.${fraction === '' ? '0' : fraction}`;
}
