import { assert } from '../../shared/assert.ts';
import type { ColumnId, SeriesId } from '../../shared/ids.ts';
import { ByteArena } from './byte-arena.ts';
import { IdSlots } from './id-slots.ts';
import { LITTLE_ENDIAN, mixWord, partialWord } from './words.ts';

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
 *
 * Shared by: all writes of a table (`intern`), the log's callbacks (`observe`), queries and snapshots (reading). Safe because
 * each call is synchronous and ids and canonical forms only ever get more: what was handed out stays as it is. A table gets
 * another index only while no row in memory has an id of this one (`WriteBuffer.forgetSeries`).
 */
export class SeriesIndex {
  readonly #floorHi: number;
  readonly #floorLo: number;
  readonly #arena = new ByteArena();
  #count = 0;
  readonly #slots = new IdSlots();
  #hashes = new Int32Array(FIRST_SERIES_CAPACITY);
  #chunkOf = new Int32Array(FIRST_SERIES_CAPACITY);
  #offsets = new Int32Array(FIRST_SERIES_CAPACITY);
  #lengths = new Int32Array(FIRST_SERIES_CAPACITY);
  #maxHi = new Int32Array(FIRST_SERIES_CAPACITY);
  #maxLo = new Uint32Array(FIRST_SERIES_CAPACITY);
  #holders = 0;
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

  /** Ids are on their way in batches that were not applied yet: the index must stay the table's own. */
  get isHeld(): boolean {
    return this.#holders > 0;
  }

  hold(): void {
    this.#holders++;
  }

  release(): void {
    assert(this.#holders > 0, 'a series index is released more often than it was held');
    this.#holders--;
  }

  /** Memory held, in bytes. */
  get estimatedBytes(): number {
    return this.#arena.allocatedBytes + this.#slots.byteLength + this.#hashes.length * 24;
  }

  /** Hash of the canonical form `bytes[start, end)`, for `intern`. */
  hash(bytes: Uint8Array, start: number, end: number): number {
    this.#look(bytes);
    return this.#hash(start, end);
  }

  /** Looks at the memory that `intern` will need for a hash, so that the processor has it near by then. */
  touch(hash: number): number {
    return this.#slots.touch(hash);
  }

  /** Id of the series whose canonical form is `bytes[start, end)`, a new one if it is not known yet. */
  intern(bytes: Uint8Array, start: number, end: number, hash: number = this.hash(bytes, start, end)): number {
    this.#look(bytes);
    const length = end - start;
    const slots = this.#slots;
    for (let slot = slots.seek(hash, hash); ; slot = slots.seek(hash, slot + 1)) {
      const id = slots.idAt(slot);
      if (id < 0) return this.#add(hash, start, end);
      if (this.#hashes[id] === hash && this.#lengths[id] === length && this.#equals(id, start, end)) return id;
    }
  }

  /** Canonical form of a series, a view that stays valid. */
  canonicalOf(id: SeriesId): Uint8Array {
    assert(id >= 0 && id < this.#count, 'series id out of range');
    const offset = this.#offsets[id] as number;
    const chunk = this.#arena.chunks[this.#chunkOf[id] as number];
    assert(chunk !== undefined, 'series chunk is missing');
    return chunk.bytes.subarray(offset, offset + (this.#lengths[id] as number));
  }

  /** Length of the canonical form of a series, bytes. */
  canonicalLength(id: SeriesId): number {
    assert(id >= 0 && id < this.#count, 'series id out of range');
    return this.#lengths[id] as number;
  }

  /**
   * Writes the canonical form of a series at `at`; returns the index behind. Short ones go word by word, which may set up to
   * three bytes behind to 0.
   */
  copyCanonical(id: SeriesId, out: Uint8Array, outView: DataView, at: number): number {
    const length = this.canonicalLength(id);
    if (length > COPIED_BYTES_MAX || at + length + 3 > outView.byteLength) {
      out.set(this.canonicalOf(id), at);
      return at + length;
    }
    const words = this.#arena.chunks[this.#chunkOf[id] as number]?.words as Int32Array;
    let word = (this.#offsets[id] as number) >> 2;
    for (let to = at, end = at + length; to < end; to += 4) outView.setInt32(to, words[word++] as number, LITTLE_ENDIAN);
    return at + length;
  }

  /** Calls `visit` for each present tag of a series in ascending column id; `value` is a view. */
  forEachTag(id: SeriesId, visit: (columnId: ColumnId, value: Uint8Array) => void): void {
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
  observe(id: SeriesId, hi: number, lo: number): boolean {
    const seenHi = this.#maxHi[id] as number;
    if (hi < seenHi || (hi === seenHi && lo <= (this.#maxLo[id] as number))) return true;
    this.#maxHi[id] = hi;
    this.#maxLo[id] = lo;
    return false;
  }

  /** Number of series whose greatest time is earlier than that of the newest series by more than `idleNs`. */
  countIdle(idleNs: bigint): number {
    let newestHi = INT64_MIN_HI;
    for (let id = 0; id < this.#count; id++) if ((this.#maxHi[id] as number) > newestHi) newestHi = this.#maxHi[id] as number;
    // To 4 seconds: the upper halves of the times.
    const idleHi = newestHi - Number(idleNs >> 32n);
    let idle = 0;
    for (let id = 0; id < this.#count; id++) if ((this.#maxHi[id] as number) < idleHi) idle++;
    return idle;
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

  #look(bytes: Uint8Array): void {
    if (bytes === this.#viewed) return;
    this.#viewed = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #hash(start: number, end: number): number {
    const view = this.#view;
    let hash = (end - start) | 0;
    let at = start;
    for (const stop = end - 3; at < stop; at += 4) hash = mixWord(hash, view.getInt32(at, LITTLE_ENDIAN));
    if (at < end) hash = mixWord(hash, partialWord(this.#viewed, at, end));
    return hash ^ (hash >>> 13);
  }

  #equals(id: SeriesId, start: number, end: number): boolean {
    const view = this.#view;
    const words = this.#arena.chunks[this.#chunkOf[id] as number]?.words as Int32Array;
    let word = (this.#offsets[id] as number) >> 2;
    let at = start;
    for (const stop = end - 3; at < stop; at += 4) if (view.getInt32(at, LITTLE_ENDIAN) !== words[word++]) return false;
    return at >= end || partialWord(this.#viewed, at, end) === words[word];
  }

  #add(hash: number, start: number, end: number): number {
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
    this.#slots.add(hash, id, this.#hashes);
    this.#count = id + 1;
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
}

function grown(array: Int32Array<ArrayBuffer>, capacity: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(capacity);
  larger.set(array);
  return larger;
}
