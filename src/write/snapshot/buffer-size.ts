import type { TableSchema } from '../../catalog/index.ts';
import type { WriteBuffer } from '../buffer/index.ts';

/** Buffered bytes at which a snapshot is worth it, if it leaves few halves of chunks. */
const PERSIST_BYTES = 96 * 1024 * 1024;

/** The same when writes have paused. */
const PAUSE_BYTES = 8 * 1024 * 1024;

/** Buffered bytes that a file is made of at least, on average. */
const FILE_BYTES_MIN = 256 * 1024;

/** Chunks of a table at least, on average: the newest of them goes on after the snapshot, and will be of two files. */
const TABLE_CHUNKS_MIN = 3;

/** What of a buffer the decisions need. */
export type BufferFill = Pick<WriteBuffer, 'bytes' | 'chunkCount' | 'filledTables'>;

/** What of the buffer may be persisted: tables that are set aside stay in it anyway, and must not make snapshots of the rest. */
export function fillWithout(buffer: WriteBuffer, isAside: (table: TableSchema) => boolean): BufferFill {
  let bytes = 0;
  let chunkCount = 0;
  let filledTables = 0;
  for (const table of buffer.tables()) {
    if (isAside(table.table)) continue;
    bytes += table.bytes;
    chunkCount += table.bufferedChunks().size;
    if (table.rows > 0) filledTables++;
  }
  return { bytes, chunkCount, filledTables };
}

/**
 * Tells by a buffer's size whether to persist it. Rows of past times, as a load of old data brings them, go to files early:
 * they would make the same files later and take memory until then. Rows of now stay up to the limit, because every
 * snapshot makes one more file of the hour that queries ask for most.
 */
export class BufferSize {
  /** The least bytes at which the buffer is persisted while writes go on. */
  readonly persistBytes: number;
  readonly #maxBytes: number;

  /** @param maxBytes bytes at which everything is persisted in any case */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.persistBytes = Math.min(PERSIST_BYTES, maxBytes);
  }

  /** The buffer must be persisted now. */
  isFull(buffer: BufferFill): boolean {
    return buffer.bytes >= this.#maxBytes || (buffer.bytes >= this.persistBytes && makesWholeFiles(buffer));
  }

  /** Buffered bytes at which writers wait for the snapshot that begins with `bytes`; what comes in meanwhile must not pile up. */
  waitBytes(bytes: number): number {
    return bytes >= this.#maxBytes ? bytes * 2 : Math.max(this.persistBytes * 2, bytes + this.persistBytes / 2);
  }

  /** Persisting frees memory at no cost, when nothing else is to do. */
  isWorthPersisting(buffer: BufferFill): boolean {
    return buffer.bytes >= this.#maxBytes || (buffer.bytes >= PAUSE_BYTES && makesWholeFiles(buffer));
  }
}

function makesWholeFiles({ bytes, chunkCount, filledTables }: BufferFill): boolean {
  return bytes >= chunkCount * FILE_BYTES_MIN && chunkCount >= filledTables * TABLE_CHUNKS_MIN;
}
