/** Longest text of one number or timestamp that the writers below emit, bytes. */
const CELL_BYTES_MAX = 64;

/** Room that a sink begins with, bytes. */
const FIRST_BYTES = 8 * 1024;

const NO_BYTES = Buffer.alloc(0);

/** Strings up to this length are copied character by character; longer ones pay for a native call. */
const SHORT_STRING_MAX = 24;

/**
 * A growing byte buffer with writers for ASCII. The result path lives on it: no strings are made for numbers and times.
 * `take` hands the bytes over and starts anew.
 */
export class TextSink {
  bytes: Buffer;
  length = 0;
  /** Size of the next buffer: most answers are small, and memory outside of the heap makes the collector run. */
  #capacity: number;

  constructor(capacity = FIRST_BYTES) {
    this.#capacity = capacity;
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    this.#capacity = Math.max(this.bytes.length * 2, this.length + count, this.#capacity);
    const grown = Buffer.allocUnsafeSlow(this.#capacity);
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  /** Room for any cell that is not a string. */
  reserveCell(): void {
    if (this.length + CELL_BYTES_MAX > this.bytes.length) this.reserve(CELL_BYTES_MAX);
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Appends text that is known to be ASCII. */
  ascii(text: string): void {
    const size = text.length;
    if (this.length + size > this.bytes.length) this.reserve(size);
    if (size > SHORT_STRING_MAX) {
      this.length += this.bytes.write(text, this.length, size, 'latin1');
      return;
    }
    const bytes = this.bytes;
    let at = this.length;
    for (let i = 0; i < size; i++) bytes[at++] = text.charCodeAt(i);
    this.length = at;
  }

  /** Appends any text as UTF-8. */
  utf8(text: string): void {
    const size = text.length;
    this.reserve(size * 3);
    if (size > SHORT_STRING_MAX) {
      this.length += this.bytes.write(text, this.length);
      return;
    }
    const bytes = this.bytes;
    let at = this.length;
    for (let i = 0; i < size; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.length += this.bytes.write(text, this.length);
        return;
      }
      bytes[at++] = code;
    }
    this.length = at;
  }

  append(source: Uint8Array): void {
    const size = source.length;
    if (this.length + size > this.bytes.length) this.reserve(size);
    if (size > SHORT_STRING_MAX) {
      this.bytes.set(source, this.length);
      this.length += size;
      return;
    }
    const bytes = this.bytes;
    let at = this.length;
    for (let i = 0; i < size; i++) bytes[at++] = source[i] as number;
    this.length = at;
  }

  /** The bytes so far; the sink goes on with a fresh buffer, when it needs one. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = NO_BYTES;
    this.length = 0;
    return taken;
  }
}
