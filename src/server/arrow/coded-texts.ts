import type { ResultVector } from '../../query/result.ts';
import type { BodyWriter } from './body.ts';

type CodedVector = Extract<ResultVector, { kind: 'coded' }>;

/** UTF-8 of texts that stand for codes, made once for each text of a result. */
export class CodedTexts {
  readonly #tables = new WeakMap<readonly string[], TextTable>();

  /** Bytes that the texts of rows take. */
  bytes({ codes, texts }: CodedVector, from: number, to: number): number {
    const table = this.#tableOf(texts);
    let sum = 0;
    for (let row = from; row < to; row++) {
      const code = codes[row] as number;
      if (code >= 0) sum += table.length(code);
    }
    return sum;
  }

  /** Fills `offsets` behind `offsets[at]`, which is there. */
  writeOffsets({ codes, texts }: CodedVector, from: number, to: number, offsets: Int32Array, at: number): void {
    const table = this.#tableOf(texts);
    let end = offsets[at] as number;
    for (let row = from; row < to; row++) {
      const code = codes[row] as number;
      if (code >= 0) end += table.length(code);
      offsets[at + row - from + 1] = end;
    }
  }

  /** Appends the texts of rows. */
  writeTexts(vector: CodedVector, from: number, to: number, body: BodyWriter): void {
    const size = this.bytes(vector, from, to);
    const at = body.take(size, OVERSHOOT_BYTES);
    this.#tableOf(vector.texts).copy(vector.codes, from, to, body.bytes, body.view, at);
  }

  #tableOf(texts: readonly string[]): TextTable {
    let table = this.#tables.get(texts);
    if (table === undefined) {
      table = new TextTable(texts);
      this.#tables.set(texts, table);
    }
    return table;
  }
}

/** Texts are copied by four bytes, so that up to three bytes behind the last one are written too. */
const OVERSHOOT_BYTES = 3;

/** Longer texts pay for a native call. */
const SHORT_BYTES_MAX = 64;

const FIRST_CODES = 64;
const FIRST_BYTES = 1024;
const UNKNOWN = -1;

/** The texts that were needed so far, one after the other. */
class TextTable {
  readonly #texts: readonly string[];
  /** By code. */
  #lengths = new Int32Array(FIRST_CODES).fill(UNKNOWN);
  #starts = new Int32Array(FIRST_CODES);
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  constructor(texts: readonly string[]) {
    this.#texts = texts;
  }

  length(code: number): number {
    const known = this.#lengths[code];
    return known === undefined || known === UNKNOWN ? this.#add(code) : known;
  }

  /** Copies the texts of codes whose lengths were asked for. `view` is the memory of `target`. */
  copy(codes: Int32Array, from: number, to: number, target: Buffer, view: DataView, at: number): void {
    const starts = this.#starts;
    const lengths = this.#lengths;
    const source = this.#view;
    let place = at;
    for (let row = from; row < to; row++) {
      const code = codes[row] as number;
      if (code < 0) continue;
      const start = starts[code] as number;
      const length = lengths[code] as number;
      if (length > SHORT_BYTES_MAX) target.set(this.#bytes.subarray(start, start + length), place);
      else for (let done = 0; done < length; done += 4) view.setInt32(place + done, source.getInt32(start + done, true), true);
      place += length;
    }
  }

  #add(code: number): number {
    const text = this.#texts[code] as string;
    if (code >= this.#lengths.length) {
      const count = Math.max(this.#texts.length, code + 1, this.#lengths.length * 2);
      const lengths = new Int32Array(count).fill(UNKNOWN);
      lengths.set(this.#lengths);
      const starts = new Int32Array(count);
      starts.set(this.#starts);
      [this.#lengths, this.#starts] = [lengths, starts];
    }
    const length = Buffer.byteLength(text);
    if (this.#end + length + OVERSHOOT_BYTES > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow((this.#end + length) * 2 + OVERSHOOT_BYTES);
      this.#bytes.copy(grown, 0, 0, this.#end);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#bytes.write(text, this.#end);
    this.#starts[code] = this.#end;
    this.#lengths[code] = length;
    this.#end += length;
    return length;
  }
}
