import type { TableSchema } from '../../catalog/schema.ts';
import type { Engine } from '../../duckdb/index.ts';
import type { TableSection } from '../batch/index.ts';
import type { RowDelete } from '../deletes/row-delete.ts';
import { type SeriesIndex, TagLookup } from '../series/index.ts';
import { ChunkTimes } from './chunk-times.ts';
import { Generation } from './generation.ts';
import type { RecentRows } from './recent-rows.ts';
import { SeriesTable } from './series-table.ts';

/** What a reader may use until it releases it: the generations in arrival order and the tags of their series. */
export interface BufferView {
  readonly generations: readonly Generation[];
  /** Engine table of tag values, joined by `sid`. */
  readonly seriesTable: string;
  /** Chunks whose rows may repeat a key of an earlier row or file. */
  readonly dirtyChunks: ReadonlySet<bigint>;
  /** Ids of the series with a tag value, those that come later included; undefined = cannot tell. */
  seriesWith(columnId: number, value: string): readonly number[] | undefined;
  release(): void;
}

/** The buffered rows of one table. */
export class TableBuffer {
  readonly table: TableSchema;
  readonly series: SeriesIndex;
  readonly #engine: Engine;
  readonly #nextName: (kind: string) => string;
  readonly #seriesTable: SeriesTable;
  readonly #tagLookup: TagLookup;
  readonly #times: ChunkTimes;
  readonly #recent: RecentRows;
  #generations: Generation[] = [];
  #active: Generation | undefined;
  readonly #dirty = new Set<bigint>();
  #views = 0;
  #dropped = false;

  constructor(
    engine: Engine,
    table: TableSchema,
    series: SeriesIndex,
    chunkDurationNs: bigint,
    recent: RecentRows,
    nextName: (kind: string) => string,
  ) {
    this.#engine = engine;
    this.table = table;
    this.series = series;
    this.#nextName = nextName;
    this.#times = new ChunkTimes(chunkDurationNs);
    this.#recent = recent;
    this.#tagLookup = new TagLookup(series);
    this.#seriesTable = new SeriesTable(engine, nextName('s'), table, series);
  }

  get rows(): number {
    return this.#generations.reduce((sum, generation) => sum + generation.rows, 0);
  }

  get bytes(): number {
    return this.#generations.reduce((sum, generation) => sum + generation.bytes, 0);
  }

