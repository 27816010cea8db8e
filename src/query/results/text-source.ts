import type { ResultVector, ValidBits } from '../result.ts';
import { LongStrings } from './result-long-strings.ts';
import { TEXT_BYTES_MAX, textTooLong } from './result-size.ts';
import { isValidAt, itemAt, type Selection, selectedBits, type VectorSource } from './vector-source.ts';

/** DuckDB's header of a text: its length, then 12 bytes of it, or 4 bytes and a pointer. */
const HEADER_BYTES = 16;
const INLINE_BYTES_MAX = 12;

/** Texts up to this length are copied byte by byte; longer ones pay for a native call. */
const SHORT_BYTES_MAX = 48;

/** Reads the texts, or the bytes, of a vector. Throws SQL_MEMORY when one of them is too long. */
export class TextSource implements VectorSource {
  readonly sizeBytes: number;
  readonly #kind: 'string' | 'binary';
  readonly #words: Uint32Array;
  readonly #view: DataView;
  readonly #valid: ValidBits;

  /** `headers`: memory of the vector. */
  constructor(kind: 'string' | 'binary', headers: ArrayBuffer, valid: ValidBits, bytesMax = TEXT_BYTES_MAX) {
    this.#kind = kind;
    this.#words = new Uint32Array(headers);
    this.#view = new DataView(headers);
    this.#valid = valid;
    this.sizeBytes = this.#measure(bytesMax);
  }

  rowBytes(row: number): number {
    return isValidAt(this.#valid, row) ? (this.#words[row * 4] as number) : 0;
  }

  read(selection: Selection): ResultVector {
    const { count } = selection;
    const words = this.#words;
    const offsets = new Uint32Array(count + 1);
    const long: number[] = [];
    let size = 0;
    for (let i = 0; i < count; i++) {
      const row = itemAt(selection, i);
      if (isValidAt(this.#valid, row)) {
        const length = words[row * 4] as number;
        size += length;
        if (length > INLINE_BYTES_MAX) long.push(row);
      }
      offsets[i + 1] = size;
    }
    const bytes = this.#copied(selection, offsets, long);
    return { kind: this.#kind, bytes, offsets, valid: selectedBits(this.#valid, selection) };
  }

  #copied(selection: Selection, offsets: Uint32Array, long: readonly number[]): Uint8Array {
    const size = offsets[selection.count] as number;
    // The last inline text is copied with what follows it in its header.
    const bytes = Buffer.allocUnsafeSlow(size + INLINE_BYTES_MAX);
    const target = new DataView(bytes.buffer);
    const longTexts = long.length === 0 ? undefined : new LongStrings(this.#view.buffer as ArrayBuffer, 0, this.#words, long);
    for (let i = 0; i < selection.count; i++) {
      const at = offsets[i] as number;
      const length = (offsets[i + 1] as number) - at;
      if (length === 0) continue;
      const row = itemAt(selection, i);
      if (length > INLINE_BYTES_MAX) {
        longTexts?.copy(row, bytes, at, length <= SHORT_BYTES_MAX);
        continue;
      }
      const from = row * HEADER_BYTES + 4;
      target.setUint32(at, this.#view.getUint32(from));
      if (length <= 4) continue;
      target.setUint32(at + 4, this.#view.getUint32(from + 4));
      if (length > 8) target.setUint32(at + 8, this.#view.getUint32(from + 8));
    }
    return bytes.subarray(0, size);
  }

  #measure(bytesMax: number): number {
    const words = this.#words;
    let sum = 0;
    for (let at = 0; at < words.length; at += 4) {
      const size = words[at] as number;
      if (!isValidAt(this.#valid, at >> 2)) continue;
      if (size > bytesMax) throw textTooLong(size, bytesMax);
      sum += size;
    }
    return sum;
  }
}
