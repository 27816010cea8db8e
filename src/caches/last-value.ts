import type { LastCacheDefinition, TableSchema } from '../catalog/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { ColumnType } from '../shared/column-type.ts';
import type { ColumnId, SeriesId } from '../shared/ids.ts';
import type { TableSection } from '../write/batch/index.ts';
import type { SeriesIndex } from '../write/series/index.ts';
import { CACHE_BYTES_MAX, CACHE_KEPT_SHARE } from './limits.ts';
import { type CellReader, fieldReader, keyText, tagValue, type Value, valueBytes } from './values.ts';

export interface LastValueCacheOptions {
  readonly definition: LastCacheDefinition;
  readonly table: TableSchema;
  readonly clock: Clock;
  /** Called when keys had to leave because the cache is full. */
  readonly onFull: (keys: number) => void;
  readonly bytesMax?: number;
}

/** A column of the cache, in output order. */
export interface CacheColumn {
  readonly id: ColumnId;
  readonly name: string;
  readonly type: ColumnType;
  readonly key: boolean;
}

/** A row as it comes from stored data; `values` by column id. */
export interface HistoryRow {
  readonly timeNs: bigint;
  readonly values: ReadonlyMap<ColumnId, Value>;
}

interface KeptRow {
  readonly timeNs: bigint;
  /** Monotonic clock. */
  readonly arrivedMs: number;
  /** By slot. A missing end means null: the columns came later. */
  readonly values: readonly Value[];
  readonly bytes: number;
}

/** A batch with rows that were not read yet: most rows are replaced before anybody asks for them. */
interface HeldBatch {
  readonly section: TableSection;
  readonly series: SeriesIndex;
  readonly arrivedMs: number;
  readers: readonly CellReader[] | undefined;
}

/** Everything kept for one combination of key values. */
interface KeyEntry {
  readonly keys: readonly Value[];
  readonly text: string;
  readonly bytes: number;
  /** Oldest first. */
  rows: KeptRow[];
  /** Newest time held, halves; later rows must be after it. */
  newestHi: number;
  newestLo: number;
  /** Newer rows that still lie in batches, oldest first; at most `count`. */
  readonly heldBatches: HeldBatch[];
  readonly heldRows: number[];
  /** It was removed; a series that still points to it must look again. */
  gone: boolean;
}

/** Size of batches that are held before the rows that are still wanted are read from them. */
const HELD_BYTES_MAX = 8 * 1024 * 1024;

/** The same as a number of batches: a small one may keep a whole log file in memory while the log is replayed. */
const HELD_BATCHES_MAX = 64;

/** The newest rows of each key. */
export class LastValueCache {
  readonly definition: LastCacheDefinition;
  readonly #table: TableSchema;
  readonly #clock: Clock;
  readonly #onFull: (keys: number) => void;
  readonly #bytesMax: number;
  readonly #ttlMs: number;
  readonly #tagKeysOnly: boolean;
  readonly #entries = new Map<string, KeyEntry>();
  /** By series id; null = the series lacks a key column. */
  #bySeries: (KeyEntry | null | undefined)[] = [];
  /** Whose ids these are: a table gets another index when its series were forgotten. */
  #series: SeriesIndex | undefined;
  /** Ids of value columns without `time`, in the order in which they became known. */
  #slots: number[] = [];
  #knownColumns = 0;
  #bytes = 0;
  /** Number and size of the batches that may hold rows not read yet. */
  #heldBatches = 0;
  #heldBytes = 0;

  constructor({ definition, table, clock, onFull, bytesMax }: LastValueCacheOptions) {
    this.definition = definition;
    this.#table = table;
    this.#clock = clock;
    this.#onFull = onFull;
    this.#bytesMax = bytesMax ?? CACHE_BYTES_MAX;
    this.#ttlMs = definition.ttlSecs * 1000;
    this.#tagKeysOnly = definition.keyColumnIds.every((id) => table.columns[id]?.type === 'tag');
    this.#refreshSlots();
  }

  /** Estimated, held batches included. */
  get bytes(): number {
    return this.#bytes + this.#heldBytes;
  }

  /** Keys held, expired ones included until the next eviction. */
  get keyCount(): number {
    return this.#entries.size;
  }

  /** Keys, then values: in the order given at creation, else all others by name. Each once, however often it was given. */
  columns(): CacheColumn[] {
    const { keyColumnIds, valueColumnIds } = this.definition;
    const columns = this.#table.columns;
    const keys = [...new Set(keyColumnIds)].flatMap((id) => columns[id] ?? []);
    const values =
      valueColumnIds === undefined
        ? columns.filter(({ id }) => !keyColumnIds.includes(id)).sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
        : [...new Set(valueColumnIds)].filter((id) => !keyColumnIds.includes(id)).flatMap((id) => columns[id] ?? []);
    return [...keys.map((column) => ({ ...column, key: true })), ...values.map((column) => ({ ...column, key: false }))];
  }

