import type { TableSection } from '../batch/index.ts';

/** Keys of this many rows are remembered over all tables (12 bytes a row, twice that where they are looked up). */
const ROWS_MAX = 262_144;

/** What a section costs beside its rows, in rows: its objects and arrays. */
const SECTION_ROWS = 32;

/** Sections remembered per table: as many writes of one client may overtake each other. */
const SECTIONS_MAX = 64;

const INT64_MIN = -(2n ** 63n);

/** The parts of a section that make its rows' keys. */
export type SectionKeys = Pick<TableSection, 'rowCount' | 'seriesIds' | 'timesNs' | 'minTimeNs' | 'maxTimeNs'>;

/** Shared limit of all `RecentRows`: the oldest sections are forgotten first, whichever table they belong to. */
export class RecentRowsLimit {
  readonly #rowsMax: number;
  readonly #sectionRows: number;
  #rows = 0;
  readonly #order = new Set<{ readonly section: RememberedSection; readonly owner: RecentRows }>();

  constructor(rowsMax: number = ROWS_MAX, sectionRows: number = SECTION_ROWS) {
    this.#rowsMax = rowsMax;
    this.#sectionRows = sectionRows;
  }

  /** Notes a section; the returned function takes it out again. */
  add(section: RememberedSection, owner: RecentRows): () => void {
    const entry = { section, owner };
    this.#order.add(entry);
    this.#rows += section.rowCount + this.#sectionRows;
    const remove = (): void => {
      if (this.#order.delete(entry)) this.#rows -= section.rowCount + this.#sectionRows;
    };
    while (this.#rows > this.#rowsMax) {
      const oldest = this.#order.values().next().value;
      if (oldest === undefined) break;
      this.#order.delete(oldest);
      this.#rows -= oldest.section.rowCount + this.#sectionRows;
      oldest.owner.forget(oldest.section);
    }
    return remove;
  }
}

/**
 * Tells whether rows that come out of time order repeat the key of another row. Writes that overtake each other on
 * their way (one client, several connections) do not repeat anything, and must not make queries merge. Exact for the
 * sections that came last; for all older rows only the time range that they span is known, and every row in it may repeat one.
 */
export class RecentRows {
  readonly #limit: RecentRowsLimit;
  readonly #sections: { readonly section: RememberedSection; readonly remove: () => void }[] = [];
  /** Times of forgotten rows, inclusive; undefined = none was forgotten. */
  #oldMinNs: bigint | undefined;
  #oldMaxNs: bigint | undefined;

  /** @param floorNs rows up to this time may be stored already; undefined = there are none */
  constructor(limit: RecentRowsLimit, floorNs: bigint | undefined) {
    this.#limit = limit;
    if (floorNs === undefined) return;
    this.#oldMinNs = INT64_MIN;
    this.#oldMaxNs = floorNs;
  }

