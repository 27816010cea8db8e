import type * as DuckDB from '@duckdb/node-bindings';
import { assert } from '../shared/assert.ts';

/** DuckDB's native functions, loaded by `Engine.open`. */
export type Bindings = typeof DuckDB;

/** Rows of one data chunk; DuckDB's own vector size. */
export const CHUNK_ROWS = 2048;

/** Chunks per flush: one row group of DuckDB. Flushing whole row groups hands them over instead of copying them again. */
const CHUNKS_PER_FLUSH = 60;

/** Bytes of DuckDB's in-vector string header: length, then 12 bytes inline or prefix and pointer. */
const STRING_BYTES = 16;
const INLINE_STRING_BYTES_MAX = 12;
const STRING_PREFIX_BYTES = 4;
const STRING_POINTER_AT = 8;
const TWO_32 = 2 ** 32;
const NO_STRING = new Uint8Array(STRING_BYTES);

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
 * column by column for the same rows, then `advance`. Rows are visible to queries after `flush`, which DuckDB does in a
 * transaction of its own: all of the rows are in the table then, or, when it throws, none. After any call that threw the
 * appender is good for `discard` only.
 *
 * Shared by: nobody. Whoever made it calls it, synchronously; its memory is filled and read within one call.
 */
export class ChunkAppender {
  readonly #duckdb: Bindings;
  readonly #appender: DuckDB.Appender;
  readonly #types: readonly EngineColumnType[];
  readonly #chunk: DuckDB.DataChunk;
  readonly #vectors: DuckDB.Vector[];
  readonly #validity: (Uint8Array | undefined)[];
  readonly #strings = new Uint8Array(CHUNK_ROWS * STRING_BYTES);
  readonly #stringsView = new DataView(this.#strings.buffer);
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

  /**
   * Copies strings `from .. from+count` of an offsets/bytes pair for the next rows. The texts must be UTF-8. Those that
   * do not fit into their header go to DuckDB in one piece, and the headers then point into its copy: a call of the
   * engine for each would cost several times as much.
   */
  strings(column: number, offsets: Uint32Array, bytes: Uint8Array, from: number, count: number): void {
    const first = offsets[from] as number;
    const vector = this.#vectors[column] as DuckDB.Vector;
    if (this.#writeHeaders(offsets, bytes, from, count)) {
      const base = this.#giveTexts(vector, bytes.subarray(first, offsets[from + count] as number));
      this.#pointHeaders(base, offsets, from, count);
    }
    this.#duckdb.copy_data_to_vector(vector, this.#rows * STRING_BYTES, this.#strings.buffer, 0, count * STRING_BYTES);
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

  /** Takes the filled rows over; hands a full chunk to DuckDB. */
  advance(count: number): void {
    this.#rows += count;
    if (this.#rows === CHUNK_ROWS) this.#append();
  }

  /** True when as many rows wait as one flush should take: the caller flushes and notes that they are in the table. */
  get flushDue(): boolean {
    return this.#chunksSinceFlush >= CHUNKS_PER_FLUSH;
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

  /**
   * Frees the appender and forgets what was not flushed. Without it DuckDB would append those rows when the object is
   * collected, long after somebody else did.
   */
  discard(): void {
    this.#duckdb.appender_clear(this.#appender);
    this.#duckdb.appender_close_sync(this.#appender);
  }

  /** Writes lengths and what stands in the headers of the texts. True: some of them still need their pointer. */
  #writeHeaders(offsets: Uint32Array, bytes: Uint8Array, from: number, count: number): boolean {
    const strings = this.#strings;
    const view = this.#stringsView;
    strings.fill(0, 0, count * STRING_BYTES);
    let long = false;
    let start = offsets[from] as number;
    for (let i = 0; i < count; i++) {
      const end = offsets[from + i + 1] as number;
      const length = end - start;
      let at = i * STRING_BYTES;
      view.setUint32(at, length, true);
      at += 4;
      let stop = end;
      if (length > INLINE_STRING_BYTES_MAX) {
        long = true;
        stop = start + STRING_PREFIX_BYTES;
      }
      for (let b = start; b < stop; b++) strings[at++] = bytes[b] as number;
      start = end;
    }
    return long;
  }

  /** Sets the pointers of long texts; `base` is where DuckDB has the first text. */
  #pointHeaders(base: number, offsets: Uint32Array, from: number, count: number): void {
    const view = this.#stringsView;
    const first = offsets[from] as number;
    let start = first;
    for (let i = 0; i < count; i++) {
      const end = offsets[from + i + 1] as number;
      if (end - start > INLINE_STRING_BYTES_MAX) {
        const address = base + (start - first);
        view.setUint32(i * STRING_BYTES + STRING_POINTER_AT, address % TWO_32, true);
        view.setUint32(i * STRING_BYTES + STRING_POINTER_AT + 4, address / TWO_32, true);
      }
      start = end;
    }
  }

  /** Has DuckDB copy texts into the memory of a vector; returns the address there. */
  #giveTexts(vector: DuckDB.Vector, texts: Uint8Array): number {
    const at = this.#rows * STRING_BYTES;
    // What an earlier chunk left there must not pass for the answer.
    this.#duckdb.copy_data_to_vector(vector, at, NO_STRING.buffer, 0, STRING_BYTES);
    this.#duckdb.vector_assign_string_element_len(vector, this.#rows, texts);
    const headers = this.#duckdb.vector_get_data(vector, at + STRING_BYTES);
    const header = new DataView(headers.buffer, headers.byteOffset + at, STRING_BYTES);
    assert(header.getUint32(0, true) === texts.length, 'the engine took all texts');
    // Addresses of a process are below 2^53.
    return header.getUint32(STRING_POINTER_AT + 4, true) * TWO_32 + header.getUint32(STRING_POINTER_AT, true);
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
