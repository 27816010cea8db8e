import type { TableSchema } from '../../catalog/schema.ts';
import { CHUNK_ROWS, type ChunkAppender, type Engine, type EngineColumnType, sqlIdentifier } from '../../duckdb/index.ts';
import type { SeriesIndex } from '../series/index.ts';
import { bufferColumn } from './generation.ts';

/**
 * The tag values of a table's series as an engine table `(sid, c<tag column id>...)`, one row a series; buffered rows
 * join it by series id. Series are appended when a reader or a snapshot first needs them.
 */
export class SeriesTable {
  readonly engineTable: string;
  readonly #engine: Engine;
  readonly #table: TableSchema;
  readonly #series: SeriesIndex;
  #tagIds: number[] | undefined;
  #written = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(engine: Engine, engineTable: string, table: TableSchema, series: SeriesIndex) {
    this.#engine = engine;
    this.engineTable = engineTable;
    this.#table = table;
    this.#series = series;
  }

  /** Brings the engine table up to every series and tag column known now. */
  refresh(): Promise<void> {
    const next = this.#work.then(() => this.#refresh());
    this.#work = next.catch(() => undefined);
    return next;
  }

  async #refresh(): Promise<void> {
    await this.#alignTable();
    if (this.#written === this.#series.count) return;
    const tagIds = this.#tagIds as number[];
    const types: EngineColumnType[] = ['integer', ...tagIds.map((): EngineColumnType => 'varchar')];
    const appender = this.#engine.appender(this.engineTable, types);
    const writer = new SeriesRows(appender, this.#series, tagIds);
    while (this.#written < this.#series.count) this.#written += writer.write(this.#written, this.#series.count);
    appender.close();
  }

  async #alignTable(): Promise<void> {
    const wanted = this.#table.seriesKey.map((column) => column.id);
    if (this.#tagIds === undefined) {
      const columns = wanted.map((id) => `, ${bufferColumn(id)} VARCHAR`).join('');
      await this.#engine.run(`CREATE TABLE ${sqlIdentifier(this.engineTable)} (sid INTEGER${columns})`);
    } else {
      for (const id of wanted.slice(this.#tagIds.length)) {
        await this.#engine.run(`ALTER TABLE ${sqlIdentifier(this.engineTable)} ADD COLUMN ${bufferColumn(id)} VARCHAR`);
      }
    }
    this.#tagIds = wanted;
  }

  /** Frees the engine table once nothing reads the table any more. */
  async drop(): Promise<void> {
    await this.#work;
    if (this.#tagIds !== undefined) await this.#engine.run(`DROP TABLE IF EXISTS ${sqlIdentifier(this.engineTable)}`);
    this.#tagIds = undefined;
    this.#written = 0;
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
