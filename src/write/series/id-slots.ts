import type { SeriesId } from '../../shared/ids.ts';

const FIRST_SLOTS = 32;

/**
 * The slots of a hash table from 32-bit hashes to dense ids: open addressing, at most half full. A slot is one word: the id
 * plus one in the bits that the table's length needs, the bits of the hash above them in the rest; 0 is free. So one look at
 * memory, which no processor cache holds for large tables, tells free slots and nearly all others apart.
 */
export class IdSlots {
  words = new Int32Array(FIRST_SLOTS);
  /** Selects the place of a hash, and the id in a word. */
  mask = FIRST_SLOTS - 1;

  /** Memory held, in bytes. */
  get byteLength(): number {
    return this.words.byteLength;
  }

  /**
   * The first slot from `slot` on that is free or may be the one of a hash; begin with `hash & mask`, go on with the next
   * one: `slot + 1`.
   */
  seek(hash: number, from: number): number {
    const { words, mask } = this;
    const tag = hash & ~mask;
    let slot = from & mask;
    for (let word = words[slot] as number; word !== 0 && (word & ~mask) !== tag; word = words[slot] as number) slot = (slot + 1) & mask;
    return slot;
  }

  /** The id in a slot, -1 when it is free. */
  idAt(slot: number): number {
    return ((this.words[slot] as number) & this.mask) - 1;
  }

  /** Reads the slot where a hash begins, so that the processor has it near by when `slot` looks there. The value means nothing. */
  touch(hash: number): number {
    return this.words[hash & this.mask] as number;
  }

  /** Adds the next id; `hashes` has the hashes of all ids up to it, in case the table grows. */
  add(hash: number, id: SeriesId, hashes: Int32Array): void {
    if ((id + 1) * 2 > this.words.length) this.#grow(hashes);
    this.#insert(hash, id);
  }

  /** Forgets all ids. */
  clear(): void {
    this.words.fill(0);
  }

  #insert(hash: number, id: SeriesId): void {
    const { words, mask } = this;
    let slot = hash & mask;
    while (words[slot] !== 0) slot = (slot + 1) & mask;
    words[slot] = (hash & ~mask) | (id + 1);
  }

  /** In the order of the slots, so that the new table is filled in the order of its memory, too. */
  #grow(hashes: Int32Array): void {
    const { words, mask } = this;
    this.words = new Int32Array(words.length * 2);
    this.mask = this.words.length - 1;
    for (let slot = 0; slot < words.length; slot++) {
      const id = ((words[slot] as number) & mask) - 1;
      if (id >= 0) this.#insert(hashes[id] as number, id);
    }
  }
}
