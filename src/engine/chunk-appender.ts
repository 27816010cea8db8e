import type * as DuckDB from '@duckdb/node-bindings';

/** The engine's native functions, loaded by `Engine.open`. */
export type Bindings = typeof DuckDB;

/** Rows of one data chunk; the engine's own vector size. */
export const CHUNK_ROWS = 2048;

/** Chunks per flush: one row group of the engine. Flushing whole row groups hands them over instead of copying them again. */
const CHUNKS_PER_FLUSH = 60;

/** Bytes of the engine's in-vector string header: length, then 12 bytes inline or prefix and pointer. */
const STRING_BYTES = 16;
const INLINE_STRING_BYTES_MAX = 12;

export type EngineColumnType = 'integer' | 'bigint' | 'ubigint' | 'double' | 'boolean' | 'varchar' | 'timestamp_ns';

const LOGICAL_TYPE: Readonly<Record<EngineColumnType, keyof typeof DuckDB.Type>> = {
  boolean: 'BOOLEAN',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  ubigint: 'UBIGINT',
  double: 'DOUBLE',
  varchar: 'VARCHAR',
  timestamp_ns: 'TIMESTAMP_NS',
};

const WIDTH_BYTES: Readonly<Record<EngineColumnType, number>> = {
  boolean: 1,
  integer: 4,
  bigint: 8,
  ubigint: 8,
  double: 8,
  varchar: STRING_BYTES,
  timestamp_ns: 8,
};

/**
 * Appends columns of raw bytes to one engine table, `CHUNK_ROWS` rows at a time, by memory copy. Fill the open chunk
 * column by column for the same rows, then `advance`. Rows are visible to queries after `flush`.
 */
export class ChunkAppender {
  readonly #duckdb: Bindings;
  readonly #appender: DuckDB.Appender;
  readonly #types: readonly EngineColumnType[];
  readonly #chunk: DuckDB.DataChunk;
  readonly #vectors: DuckDB.Vector[];
  readonly #validity: (Uint8Array | undefined)[];
  readonly #strings = new Uint8Array(CHUNK_ROWS * STRING_BYTES);
  #rows = 0;
  #chunksSinceFlush = 0;

  constructor(duckdb: Bindings, connection: DuckDB.Connection, table: string, types: readonly EngineColumnType[]) {
    this.#duckdb = duckdb;
    this.#appender = duckdb.appender_create_ext(connection, null, null, table);
    this.#types = types;
    this.#chunk = duckdb.create_data_chunk(types.map((type) => duckdb.create_logical_type(duckdb.Type[LOGICAL_TYPE[type]])));
    this.#vectors = types.map((_, i) => duckdb.data_chunk_get_vector(this.#chunk, i));
    this.#validity = types.map(() => undefined);
  }

  /** Rows that the open chunk still takes. */
  get room(): number {
    return CHUNK_ROWS - this.#rows;
  }

  /** Copies fixed-width values for the next `count` rows. `source` holds them from row `from` on. */
  fixed(column: number, source: Uint8Array, from: number, count: number): void {
    const width = WIDTH_BYTES[this.#types[column] as EngineColumnType];
    this.#duckdb.copy_data_to_vector(
      this.#vectors[column] as DuckDB.Vector,
      this.#rows * width,
      source.buffer as ArrayBuffer,
      source.byteOffset + from * width,
      count * width,
    );
  }

  /** Copies strings `from .. from+count` of an offsets/bytes pair for the next rows. */
  strings(column: number, offsets: Uint32Array, bytes: Uint8Array, from: number, count: number): void {
    const strings = this.#strings;
    const view = new DataView(strings.buffer);
    strings.fill(0, 0, count * STRING_BYTES);
    let long = false;
    for (let i = 0; i < count; i++) {
      const start = offsets[from + i] as number;
      const length = (offsets[from + i + 1] as number) - start;
      if (length > INLINE_STRING_BYTES_MAX) {
        long = true;
        continue;
      }
      const at = i * STRING_BYTES;
      view.setUint32(at, length, true);
      for (let b = 0; b < length; b++) strings[at + 4 + b] = bytes[start + b] as number;
    }
    const vector = this.#vectors[column] as DuckDB.Vector;
    this.#duckdb.copy_data_to_vector(vector, this.#rows * STRING_BYTES, strings.buffer, 0, count * STRING_BYTES);
    if (!long) return;
    for (let i = 0; i < count; i++) {
      const start = offsets[from + i] as number;
      const end = offsets[from + i + 1] as number;
      if (end - start > INLINE_STRING_BYTES_MAX)
        this.#duckdb.vector_assign_string_element_len(vector, this.#rows + i, bytes.subarray(start, end));
    }
  }

  /** Marks rows of the next `count` as null where `valid` (LSB first, from bit `from`) has no bit; undefined = all of them. */
  nulls(column: number, valid: Uint8Array | undefined, from: number, count: number): void {
    let mask = this.#validity[column];
    if (mask === undefined) {
      mask = new Uint8Array(CHUNK_ROWS / 8).fill(0xff);
      this.#validity[column] = mask;
    }
    for (let i = 0; i < count; i++) {
      const bit = from + i;
      if (valid !== undefined && ((valid[bit >> 3] as number) >> (bit & 7)) & 1) continue;
      const row = this.#rows + i;
      mask[row >> 3] = (mask[row >> 3] as number) & ~(1 << (row & 7));
    }
    if (this.#types[column] === 'varchar' && valid === undefined) this.#emptyStrings(column, count);
  }

  /** Takes the filled rows over; hands a full chunk to the engine. */
  advance(count: number): void {
    this.#rows += count;
    if (this.#rows === CHUNK_ROWS) {
      this.#append();
      if (this.#chunksSinceFlush >= CHUNKS_PER_FLUSH) this.#flushAppended();
    }
  }

  /** Makes everything taken over so far visible to queries. */
  flush(): void {
    if (this.#rows > 0) this.#append();
    this.#flushAppended();
  }

  /** Flushes and frees the appender; the object is dead afterwards. */
  close(): void {
    this.flush();
    this.#duckdb.appender_close_sync(this.#appender);
  }

  /** An unfilled string vector holds garbage pointers: it must be written even where it is null. */
  #emptyStrings(column: number, count: number): void {
    this.#strings.fill(0, 0, count * STRING_BYTES);
    this.#duckdb.copy_data_to_vector(
      this.#vectors[column] as DuckDB.Vector,
      this.#rows * STRING_BYTES,
      this.#strings.buffer,
      0,
      count * STRING_BYTES,
    );
  }

  #append(): void {
    for (let column = 0; column < this.#types.length; column++) {
      const mask = this.#validity[column];
      if (mask === undefined) continue;
      const vector = this.#vectors[column] as DuckDB.Vector;
      this.#duckdb.vector_ensure_validity_writable(vector);
      this.#duckdb.copy_data_to_vector_validity(vector, 0, mask.buffer as ArrayBuffer, 0, mask.byteLength);
      this.#validity[column] = undefined;
    }
    this.#duckdb.data_chunk_set_size(this.#chunk, this.#rows);
    this.#duckdb.append_data_chunk(this.#appender, this.#chunk);
    this.#duckdb.data_chunk_reset(this.#chunk);
    this.#rows = 0;
    this.#chunksSinceFlush++;
  }

  #flushAppended(): void {
    if (this.#chunksSinceFlush === 0) return;
    this.#duckdb.appender_flush_sync(this.#appender);
    this.#chunksSinceFlush = 0;
  }
}
