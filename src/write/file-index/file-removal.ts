import type { Log } from '../../shared/logger.ts';
import { nextTurn } from '../../shared/timers.ts';
import { type DataFiles, errorText } from '../../storage/index.ts';
import type { PendingFiles } from './pending-files.ts';

export interface FileRemovalOptions {
  readonly files: DataFiles;
  readonly log: Log;
  /** Knows the paths until they are deleted, so that a crash forgets none. */
  readonly pending: PendingFiles;
}

interface Condemned {
  readonly epoch: number;
  readonly paths: readonly string[];
}

/**
 * Deletes Parquet files that are no longer served, but only once every reader that may know them has finished. A
 * reader belongs to the epoch in which it began; each removal ends an epoch.
 */
export class FileRemoval {
  readonly #options: FileRemovalOptions;
  readonly #readers = new Map<number, number>();
  #epoch = 0;
  #condemned: Condemned[] = [];
  #deleting: Promise<void> | undefined;
  #failing = false;

  constructor(options: FileRemovalOptions) {
    this.#options = options;
  }

  /** Call in the step in which the list of files is taken. The returned function ends the reading; idempotent. */
  reader(): () => void {
    const epoch = this.#epoch;
    this.#readers.set(epoch, (this.#readers.get(epoch) ?? 0) + 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const left = (this.#readers.get(epoch) ?? 1) - 1;
      if (left > 0) this.#readers.set(epoch, left);
      else this.#readers.delete(epoch);
      if (left === 0 && this.#condemned.length > 0) void this.flush();
    };
  }

  /**
   * Call in the step in which the index forgets the files; their paths (below the node's directory) must be announced
   * as pending. Deletion happens in the background.
   */
  remove(paths: readonly string[]): void {
    if (paths.length === 0) return;
    this.#condemned.push({ epoch: this.#epoch++, paths });
    void this.flush();
  }

  /** Deletes what nobody reads. Never rejects: what cannot be deleted is tried again at the next call. */
  flush(): Promise<void> {
    this.#deleting ??= this.#flush().finally(() => {
      this.#deleting = undefined;
    });
    return this.#deleting;
  }

  async #flush(): Promise<void> {
    await nextTurn(); // never on the path of the step that removed them
    const oldestReader = Math.min(...this.#readers.keys(), Number.POSITIVE_INFINITY);
    const due = this.#condemned.filter(({ epoch }) => epoch < oldestReader);
    const kept: Condemned[] = [];
    let failure: unknown;
    for (const { epoch, paths } of due) {
      const failed: string[] = [];
      for (const path of paths) {
        try {
          await this.#delete(path);
        } catch (error) {
          failure = error;
          failed.push(path);
        }
      }
      if (failed.length > 0) kept.push({ epoch, paths: failed });
    }
    const done = new Set(due);
    this.#condemned = [...kept, ...this.#condemned.filter((entry) => !done.has(entry))];
    if (failure !== undefined && !this.#failing) {
      this.#options.log.warn('Parquet files could not be deleted, will be tried again', { error: errorText(failure) });
    }
    this.#failing = failure !== undefined;
  }

  async #delete(path: string): Promise<void> {
    const { files, pending } = this.#options;
    await files.remove(path);
    pending.settle([path]);
  }
}
