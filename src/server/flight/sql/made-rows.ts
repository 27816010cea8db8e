import type { QueryResult, ResultColumn, ResultType, ResultVector, ValidBits } from '../../../query/result.ts';
import { textVector } from '../../../query/results/index.ts';

/** Types that metadata answers have. */
type MadeType = Extract<ResultType, { kind: 'string' | 'list' }> | { readonly kind: 'binary' | 'boolean' | 'int32' | 'uint8' };

/** A column of rows that the server makes itself; null = null. */
export interface MadeColumn {
  readonly name: string;
  readonly type: MadeType;
  readonly required?: boolean;
  readonly values: readonly unknown[];
}

export const TEXT: MadeType = { kind: 'string', dictionary: false };
export const INT32: MadeType = { kind: 'int32' };
export const BOOLEAN: MadeType = { kind: 'boolean' };
export const BYTES: MadeType = { kind: 'binary' };
export const TEXTS: MadeType = { kind: 'list', item: TEXT };

/** A few rows as a query result. */
export function madeRows(columns: readonly MadeColumn[]): QueryResult {
  const rowCount = columns[0]?.values.length ?? 0;
  return {
    columns: columns.map(({ name, type, required }): ResultColumn => ({ name, type, required })),
    async *batches() {
      if (rowCount > 0) yield { rowCount, columns: columns.map(({ type, values }) => madeVector(type, values)) };
    },
    cancel: () => undefined,
  };
}

/** A vector of plain values. */
export function madeVector(type: MadeType, values: readonly unknown[]): ResultVector {
  switch (type.kind) {
    case 'string':
      return textVector(values as readonly (string | null)[]);
    case 'binary': {
      const all = values as readonly (Uint8Array | null)[];
      const offsets = offsetsOf(all.map((bytes) => bytes?.length ?? 0));
      return { kind: 'binary', bytes: Buffer.concat(all.flatMap((bytes) => bytes ?? [])), offsets, valid: validOf(values) };
    }
    case 'boolean':
      return { kind: 'boolean', data: Uint8Array.from(values, Number), valid: validOf(values) };
    case 'int32':
      return { kind: 'int32', data: Int32Array.from(values, Number), valid: validOf(values) };
    case 'uint8':
      return { kind: 'uint8', data: Uint8Array.from(values, Number), valid: validOf(values) };
    case 'list': {
      const lists = values as readonly (readonly string[] | null)[];
      const offsets = offsetsOf(lists.map((list) => list?.length ?? 0));
      return { kind: 'list', offsets, item: textVector(lists.flatMap((list) => list ?? [])), valid: validOf(values) };
    }
  }
}

function offsetsOf(sizes: readonly number[]): Uint32Array {
  const offsets = new Uint32Array(sizes.length + 1);
  sizes.forEach((size, i) => {
    offsets[i + 1] = (offsets[i] as number) + size;
  });
  return offsets;
}

function validOf(values: readonly unknown[]): ValidBits {
  if (!values.includes(null)) return undefined;
  const bits = new Uint8Array((values.length + 7) >> 3);
  values.forEach((value, row) => {
    if (value !== null) bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
  });
  return bits;
}
