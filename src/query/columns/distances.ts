const TWO_32 = 2 ** 32;

/**
 * Writes 64-bit times, given in halves, as distances from a base. A distance below 2^53 is exact; halves, because reading
 * 64-bit elements would make a bigint a row.
 */
export function writeDistances(halves: Int32Array, count: number, baseNs: bigint, to: Float64Array, at: number): void {
  const { high, low } = halvesOf(baseNs);
  for (let i = 0; i < count; i++) {
    to[at + i] = ((halves[i * 2 + 1] as number) - high) * TWO_32 + (((halves[i * 2] as number) >>> 0) - low);
  }
}

/** The times of rows, from their distances. */
export function absoluteTimes(distances: Float64Array, baseNs: bigint, rows: Int32Array): BigInt64Array {
  const data = new BigInt64Array(rows.length);
  const halves = new Int32Array(data.buffer);
  const base = halvesOf(baseNs);
  for (let i = 0; i < rows.length; i++) {
    const distance = distances[rows[i] as number] as number;
    const high = Math.floor(distance / TWO_32);
    const low = distance - high * TWO_32 + base.low;
    const carry = low >= TWO_32 ? 1 : 0;
    halves[i * 2] = low - carry * TWO_32;
    halves[i * 2 + 1] = base.high + high + carry;
  }
  return data;
}

/** Signed upper and unsigned lower half. */
function halvesOf(ns: bigint): { readonly high: number; readonly low: number } {
  return { high: Number(BigInt.asIntN(32, ns >> 32n)), low: Number(BigInt.asUintN(32, ns)) };
}
