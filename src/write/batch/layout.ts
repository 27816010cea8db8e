import type { FieldType } from '../../shared/column-type.ts';

/**
 * Layout of a batch: the body of one WAL record, and the form in which rows wait for the buffer.
 * Everything is little-endian; every section starts at a multiple of 8 so that typed arrays can view it in place.
 *
 * batch   := u32 databaseId, u32 tableCount, table*
 * table   := header, newSeries*, pad, i32 seriesId[rows], pad, i64 timeNs[rows], column*
 * header  := u32 tableId, u32 rows, u32 columns, u32 newSeries, u32 newSeriesBytes, u32 sectionBytes, i64 minNs, i64 maxNs
 * newSeries := u32 seriesId, u32 byteLength, canonical series bytes (see SeriesIndex)
 * column  := u32 columnId, u8 type, u8 hasNulls, u16 0, u32 dataBytes, u32 0, [validity bits, pad], data, pad
 * data    := f64[] | i64[] | u64[] | u8[] (0/1) | u32 offsets[rows + 1], pad, UTF-8 bytes
 *
 * A series id is defined (newSeries) by the first record of each WAL file that uses it.
 */
export const BATCH_HEADER_BYTES = 8;
export const TABLE_HEADER_BYTES = 40;
export const COLUMN_HEADER_BYTES = 16;
export const NEW_SERIES_HEADER_BYTES = 8;

const TYPE_CODES: Readonly<Record<FieldType, number>> = { float: 1, integer: 2, uinteger: 3, string: 4, boolean: 5 };
const TYPES_BY_CODE: readonly (FieldType | undefined)[] = [undefined, 'float', 'integer', 'uinteger', 'string', 'boolean'];

/** The byte that stands for a field type in a batch. */
export function fieldTypeCode(type: FieldType): number {
  return TYPE_CODES[type];
}

/** Inverse of `fieldTypeCode`; undefined for a byte that no version wrote. */
export function fieldTypeOfCode(code: number): FieldType | undefined {
  return TYPES_BY_CODE[code];
}

/** Next multiple of 8. */
export function align8(n: number): number {
  return (n + 7) & ~7;
}

/** Bytes of a validity bitmap for `rows` rows, padded. */
export function validityBytes(rows: number): number {
  return align8((rows + 7) >> 3);
}
