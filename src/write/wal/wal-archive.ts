import type { WalFileNumber } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import { errorText } from '../../storage/index.ts';

/** A log file that stays on disk for a while. */
export interface HeldWalFile {
  /** In the folder of the log. */
  readonly name: string;
  readonly sizeBytes: number;
}

/** What a log consists of. */
export interface ListedWal {
  /** Numbers of its files, ascending. */
  readonly numbers: readonly number[];
  /** Numbers of files that an earlier start found damaged. */
  readonly corrupt: ReadonlySet<number>;
  /** The highest number ever seen in it. */
  readonly highest: number;
}

const FILE_NAME = /^(\d{11,})\.wal$/;
const ANY_NAME = /^(\d{11,})\.wal(\.|$)/;
const CORRUPT_NAME = /^(\d{11,})\.wal\.corrupt/;

/** Name of a log file. */
export function walFileName(fileNumber: WalFileNumber): string {
  return `${String(fileNumber).padStart(11, '0')}.wal`;
}

/** What names of files tell about a log. */
export function listedWal(names: Iterable<string>): ListedWal {
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
  return { numbers, corrupt, highest };
}

/** The files of a log, wherever they are: reading them, and deleting those that snapshots cover. */
export abstract class WalArchive {
  protected readonly log: Log;
  /** Size of each file, by number ascending. */
  readonly #sizes = new Map<number, number>();
  readonly #held = new Set<ReadonlySet<number>>();
  #failedDeletes = 0;
  #deleteFailing = false;
  #deleting: Promise<void> = Promise.resolve();

  constructor(log: Log) {
    this.log = log;
  }

  /** How people find a file. */
  abstract locate(fileNumber: WalFileNumber): string;

  /** Looks which files there are, at a start. */
  abstract list(): Promise<ListedWal>;

  /** All bytes, at an 8-byte aligned `byteOffset`. */
  abstract read(fileNumber: WalFileNumber): Promise<Uint8Array>;

  /** Takes a file without usable records out of the way of later starts, as far as the store lets it. Returns where it is now. */
  abstract setAside(fileNumber: WalFileNumber): Promise<string>;

  /** Ends a file after its last good record, so that the next start finds it whole, and keeps what is cut off. */
  abstract cutOff(fileNumber: WalFileNumber, bytes: Uint8Array, validBytes: number): Promise<void>;

  /** Removes a file that no record was written to. */
  abstract removeUnused(fileNumber: WalFileNumber): Promise<void>;

  /** Files that are deleted in one step: it fails for all of them. */
  protected readonly removedAtOnce: number = 1;

  /** Deletes files; missing ones are fine. */
  protected abstract remove(fileNumbers: readonly WalFileNumber[]): Promise<void>;

  /** Attempts to delete a file that failed. */
  get failedDeletes(): number {
    return this.#failedDeletes;
  }

  /** Remembers a file so that it is deleted in its time. */
  note(fileNumber: WalFileNumber, bytes: number): void {
    this.#sizes.set(fileNumber, bytes);
  }

  /** Files that were listed or noted and are not deleted. */
  get totals(): { readonly files: number; readonly bytes: number } {
    let bytes = 0;
    for (const size of this.#sizes.values()) bytes += size;
    return { files: this.#sizes.size, bytes };
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
    const files = numbers.map((number) => ({ name: walFileName(number), sizeBytes: this.sizeOf(number) }));
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

  #isHeld(fileNumber: WalFileNumber): boolean {
    return [...this.#held].some((held) => held.has(fileNumber));
  }

  async #deleteCovered(lastCovered: number, keepFiles: number, keepBytes: number): Promise<void> {
    const covered = [...this.#sizes].filter(([number]) => number <= lastCovered).sort((a, b) => b[0] - a[0]);
    let files = 0;
    let bytes = 0;
    const needless: number[] = [];
    for (const [number, size] of covered) {
      files++;
      bytes += size;
      if (files <= keepFiles && bytes <= keepBytes) continue;
      needless.push(number);
    }
    let failure: unknown;
    for (let at = 0; at < needless.length; at += this.removedAtOnce) {
      const step = needless.slice(at, at + this.removedAtOnce).filter((number) => !this.#isHeld(number));
      try {
        await this.remove(step);
        for (const number of step) this.#sizes.delete(number);
      } catch (error) {
        this.#failedDeletes += step.length;
        failure = error;
      }
    }
    if (failure !== undefined && !this.#deleteFailing) {
      this.log.warn('WAL files could not be deleted, will be tried again', { error: errorText(failure) });
    }
    this.#deleteFailing = failure !== undefined;
  }
}
