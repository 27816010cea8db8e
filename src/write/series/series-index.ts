import { assert } from '../../shared/assert.ts';
import { ByteArena } from './byte-arena.ts';
import { LITTLE_ENDIAN, mixWord, partialWord, tagOfHash } from './words.ts';

const FIRST_SERIES_CAPACITY = 16;
/** Longer texts are copied faster through a view. */
const COPIED_BYTES_MAX = 128;
const INT64_MIN_HI = -0x80000000;
const LOW = LITTLE_ENDIAN ? 0 : 1;

/** Settings of a `SeriesIndex`. */
export interface SeriesIndexOptions {
  /** Times up to this one may already be stored for series not seen yet, ns; undefined: nothing is stored. */
  readonly floorNs?: bigint | undefined;
}

/**
 * The series of one table. A series is its present tag values in canonical form: for each present tag in ascending
 * column id: u16 LE column id, u32 LE byte length, UTF-8 bytes. Ids are dense: 0, 1, 2, ...
 * Also keeps the greatest time of each series, so that rows that may repeat an earlier one are told at ingest.
 */
export class SeriesIndex {
  readonly #floorHi: number;
  readonly #floorLo: number;
  readonly #arena = new ByteArena();
  #count = 0;
  /** Open addressing: ids, and a byte of each one's hash, 0 = free. Their length is a power of two, at most half full. */
  #slots = new Int32Array(FIRST_SERIES_CAPACITY * 2);
  #tags = new Uint8Array(FIRST_SERIES_CAPACITY * 2);
  #hashes = new Int32Array(FIRST_SERIES_CAPACITY);
  #chunkOf = new Int32Array(FIRST_SERIES_CAPACITY);
  #offsets = new Int32Array(FIRST_SERIES_CAPACITY);
  #lengths = new Int32Array(FIRST_SERIES_CAPACITY);
  #maxHi = new Int32Array(FIRST_SERIES_CAPACITY);
  #maxLo = new Uint32Array(FIRST_SERIES_CAPACITY);
  #viewed: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#viewed.buffer);

  constructor(options: SeriesIndexOptions = {}) {
    const { floorNs } = options;
    this.#floorHi = floorNs === undefined ? INT64_MIN_HI : Number(BigInt.asIntN(32, floorNs >> 32n));
    this.#floorLo = floorNs === undefined ? 0 : Number(BigInt.asUintN(32, floorNs));
  }

  /** Number of series; ids are below it. */
  get count(): number {
    return this.#count;
  }

  /** Memory held, in bytes. */
  get estimatedBytes(): number {
    return this.#arena.allocatedBytes + this.#slots.byteLength + this.#tags.byteLength + this.#hashes.length * 24;
  }

