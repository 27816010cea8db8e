import { assert } from '../../shared/assert.ts';
import type { FieldType } from '../../shared/column-type.ts';
import type { DatabaseId, WalFileNumber } from '../../shared/ids.ts';
import type { ParsedColumn, ParsedTable, StringData } from '../line-protocol/parsed-write.ts';
import type { SeriesIndex } from '../series/index.ts';
import {
  align8,
  BATCH_HEADER_BYTES,
  COLUMN_HEADER_BYTES,
  fieldTypeCode,
  NEW_SERIES_HEADER_BYTES,
  TABLE_HEADER_BYTES,
  validityBytes,
} from './layout.ts';

/**
 * Remembers, per series index, the WAL file in which each series was last defined.
 *
 * Shared by: all writes. Safe because it is only asked while a batch is encoded, which is one synchronous step with the append
 * to that file; when the append fails, the log ends the file (`Wal.append`).
 */
export class SeriesDefinitions {
  readonly #fileOf = new WeakMap<SeriesIndex, Int32Array>();

  /** Ids among the first `rows` of `seriesIds` that `fileNumber` does not define yet; they count as defined from now on. */
  take(series: SeriesIndex, seriesIds: Int32Array, rows: number, fileNumber: WalFileNumber): number[] {
    let fileOf = this.#fileOf.get(series);
    if (fileOf === undefined || fileOf.length < series.count) {
      const grown = new Int32Array(Math.max(64, series.count * 2));
      if (fileOf !== undefined) grown.set(fileOf);
      this.#fileOf.set(series, grown);
      fileOf = grown;
    }
    const fresh: number[] = [];
    for (let row = 0; row < rows; row++) {
      const id = seriesIds[row] as number;
      if (fileOf[id] !== fileNumber) {
        assert(id >= 0 && id < series.count, 'a row is encoded with a series that its table does not have');
        fileOf[id] = fileNumber;
        fresh.push(id);
      }
    }
    return fresh;
  }
}

/**
 * Copies parsed rows into one batch (layout.ts). The result owns its memory: the parser may go on at once.
 * @param fileNumber WAL file that the batch is bound for; decides which series are defined inline.
 */
export function encodeBatch(
  databaseId: DatabaseId,
  tables: readonly ParsedTable[],
  definitions: SeriesDefinitions,
  fileNumber: WalFileNumber,
): Uint8Array {
  const fresh: number[][] = [];
  const sizes: TableSize[] = [];
  let total = BATCH_HEADER_BYTES;
  for (const table of tables) {
    assert(table.rowCount > 0 && table.table.databaseId === databaseId, 'a table of a batch has rows and is of its database');
    const ids = definitions.take(table.series, table.seriesIds, table.rowCount, fileNumber);
    const size = tableBytes(table, ids);
    fresh.push(ids);
    sizes.push(size);
    total += size.total;
  }
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(total).buffer);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, databaseId, true);
  view.setUint32(4, tables.length, true);
  let at = BATCH_HEADER_BYTES;
  for (let i = 0; i < tables.length; i++) {
    const size = sizes[i] as TableSize;
    const end = writeTable(bytes, view, at, tables[i] as ParsedTable, fresh[i] as number[], size);
    at += size.total;
    assert(end === at, 'a table takes as many bytes of a batch as were counted');
  }
  return bytes;
}

interface TableSize {
  readonly newSeries: number;
  readonly total: number;
}

function tableBytes(table: ParsedTable, fresh: readonly number[]): TableSize {
  let newSeries = 0;
  for (const id of fresh) newSeries += NEW_SERIES_HEADER_BYTES + table.series.canonicalLength(id);
  newSeries = align8(newSeries);
  let total = TABLE_HEADER_BYTES + newSeries + align8(table.rowCount * 4) + table.rowCount * 8;
  for (const column of table.columns) total += columnBytes(column, table.rowCount);
  return { newSeries, total };
}

function columnBytes(column: ParsedColumn, rows: number): number {
  return COLUMN_HEADER_BYTES + (column.nullCount > 0 ? validityBytes(rows) : 0) + align8(dataBytes(column, rows));
}

function dataBytes(column: ParsedColumn, rows: number): number {
  switch (column.column.type) {
    case 'string': {
      const data = column.data as StringData;
      return align8((rows + 1) * 4) + (data.offsets[rows] as number);
    }
    case 'boolean':
      return rows;
    default:
      return rows * 8;
  }
}

/** Writes the section of one table from `start` on. Returns the index of the first byte after it. */
function writeTable(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  table: ParsedTable,
  fresh: readonly number[],
  size: TableSize,
): number {
  const rows = table.rowCount;
  view.setUint32(start, table.table.id, true);
  view.setUint32(start + 4, rows, true);
  view.setUint32(start + 8, table.columns.length, true);
  view.setUint32(start + 12, fresh.length, true);
  view.setUint32(start + 16, size.newSeries, true);
  view.setUint32(start + 20, size.total, true);
  view.setBigInt64(start + 24, table.minTimeNs, true);
  view.setBigInt64(start + 32, table.maxTimeNs, true);
  let at = start + TABLE_HEADER_BYTES;
  const seriesEnd = at + size.newSeries;
  for (const id of fresh) {
    view.setUint32(at, id, true);
    view.setUint32(at + 4, table.series.canonicalLength(id), true);
    at = table.series.copyCanonical(id, bytes, view, at + NEW_SERIES_HEADER_BYTES);
  }
  bytes.fill(0, at, seriesEnd);
  at = seriesEnd;
  at = copyPadded(bytes, at, asBytes(table.seriesIds, rows * 4));
  at = copyPadded(bytes, at, asBytes(table.timesNs, rows * 8));
  for (const column of table.columns) at = writeColumn(bytes, view, at, column, rows);
  return at;
}

function writeColumn(bytes: Uint8Array, view: DataView, start: number, column: ParsedColumn, rows: number): number {
  const size = dataBytes(column, rows);
  view.setUint32(start, column.column.id, true);
  view.setUint8(start + 4, fieldTypeCode(column.column.type as FieldType));
  view.setUint8(start + 5, column.nullCount > 0 ? 1 : 0);
  view.setUint16(start + 6, 0, true);
  view.setUint32(start + 8, size, true);
  view.setUint32(start + 12, 0, true);
  let at = start + COLUMN_HEADER_BYTES;
  if (column.nullCount > 0) {
    const end = at + validityBytes(rows);
    bytes.set(column.valid.subarray(0, (rows + 7) >> 3), at);
    bytes.fill(0, at + ((rows + 7) >> 3), end);
    at = end;
  }
  if (column.column.type === 'string') {
    const data = column.data as StringData;
    at = copyPadded(bytes, at, asBytes(data.offsets, (rows + 1) * 4));
    return copyPadded(bytes, at, data.bytes.subarray(0, data.offsets[rows] as number));
  }
  return copyPadded(bytes, at, asBytes(column.data as Float64Array, column.column.type === 'boolean' ? rows : rows * 8));
}

function copyPadded(bytes: Uint8Array, at: number, source: Uint8Array): number {
  bytes.set(source, at);
  const end = align8(at + source.length);
  bytes.fill(0, at + source.length, end);
  return end;
}

function asBytes(array: ArrayBufferView, byteLength: number): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, byteLength);
}
