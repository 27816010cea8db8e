import type { Log } from '../../shared/logger.ts';
import { type ObjectStore, ObjectStoreError } from '../../storage/index.ts';
import { decodeFileIndex, encodeFileIndex, type StoredFileIndex } from './file-index-codec.ts';
import { invertedSequence, sequenceOfInverted } from './snapshot-store.ts';

const FOLDER = 'checkpoints/';
const NAME = /^(\d{20})\.index$/;

/** The newest two: each stands for all infos before it by itself. */
const KEPT = 2;

/**
 * Copies of the file index, each created once under the sequence that it ends with: `checkpoints/<inverted sequence>.index`. Unlike
 * `files/index` none can be replaced with an older one by a process that was frozen, so snapshot infos before them may be deleted.
 */
export class Checkpoints {
  readonly #objects: ObjectStore;
  readonly #uuid: string;
  readonly #log: Log;

  constructor(objects: ObjectStore, uuid: string, log: Log) {
    this.#objects = objects;
    this.#uuid = uuid;
    this.#log = log;
  }

  /** Sequences, newest first. */
  async sequences(): Promise<number[]> {
    const found: number[] = [];
    for await (const key of this.#objects.list(FOLDER)) {
      const digits = NAME.exec(key.slice(FOLDER.length))?.[1];
      if (digits !== undefined) found.push(sequenceOfInverted(digits));
    }
    return found;
  }

  /** The first of these that can be read; undefined = there is none. */
  async newest(sequences: readonly number[]): Promise<StoredFileIndex | undefined> {
    for (const sequence of sequences) {
      const key = keyOf(sequence);
      const stored = decodeFileIndex(await this.#objects.get(key), this.#uuid);
      if (typeof stored !== 'string' && stored.sequence === sequence) return stored;
      const reason = typeof stored === 'string' ? stored : 'file has the name of another sequence';
      this.#log.warn('a checkpoint of the file index cannot be used', { path: this.#objects.locate(key), reason });
    }
    return undefined;
  }

  /** Durable when it resolves. */
  async write(index: StoredFileIndex): Promise<void> {
    try {
      await this.#objects.put(keyOf(index.sequence), encodeFileIndex(index, this.#uuid), 'create');
    } catch (error) {
      if (!(error instanceof ObjectStoreError && error.code === 'EXISTS')) throw error; // by an attempt whose answer was lost
    }
  }

  /** Deletes all but the newest. */
  async removeOld(): Promise<void> {
    await this.#objects.delete((await this.sequences()).slice(KEPT).map(keyOf));
  }
}

function keyOf(sequence: number): string {
  return `${FOLDER}${invertedSequence(sequence)}.index`;
}
