/** Buffers of a record batch begin at multiples of this, bytes. */
const ALIGNMENT = 8;

/** Room that a body begins with, bytes. */
const FIRST_BYTES = 16 * 1024;

/** Place and length of each buffer, and rows and nulls of each column, in the order of Arrow's layout. */
export interface BodyLayout {
  readonly nodes: readonly number[];
  readonly regions: readonly number[];
}

/** A body where it stands in memory. */
export interface WrittenBody extends BodyLayout {
  readonly body: Buffer;
  /** The memory that the writer was made with, or larger one when that did not do. What stands before the body is kept. */
  readonly memory: Buffer;
}

/**
 * Collects the buffers of one record batch, one after the other, in memory that is owned by the writer until `finish` hands it
 * over.
 */
export class BodyWriter {
  bytes: Buffer;
  /** The same memory. */
  view: DataView;
  readonly #base: number;
  /** In `bytes`. */
  #end: number;
  #start: number;
  readonly #nodes: number[] = [];
  readonly #regions: number[] = [];

  /** `base`: where the body begins in the memory, a multiple of 8. Memory that is too small is replaced. */
  constructor(memory: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES), base = 0) {
    this.bytes = memory;
    this.view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    this.#base = this.#end = this.#start = base;
  }

  /** A column of `length` rows, `nulls` of which are null, follows. */
  node(length: number, nulls: number): void {
    this.#nodes.push(length, nulls);
  }

  /** Begins a buffer; what `take` gives until the next one belongs to it. */
  begin(): void {
    const start = Math.ceil(this.#end / ALIGNMENT) * ALIGNMENT;
    this.#reserve(start - this.#end);
    for (let at = this.#end; at < start; at++) this.bytes[at] = 0;
    this.#start = this.#end = start;
  }

  /** Room of `size` bytes; they are not zeroed. Valid until the next call. `spare` bytes behind may be written too, until then. */
  take(size: number, spare = 0): number {
    this.#reserve(size + spare);
    const at = this.#end;
    this.#end += size;
    return at;
  }

  end(): void {
    this.#regions.push(this.#start - this.#base, this.#end - this.#start);
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
  finish(): WrittenBody {
    this.begin();
    return { nodes: this.#nodes, regions: this.#regions, body: this.bytes.subarray(this.#base, this.#end), memory: this.bytes };
  }

  #reserve(size: number): void {
    const needed = this.#end + size;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.#end);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}
