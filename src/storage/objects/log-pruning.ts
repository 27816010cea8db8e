import type { Log } from '../../shared/logger.ts';
import { errorText } from '../errors.ts';
import type { Fence } from '../fence.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { ObjectStore } from './object-store.ts';

/** Objects looked at, and deleted, at the same time. */
const OBJECTS_AT_ONCE = 8;

export interface LogPruningOptions<T extends { readonly sequence: number }> {
  readonly objects: ObjectStore;
  readonly checkpoints: Checkpoints<T>;
  readonly fence: Fence;
  readonly log: Log;
  /** For messages, such as `snapshot infos`. */
  readonly what: string;
  /** Keys of the log with numbers above `after` and up to `upTo`. */
  keys(after: number, upTo: number): AsyncIterable<string>;
  /** Whether an object is the first of a process, by which the one before it ends, or nobody can tell. */
  mayBeClaim(bytes: Uint8Array): boolean;
}

/**
 * Deletes numbered objects of a log that checkpoints stand for. Claims stay: a process that was stopped for long tries just the
 * number of the claim after it, whenever it goes on. A process that puts its claim must look for a checkpoint that was not there
 * when it loaded: its number may have been used and deleted meanwhile.
 */
export class LogPruning<T extends { readonly sequence: number }> {
  readonly #options: LogPruningOptions<T>;
  /** Objects up to this one were looked at. */
  #prunedTo = 0;
  #stopped = false;

  constructor(options: LogPruningOptions<T>) {
    this.#options = options;
  }

  /** Writes a checkpoint. What is deleted from then on is deleted in `prune`. */
  async write(state: T): Promise<void> {
    if (this.#mayGoOn()) await this.#options.checkpoints.write(state);
  }

  /** Deletes what the newest two checkpoints stand for. Never rejects: what stays is looked at the next time. */
  async prune(): Promise<void> {
    const { checkpoints, log, what } = this.#options;
    if (!this.#mayGoOn()) return;
    try {
      // Each of the two stands for all of the past together with the objects after it.
      const [, ...older] = await checkpoints.sequences();
      const upTo = (await checkpoints.newest(older))?.sequence ?? 0;
      const count = await this.#delete(upTo);
      if (!this.#mayGoOn()) return;
      this.#prunedTo = upTo;
      await checkpoints.removeBefore(upTo);
      if (count > 0) log.debug(`${what} that a checkpoint stands for were deleted`, { count, upTo });
    } catch (error) {
      log.warn(`old ${what} could not be deleted, will be tried again`, { error: errorText(error) });
    }
  }

  /** What is under way ends after the next few deletes. */
  stop(): void {
    this.#stopped = true;
  }

  async #delete(upTo: number): Promise<number> {
    const { keys, mayBeClaim, objects } = this.#options;
    let count = 0;
    let batch: string[] = [];
    const end = async (): Promise<void> => {
      const found = await Promise.all(batch.map(async (key) => mayBeClaim(await objects.get(key))));
      const needless = batch.filter((_, i) => found[i] === false);
      batch = [];
      if (!this.#mayGoOn()) return;
      await objects.delete(needless);
      count += needless.length;
    };
    for await (const key of keys(this.#prunedTo, upTo)) {
      if (!this.#mayGoOn()) break;
      batch.push(key);
      if (batch.length === OBJECTS_AT_ONCE) await end();
    }
    await end();
    return count;
  }

  #mayGoOn(): boolean {
    return !this.#stopped && this.#options.fence.reason === undefined;
  }
}
