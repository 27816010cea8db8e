import type { WalFileNumber } from '../../shared/ids.ts';
import type { FileSystem } from '../../storage/index.ts';
import { FILE_HEADER_BYTES, type PreviousFile } from './record.ts';
import type { WalDirectory } from './wal-directory.ts';
import { WalFileWriter } from './wal-file.ts';
import type { WalWriter, WalWriters } from './wal-writer.ts';

const PAGE_BYTES = 4096;
/** Size of a file that no record was written to. */
export const PREPARED_BYTES_MAX = 1024 * 1024;

export interface WalFilesOptions {
  readonly fs: FileSystem;
  readonly directory: WalDirectory;
  readonly uuid: string;
  /** False: a file is created by its first record. */
  readonly prepare: boolean;
}

interface Spare {
  readonly fileNumber: WalFileNumber;
  readonly file: WalFileWriter;
  /** False: it could not be made, and is gone again. Never rejects. */
  readonly ready: Promise<boolean>;
}

/**
 * The files that records are written to. The next one is created while the current one is in use: creating it, making its
 * name durable and letting it grow takes several times as long as a sync, and a client would wait for all of it.
 */
export class WalFiles implements WalWriters {
  readonly #options: WalFilesOptions;
  #spare: Spare | undefined;
  #discarding: Promise<unknown> = Promise.resolve();
  #stopped = false;
  /** Bytes that small appends put into the file before: as many are expected in the next. */
  #expectedBytes = 0;

  constructor(options: WalFilesOptions) {
    this.#options = options;
  }

  /** The file for a period's first record. */
  async take(fileNumber: WalFileNumber): Promise<WalFileWriter> {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined && spare.fileNumber !== fileNumber) this.#discard(spare);
    else if (spare !== undefined && (await spare.ready)) return spare.file;
    return this.#writer(fileNumber);
  }

  /** Begins to make this file ready, unless one already is. A failure is left to the first record, which tries again. */
  prepare(fileNumber: WalFileNumber, previous: PreviousFile): void {
    if (!this.#options.prepare || this.#stopped || this.#spare !== undefined) return;
    const file = this.#writer(fileNumber);
    const pages = Math.ceil((this.#expectedBytes * 1.25) / PAGE_BYTES);
    const ready = file.prepare(Math.min(PREPARED_BYTES_MAX, Math.max(1, pages) * PAGE_BYTES), previous).then(
      () => true,
      async () => {
        await file.abandon().catch(() => undefined);
        return false;
      },
    );
    this.#spare = { fileNumber, file, ready };
  }

  /** A file is complete. */
  noteClosed(file: WalWriter): void {
    this.#expectedBytes = file.smallBytes;
  }

  /**
   * Leaves a file without records behind the last one with some, so that a start notices when that is lost. Best effort: a
   * log without it is as good.
   */
  async leaveMark(fileNumber: WalFileNumber, previous: PreviousFile): Promise<void> {
    if (!this.#options.prepare || previous.fileNumber === 0) return;
    const file = this.#writer(fileNumber);
    try {
      await file.prepare(FILE_HEADER_BYTES, previous);
      await file.closePrepared();
    } catch {
      await file.abandon().catch(() => undefined);
    }
  }

  /** Removes the file that was made for nothing. Idempotent and never rejects; nothing is made ready afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined) this.#discard(spare);
    await this.#discarding;
  }

  /** A file that cannot be removed is found and removed at the next start. */
  #discard(spare: Spare): void {
    const discarded = spare.ready.then(async (ready) => {
      if (ready) await spare.file.abandon().catch(() => undefined);
    });
    this.#discarding = Promise.all([this.#discarding, discarded]);
  }

  #writer(fileNumber: WalFileNumber): WalFileWriter {
    const { directory, fs, uuid } = this.#options;
    return new WalFileWriter(fs, directory.locate(fileNumber), fileNumber, uuid);
  }
}
