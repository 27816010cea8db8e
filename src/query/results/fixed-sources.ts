import type { ResultVector, ValidBits } from '../result.ts';
import { isValidAt, itemAt, type Selection, selectedBits, type VectorSource } from './vector-source.ts';

type Numbers = Float64Array | Float32Array | Int32Array | Int16Array | Int8Array | Uint32Array | Uint16Array | Uint8Array;
type BigNumbers = BigInt64Array | BigUint64Array;

/** Items of a fixed width whose memory is the result's own form. */
export class FixedSource<T extends Numbers | BigNumbers> implements VectorSource {
  readonly sizeBytes = 0;
  readonly #data: T;
  readonly #valid: ValidBits;
  readonly #make: (data: T, valid: ValidBits) => ResultVector;
  /** Elements an item. */
  readonly #width: number;

  constructor(data: T, valid: ValidBits, make: (data: T, valid: ValidBits) => ResultVector, width = 1) {
    this.#data = data;
    this.#valid = valid;
    this.#make = make;
    this.#width = width;
  }

  rowBytes(): number {
    return 0;
  }

  read(selection: Selection): ResultVector {
    return this.#make(this.#select(selection), selectedBits(this.#valid, selection));
  }

  #select({ start, count, rows }: Selection): T {
    const width = this.#width;
    if (rows === undefined) return this.#data.subarray(start * width, (start + count) * width) as T;
    const data = this.#data as unknown as Float64Array;
    const picked = new (this.#data.constructor as new (length: number) => Float64Array)(count * width);
    for (let i = 0; i < count; i++) {
      for (let part = 0; part < width; part++) picked[i * width + part] = data[(rows[i] as number) * width + part] as number;
    }
    return picked as unknown as T;
  }
}

/** Multiplies whole numbers, as many as there are; a factor of 1 gives the array itself. */
export function scaled(data: BigInt64Array, factor: bigint): BigInt64Array {
  if (factor === 1n) return data;
  const product = new BigInt64Array(data.length);
  for (let i = 0; i < data.length; i++) product[i] = (data[i] as bigint) * factor;
  return product;
}

/** Whole numbers of up to 64 bits as 128 bits: low half, high half. */
export function widened(data: Int16Array | Int32Array | BigInt64Array): BigUint64Array {
  const wide = new BigUint64Array(data.length * 2);
  const signed = new BigInt64Array(wide.buffer);
  for (let i = 0; i < data.length; i++) {
    const value = BigInt(data[i] as number | bigint);
    signed[i * 2] = value;
    signed[i * 2 + 1] = value < 0n ? -1n : 0n;
  }
  return wide;
}

/** Intervals: DuckDB keeps months and days with 32 bits, then microseconds with 64. */
export class IntervalSource implements VectorSource {
  readonly sizeBytes = 0;
  readonly #words: Int32Array;
  readonly #longs: BigInt64Array;
  readonly #valid: ValidBits;

  constructor(data: ArrayBuffer, valid: ValidBits) {
    this.#words = new Int32Array(data);
    this.#longs = new BigInt64Array(data);
    this.#valid = valid;
  }

  rowBytes(): number {
    return 0;
  }

  read(selection: Selection): ResultVector {
    const { count } = selection;
    const parts = new Int32Array(count * 2);
    const nanos = new BigInt64Array(count);
    for (let i = 0; i < count; i++) {
      const item = itemAt(selection, i);
      parts[i * 2] = this.#words[item * 4] as number;
      parts[i * 2 + 1] = this.#words[item * 4 + 1] as number;
      nanos[i] = (this.#longs[item * 2 + 1] as bigint) * 1000n;
    }
    return { kind: 'interval', parts, nanos, valid: selectedBits(this.#valid, selection) };
  }
}

/** The same of intervals in three columns. */
export class FineIntervalSource implements VectorSource {
  readonly sizeBytes = 0;
  readonly #months: Int32Array;
  readonly #days: Int32Array;
  readonly #nanos: BigInt64Array;
  readonly #valid: ValidBits;

  constructor(months: Int32Array, days: Int32Array, nanos: BigInt64Array, valid: ValidBits) {
    this.#months = months;
    this.#days = days;
    this.#nanos = nanos;
    this.#valid = valid;
  }

  rowBytes(): number {
    return 0;
  }

  read(selection: Selection): ResultVector {
    const { count } = selection;
    const parts = new Int32Array(count * 2);
    const nanos = new BigInt64Array(count);
    for (let i = 0; i < count; i++) {
      const item = itemAt(selection, i);
      parts[i * 2] = this.#months[item] as number;
      parts[i * 2 + 1] = this.#days[item] as number;
      nanos[i] = this.#nanos[item] as bigint;
    }
    return { kind: 'interval', parts, nanos, valid: selectedBits(this.#valid, selection) };
  }
}

/** Texts of an enumeration by their numbers. */
export class CodedSource implements VectorSource {
  readonly sizeBytes = 0;
  readonly #codes: Uint8Array | Uint16Array | Uint32Array;
  readonly #texts: readonly string[];
  readonly #valid: ValidBits;

  constructor(codes: Uint8Array | Uint16Array | Uint32Array, texts: readonly string[], valid: ValidBits) {
    this.#codes = codes;
    this.#texts = texts;
    this.#valid = valid;
  }

  rowBytes(): number {
    return 0;
  }

  read(selection: Selection): ResultVector {
    const codes = new Int32Array(selection.count);
    for (let i = 0; i < codes.length; i++) {
      const item = itemAt(selection, i);
      codes[i] = isValidAt(this.#valid, item) ? (this.#codes[item] as number) : -1;
    }
    return { kind: 'coded', codes, texts: this.#texts };
  }
}

/** Items that are all null. */
export const nullSource: VectorSource = {
  sizeBytes: 0,
  rowBytes: () => 0,
  read: () => ({ kind: 'null' }),
};
