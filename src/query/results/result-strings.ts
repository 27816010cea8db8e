import type { DuckDBValue, DuckDBVector } from '@duckdb/node-api';
import { LongStrings } from './result-long-strings.ts';
import { TEXT_BYTES_MAX, TEXTS_AT_ONCE_BYTES_MAX, textTooLong } from './result-size.ts';
import { rawVector, validBits } from './result-vector.ts';

/** Bytes of one string header: length, then 12 bytes of text, or a prefix and a pointer. */
const HEADER_BYTES = 16;
const INLINE_BYTES_MAX = 12;

/** Slots of the cache of strings already made; a power of two. */
const CACHE_SLOTS = 256;

/**
 * Reads the texts of a VARCHAR vector. Equal headers mean equal strings within a chunk, so repeated values, such as tags,
 * become one JS string; short ones are decoded without asking the binding. Throws SQL_MEMORY when a text is too long.
 * @param owner what the vector's memory belongs to; kept for as long as the texts must be read from it
 */
export function stringReader(vector: DuckDBVector<DuckDBValue>, owner: object, bytesMax = TEXT_BYTES_MAX): (row: number) => string | null {
  const raw = rawVector(vector);
  const view = raw.dataView;
  if (view === undefined || view.byteOffset % 4 !== 0) return oneByOne(vector, owner);
  const valid = validBits(raw);
  const words = new Uint32Array(view.buffer, view.byteOffset, view.byteLength >> 2);
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  const isNull = (row: number): boolean => valid !== undefined && ((valid[row >> 3] ?? 0) & (1 << (row & 7))) === 0;
  if (textBytes(words, isNull, bytesMax) > TEXTS_AT_ONCE_BYTES_MAX) return oneByOne(vector, owner);
  // Long texts live in memory of the chunk: copied now, they do not depend on how long it lives.
  const longTexts = new LongStrings(view.buffer as ArrayBuffer, view.byteOffset, longRows(words, isNull));
  const cache = new HeaderCache();
  return (row) => {
    if (isNull(row)) return null;
    const at = row * 4;
    const slot = cache.slot(words, at);
    const known = cache.get(slot, words, at);
    if (known !== undefined) return known;
    const size = words[at] as number;
    const start = row * HEADER_BYTES + 4;
    const text = size <= INLINE_BYTES_MAX ? bytes.toString('utf8', start, start + size) : longTexts.text(row);
    cache.set(slot, words, at, text);
    return text;
  };
}

function oneByOne(vector: DuckDBVector<DuckDBValue>, owner: object): (row: number) => string | null {
  const kept = { vector, owner };
  return (row) => kept.vector.getItem(row) as string | null;
}

function longRows(words: Uint32Array, isNull: (row: number) => boolean): number[] {
  const rows: number[] = [];
  for (let row = 0; row * 4 < words.length; row++) if ((words[row * 4] as number) > INLINE_BYTES_MAX && !isNull(row)) rows.push(row);
  return rows;
}

/** Sum over all texts that live outside of their headers. */
function textBytes(words: Uint32Array, isNull: (row: number) => boolean, bytesMax: number): number {
  let sum = 0;
  for (let at = 0; at < words.length; at += 4) {
    const size = words[at] as number;
    if (size <= INLINE_BYTES_MAX || isNull(at >> 2)) continue;
    if (size > bytesMax) throw textTooLong(size, bytesMax);
    sum += size;
  }
  return sum;
}

/** Direct-mapped cache from the four words of a string header to the string. */
class HeaderCache {
  readonly #words = new Uint32Array(CACHE_SLOTS * 4);
  readonly #texts: (string | undefined)[] = new Array<string | undefined>(CACHE_SLOTS);

  slot(words: Uint32Array, at: number): number {
    let hash = Math.imul((words[at] as number) ^ Math.imul(words[at + 1] as number, 0x9e3779b1), 0x85ebca6b);
    hash = Math.imul(hash ^ (words[at + 2] as number), 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15) ^ (words[at + 3] as number), 0x27d4eb2f);
    return (hash ^ (hash >>> 16)) & (CACHE_SLOTS - 1);
  }

  get(slot: number, words: Uint32Array, at: number): string | undefined {
    const own = this.#words;
    const base = slot * 4;
    const isEqual =
      own[base] === words[at] && own[base + 1] === words[at + 1] && own[base + 2] === words[at + 2] && own[base + 3] === words[at + 3];
    return isEqual ? this.#texts[slot] : undefined;
  }

  set(slot: number, words: Uint32Array, at: number, text: string): void {
    for (let i = 0; i < 4; i++) this.#words[slot * 4 + i] = words[at + i] as number;
    this.#texts[slot] = text;
  }
}
