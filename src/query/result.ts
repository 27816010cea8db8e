/**
 * Query results as columns, independent of the engine. Formatters read these; nothing above `src/query`
 * knows which engine made them.
 */

/** Static type of one result column. */
export type ResultType =
  | { readonly kind: 'float64' }
  | { readonly kind: 'float32' }
  | { readonly kind: 'int64' }
  | { readonly kind: 'uint64' }
  | { readonly kind: 'int32' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'string'; readonly dictionary: boolean }
  | { readonly kind: 'timestamp'; readonly zone: string | undefined }
  | { readonly kind: 'date' }
  | { readonly kind: 'duration' }
  | { readonly kind: 'binary' }
  | { readonly kind: 'null' }
  /** Structs, lists, maps, intervals, decimals: values come as plain JS (bigint, number, string, boolean, Date-free). */
  | { readonly kind: 'nested' };

export interface ResultColumn {
  readonly name: string;
  readonly type: ResultType;
}

/** One column of one batch. `valid` is undefined when no value is null; else bit i (LSB first) set = not null. */
export type ResultVector =
  | { readonly kind: 'float64'; readonly data: Float64Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'float32'; readonly data: Float32Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'int64'; readonly data: BigInt64Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'uint64'; readonly data: BigUint64Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'int32'; readonly data: Int32Array; readonly valid: Uint8Array | undefined }
  | { readonly kind: 'boolean'; readonly data: Uint8Array; readonly valid: Uint8Array | undefined }
  /** Nanoseconds since the epoch. */
  | { readonly kind: 'timestamp'; readonly data: BigInt64Array; readonly valid: Uint8Array | undefined }
  /** Days since the epoch. */
  | { readonly kind: 'date'; readonly data: Int32Array; readonly valid: Uint8Array | undefined }
  /** Nanoseconds. */
  | { readonly kind: 'duration'; readonly data: BigInt64Array; readonly valid: Uint8Array | undefined }
  | {
      readonly kind: 'string';
      readonly text: (row: number) => string | null;
      /** The same by number, where few texts repeat: `texts[codes[row]]`, a negative code is null. */
      readonly coded?: { readonly codes: Int32Array; readonly texts: readonly string[] };
    }
  | { readonly kind: 'binary'; readonly bytes: (row: number) => Uint8Array | null }
  | { readonly kind: 'null' }
  | { readonly kind: 'nested'; readonly value: (row: number) => unknown };

export interface ResultBatch {
  readonly rowCount: number;
  readonly columns: readonly ResultVector[];
  /** Rows with the same id have the same values in all coded columns; in all batches of the result with the same owner. */
  readonly series?: { readonly ids: Int32Array; readonly owner: object };
}

/** A running query. `batches` may be iterated once; leaving the loop early or calling `cancel` stops the engine. */
export interface QueryResult {
  readonly columns: readonly ResultColumn[];
  batches(): AsyncIterable<ResultBatch>;
  cancel(): void;
}

/** A value bound to `$name`. Non-negative integers are uint64 when they come from JSON (`spec` SQL 9.1). */
export type BindValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'int64'; readonly value: bigint }
  | { readonly kind: 'uint64'; readonly value: bigint }
  | { readonly kind: 'float64'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string };
