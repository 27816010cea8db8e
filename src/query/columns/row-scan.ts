import type { Comparison } from '../sql/types/plans.ts';
import type { FieldColumn } from './field-column.ts';
import { BLOCK_ROWS, type BufferSegment, type FileSegment } from './segment.ts';

/** Rows that a scan hands over at once. */
export const BATCH_ROWS = 2048;

/** Which rows of one segment are wanted, and what they belong to. */
export interface ScanRequest {
  /** Inclusive, ns after the segment's base; infinite = unbounded. */
  readonly minTime: number;
  readonly maxTime: number;
  /** By series (of the buffer) or run (of a file): the group, -1 = not wanted. */
  readonly groupOf: Int32Array;
  /** Undefined = one cell a group. */
  readonly bins: TimeBins | undefined;
  /** Looks at the newest blocks of a buffer first. */
  readonly backwards?: boolean;
  /** Asked before a block of a buffer is read, with its least and greatest time. */
  readonly isWanted?: ((minTime: number, maxTime: number) => boolean) | undefined;
}

/** Bins of equal width: bin 0 starts at time `-shift` of the segment. */
export interface TimeBins {
  readonly shift: number;
  readonly width: number;
  readonly count: number;
}

/** Rows and their cells: `group * bins.count + bin`. */
export interface RowBatch {
  readonly rows: Int32Array;
  readonly cells: Int32Array;
}

/** An empty batch with room for `BATCH_ROWS` rows; the caller fills and reuses it. */
export function newRowBatch(): RowBatch {
  return { rows: new Int32Array(BATCH_ROWS), cells: new Int32Array(BATCH_ROWS) };
}

export interface RowScan {
  /** Fills the batch from its beginning; returns how many rows, 0 at the end. */
  next(batch: RowBatch): number;
}

/** The bin of a time: exact, although the division may round up. */
function binOf(bins: TimeBins, time: number): number {
  const distance = time + bins.shift;
  const bin = Math.floor(distance / bins.width);
  return bin * bins.width > distance ? bin - 1 : bin;
}

/** Runs are in time order: both ends are found by halving, and a bin is left only once. */
export class FileScan implements RowScan {
  readonly #segment: FileSegment;
  readonly #request: ScanRequest;
  #run = -1;
  #row = 0;
  #end = 0;

  constructor(segment: FileSegment, request: ScanRequest) {
    this.#segment = segment;
    this.#request = request;
  }

