import type { ResultVector, ValidBits } from '../result.ts';
import { LongStrings } from './result-long-strings.ts';
import { TEXT_BYTES_MAX, textTooLong } from './result-size.ts';
import { isValidAt, itemAt, type Selection, selectedBits, type VectorSource } from './vector-source.ts';

/** DuckDB's header of a text: its length, then 12 bytes of it, or 4 bytes and a pointer. */
const INLINE_BYTES_MAX = 12;

/** Where the texts of some rows stand, one after the other. */
interface Layout {
  readonly offsets: Uint32Array;
  /** Rows whose texts are outside of their headers. */
  readonly long: readonly number[];
}

/** Reads the texts, or the bytes, of a vector. Throws SQL_MEMORY when one of them is too long. */
export class TextSource implements VectorSource {
  readonly sizeBytes: number;
  readonly #kind: 'string' | 'binary';
  /** Four a row: the length, then what stands inline, or four bytes and an address. */
  readonly #words: Int32Array;
  readonly #valid: ValidBits;
  /** Of all rows. */
  readonly #layout: Layout;

  /** `headers`: memory of the vector. */
  constructor(kind: 'string' | 'binary', headers: ArrayBuffer, valid: ValidBits, bytesMax = TEXT_BYTES_MAX) {
    this.#kind = kind;
    this.#words = new Int32Array(headers);
    this.#valid = valid;
    const offsets = new Uint32Array((this.#words.length >> 2) + 1);
    const long: number[] = [];
    this.sizeBytes = layOut(this.#words, valid, offsets, long, bytesMax);
    this.#layout = { offsets, long };
  }

  rowBytes(row: number): number {
    return isValidAt(this.#valid, row) ? (this.#words[row * 4] as number) : 0;
  }

  read(selection: Selection): ResultVector {
    const isWhole = selection.rows === undefined && selection.start === 0 && selection.count === this.#words.length >> 2;
    const layout = isWhole ? this.#layout : this.#layOut(selection);
    return {
      kind: this.#kind,
      bytes: this.#copied(selection, layout),
      offsets: layout.offsets,
      valid: selectedBits(this.#valid, selection),
    };
  }

  #layOut(selection: Selection): Layout {
    const offsets = new Uint32Array(selection.count + 1);
    const long: number[] = [];
    let size = 0;
    for (let i = 0; i < selection.count; i++) {
      const row = itemAt(selection, i);
      const length = this.rowBytes(row);
      if (length > INLINE_BYTES_MAX) long.push(row);
      size += length;
      offsets[i + 1] = size;
    }
    return { offsets, long };
  }

  #copied({ start, count, rows }: Selection, { offsets, long }: Layout): Uint8Array {
    const words = this.#words;
    const size = offsets[count] as number;
    // The last inline text is copied with what follows it in its header.
    const bytes = Buffer.allocUnsafeSlow(size + INLINE_BYTES_MAX);
    const view = new DataView(bytes.buffer);
    if (long.length < count) copyInline(words, rows, start, offsets, view);
    if (long.length > 0) {
      const texts = new LongStrings(words.buffer as ArrayBuffer, 0, long);
      for (let i = 0; i < count; ) i = this.#copyLong(texts, { start, count, rows }, offsets, i, bytes);
    }
    return bytes.subarray(0, size);
  }

  /** Copies the text of a row if it is a long one, with those of the rows after it that follow in memory; gives the next row. */
  #copyLong(texts: LongStrings, { start, count, rows }: Selection, offsets: Uint32Array, first: number, bytes: Buffer): number {
    const words = this.#words;
    const at = offsets[first] as number;
    let length = (offsets[first + 1] as number) - at;
    let end = first + 1;
    if (length <= INLINE_BYTES_MAX) return end;
    const row = rows === undefined ? start + first : (rows[first] as number);
    const [low, high] = [words[row * 4 + 2] as number, words[row * 4 + 3] as number];
    for (; end < count; end++) {
      const next = (rows === undefined ? start + end : (rows[end] as number)) * 4;
      const more = (offsets[end + 1] as number) - (offsets[end] as number);
      if (more <= INLINE_BYTES_MAX || words[next + 2] !== ((low + length) | 0) || words[next + 3] !== high) break;
      length += more;
    }
    texts.copy(row, length, bytes, at);
    return end;
  }
}

/** Fills the offsets of all rows, and the rows with long texts; gives the bytes of all texts. */
function layOut(words: Int32Array, valid: ValidBits, offsets: Uint32Array, long: number[], bytesMax: number): number {
  const count = words.length >> 2;
  let size = 0;
  for (let row = 0; row < count; row++) {
    if (valid === undefined || isValidAt(valid, row)) {
      const length = words[row * 4] as number;
      if (length > INLINE_BYTES_MAX || length < 0) {
        if (length > bytesMax || length < 0) throw textTooLong(length >>> 0, bytesMax);
        long.push(row);
      }
      size += length;
    }
    offsets[row + 1] = size;
  }
  return size;
}

/** Copies the texts that are inside of their headers; the memory has room for a whole header behind the last one. */
function copyInline(words: Int32Array, rows: Uint32Array | undefined, start: number, offsets: Uint32Array, view: DataView): void {
  const count = offsets.length - 1;
  for (let i = 0; i < count; i++) {
    const at = offsets[i] as number;
    const length = (offsets[i + 1] as number) - at;
    if (length === 0 || length > INLINE_BYTES_MAX) continue;
    const header = (rows === undefined ? start + i : (rows[i] as number)) * 4;
    view.setInt32(at, words[header + 1] as number, true);
    if (length <= 4) continue;
    view.setInt32(at + 4, words[header + 2] as number, true);
    if (length > 8) view.setInt32(at + 8, words[header + 3] as number, true);
  }
}
