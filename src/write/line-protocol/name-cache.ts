import { KeyTable } from './key-table.ts';

const NAMES_MAX = 4096;
const NAME_BYTES_MAX = 64;

/** Decodes names, which repeat from line to line, keeping the strings of short ones. */
export class NameCache {
  #keys = new KeyTable();
  #names: string[] = [];

  /** The text of `bytes[start, end)`. */
  decode(bytes: Buffer, start: number, end: number): string {
    if (end - start > NAME_BYTES_MAX) return bytes.toString('utf8', start, end);
    const known = this.#keys.get(bytes, start, end);
    if (known >= 0) return this.#names[known] as string;
    if (this.#names.length === NAMES_MAX) {
      this.#keys = new KeyTable();
      this.#names = [];
    }
    const name = bytes.toString('utf8', start, end);
    this.#keys.set(Uint8Array.prototype.slice.call(bytes, start, end), this.#names.length);
    this.#names.push(name);
    return name;
  }
}