  get pendingBytes(): number {
    let bytes = 0;
    for (const generation of this.#generations) bytes += generation.pendingBytes;
    return bytes;
  }

  get wantsDrain(): boolean {
    return this.#active?.wantsDrain === true;
  }

  /** Takes durable rows over. Synchronous; they are visible to every view opened from now on. */
  apply(section: TableSection): void {
    if (this.#active === undefined) {
      this.#active = new Generation(this.#engine, this.#nextName('b'));
      this.#generations.push(this.#active);
    }
    this.#active.add(section);
    this.#track(this.#active, section);
  }

  /** Hides rows that arrived before now. */
  hide(deleted: RowDelete): void {
    this.#active = undefined;
    for (const generation of this.#generations) generation.hide(deleted);
  }

  /** Moves full engine chunks of waiting rows. */
  async drain(): Promise<void> {
    await this.#active?.drain(false);
  }

  /** Generations in arrival order and chunks that may repeat keys, as they are in this turn. */
  peek(): Pick<BufferView, 'generations' | 'dirtyChunks'> {
    return { generations: this.#generations.slice(), dirtyChunks: this.#dirty };
  }

  /** A consistent view with every row applied so far. */
  async view(): Promise<BufferView> {
    const generations = this.#generations.slice();
    const dirtyChunks = new Set(this.#dirty);
    for (const generation of generations) generation.retain();
    this.#views++;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      for (const generation of generations) generation.release();
      this.#views--;
      // A closed engine has nothing left to free.
      if (this.#dropped && this.#views === 0) void this.#seriesTable.drop().catch(() => undefined);
    };
    try {
      if (generations.length > 0) {
        for (const generation of generations) await generation.drain(true);
        await this.#seriesTable.refresh();
      }
    } catch (error) {
      release();
      throw error;
    }
    const seriesWith = (columnId: number, value: string): readonly number[] | undefined => this.#tagLookup.idsWith(columnId, value);
    return { generations, seriesTable: this.#seriesTable.engineTable, dirtyChunks, seriesWith, release };
  }

  /** Ends the open generation: rows that arrive later go to a new one. Returns what a snapshot may persist. */
  seal(): readonly Generation[] {
    this.#active = undefined;
    return this.#generations.slice();
  }

  /**
   * Swaps persisted generations for what is left of them, in one step: a view opened before sees the old ones, a view
   * opened after sees `remainder`.
   */
  replace(persisted: readonly Generation[], remainder: Generation | undefined): void {
    const gone = new Set(persisted);
    const kept = this.#generations.filter((generation) => !gone.has(generation));
    this.#generations = remainder === undefined ? kept : [remainder, ...kept];
    for (const generation of persisted) generation.retire();
  }

  /** No key of the chunk occurs twice any more. */
  markClean(chunk: bigint): void {
    this.#dirty.delete(chunk);
  }

  /** A generation that is filled by SQL and comes in through `replace`. */
  newGeneration(): Generation {
    return new Generation(this.#engine, this.#nextName('b'));
  }

  isDirty(chunk: bigint): boolean {
    return this.#dirty.has(chunk);
  }

  /** Chunks that have rows in the buffer now. */
  bufferedChunks(): Set<bigint> {
    const chunks = new Set<bigint>();
    for (const generation of this.#generations) for (const chunk of generation.chunks.keys()) chunks.add(chunk);
    return chunks;
  }

  /** Forgets everything; used when the table is gone. Views keep what they read until they are released. */
  async drop(): Promise<void> {
    this.replace(this.#generations, undefined);
    this.#dirty.clear();
    this.#recent.clear();
    this.#active = undefined;
    this.#dropped = true;
    if (this.#views === 0) await this.#seriesTable.drop();
  }

  /** Counts rows per gen1 chunk and notes chunks in which a key may occur twice. */
  #track(generation: Generation, section: TableSection): void {
    const { seriesIds, rowCount } = section;
    const halves = new Int32Array(section.timesNs.buffer, section.timesNs.byteOffset, rowCount * 2);
    const doubtful: number[] = [];
    let chunk: bigint | undefined;
    let rows = 0;
    for (let row = 0; row < rowCount; row++) {
      const lo = (halves[row * 2] as number) >>> 0;
      const hi = halves[row * 2 + 1] as number;
      const start = this.#times.startOfHalves(hi, lo);
      if (this.series.observe(seriesIds[row] as number, hi, lo) && !this.#dirty.has(start)) doubtful.push(row);
      if (start === chunk) {
        rows++;
        continue;
      }
      if (chunk !== undefined) this.#count(generation, section, chunk, rows);
      chunk = start;
      rows = 1;
    }
    if (chunk !== undefined) this.#count(generation, section, chunk, rows);
    if (doubtful.length > 0) {
      for (const row of this.#recent.repeats(section, doubtful)) this.#dirty.add(this.#times.startOf(section.timesNs[row] as bigint));
    }
    this.#recent.add(section);
  }

  #count(generation: Generation, section: TableSection, chunk: bigint, rows: number): void {
    const end = chunk + this.#times.durationNs - 1n;
    const minTimeNs = section.minTimeNs > chunk ? section.minTimeNs : chunk;
    const maxTimeNs = section.maxTimeNs < end ? section.maxTimeNs : end;
    const known = generation.chunks.get(chunk);
    if (known === undefined) {
      generation.chunks.set(chunk, { rows, minTimeNs, maxTimeNs });
      return;
    }
    known.rows += rows;
    if (minTimeNs < known.minTimeNs) known.minTimeNs = minTimeNs;
    if (maxTimeNs > known.maxTimeNs) known.maxTimeNs = maxTimeNs;
  }
}
