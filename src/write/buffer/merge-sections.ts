import { CHUNK_ROWS } from '../../duckdb/index.ts';
import type { ColumnId } from '../../shared/ids.ts';
import type { ColumnSection, TableSection } from '../batch/index.ts';
import type { FieldColumn } from './generation-table.ts';

/** Rows `[from, from + count)` of a section. */
export interface SectionRows {
  readonly section: TableSection;
  readonly from: number;
  readonly count: number;
}

/** The parts of a section that DuckDB gets to see. */
export type RowColumns = Pick<TableSection, 'seriesIds' | 'timesNs' | 'columns'>;

/**
 * Puts the rows of several small sections one after another, so that DuckDB is called once a column and not once a
 * column and section. Its memory is used again by the next merge.
 */
export class SectionMerger {
  readonly #seriesIds = new Int32Array(CHUNK_ROWS);
  readonly #timesNs = new BigInt64Array(CHUNK_ROWS);
  readonly #data = new Map<number, Uint8Array>();

  /** @param parts rows of at most one engine chunk */
  merge(parts: readonly SectionRows[], fields: readonly FieldColumn[]): RowColumns {
    let at = 0;
    for (const { section, from, count } of parts) {
      const whole = count === section.rowCount;
      this.#seriesIds.set(whole ? section.seriesIds : section.seriesIds.subarray(from, from + count), at);
      this.#timesNs.set(whole ? section.timesNs : section.timesNs.subarray(from, from + count), at);
      at += count;
    }
    const columns: ColumnSection[] = [];
    for (let k = 0; k < fields.length; k++) {
      const field = fields[k] as FieldColumn;
      columns.push(field.type === 'string' ? mergeStrings(parts, field, k, at) : this.#mergeFixed(parts, field, k, at));
    }
    return { seriesIds: this.#seriesIds, timesNs: this.#timesNs, columns };
  }

  #mergeFixed(parts: readonly SectionRows[], field: FieldColumn, k: number, rowCount: number): ColumnSection {
    const width = field.type === 'boolean' ? 1 : 8;
    let data = this.#data.get(field.id);
    if (data === undefined) {
      data = new Uint8Array(CHUNK_ROWS * width);
      this.#data.set(field.id, data);
    }
    const valid = new Validity(rowCount);
    let at = 0;
    for (const { section, from, count } of parts) {
      const column = columnOf(section, field.id, k);
      if (column !== undefined) {
        const whole = count === section.rowCount;
        data.set(whole ? column.data : column.data.subarray(from * width, (from + count) * width), at * width);
      }
      valid.add(column, from, at, count);
      at += count;
    }
    return { columnId: field.id, type: field.type, valid: valid.bits, data, offsets: undefined };
  }
}

function mergeStrings(parts: readonly SectionRows[], field: FieldColumn, k: number, rowCount: number): ColumnSection {
  const offsets = new Uint32Array(rowCount + 1);
  const pieces: Uint8Array[] = [];
  const valid = new Validity(rowCount);
  let at = 0;
  let length = 0;
  for (const { section, from, count } of parts) {
    const column = columnOf(section, field.id, k);
    if (column?.offsets === undefined) {
      offsets.fill(length, at + 1, at + count + 1);
    } else {
      const start = column.offsets[from] as number;
      const end = column.offsets[from + count] as number;
      for (let i = 1; i <= count; i++) offsets[at + i] = (column.offsets[from + i] as number) - start + length;
      pieces.push(column.data.subarray(start, end));
      length += end - start;
    }
    valid.add(column, from, at, count);
    at += count;
  }
  return { columnId: field.id, type: field.type, valid: valid.bits, data: Buffer.concat(pieces, length), offsets };
}

/** Sections of one client have their columns at the same places: `likely` is looked at first. */
function columnOf(section: TableSection, columnId: ColumnId, likely: number): ColumnSection | undefined {
  const column = section.columns[likely];
  return column?.columnId === columnId ? column : section.columns.find((other) => other.columnId === columnId);
}

/** Bits of the rows with a value, made when the first row without one comes. */
class Validity {
  bits: Uint8Array | undefined;
  readonly #rowCount: number;

  constructor(rowCount: number) {
    this.#rowCount = rowCount;
  }

  /** Rows `[at, at + count)` have what rows from `from` on of a column have; undefined = nothing. */
  add(column: ColumnSection | undefined, from: number, at: number, count: number): void {
    if (column !== undefined && column.valid === undefined) return;
    this.bits ??= new Uint8Array((this.#rowCount + 7) >> 3).fill(0xff);
    for (let i = 0; i < count; i++) {
      const bit = from + i;
      if (column?.valid !== undefined && ((column.valid[bit >> 3] as number) >> (bit & 7)) & 1) continue;
      const row = at + i;
      this.bits[row >> 3] = (this.bits[row >> 3] as number) & ~(1 << (row & 7));
    }
  }
}
