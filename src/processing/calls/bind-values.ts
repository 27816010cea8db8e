import type { BindValue } from '../../query/result.ts';
import type { QueryParams } from './plugin-host.ts';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Parameters of a plugin's query in the form that the query side takes. Throws for whole numbers of more than 64 bits. */
export function bindValues(params: QueryParams): ReadonlyMap<string, BindValue> {
  return new Map(Object.entries(params).map(([name, value]) => [name, bindValue(name, value)]));
}

function bindValue(name: string, value: QueryParams[string]): BindValue {
  if (value === null) return { kind: 'null' };
  switch (typeof value) {
    case 'string':
      return { kind: 'string', value };
    case 'boolean':
      return { kind: 'boolean', value };
    case 'number':
      return { kind: 'float64', value };
    case 'bigint':
      if (value >= INT64_MIN && value <= INT64_MAX) return { kind: 'int64', value };
      if (value > 0n && value < 2n ** 64n) return { kind: 'uint64', value };
      throw new RangeError(`parameter $${name} has more than 64 bits`);
    default:
      throw new TypeError(`parameter $${name} is neither text, number, boolean nor null`);
  }
}
