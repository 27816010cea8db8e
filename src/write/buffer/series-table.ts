import type { TableSchema } from '../../catalog/schema.ts';
import { CHUNK_ROWS, type ChunkAppender, type Engine, type EngineColumnType, sqlIdentifier } from '../../duckdb/index.ts';
import { nextTurn } from '../../shared/timers.ts';
import type { SeriesIndex } from '../series/index.ts';
import { bufferColumn } from './generation-table.ts';

/** The table of tag values as a reader may use it. */
export interface ReadableSeries {
  readonly engineTable: string;
  /** Tag columns that it has. */
  readonly columns: ReadonlySet<number>;
}

/**
 * The tag values of a table's series as a DuckDB table `(sid, c<tag column id>...)`, one row a series; buffered rows
 * join it by series id. Series are appended when a reader or a snapshot first needs them.
 *
 * Shared by: views of queries, snapshots and loads of columns, which all call `refresh`; the calls queue up behind each other.
 * Rows are never changed, only added, so that a reader finds at least the series that it waited for; a series is added in a turn in
 * which the table has a column for each of its tags. A table whose append
 * failed is never appended to again (`generation-table.ts` says why): a new one is made from all series, and the old one stays
 * until `dropSuperseded`.
 */
export class SeriesTable {
  readonly #engine: Engine;
  readonly #firstName: string;
  readonly #table: TableSchema;
  readonly #series: SeriesIndex;
  #name: string;
  #names = 0;
  readonly #superseded: string[] = [];
  /** Tag columns that it has; undefined = there is no table yet. */
  #tagIds: readonly number[] | undefined;
  /** Series whose rows are part of the table: those with lower ids. */
  #written = 0;
  #work: Promise<unknown> = Promise.resolve();

  constructor(engine: Engine, name: string, table: TableSchema, series: SeriesIndex) {
    this.#engine = engine;
    this.#firstName = name;
    this.#name = name;
    this.#table = table;
    this.#series = series;
  }

  /** Brings the DuckDB table up to every series and tag column known now. */
  refresh(): Promise<ReadableSeries> {
    const next = this.#work.then(() => this.#refresh());
    this.#work = next.catch(() => undefined);
    return next;
  }

  /** Drops tables that were replaced; no reader may need them. */
  dropSuperseded(): Promise<void> {
    if (this.#superseded.length === 0) return Promise.resolve();
    const next = this.#work.then(() => this.#drop());
    this.#work = next.catch(() => undefined);
    return next;
  }

  /** Frees the DuckDB tables once nothing reads the table any more. */
  drop(): Promise<void> {
    const next = this.#work.then(() => {
      this.#supersede();
      return this.#drop();
    });
    this.#work = next.catch(() => undefined);
    return next;
  }

  async #refresh(): Promise<ReadableSeries> {
    try {
      for (;;) {
        await this.#alignTable();
        // Tags and series come while this waits: series are read in the turn in which the table has all tags.
        if (!this.#isAligned) continue;
        if (!this.#append()) break;
        await nextTurn(); // a long list must not keep requests waiting
      }
    } catch (error) {
      this.#supersede();
      throw error;
    }
    return { engineTable: this.#name, columns: new Set(this.#tagIds) };
  }

  /** Appends as many series as one flush takes. True: there are more. */
  #append(): boolean {
    const { count } = this.#series;
    if (this.#written === count) return false;
    const tagIds = this.#tagIds as readonly number[];
    const types: EngineColumnType[] = ['integer', ...tagIds.map((): EngineColumnType => 'varchar')];
    const appender = this.#engine.appender(this.#name, types);
    try {
      const writer = new SeriesRows(appender, this.#series, tagIds);
      let at = this.#written;
      while (at < count && !appender.flushDue) at += writer.write(at, count);
      appender.flush();
      this.#written = at;
      appender.close();
    } catch (error) {
      appender.discard();
      throw error;
    }
    return this.#written < count;
  }

  /** The DuckDB table has a column for every tag that a series can have now. */
  get #isAligned(): boolean {
    return this.#tagIds?.length === this.#table.seriesKey.length;
  }

  async #alignTable(): Promise<void> {
    if (this.#isAligned) return;
    const wanted = this.#table.seriesKey.map((column) => column.id);
    if (this.#tagIds === undefined) {
      const columns = wanted.map((id) => `, ${bufferColumn(id)} VARCHAR`).join('');
      await this.#engine.run(`CREATE TABLE ${sqlIdentifier(this.#name)} (sid INTEGER${columns})`);
    } else {
      for (const id of wanted.slice(this.#tagIds.length)) {
        await this.#engine.run(`ALTER TABLE ${sqlIdentifier(this.#name)} ADD COLUMN ${bufferColumn(id)} VARCHAR`);
      }
    }
    this.#tagIds = wanted;
  }

  /** The next refresh makes a new table. */
  #supersede(): void {
    this.#superseded.push(this.#name);
    this.#name = `${this.#firstName}_${++this.#names}`;
    this.#tagIds = undefined;
    this.#written = 0;
  }

  async #drop(): Promise<void> {
    for (let name = this.#superseded.at(-1); name !== undefined; name = this.#superseded.at(-1)) {
      await this.#engine.run(`DROP TABLE IF EXISTS ${sqlIdentifier(name)}`);
      this.#superseded.pop();
    }
  }
}

