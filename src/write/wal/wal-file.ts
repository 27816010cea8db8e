import { dirname } from 'node:path';
import { type FileSystem, type OpenFile, unlinkIfPresent } from '../../storage/index.ts';
import { encodeFileHeader, FILE_HEADER_BYTES } from './record.ts';

/** Writes one WAL file. Bytes count as written only after they are synced. */
export class WalFileWriter {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #fileNumber: number;
  readonly #uuid: string;
  #file: OpenFile | undefined;
  /** Bytes that are durable. */
  #length = 0;

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
      await this.#file.writev(parts, this.#length);
      await this.#file.datasync();
      this.#length += byteLength;
      return;
    }
    this.#file = await this.#fs.open(this.#path, 'create', 'sync-each-write');
    await this.#file.writev([encodeFileHeader(this.#fileNumber, this.#uuid), ...parts], 0);
    await Promise.all([this.#file.datasync(), this.#fs.syncDirectory(dirname(this.#path))]);
    this.#length = FILE_HEADER_BYTES + byteLength;
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
    await file?.close();
  }
}
