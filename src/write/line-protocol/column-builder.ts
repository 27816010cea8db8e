import type { ColumnSchema } from '../../catalog/schema.ts';
import type { ColumnType } from '../../shared/column-type.ts';
import { LITTLE_ENDIAN, WORD_MASKS } from '../series/index.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { ParsedColumn, StringData } from './parsed-write.ts';

const FIRST_ROWS = 64;
const FIRST_STRING_BYTES = 1024;
/** More bytes than any body has. */
const NEVER = 0x3fffffff;
const NO_FLOATS = new Float64Array(0);
const NO_WORDS = new Int32Array(0);
const NO_BYTES = new Uint8Array(0);
const NO_OFFSETS = new Uint32Array(0);

/** `ColumnBuilder.kind`: column types as small numbers, for the hot loop. */
export const FLOAT = 0;
export const INTEGER = 1;
export const UINTEGER = 2;
export const STRING = 3;
export const BOOLEAN = 4;
export const TAG = 5;
export const TIME = 6;

const KINDS: Readonly<Record<ColumnType, number>> = {
  float: FLOAT,
  integer: INTEGER,
  uinteger: UINTEGER,
  string: STRING,
  boolean: BOOLEAN,
  tag: TAG,
  time: TIME,
};

/**
 * One column of one table while a body is parsed. Rows are appended in order; rows without a value are filled in when the
 * next value comes or at the end. The arrays are kept for the next body.
 */
export class ColumnBuilder implements ParsedColumn {
  readonly column: ColumnSchema;
  readonly kind: number;
  /** Bytes of the name and its `=`. */
  readonly keyLength: number;
  readonly #keyBytesPadded: number;
  /** The name and its `=` as whole words, and what is left of it. */
  readonly #keyWords: Int32Array;
  readonly #keyRest: number;
  readonly #keyMask: number;
  readonly #budget: MemoryBudget;
  /** Columns with a value in this body, shared by the columns of a table. */
  readonly #touched: ColumnBuilder[];
  /** The column that followed this one last time. */
  next: ColumnBuilder;

  /** Rows [0, filled) are complete; -1: not touched by this body yet. */
  filled = -1;
  capacity = 0;
  nullCount = 0;
  valid: Uint8Array = NO_BYTES;
  data: Float64Array | BigInt64Array | BigUint64Array | Uint8Array | StringData = NO_BYTES;
  floats: Float64Array = NO_FLOATS;
  words: Int32Array = NO_WORDS;
  /** Booleans, or the text of strings. */
  bytes: Uint8Array = NO_BYTES;
  offsets: Uint32Array = NO_OFFSETS;
  bytesUsed = 0;

  constructor(column: ColumnSchema, name: Uint8Array, budget: MemoryBudget, touched: ColumnBuilder[]) {
    this.column = column;
    this.kind = KINDS[column.type];
    this.keyLength = name.length + 1;
    const padded = new Uint8Array((this.keyLength + 3) & ~3);
    this.#keyBytesPadded = isPlain(name) ? padded.length : NEVER;
    padded.set(name);
    padded[name.length] = 0x3d;
    const words = new Int32Array(padded.buffer);
    this.#keyWords = words.subarray(0, this.keyLength >> 2);
    this.#keyMask = WORD_MASKS[this.keyLength & 3] as number;
    this.#keyRest = this.#keyMask === 0 ? 0 : (words[words.length - 1] as number);
    this.#budget = budget;
    this.#touched = touched;
    this.next = this;
  }

