import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts';
import type { Borrowed } from '../../shared/borrowed.ts';
import type { SeriesIndex } from '../series/index.ts';
import type { LineError } from './types.ts';

/** Values of one field column of one parse. Arrays may be longer than `rowCount`; they belong to the parser (see `ParsedRows`). */
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
 * The tables of a body that got rows, never none. Their arrays are the parser's own and filled anew by the next body, so they
 * are lent for one synchronous call: whoever needs them longer copies them (`encodeBatch`).
 */
export type ParsedRows = Borrowed<readonly ParsedTable[]>;

/** Outcome of one pass over a body; nothing in it is shared with the parser. */
export interface ParsedWrite<T> {
  /**
   * The transaction holds additions that must be committed first; then the body is parsed again against the new catalog.
   * No rows were handed over.
   */
  readonly schemaChanged: boolean;
  /** What the caller made of the rows; undefined when none were handed over. */
  readonly result: T | undefined;
  readonly lineErrors: readonly LineError[];
  readonly acceptedLines: number;
  /** Bytes of accepted lines without line ends. */
  readonly acceptedBytes: number;
}
