import type { Log } from '../../shared/logger.ts';
import { type CheckpointFormat, Checkpoints, errorText, type Fence, LogPruning, type ObjectStore } from '../../storage/index.ts';
import { decodeFileIndex, encodeFileIndex, type StoredFileIndex } from './file-index-codec.ts';
import { mayBeClaim, type SnapshotStore } from './snapshot-store.ts';

const INFOS_PER_CHECKPOINT = 200;

/** Copies of the file index, by which snapshot infos may be deleted. */
export function indexCheckpoints(objects: ObjectStore, uuid: string, log: Log): Checkpoints<StoredFileIndex> {
  const format: CheckpointFormat<StoredFileIndex> = {
    folder: 'checkpoints/',
    suffix: '.index',
    what: 'file index',
    encode: (index) => encodeFileIndex(index, uuid),
    decode: (bytes) => decodeFileIndex(bytes, uuid),
  };
  return new Checkpoints(objects, format, log);
}

export interface InfoPruningOptions {
  readonly objects: ObjectStore;
  readonly checkpoints: Checkpoints<StoredFileIndex>;
  readonly snapshots: SnapshotStore;
  readonly fence: Fence;
  readonly log: Log;
  /** Of the newest checkpoint; 0 = there is none. */
  readonly checkpointed: number;
  /** 200 by default. */
  readonly infosPerCheckpoint?: number | undefined;
}

/** Deletes snapshot infos of a bucket that checkpoints of the file index stand for, in the background. */
export class InfoPruning {
  readonly #pruning: LogPruning<StoredFileIndex>;
  readonly #log: Log;
  readonly #infosPerCheckpoint: number;
  #checkpointed: number;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor({ snapshots, checkpointed, infosPerCheckpoint = INFOS_PER_CHECKPOINT, ...options }: InfoPruningOptions) {
    const keys = (after: number, upTo: number): AsyncIterable<string> => snapshots.keys(after, upTo);
    this.#pruning = new LogPruning({ ...options, what: 'snapshot infos', keys, mayBeClaim });
    this.#log = options.log;
    this.#checkpointed = checkpointed;
    this.#infosPerCheckpoint = infosPerCheckpoint;
  }

  /** Writes a checkpoint of the index and deletes infos in the background, when it is time. */
  look(index: StoredFileIndex): void {
    if (this.#stopped || index.sequence - this.#checkpointed < this.#infosPerCheckpoint) return;
    this.#running ??= this.#run(index).finally(() => {
      this.#running = undefined;
    });
  }

  /** Ends what is under way after the next few deletes. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#pruning.stop();
    await this.#running;
  }

  async #run(index: StoredFileIndex): Promise<void> {
    try {
      await this.#pruning.write(index);
      this.#checkpointed = index.sequence;
      await this.#pruning.prune();
    } catch (error) {
      this.#log.warn('a checkpoint of the file index could not be written, will be tried again', { error: errorText(error) });
    }
  }
}
