import type { FieldType } from '../../shared/column-type.ts';
import type { ColumnId, DatabaseId, SeriesId, TableId } from '../../shared/ids.ts';
import {
  align8,
  BATCH_HEADER_BYTES,
  COLUMN_HEADER_BYTES,
  fieldTypeOfCode,
  NEW_SERIES_HEADER_BYTES,
  TABLE_HEADER_BYTES,
  validityBytes,
} from './layout.ts';

/** The rows of one table inside a batch. Views into the batch: nothing is copied. */
export interface TableSection {
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
  readonly rowCount: number;
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
  readonly seriesIds: Int32Array;
  readonly timesNs: BigInt64Array;
  readonly columns: readonly ColumnSection[];
  readonly definitions: SeriesDefinitionBytes;
  /** Bytes that the section takes, for memory accounting. */
  readonly byteLength: number;
}

/** The series that a section defines, still as they stand in the batch: only a replay needs them. */
export interface SeriesDefinitionBytes {
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** Calls `visit` for each defined series; its canonical form is `bytes[start, end)`. */
export function forEachDefinition(
  { bytes, count }: SeriesDefinitionBytes,
  visit: (seriesId: SeriesId, bytes: Uint8Array, start: number, end: number) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const start = at + NEW_SERIES_HEADER_BYTES;
    const end = start + view.getUint32(at + 4, true);
    visit(view.getUint32(at, true), bytes, start, end);
    at = end;
  }
}

export interface ColumnSection {
  readonly columnId: ColumnId;
  readonly type: FieldType;
  /** Undefined = every row has a value. */
  readonly valid: Uint8Array | undefined;
  /** Fixed-width values, or UTF-8 bytes for strings. */
  readonly data: Uint8Array;
  /** Strings only. */
  readonly offsets: Uint32Array | undefined;
}

/**
 * Reads a batch written by `encodeBatch`. `batch.byteOffset` must be a multiple of 8.
 * Throws a plain Error when the bytes are not a batch (the checksum was right, so this is a version or program fault).
 */
export function decodeBatch(batch: Uint8Array): TableSection[] {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  const databaseId = view.getUint32(0, true);
  const tableCount = view.getUint32(4, true);
  const sections: TableSection[] = [];
  let at = BATCH_HEADER_BYTES;
  for (let i = 0; i < tableCount; i++) {
    const size = view.getUint32(at + 20, true);
    if (size < TABLE_HEADER_BYTES || at + size > batch.byteLength) throw new Error('batch: a table section passes the end of the record');
    sections.push(decodeTable(batch, view, at, size, databaseId));
    at += size;
  }
  return sections;
}

function decodeTable(batch: Uint8Array, view: DataView, start: number, size: number, databaseId: DatabaseId): TableSection {
  const rowCount = view.getUint32(start + 4, true);
  const columnCount = view.getUint32(start + 8, true);
  let at = start + TABLE_HEADER_BYTES;
  const definitionBytes = view.getUint32(start + 16, true);
  const definitions = { count: view.getUint32(start + 12, true), bytes: batch.subarray(at, at + definitionBytes) };
  at += definitionBytes;
  const seriesIds = new Int32Array(batch.buffer, batch.byteOffset + at, rowCount);
  at += align8(rowCount * 4);
  const timesNs = new BigInt64Array(batch.buffer, batch.byteOffset + at, rowCount);
  at += rowCount * 8;
  const columns: ColumnSection[] = [];
  for (let i = 0; i < columnCount; i++) at = decodeColumn(batch, view, at, rowCount, columns);
  if (at !== start + size) throw new Error('batch: the rows of a table do not fill its section');
  return {
    databaseId,
    tableId: view.getUint32(start, true),
    rowCount,
    minTimeNs: view.getBigInt64(start + 24, true),
    maxTimeNs: view.getBigInt64(start + 32, true),
    seriesIds,
    timesNs,
    columns,
    definitions,
    byteLength: size,
  };
}

function decodeColumn(batch: Uint8Array, view: DataView, start: number, rows: number, out: ColumnSection[]): number {
  const type = fieldTypeOfCode(view.getUint8(start + 4));
  if (type === undefined) throw new Error('batch: unknown column type');
  const dataBytes = view.getUint32(start + 8, true);
  let at = start + COLUMN_HEADER_BYTES;
  let valid: Uint8Array | undefined;
  if (view.getUint8(start + 5) === 1) {
    valid = batch.subarray(at, at + validityBytes(rows));
    at += validityBytes(rows);
  }
  let offsets: Uint32Array | undefined;
  let data = batch.subarray(at, at + dataBytes);
  if (type === 'string') {
    offsets = new Uint32Array(batch.buffer, batch.byteOffset + at, rows + 1);
    data = batch.subarray(at + align8((rows + 1) * 4), at + dataBytes);
  }
  out.push({ columnId: view.getUint32(start, true), type, valid, data, offsets });
  return at + align8(dataBytes);
}
