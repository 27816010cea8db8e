import type { ResultType, ResultVector } from '../result.ts';

const TWO_32 = 2 ** 32;

/** A result column of numbers; `value` undefined = null. Integers must be exact as doubles. */
export function numberVector(kind: ResultType['kind'], rowCount: number, value: (row: number) => number | undefined): ResultVector {
  const valid = new Uint8Array((rowCount + 7) >> 3);
  const data = new Float64Array(rowCount);
  let nulls = 0;
  for (let row = 0; row < rowCount; row++) {
    const found = value(row);
    if (found === undefined) {
      nulls++;
      continue;
    }
    valid[row >> 3] = (valid[row >> 3] as number) | (1 << (row & 7));
    data[row] = found;
  }
  const bits = nulls === 0 ? undefined : valid;
  switch (kind) {
    case 'float64':
      return { kind, data, valid: bits };
    case 'int64':
      return { kind, data: new BigInt64Array(integers(data)), valid: bits };
    case 'uint64':
      return { kind, data: new BigUint64Array(integers(data)), valid: bits };
    default:
      throw new Error(`internal error: a number cannot be shown as ${kind}`);
  }
}

/** The values of some rows. */
export function gathered(values: Float64Array, rows: Int32Array): Float64Array {
  const data = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) data[i] = values[rows[i] as number] as number;
  return data;
}

/** The same for whole values, as integers. */
export function gatheredIntegers(values: Float64Array, rows: Int32Array): BigInt64Array {
  return new BigInt64Array(integers(gathered(values, rows)));
}

/** Whole doubles as 64-bit integers, in halves: no bigint a row. */
function integers(values: Float64Array): ArrayBuffer {
  const halves = new Int32Array(values.length * 2);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const high = Math.floor(value / TWO_32);
    halves[i * 2] = value - high * TWO_32;
    halves[i * 2 + 1] = high;
  }
  return halves.buffer;
}
