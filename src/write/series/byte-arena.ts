const FIRST_CHUNK_BYTES = 4096;
const CHUNK_BYTES_MAX = 1 << 20;

/** One piece of the arena: the same memory as bytes and as words. */
export interface ArenaChunk {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  /** Bytes in use, always a multiple of 4. */
  used: number;
}

/**
 * Append-only byte storage in chunks, so that growing never copies what is already there. Entries begin at
 * multiples of 4, never cross a chunk, and are padded with zeros to a whole word.
 */
export class ByteArena {
  readonly chunks: ArenaChunk[] = [];
  #allocatedBytes = 0;

  /** Memory held, in bytes. */
  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  /** The chunk that has room for `length` more bytes; it is the last one. */
  reserve(length: number): ArenaChunk {
    const padded = (length + 3) & ~3;
    const last = this.chunks[this.chunks.length - 1];
    if (last !== undefined && last.used + padded <= last.bytes.length) return last;
    const grown = last === undefined ? FIRST_CHUNK_BYTES : Math.min(last.bytes.length * 2, CHUNK_BYTES_MAX);
    const buffer = new ArrayBuffer(Math.max(grown, padded));
    const chunk: ArenaChunk = { bytes: new Uint8Array(buffer), words: new Int32Array(buffer), used: 0 };
    this.chunks.push(chunk);
    this.#allocatedBytes += buffer.byteLength;
    return chunk;
  }
}
