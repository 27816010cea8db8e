import type { ByteRows, ResultVector } from '../result.ts';
import { isValidAt } from './vector-source.ts';

/** True when the cell holds nothing. */
export function isNullAt(vector: ResultVector, row: number): boolean {
  if (vector.kind === 'null') return true;
  return vector.kind === 'coded' ? (vector.codes[row] as number) < 0 : !isValidAt(vector.valid, row);
}

/** The text of a cell; null where it is null, and for columns of other types. */
export function textAt(vector: ResultVector | undefined, row: number): string | null {
  if (vector?.kind === 'coded') return vector.texts[vector.codes[row] as number] ?? null;
  if (vector?.kind !== 'string' || !isValidAt(vector.valid, row)) return null;
  const { bytes, offsets } = vector;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', offsets[row], offsets[row + 1]);
}

/** A cell of the plain types. Throws for all others. */
export function plainAt(vector: ResultVector, row: number): string | bigint | number | boolean | null {
  if (isNullAt(vector, row)) return null;
  switch (vector.kind) {
    case 'string':
    case 'coded':
      return textAt(vector, row);
    case 'float64':
    case 'int64':
    case 'uint64':
    case 'timestamp':
      return vector.data[row] ?? null;
    case 'boolean':
      return vector.data[row] === 1;
    default:
      throw new Error(`internal error: a cell of a plain type was expected, not one of ${vector.kind}`);
  }
}

/** The bytes of a cell, in the memory of the batch. */
export function bytesAt({ bytes, offsets }: ByteRows, row: number): Uint8Array {
  return bytes.subarray(offsets[row] as number, offsets[row + 1] as number);
}

/** True when two cells of a column of texts are the same, or both null. */
export function isSameText(vector: ResultVector, a: number, b: number): boolean {
  if (vector.kind === 'coded') return vector.codes[a] === vector.codes[b];
  if (vector.kind !== 'string') return true;
  const isNull = isNullAt(vector, a);
  if (isNull || isNullAt(vector, b)) return isNull === isNullAt(vector, b);
  const { bytes, offsets } = vector;
  const [from, to, other] = [offsets[a] as number, offsets[a + 1] as number, offsets[b] as number];
  if ((offsets[b + 1] as number) - other !== to - from) return false;
  for (let i = 0; i < to - from; i++) if (bytes[from + i] !== bytes[other + i]) return false;
  return true;
}
