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

/** Texts up to this length are copied in JavaScript; longer ones pay for a native call. */
const SHORT_BYTES_MAX = 48;

const TWO_POW_32 = 4294967296;

/** Memory between two addresses, with a row whose text begins where it does. */
interface Span {
  readonly row: number;
  readonly start: number;
  end: number;
}

/** A span that was fetched. */
interface FetchedSpan extends Span {
  readonly bytes: Buffer;
}

/**
 * The texts of a VARCHAR vector that live outside of its headers. One native call per text would cost more than all the
 * formatting, and most texts of a chunk lie side by side, so they are fetched together.
 */
export class LongStrings {
  readonly #words: Uint32Array;
  /** By their starts, ascending; they do not overlap. */
  readonly #spans: readonly FetchedSpan[];
  #last: FetchedSpan | undefined;

  /** `headers` is the vector's memory, from `headerOffset` on, a multiple of 4; `longRows` are those whose texts are wanted. */
  constructor(headers: ArrayBuffer, headerOffset: number, longRows: readonly number[]) {
    this.#words = new Uint32Array(headers, headerOffset);
    const binding = load('@duckdb/node-bindings') as typeof duckdb;
    this.#spans = merged(this.#runs(longRows)).map((span) => {
      const pointer = headerOffset + span.row * HEADER_BYTES + POINTER_OFFSET;
      const { buffer, byteOffset, byteLength } = binding.get_data_from_pointer(headers, pointer, span.end - span.start);
      return { ...span, bytes: Buffer.from(buffer, byteOffset, byteLength) };
    });
    this.#last = this.#spans[0];
  }

  /** The text of one of the rows. */
  text(row: number): string {
    const address = this.#address(row);
    const { bytes, start } = this.#spanAt(address);
    return bytes.toString('utf8', address - start, address - start + this.#size(row));
  }

  /** Copies the text of one of the rows; `size` may be more than it has, if the texts of other rows follow it in memory. */
  copy(row: number, size: number, target: Buffer, at: number): void {
    const address = this.#address(row);
    const { bytes, start } = this.#spanAt(address);
    const from = address - start;
    if (size > SHORT_BYTES_MAX) bytes.copy(target, at, from, from + size);
    else for (let i = 0; i < size; i++) target[at + i] = bytes[from + i] as number;
  }

  /** Texts in the order of the rows, those together that lie behind each other: DuckDB fills block after block. */
  #runs(rows: readonly number[]): Span[] {
    const spans: Span[] = [];
    let current: Span | undefined;
    for (const row of rows) {
      const start = this.#address(row);
      const end = start + this.#size(row);
      if (current === undefined || start < current.start || start > current.end + GAP_BYTES_MAX) {
        current = { row, start, end };
        spans.push(current);
      } else if (end > current.end) current.end = end;
    }
    return spans;
  }

  /** The last span that starts at or before the address. */
  #spanAt(address: number): FetchedSpan {
    const last = this.#last as FetchedSpan;
    if (address >= last.start && address < last.end) return last;
    const spans = this.#spans;
    let low = 0;
    let high = spans.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((spans[middle] as FetchedSpan).start <= address) low = middle;
      else high = middle - 1;
    }
    this.#last = spans[low] as FetchedSpan;
    return this.#last;
  }

  #size(row: number): number {
    return this.#words[row * 4] as number;
  }

  /** User-space addresses have at most 48 bits, which a number holds exactly. */
  #address(row: number): number {
    return (this.#words[row * 4 + 3] as number) * TWO_POW_32 + (this.#words[row * 4 + 2] as number);
  }
}

/** By their starts; those that overlap or are neighbours become one. */
function merged(spans: Span[]): Span[] {
  spans.sort((a, b) => a.start - b.start);
  const found: Span[] = [];
  for (const span of spans) {
    const before = found.at(-1);
    if (before === undefined || span.start > before.end + GAP_BYTES_MAX) found.push(span);
    else if (span.end > before.end) before.end = span.end;
  }
  return found;
}
