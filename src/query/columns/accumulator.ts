import type { AggregateName } from '../sql/types/plans.ts';
import { newRowBatch, type RowBatch } from './row-scan.ts';

/** The values of a field as they were when a query began. */
export interface FieldValues {
  readonly values: Float64Array;
  /** A byte a row, 0 = null; undefined = no nulls. */
  readonly valid: Uint8Array | undefined;
}

/** Counts the rows of each cell. */
export function countRows(counts: Int32Array, { cells }: RowBatch, count: number): void {
  // Neighbours mostly share a cell: what is kept in a variable need not go through memory.
  let cell = 0;
  let found = 0;
  for (let i = 0; i < count; i++) {
    const next = cells[i] as number;
    if (next !== cell) {
      counts[cell] = (counts[cell] as number) + found;
      cell = next;
      found = 0;
    }
    found++;
  }
  counts[cell] = (counts[cell] as number) + found;
}

/** One aggregate over all cells. */
export class Accumulator {
  /** Values that are not null, by cell; kept only where there are nulls. */
  readonly counts: Int32Array | undefined;
  /** Sum, least or greatest value, by cell. */
  readonly values: Float64Array;
  readonly #name: AggregateName;
  readonly #scratch: RowBatch;

  constructor(name: AggregateName, cells: number, hasNulls: boolean) {
    this.#name = name;
    this.#scratch = hasNulls ? newRowBatch() : NO_ROWS;
    this.counts = hasNulls ? new Int32Array(cells) : undefined;
    this.values = new Float64Array(name === 'count' ? 0 : cells);
    if (name === 'min') this.values.fill(Number.POSITIVE_INFINITY);
    if (name === 'max') this.values.fill(Number.NEGATIVE_INFINITY);
  }

  /** Adds the values of the first `count` rows of a batch. */
  add(batch: RowBatch, count: number, field: FieldValues): void {
    let kept = count;
    let rows = batch;
    if (this.counts !== undefined) {
      if (field.valid !== undefined) {
        rows = this.#scratch;
        kept = withoutNulls(batch, count, field.valid, rows);
      }
      countRows(this.counts, rows, kept);
    }
    if (kept === 0) return;
    if (this.#name === 'sum' || this.#name === 'avg') addSums(this.values, rows, kept, field.values);
    else if (this.#name === 'min') addLeast(this.values, rows, kept, field.values);
    else if (this.#name === 'max') addGreatest(this.values, rows, kept, field.values);
  }
}

const NO_ROWS: RowBatch = { rows: new Int32Array(0), cells: new Int32Array(0) };

/** Copies the rows that are not null. Returns how many. */
function withoutNulls({ rows, cells }: RowBatch, count: number, valid: Uint8Array, to: RowBatch): number {
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    to.rows[kept] = row;
    to.cells[kept] = cells[i] as number;
    kept += valid[row] as number;
  }
  return kept;
}

function addSums(sums: Float64Array, { rows, cells }: RowBatch, count: number, from: Float64Array): void {
  let cell = cells[0] as number;
  let sum = sums[cell] as number;
  for (let i = 0; i < count; i++) {
    const next = cells[i] as number;
    if (next !== cell) {
      sums[cell] = sum;
      cell = next;
      sum = sums[cell] as number;
    }
    sum += from[rows[i] as number] as number;
  }
  sums[cell] = sum;
}

function addLeast(least: Float64Array, { rows, cells }: RowBatch, count: number, from: Float64Array): void {
  let cell = cells[0] as number;
  let best = least[cell] as number;
  for (let i = 0; i < count; i++) {
    const next = cells[i] as number;
    if (next !== cell) {
      least[cell] = best;
      cell = next;
      best = least[cell] as number;
    }
    const value = from[rows[i] as number] as number;
    if (value < best) best = value;
  }
  least[cell] = best;
}

function addGreatest(greatest: Float64Array, { rows, cells }: RowBatch, count: number, from: Float64Array): void {
  let cell = cells[0] as number;
  let best = greatest[cell] as number;
  for (let i = 0; i < count; i++) {
    const next = cells[i] as number;
    if (next !== cell) {
      greatest[cell] = best;
      cell = next;
      best = greatest[cell] as number;
    }
    const value = from[rows[i] as number] as number;
    if (value > best) best = value;
  }
  greatest[cell] = best;
}
