import { dirname } from 'node:path';
import { type FileSystem, type OpenFile, unlinkIfPresent } from '../../storage/index.ts';
import { encodeFileHeader, FILE_HEADER_BYTES } from './record.ts';

/** Appends of one file after which more of them are expected. */
const APPENDS_BEFORE_RESERVING = 4;

/** Larger appends are not worth it: their own bytes take longer than growing the file. */
const SMALL_APPEND_BYTES = 64 * 1024;

const RESERVE_BYTES_MIN = 64 * 1024;
const RESERVE_BYTES_MAX = 1024 * 1024;

/**
 * Writes one WAL file. Bytes count as written only after they are synced.
 *
 * A sync of a file that grows also waits for the file system's journal, which takes twice as long. After some small
 * appends the file therefore gets zeros ahead of its records; `close` cuts them off, and readers take zeros up to the
 * end for the end (a crash leaves them).
 */
export class WalFileWriter {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #fileNumber: number;
  readonly #uuid: string;
  #file: OpenFile | undefined;
  /** Bytes that are durable. */
  #length = 0;
  /** End of the zeros that were written ahead. */
  #reservedEnd = 0;
  #appends = 0;

  constructor(fs: FileSystem, path: string, fileNumber: number, uuid: string) {
    this.#fs = fs;
    this.#path = path;
    this.#fileNumber = fileNumber;
    this.#uuid = uuid;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends and syncs. The first call creates the file, and makes its name durable too. */
  async append(parts: readonly Uint8Array[], byteLength: number): Promise<void> {
    if (this.#file !== undefined) {
      await this.#file.writev(this.#withReserve(parts, byteLength), this.#length);
      await this.#file.datasync();
      this.#length += byteLength;
      return;
    }
    this.#file = await this.#fs.open(this.#path, 'create', 'sync-each-write');
    await this.#file.writev([encodeFileHeader(this.#fileNumber, this.#uuid), ...parts], 0);
    await Promise.all([this.#file.datasync(), this.#fs.syncDirectory(dirname(this.#path))]);
    this.#length = FILE_HEADER_BYTES + byteLength;
  }

  #withReserve(parts: readonly Uint8Array[], byteLength: number): readonly Uint8Array[] {
    this.#appends++;
    const end = this.#length + byteLength;
    if (end <= this.#reservedEnd || byteLength > SMALL_APPEND_BYTES || this.#appends < APPENDS_BEFORE_RESERVING) return parts;
    const zeros = new Uint8Array(Math.min(RESERVE_BYTES_MAX, Math.max(RESERVE_BYTES_MIN, 2 * end)));
    this.#reservedEnd = end + zeros.length;
    return [...parts, zeros];
  }

  /**
   * After a failed append: cuts off what may have been written beyond the durable bytes, or removes a file without any.
   * Best effort: records left behind are replayed at the next start, which no client was promised not to happen.
   */
  async abandon(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      if (this.#length === 0) {
        if (file !== undefined) await unlinkIfPresent(this.#fs, this.#path);
      } else if (file !== undefined) {
        await file.truncate(this.#length);
        await file.datasync();
      }
    } finally {
      await file?.close();
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    try {
      if (this.#reservedEnd > this.#length) await file?.truncate(this.#length);
    } finally {
      await file?.close();
    }
  }
}