  /** Those of the rows `doubtful` (ascending) of a section, not added yet, that may repeat an earlier row. */
  repeats(section: SectionKeys, doubtful: readonly number[]): number[] {
    const { rowCount, seriesIds, timesNs } = section;
    const own = new KeyTable(rowCount, seriesIds, new Int32Array(timesNs.buffer, timesNs.byteOffset, rowCount * 2));
    const inSection = own.insertAll();
    const first = doubtful[0];
    if (first === undefined) return [];
    let minNs = section.timesNs[first] as bigint;
    let maxNs = minNs;
    for (const row of doubtful) {
      const time = section.timesNs[row] as bigint;
      if (time < minNs) minNs = time;
      if (time > maxNs) maxNs = time;
    }
    const others = this.#sections.map((entry) => entry.section).filter((other) => other.minTimeNs <= maxNs && other.maxTimeNs >= minNs);
    return doubtful.filter((row) => inSection.has(row) || this.#isOld(section.timesNs[row] as bigint) || isIn(others, own, row));
  }

  /** Remembers the keys of a section; they are copied. */
  add(section: SectionKeys): void {
    const remembered = new RememberedSection(section);
    this.#sections.push({ section: remembered, remove: this.#limit.add(remembered, this) });
    const [oldest] = this.#sections;
    if (this.#sections.length <= SECTIONS_MAX || oldest === undefined) return;
    oldest.remove();
    this.forget(oldest.section);
  }

  /** Keeps only the time range of a section. */
  forget(section: RememberedSection): void {
    // Nearly always the oldest.
    if (this.#sections[0]?.section === section) {
      this.#sections.shift();
    } else {
      const at = this.#sections.findIndex((entry) => entry.section === section);
      if (at >= 0) this.#sections.splice(at, 1);
    }
    if (this.#oldMinNs === undefined || section.minTimeNs < this.#oldMinNs) this.#oldMinNs = section.minTimeNs;
    if (this.#oldMaxNs === undefined || section.maxTimeNs > this.#oldMaxNs) this.#oldMaxNs = section.maxTimeNs;
  }

  /** Gives the shared limit back what this table held. */
  clear(): void {
    for (const { remove } of this.#sections.splice(0)) remove();
  }

  #isOld(timeNs: bigint): boolean {
    return this.#oldMinNs !== undefined && this.#oldMaxNs !== undefined && timeNs >= this.#oldMinNs && timeNs <= this.#oldMaxNs;
  }
}

function isIn(sections: readonly RememberedSection[], own: KeyTable, row: number): boolean {
  return sections.some((section) => section.keys.holds(own, row));
}

/** A copy of a section's keys; the table of them is made when it is first asked. */
class RememberedSection {
  readonly rowCount: number;
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
  /** Halves of the times, then the series ids, in one piece of memory. */
  readonly #numbers: Int32Array;
  #keys: KeyTable | undefined;

  constructor(section: SectionKeys) {
    this.rowCount = section.rowCount;
    this.minTimeNs = section.minTimeNs;
    this.maxTimeNs = section.maxTimeNs;
    const { rowCount, seriesIds, timesNs } = section;
    this.#numbers = new Int32Array(rowCount * 3);
    this.#numbers.set(new Int32Array(timesNs.buffer, timesNs.byteOffset, rowCount * 2));
    this.#numbers.set(seriesIds.length === rowCount ? seriesIds : seriesIds.subarray(0, rowCount), rowCount * 2);
  }

  get keys(): KeyTable {
    if (this.#keys === undefined) {
      this.#keys = new KeyTable(this.rowCount, this.#numbers.subarray(this.rowCount * 2), this.#numbers);
      this.#keys.insertAll();
    }
    return this.#keys;
  }
}

/** Open addressing over the keys (series, time) of one section, without an object a row. */
class KeyTable {
  readonly #rowCount: number;
  readonly #seriesIds: Int32Array;
  /** Two 32-bit halves a time. */
  readonly #times: Int32Array;
  /** Row + 1, 0 = free; its length is a power of two, at most half full. */
  readonly #slots: Int32Array;

  constructor(rowCount: number, seriesIds: Int32Array, times: Int32Array) {
    this.#rowCount = rowCount;
    this.#seriesIds = seriesIds;
    this.#times = times;
    let length = 8;
    while (length < rowCount * 2) length *= 2;
    this.#slots = new Int32Array(length);
  }

  /** Returns the rows whose key an earlier row of the section has. */
  insertAll(): Set<number> {
    const repeats = new Set<number>();
    for (let row = 0; row < this.#rowCount; row++) {
      const slot = this.#find(this, row);
      if (this.#slots[slot] === 0) this.#slots[slot] = row + 1;
      else repeats.add(row);
    }
    return repeats;
  }

  /** True when a row has the same key as row `row` of another table. */
  holds(other: KeyTable, row: number): boolean {
    return this.#slots[this.#find(other, row)] !== 0;
  }

  /** The slot of an equal key, or the free one where it would go. */
  #find(other: KeyTable, row: number): number {
    const id = other.#seriesIds[row] as number;
    const a = other.#times[row * 2] as number;
    const b = other.#times[row * 2 + 1] as number;
    const mask = this.#slots.length - 1;
    let hash = Math.imul(id, 0x9e3779b1) ^ Math.imul(a, 0x85ebca6b) ^ Math.imul(b, 0xc2b2ae35);
    hash ^= hash >>> 15;
    let slot = Math.imul(hash, 0x2c1b3c6d) >>> 7;
    for (slot &= mask; ; slot = (slot + 1) & mask) {
      const found = (this.#slots[slot] as number) - 1;
      if (found < 0 || (this.#seriesIds[found] === id && this.#times[found * 2] === a && this.#times[found * 2 + 1] === b)) return slot;
    }
  }
}
