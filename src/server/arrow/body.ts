/** Buffers of a record batch begin at multiples of this, bytes. */
const ALIGNMENT = 8;

/** Room that a body begins with, bytes. */
const FIRST_BYTES = 16 * 1024;

/** Place and length of each buffer, and rows and nulls of each column, in the order of Arrow's layout. */
export interface BodyLayout {
  readonly nodes: readonly number[];
  readonly regions: readonly number[];
}

/** Collects the buffers of one record batch, one after the other, in memory that is handed over at the end. */
export class BodyWriter {
  bytes: Buffer;
  #length = 0;
  #start = 0;
  readonly #nodes: number[] = [];
  readonly #regions: number[] = [];

  /** `capacity`: bytes that are expected. */
  constructor(capacity = FIRST_BYTES) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** A column of `length` rows, `nulls` of which are null, follows. */
  node(length: number, nulls: number): void {
    this.#nodes.push(length, nulls);
  }

  /** Begins a buffer; what `take` gives until the next one belongs to it. */
  begin(): void {
    const start = Math.ceil(this.#length / ALIGNMENT) * ALIGNMENT;
    this.#reserve(start - this.#length);
    this.bytes.fill(0, this.#length, start);
    this.#start = this.#length = start;
  }

  /** Room of `size` bytes; they are not zeroed. Valid until the next call. */
  take(size: number): number {
    this.#reserve(size);
    const at = this.#length;
    this.#length += size;
    return at;
  }

  end(): void {
    this.#regions.push(this.#start, this.#length - this.#start);
  }

  /** A whole buffer. */
  buffer(source: Uint8Array): void {
    this.begin();
    this.append(source);
    this.end();
  }

  append(source: Uint8Array): void {
    const at = this.take(source.byteLength);
    this.bytes.set(source, at);
  }

  /** Place and length of the buffers, rows and nulls of the columns, and the bytes; the writer is used up. */
  finish(): BodyLayout & { readonly body: Buffer } {
    this.begin();
    return { nodes: this.#nodes, regions: this.#regions, body: this.bytes.subarray(0, this.#length) };
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.#length);
    this.bytes = grown;
  }
}
