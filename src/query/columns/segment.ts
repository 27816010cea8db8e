import type { ColumnId } from '../../shared/ids.ts';
import type { TableSection } from '../../write/batch/index.ts';
import { writeDistances } from './distances.ts';
import { FieldColumn, isNumberType, type NumberType } from './field-column.ts';

/** Rows between two entries of the time index of a buffer segment. */
export const BLOCK_ROWS = 1024;

/** Times further than this from a segment's first one are not exact as doubles. */
const SPAN_NS_MAX = 2 ** 53;

/** Rows of a table in memory: times, series and the fields that were asked for. */
export interface Segment {
  /** Times are ns after this. */
  readonly baseNs: bigint;
  readonly rowCount: number;
  readonly times: Float64Array;
  /** Times of the first and the last row in time, ns after the base. */
  readonly minTime: number;
  readonly maxTime: number;
  readonly bytes: number;
  field(columnId: ColumnId): FieldColumn | undefined;
}

/**
 * A Parquet file: each series is a run of rows in time order.
 *
 * Shared by: all queries that read the file, and the load that adds fields. Rows, runs and codes never change; a field is added
 * once, whole. A query holds the segment itself, so one that leaves the store in the middle of a scan is read to the end.
 */
export class FileSegment implements Segment {
  readonly kind = 'file';
  readonly baseNs: bigint;
  readonly rowCount: number;
  readonly times: Float64Array;
  readonly minTime: number;
  readonly maxTime: number;
  /** Row where each run starts; one entry more than there are runs. */
  readonly starts: Int32Array;
  /** By tag column id: the code of each run. */
  readonly codes: ReadonlyMap<number, Int32Array>;
  readonly #fields = new Map<number, FieldColumn>();

  constructor(rows: {
    readonly baseNs: bigint;
    readonly times: Float64Array;
    readonly starts: Int32Array;
    readonly codes: ReadonlyMap<number, Int32Array>;
  }) {
    this.baseNs = rows.baseNs;
    this.times = rows.times;
    this.rowCount = rows.times.length;
    this.starts = rows.starts;
    this.codes = rows.codes;
    let min = Number.POSITIVE_INFINITY;
    let max = Number.NEGATIVE_INFINITY;
    for (let run = 0; run + 1 < rows.starts.length; run++) {
      min = Math.min(min, rows.times[rows.starts[run] as number] as number);
      max = Math.max(max, rows.times[(rows.starts[run + 1] as number) - 1] as number);
    }
    this.minTime = min;
    this.maxTime = max;
  }

  get bytes(): number {
    let bytes = this.times.byteLength + this.starts.byteLength;
    for (const codes of this.codes.values()) bytes += codes.byteLength;
    for (const field of this.#fields.values()) bytes += field.bytes;
    return bytes;
  }

  field(columnId: ColumnId): FieldColumn | undefined {
    return this.#fields.get(columnId);
  }

  add(columnId: ColumnId, field: FieldColumn): void {
    this.#fields.set(columnId, field);
  }
}

/**
 * Buffered rows of one generation, in the order of their arrival.
 *
 * Shared by: the follower that appends rows as they become durable, and all queries that scan them. Rows are only ever added
 * behind `rowCount`; arrays that are too small are replaced by longer copies, so one that a scan took stays as it was. A scan
 * takes the row count, the arrays and the time index before its first turn; what it reads later, below that count, is the same in
 * every newer array.
 */
export class BufferSegment implements Segment {
  readonly kind = 'buffer';
  readonly baseNs: bigint;
  /** A time too far from the base came: the segment is of no use. */
  unfit = false;
  minTime = Number.POSITIVE_INFINITY;
  maxTime = Number.NEGATIVE_INFINITY;
  readonly #types: ReadonlyMap<number, NumberType>;
  readonly #fields = new Map<number, FieldColumn>();
  #times: Float64Array;
  #series: Int32Array;
  #blockMin: Float64Array;
  #blockMax: Float64Array;
  #rowCount = 0;

