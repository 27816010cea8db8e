import type { RawSeriesCache } from './raw-series-cache.ts';
import type { SeriesKeyReader } from './series-key.ts';
import type { TableBuilder } from './table-builder.ts';

/** Rows that wait at most. */
const ROWS_MAX = 256;

/** Bytes of their canonical forms after which no more rows wait. */
const KEPT_BYTES_MAX = 64 * 1024;

/** Rows without a known series in a row after which the next ones are not looked up before they are taken. */
const STREAK_ROWS = 64;

/**
 * Rows that are in, but whose series is not known yet. Their series are looked up together: each look goes to some place of
 * a large table that no processor cache holds, and a processor waits for many of them at once as long as for one.
 */
export class NewSeriesRows {
  /** Sum of what `#touch` read. Nothing uses it, but without it the compiler would remove the reads. */
  touched = 0;
  #count = 0;
  readonly #tables: TableBuilder[] = [];
  readonly #rows = new Int32Array(ROWS_MAX);
  readonly #slots = new Int32Array(ROWS_MAX);
  /** Where the series text stands in the body, and its hash. */
  readonly #starts = new Int32Array(ROWS_MAX);
  readonly #lengths = new Int32Array(ROWS_MAX);
  readonly #rawHashes = new Int32Array(ROWS_MAX);
  /** Where the canonical form ends in the reader, and its hash. */
  readonly #ends = new Int32Array(ROWS_MAX);
  readonly #hashes = new Int32Array(ROWS_MAX);
  /** Only a guess at what comes next, so it outlives a body. */
  #streak = 0;
  readonly #cache: RawSeriesCache;
  readonly #keys: SeriesKeyReader;

  constructor(cache: RawSeriesCache, keys: SeriesKeyReader) {
    this.#cache = cache;
    this.#keys = keys;
  }

  /** Sets up for one body: rows of an earlier one that still wait belong to arrays that are gone, their texts to memory that is. */
  begin(): void {
    this.#count = 0;
    this.#tables.length = 0;
    this.#keys.forget();
  }

  /** So many new series came one after another that the next one most likely is new as well. */
  get expectsMore(): boolean {
    return this.#streak >= STREAK_ROWS;
  }

  get isFull(): boolean {
    return this.#count === ROWS_MAX || this.#keys.keptBytes > KEPT_BYTES_MAX;
  }

  /** A series was not new. */
  noteKnown(): void {
    this.#streak = 0;
  }

  /** Takes the last row of a table, whose series text `[start, start + length)` the reader has read last. */
  add(table: TableBuilder, slot: number, start: number, length: number, rawHash: number): void {
    const at = this.#count++;
    this.#tables[at] = table;
    this.#slots[at] = slot;
    this.#rows[at] = table.rowCount - 1;
    this.#starts[at] = start;
    this.#lengths[at] = length;
    this.#rawHashes[at] = rawHash;
    this.#ends[at] = this.#keys.keep();
    this.#streak++;
  }

  /** Gives all waiting rows their series. Returns the cache entry of the last one; 0 when nothing waited. */
  resolve(view: DataView): number {
    const count = this.#count;
    if (count === 0) return 0;
    this.#touch();
    const cache = this.#cache;
    const keys = this.#keys;
    let known = 0;
    let entry = 0;
    let start = 0;
    for (let i = 0; i < count; i++) {
      const table = this.#tables[i] as TableBuilder;
      const end = this.#ends[i] as number;
      const length = this.#lengths[i] as number;
      const rawHash = this.#rawHashes[i] as number;
      const textAt = this.#starts[i] as number;
      let found = cache.find(view, textAt, length, rawHash);
      let id: number;
      if (found !== 0) {
        known++;
        id = cache.seriesIds[found] as number;
      } else {
        id = keys.intern(table.series, start, end, this.#hashes[i] as number);
        found = cache.add(view, textAt, length, this.#slots[i] as number, id, rawHash);
      }
      table.seriesIds[this.#rows[i] as number] = id;
      if (entry !== 0) cache.next[entry] = found;
      entry = found;
      start = end;
    }
    if (known * 2 > count) this.#streak = 0;
    this.#count = 0;
    keys.forget();
    return entry;
  }

  /** Has the processor fetch what `resolve` will look at. */
  #touch(): void {
    let start = 0;
    let sum = 0;
    for (let i = 0; i < this.#count; i++) {
      const end = this.#ends[i] as number;
      const hash = this.#keys.hash((this.#tables[i] as TableBuilder).series, start, end);
      this.#hashes[i] = hash;
      start = end;
    }
    for (let i = 0; i < this.#count; i++) sum += this.#cache.touch(this.#rawHashes[i] as number);
    for (let i = 0; i < this.#count; i++) sum += (this.#tables[i] as TableBuilder).series.touch(this.#hashes[i] as number);
    this.touched = sum;
  }
}
