import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts';
import type { SeriesIndex } from '../series/index.ts';
import type { LineError } from './types.ts';

/** Values of one field column of one parse. Arrays may be longer than `rowCount`; they belong to the parser and are reused by its next call. */
export interface ParsedColumn {
  readonly column: ColumnSchema;
  /** Bit i (LSB first) set = row i has a value. */
  readonly valid: Uint8Array;
  /** Rows without a value, so that full columns can skip the bitmap. */
  readonly nullCount: number;
  /**
   * float: Float64Array; integer: BigInt64Array; uinteger: BigUint64Array; boolean: Uint8Array of 0/1;
   * string: `bytes` with row i at `offsets[i]..offsets[i+1]` (unescaped UTF-8; null rows have length 0).
   */
  readonly data: Float64Array | BigInt64Array | BigUint64Array | Uint8Array | StringData;
}

export interface StringData {
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
}

export interface ParsedTable {
  readonly table: TableSchema;
  readonly series: SeriesIndex;
  readonly rowCount: number;
  readonly seriesIds: Int32Array;
  readonly timesNs: BigInt64Array;
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
  /** Only columns with at least one value. */
  readonly columns: readonly ParsedColumn[];
}

/**
 * Outcome of one pass over a body. When `schemaChanged` is true the transaction holds additions that must be
 * committed first; `tables` is then empty and the body is parsed again against the new catalog.
 */
export interface ParsedWrite {
  readonly schemaChanged: boolean;
  readonly tables: readonly ParsedTable[];
  readonly lineErrors: readonly LineError[];
  readonly acceptedLines: number;
  /** Bytes of accepted lines without line ends. */
  readonly acceptedBytes: number;
}
