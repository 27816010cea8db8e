/** Memory that is kept for the next messages, pieces. */
const KEPT_MAX = 3;

/** Messages of a result are about as large as each other: memory is taken in steps of this, bytes. */
const STEP_BYTES = 256 * 1024;

/**
 * Memory for the messages of one result. Each piece belongs to one message from `take` until `give`, which is called when the
 * socket has written it; what is not given back is left to the collector.
 */
export class MessageMemory {
  readonly #kept: Buffer[] = [];

  /** At least so many bytes, of whatever content. */
  take(bytes: number): Buffer {
    const index = this.#kept.findIndex((memory) => memory.length >= bytes);
    if (index >= 0) return this.#kept.splice(index, 1)[0] as Buffer;
    this.#kept.shift(); // too small
    return Buffer.allocUnsafeSlow(bytes < STEP_BYTES ? bytes : Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
  }

  give(memory: Buffer): void {
    if (this.#kept.length < KEPT_MAX) this.#kept.push(memory);
  }
}
