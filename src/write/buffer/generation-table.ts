import { CHUNK_ROWS, type ChunkAppender, type Engine, type EngineColumnType, sqlIdentifier } from '../../duckdb/index.ts';
import { assert } from '../../shared/assert.ts';
import type { FieldType } from '../../shared/column-type.ts';
import type { ColumnId } from '../../shared/ids.ts';
import type { ColumnSection } from '../batch/index.ts';
import { type RowColumns, SectionMerger, type SectionRows } from './merge-sections.ts';

/** A field column that a generation holds. */
export interface FieldColumn {
  readonly id: number;
  readonly type: FieldType;
}

/** A DuckDB table `(sid, time, c<column id>...)` with a run of a generation's rows. */
export interface TablePart {
  readonly engineTable: string;
  /** Number of its first row in the generation; its row ids count from 0. */
  readonly firstRow: number;
  /** Rows that belong to the reader: the first ones. */
  readonly rows: number;
  /** Others may follow, or stand behind them after a failure: stop at row id `rows`. */
  readonly isOpen: boolean;
  /** The field columns that it has. */
  readonly fields: readonly FieldColumn[];
}

/**
 * The rows of a generation inside DuckDB: one table, to which rows are appended, and after failures the ones before it. DuckDB
 * (1.5.5) does not undo a failed append completely: at its memory limit some columns may keep what was appended, and whatever
 * is appended later stands in other rows there than in the other columns. The rows before the failure are right. So a table
 * whose append failed is closed at its last flushed row, and a new one goes on; nothing is copied, which would need memory.
 *
 * Shared by: the drains of its generation, one after another. Readers get `parts` of a moment; what is part of a table by then
 * never changes.
 */
export class GenerationTable {
  readonly #engine: Engine;
  readonly #firstName: string;
  #name: string;
  #names = 0;
  #closed: readonly TablePart[] = [];
  /** Tables without a row for anybody. */
  readonly #empty: string[] = [];
  #closedRows = 0;
  #fields: readonly FieldColumn[] = [];
  readonly #fieldIndex = new Map<number, number>();
  #exists = false;
  #rows = 0;
  #appended = 0;
  #appender: ChunkAppender | undefined;
  #merger: SectionMerger | undefined;

  constructor(engine: Engine, name: string) {
    this.#engine = engine;
    this.#firstName = name;
    this.#name = name;
  }

  /** Name of the table that is open for rows. */
  get name(): string {
    return this.#name;
  }

  /** Rows that are part of the tables. */
  get rows(): number {
    return this.#closedRows + this.#rows;
  }

  /** Rows that may be appended before the open chunk is full. */
  get room(): number {
    return this.#appender?.room ?? CHUNK_ROWS;
  }

  get flushDue(): boolean {
    return this.#appender?.flushDue === true;
  }

  /** True when DuckDB has something to drop. */
  get isThere(): boolean {
    return this.#exists || this.#closed.length > 0 || this.#empty.length > 0;
  }

