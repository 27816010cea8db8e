import type { Log } from '../../shared/logger.ts';
import { type ObjectStore, ObjectStoreError } from './object-store.ts';

/** How a state is kept after the change with a number. */
export interface CheckpointFormat<T extends { readonly sequence: number }> {
  /** Of all keys, `/` at its end. */
  readonly folder: string;
  /** Of all keys, such as `.index`. */
  readonly suffix: string;
  /** For messages, such as `file index`. */
  readonly what: string;
  encode(state: T): Uint8Array;
  /** The state, or the reason why the bytes are none. */
  decode(bytes: Uint8Array): T | string;
}

/** Names count down from here, so that the newest sorts first. */
const SEQUENCE_MAX = 2n ** 64n - 1n;

/**
 * Copies of a state, each created once under the number of the change that it ends with: `<folder><inverted number><suffix>`. None
 * can be replaced with an older one by a process that was frozen, so numbered objects of a log before them may be deleted.
 */
export class Checkpoints<T extends { readonly sequence: number }> {
  readonly #objects: ObjectStore;
  readonly #format: CheckpointFormat<T>;
  readonly #log: Log;

  constructor(objects: ObjectStore, format: CheckpointFormat<T>, log: Log) {
    this.#objects = objects;
    this.#format = format;
    this.#log = log;
  }

  /** Newest first. */
  async sequences(): Promise<number[]> {
    const { folder, suffix } = this.#format;
    const found: number[] = [];
    for await (const key of this.#objects.list(folder)) {
      const digits = /^(\d{20})(\..+)$/.exec(key.slice(folder.length));
      if (digits?.[1] !== undefined && digits[2] === suffix) found.push(sequenceOfInverted(digits[1]));
    }
    return found;
  }

  /** The first of these that can be read; undefined = there is none. */
  async newest(sequences: readonly number[]): Promise<T | undefined> {
    for (const sequence of sequences) {
      const key = this.#key(sequence);
      const stored = this.#format.decode(await this.#objects.get(key));
      if (typeof stored !== 'string' && stored.sequence === sequence) return stored;
      const reason = typeof stored === 'string' ? stored : 'file has the name of another sequence';
      this.#log.warn(`a checkpoint of the ${this.#format.what} cannot be used`, { path: this.#objects.locate(key), reason });
    }
    return undefined;
  }

  /** Durable when it resolves. */
  async write(state: T): Promise<void> {
    try {
      await this.#objects.put(this.#key(state.sequence), this.#format.encode(state), 'create');
    } catch (error) {
      if (!(error instanceof ObjectStoreError && error.code === 'EXISTS')) throw error; // by an attempt whose answer was lost
    }
  }

  /** Deletes those of lower numbers. */
  async removeBefore(sequence: number): Promise<void> {
    const old = (await this.sequences()).filter((found) => found < sequence);
    await this.#objects.delete(old.map((found) => this.#key(found)));
  }

  #key(sequence: number): string {
    return this.#format.folder + invertedSequence(sequence) + this.#format.suffix;
  }
}

/** 20 digits, so that the newest sorts first. */
export function invertedSequence(sequence: number): string {
  return (SEQUENCE_MAX - BigInt(sequence)).toString().padStart(20, '0');
}

/** The sequence of `invertedSequence`. */
export function sequenceOfInverted(digits: string): number {
  return Number(SEQUENCE_MAX - BigInt(digits));
}
