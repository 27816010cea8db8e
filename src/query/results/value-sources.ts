import type { DuckDBValue, DuckDBVector } from '@duckdb/node-api';
import type { ResultVector } from '../result.ts';
import { textVector } from './made-vectors.ts';
import { itemAt, type Selection, ValidBitsBuilder, type VectorSource } from './vector-source.ts';

/** Types without a form of their own, as the text that DuckDB's values have: read value by value. */
export class ValueTextSource implements VectorSource {
  readonly #vector: DuckDBVector<DuckDBValue>;

  constructor(vector: DuckDBVector<DuckDBValue>) {
    this.#vector = vector;
  }

  get sizeBytes(): number {
    let sum = 0;
    for (let row = 0; row < this.#vector.itemCount; row++) sum += this.rowBytes(row);
    return sum;
  }

  rowBytes(row: number): number {
    const value = this.#vector.getItem(row);
    return value === null ? 0 : textOf(value).length;
  }

  read(selection: Selection): ResultVector {
    const texts: (string | null)[] = [];
    for (let i = 0; i < selection.count; i++) {
      const value = this.#vector.getItem(itemAt(selection, i));
      texts.push(value === null ? null : textOf(value));
    }
    return textVector(texts);
  }
}

/** Numbers that are to be shown as another type than DuckDB has them, converted value by value. */
export class ValueNumberSource implements VectorSource {
  readonly sizeBytes = 0;
  readonly #vector: DuckDBVector<DuckDBValue>;
  readonly #kind: 'float64' | 'int64' | 'uint64';

  constructor(vector: DuckDBVector<DuckDBValue>, kind: 'float64' | 'int64' | 'uint64') {
    this.#vector = vector;
    this.#kind = kind;
  }

  rowBytes(): number {
    return 0;
  }

  read(selection: Selection): ResultVector {
    const { count } = selection;
    const valid = new ValidBitsBuilder(count);
    const floats = new Float64Array(this.#kind === 'float64' ? count : 0);
    const integers = new BigInt64Array(this.#kind === 'float64' ? 0 : count);
    for (let i = 0; i < count; i++) {
      const value = this.#vector.getItem(itemAt(selection, i));
      if (value === null) valid.setNull(i);
      else if (this.#kind === 'float64') floats[i] = toNumber(value);
      else integers[i] = toBigInt(value);
    }
    const bits = valid.build();
    if (this.#kind === 'float64') return { kind: 'float64', data: floats, valid: bits };
    if (this.#kind === 'int64') return { kind: 'int64', data: integers, valid: bits };
    return { kind: 'uint64', data: new BigUint64Array(integers.buffer), valid: bits };
  }
}

function toNumber(value: DuckDBValue): number {
  if (typeof value === 'object' && value !== null && 'toDouble' in value) return value.toDouble();
  return Number(value);
}

/** Wraps at 64 bits, as the typed array does; sums that pass it wrap in InfluxDB 3 Core too. */
function toBigInt(value: DuckDBValue): bigint {
  if (typeof value === 'bigint') return value;
  return BigInt(Math.trunc(toNumber(value)));
}

function textOf(value: DuckDBValue): string {
  const bytes: unknown = (value as { readonly bytes?: unknown }).bytes;
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('hex') : String(value);
}
