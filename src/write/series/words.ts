/** True where the lowest byte of a word comes first, which is every platform we ship for; kept right for the others. */
export const LITTLE_ENDIAN: boolean = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** Bits of a word that belong to the first n bytes, n = 1, 2, 3 (index 0: none). */
export const WORD_MASKS: Int32Array = LITTLE_ENDIAN
  ? Int32Array.of(0, 0xff, 0xffff, 0xffffff)
  : Int32Array.of(0, 0xff000000 | 0, 0xffff0000 | 0, 0xffffff00 | 0);

/** The 1 to 3 bytes of `bytes[at, end)` as the word that an arena holds for them: zero padded. */
export function partialWord(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let i = at; i < end; i++) {
    const shift = LITTLE_ENDIAN ? (i - at) << 3 : 24 - ((i - at) << 3);
    word |= (bytes[i] as number) << shift;
  }
  return word;
}

/** Mixes one word into a running hash. */
export function mixWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