  constructor(baseNs: bigint, types: ReadonlyMap<number, NumberType>, capacity: number) {
    this.baseNs = baseNs;
    this.#types = types;
    const rows = Math.max(capacity, BLOCK_ROWS);
    this.#times = new Float64Array(rows);
    this.#series = new Int32Array(rows);
    this.#blockMin = new Float64Array(Math.ceil(rows / BLOCK_ROWS));
    this.#blockMax = new Float64Array(Math.ceil(rows / BLOCK_ROWS));
    for (const [id, type] of types) this.#fields.set(id, new FieldColumn(type, rows));
  }

  get rowCount(): number {
    return this.#rowCount;
  }

  get times(): Float64Array {
    return this.#times;
  }

  /** Series id of each row. */
  get series(): Int32Array {
    return this.#series;
  }

  /** Least and greatest time of each block of `BLOCK_ROWS` rows. */
  get blockMin(): Float64Array {
    return this.#blockMin;
  }

  get blockMax(): Float64Array {
    return this.#blockMax;
  }

  get bytes(): number {
    let bytes = this.#times.byteLength + this.#series.byteLength + this.#blockMin.byteLength * 2;
    for (const field of this.#fields.values()) bytes += field.bytes;
    return bytes;
  }

  field(columnId: ColumnId): FieldColumn | undefined {
    return this.#fields.get(columnId);
  }

  /** True when all these columns are followed. */
  has(columnIds: Iterable<number>): boolean {
    for (const id of columnIds) if (!this.#types.has(id)) return false;
    return true;
  }

  get columnTypes(): ReadonlyMap<number, NumberType> {
    return this.#types;
  }

  /** Appends times (64-bit ns) and series of rows; their fields follow through `FieldColumn.append`. */
  appendKeys(series: Int32Array, times: Int32Array, count: number): void {
    const start = this.#rowCount;
    this.#reserve(start + count);
    this.#series.set(count === series.length ? series : series.subarray(0, count), start);
    writeDistances(times, count, this.baseNs, this.#times, start);
    this.#rowCount = start + count;
    this.#index(start);
  }

  /** Appends a section of the log. Columns of the section that are not followed are left out. */
  append(section: TableSection): void {
    const { rowCount, timesNs } = section;
    this.appendKeys(section.seriesIds, new Int32Array(timesNs.buffer, timesNs.byteOffset, rowCount * 2), rowCount);
    for (const column of section.columns) {
      if (isNumberType(column.type)) this.#fields.get(column.columnId)?.append(column.data, column.valid, rowCount);
    }
    for (const field of this.#fields.values()) if (field.length < this.#rowCount) field.appendNulls(this.#rowCount - field.length);
  }

  #index(start: number): void {
    const end = this.#rowCount;
    for (let row = start; row < end; ) {
      const block = Math.floor(row / BLOCK_ROWS);
      const stop = Math.min(end, (block + 1) * BLOCK_ROWS);
      const fresh = row === block * BLOCK_ROWS;
      let min = fresh ? Number.POSITIVE_INFINITY : (this.#blockMin[block] as number);
      let max = fresh ? Number.NEGATIVE_INFINITY : (this.#blockMax[block] as number);
      for (; row < stop; row++) {
        const time = this.#times[row] as number;
        if (time < min) min = time;
        if (time > max) max = time;
      }
      this.#blockMin[block] = min;
      this.#blockMax[block] = max;
      if (min < this.minTime) this.minTime = min;
      if (max > this.maxTime) this.maxTime = max;
    }
    if (this.minTime < -SPAN_NS_MAX || this.maxTime > SPAN_NS_MAX) this.unfit = true;
  }

  #reserve(rows: number): void {
    if (rows <= this.#times.length) return;
    const capacity = Math.max(rows, Math.ceil(this.#times.length * 1.5));
    this.#times = grown(this.#times, new Float64Array(capacity));
    this.#series = grown(this.#series, new Int32Array(capacity));
    const blocks = Math.ceil(capacity / BLOCK_ROWS);
    this.#blockMin = grown(this.#blockMin, new Float64Array(blocks));
    this.#blockMax = grown(this.#blockMax, new Float64Array(blocks));
  }
}

function grown<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
