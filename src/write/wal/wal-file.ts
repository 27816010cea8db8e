import { dirname } from 'node:path';
import type { WalFileNumber } from '../../shared/ids.ts';
import { type FileSystem, type OpenFile, unlinkIfPresent } from '../../storage/index.ts';
import { encodeFileHeader, FILE_HEADER_BYTES, type PreviousFile } from './record.ts';
import type { WalWriter } from './wal-writer.ts';

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
export class WalFileWriter implements WalWriter {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #fileNumber: WalFileNumber;
  readonly #uuid: string;
  #file: OpenFile | undefined;
  /** Bytes that are durable. */
  #length = 0;
  /** End of the zeros that were written ahead. */
  #reservedEnd = 0;
  #appends = 0;
  #smallBytes = 0;

  constructor(fs: FileSystem, path: string, fileNumber: WalFileNumber, uuid: string) {
    this.#fs = fs;
    this.#path = path;
    this.#fileNumber = fileNumber;
    this.#uuid = uuid;
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes of all small appends. */
  get smallBytes(): number {
    return this.#smallBytes;
  }

  /**
   * Creates the file before its first record: `bytes` of header and zeros. It still counts as empty, but its header tells of
   * the file before already: should that be lost, a start notices.
   */
  async prepare(bytes: number, previous: PreviousFile): Promise<void> {
    const content = new Uint8Array(bytes);
    content.set(encodeFileHeader(this.#fileNumber, this.#uuid, previous));
    await this.#create([content]);
    this.#reservedEnd = bytes;
  }

  /**
   * Appends and syncs. The first call creates the file if it is not there yet, and makes its name durable too.
   * @param previous for the header, which is written with the first records
   */
  async append(parts: readonly Uint8Array[], byteLength: number, previous: PreviousFile): Promise<void> {
    if (byteLength <= SMALL_APPEND_BYTES) this.#smallBytes += byteLength;
    const isFirst = this.#length === 0;
    const end = (isFirst ? FILE_HEADER_BYTES : this.#length) + byteLength;
    const pieces = isFirst ? [encodeFileHeader(this.#fileNumber, this.#uuid, previous), ...parts] : parts;
    if (this.#file === undefined) {
      await this.#create(pieces);
    } else {
      await this.#file.writev(this.#withReserve(pieces, byteLength, end), this.#length);
      await this.#file.datasync();
    }
    this.#length = end;
  }

  async #create(content: readonly Uint8Array[]): Promise<void> {
    this.#file = await this.#fs.open(this.#path, 'create', 'sync-each-write');
    await this.#file.writev(content, 0);
    await Promise.all([this.#file.datasync(), this.#fs.syncDirectory(dirname(this.#path))]);
  }

  #withReserve(parts: readonly Uint8Array[], byteLength: number, end: number): readonly Uint8Array[] {
    this.#appends++;
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

  /** Closes a file that was prepared and stays without records. */
  async closePrepared(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
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
