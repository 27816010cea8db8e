import type { Log } from '../../shared/logger.ts';
import { errorText, type Fence } from '../../storage/index.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { StoredFileIndex } from './file-index-codec.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/** Infos between two checkpoints. */
const INFOS_PER_CHECKPOINT = 200;

export interface InfoPruningOptions {
  readonly checkpoints: Checkpoints;
  readonly snapshots: SnapshotStore;
  readonly fence: Fence;
  readonly log: Log;
  /** Of the newest checkpoint; 0 = there is none. */
  readonly checkpointed: number;
}

/** Deletes snapshot infos of a bucket that checkpoints of the file index stand for, as far as no other process may wait for their numbers. */
export class InfoPruning {
  readonly #options: InfoPruningOptions;
  #checkpointed: number;
  /** Infos up to this one were looked at. */
  #prunedTo = 0;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: InfoPruningOptions) {
    this.#options = options;
    this.#checkpointed = options.checkpointed;
  }

  /** Writes a checkpoint of the index and deletes infos in the background, when it is time. */
  look(index: StoredFileIndex): void {
    if (this.#stopped || index.sequence - this.#checkpointed < INFOS_PER_CHECKPOINT) return;
    this.#running ??= this.#prune(index).finally(() => {
      this.#running = undefined;
    });
  }

  /** Ends what is under way after the next few deletes. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #prune(index: StoredFileIndex): Promise<void> {
    const { checkpoints, fence, log, snapshots } = this.#options;
    const mayGoOn = (): boolean => !this.#stopped && fence.reason === undefined;
    try {
      if (!mayGoOn()) return;
      await checkpoints.write(index);
      this.#checkpointed = index.sequence;
      // Each of the two newest checkpoints stands for all of the past together with the infos after it.
      const [, before = 0] = await checkpoints.sequences();
      const count = await snapshots.prune({ after: this.#prunedTo, upTo: before, mayGoOn });
      if (!mayGoOn()) return;
      this.#prunedTo = before;
      await checkpoints.removeOld();
      if (count > 0) log.debug('snapshot infos that a checkpoint stands for were deleted', { count, upTo: before });
    } catch (error) {
      log.warn('old snapshot infos could not be deleted, will be tried again', { error: errorText(error) });
    }
  }
}
