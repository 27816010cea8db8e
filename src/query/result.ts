/**
 * Query results as columns, independent of DuckDB. Formatters read these; nothing above `src/query` knows what made them.
 */

import type { ColumnType } from '../shared/column-type.ts';

/** Precision in which clients get a timestamp; the values of a batch are nanoseconds whatever it is. */
export type TimeUnit = 's' | 'ms' | 'us' | 'ns';

export interface ResultMember {
  readonly name: string;
  readonly type: ResultType;
}

/** Static type of one result column. */
export type ResultType =
  | { readonly kind: 'float64' | 'float32' | 'int64' | 'uint64' | SmallIntegerKind | 'boolean' | 'date' | 'binary' | 'null' }
  | { readonly kind: 'string'; readonly dictionary: boolean }
  /** `unit` absent = nanoseconds. */
  | { readonly kind: 'timestamp'; readonly zone: string | undefined; readonly unit?: TimeUnit }
  /** Time of day, nanoseconds. */
  | { readonly kind: 'time' }
  /** Nanoseconds. */
  | { readonly kind: 'duration' }
  | { readonly kind: 'interval' }
  /** Whole numbers of 128 bits. */
  | { readonly kind: 'hugeint'; readonly signed: boolean }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'list'; readonly item: ResultType }
  | { readonly kind: 'struct'; readonly members: readonly ResultMember[] }
  | { readonly kind: 'map'; readonly key: ResultType; readonly value: ResultType };

export interface ResultColumn {
  readonly name: string;
  readonly type: ResultType;
  /** The stored column that this one is, under whatever name; absent for what a statement computes. */
  readonly stored?: ColumnType | undefined;
  /** True = never null. */
  readonly required?: boolean | undefined;
}

/** A result column as the compiler knows it: without a type where DuckDB's decides. */
export type ExpectedColumn = Omit<ResultColumn, 'type'> & { readonly type: ResultType | undefined };

export type SmallIntegerKind = 'int8' | 'int16' | 'int32' | 'uint8' | 'uint16' | 'uint32';
export type SmallIntegers = Int8Array | Int16Array | Int32Array | Uint8Array | Uint16Array | Uint32Array;

/** Bit i (LSB first) set = row i is not null; undefined = no row is null. */
export type ValidBits = Uint8Array | undefined;

/** UTF-8 texts, or bytes: row i is `bytes[offsets[i] .. offsets[i + 1]]`; null rows may have bytes too. `offsets[0]` need not be 0. */
export interface ByteRows {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly valid: ValidBits;
}

/** One column of one batch. Arrays may be longer than the batch has rows, except that of `boolean`. */
export type ResultVector =
  | { readonly kind: 'float64'; readonly data: Float64Array; readonly valid: ValidBits }
  | { readonly kind: 'float32'; readonly data: Float32Array; readonly valid: ValidBits }
  | { readonly kind: 'int64'; readonly data: BigInt64Array; readonly valid: ValidBits }
  | { readonly kind: 'uint64'; readonly data: BigUint64Array; readonly valid: ValidBits }
  | { readonly kind: SmallIntegerKind; readonly data: SmallIntegers; readonly valid: ValidBits }
  /** One byte a row: 0 or 1. */
  | { readonly kind: 'boolean'; readonly data: Uint8Array; readonly valid: ValidBits }
  /** Nanoseconds since the epoch. */
  | { readonly kind: 'timestamp'; readonly data: BigInt64Array; readonly valid: ValidBits }
  /** Days since the epoch. */
  | { readonly kind: 'date'; readonly data: Int32Array; readonly valid: ValidBits }
  /** Nanoseconds since midnight. */
  | { readonly kind: 'time'; readonly data: BigInt64Array; readonly valid: ValidBits }
  /** Nanoseconds. */
  | { readonly kind: 'duration'; readonly data: BigInt64Array; readonly valid: ValidBits }
  /** Months and days of row i at `2 i` and `2 i + 1` of `parts`, the rest in nanoseconds. */
  | { readonly kind: 'interval'; readonly parts: Int32Array; readonly nanos: BigInt64Array; readonly valid: ValidBits }
  /** Two's complement of 128 bits: the low half of row i at `2 i`, the high half at `2 i + 1`. A decimal counts its smallest unit. */
  | { readonly kind: 'hugeint' | 'decimal'; readonly data: BigUint64Array; readonly valid: ValidBits }
  | ({ readonly kind: 'string' | 'binary' } & ByteRows)
  /** Few texts that repeat: row i is `texts[codes[i]]`; a negative code is null. */
  | { readonly kind: 'coded'; readonly codes: Int32Array; readonly texts: readonly string[] }
  | { readonly kind: 'null' }
  /** Row i has the items `offsets[i] .. offsets[i + 1]`; a null row has none. */
  | { readonly kind: 'list'; readonly offsets: Uint32Array; readonly item: ResultVector; readonly valid: ValidBits }
  /** Members have a value for each row, null or not. */
  | { readonly kind: 'struct'; readonly members: readonly ResultVector[]; readonly valid: ValidBits }
  | {
      readonly kind: 'map';
      readonly offsets: Uint32Array;
      readonly key: ResultVector;
      readonly value: ResultVector;
      readonly valid: ValidBits;
    };

/** Some rows of a result. Owned: nobody writes to its arrays any more, so it may be kept while further batches are asked for. */
export interface ResultBatch {
  readonly rowCount: number;
  readonly columns: readonly ResultVector[];
  /** Rows with the same id have the same values in all coded columns; in all batches of the result with the same owner. */
  readonly series?: { readonly ids: Int32Array; readonly owner: object };
}

/** A running query. `batches` may be iterated once; leaving the loop early or calling `cancel` stops the query. */
export interface QueryResult {
  readonly columns: readonly ResultColumn[];
  batches(): AsyncIterable<ResultBatch>;
  cancel(): void;
  /** What the query has cost so far; absent for results that the server makes itself. */
  statistics?(): QueryStatistics;
}

/** Times in seconds; undefined = not reached. */
export interface QueryStatistics {
  readonly planningSecs: number | undefined;
  readonly queueSecs: number | undefined;
  readonly executionSecs: number | undefined;
  /** Time chunks with files. */
  readonly partitions: number | undefined;
  readonly parquetFiles: number | undefined;
}

/** A value bound to `$name`. Non-negative integers are uint64 when they come from JSON. */
export type BindValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'int64'; readonly value: bigint }
  | { readonly kind: 'uint64'; readonly value: bigint }
  | { readonly kind: 'float64'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string };
