import type { Clock } from '../../shared/clock.ts';
import type { SharedCache } from './plugin-host.ts';

interface Held {
  readonly value: Uint8Array;
  readonly expiresMs: number | undefined;
}

/** Memory of the values of all plugins together; whoever would pass it hears of it. */
const BYTES_MAX = 256 * 1024 * 1024;

const SWEEP_MS = 10_000;

/** Values that plugins of all triggers share, in the form of their language. */
export class ServerCache implements SharedCache {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #bytesMax: number;
  readonly #values = new Map<string, Held>();
  #bytes = 0;
  #sweptMs = 0;

  constructor(clock: Pick<Clock, 'nowMs'>, bytesMax = BYTES_MAX) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
  }

  /** Throws when the cache is full. */
  put(key: string, value: Uint8Array, ttlMs: number | undefined): void {
    this.#sweep();
    const held = this.#values.get(key);
    const bytes = this.#bytes + value.length - (held?.value.length ?? 0);
    if (bytes > this.#bytesMax) throw new Error(`the global cache is full (${this.#bytesMax} bytes)`);
    this.#bytes = bytes;
    this.#values.set(key, { value, expiresMs: ttlMs === undefined ? undefined : this.#clock.nowMs() + ttlMs });
  }

  get(key: string): Uint8Array | undefined {
    this.#sweep();
    const held = this.#values.get(key);
    return held === undefined || this.#isExpired(held) ? undefined : held.value;
  }

  delete(key: string): boolean {
    const held = this.#values.get(key);
    if (held === undefined) return false;
    this.#bytes -= held.value.length;
    return this.#values.delete(key);
  }

  #isExpired({ expiresMs }: Held): boolean {
    return expiresMs !== undefined && expiresMs <= this.#clock.nowMs();
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = nowMs;
    for (const [key, held] of this.#values) if (this.#isExpired(held)) this.delete(key);
  }
}
