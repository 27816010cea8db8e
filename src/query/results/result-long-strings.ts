import { createRequire } from 'node:module';
import type duckdb from '@duckdb/node-bindings';

/** Loads the native module at the first use; by then DuckDB has loaded it. */
const load = createRequire(import.meta.url);

/** Bytes of one string header, and where its pointer sits. */
const HEADER_BYTES = 16;
const POINTER_OFFSET = 8;

/**
 * Neighbours closer than this are fetched in one call, with the bytes between them. Far below the size of a memory
 * page, so every byte between two texts lies on a page that holds a part of one of them.
 */
const GAP_BYTES_MAX = 256;

const TWO_POW_32 = 4294967296;

/**
 * The texts of a VARCHAR vector that live outside of its headers. One native call per text would cost more than all the
 * formatting, and most texts of a chunk lie side by side, so they are fetched together.
 */
export class LongStrings {
  readonly #words: Uint32Array;
  /** Addresses where the fetched ranges start, ascending. */
  readonly #starts: number[] = [];
  readonly #ranges: Buffer[] = [];

  /** `headers` is the vector's memory, `words` the same memory as 32-bit numbers; `longRows` are those whose texts are wanted. */
  constructor(headers: ArrayBuffer, headerOffset: number, words: Uint32Array, longRows: readonly number[]) {
    this.#words = words;
    if (longRows.length === 0) return;
    const rows = this.#byAddress(longRows);
    const binding = load('@duckdb/node-bindings') as typeof duckdb;
    for (let first = 0; first < rows.length; ) {
      const firstRow = rows[first] as number;
      const start = this.#address(firstRow);
      let end = start + this.#size(firstRow);
      let next = first + 1;
      for (; next < rows.length; next++) {
        const row = rows[next] as number;
        if (this.#address(row) - end > GAP_BYTES_MAX) break;
        end = Math.max(end, this.#address(row) + this.#size(row));
      }
      const bytes = binding.get_data_from_pointer(headers, headerOffset + firstRow * HEADER_BYTES + POINTER_OFFSET, end - start);
      this.#starts.push(start);
      this.#ranges.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      first = next;
    }
  }

  /** The text of one of the rows. */
  text(row: number): string {
    const address = this.#address(row);
    const index = this.#rangeOf(address);
    const offset = address - (this.#starts[index] as number);
    return (this.#ranges[index] as Buffer).toString('utf8', offset, offset + this.#size(row));
  }

  /** Copies the text of one of the rows; `short` = byte by byte, which costs less than a native call for a few. */
  copy(row: number, target: Buffer, at: number, short: boolean): void {
    const address = this.#address(row);
    const index = this.#rangeOf(address);
    const from = address - (this.#starts[index] as number);
    const range = this.#ranges[index] as Buffer;
    const size = this.#size(row);
    if (!short) {
      range.copy(target, at, from, from + size);
      return;
    }
    for (let i = 0; i < size; i++) target[at + i] = range[from + i] as number;
  }

  #byAddress(rows: readonly number[]): readonly number[] {
    let last = 0;
    for (const row of rows) {
      const address = this.#address(row);
      if (address < last) return [...rows].sort((a, b) => this.#address(a) - this.#address(b));
      last = address;
    }
    return rows;
  }

  /** Last range that starts at or before the address. */
  #rangeOf(address: number): number {
    if (this.#starts.length === 1) return 0;
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= address) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #size(row: number): number {
    return this.#words[row * 4] as number;
  }

  /** User-space addresses have at most 48 bits, which a number holds exactly. */
  #address(row: number): number {
    return (this.#words[row * 4 + 3] as number) * TWO_POW_32 + (this.#words[row * 4 + 2] as number);
  }
}
