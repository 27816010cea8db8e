import type duckdb from '@duckdb/node-bindings';
import type { Vector } from '@duckdb/node-bindings';
import type { ResultVector, ValidBits } from '../result.ts';

/** DuckDB's native functions. */
export type Binding = typeof duckdb;

/** Items of a vector: `count` from `start` on, or those of `rows`, in that order. */
export interface Selection {
  readonly start: number;
  readonly count: number;
  readonly rows?: Uint32Array | undefined;
}

/** One vector of a chunk of DuckDB. What `read` makes stays valid when the chunk is gone. */
export interface VectorSource {
  /** Bytes of the texts and list items of all rows together, as `read` copies them; 0 for types of fixed width. */
  readonly sizeBytes: number;
  /** The same for one row. */
  rowBytes(row: number): number;
  read(selection: Selection): ResultVector;
}

/** The item that stands at place `i` of a selection. */
export function itemAt({ start, rows }: Selection, i: number): number {
  return rows === undefined ? start + i : (rows[i] as number);
}

/** Bit i (LSB first) set = item i is not null; undefined when DuckDB has no bitmap, which means that nothing is null. */
export function validBitsOf(binding: Binding, vector: Vector, count: number): ValidBits {
  if (count === 0) return undefined;
  // `null` where DuckDB has none, which the typings do not say
  return (binding.vector_get_validity(vector, Math.ceil(count / 64) * 8) as Uint8Array | null) ?? undefined;
}

/** A copy of the memory of a vector whose items have a fixed width; its buffer begins with it. */
export function dataOf(binding: Binding, vector: Vector, bytes: number): ArrayBuffer {
  if (bytes === 0) return new ArrayBuffer(0);
  const data = binding.vector_get_data(vector, bytes);
  if (data.byteOffset === 0) return data.buffer as ArrayBuffer;
  return data.buffer.slice(data.byteOffset, data.byteOffset + bytes) as ArrayBuffer;
}

/** True when the row has a value: bit `row` of the bytes, or all rows without them. */
export function isValidAt(valid: ValidBits, row: number): boolean {
  return valid === undefined || (((valid[row >> 3] as number) >> (row & 7)) & 1) === 1;
}

/** The bits of selected items; undefined when none of them is null. */
export function selectedBits(valid: ValidBits, selection: Selection): ValidBits {
  if (valid === undefined) return undefined;
  if (selection.rows === undefined && selection.start === 0) return valid;
  const bits = new ValidBitsBuilder(selection.count);
  for (let i = 0; i < selection.count; i++) if (!isValidAt(valid, itemAt(selection, i))) bits.setNull(i);
  return bits.build();
}

/** Builds a bitmap for values read one by one. */
export class ValidBitsBuilder {
  readonly #bits: Uint8Array;
  #nullCount = 0;

  constructor(rowCount: number) {
    this.#bits = new Uint8Array((rowCount + 7) >> 3).fill(0xff);
  }

  setNull(row: number): void {
    this.#bits[row >> 3] = (this.#bits[row >> 3] as number) & ~(1 << (row & 7));
    this.#nullCount++;
  }

  build(): ValidBits {
    return this.#nullCount === 0 ? undefined : this.#bits;
  }
}