  /**
   * Where the first `rows` rows are; they must be part of the tables.
   * @param isSealed no rows will follow
   */
  parts(rows: number, isSealed: boolean): TablePart[] {
    assert(rows <= this.rows, 'only rows that are part of a table are read');
    const parts: TablePart[] = [];
    for (const part of this.#closed) if (part.firstRow < rows) parts.push({ ...part, rows: Math.min(part.rows, rows - part.firstRow) });
    if (rows > this.#closedRows) {
      const isOpen = !isSealed || this.rows !== rows;
      parts.push({ engineTable: this.#name, firstRow: this.#closedRows, rows: rows - this.#closedRows, isOpen, fields: this.#fields });
    }
    return parts;
  }

  /** True when rows with these fields can be appended as it is. */
  isReady(fields: readonly FieldColumn[]): boolean {
    return this.#exists && this.#fields.length === fields.length;
  }

  /** Takes over a table that has its rows already. */
  adopt(fields: readonly FieldColumn[], rows: number): void {
    this.#setFields(fields);
    this.#exists = true;
    this.#rows = rows;
  }

  /** Creates the table, or adds the columns that came up since. Everything appended must be flushed. When it rejects, call `discard`. */
  async prepare(fields: readonly FieldColumn[]): Promise<void> {
    assert(this.#appended === 0, 'rows are flushed before their table changes');
    const appender = this.#appender;
    this.#appender = undefined;
    this.#merger = undefined;
    appender?.close();
    if (this.#empty.length > 0) await this.#dropEmpty();
    if (!this.#exists) {
      const columns = fields.map((field) => `, ${bufferColumn(field.id)} ${engineType(field.type)}`).join('');
      await this.#engine.run(`CREATE TABLE ${sqlIdentifier(this.#name)} (sid INTEGER, time TIMESTAMP_NS${columns})`);
      this.#exists = true;
      this.#setFields(fields);
    }
    for (const field of fields.slice(this.#fields.length)) {
      await this.#engine.run(`ALTER TABLE ${sqlIdentifier(this.#name)} ADD COLUMN ${bufferColumn(field.id)} ${engineType(field.type)}`);
      this.#setFields([...this.#fields, field]);
    }
  }

  /** Hands rows over, at most `room`. When this or `flush` throws, call `discard`. */
  append(parts: readonly SectionRows[]): void {
    const [first] = parts;
    if (first === undefined) return;
    let count = 0;
    for (const part of parts) count += part.count;
    this.#appender ??= this.#engine.appender(this.#name, [
      'integer',
      'timestamp_ns',
      ...this.#fields.map((field) => engineType(field.type)),
    ]);
    if (parts.length === 1) {
      this.#fill(this.#appender, first.section, first.from, count);
    } else {
      this.#merger ??= new SectionMerger();
      this.#fill(this.#appender, this.#merger.merge(parts, this.#fields), 0, count);
    }
    this.#appended += count;
  }

  /** Makes everything appended part of the table. */
  flush(): void {
    this.#appender?.flush();
    this.#rows += this.#appended;
    this.#appended = 0;
  }

  /** After a failure: forgets what was appended since the last flush; later rows go to another table. Never throws. */
  discard(): void {
    const appender = this.#appender;
    this.#appender = undefined;
    this.#merger = undefined;
    this.#appended = 0;
    if (this.#rows > 0) {
      const part = { engineTable: this.#name, firstRow: this.#closedRows, rows: this.#rows, isOpen: true, fields: this.#fields };
      this.#closed = [...this.#closed, part];
      this.#closedRows += this.#rows;
    } else this.#empty.push(this.#name);
    this.#name = `${this.#firstName}_${++this.#names}`;
    this.#exists = false;
    this.#rows = 0;
    this.#fields = [];
    this.#fieldIndex.clear();
    try {
      appender?.discard();
    } catch {
      // What DuckDB still has of it can only get into a table that nobody reads so far.
    }
  }

  /** Drops everything. Rows cannot be appended any more. */
  async drop(): Promise<void> {
    this.discard();
    this.#empty.push(...this.#closed.map((part) => part.engineTable));
    this.#closed = [];
    await this.#dropEmpty();
  }

  async #dropEmpty(): Promise<void> {
    for (let name = this.#empty.at(-1); name !== undefined; name = this.#empty.at(-1)) {
      await this.#engine.run(`DROP TABLE IF EXISTS ${sqlIdentifier(name)}`);
      this.#empty.pop();
    }
  }

  #setFields(fields: readonly FieldColumn[]): void {
    this.#fields = fields;
    fields.forEach((field, i) => {
      this.#fieldIndex.set(field.id, i);
    });
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
}

/** Name of a catalog column inside buffer tables: by id, because DuckDB folds case. */
export function bufferColumn(columnId: ColumnId): string {
  return `c${columnId}`;
}

/** DuckDB type that holds a field type. */
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
