/** Smaller bodies are not worth it: they mostly come as one piece and are used as they came. */
const BODY_BYTES_MIN = 64 * 1024;

/** Pieces are cut to multiples of this, so that bodies of about one size fit into each other's. */
const STEP_BYTES = 256 * 1024;

/** Memory kept for bodies to come. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;

/** Bytes of bodies after which the young garbage is collected. */
const COLLECT_BYTES = 8 * 1024 * 1024;

/**
 * Memory of large request bodies, used again and again. V8 counts the memory of every piece of a body, and would
 * answer a fast client with ten full garbage collections a second, a quarter of the server's work. With the bodies
 * themselves out of its sight and the pieces collected while they are young, there are next to none.
 *
 * Shared by: all writes over HTTP. Safe because a piece of memory is either kept or lent, never both: `take` removes it from
 * what is kept before it is filled, and only `give` puts it back, once, when the write that it was lent to is settled
 * (`withBody`) or its body is unzipped. Memory of a body that was cut is never given back. Bodies below 64 KiB have memory of
 * their own.
 */
export class BodyMemory {
  readonly #collectYoung: () => void;
  readonly #lent = new WeakSet<ArrayBufferLike>();
  #kept: ArrayBuffer[] = [];
  #keptBytes = 0;
  #received = 0;

  /** @param collectYoung collects what was allocated last and is garbage already */
  constructor(collectYoung: () => void) {
    this.#collectYoung = collectYoung;
  }

  /** Bytes that wait for the next body. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Memory for a body of `byteLength` bytes; its content is undefined. */
  take(byteLength: number): Buffer {
    if (byteLength < BODY_BYTES_MIN) return Buffer.allocUnsafeSlow(byteLength);
    const kept = this.#kept.findIndex((memory) => memory.byteLength >= byteLength);
    const [found] = kept < 0 ? [] : this.#kept.splice(kept, 1);
    if (found !== undefined) this.#keptBytes -= found.byteLength;
    const memory = found ?? Buffer.allocUnsafeSlow(Math.ceil(byteLength / STEP_BYTES) * STEP_BYTES).buffer;
    this.#lent.add(memory);
    return Buffer.from(memory, 0, byteLength);
  }

  /** Takes memory back: nothing may look at the body any more. Bodies that did not come from `take` are left alone. */
  give(body: Buffer): void {
    const memory = body.buffer;
    if (!(memory instanceof ArrayBuffer) || !this.#lent.delete(memory)) return;
    this.#kept.push(memory);
    this.#keptBytes += memory.byteLength;
    this.#kept.sort((a, b) => a.byteLength - b.byteLength);
    // The smallest fit the fewest bodies.
    while (this.#keptBytes > KEPT_BYTES_MAX) this.#keptBytes -= this.#kept.shift()?.byteLength ?? 0;
  }

  /** Notes that a body has arrived, whose pieces are garbage now. */
  arrived(byteLength: number): void {
    this.#received += byteLength;
    if (this.#received < COLLECT_BYTES) return;
    this.#received = 0;
    this.#collectYoung();
  }
}
