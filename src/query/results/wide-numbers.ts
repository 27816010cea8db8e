/** Whole numbers of 128 bits, in halves as result vectors have them. */

/** The number of a row. */
export function hugeInteger(data: BigUint64Array, row: number, signed: boolean): bigint {
  const low = data[row * 2] as bigint;
  const high = data[row * 2 + 1] as bigint;
  return ((signed ? BigInt.asIntN(64, high) : high) << 64n) | low;
}

/** All digits of a decimal, as many behind the point as its type has. */
export function decimalText(data: BigUint64Array, row: number, scale: number): string {
  const value = hugeInteger(data, row, true);
  if (scale === 0) return String(value);
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${value < 0n ? '-' : ''}${digits.slice(0, point)}.${digits.slice(point)}`;
}
