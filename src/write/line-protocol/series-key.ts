import type { ColumnId } from '../../shared/ids.ts';
import type { SeriesIndex } from '../series/index.ts';
import { TAG } from './column-builder.ts';
import type { TableSet } from './table-set.ts';

const TAGS_MAX = 4096;
const FIRST_BYTES = 4096;
const NAME_BYTES_MAX = 1048576;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/**
 * Takes the `measurement,tags` text of a line apart, for tables and tags that are known and plainly written, and finds
 * its canonical series. What is not plain (escapes in names, unknown tags, repeated tags) is left to the slow path.
 */
export class SeriesKeyReader {
  /** Result of the last successful `read`. */
  tableSlot = -1;
  /** Where the canonical form of the last `read` begins and ends; those before it are kept. */
  #start = 0;
  #end = 0;
  readonly #tables: TableSet;
  /** Column id and place of each tag value; those below 0 lie in `#unescaped` at ~start. */
  readonly #ids = new Int32Array(TAGS_MAX);
  readonly #starts = new Int32Array(TAGS_MAX);
  readonly #lengths = new Int32Array(TAGS_MAX);
  #unescaped = new Uint8Array(FIRST_BYTES);
  #canonical = new Uint8Array(FIRST_BYTES);

  constructor(tables: TableSet) {
    this.#tables = tables;
  }

  /** Reads `bytes[start, end)`. False: not plain. */
  read(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    let i = start;
    for (let c = bytes[i] as number; i < end && c !== COMMA; c = bytes[++i] as number) {
      if (c === BACKSLASH || c === 0x09 || c === 0) return false;
    }
    if (i === start || i - start > NAME_BYTES_MAX) return false;
    this.tableSlot = this.#tables.slotAt(bytes, start, i);
    if (this.tableSlot < 0) return false;
    const table = this.#tables.at(this.tableSlot);
    if (table === undefined) return false;
    if (this.#unescaped.length < end - start) this.#unescaped = new Uint8Array((end - start) * 2);
    let count = 0;
    let unescaped = 0;
    let column = table.tagHead;
    while (i < end) {
      if (++i >= end || count === TAGS_MAX) return false;
      let { next } = column;
      if (next.matches(view, i)) {
        i += next.keyLength;
      } else {
        const keyStart = i;
        while (i < end && bytes[i] !== EQUALS) {
          if (bytes[i] === BACKSLASH || bytes[i] === 0x09) return false;
          i++;
        }
        const found = i < end ? table.columnAt(bytes, keyStart, i) : undefined;
        if (found === undefined) return false;
        next = found;
        i++;
      }
      if (next.kind !== TAG) return false;
      column.next = next;
      column = next;
      const valueStart = i;
      const unescapedStart = unescaped;
      let escapes = false;
      for (let c = bytes[i] as number; i < end && c !== COMMA; c = bytes[++i] as number) {
        if (c === 0x09) return false;
        if (c === BACKSLASH) {
          if (!escapes) for (let k = valueStart; k < i; k++) this.#unescaped[unescaped++] = bytes[k] as number;
          escapes = true;
          const after = bytes[i + 1];
          if (i + 1 >= end || after === 0x0a || after === BACKSLASH) return false;
          if (after !== COMMA && after !== EQUALS && after !== 0x20) this.#unescaped[unescaped++] = BACKSLASH;
          i++;
        }
        if (escapes) this.#unescaped[unescaped++] = bytes[i] as number;
      }
      const length = escapes ? unescaped - unescapedStart : i - valueStart;
      if (length === 0 || length > NAME_BYTES_MAX) return false;
      this.#ids[count] = column.column.id;
      this.#starts[count] = escapes ? ~unescapedStart : valueStart;
      this.#lengths[count] = length;
      count++;
    }
    if (!this.#sort(count)) return false;
    this.#end = this.#build(bytes, count);
    return true;
  }

  /** Bytes of the canonical forms that are kept. */
  get keptBytes(): number {
    return this.#start;
  }

  /** Keeps the canonical form that was read last; returns where it ends. The first one begins at 0, each other one at the end before. */
  keep(): number {
    this.#start = this.#end;
    return this.#end;
  }

  /** Forgets all canonical forms, and what was read last. */
  forget(): void {
    this.#start = 0;
    this.#end = 0;
    this.tableSlot = -1;
  }

  /** Hash of a kept canonical form, for `intern`. */
  hash(series: SeriesIndex, start: number, end: number): number {
    return series.hash(this.#canonical, start, end);
  }

  /** The id of a kept series, a new one if need be. Only for rows that are in: refused lines leave no series. */
  intern(series: SeriesIndex, start: number, end: number, hash: number): number {
    return series.intern(this.#canonical, start, end, hash);
  }

  /** Puts the tags into ascending column id. False: one is there twice. */
  #sort(count: number): boolean {
    const ids = this.#ids;
    for (let k = 1; k < count; k++) {
      const id = ids[k] as number;
      let to = k;
      if ((ids[to - 1] as number) < id) continue;
      const start = this.#starts[k] as number;
      const length = this.#lengths[k] as number;
      for (; to > 0 && (ids[to - 1] as number) >= id; to--) {
        if (ids[to - 1] === id) return false;
        ids[to] = ids[to - 1] as number;
        this.#starts[to] = this.#starts[to - 1] as number;
        this.#lengths[to] = this.#lengths[to - 1] as number;
      }
      ids[to] = id;
      this.#starts[to] = start;
      this.#lengths[to] = length;
    }
    return true;
  }

  /** Writes the canonical form and returns where it ends. */
  #build(bytes: Uint8Array, count: number): number {
    let total = 0;
    for (let k = 0; k < count; k++) total += 6 + (this.#lengths[k] as number);
    let to = this.#start;
    if (to + total > this.#canonical.length) {
      const larger = new Uint8Array((to + total) * 2);
      larger.set(this.#canonical.subarray(0, to));
      this.#canonical = larger;
    }
    const out = this.#canonical;
    for (let k = 0; k < count; k++) {
      const length = this.#lengths[k] as number;
      to = putTagHeader(out, to, this.#ids[k] as number, length);
      const start = this.#starts[k] as number;
      const source = start < 0 ? this.#unescaped : bytes;
      for (let from = start < 0 ? ~start : start, stop = from + length; from < stop; from++) out[to++] = source[from] as number;
    }
    return to;
  }
}

/** Writes column id and length of a tag value at `at`; returns the index behind. */
export function putTagHeader(out: Uint8Array, at: number, columnId: ColumnId, length: number): number {
  out[at] = columnId;
  out[at + 1] = columnId >> 8;
  out[at + 2] = length;
  out[at + 3] = length >> 8;
  out[at + 4] = length >> 16;
  out[at + 5] = length >> 24;
  return at + 6;
}
