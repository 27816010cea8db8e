import type { ResultType, ResultVector } from '../result.ts';

/** A result column of numbers; `value` undefined = null. */
export function numberVector(kind: ResultType['kind'], rowCount: number, value: (row: number) => number | undefined): ResultVector {
  const valid = new Uint8Array((rowCount + 7) >> 3);
  let nulls = 0;
  const each = (set: (row: number, value: number) => void): Uint8Array | undefined => {
    for (let row = 0; row < rowCount; row++) {
      const found = value(row);
      if (found === undefined) {
        nulls++;
        continue;
      }
      valid[row >> 3] = (valid[row >> 3] as number) | (1 << (row & 7));
      set(row, found);
    }
    return nulls === 0 ? undefined : valid;
  };
  if (kind === 'int64') {
    const data = new BigInt64Array(rowCount);
    const bits = each((row, found) => {
      data[row] = BigInt(found);
    });
    return { kind, data, valid: bits };
  }
  if (kind === 'uint64') {
    const data = new BigUint64Array(rowCount);
    const bits = each((row, found) => {
      data[row] = BigInt(found);
    });
    return { kind, data, valid: bits };
  }
  if (kind !== 'float64') throw new Error(`internal error: a number cannot be shown as ${kind}`);
  const data = new Float64Array(rowCount);
  const bits = each((row, found) => {
    data[row] = found;
  });
  return { kind, data, valid: bits };
}
