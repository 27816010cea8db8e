/**
 * Rows on their way to a plugin: heads as JSON, columns as bytes. Both hosts read the same form.
 *
 * Bytes of a block, each part padded to 8: definitions of series (u32 id, u32 length, then for each tag u16 column id, u32
 * length, UTF-8), series ids (i32), times (i64), and for each column: bits of rows that have a value (LSB first, if `valid`),
 * then values: 8 bytes (`i64`, `u64`, `f64`), 1 byte (`bool`), u32 offsets (rows + 1), padded, and UTF-8 (`str`), or i32
 * numbers of texts, negative = null (`dict`). All numbers are little endian.
 */

/** Type of a column in a block. `int` are decimal texts of whole numbers of any size. */
export type BlockType = 'i64' | 'u64' | 'f64' | 'bool' | 'str' | 'dict' | 'time' | 'int' | 'null';

export interface BlockColumn {
  readonly name: string;
  readonly type: BlockType;
  /** Whether bits of valid rows come before the values. */
  readonly valid: boolean;
  /** Texts of `dict` columns. */
  readonly texts?: readonly string[];
}

export interface BlockHead {
  readonly rows: number;
  readonly columns: readonly BlockColumn[];
  /** Of rows of a write. */
  readonly wal?: WalHead;
}

export interface WalHead {
  readonly table: string;
  /** Names the series of a table in the host's memory. */
  readonly seriesKey: number;
  /** The host forgets all series of all tables first. */
  readonly forget: boolean;
  readonly definitions: number;
  readonly definitionBytes: number;
  /** Names of tag columns by their ids; only with definitions. */
  readonly tags: Readonly<Record<string, string>>;
}

/** Heads of blocks and their bytes, one after the other. The bytes are owned. */
export interface Blocks {
  readonly heads: readonly BlockHead[];
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Collects parts and joins them, each padded to 8 bytes. */
export class BlockBytes {
  readonly #parts: { readonly bytes: Uint8Array; readonly at: number }[] = [];
  #size = 0;

  add(bytes: Uint8Array): void {
    this.#parts.push({ bytes, at: this.#size });
    this.#size += (bytes.byteLength + 7) & ~7;
  }

  addArray(array: ArrayBufferView): void {
    this.add(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  }

  join(): Uint8Array<ArrayBuffer> {
    const joined = new Uint8Array(this.#size);
    for (const { bytes, at } of this.#parts) joined.set(bytes, at);
    return joined;
  }
}

/** The part of bits of valid rows that belongs to the rows. */
export function validBytes(valid: Uint8Array, rows: number): Uint8Array {
  return valid.subarray(0, (rows + 7) >> 3);
}
