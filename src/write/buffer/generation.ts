import { CHUNK_ROWS, type ChunkAppender, type Engine, type EngineColumnType, sqlIdentifier } from '../../duckdb/index.ts';
import type { FieldType } from '../../shared/column-type.ts';
import type { ColumnSection, TableSection } from '../batch/index.ts';
import type { RowDelete } from '../deletes/row-delete.ts';
import { type RowColumns, SectionMerger, type SectionRows } from './merge-sections.ts';

/** Engine chunks moved before other work gets a turn. */
const CHUNKS_PER_TURN = 8;

/** Sections with fewer rows are merged before the engine gets them. */
const MERGED_ROWS_MAX = 512;

/** Rows and time range of one gen1 chunk inside a generation. */
export interface ChunkRows {
  rows: number;
  minTimeNs: bigint;
  maxTimeNs: bigint;
}

/** Told of what happens to a generation, in the same turn. Must not throw. */
export interface GenerationFollower {
  /** Rows came; the section's bytes never change. */
  added(section: TableSection): void;
  /** The rows live elsewhere from now on. */
  retired(): void;
}

/** A field column that a generation holds. */
export interface FieldColumn {
  readonly id: number;
  readonly type: FieldType;
}

/**
 * A run of buffered rows of one table, in arrival order: an engine table `(sid, time, c<column id>...)` plus the
 * sections that have not been moved into it yet. New rows go to the table's youngest generation; a snapshot seals
 * it and later retires it. Row order = the engine's row id, so later rows win ties.
 */
export class Generation {
  readonly engineTable: string;
  /** By gen1 chunk start. */
  readonly chunks = new Map<bigint, ChunkRows>();
  readonly #engine: Engine;
  readonly #fields: FieldColumn[] = [];
  readonly #fieldIndex = new Map<number, number>();
  #pending: TableSection[] = [];
  /** Rows of the first pending section that were moved already. */
  #headFrom = 0;
  #pendingRows = 0;
  #pendingBytes = 0;
  #tableFields = -1;
  #appender: ChunkAppender | undefined;
  #merger: SectionMerger | undefined;
  #work: Promise<void> = Promise.resolve();
  #readers = 0;
  #retired = false;
  #rows = 0;
  #bytes = 0;
  #deletes: readonly RowDelete[] = [];
  readonly #followers = new Set<GenerationFollower>();

