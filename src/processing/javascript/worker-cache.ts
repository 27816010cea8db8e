import type { CacheEntry } from './messages.ts';

interface Held {
  readonly value: unknown;
  readonly expiresMs: number | undefined;
}

const SWEEP_MS = 10_000;

/** Values of dry runs without a time to live go after this. */
const TEST_TTL_MS = 30 * 60_000;

/** Values that a plugin keeps from one call to the next, by reference, one set for each cache name. */
export class WorkerCache {
  readonly #caches = new Map<string, Map<string, Held>>();
  readonly #nowMs: () => number;
  #sweptMs = 0;

  constructor(nowMs: () => number, entries: readonly CacheEntry[] = []) {
    this.#nowMs = nowMs;
    for (const { cacheName, key, value, expiresMs } of entries) this.#named(cacheName).set(key, { value, expiresMs });
  }

  put(cacheName: string, key: string, value: unknown, ttlMs: number | undefined): void {
    this.#sweep();
    const lifeMs = ttlMs ?? (cacheName === '' ? undefined : TEST_TTL_MS);
    this.#named(cacheName).set(key, { value, expiresMs: lifeMs === undefined ? undefined : this.#nowMs() + lifeMs });
  }

  get(cacheName: string, key: string): unknown {
    this.#sweep();
    const held = this.#named(cacheName).get(key);
    return held === undefined || this.#isExpired(held) ? undefined : held.value;
  }

  delete(cacheName: string, key: string): boolean {
    return this.#named(cacheName).delete(key);
  }

  /** What a next worker begins with. Values that cannot be copied are left out. */
  export(): CacheEntry[] {
    const entries: CacheEntry[] = [];
    for (const [cacheName, cache] of this.#caches) {
      for (const [key, { value, expiresMs }] of cache) {
        try {
          entries.push({ cacheName, key, value: structuredClone(value), expiresMs });
        } catch {
          // functions, sockets and the like belong to the worker that made them
        }
      }
    }
    return entries;
  }

  #named(cacheName: string): Map<string, Held> {
    let cache = this.#caches.get(cacheName);
    if (cache === undefined) {
      cache = new Map();
      this.#caches.set(cacheName, cache);
    }
    return cache;
  }

  #isExpired({ expiresMs }: Held): boolean {
    return expiresMs !== undefined && expiresMs <= this.#nowMs();
  }

  #sweep(): void {
    if (this.#nowMs() - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = this.#nowMs();
    for (const cache of this.#caches.values()) for (const [key, held] of cache) if (this.#isExpired(held)) cache.delete(key);
  }
}
