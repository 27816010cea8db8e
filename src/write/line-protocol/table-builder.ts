import type { TableSchema } from '../../catalog/schema.ts';
import type { SeriesId } from '../../shared/ids.ts';
import type { SeriesIndex } from '../series/index.ts';
import { ColumnBuilder } from './column-builder.ts';
import { HIGH, LOW } from './int64.ts';
import { KeyTable } from './key-table.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { ParsedTable } from './parsed-write.ts';

const FIRST_ROWS = 64;
const ROW_BYTES = 12;
/** Stands before the first tag or field. Its own name can match, but its type fits no value. */
const HEAD = { id: -1, name: '\n\n\n', type: 'time' } as const;

/** The rows of one table while a body is parsed, with what is known of the table from earlier ones. */
export class TableBuilder {
  readonly schema: TableSchema;
  readonly series: SeriesIndex;
  /** Number of the last parse that found the schema current. */
  checkedIn = -1;
  rowCount = 0;
  capacity = 0;
  seriesIds = new Int32Array(0);
  /** Times as halves of 64-bit values, the memory of `timesNs`. */
  times = new Int32Array(0);
  readonly tagHead: ColumnBuilder;
  readonly fieldHead: ColumnBuilder;
  readonly #byName = new Map<string, ColumnBuilder>();
  readonly #columns: ColumnBuilder[] = [];
  readonly #keys = new KeyTable();
  readonly #budget: MemoryBudget;
  readonly #touched: ColumnBuilder[] = [];
  #timesNs = new BigInt64Array(0);
  #minHigh = 0;
  #minLow = 0;
  #maxHigh = 0;
  #maxLow = 0;

  constructor(schema: TableSchema, series: SeriesIndex, budget: MemoryBudget) {
    this.schema = schema;
    this.series = series;
    this.#budget = budget;
    const headName = Buffer.from(HEAD.name);
    this.tagHead = new ColumnBuilder(HEAD, headName, budget, this.#touched);
    this.fieldHead = new ColumnBuilder(HEAD, headName, budget, this.#touched);
    this.refresh();
  }

  /** Takes up columns that the table got since. */
  refresh(): void {
    const { columns } = this.schema;
    for (let i = this.#columns.length; i < columns.length; i++) {
      const column = columns[i];
      if (column === undefined) break;
      const name = Buffer.from(column.name);
      const builder = new ColumnBuilder(column, name, this.#budget, this.#touched);
      builder.next = column.type === 'tag' ? this.tagHead : this.fieldHead;
      this.#keys.set(name, this.#columns.length);
      this.#columns.push(builder);
      this.#byName.set(column.name, builder);
    }
  }

  /** The column whose name is `bytes[start, end)`. */
  columnAt(bytes: Uint8Array, start: number, end: number): ColumnBuilder | undefined {
    const index = this.#keys.get(bytes, start, end);
    return index < 0 ? undefined : this.#columns[index];
  }

  column(name: string): ColumnBuilder | undefined {
    return this.#byName.get(name);
  }

  /** Makes place for one more row. */
  growRows(): void {
    const capacity = Math.max(this.capacity * 2, FIRST_ROWS);
    this.#budget.take((capacity - this.capacity) * ROW_BYTES);
    const seriesIds = new Int32Array(capacity);
    seriesIds.set(this.seriesIds);
    const times = new Int32Array(capacity * 2);
    times.set(this.times);
    this.seriesIds = seriesIds;
    this.times = times;
    this.#timesNs = new BigInt64Array(times.buffer);
    this.capacity = capacity;
  }

  /** Completes the row whose fields have been set. `high` and `low`: signed halves of its time in ns. */
  commitRow(seriesId: SeriesId, high: number, low: number): void {
    const row = this.rowCount;
    if (row === this.capacity) this.growRows();
    this.seriesIds[row] = seriesId;
    this.times[row * 2 + LOW] = low;
    this.times[row * 2 + HIGH] = high;
    if (row === 0) {
      this.#minHigh = this.#maxHigh = high;
      this.#minLow = this.#maxLow = low;
    } else if (high > this.#maxHigh || (high === this.#maxHigh && low >>> 0 > this.#maxLow >>> 0)) {
      this.#maxHigh = high;
      this.#maxLow = low;
    } else if (high < this.#minHigh || (high === this.#minHigh && low >>> 0 < this.#minLow >>> 0)) {
      this.#minHigh = high;
      this.#minLow = low;
    }
    this.rowCount = row + 1;
  }

  /** Takes back the fields of the row that was begun. */
  rollbackRow(): void {
    for (const column of this.#touched) column.rollback(this.rowCount);
  }

  /** Completes the columns. The result shares the builder's memory. */
  finish(): ParsedTable {
    const columns = this.#touched.filter((column) => column.finish(this.rowCount)).sort((a, b) => a.column.id - b.column.id);
    return {
      table: this.schema,
      series: this.series,
      rowCount: this.rowCount,
      seriesIds: this.seriesIds,
      timesNs: this.#timesNs,
      minTimeNs: int64(this.#minHigh, this.#minLow),
      maxTimeNs: int64(this.#maxHigh, this.#maxLow),
      columns,
    };
  }

  /** Empties the table for the next body; with `release` the memory goes as well. */
  reset(release: boolean): void {
    for (const column of this.#touched) column.reset();
    this.#touched.length = 0;
    this.rowCount = 0;
    if (!release) return;
    for (const column of this.#columns) column.release();
    this.#budget.take(-this.capacity * ROW_BYTES);
    this.capacity = 0;
    this.seriesIds = new Int32Array(0);
    this.times = new Int32Array(0);
    this.#timesNs = new BigInt64Array(0);
  }
}

function int64(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}
