import type { ColumnSchema, DistinctCacheDefinition, TableSchema } from '../catalog/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { ColumnId, SeriesId } from '../shared/ids.ts';
import type { TableSection } from '../write/batch/index.ts';
import type { SeriesIndex } from '../write/series/index.ts';
import { CACHE_BYTES_MAX, CACHE_KEPT_SHARE } from './limits.ts';
import { type CellReader, compareValues, fieldReader, keyText, tagValue, valueBytes } from './values.ts';

export interface DistinctValueCacheOptions {
  readonly definition: DistinctCacheDefinition;
  readonly table: TableSchema;
  readonly clock: Clock;
  /** Called when combinations had to leave because of their number or size. */
  readonly onFull: (combinations: number) => void;
  readonly bytesMax?: number;
}

type Combination = readonly (string | null)[];

interface Entry {
  readonly values: Combination;
  readonly text: string;
  readonly bytes: number;
  /** Time of the row that came last, not its arrival. */
  seenNs: bigint;
  /** It was removed; a series that still points to it must look again. */
  gone: boolean;
}

/** The distinct combinations of some columns. */
export class DistinctValueCache {
  readonly definition: DistinctCacheDefinition;
  readonly #table: TableSchema;
  readonly #clock: Clock;
  readonly #onFull: (combinations: number) => void;
  readonly #bytesMax: number;
  readonly #maxAgeNs: bigint;
  /** Each once, however often it was given. */
  readonly #columnIds: readonly ColumnId[];
  readonly #tagsOnly: boolean;
  readonly #entries = new Map<string, Entry>();
  #bySeries: (Entry | undefined)[] = [];
  /** Whose ids these are: a table gets another index when its series were forgotten. */
  #series: SeriesIndex | undefined;
  #bytes = 0;

  constructor({ definition, table, clock, onFull, bytesMax }: DistinctValueCacheOptions) {
    this.definition = definition;
    this.#table = table;
    this.#clock = clock;
    this.#onFull = onFull;
    this.#bytesMax = bytesMax ?? CACHE_BYTES_MAX;
    this.#maxAgeNs = BigInt(definition.maxAgeSecs) * 1_000_000_000n;
    this.#columnIds = [...new Set(definition.columnIds)];
    this.#tagsOnly = this.#columnIds.every((id) => table.columns[id]?.type === 'tag');
  }

  /** Combinations held, expired ones included until the next eviction. */
  get size(): number {
    return this.#entries.size;
  }

  /** Estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  columns(): ColumnSchema[] {
    return this.#columnIds.flatMap((id) => this.#table.columns[id] ?? []);
  }

  /** Takes durable rows over. A missing column is a value of its own. */
  apply(section: TableSection, series: SeriesIndex): void {
    if (series !== this.#series) {
      this.#series = series;
      this.#bySeries = [];
    }
    const { seriesIds, rowCount, timesNs } = section;
    const readers = this.#tagsOnly ? undefined : this.#columnIds.map((id) => this.#reader(section, series, id));
    for (let row = 0; row < rowCount; row++) {
      const entry =
        readers === undefined
          ? this.#entryOfSeries(seriesIds[row] as number, series)
          : this.#entry(readers.map((read) => read(row) as string | null));
      entry.seenNs = timesNs[row] as bigint;
    }
    const cardinalityMax = this.definition.maxCardinality * OVERSHOOT;
    if (this.#entries.size > cardinalityMax || this.#bytes > this.#bytesMax) this.evict();
  }

  /** Adds a stored combination that no row brought yet. */
  addHistory(values: Combination, seenNs: bigint): void {
    if (this.#entries.has(keyText(values))) return;
    this.#entry(values).seenNs = seenNs;
    if (this.#bytes > this.#bytesMax) this.evict();
  }

  /**
   * Distinct values of the first `depth` columns, seen within the maximum age; sorted, null first.
   */
  rows(depth: number): Combination[] {
    const oldest = this.#clock.nowNs() - this.#maxAgeNs;
    const found = new Map<string, Combination>();
    const whole = depth >= this.#columnIds.length;
    for (const { values, seenNs, text } of this.#entries.values()) {
      if (seenNs <= oldest) continue;
      const part = whole ? values : values.slice(0, depth);
      found.set(whole ? text : keyText(part), part);
    }
    return [...found.values()].sort(compareCombinations);
  }

  /** Removes what expired, then, over the limits, what was seen longest ago. */
  evict(): void {
    const oldest = this.#clock.nowNs() - this.#maxAgeNs;
    for (const entry of this.#entries.values()) if (entry.seenNs <= oldest) this.#forget(entry);
    const { maxCardinality } = this.definition;
    if (this.#entries.size <= maxCardinality && this.#bytes <= this.#bytesMax) return;
    const bytesKept = this.#bytes > this.#bytesMax ? this.#bytesMax * CACHE_KEPT_SHARE : this.#bytesMax;
    const bySeen = [...this.#entries.values()].sort((a, b) => (a.seenNs < b.seenNs ? -1 : a.seenNs > b.seenNs ? 1 : 0));
    let dropped = 0;
    for (const entry of bySeen) {
      if (this.#entries.size <= maxCardinality && this.#bytes <= bytesKept) break;
      this.#forget(entry);
      dropped++;
    }
    this.#onFull(dropped);
  }

  #reader(section: TableSection, series: SeriesIndex, id: ColumnId): CellReader {
    if (this.#table.columns[id]?.type !== 'tag') return fieldReader(section, id);
    return (row) => tagValue(series, section.seriesIds[row] as number, id);
  }

  #entryOfSeries(seriesId: SeriesId, series: SeriesIndex): Entry {
    const known = this.#bySeries[seriesId];
    if (known?.gone === false) return known;
    const entry = this.#entry(this.#columnIds.map((id) => tagValue(series, seriesId, id)));
    this.#bySeries[seriesId] = entry;
    return entry;
  }

  #entry(values: Combination): Entry {
    const text = keyText(values);
    const known = this.#entries.get(text);
    if (known !== undefined) return known;
    const bytes = 120 + text.length * 2 + valueBytes(values);
    const entry: Entry = { values, text, bytes, seenNs: 0n, gone: false };
    this.#entries.set(text, entry);
    this.#bytes += bytes;
    return entry;
  }

  #forget(entry: Entry): void {
    entry.gone = true;
    this.#bytes -= entry.bytes;
    this.#entries.delete(entry.text);
  }
}

/** How far the number of combinations may pass its limit between two evictions. */
const OVERSHOOT = 2;

function compareCombinations(a: Combination, b: Combination): number {
  for (let level = 0; level < a.length; level++) {
    const order = compareValues(a[level] ?? null, b[level] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}
