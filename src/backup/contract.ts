/** A file of a moment as a server offers it. */
export interface OfferedFile {
  /** Below the node's directory, parts joined by `/`. */
  readonly path: string;
  readonly sizeBytes: number;
  /** CRC-32 of the content, where the server knows it. */
  readonly crc32?: number | undefined;
}

/** A moment that a server holds for a backup. */
export interface OfferedMoment {
  /** Names the moment in further requests. */
  readonly id: string;
  readonly nodeId: string;
  /** Version of the server. */
  readonly version: string;
  readonly catalogUuid: string;
  readonly catalogSequence: number;
  /** RFC 3339, when it was taken. */
  readonly takenAt: string;
  readonly files: readonly OfferedFile[];
}

/** Path of the backup endpoints. */
export const BACKUP_PATH = '/api/v3/backup';

/** Where a backup is taken from: a server over its API, or a test. */
export interface BackupSource {
  begin(): Promise<OfferedMoment>;
  /** Bytes of one file of the moment. */
  read(moment: OfferedMoment, path: string): Promise<AsyncIterable<Uint8Array>>;
  /** Tells that the moment is still needed. */
  touch(moment: OfferedMoment): Promise<void>;
  release(moment: OfferedMoment): Promise<void>;
}

/** A problem that the person at the command line can do something about. */
export class BackupError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'BackupError';
    this.hint = options.hint;
  }
}

/** What was done so far, in bytes of all that there is to do. */
export interface BackupProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly doneFiles: number;
  readonly totalFiles: number;
}
