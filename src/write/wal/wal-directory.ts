import { join } from 'node:path';
import type { WalFileNumber } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import { errorText, type FileSystem, removeTemporaryFiles, unlinkIfPresent } from '../../storage/index.ts';

const FILE_NAME = /^(\d{11,})\.wal$/;
const ANY_NAME = /^(\d{11,})\.wal(\.|$)/;
const CORRUPT_NAME = /^(\d{11,})\.wal\.corrupt/;

/** A log file that stays on disk for a while. */
export interface HeldWalFile {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
}

/** The `wal/` directory: which files there are, and deleting those that snapshots cover. */
export class WalDirectory {
  readonly path: string;
  readonly #fs: FileSystem;
  readonly #log: Log;
  /** Size of each file, by number ascending. */
  readonly #sizes = new Map<number, number>();
  readonly #held = new Set<ReadonlySet<number>>();
  #failedDeletes = 0;
  #deleteFailing = false;
  #deleting: Promise<void> = Promise.resolve();

  constructor(fs: FileSystem, root: string, log: Log) {
    this.#fs = fs;
    this.#log = log;
    this.path = join(root, 'wal');
  }

  /** Attempts to delete a file that failed. */
  get failedDeletes(): number {
    return this.#failedDeletes;
  }

  get fileCount(): number {
    return this.#sizes.size;
  }

  filePath(fileNumber: WalFileNumber): string {
    return join(this.path, `${String(fileNumber).padStart(11, '0')}.wal`);
  }

  /**
   * Creates the directory if needed. Returns the numbers of its WAL files, of those that an earlier start found damaged, and
   * the highest number ever seen in it.
   */
  async list(): Promise<{ readonly numbers: readonly number[]; readonly corrupt: ReadonlySet<number>; readonly highest: number }> {
    await this.#fs.mkdir(this.path);
    await this.#fs.syncDirectory(join(this.path, '..'));
    await removeTemporaryFiles(this.#fs, this.path);
    const names = await this.#fs.readdir(this.path);
    const numbers: number[] = [];
    const corrupt = new Set<number>();
    let highest = 0;
    for (const name of names) {
      const damaged = CORRUPT_NAME.exec(name)?.[1];
      if (damaged !== undefined) corrupt.add(Number(damaged));
      const used = ANY_NAME.exec(name)?.[1];
      if (used !== undefined) highest = Math.max(highest, Number(used));
      const number = FILE_NAME.exec(name)?.[1];
      if (number !== undefined) numbers.push(Number(number));
    }
    numbers.sort((a, b) => a - b);
    for (const number of numbers) this.#sizes.set(number, await this.#fs.size(this.filePath(number)));
    return { numbers, corrupt, highest };
  }

  /** Remembers a file so that it is deleted in its time. */
  note(fileNumber: WalFileNumber, bytes: number): void {
    this.#sizes.set(fileNumber, bytes);
  }

  /** Of a file that was listed or noted. */
  sizeOf(fileNumber: WalFileNumber): number {
    return this.#sizes.get(fileNumber) ?? 0;
  }

  /** Of files that were listed or noted and are not deleted, ascending. */
  numbers(): readonly number[] {
    return [...this.#sizes.keys()].sort((a, b) => a - b);
  }

  forget(fileNumber: WalFileNumber): void {
    this.#sizes.delete(fileNumber);
  }

  /** Files that were listed or noted and have higher numbers are not deleted before `release`. */
  hold(after: number): { readonly files: readonly HeldWalFile[]; readonly release: () => void } {
    const numbers = this.numbers().filter((number) => number > after);
    const held = new Set(numbers);
    this.#held.add(held);
    const files = numbers.map((number) => ({ path: this.filePath(number), sizeBytes: this.sizeOf(number) }));
    return { files, release: () => void this.#held.delete(held) };
  }

  /**
   * Deletes files up to `lastCovered`, but keeps the newest `keepFiles` of them as long as they take no more than
   * `keepBytes`. A file that cannot be deleted, or is held, is tried again at the next call.
   */
  deleteCovered(lastCovered: number, keepFiles: number, keepBytes: number): Promise<void> {
    this.#deleting = this.#deleting.then(() => this.#deleteCovered(lastCovered, keepFiles, keepBytes));
    return this.#deleting;
  }

  async #deleteCovered(lastCovered: number, keepFiles: number, keepBytes: number): Promise<void> {
    const covered = [...this.#sizes].filter(([number]) => number <= lastCovered).sort((a, b) => b[0] - a[0]);
    let files = 0;
    let bytes = 0;
    let failure: unknown;
    for (const [number, size] of covered) {
      files++;
      bytes += size;
      if (files <= keepFiles && bytes <= keepBytes) continue;
      if ([...this.#held].some((held) => held.has(number))) continue;
      try {
        await unlinkIfPresent(this.#fs, this.filePath(number));
        this.#sizes.delete(number);
      } catch (error) {
        this.#failedDeletes++;
        failure = error;
      }
    }
    if (failure !== undefined && !this.#deleteFailing) {
      this.#log.warn('WAL files could not be deleted, will be tried again', { error: errorText(failure) });
    }
    this.#deleteFailing = failure !== undefined;
  }
}
