const FIRST_SLOTS = 32;

/** A small map from byte strings to numbers, open addressing; keys are looked up straight in the body. */
export class KeyTable {
  readonly #keys: Uint8Array[] = [];
  readonly #values: number[] = [];
  #hashes = new Int32Array(FIRST_SLOTS);
  /** Key index + 1, 0 = free; at most half full. */
  #slots = new Int32Array(FIRST_SLOTS);

  /** The value of the key `bytes[start, end)`, -1 when it is not there. */
  get(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashOf(bytes, start, end);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = this.#slots[slot] as number;
      if (found === 0) return -1;
      if (this.#hashes[slot] === hash && equal(this.#keys[found - 1] as Uint8Array, bytes, start, end)) {
        return this.#values[found - 1] as number;
      }
    }
  }

  /** Sets the value of a key, which must stay as it is. */
  set(key: Uint8Array, value: number): void {
    const hash = hashOf(key, 0, key.length);
    const slot = this.#slotOf(hash, key);
    const found = this.#slots[slot] as number;
    if (found !== 0) {
      this.#values[found - 1] = value;
      return;
    }
    this.#keys.push(key);
    this.#values.push(value);
    this.#slots[slot] = this.#keys.length;
    this.#hashes[slot] = hash;
    if (this.#keys.length * 2 > this.#slots.length) this.#grow();
  }

  #slotOf(hash: number, key: Uint8Array): number {
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (let found = this.#slots[slot] as number; found !== 0; found = this.#slots[slot] as number) {
      if (this.#hashes[slot] === hash && equal(this.#keys[found - 1] as Uint8Array, key, 0, key.length)) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    this.#slots = new Int32Array(this.#slots.length * 2);
    this.#hashes = new Int32Array(this.#slots.length);
    this.#keys.forEach((key, index) => {
      const hash = hashOf(key, 0, key.length);
      const slot = this.#slotOf(hash, key);
      this.#slots[slot] = index + 1;
      this.#hashes[slot] = hash;
    });
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}

function equal(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}
