import { isUtf8 } from 'node:buffer';
import { bodyNotUtf8 } from '../response/errors.ts';

/** Throws a 400 (docs/errors.md) unless the bytes are UTF-8. */
export function requireUtf8(body: Uint8Array): void {
  if (!isUtf8(body)) throw bodyNotUtf8(describeBadUtf8(body));
}

/** Where and how the bytes stop being UTF-8, in InfluxDB 3 Core's words. Only for bytes that are not UTF-8. */
function describeBadUtf8(bytes: Uint8Array): string {
  let index = 0;
  while (index < bytes.length) {
    const length = sequenceLength(bytes, index);
    if (length <= 0) {
      return length === 0
        ? `incomplete utf-8 byte sequence from index ${index}`
        : `invalid utf-8 sequence of ${-length} bytes from index ${index}`;
    }
    index += length;
  }
  return 'invalid utf-8 sequence';
}

/** Bytes of the character at `index`; 0 = cut off by the end; negative = that many bytes are wrong. */
function sequenceLength(bytes: Uint8Array, index: number): number {
  const first = bytes[index] ?? 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return -1;
  const need = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (let k = 1; k < need; k++) {
    const next = bytes[index + k];
    if (next === undefined) return 0;
    if (!isContinuation(first, k, next)) return -k;
  }
  return need;
}

function isContinuation(first: number, position: number, byte: number): boolean {
  if (byte < 0x80 || byte > 0xbf) return false;
  if (position > 1) return true;
  if (first === 0xe0) return byte >= 0xa0;
  if (first === 0xed) return byte <= 0x9f;
  if (first === 0xf0) return byte >= 0x90;
  if (first === 0xf4) return byte <= 0x8f;
  return true;
}
