import { createHash } from 'node:crypto';
import type { ResultColumn, ResultVector } from '../result.ts';
import type { ResultDigest } from '../sql/types/contract.ts';
import { textVector } from './made-vectors.ts';
import { bytesAt, isNullAt } from './result-access.ts';
import type { ChunkReader } from './result-reader.ts';

/** As a reader, with digests in place of the bytes that DuckDB delivers for some columns. */
export function digestingReader(reader: ChunkReader, digests: readonly (ResultDigest | undefined)[]): ChunkReader {
  if (digests.every((digest) => digest === undefined)) return reader;
  return {
    columns: reader.columns.map((column, index) => digestedColumn(column, digests[index])),
    *batches(chunk) {
      for (const { rowCount, columns } of reader.batches(chunk)) {
        yield { rowCount, columns: columns.map((vector, index) => digestedVector(vector, digests[index], rowCount)) };
      }
    },
  };
}

/** The column as clients see it once its bytes are digested. */
export function digestedColumn(column: ResultColumn, digest: ResultDigest | undefined): ResultColumn {
  if (digest === undefined) return column;
  return { ...column, type: digest.text === undefined ? { kind: 'binary' } : { kind: 'string', dictionary: false } };
}

function digestedVector(vector: ResultVector, digest: ResultDigest | undefined, rowCount: number): ResultVector {
  if (digest === undefined || vector.kind !== 'binary') return vector;
  const { algorithm, text } = digest;
  const made: (Buffer | null)[] = [];
  for (let row = 0; row < rowCount; row++) {
    made.push(isNullAt(vector, row) ? null : createHash(algorithm).update(bytesAt(vector, row)).digest());
  }
  // compat: base64 without padding
  if (text !== undefined) return textVector(made.map((bytes) => bytes?.toString(text).replace(/=+$/, '') ?? null));
  const offsets = new Uint32Array(rowCount + 1);
  made.forEach((bytes, row) => {
    offsets[row + 1] = (offsets[row] as number) + (bytes?.length ?? 0);
  });
  return { kind: 'binary', bytes: Buffer.concat(made.filter((bytes) => bytes !== null)), offsets, valid: vector.valid };
}
