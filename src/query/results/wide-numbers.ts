/** Whole numbers of 128 bits, in halves as result vectors have them. */

/** The number of a row. */
export function hugeInteger(data: BigUint64Array, row: number, signed: boolean): bigint {
  const low = data[row * 2] as bigint;
  const high = data[row * 2 + 1] as bigint;
  return ((signed ? BigInt.asIntN(64, high) : high) << 64n) | low;
}

/** A decimal as the closest double: exact while its digits fit into one, else whole part and rest apart, as DuckDB does it. */
export function decimalNumber(data: BigUint64Array, row: number, scale: number): number {
  const value = hugeInteger(data, row, true);
  const power = 10 ** scale;
  if (scale === 0 || (value >= -EXACT_MAX && value <= EXACT_MAX)) return Number(value) / power;
  const whole = 10n ** BigInt(scale);
  return Number(value / whole) + Number(value % whole) / power;
}

const EXACT_MAX = 2n ** 53n;
