import { readFile } from 'node:fs/promises';
import {
  type BucketStore,
  isObjectKey,
  type ObjectEntry,
  ObjectStoreError,
  type PutCondition,
  RequestCounts,
} from '../../src/storage/index.ts';

/** Objects in memory, for rules that need neither disk nor network. A test can lose requests and answers. */
export class MemoryObjectStore implements BucketStore {
  readonly requests = new RequestCounts();
  readonly #objects: Map<string, Uint8Array>;
  /** When objects were written, as lists tell it. */
  modifiedMs: (key: string) => number | undefined = () => undefined;
  /** Asked before a put takes place: `request` = it never arrives, `answer` = it takes place, but nobody hears of it. */
  lost: (key: string) => 'request' | 'answer' | undefined = () => undefined;

  /** @param beside a store that holds the same objects: another client of the same bucket */
  constructor(beside?: MemoryObjectStore) {
    this.#objects = beside === undefined ? new Map() : beside.#objects;
  }

  /** All that is there at this moment. */
  get all(): ReadonlyMap<string, Uint8Array> {
    return this.#objects;
  }

  async put(key: string, bytes: Uint8Array, condition: PutCondition): Promise<void> {
    if (!isObjectKey(key)) throw new Error(`internal error: '${key}' is no key of an object`);
    const lost = this.lost(key);
    if (lost === 'request') throw new ObjectStoreError('UNAVAILABLE', 'the request was lost');
    if (condition === 'create' && this.#objects.has(key)) throw new ObjectStoreError('EXISTS', `'${key}' is there`);
    this.#objects.set(key, Uint8Array.from(bytes));
    if (lost === 'answer') throw new ObjectStoreError('UNAVAILABLE', 'the answer was lost');
  }

  async get(key: string): Promise<Uint8Array> {
    return Uint8Array.from(this.#found(key));
  }

  async getRange(key: string, start: number, length: number): Promise<Uint8Array> {
    return Uint8Array.from(this.#found(key).subarray(start, start + length));
  }

  async head(key: string): Promise<{ readonly sizeBytes: number }> {
    return { sizeBytes: this.#found(key).byteLength };
  }

  async *list(prefix: string, startAfter = ''): AsyncGenerator<string> {
    for (const key of [...this.#objects.keys()].sort()) if (key.startsWith(prefix) && key > startAfter) yield key;
  }

  async *entries(prefix: string, startAfter?: string): AsyncGenerator<ObjectEntry> {
    for await (const key of this.list(prefix, startAfter)) {
      yield { key, sizeBytes: this.#found(key).byteLength, modifiedMs: this.modifiedMs(key) };
    }
  }

  async putFile(key: string, path: string): Promise<void> {
    await this.put(key, await readFile(path), 'overwrite');
  }

  close(): void {}

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#objects.delete(key);
  }

  async move(from: string, to: string): Promise<void> {
    this.#objects.set(to, this.#found(from));
    this.#objects.delete(from);
  }

  async prepare(): Promise<void> {}

  locate(key: string): string {
    return `memory:${key}`;
  }

  #found(key: string): Uint8Array {
    const bytes = this.#objects.get(key);
    if (bytes === undefined) throw new ObjectStoreError('NOT_FOUND', `'${key}' is not there`);
    return bytes;
  }
}
