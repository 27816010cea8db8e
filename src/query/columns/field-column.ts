import type { FieldType } from '../../shared/column-type.ts';

/** Types that fit a double without loss as long as they stay below 2^53. */
export type NumberType = Extract<FieldType, 'float' | 'integer' | 'uinteger'>;

/** Beyond this an integer is not exact as a double. */
const EXACT_MAX = 2 ** 53;

const TWO_32 = 2 ** 32;

/** True for column types whose values are kept as numbers. */
export function isNumberType(type: string): type is NumberType {
  return type === 'float' || type === 'integer' || type === 'uinteger';
}

/**
 * The values of one number field as doubles, in row order; grows at its end.
 *
 * Shared by: what appends to it and all scans, as its segment is. Values and nulls below `length` never change: where a null is
 * the first one, the array of nulls that is made then says of all earlier rows what its absence said.
 */
export class FieldColumn {
  readonly type: NumberType;
  /** Greatest absolute value. */
  maxAbs = 0;
  /** A value that a double cannot hold, NaN or infinite came: the column is of no use. */
  unfit = false;
  #values: Float64Array;
  /** A byte a row, 0 = null; made at the first null. */
  #valid: Uint8Array | undefined;
  #length = 0;

  constructor(type: NumberType, capacity: number) {
    this.type = type;
    this.#values = new Float64Array(capacity);
  }

  /** Values of at least `length` rows. The array is replaced when it grows; what was read stays as it is. */
  get values(): Float64Array {
    return this.#values;
  }

  /** Undefined = no nulls. */
  get valid(): Uint8Array | undefined {
    return this.#valid;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#values.byteLength + (this.#valid?.byteLength ?? 0);
  }

  /**
   * Appends `count` rows of 8-byte values as DuckDB and the log hold them.
   * @param validBits LSB first from bit 0; undefined = no nulls
   */
  append(data: Uint8Array, validBits: Uint8Array | undefined, count: number): void {
    const start = this.#length;
    this.#reserve(start + count);
    if (this.type === 'float') this.#values.set(new Float64Array(data.buffer, data.byteOffset, count), start);
    else this.#appendIntegers(new Int32Array(data.buffer, data.byteOffset, count * 2), start, count);
    this.#length = start + count;
    if (validBits !== undefined) this.#appendValid(validBits, start, count);
    else this.#valid?.fill(1, start, start + count);
    this.#note(start, start + count);
  }

  appendNulls(count: number): void {
    const start = this.#length;
    this.#reserve(start + count);
    this.#length = start + count;
    this.#withValid().fill(0, start, start + count);
  }

  #appendIntegers(halves: Int32Array, start: number, count: number): void {
    const values = this.#values;
    const signed = this.type === 'integer';
    for (let i = 0; i < count; i++) {
      const high = halves[i * 2 + 1] as number;
      values[start + i] = (signed ? high : high >>> 0) * TWO_32 + ((halves[i * 2] as number) >>> 0);
    }
  }

  #appendValid(bits: Uint8Array, start: number, count: number): void {
    const valid = this.#withValid();
    for (let i = 0; i < count; i++) valid[start + i] = ((bits[i >> 3] as number) >> (i & 7)) & 1;
  }

  #note(start: number, end: number): void {
    const values = this.#values;
    const valid = this.#valid;
    let max = this.maxAbs;
    for (let i = start; i < end; i++) {
      if (valid !== undefined && valid[i] === 0) continue;
      const size = Math.abs(values[i] as number);
      if (size > max) max = size;
      else if (!(size <= max)) this.unfit = true; // NaN
    }
    this.maxAbs = max;
    if (max === Number.POSITIVE_INFINITY || (this.type !== 'float' && max >= EXACT_MAX)) this.unfit = true;
  }

  #withValid(): Uint8Array {
    this.#valid ??= new Uint8Array(this.#values.length).fill(1);
    return this.#valid;
  }

  #reserve(rows: number): void {
    if (rows <= this.#values.length) return;
    const capacity = Math.max(rows, Math.ceil(this.#values.length * 1.5), 1024);
    const values = new Float64Array(capacity);
    values.set(this.#values);
    this.#values = values;
    if (this.#valid === undefined) return;
    const valid = new Uint8Array(capacity);
    valid.set(this.#valid);
    this.#valid = valid;
  }
}