  /** Id of the series whose canonical form is `bytes[start, end)`, a new one if it is not known yet. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    if (bytes !== this.#viewed) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const length = end - start;
    const hash = this.#hash(start, end);
    const tags = this.#tags;
    const tag = tagOfHash(hash);
    const mask = tags.length - 1;
    let slot = hash & mask;
    for (let found = tags[slot] as number; found !== 0; found = tags[slot] as number) {
      if (found === tag) {
        const id = this.#slots[slot] as number;
        if (this.#hashes[id] === hash && this.#lengths[id] === length && this.#equals(id, start, end)) return id;
      }
      slot = (slot + 1) & mask;
    }
    return this.#add(hash, slot, start, end);
  }

  /** Canonical form of a series, a view that stays valid. */
  canonicalOf(id: number): Uint8Array {
    assert(id >= 0 && id < this.#count, 'series id out of range');
    const offset = this.#offsets[id] as number;
    const chunk = this.#arena.chunks[this.#chunkOf[id] as number];
    assert(chunk !== undefined, 'series chunk is missing');
    return chunk.bytes.subarray(offset, offset + (this.#lengths[id] as number));
  }

  /** Length of the canonical form of a series, bytes. */
  canonicalLength(id: number): number {
    assert(id >= 0 && id < this.#count, 'series id out of range');
    return this.#lengths[id] as number;
  }

  /** Writes the canonical form of a series at `at`; returns the index behind. Short ones without a view: most are. */
  copyCanonical(id: number, out: Uint8Array, at: number): number {
    const length = this.canonicalLength(id);
    if (length > COPIED_BYTES_MAX) {
      out.set(this.canonicalOf(id), at);
      return at + length;
    }
    const offset = this.#offsets[id] as number;
    const bytes = this.#arena.chunks[this.#chunkOf[id] as number]?.bytes as Uint8Array;
    let to = at;
    for (let from = offset, end = offset + length; from < end; from++) out[to++] = bytes[from] as number;
    return to;
  }

  /** Calls `visit` for each present tag of a series in ascending column id; `value` is a view. */
  forEachTag(id: number, visit: (columnId: number, value: Uint8Array) => void): void {
    const bytes = this.canonicalOf(id);
    let at = 0;
    while (at < bytes.length) {
      const columnId = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
      const length =
        ((bytes[at + 2] as number) |
          ((bytes[at + 3] as number) << 8) |
          ((bytes[at + 4] as number) << 16) |
          ((bytes[at + 5] as number) << 24)) >>>
        0;
      visit(columnId, bytes.subarray(at + 6, at + 6 + length));
      at += 6 + length;
    }
  }

  /**
   * Notes a row of a series. True: its time is not after the greatest one seen, so the row may repeat or precede
   * another. `hi` and `lo` are the signed upper and the unsigned lower half of the time in nanoseconds.
   */
  observe(id: number, hi: number, lo: number): boolean {
    const seenHi = this.#maxHi[id] as number;
    if (hi < seenHi || (hi === seenHi && lo <= (this.#maxLo[id] as number))) return true;
    this.#maxHi[id] = hi;
    this.#maxLo[id] = lo;
    return false;
  }

  /** `observe` for the first `rowCount` rows of a batch; returns how many of them may repeat or precede another. */
  observeRows(seriesIds: Int32Array, timesNs: BigInt64Array, rowCount: number): number {
    const halves = new Int32Array(timesNs.buffer, timesNs.byteOffset, rowCount * 2);
    let doubtful = 0;
    for (let row = 0; row < rowCount; row++) {
      const hi = halves[row * 2 + 1 - LOW] as number;
      const lo = (halves[row * 2 + LOW] as number) >>> 0;
      if (this.observe(seriesIds[row] as number, hi, lo)) doubtful++;
    }
    return doubtful;
  }

  #hash(start: number, end: number): number {
    const view = this.#view;
    let hash = (end - start) | 0;
    let at = start;
    for (const stop = end - 3; at < stop; at += 4) hash = mixWord(hash, view.getInt32(at, LITTLE_ENDIAN));
    if (at < end) hash = mixWord(hash, partialWord(this.#viewed, at, end));
    return hash ^ (hash >>> 13);
  }

  #equals(id: number, start: number, end: number): boolean {
    const view = this.#view;
    const words = this.#arena.chunks[this.#chunkOf[id] as number]?.words as Int32Array;
    let word = (this.#offsets[id] as number) >> 2;
    let at = start;
    for (const stop = end - 3; at < stop; at += 4) if (view.getInt32(at, LITTLE_ENDIAN) !== words[word++]) return false;
    return at >= end || partialWord(this.#viewed, at, end) === words[word];
  }

  #add(hash: number, slot: number, start: number, end: number): number {
    const id = this.#count;
    if (id === this.#hashes.length) this.#growSeries();
    const chunk = this.#arena.reserve(end - start);
    this.#hashes[id] = hash;
    this.#chunkOf[id] = this.#arena.chunks.length - 1;
    this.#offsets[id] = chunk.used;
    this.#lengths[id] = end - start;
    this.#maxHi[id] = this.#floorHi;
    this.#maxLo[id] = this.#floorLo;
    const view = this.#view;
    const { words } = chunk;
    let word = chunk.used >> 2;
    let at = start;
    for (const stop = end - 3; at < stop; at += 4) words[word++] = view.getInt32(at, LITTLE_ENDIAN);
    if (at < end) words[word] = partialWord(this.#viewed, at, end);
    chunk.used += (end - start + 3) & ~3;
    this.#slots[slot] = id;
    this.#tags[slot] = tagOfHash(hash);
    this.#count = id + 1;
    if (this.#count * 2 > this.#slots.length) this.#growSlots();
    return id;
  }

  #growSeries(): void {
    const capacity = this.#hashes.length * 2;
    this.#hashes = grown(this.#hashes, capacity);
    this.#chunkOf = grown(this.#chunkOf, capacity);
    this.#offsets = grown(this.#offsets, capacity);
    this.#lengths = grown(this.#lengths, capacity);
    this.#maxHi = grown(this.#maxHi, capacity);
    const maxLo = new Uint32Array(capacity);
    maxLo.set(this.#maxLo);
    this.#maxLo = maxLo;
  }

  #growSlots(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const tags = new Uint8Array(slots.length);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#count; id++) {
      const hash = this.#hashes[id] as number;
      let slot = hash & mask;
      while (tags[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id;
      tags[slot] = tagOfHash(hash);
    }
    this.#slots = slots;
    this.#tags = tags;
  }
}

function grown(array: Int32Array<ArrayBuffer>, capacity: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(capacity);
  larger.set(array);
  return larger;
}