  next({ rows, cells }: RowBatch): number {
    const { times } = this.#segment;
    const { bins, groupOf } = this.#request;
    let count = 0;
    while (count < BATCH_ROWS) {
      if (this.#row === this.#end && !this.#nextRun()) break;
      const group = groupOf[this.#run] as number;
      let row = this.#row;
      let stop = Math.min(this.#end, row + BATCH_ROWS - count);
      let cell = group;
      if (bins !== undefined) {
        const bin = binOf(bins, times[row] as number);
        const binEnd = (bin + 1) * bins.width - bins.shift;
        cell = group * bins.count + bin;
        if ((times[stop - 1] as number) >= binEnd) stop = firstFrom(times, row, stop, binEnd);
      }
      for (; row < stop; row++) {
        rows[count] = row;
        cells[count++] = cell;
      }
      this.#row = row;
    }
    return count;
  }

  #nextRun(): boolean {
    const { starts, times } = this.#segment;
    const { groupOf, minTime, maxTime } = this.#request;
    while (++this.#run < starts.length - 1) {
      if ((groupOf[this.#run] as number) < 0) continue;
      const start = starts[this.#run] as number;
      const end = starts[this.#run + 1] as number;
      this.#row = firstFrom(times, start, end, minTime);
      this.#end = firstAfter(times, this.#row, end, maxTime);
      if (this.#row < this.#end) return true;
    }
    this.#row = this.#end = 0;
    this.#run = starts.length - 1;
    return false;
  }
}

/** Rows in the order of arrival; blocks outside of the wanted times are left out. */
export class BufferScan implements RowScan {
  readonly #times: Float64Array;
  readonly #series: Int32Array;
  readonly #blockMin: Float64Array;
  readonly #blockMax: Float64Array;
  readonly #rowCount: number;
  readonly #request: ScanRequest;
  #blocksRead = 0;
  /** Start of the bin that was met last, and the bin. */
  #binStart = Number.POSITIVE_INFINITY;
  #bin = 0;

  constructor(segment: BufferSegment, request: ScanRequest) {
    // Rows that arrive later may go into larger arrays; these stay as they are.
    this.#times = segment.times;
    this.#series = segment.series;
    this.#blockMin = segment.blockMin;
    this.#blockMax = segment.blockMax;
    this.#rowCount = segment.rowCount;
    this.#request = request;
  }

  next(batch: RowBatch): number {
    const { minTime, maxTime, isWanted } = this.#request;
    const blocks = Math.ceil(this.#rowCount / BLOCK_ROWS);
    let count = 0;
    for (; this.#blocksRead < blocks; this.#blocksRead++) {
      const block = this.#request.backwards === true ? blocks - 1 - this.#blocksRead : this.#blocksRead;
      const start = block * BLOCK_ROWS;
      const end = Math.min(this.#rowCount, start + BLOCK_ROWS);
      const [least, greatest] = [this.#blockMin[block] as number, this.#blockMax[block] as number];
      // Whoever decides block by block must have seen the rows of the one before.
      if (count > 0 && isWanted !== undefined) break;
      if (greatest < minTime || least > maxTime || isWanted?.(least, greatest) === false) continue;
      if (count + end - start > BATCH_ROWS) break;
      count = this.#block(batch, count, start, end, least, greatest);
    }
    return count;
  }

  #block(batch: RowBatch, from: number, start: number, end: number, least: number, greatest: number): number {
    const { minTime, maxTime, bins } = this.#request;
    const partly = least < minTime || greatest > maxTime;
    if (partly) return this.#binned(batch, from, this.#bounded(batch, from, start, end));
    if (bins === undefined) return this.#whole(batch, from, start, end, 1, 0);
    const bin = binOf(bins, least);
    if (bin === binOf(bins, greatest)) return this.#whole(batch, from, start, end, bins.count, bin);
    return this.#binned(batch, from, this.#whole(batch, from, start, end, 1, 0));
  }

  /** All rows of wanted groups, in one bin. */
  #whole({ rows, cells }: RowBatch, from: number, start: number, end: number, factor: number, bin: number): number {
    const { groupOf } = this.#request;
    const series = this.#series;
    let count = from;
    for (let row = start; row < end; row++) {
      const group = groupOf[series[row] as number] as number;
      if (group < 0) continue;
      rows[count] = row;
      cells[count++] = group * factor + bin;
    }
    return count;
  }

  #bounded({ rows, cells }: RowBatch, from: number, start: number, end: number): number {
    const { groupOf, minTime, maxTime } = this.#request;
    const times = this.#times;
    const series = this.#series;
    let count = from;
    for (let row = start; row < end; row++) {
      const group = groupOf[series[row] as number] as number;
      if (group < 0 || (times[row] as number) < minTime || (times[row] as number) > maxTime) continue;
      rows[count] = row;
      cells[count++] = group;
    }
    return count;
  }

  /** Turns groups into cells. Returns `end`. */
  #binned({ rows, cells }: RowBatch, from: number, end: number): number {
    const { bins } = this.#request;
    if (bins === undefined) return end;
    const times = this.#times;
    const { count, width, shift } = bins;
    let start = this.#binStart;
    let bin = this.#bin;
    for (let i = from; i < end; i++) {
      const time = times[rows[i] as number] as number;
      if (time < start || time >= start + width) {
        bin = binOf(bins, time);
        start = bin * width - shift;
      }
      cells[i] = (cells[i] as number) * count + bin;
    }
    this.#binStart = start;
    this.#bin = bin;
    return end;
  }
}

/** Keeps the rows of a batch whose value meets the condition. Returns how many. */
export function filterRows({ rows, cells }: RowBatch, count: number, column: FieldColumn, op: Comparison, value: number): number {
  const { values, valid } = column;
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    if (valid !== undefined && valid[row] === 0) continue;
    if (!meets(values[row] as number, op, value)) continue;
    rows[kept] = row;
    cells[kept++] = cells[i] as number;
  }
  return kept;
}

function meets(left: number, op: Comparison, right: number): boolean {
  switch (op) {
    case '=':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
  }
}

/** First index of the ascending `times[start, end)` that is not below `time`. */
export function firstFrom(times: Float64Array, start: number, end: number, time: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First index of the ascending `times[start, end)` that is above `time`. */
export function firstAfter(times: Float64Array, start: number, end: number, time: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}
