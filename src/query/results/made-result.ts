import type { QueryResult, ResultColumn, ResultType, ResultVector, ValidBits } from '../result.ts';
import { textVector } from './made-vectors.ts';
import { ValidBitsBuilder } from './vector-source.ts';

/** A column of rows that the server makes itself. Values are of the type that `madeVector` names; null = null. */
export interface MadeColumn {
  readonly name: string;
  readonly type: ResultType;
  /** True = never null. */
  readonly required?: boolean;
  readonly values: readonly unknown[];
}

export const TEXT: ResultType = { kind: 'string', dictionary: false };
export const INT32: ResultType = { kind: 'int32' };
export const BOOLEAN: ResultType = { kind: 'boolean' };
export const BYTES: ResultType = { kind: 'binary' };
export const TEXTS: ResultType = { kind: 'list', item: TEXT };

/** A few rows as a query result, so that they can be sent in every format. */
export function madeResult(columns: readonly MadeColumn[]): QueryResult {
  const rowCount = columns[0]?.values.length ?? 0;
  return {
    columns: columns.map(({ name, type, required }): ResultColumn => ({ name, type, required })),
    async *batches() {
      if (rowCount > 0) yield { rowCount, columns: columns.map(({ type, values }) => madeVector(type, values)) };
    },
    cancel: () => undefined,
  };
}

/**
 * A vector of plain values: strings, bytes, booleans, numbers, lists of strings; bigints for integers of 64 bits and for
 * timestamps in nanoseconds. Throws for a type that the server never makes.
 */
export function madeVector(type: ResultType, values: readonly unknown[]): ResultVector {
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
    case 'float64':
      return { kind: 'float64', data: Float64Array.from(values, Number), valid: validOf(values) };
    case 'int64':
    case 'timestamp':
      return { kind: type.kind, data: BigInt64Array.from(values as (bigint | null)[], (value) => value ?? 0n), valid: validOf(values) };
    case 'uint64':
      return { kind: 'uint64', data: BigUint64Array.from(values as (bigint | null)[], (value) => value ?? 0n), valid: validOf(values) };
    case 'list': {
      const lists = values as readonly (readonly string[] | null)[];
      const offsets = offsetsOf(lists.map((list) => list?.length ?? 0));
      return { kind: 'list', offsets, item: textVector(lists.flatMap((list) => list ?? [])), valid: validOf(values) };
    }
    default:
      throw new Error(`internal error: a made column cannot be shown as ${type.kind}`);
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
  const valid = new ValidBitsBuilder(values.length);
  values.forEach((value, row) => {
    if (value === null) valid.setNull(row);
  });
  return valid.build();
}