/** Turns canonical series bytes into engine chunks. */
class SeriesRows {
  readonly #appender: ChunkAppender;
  readonly #series: SeriesIndex;
  readonly #tagIds: readonly number[];
  readonly #ids = new Int32Array(CHUNK_ROWS);

  constructor(appender: ChunkAppender, series: SeriesIndex, tagIds: readonly number[]) {
    this.#appender = appender;
    this.#series = series;
    this.#tagIds = tagIds;
  }

  /** Appends up to one chunk of series from `first` on; returns how many. */
  write(first: number, end: number): number {
    const count = Math.min(this.#appender.room, end - first);
    for (let i = 0; i < count; i++) this.#ids[i] = first + i;
    this.#appender.fixed(0, new Uint8Array(this.#ids.buffer), 0, count);
    for (let column = 0; column < this.#tagIds.length; column++) this.#writeTag(column, first, count);
    this.#appender.advance(count);
    return count;
  }

  #writeTag(column: number, first: number, count: number): void {
    const tagId = this.#tagIds[column] as number;
    const offsets = new Uint32Array(count + 1);
    const valid = new Uint8Array((count + 7) >> 3);
    const parts: Uint8Array[] = [];
    let length = 0;
    let nulls = 0;
    for (let i = 0; i < count; i++) {
      const value = tagValue(this.#series.canonicalOf(first + i), tagId);
      if (value === undefined) {
        nulls++;
      } else {
        valid[i >> 3] = (valid[i >> 3] as number) | (1 << (i & 7));
        parts.push(value);
        length += value.length;
      }
      offsets[i + 1] = length;
    }
    this.#appender.strings(column + 1, offsets, Buffer.concat(parts, length), 0, count);
    if (nulls > 0) this.#appender.nulls(column + 1, valid, 0, count);
  }
}

/** The value of one tag in canonical series bytes: u16 column id, u32 length, bytes, ascending by id. */
function tagValue(canonical: Uint8Array, tagId: number): Uint8Array | undefined {
  let at = 0;
  while (at < canonical.length) {
    const id = (canonical[at] as number) | ((canonical[at + 1] as number) << 8);
    const length =
      ((canonical[at + 2] as number) |
        ((canonical[at + 3] as number) << 8) |
        ((canonical[at + 4] as number) << 16) |
        ((canonical[at + 5] as number) << 24)) >>>
      0;
    if (id === tagId) return canonical.subarray(at + 6, at + 6 + length);
    if (id > tagId) return undefined;
    at += 6 + length;
  }
  return undefined;
}
