/** Powers of ten that a double holds exactly. */
const POW10 = Float64Array.of(
  1,
  1e1,
  1e2,
  1e3,
  1e4,
  1e5,
  1e6,
  1e7,
  1e8,
  1e9,
  1e10,
  1e11,
  1e12,
  1e13,
  1e14,
  1e15,
  1e16,
  1e17,
  1e18,
  1e19,
  1e20,
  1e21,
  1e22,
);
const TWO_53 = 9007199254740992;
/** Splits a double into two halves of 26 bits whose products are exact (Dekker). */
const SPLITTER = 134217729;
/** Far above the error of the two-double quotient below (about 2^-100), far below half a unit of the result. */
const DOUBT = 2 ** -90;

/**
 * Reads a float literal at `start` into `out[at]`, rounded to nearest. Returns the index behind the
 * longest literal, or -1 when there is none.
 */
export function readFloat(bytes: Uint8Array, start: number, out: Float64Array, at: number): number {
  const negative = bytes[start] === 0x2d;
  const first = negative ? start + 1 : start;
  let i = first;
  let value = 0;
  let digit = (bytes[i] as number) - 48;
  for (; digit >= 0 && digit <= 9; digit = (bytes[++i] as number) - 48) value = (Math.imul(value, 10) + digit) | 0;
  let digits = i - first;
  if (digits === 0) return -1;
  let scale = 0;
  if (bytes[i] === 0x2e) {
    const point = i;
    digit = (bytes[++i] as number) - 48;
    for (; digit >= 0 && digit <= 9; digit = (bytes[++i] as number) - 48) value = (Math.imul(value, 10) + digit) | 0;
    scale = i - point - 1;
    digits += scale;
    if (scale === 0) i = point;
  }
  if (digits > 9 || ((bytes[i] as number) | 0x20) === 0x65) return readLongFloat(bytes, start, i, out, at);
  const magnitude = scale === 0 ? value : value / (POW10[scale] as number);
  out[at] = negative ? -magnitude : magnitude;
  return i;
}

/** The literal's digits are `bytes[start, end)`, more than nine of them or followed by an exponent. */
function readLongFloat(bytes: Uint8Array, start: number, end: number, out: Float64Array, at: number): number {
  const behind = exponentEnd(bytes, end);
  const negative = bytes[start] === 0x2d;
  const magnitude = behind === end ? decimal(bytes, negative ? start + 1 : start, end) : -1;
  if (magnitude >= 0) out[at] = negative ? -magnitude : magnitude;
  else out[at] = Number(latin1(bytes, start, behind));
  return behind;
}

/** Index behind `[eE][+-]?[0-9]+` at `at`, or `at` itself. */
function exponentEnd(bytes: Uint8Array, at: number): number {
  if (((bytes[at] as number) | 0x20) !== 0x65) return at;
  let i = at + 1;
  if (bytes[i] === 0x2b || bytes[i] === 0x2d) i++;
  const first = i;
  while ((bytes[i] as number) >= 48 && (bytes[i] as number) <= 57) i++;
  return i === first ? at : i;
}

/** Exact value of `D` or `D.D` rounded to nearest; -1 when this way cannot promise that. */
function decimal(bytes: Uint8Array, start: number, end: number): number {
  let upper = 0;
  let lower = 0;
  let lowerPower = 1;
  let scale = 0;
  let digits = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] as number) - 48;
    if (digit < 0) {
      scale = end - i - 1;
      continue;
    }
    if (digits === 0 && digit === 0) continue;
    if (++digits <= 15) upper = upper * 10 + digit;
    else {
      lower = lower * 10 + digit;
      lowerPower *= 10;
    }
  }
  if (scale > 22 || digits > 19) return -1;
  const power = POW10[scale] as number;
  if (digits <= 15) return upper / power;
  return divideSum(upper * lowerPower, lower, upper, lowerPower, power);
}

/** (upper * lowerPower + lower) / power, rounded once; `rounded` is upper * lowerPower as a double. -1 when in doubt. */
function divideSum(rounded: number, lower: number, upper: number, lowerPower: number, power: number): number {
  const error = productError(upper, lowerPower, rounded) + lower;
  const head = rounded + error;
  const tail = error - (head - rounded);
  if (tail === 0 && head < TWO_53) return head / power;
  const quotient = head / power;
  const back = quotient * power;
  const rest = (head - back - productError(quotient, power, back) + tail) / power;
  const doubt = quotient * DOUBT;
  const below = quotient + (rest - doubt);
  return below === quotient + (rest + doubt) ? below : -1;
}

/** x * y - product, exactly. */
function productError(x: number, y: number, product: number): number {
  const xs = x * SPLITTER;
  const xHigh = xs - (xs - x);
  const xLow = x - xHigh;
  const ys = y * SPLITTER;
  const yHigh = ys - (ys - y);
  const yLow = y - yHigh;
  return xLow * yLow - (product - xHigh * yHigh - xLow * yHigh - xHigh * yLow);
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
