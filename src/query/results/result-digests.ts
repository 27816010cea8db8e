import { createHash } from 'node:crypto';
import type { ResultBatch, ResultColumn, ResultVector } from '../result.ts';
import type { ResultDigest } from '../sql/types/contract.ts';

/** The column as clients see it once its bytes are digested. */
export function digestedColumn(column: ResultColumn, digest: ResultDigest | undefined): ResultColumn {
  if (digest === undefined) return column;
  return { name: column.name, type: digest.text === undefined ? { kind: 'binary' } : { kind: 'string', dictionary: false } };
}

/** The batch with digests in place of the bytes that the engine delivered; each is made when its row is read. */
export function digestedBatch(batch: ResultBatch, digests: readonly (ResultDigest | undefined)[]): ResultBatch {
  return { rowCount: batch.rowCount, columns: batch.columns.map((vector, index) => digestedVector(vector, digests[index])) };
}

function digestedVector(vector: ResultVector, digest: ResultDigest | undefined): ResultVector {
  if (digest === undefined || vector.kind !== 'binary') return vector;
  const { algorithm, text } = digest;
  const bytes = (row: number): Buffer | null => {
    const value = vector.bytes(row);
    return value === null ? null : createHash(algorithm).update(value).digest();
  };
  if (text === undefined) return { kind: 'binary', bytes };
  // compat: base64 without padding
  return { kind: 'string', text: (row) => bytes(row)?.toString(text).replace(/=+$/, '') ?? null };
}
