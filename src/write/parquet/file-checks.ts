import { InfluxError } from '../../shared/errors.ts';
import type { Log } from '../../shared/logger.ts';
import { errorText } from '../../storage/index.ts';

/** What a check must know of a file. */
export interface CheckedFile {
  /** Object path from `<node-id>/` on. */
  readonly path: string;
  /** CRC-32 of the whole file; undefined = not known, not checked. */
  readonly crc32?: number | undefined;
}

export interface FileChecksOptions<F extends CheckedFile> {
  /** CRC-32 of the file as it is on disk now. */
  readonly checksum: (file: F) => Promise<number>;
  readonly monotonicMs: () => number;
  readonly log: Log;
}

/** A file that was right is believed this long: disks decay slowly, and reading everything again costs. */
const BELIEVED_MS = 24 * 3_600_000;

/** Files read at the same time. */
const CONCURRENCY = 4;

/**
 * Compares Parquet files with the checksum they had when they were written, when they are first needed and once a day
 * from then on: Parquet pages do not notice changed bytes themselves, so a query could answer with wrong values.
 */
export class FileChecks<F extends CheckedFile> {
  readonly #options: FileChecksOptions<F>;
  /** When the file was last right, monotonic ms; by the index's own object, so that it goes with the file. */
  readonly #rightAtMs = new WeakMap<F, number>();
  readonly #damaged = new Set<string>();

  constructor(options: FileChecksOptions<F>) {
    this.#options = options;
  }

  /** Files that were found damaged since the start and have not been seen whole again. */
  get damagedFiles(): number {
    return this.#damaged.size;
  }

  /** Undefined when all files are whole; else a promise that rejects with PARQUET_DAMAGED, naming the first damaged one. */
  verify(files: readonly F[]): Promise<void> | undefined {
    const oldest = this.#options.monotonicMs() - BELIEVED_MS;
    const due = files.filter((file) => file.crc32 !== undefined && !((this.#rightAtMs.get(file) ?? Number.NEGATIVE_INFINITY) >= oldest));
    return due.length === 0 ? undefined : this.#check(due);
  }

  async #check(due: readonly F[]): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let file = due[next++]; file !== undefined; file = due[next++]) await this.#checkOne(file);
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, due.length) }, worker));
  }

  async #checkOne(file: F): Promise<void> {
    const found = await this.#options.checksum(file).catch((error: unknown) => {
      throw parquetUnreadable(file.path, error);
    });
    if (found === file.crc32) {
      this.#rightAtMs.set(file, this.#options.monotonicMs());
      this.#damaged.delete(file.path);
      return;
    }
    if (!this.#damaged.has(file.path)) {
      this.#damaged.add(file.path);
      this.#options.log.error('Parquet file is damaged: its checksum is wrong; queries that need it fail', { path: file.path });
    }
    throw parquetDamaged(file.path);
  }
}

function parquetUnreadable(path: string, cause: unknown): InfluxError {
  const message = `External error: Parquet error: file ${path} cannot be read: ${errorText(cause)}`;
  return new InfluxError({ code: 'PARQUET_UNREADABLE', message, status: 500, cause });
}

function parquetDamaged(path: string): InfluxError {
  return new InfluxError({
    code: 'PARQUET_DAMAGED',
    message: `External error: Parquet error: file ${path} is damaged: its checksum is wrong. Put the file back from a backup, or query other times`,
    status: 500,
  });
}
