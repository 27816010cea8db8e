import type { ResultType, ResultVector, SmallIntegerKind, SmallIntegers, ValidBits } from '../../src/query/result.ts';
import { isNullAt, textAt, textVector } from '../../src/query/results/index.ts';

const smallIntegers: Readonly<Record<SmallIntegerKind, new (values: Iterable<number>) => SmallIntegers>> = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
};

/**
 * A result vector of plain values: numbers, bigints (64 bits and more, times, decimals in their smallest unit), booleans,
 * strings, bytes, arrays for lists, objects for structs, maps, `[months, days, ns]` for intervals, null.
 */
export function vectorOf(type: ResultType, values: readonly unknown[]): ResultVector {
  const valid = validOf(values);
  const numbers = values.map((value) => Number(value ?? 0));
  const bigints = (): bigint[] => values.map((value) => (value ?? 0n) as bigint);
  switch (type.kind) {
    case 'float64':
      return { kind: 'float64', data: Float64Array.from(numbers), valid };
    case 'float32':
      return { kind: 'float32', data: Float32Array.from(numbers), valid };
    case 'int64':
    case 'timestamp':
    case 'duration':
    case 'time':
      return { kind: type.kind, data: BigInt64Array.from(bigints()), valid };
    case 'uint64':
      return { kind: 'uint64', data: BigUint64Array.from(bigints()), valid };
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return { kind: type.kind, data: new smallIntegers[type.kind](numbers), valid };
    case 'date':
      return { kind: type.kind, data: Int32Array.from(numbers), valid };
    case 'boolean':
      return { kind: 'boolean', data: Uint8Array.from(numbers), valid };
    case 'hugeint':
    case 'decimal':
      return { kind: type.kind, data: BigUint64Array.from(bigints().flatMap((value) => [value, value >> 64n])), valid };
    case 'interval': {
      const parts = values.map((value) => (value ?? [0, 0, 0n]) as [number, number, bigint]);
      const whole = Int32Array.from({ length: parts.length * 2 }, (_, i) => Number(parts[i >> 1]?.[i & 1]));
      return { kind: 'interval', parts: whole, nanos: BigInt64Array.from(parts, (part) => part[2]), valid };
    }
    case 'string':
      return textVector(values as readonly (string | null)[]);
    case 'binary':
      return bytesVector(values as readonly (Uint8Array | null)[], valid);
    case 'null':
      return { kind: 'null' };
    case 'list': {
      const { offsets, items } = flattened(values as readonly (readonly unknown[] | null)[]);
      return { kind: 'list', offsets, item: vectorOf(type.item, items), valid };
    }
    case 'struct': {
      const members = type.members.map(({ name, type: member }) => {
        const column = values.map((value) => (value as Readonly<Record<string, unknown>> | null)?.[name] ?? null);
        return vectorOf(member, column);
      });
      return { kind: 'struct', members, valid };
    }
    case 'map': {
      const { offsets, items } = flattened(values.map((value) => (value === null ? null : [...(value as Map<unknown, unknown>)])));
      const entries = items as readonly [unknown, unknown][];
      const key = vectorOf(
        type.key,
        entries.map((entry) => entry[0]),
      );
      const value = vectorOf(
        type.value,
        entries.map((entry) => entry[1]),
      );
      return { kind: 'map', offsets, key, value, valid };
    }
  }
}

/** The value of a cell in the form that `vectorOf` takes, except that booleans are 0 and 1 and members of structs an array. */
export function valueAt(vector: ResultVector, row: number): unknown {
  if (isNullAt(vector, row)) return null;
  switch (vector.kind) {
    case 'null':
      return null;
    case 'string':
    case 'coded':
      return textAt(vector, row);
    case 'binary':
      return vector.bytes.slice(vector.offsets[row], vector.offsets[row + 1]);
    case 'hugeint':
    case 'decimal':
      return (BigInt.asIntN(64, vector.data[row * 2 + 1] as bigint) << 64n) | (vector.data[row * 2] as bigint);
    case 'interval':
      return [vector.parts[row * 2], vector.parts[row * 2 + 1], vector.nanos[row]];
    case 'list':
      return range(vector.offsets, row).map((item) => valueAt(vector.item, item));
    case 'struct':
      return vector.members.map((member) => valueAt(member, row));
    case 'map':
      return new Map(range(vector.offsets, row).map((item) => [valueAt(vector.key, item), valueAt(vector.value, item)]));
    default:
      return vector.data[row];
  }
}

function range(offsets: Uint32Array, row: number): number[] {
  const from = offsets[row] as number;
  return Array.from({ length: (offsets[row + 1] as number) - from }, (_, i) => from + i);
}

function flattened(lists: readonly (readonly unknown[] | null)[]): { offsets: Uint32Array; items: unknown[] } {
  const offsets = new Uint32Array(lists.length + 1);
  lists.forEach((list, i) => {
    offsets[i + 1] = (offsets[i] as number) + (list?.length ?? 0);
  });
  return { offsets, items: lists.flatMap((list) => list ?? []) };
}

function bytesVector(values: readonly (Uint8Array | null)[], valid: ValidBits): ResultVector {
  const offsets = new Uint32Array(values.length + 1);
  values.forEach((value, i) => {
    offsets[i + 1] = (offsets[i] as number) + (value?.length ?? 0);
  });
  return { kind: 'binary', bytes: Buffer.concat(values.map((value) => value ?? Buffer.alloc(0))), offsets, valid };
}

function validOf(values: readonly unknown[]): ValidBits {
  if (!values.includes(null)) return undefined;
  const valid = new Uint8Array((values.length + 7) >> 3);
  values.forEach((value, row) => {
    if (value !== null) valid[row >> 3] = (valid[row >> 3] ?? 0) | (1 << (row & 7));
  });
  return valid;
}
