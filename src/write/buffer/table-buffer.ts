import type { TableSchema } from '../../catalog/schema.ts';
import type { Engine } from '../../duckdb/index.ts';
import type { ColumnId } from '../../shared/ids.ts';
import type { TableSection } from '../batch/index.ts';
import type { RowDelete } from '../deletes/row-delete.ts';
import { type SeriesIndex, TagLookup } from '../series/index.ts';
import { ChunkTimes } from './chunk-times.ts';
import { Generation, type GenerationMoment, type ReadableGeneration } from './generation.ts';
import type { RecentRows } from './recent-rows.ts';
import { type ReadableSeries, SeriesTable } from './series-table.ts';

/** A table's buffered rows at one moment, without a promise that they can be read. */
export interface BufferMoment {
  /** In arrival order. */
  readonly generations: readonly GenerationMoment[];
  /** Chunks whose rows may repeat a key of an earlier row or file. */
  readonly dirtyChunks: ReadonlySet<bigint>;
}

/**
 * The rows of one moment, readable until it is released. All parts are of that moment or, where later ones can do no
 * harm, at least as new: series that came later have no rows in it.
 */
export interface BufferView extends BufferMoment {
  readonly generations: readonly ReadableGeneration[];
  /** DuckDB table of tag values, joined by `sid`. */
  readonly seriesTable: string;
  /** Tag columns that the table of tag values has; no row of the view has a value for another one. */
  readonly seriesColumns: ReadonlySet<number>;
  /** Ids of the series with a tag value, those that come later included; undefined = cannot tell. */
  seriesWith(columnId: ColumnId, value: string): readonly number[] | undefined;
  release(): void;
}

export interface TableBufferOptions {
  readonly engine: Engine;
  readonly table: TableSchema;
  readonly series: SeriesIndex;
  readonly chunkDurationNs: bigint;
  readonly recent: RecentRows;
  readonly nextName: (kind: string) => string;
  readonly onError: (message: string, error: unknown) => void;
}

/**
 * The buffered rows of one table.
 *
 * Shared by: writes and replay (`apply`), queries (`view`, `peek`), snapshots (`seal`, `replace`, `markClean`), deletes (`hide`) and the end of
 * the table (`drop`). Every change of the list of generations and of the dirty chunks is one synchronous step, and both are
 * handed out as copies: what a reader got stays as it was. Snapshots, deletes and the drop of a table exclude each other
 * (`SnapshotScheduler.exclusive`), so the sealed generations that a snapshot writes are the ones that it replaces.
 */
export class TableBuffer {
  readonly table: TableSchema;
  readonly series: SeriesIndex;
  readonly #options: TableBufferOptions;
  readonly #seriesTable: SeriesTable;
  readonly #tagLookup: TagLookup;
  readonly #times: ChunkTimes;
  readonly #recent: RecentRows;
  #generations: Generation[] = [];
  #active: Generation | undefined;
  #dirty: ReadonlySet<bigint> = new Set();
  #views = 0;
  #dropped = false;

  constructor(options: TableBufferOptions) {
    this.#options = options;
    this.table = options.table;
    this.series = options.series;
    this.#times = new ChunkTimes(options.chunkDurationNs);
    this.#recent = options.recent;
    this.#tagLookup = new TagLookup(options.series);
    this.#seriesTable = new SeriesTable(options.engine, options.nextName('s'), options.table, options.series);
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

  /** Bytes of rows that DuckDB has, but not yet as part of a table. */
  get unflushedBytes(): number {
    let bytes = 0;
    for (const generation of this.#generations) bytes += generation.unflushedBytes;
    return bytes;
  }

  get wantsDrain(): boolean {
    return this.#generations.some((generation) => generation.wantsDrain);
  }

  /** Takes durable rows over. Synchronous; they are visible to every view opened from now on. */
  apply(section: TableSection): void {
    if (this.#active === undefined) {
      this.#active = this.newGeneration();
      this.#generations.push(this.#active);
    }
    this.#active.add(section);
    this.#track(this.#active, section);
  }

  /** Hides rows that arrived before now. */
  hide(deleted: RowDelete): void {
    for (const generation of this.seal()) generation.hide(deleted);
  }

  /** Moves waiting rows: full chunks, or everything. */
  async drain(how: 'chunks' | 'everything'): Promise<void> {
    for (const generation of this.#generations.slice()) {
      if (how === 'everything') await generation.drain(generation.rows);
      else if (generation.wantsDrain) await generation.drain();
    }
  }

  /** The rows applied so far. */
  peek(): BufferMoment {
    return { generations: this.#generations.map((generation) => generation.moment()), dirtyChunks: this.#dirty };
  }

  /** The rows applied so far, readable. */
  async view(): Promise<BufferView> {
    const generations = this.#generations.slice();
    const moments = generations.map((generation) => generation.moment());
    const dirtyChunks = this.#dirty;
    for (const generation of generations) generation.retain();
    this.#views++;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      for (const generation of generations) generation.release();
      this.#views--;
      if (this.#views > 0) return;
      // A closed engine has nothing left to free.
      void (this.#dropped ? this.#seriesTable.drop() : this.#seriesTable.dropSuperseded()).catch(() => undefined);
    };
    let series: ReadableSeries = { engineTable: '', columns: new Set() };
    try {
      for (let i = 0; i < generations.length; i++) await generations[i]?.drain(moments[i]?.rows);
      if (generations.length > 0) series = await this.#seriesTable.refresh();
    } catch (error) {
      release();
      throw error;
    }
    return {
      generations: generations.map((generation, i) => generation.readable(moments[i] as GenerationMoment)),
      seriesTable: series.engineTable,
      seriesColumns: series.columns,
      dirtyChunks,
      seriesWith: (columnId, value) => this.#tagLookup.idsWith(columnId, value),
      release,
    };
  }

  /** Ends the open generation: rows that arrive later go to a new one. Returns what a snapshot may persist. */
  seal(): readonly Generation[] {
    this.#active?.seal();
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
    if (!this.#dirty.has(chunk)) return;
    const dirty = new Set(this.#dirty);
    dirty.delete(chunk);
    this.#dirty = dirty;
  }

  /** A generation that is filled by SQL and comes in through `replace`. */
  newGeneration(): Generation {
    const { engine, nextName, onError } = this.#options;
    return new Generation(engine, nextName('b'), (error) => {
      if (!engine.isClosed) onError('a table of buffered rows could not be dropped', error);
    });
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
    this.seal();
    this.replace(this.#generations, undefined);
    this.#dirty = new Set();
    this.#recent.clear();
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
      const repeats = this.#recent.repeats(section, doubtful);
      if (repeats.length > 0)
        this.#dirty = new Set([...this.#dirty, ...repeats.map((row) => this.#times.startOf(section.timesNs[row] as bigint))]);
    }
    this.#recent.add(section);
  }

  #count(generation: Generation, section: TableSection, chunk: bigint, rows: number): void {
    const end = chunk + this.#times.durationNs - 1n;
    const minTimeNs = section.minTimeNs > chunk ? section.minTimeNs : chunk;
    const maxTimeNs = section.maxTimeNs < end ? section.maxTimeNs : end;
    generation.count(chunk, rows, minTimeNs, maxTimeNs);
  }
}