  constructor(engine: Engine, engineTable: string) {
    this.#engine = engine;
    this.engineTable = engineTable;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Estimated memory: engine table plus waiting sections. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of sections that still wait to be moved into the engine table. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** True when at least one full engine chunk is waiting. */
  get wantsDrain(): boolean {
    return this.#pendingRows >= CHUNK_ROWS;
  }

  /** Field columns, in the order of the engine table. */
  get fields(): readonly FieldColumn[] {
    return this.#fields;
  }

  /** Deletes that came after its rows. */
  get deletes(): readonly RowDelete[] {
    return this.#deletes;
  }

  /** Hides rows. The generation must be sealed: rows that come later are not meant. */
  hide(deleted: RowDelete): void {
    this.#deletes = [...this.#deletes, deleted];
  }

  /** Queues the rows of a section. Synchronous; the caller keeps the section's memory untouched from here on. */
  add(section: TableSection): void {
    for (const column of section.columns) this.#addField(column.columnId, column.type);
    this.#pending.push(section);
    this.#pendingRows += section.rowCount;
    this.#pendingBytes += section.byteLength;
    this.#rows += section.rowCount;
    this.#bytes += section.byteLength;
    for (const follower of this.#followers) follower.added(section);
  }

  /** Tells of rows that come from now on. Returns what ends it. */
  follow(follower: GenerationFollower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** Adopts rows that are already in the engine table (made by `CREATE TABLE AS` of a snapshot). */
  adopt(fields: readonly FieldColumn[], chunks: ReadonlyMap<bigint, ChunkRows>, bytes: number): void {
    for (const field of fields) this.#addField(field.id, field.type);
    for (const [start, chunk] of chunks) {
      this.chunks.set(start, chunk);
      this.#rows += chunk.rows;
    }
    this.#bytes = bytes;
    this.#tableFields = fields.length;
  }

  /**
   * Moves waiting rows into the engine table: full chunks only, or with `all` everything, made visible to queries.
   * Calls queue up behind each other.
   */
  drain(all: boolean): Promise<void> {
    const next = this.#work.then(() => this.#drain(all));
    this.#work = next.catch(() => undefined);
    return next;
  }

  /** Keeps the engine table alive for a reader. */
  retain(): void {
    this.#readers++;
  }

  release(): void {
    this.#readers--;
    this.#dropWhenUnused();
  }

  /** The rows now live elsewhere: drop the engine table as soon as no reader needs it. */
  retire(): void {
    this.#retired = true;
    for (const follower of [...this.#followers]) follower.retired();
    this.#dropWhenUnused();
  }

  #addField(id: number, type: FieldType): void {
    if (this.#fieldIndex.has(id)) return;
    this.#fieldIndex.set(id, this.#fields.length);
    this.#fields.push({ id, type });
  }

  async #drain(all: boolean): Promise<void> {
    if (this.#retired || this.#pendingRows < (all ? 1 : CHUNK_ROWS)) {
      if (all) this.#closeAppender();
      return;
    }
    while (this.#pendingRows >= (all ? 1 : CHUNK_ROWS)) {
      await this.#alignTable();
      this.#appender ??= this.#engine.appender(this.engineTable, this.#engineTypes());
      const stop = Math.max(all ? 0 : CHUNK_ROWS - 1, this.#pendingRows - CHUNK_ROWS * CHUNKS_PER_TURN);
      while (this.#pendingRows > stop) this.#fillChunk(this.#appender);
      // A long queue must not keep requests waiting.
      if (this.#pendingRows >= CHUNK_ROWS) await new Promise(setImmediate);
    }
    if (all) this.#closeAppender();
  }

  /** Creates the engine table, or adds the columns that came up since. */
  async #alignTable(): Promise<void> {
    if (this.#tableFields === this.#fields.length) return;
    this.#closeAppender();
    const known = this.#tableFields;
    const fields = this.#fields.slice();
    if (known < 0) {
      const columns = fields.map((field) => `, ${bufferColumn(field.id)} ${engineType(field.type)}`).join('');
      await this.#engine.run(`CREATE TABLE ${sqlIdentifier(this.engineTable)} (sid INTEGER, time TIMESTAMP_NS${columns})`);
    } else {
      for (const field of fields.slice(known)) {
        await this.#engine.run(
          `ALTER TABLE ${sqlIdentifier(this.engineTable)} ADD COLUMN ${bufferColumn(field.id)} ${engineType(field.type)}`,
        );
      }
    }
    this.#tableFields = fields.length;
    if (this.#tableFields !== this.#fields.length) await this.#alignTable();
  }

  #engineTypes(): EngineColumnType[] {
    return ['integer', 'timestamp_ns', ...this.#fields.map((field) => engineType(field.type))];
  }

  /** Fills and hands over at most one engine chunk from the head of the queue. */
  #fillChunk(appender: ChunkAppender): void {
    const parts = this.#headParts(appender.room);
    const [first] = parts;
    if (first === undefined) return;
    let count = 0;
    for (const part of parts) count += part.count;
    if (parts.length === 1) {
      this.#fill(appender, first.section, first.from, count);
    } else {
      this.#merger ??= new SectionMerger();
      this.#fill(appender, this.#merger.merge(parts, this.#fields), 0, count);
    }
    this.#forgetParts(parts);
    this.#pendingRows -= count;
  }

  /** Up to `room` rows from the head of the queue: those of one section, or of several small ones. */
  #headParts(room: number): SectionRows[] {
    const parts: SectionRows[] = [];
    let from = this.#headFrom;
    for (let left = room; left > 0; from = 0) {
      const section = this.#pending[parts.length];
      if (section === undefined || (parts.length > 0 && section.rowCount >= MERGED_ROWS_MAX)) break;
      const count = Math.min(left, section.rowCount - from);
      parts.push({ section, from, count });
      left -= count;
      if (section.rowCount >= MERGED_ROWS_MAX) break;
    }
    return parts;
  }

  /** Takes what was moved off the queue. */
  #forgetParts(parts: readonly SectionRows[]): void {
    let whole = 0;
    for (const { section, from, count } of parts) {
      this.#headFrom = from + count;
      if (this.#headFrom < section.rowCount) break;
      this.#headFrom = 0;
      this.#pendingBytes -= section.byteLength;
      whole++;
    }
    this.#pending.splice(0, whole);
  }

  #fill(appender: ChunkAppender, rows: RowColumns, from: number, count: number): void {
    appender.fixed(0, viewBytes(rows.seriesIds), from, count);
    appender.fixed(1, viewBytes(rows.timesNs), from, count);
    const filled = new Set<number>();
    for (const column of rows.columns) {
      const index = (this.#fieldIndex.get(column.columnId) as number) + 2;
      filled.add(index);
      copyColumn(appender, index, column, from, count);
    }
    if (filled.size < this.#fields.length) {
      for (let index = 2; index < this.#fields.length + 2; index++) if (!filled.has(index)) appender.nulls(index, undefined, from, count);
    }
    appender.advance(count);
  }

  #closeAppender(): void {
    const appender = this.#appender;
    this.#appender = undefined;
    this.#merger = undefined;
    appender?.close();
  }

  #dropWhenUnused(): void {
    if (!this.#retired || this.#readers > 0) return;
    const drop = this.#work.then(async () => {
      this.#closeAppender();
      this.#pending = [];
      this.#headFrom = 0;
      if (this.#tableFields >= 0) await this.#engine.run(`DROP TABLE IF EXISTS ${sqlIdentifier(this.engineTable)}`);
      this.#tableFields = -1;
    });
    this.#work = drop.catch(() => undefined);
  }
}

/** Name of a catalog column inside buffer tables: by id, because the engine folds case. */
export function bufferColumn(columnId: number): string {
  return `c${columnId}`;
}

/** Engine type that holds a field type. */
export function engineType(type: FieldType): EngineColumnType {
  switch (type) {
    case 'float':
      return 'double';
    case 'integer':
      return 'bigint';
    case 'uinteger':
      return 'ubigint';
    case 'string':
      return 'varchar';
    case 'boolean':
      return 'boolean';
  }
}

function copyColumn(appender: ChunkAppender, index: number, column: ColumnSection, from: number, count: number): void {
  if (column.offsets !== undefined) appender.strings(index, column.offsets, column.data, from, count);
  else appender.fixed(index, column.data, from, count);
  if (column.valid !== undefined) appender.nulls(index, column.valid, from, count);
}

function viewBytes(array: Int32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