  /** Takes durable rows over. */
  apply(section: TableSection, series: SeriesIndex): void {
    if (series !== this.#series) {
      this.#series = series;
      this.#bySeries = [];
    }
    this.#refreshSlots();
    const { seriesIds, rowCount } = section;
    const halves = new Int32Array(section.timesNs.buffer, section.timesNs.byteOffset, rowCount * 2);
    const fieldKeys = this.#tagKeysOnly ? undefined : this.#keyReaders(section, series);
    const batch: HeldBatch = { section, series, arrivedMs: this.#clock.monotonicMs(), readers: undefined };
    for (let row = 0; row < rowCount; row++) {
      const seriesId = seriesIds[row] as number;
      const entry = fieldKeys === undefined ? this.#entryOfSeries(seriesId, series) : this.#entryOfRow(fieldKeys, row);
      if (entry === null) continue;
      const lo = (halves[row * 2] as number) >>> 0;
      const hi = halves[row * 2 + 1] as number;
      if (hi < entry.newestHi || (hi === entry.newestHi && lo <= entry.newestLo)) continue;
      entry.newestHi = hi;
      entry.newestLo = lo;
      this.#hold(entry, batch, row);
    }
    this.#heldBytes += section.byteLength;
    this.#heldBatches++;
    if (this.#heldBytes > HELD_BYTES_MAX || this.#heldBatches >= HELD_BATCHES_MAX) this.#readHeld();
    if (this.#bytes > this.#bytesMax) this.#dropOldest();
  }

  /**
   * Rows as of now, newest first per key, keys in the order of their first row.
   * @param columns as `columns` gave them before
   */
  rows(columns: readonly CacheColumn[]): Value[][] {
    this.#readHeld();
    const nowMs = this.#clock.monotonicMs();
    const cells = columns.map(({ id, key, type }): ((entry: KeyEntry, row: KeptRow) => Value) => {
      if (key) {
        const at = this.definition.keyColumnIds.indexOf(id);
        return (entry) => entry.keys[at] ?? null;
      }
      if (type === 'time') return (_, row) => row.timeNs;
      const slot = this.#slots.indexOf(id);
      return (_, row) => row.values[slot] ?? null;
    });
    const rows: Value[][] = [];
    for (const entry of this.#entries.values()) {
      for (let i = entry.rows.length - 1; i >= 0; i--) {
        const row = entry.rows[i] as KeptRow;
        if (!this.#expired(row, nowMs)) rows.push(cells.map((cell) => cell(entry, row)));
      }
    }
    return rows;
  }

  /** Removes what expired. A key without rows is forgotten with its newest time. */
  evict(): void {
    this.#readHeld();
    const nowMs = this.#clock.monotonicMs();
    for (const entry of this.#entries.values()) {
      const kept = entry.rows.filter((row) => !this.#expired(row, nowMs));
      if (kept.length === entry.rows.length && kept.length > 0) continue;
      for (const row of entry.rows) if (this.#expired(row, nowMs)) this.#bytes -= row.bytes;
      entry.rows = kept;
      if (kept.length === 0) this.#forget(entry);
    }
    if (this.#bytes > this.#bytesMax) this.#dropOldest();
  }

  /** Adds a stored row where no row of the same time is held. It counts as having arrived at its time. */
  addHistory({ timeNs, values }: HistoryRow): void {
    const keys = this.definition.keyColumnIds.map((id) => values.get(id) ?? null);
    if (keys.includes(null) || timeNs <= 0n) return;
    this.#readHeld();
    const entry = this.#entry(keys);
    if (entry.rows.some((row) => row.timeNs === timeNs)) return;
    const cells = this.#slots.map((id) => values.get(id) ?? null);
    const ageMs = Math.max(0, this.#clock.nowMs() - Number(timeNs / 1_000_000n));
    this.#keep(entry, { timeNs, arrivedMs: this.#clock.monotonicMs() - ageMs, values: cells, bytes: rowBytes(cells) });
    entry.rows.sort((a, b) => (a.timeNs < b.timeNs ? -1 : 1));
    this.#trim(entry);
    const newest = (entry.rows.at(-1) as KeptRow).timeNs;
    const held = (BigInt(entry.newestHi) << 32n) | BigInt(entry.newestLo);
    if (newest > held) {
      entry.newestHi = Number(newest >> 32n);
      entry.newestLo = Number(newest & 0xffffffffn);
    }
    if (this.#bytes > this.#bytesMax) this.#dropOldest();
  }

  #refreshSlots(): void {
    const { columns } = this.#table;
    if (columns.length === this.#knownColumns) return;
    const { keyColumnIds, valueColumnIds } = this.definition;
    const wanted = valueColumnIds ?? columns.map(({ id }) => id).filter((id) => !keyColumnIds.includes(id));
    const fresh = wanted.filter((id) => columns[id]?.type !== 'time' && !this.#slots.includes(id));
    this.#slots = [...this.#slots, ...fresh];
    this.#knownColumns = columns.length;
  }

  #keyReaders(section: TableSection, series: SeriesIndex): CellReader[] {
    return this.definition.keyColumnIds.map((id) => this.#reader(section, series, id));
  }

  #reader(section: TableSection, series: SeriesIndex, id: ColumnId): CellReader {
    if (this.#table.columns[id]?.type !== 'tag') return fieldReader(section, id);
    return (row) => tagValue(series, section.seriesIds[row] as number, id);
  }

  #entryOfSeries(seriesId: SeriesId, series: SeriesIndex): KeyEntry | null {
    const known = this.#bySeries[seriesId];
    if (known === null || known?.gone === false) return known;
    const keys = this.definition.keyColumnIds.map((id) => tagValue(series, seriesId, id));
    const entry = keys.includes(null) ? null : this.#entry(keys);
    this.#bySeries[seriesId] = entry;
    return entry;
  }

  #entryOfRow(readers: readonly CellReader[], row: number): KeyEntry | null {
    const keys = readers.map((read) => read(row));
    return keys.includes(null) ? null : this.#entry(keys);
  }

  #entry(keys: readonly Value[]): KeyEntry {
    const text = keyText(keys);
    const known = this.#entries.get(text);
    if (known !== undefined) return known;
    const bytes = 160 + text.length * 2 + valueBytes(keys);
    const entry: KeyEntry = { keys, text, bytes, rows: [], newestHi: 0, newestLo: 0, heldBatches: [], heldRows: [], gone: false };
    this.#entries.set(text, entry);
    this.#bytes += bytes;
    return entry;
  }

  #hold({ heldBatches, heldRows }: KeyEntry, batch: HeldBatch, row: number): void {
    if (heldRows.length === this.definition.count) {
      heldBatches.shift();
      heldRows.shift();
    }
    heldBatches.push(batch);
    heldRows.push(row);
  }

  /** Reads the rows that still lie in batches, so that the batches can go. */
  #readHeld(): void {
    if (this.#heldBatches === 0) return;
    for (const entry of this.#entries.values()) {
      const { heldBatches, heldRows } = entry;
      if (heldRows.length === 0) continue;
      heldBatches.forEach((batch, i) => {
        const at = heldRows[i] as number;
        batch.readers ??= this.#slots.map((id) => this.#reader(batch.section, batch.series, id));
        const values = batch.readers.map((read) => read(at));
        this.#keep(entry, { timeNs: batch.section.timesNs[at] as bigint, arrivedMs: batch.arrivedMs, values, bytes: rowBytes(values) });
      });
      heldBatches.length = 0;
      heldRows.length = 0;
      this.#trim(entry);
    }
    this.#heldBytes = 0;
    this.#heldBatches = 0;
  }

  #keep(entry: KeyEntry, row: KeptRow): void {
    entry.rows.push(row);
    this.#bytes += row.bytes;
  }

  #trim(entry: KeyEntry): void {
    while (entry.rows.length > this.definition.count) this.#bytes -= entry.rows.shift()?.bytes ?? 0;
  }

  #expired(row: KeptRow, nowMs: number): boolean {
    return row.arrivedMs + this.#ttlMs <= nowMs;
  }

  #forget(entry: KeyEntry): void {
    for (const row of entry.rows) this.#bytes -= row.bytes;
    this.#bytes -= entry.bytes;
    entry.rows = [];
    entry.gone = true;
    this.#entries.delete(entry.text);
  }

  /** Makes room: the keys that were written longest ago leave. */
  #dropOldest(): void {
    this.#readHeld();
    const byArrival = [...this.#entries.values()].sort((a, b) => lastArrival(a) - lastArrival(b));
    let dropped = 0;
    for (const entry of byArrival) {
      if (this.#bytes <= this.#bytesMax * CACHE_KEPT_SHARE) break;
      this.#forget(entry);
      dropped++;
    }
    this.#onFull(dropped);
  }
}

function rowBytes(values: readonly Value[]): number {
  return 96 + valueBytes(values);
}

function lastArrival(entry: KeyEntry): number {
  return entry.rows.at(-1)?.arrivedMs ?? Number.NEGATIVE_INFINITY;
}