  /**
   * Is the body at `at` this column's name and `=`? Always false for names that lines write with escapes, and when the body
   * ends too soon to look at whole words.
   */
  matches(view: DataView, at: number): boolean {
    if (at + this.#keyBytesPadded > view.byteLength) return false;
    const words = this.#keyWords;
    let i = at;
    for (let k = 0; k < words.length; k++, i += 4) if (view.getInt32(i, LITTLE_ENDIAN) !== words[k]) return false;
    return this.#keyMask === 0 || (view.getInt32(i, LITTLE_ENDIAN) & this.#keyMask) === this.#keyRest;
  }

  /** Makes place for a value of `row` and fills the rows before. False: the row already has one. */
  prepare(row: number): boolean {
    if (this.filled > row) return false;
    if (this.filled < 0) {
      this.filled = 0;
      this.#touched.push(this);
    }
    if (row >= this.capacity) this.#grow(row + 1);
    if (this.filled < row) this.#fillNulls(row);
    return true;
  }

  /** Takes back the value of `row`, if there is one. */
  rollback(row: number): void {
    if (this.filled <= row) return;
    this.filled = row;
    if (this.kind === STRING) this.bytesUsed = this.offsets[row] as number;
  }

  /** Completes the column. False: it has no value at all. */
  finish(rowCount: number): boolean {
    if (this.filled === this.nullCount) return false;
    if (rowCount > this.capacity) this.#grow(rowCount);
    if (this.filled < rowCount) this.#fillNulls(rowCount);
    return true;
  }

  /** Empties the column for the next body. */
  reset(): void {
    if (this.nullCount > 0) this.valid.fill(0xff);
    this.filled = -1;
    this.nullCount = 0;
    this.bytesUsed = 0;
  }

  /** Gives the arrays back; the column must be empty. */
  release(): void {
    this.#budget.take(-this.#heldBytes());
    this.capacity = 0;
    this.valid = NO_BYTES;
    this.data = NO_BYTES;
    this.floats = NO_FLOATS;
    this.words = NO_WORDS;
    this.bytes = NO_BYTES;
    this.offsets = NO_OFFSETS;
  }

  /** Appends text as the value of `row`, which has been prepared. */
  putString(row: number, text: Uint8Array): void {
    this.reserveBytes(text.length);
    this.bytes.set(text, this.bytesUsed);
    this.bytesUsed += text.length;
    this.offsets[row + 1] = this.bytesUsed;
  }

  /** Makes place for at least `length` more bytes of text. */
  reserveBytes(length: number): void {
    const needed = this.bytesUsed + length;
    if (needed <= this.bytes.length) return;
    const size = Math.max(needed, this.bytes.length * 2, FIRST_STRING_BYTES);
    this.#budget.take(size - this.bytes.length);
    const larger = new Uint8Array(size);
    larger.set(this.bytes.subarray(0, this.bytesUsed));
    this.bytes = larger;
    this.data = { offsets: this.offsets, bytes: larger };
  }

  #heldBytes(): number {
    return this.valid.length + this.floats.byteLength + this.words.byteLength + this.bytes.length + this.offsets.byteLength;
  }

  #grow(rows: number): void {
    const capacity = Math.max(rows, this.capacity * 2, FIRST_ROWS);
    const before = this.#heldBytes();
    const rowBytes = this.kind === STRING ? 4 : this.kind === BOOLEAN ? 1 : 8;
    this.#budget.take(capacity * rowBytes + ((capacity + 7) >> 3) + (this.kind === STRING ? this.bytes.length + 4 : 0) - before);
    const valid = new Uint8Array((capacity + 7) >> 3).fill(0xff);
    valid.set(this.valid);
    this.valid = valid;
    this.capacity = capacity;
    this.#growValues(capacity);
  }

  #growValues(capacity: number): void {
    const used = Math.max(this.filled, 0);
    switch (this.kind) {
      case FLOAT: {
        const floats = new Float64Array(capacity);
        floats.set(this.floats.subarray(0, used));
        this.floats = floats;
        this.data = floats;
        return;
      }
      case STRING: {
        const offsets = new Uint32Array(capacity + 1);
        offsets.set(this.offsets.subarray(0, used + 1));
        this.offsets = offsets;
        this.data = { offsets, bytes: this.bytes };
        return;
      }
      case BOOLEAN: {
        const bytes = new Uint8Array(capacity);
        bytes.set(this.bytes.subarray(0, used));
        this.bytes = bytes;
        this.data = bytes;
        return;
      }
      default: {
        const words = new Int32Array(capacity * 2);
        words.set(this.words.subarray(0, used * 2));
        this.words = words;
        this.data = this.kind === UINTEGER ? new BigUint64Array(words.buffer) : new BigInt64Array(words.buffer);
      }
    }
  }

  /** Rows [filled, end) have no value: zero in the arrays, so that nothing of an earlier body shows through. */
  #fillNulls(end: number): void {
    const start = this.filled;
    clearBits(this.valid, start, end);
    this.nullCount += end - start;
    this.filled = end;
    if (this.kind === FLOAT) this.floats.fill(0, start, end);
    else if (this.kind === STRING) this.offsets.fill(this.bytesUsed, start + 1, end + 1);
    else if (this.kind === BOOLEAN) this.bytes.fill(0, start, end);
    else this.words.fill(0, start * 2, end * 2);
  }
}

/** Written in lines as it is, and of no meaning to the line splitter. */
function isPlain(name: Uint8Array): boolean {
  return name.every((byte) => byte > 0x20 && byte !== 0x22 && byte !== 0x2c && byte !== 0x3d && byte !== 0x5c);
}

function clearBits(bits: Uint8Array, start: number, end: number): void {
  const firstWhole = (start + 7) >> 3;
  const lastWhole = end >> 3;
  if (firstWhole > lastWhole || (start & 7 && start >> 3 === lastWhole)) {
    bits[start >> 3] = (bits[start >> 3] as number) & ~((0xff << (start & 7)) & (0xff >> (8 - (end & 7))));
    return;
  }
  if (start & 7) bits[start >> 3] = (bits[start >> 3] as number) & ~(0xff << (start & 7));
  bits.fill(0, firstWhole, lastWhole);
  if (end & 7) bits[lastWhole] = (bits[lastWhole] as number) & ~(0xff >> (8 - (end & 7)));
}
