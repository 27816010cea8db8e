import type { ResultVector, ValidBits } from '../result.ts';
import { isValidAt, itemAt, type Selection, selectedBits, type VectorSource } from './vector-source.ts';

/** Memory of an offset or of a small item, bytes. */
const ITEM_BYTES = 8;

/** Where the items of each row stand in the vector below. */
interface Entries {
  start(row: number): number;
  length(row: number): number;
}

/** DuckDB's list entries: offset and length of each row, 64 bits each. */
export function listEntries(data: ArrayBuffer): Entries {
  // offsets and lengths are far below 2^32: the items of one chunk are in memory
  const words = new Uint32Array(data);
  return { start: (row) => words[row * 4] as number, length: (row) => words[row * 4 + 2] as number };
}

/** The entries of arrays, which all have the same length. */
export function arrayEntries(length: number): Entries {
  return { start: (row) => row * length, length: () => length };
}

/** Lists; their items are brought into the order of the rows where DuckDB has them otherwise, or shares them. */
export class ListSource implements VectorSource {
  readonly #entries: Entries;
  readonly #valid: ValidBits;
  readonly #items: VectorSource;
  readonly #count: number;
  #sizeBytes: number | undefined;

  constructor(entries: Entries, count: number, valid: ValidBits, items: VectorSource) {
    this.#entries = entries;
    this.#count = count;
    this.#valid = valid;
    this.#items = items;
  }

  get sizeBytes(): number {
    if (this.#sizeBytes === undefined) {
      let sum = 0;
      for (let row = 0; row < this.#count; row++) sum += this.rowBytes(row);
      this.#sizeBytes = sum;
    }
    return this.#sizeBytes;
  }

  rowBytes(row: number): number {
    if (!isValidAt(this.#valid, row)) return 0;
    const length = this.#entries.length(row);
    let sum = length * ITEM_BYTES;
    if (this.#items.sizeBytes === 0) return sum;
    const start = this.#entries.start(row);
    for (let item = start; item < start + length; item++) sum += this.#items.rowBytes(item);
    return sum;
  }

  read(selection: Selection): ResultVector {
    const { offsets, item } = this.readItems(selection);
    return { kind: 'list', offsets, item, valid: selectedBits(this.#valid, selection) };
  }

  /** The items of selected rows, one after the other. */
  readItems(selection: Selection): { readonly offsets: Uint32Array; readonly item: ResultVector; readonly valid: ValidBits } {
    const { count } = selection;
    const offsets = new Uint32Array(count + 1);
    let first = -1;
    let isContiguous = true;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const row = itemAt(selection, i);
      const length = isValidAt(this.#valid, row) ? this.#entries.length(row) : 0;
      if (length > 0) {
        const start = this.#entries.start(row);
        if (first < 0) first = start;
        if (start !== first + sum) isContiguous = false;
      }
      sum += length;
      offsets[i + 1] = sum;
    }
    const items: Selection = isContiguous
      ? { start: Math.max(first, 0), count: sum }
      : { start: 0, count: sum, rows: this.#itemsOf(selection, offsets) };
    return { offsets, item: this.#items.read(items), valid: selectedBits(this.#valid, selection) };
  }

  #itemsOf(selection: Selection, offsets: Uint32Array): Uint32Array {
    const rows = new Uint32Array(offsets[selection.count] as number);
    for (let i = 0; i < selection.count; i++) {
      const from = offsets[i] as number;
      const to = offsets[i + 1] as number;
      if (from === to) continue;
      const start = this.#entries.start(itemAt(selection, i));
      for (let at = from; at < to; at++) rows[at] = start + at - from;
    }
    return rows;
  }
}

/** Structs: a vector for each member. */
export class StructSource implements VectorSource {
  readonly sizeBytes: number;
  readonly #members: readonly VectorSource[];
  readonly #valid: ValidBits;

  constructor(members: readonly VectorSource[], valid: ValidBits) {
    this.#members = members;
    this.#valid = valid;
    this.sizeBytes = members.reduce((sum, member) => sum + member.sizeBytes, 0);
  }

  rowBytes(row: number): number {
    return this.#members.reduce((sum, member) => sum + member.rowBytes(row), 0);
  }

  read(selection: Selection): ResultVector {
    const members = this.#members.map((member) => member.read(selection));
    return { kind: 'struct', members, valid: selectedBits(this.#valid, selection) };
  }
}

/** Maps: DuckDB keeps them as lists of structs of a key and a value. */
export class MapSource implements VectorSource {
  readonly #entries: ListSource;

  constructor(entries: ListSource) {
    this.#entries = entries;
  }

  get sizeBytes(): number {
    return this.#entries.sizeBytes;
  }

  rowBytes(row: number): number {
    return this.#entries.rowBytes(row);
  }

  read(selection: Selection): ResultVector {
    const { offsets, item, valid } = this.#entries.readItems(selection);
    if (item.kind !== 'struct') throw new Error('internal error: the entries of a map are not structs');
    const [key, value] = item.members as [ResultVector, ResultVector];
    return { kind: 'map', offsets, key, value, valid };
  }
}
