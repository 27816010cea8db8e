import type { ResultType, ResultVector } from '../../query/result.ts';
import type { CodedTexts } from './coded-texts.ts';

/** Bytes of rows in a record batch, without what stands once for each column (`columnBytesMax`); never too few. */
export function vectorBytes(vector: ResultVector, from: number, to: number, codes: CodedTexts): number {
  const rows = to - from;
  /** Which rows are null, and the incomplete byte at the seam. */
  const bits = (rows >> 3) + 1;
  switch (vector.kind) {
    case 'string':
    case 'binary':
      return bits + rows * 4 + (vector.offsets[to] as number) - (vector.offsets[from] as number);
    case 'coded':
      return bits + rows * 4 + codes.bytes(vector, from, to);
    case 'list':
      return bits + rows * 4 + vectorBytes(vector.item, vector.offsets[from] as number, vector.offsets[to] as number, codes);
    case 'map': {
      const [first, end] = [vector.offsets[from] as number, vector.offsets[to] as number];
      return bits + rows * 4 + vectorBytes(vector.key, first, end, codes) + vectorBytes(vector.value, first, end, codes);
    }
    case 'struct':
      return bits + vector.members.reduce((sum, member) => sum + vectorBytes(member, from, to, codes), 0);
    case 'interval':
    case 'decimal':
    case 'hugeint':
      return bits + rows * 16;
    case 'boolean':
      return bits * 2;
    case 'null':
      return 0;
    default:
      return bits + vector.data.BYTES_PER_ELEMENT * rows;
  }
}

/** Padding of up to three buffers, one offset more than rows, and what a text may be written over its end. */
const COLUMN_BYTES = 3 * 7 + 4 + 3;

/** Bytes that stand once in a record batch for a column and the columns inside it, at most. */
export function columnBytesMax(type: ResultType): number {
  switch (type.kind) {
    case 'list':
      return COLUMN_BYTES + columnBytesMax(type.item);
    case 'map':
      return COLUMN_BYTES * 2 + columnBytesMax(type.key) + columnBytesMax(type.value);
    case 'struct':
      return COLUMN_BYTES + type.members.reduce((sum, member) => sum + columnBytesMax(member.type), 0);
    default:
      return COLUMN_BYTES;
  }
}
