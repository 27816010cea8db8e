import { ObjectStoreError, type PutCondition } from '../../src/storage/index.ts';
import { deferred } from './deferred.ts';
import { MemoryObjectStore } from './memory-object-store.ts';

/** What all clients of a bucket share. */
export interface StormyWorld {
  readonly objects: MemoryObjectStore;
  /** During the life of which server each object was written. */
  readonly writtenIn: Map<string, number>;
  life: number;
  operations: number;
  /** From 0 to 1. */
  random(): number;
}

const ATTEMPTS_MAX = 10;

/** A client of a bucket that loses requests and answers, gets 503 for a while now and then, and can be frozen. */
export class StormyBucket extends MemoryObjectStore {
  readonly #world: StormyWorld;
  #frozen: Promise<void> | undefined;
  #thaw: () => void = () => undefined;
  /** Share of the operations that fail. */
  trouble = 0;

  constructor(world: StormyWorld) {
    super(world.objects);
    this.#world = world;
  }

  /** Every operation that begins from now on waits for `thaw`; one that is under way still takes place. */
  freeze(): void {
    const thawed = deferred<void>();
    this.#frozen = thawed.promise;
    this.#thaw = () => thawed.resolve();
  }

  thaw(): void {
    this.#frozen = undefined;
    this.#thaw();
  }

  override put(key: string, bytes: Uint8Array, condition: PutCondition): Promise<void> {
    const own = Uint8Array.from(bytes);
    const put = async (): Promise<void> => {
      await super.put(key, own, condition);
      this.#world.writtenIn.set(key, this.#world.life);
    };
    return condition === 'create' ? this.#step(put) : this.#repeated(put);
  }

  override get(key: string): Promise<Uint8Array> {
    return this.#repeated(() => super.get(key));
  }

  override getRange(key: string, start: number, length: number): Promise<Uint8Array> {
    return this.#repeated(() => super.getRange(key, start, length));
  }

  override head(key: string): Promise<{ readonly sizeBytes: number }> {
    return this.#repeated(() => super.head(key));
  }

  override async *list(prefix: string, startAfter?: string): AsyncGenerator<string> {
    const keys: string[] = [];
    await this.#repeated(async () => {
      keys.length = 0;
      for await (const key of super.list(prefix, startAfter)) keys.push(key);
    });
    yield* keys;
  }

  override delete(keys: readonly string[]): Promise<void> {
    return this.#repeated(() => super.delete(keys));
  }

  /** As the stores of services do with everything but puts that create. */
  async #repeated<T>(operation: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#step(operation);
      } catch (error) {
        if (!(error instanceof ObjectStoreError && error.code === 'UNAVAILABLE') || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  async #step<T>(operation: () => Promise<T>): Promise<T> {
    await this.#pause();
    const lost = this.#world.random() < this.trouble;
    if (lost && this.#world.random() < 0.5) throw new ObjectStoreError('UNAVAILABLE', 'the request was lost');
    this.#world.operations++;
    const result = await operation();
    await this.#pause();
    if (lost) throw new ObjectStoreError('UNAVAILABLE', 'the answer was lost');
    return result;
  }

  /** Some turns of the event loop, so that what others do comes between; and as long as it is frozen. */
  async #pause(): Promise<void> {
    for (let turns = Math.floor(this.#world.random() * 3); turns > 0; turns--) await new Promise(setImmediate);
    while (this.#frozen !== undefined) await this.#frozen;
  }
}
