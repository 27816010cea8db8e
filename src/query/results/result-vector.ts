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

/** Builds a bitmap for values read one by one. */
export class ValidBitsBuilder {
  readonly #bits: Uint8Array;
  #nullCount = 0;

  constructor(rowCount: number) {
    this.#bits = new Uint8Array((rowCount + 7) >> 3).fill(0xff);
  }

  setNull(row: number): void {
    this.#bits[row >> 3] = (this.#bits[row >> 3] ?? 0) & ~(1 << (row & 7));
    this.#nullCount++;
  }

  build(): Uint8Array | undefined {
    return this.#nullCount === 0 ? undefined : this.#bits;
  }
}
