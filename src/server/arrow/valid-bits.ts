import type { ValidBits } from '../../query/result.ts';
import type { BodyWriter } from './body.ts';

/** Rows `from .. to` of a part of a column. */
export interface BitRange {
  readonly bits: ValidBits;
  readonly from: number;
  readonly to: number;
}

/** Number of bits that are not set. */
export function nullCount({ bits, from, to }: BitRange): number {
  if (bits === undefined) return 0;
  let nulls = 0;
  let row = from;
  while (row < to) {
    if ((row & 7) === 0 && row + 8 <= to) {
      nulls += ZEROS[bits[row >> 3] as number] as number;
      row += 8;
    } else {
      nulls += 1 - (((bits[row >> 3] as number) >> (row & 7)) & 1);
      row++;
    }
  }
  return nulls;
}

/** Zero bits of each byte. */
const ZEROS = Uint8Array.from({ length: 256 }, (_, byte) => {
  let zeros = 8;
  for (let rest = byte; rest > 0; rest >>= 1) zeros -= rest & 1;
  return zeros;
});

/** Writes the bitmaps of parts, one after the other, as a buffer. */
export function writeBits(body: BodyWriter, ranges: readonly BitRange[], length: number): void {
  body.begin();
  const size = (length + 7) >> 3;
  const at = body.take(size);
  body.bytes.fill(0, at, at + size);
  let row = 0;
  for (const range of ranges) {
    copyBits(body.bytes, at, row, range);
    row += range.to - range.from;
  }
  body.end();
}

function copyBits(target: Uint8Array, at: number, row: number, { bits, from, to }: BitRange): void {
  const count = to - from;
  if ((row & 7) === 0 && (bits === undefined || (from & 7) === 0)) {
    // The bits behind the last row are written over by the next part, or mean nothing.
    const first = at + (row >> 3);
    if (bits === undefined) target.fill(0xff, first, first + ((count + 7) >> 3));
    else target.set(bits.subarray(from >> 3, (to + 7) >> 3), first);
    if ((count & 7) !== 0) {
      const last = at + ((row + count) >> 3);
      target[last] = (target[last] as number) & ((1 << (count & 7)) - 1);
    }
    return;
  }
  for (let i = 0; i < count; i++) {
    const source = from + i;
    if (bits !== undefined && (((bits[source >> 3] as number) >> (source & 7)) & 1) === 0) continue;
    const place = at + ((row + i) >> 3);
    target[place] = (target[place] as number) | (1 << ((row + i) & 7));
  }
}
