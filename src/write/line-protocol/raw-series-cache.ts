import type { SeriesId } from '../../shared/ids.ts';
import { IdSlots, LITTLE_ENDIAN, mixWord, WORD_MASKS } from '../series/index.ts';

const FIRST_ENTRIES = 64;
const FIRST_WORDS = 1024;
/** Limits of a cache; a server keeps one per database. A million series have some 40 MB of text. */
const TEXT_BYTES_MAX = 64 * 1024 * 1024;
const ENTRIES_MAX = 1 << 21;

/**
 * A full cache starts over after as many texts were turned away as it holds, times this. Not at once: clients send the same
 * series round after round, and a cache that starts over within each round never finds one.
 */
const REFUSALS_PER_ENTRY = 4;

/**
 * Remembers `measurement,tags` texts as they stand in bodies, space behind them included, so that tags are taken apart
 * only once. Entry 0 stands for "nothing yet" and matches nothing.
 */
export class RawSeriesCache {
  /** Per entry: the slot of its table, the series id there, bytes of the text, and the entry that followed last time. */
  tableSlots = new Int32Array(FIRST_ENTRIES);
  seriesIds = new Int32Array(FIRST_ENTRIES);
  lengths = new Int32Array(FIRST_ENTRIES);
  next = new Int32Array(FIRST_ENTRIES);
  #offsets = new Int32Array(FIRST_ENTRIES);
  #hashes = new Int32Array(FIRST_ENTRIES);
  #words = new Int32Array(FIRST_WORDS);
  #wordsUsed = 0;
  readonly #slots = new IdSlots();
  #count = 1;
  #refusals = 0;
  readonly #textBytesMax: number;

  /** @param textBytesMax Limit of the text kept, in bytes. */
  constructor(textBytesMax: number = TEXT_BYTES_MAX) {
    this.#textBytesMax = textBytesMax;
    this.lengths[0] = -1;
  }

  /** Entries kept, the empty one included. */
  get count(): number {
    return this.#count;
  }

  /** Is the body at `at` the text of this entry? */
  matches(entry: number, view: DataView, at: number): boolean {
    const length = this.lengths[entry] as number;
    if (length < 0 || at + ((length + 3) & ~3) > view.byteLength) return false;
    const words = this.#words;
    let word = this.#offsets[entry] as number;
    let i = at;
    for (const end = at + length - 3; i < end; i += 4) if (view.getInt32(i, LITTLE_ENDIAN) !== words[word++]) return false;
    const mask = WORD_MASKS[length & 3] as number;
    return mask === 0 || (view.getInt32(i, LITTLE_ENDIAN) & mask) === words[word];
  }

  /** Hash of the text at `[at, at + length)`, for `find` and `add`; 0 when the body ends too soon behind it. */
  hash(view: DataView, at: number, length: number): number {
    return at + ((length + 3) & ~3) > view.byteLength ? 0 : hashOf(view, at, length);
  }

  /** Looks at the memory that `find` and `add` will need for a hash, so that the processor has it near by then. */
  touch(hash: number): number {
    return this.#slots.touch(hash);
  }

  /** The entry of the text at `[at, at + length)`; 0 when there is none or the body ends too soon behind it. */
  find(view: DataView, at: number, length: number, hash: number = this.hash(view, at, length)): number {
    const slots = this.#slots;
    for (let slot = slots.seek(hash, hash); ; slot = slots.seek(hash, slot + 1)) {
      const entry = slots.idAt(slot);
      if (entry < 0) return 0;
      if (this.#hashes[entry] === hash && this.lengths[entry] === length && this.matches(entry, view, at)) return entry;
    }
  }

  /** Adds the text at `[at, at + length)`, which `find` did not find. Returns its entry, 0 when it cannot be kept. */
  add(
    view: DataView,
    at: number,
    length: number,
    tableSlot: number,
    seriesId: SeriesId,
    hash: number = this.hash(view, at, length),
  ): number {
    const wordCount = (length + 3) >> 2;
    if (at + wordCount * 4 > view.byteLength || wordCount * 4 > this.#textBytesMax) return 0;
    if ((this.#wordsUsed + wordCount) * 4 > this.#textBytesMax || this.#count >= ENTRIES_MAX) {
      if (++this.#refusals <= this.#count * REFUSALS_PER_ENTRY) return 0;
      this.clear();
    }
    this.#reserve(wordCount);
    const entry = this.#count++;
    this.#offsets[entry] = this.#wordsUsed;
    this.#hashes[entry] = hash;
    this.lengths[entry] = length;
    this.tableSlots[entry] = tableSlot;
    this.seriesIds[entry] = seriesId;
    this.next[entry] = 0;
    const words = this.#words;
    let word = this.#wordsUsed;
    for (let i = at, end = at + wordCount * 4; i < end; i += 4) words[word++] = view.getInt32(i, LITTLE_ENDIAN);
    this.#wordsUsed = word;
    const mask = WORD_MASKS[length & 3] as number;
    if (mask !== 0) words[word - 1] = (words[word - 1] as number) & mask;
    this.#slots.add(hash, entry, this.#hashes);
    return entry;
  }

  /** Forgets everything. */
  clear(): void {
    this.#slots.clear();
    this.#count = 1;
    this.#wordsUsed = 0;
    this.#refusals = 0;
    this.next[0] = 0;
  }

  #reserve(wordCount: number): void {
    if (this.#wordsUsed + wordCount > this.#words.length) {
      const words = new Int32Array(Math.max(this.#words.length * 2, this.#wordsUsed + wordCount));
      words.set(this.#words);
      this.#words = words;
    }
    if (this.#count < this.lengths.length) return;
    const capacity = this.lengths.length * 2;
    this.tableSlots = grown(this.tableSlots, capacity);
    this.seriesIds = grown(this.seriesIds, capacity);
    this.lengths = grown(this.lengths, capacity);
    this.next = grown(this.next, capacity);
    this.#offsets = grown(this.#offsets, capacity);
    this.#hashes = grown(this.#hashes, capacity);
  }
}

function hashOf(view: DataView, at: number, length: number): number {
  let hash = length;
  let i = at;
  for (const end = at + length - 3; i < end; i += 4) hash = mixWord(hash, view.getInt32(i, LITTLE_ENDIAN));
  const mask = WORD_MASKS[length & 3] as number;
  if (mask !== 0) hash = mixWord(hash, view.getInt32(i, LITTLE_ENDIAN) & mask);
  return hash ^ (hash >>> 13);
}

function grown(array: Int32Array<ArrayBuffer>, capacity: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(capacity);
  larger.set(array);
  return larger;
}
