import type { DuckDBValue, DuckDBVector } from '@duckdb/node-api';

/**
 * The parts of the binding's vectors that it keeps private: typed arrays and bitmaps instead of one object per value.
 * They are copies made when the vector was read, so they outlive the chunk. A test reads every type through them.
 */
export interface RawVector {
  readonly items?: ArrayBufferView;
  readonly dataView?: DataView;
  readonly validity?: { readonly data: BigUint64Array | null };
}

/** The private parts of a vector. */
export function rawVector(vector: DuckDBVector<DuckDBValue>): RawVector {
  return vector as unknown as RawVector;
}

/** Bit i (LSB first) set = not null; undefined when nothing is null. */
export function validBits(raw: RawVector): Uint8Array | undefined {
  const words = raw.validity?.data;
  return words === null || words === undefined ? undefined : new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
