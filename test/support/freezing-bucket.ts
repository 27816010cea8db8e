import type { PutCondition } from '../../src/storage/index.ts';
import { type Deferred, deferred } from './deferred.ts';
import { MemoryObjectStore } from './memory-object-store.ts';

/** A bucket whose client freezes at its nth operation, before or after it takes place, and goes on when it is told to. */
export class FreezingBucket extends MemoryObjectStore {
  operations = 0;
  readonly frozen: Deferred<void> = deferred();
  readonly #thawed: Deferred<void> = deferred();
  readonly #at: number;
  readonly #when: 'before' | 'after';

  /** @param at number of the operation, from 1 */
  constructor(beside: MemoryObjectStore, at = Number.POSITIVE_INFINITY, when: 'before' | 'after' = 'before') {
    super(beside);
    this.#at = at;
    this.#when = when;
  }

  thaw(): void {
    this.#thawed.resolve();
  }

  override put(key: string, bytes: Uint8Array, condition: PutCondition): Promise<void> {
    const own = Uint8Array.from(bytes);
    return this.#step(() => super.put(key, own, condition));
  }

  override get(key: string): Promise<Uint8Array> {
    return this.#step(() => super.get(key));
  }

  override getRange(key: string, start: number, length: number): Promise<Uint8Array> {
    return this.#step(() => super.getRange(key, start, length));
  }

  override head(key: string): Promise<{ readonly sizeBytes: number }> {
    return this.#step(() => super.head(key));
  }

  override async *list(prefix: string, startAfter?: string): AsyncGenerator<string> {
    const keys: string[] = [];
    await this.#step(async () => {
      for await (const key of super.list(prefix, startAfter)) keys.push(key);
    });
    yield* keys;
  }

  override delete(keys: readonly string[]): Promise<void> {
    return this.#step(() => super.delete(keys));
  }

  async #step<T>(operation: () => Promise<T>): Promise<T> {
    const number = ++this.operations;
    if (number >= this.#at) this.frozen.resolve();
    const isFrozen = number >= this.#at;
    if (isFrozen && (this.#when === 'before' || number > this.#at)) await this.#thawed.promise;
    const result = await operation();
    if (isFrozen) await this.#thawed.promise;
    return result;
  }
}
