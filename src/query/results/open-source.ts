import { createRequire } from 'node:module';
import type duckdbApi from '@duckdb/node-api';
import type { DuckDBType, DuckDBVector } from '@duckdb/node-api';
import type { Vector } from '@duckdb/node-bindings';
import { DAY_NS } from '../../shared/time-units.ts';
import type { ResultType, ResultVector, SmallIntegers, ValidBits } from '../result.ts';
import { CodedSource, FineIntervalSource, FixedSource, IntervalSource, nullSource, scaled, widened } from './fixed-sources.ts';
import { arrayEntries, ListSource, listEntries, MapSource, StructSource } from './nested-sources.ts';
import { NS_PER_TICK, TYPE_ID } from './result-type-ids.ts';
import { TextSource } from './text-source.ts';
import { ValueNumberSource, ValueTextSource } from './value-sources.ts';
import { type Binding, dataOf, type VectorSource, validBitsOf } from './vector-source.ts';

/** Loads the native modules at the first use; by then DuckDB has loaded them. */
const load = createRequire(import.meta.url);

/** A vector of DuckDB: `count` items of a type. */
export interface EngineVector {
  readonly binding: Binding;
  readonly vector: Vector;
  readonly count: number;
  readonly type: DuckDBType;
}

/** Opens a vector to be read as a type that `resultTypeOf` gave for it. */
export function openSource(opened: EngineVector, type: ResultType): VectorSource {
  const { binding, vector, count } = opened;
  const valid = validBitsOf(binding, vector, count);
  const data = (width: number): ArrayBuffer => dataOf(binding, vector, count * width);
  const id: number = opened.type.typeId;
  switch (type.kind) {
    case 'float64':
      if (id !== TYPE_ID.DOUBLE) return new ValueNumberSource(apiVector(opened), type.kind);
      return new FixedSource(new Float64Array(data(8)), valid, (values, bits) => ({ kind: 'float64', data: values, valid: bits }));
    case 'float32':
      return new FixedSource(new Float32Array(data(4)), valid, (values, bits) => ({ kind: 'float32', data: values, valid: bits }));
    case 'int64':
      if (id !== TYPE_ID.BIGINT) return new ValueNumberSource(apiVector(opened), type.kind);
      return longs(data(8), valid, 'int64');
    case 'uint64':
      if (id !== TYPE_ID.UBIGINT) return new ValueNumberSource(apiVector(opened), type.kind);
      return new FixedSource(new BigUint64Array(data(8)), valid, (values, bits) => ({ kind: 'uint64', data: values, valid: bits }));
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint8':
    case 'uint16':
    case 'uint32': {
      const { kind } = type;
      const make = (values: SmallIntegers, bits: ValidBits): ResultVector => ({ kind, data: values, valid: bits });
      const Integers = SMALL_INTEGERS[kind];
      return new FixedSource(new Integers(data(Integers.BYTES_PER_ELEMENT)), valid, make);
    }
    case 'boolean':
      return new FixedSource(new Uint8Array(data(1)), valid, (values, bits) => ({ kind: 'boolean', data: values, valid: bits }));
    case 'timestamp':
      if (id === TYPE_ID.DATE) {
        return longs(scaled(BigInt64Array.from(new Int32Array(data(4)), BigInt), DAY_NS).buffer, valid, 'timestamp');
      }
      return longs(scaled(new BigInt64Array(data(8)), NS_PER_TICK[id] ?? 1n).buffer, valid, 'timestamp');
    case 'time':
      return longs(scaled(new BigInt64Array(data(8)), id === TYPE_ID.TIME ? 1000n : 1n).buffer, valid, 'time');
    case 'duration':
      return longs(id === TYPE_ID.INTERVAL ? intervalNanos(data(16)) : data(8), valid, 'duration');
    case 'date':
      return new FixedSource(new Int32Array(data(4)), valid, (values, bits) => ({ kind: 'date', data: values, valid: bits }));
    case 'interval':
      return id === TYPE_ID.INTERVAL ? new IntervalSource(data(16), valid) : fineIntervals(opened, valid);
    case 'hugeint':
      return wide(new BigUint64Array(data(16)), valid, 'hugeint');
    case 'decimal':
      return wide(decimalHalves(data, type.precision), valid, 'decimal');
    case 'string':
      if (id === TYPE_ID.VARCHAR) return new TextSource('string', data(16), valid);
      return id === TYPE_ID.ENUM ? codedSource(opened, valid) : new ValueTextSource(apiVector(opened));
    case 'binary':
      return new TextSource('binary', data(16), valid);
    case 'null':
      return nullSource;
    case 'list':
    case 'struct':
    case 'map':
      return nestedSource(opened, type, valid);
  }
}

const SMALL_INTEGERS = {
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
} as const;

function longs(data: ArrayBufferLike, valid: ValidBits, kind: 'int64' | 'timestamp' | 'time' | 'duration'): VectorSource {
  return new FixedSource(new BigInt64Array(data), valid, (values, bits) => ({ kind, data: values, valid: bits }));
}

function wide(data: BigUint64Array, valid: ValidBits, kind: 'hugeint' | 'decimal'): VectorSource {
  return new FixedSource(data, valid, (values, bits) => ({ kind, data: values, valid: bits }), 2);
}

/** DuckDB keeps decimals in the smallest integer that holds their digits. */
function decimalHalves(data: (width: number) => ArrayBuffer, precision: number): BigUint64Array {
  if (precision <= 4) return widened(new Int16Array(data(2)));
  if (precision <= 9) return widened(new Int32Array(data(4)));
  return precision <= 18 ? widened(new BigInt64Array(data(8))) : new BigUint64Array(data(16));
}

/** Intervals as one number: a month has 30 days. */
function intervalNanos(data: ArrayBuffer): ArrayBuffer {
  const words = new Int32Array(data);
  const micros = new BigInt64Array(data);
  const nanos = new BigInt64Array(micros.length / 2);
  for (let i = 0; i < nanos.length; i++) {
    const days = BigInt(words[i * 4] as number) * 30n + BigInt(words[i * 4 + 1] as number);
    nanos[i] = days * DAY_NS + (micros[i * 2 + 1] as bigint) * 1000n;
  }
  return nanos.buffer;
}

/** Intervals with nanoseconds are structs. */
function fineIntervals({ binding, vector, count }: EngineVector, valid: ValidBits): VectorSource {
  const member = (index: number, width: number): ArrayBuffer =>
    dataOf(binding, binding.struct_vector_get_child(vector, index), count * width);
  return new FineIntervalSource(new Int32Array(member(0, 4)), new Int32Array(member(1, 4)), new BigInt64Array(member(2, 8)), valid);
}

function codedSource({ binding, vector, count, type }: EngineVector, valid: ValidBits): VectorSource {
  if (!('values' in type)) throw new Error('internal error: an enumeration has no values');
  const id: number = type.internalTypeId;
  const Codes = id === TYPE_ID.UTINYINT ? Uint8Array : id === TYPE_ID.USMALLINT ? Uint16Array : Uint32Array;
  return new CodedSource(new Codes(dataOf(binding, vector, count * Codes.BYTES_PER_ELEMENT)), type.values, valid);
}

function nestedSource(
  { binding, vector, count, type: engineType }: EngineVector,
  type: Extract<ResultType, { kind: 'list' | 'struct' | 'map' }>,
  valid: ValidBits,
): VectorSource {
  if (type.kind === 'struct') {
    if (!('entryTypes' in engineType)) throw mismatch(engineType, type);
    const members = type.members.map((member, i) => {
      const child = binding.struct_vector_get_child(vector, i);
      return openSource({ binding, vector: child, count, type: engineType.entryTypes[i] as DuckDBType }, member.type);
    });
    return new StructSource(members, valid);
  }
  if ('length' in engineType && 'valueType' in engineType && type.kind === 'list') {
    const child = { binding, vector: binding.array_vector_get_child(vector), count: count * engineType.length, type: engineType.valueType };
    return new ListSource(arrayEntries(engineType.length), count, valid, openSource(child, type.item));
  }
  const entries = listEntries(dataOf(binding, vector, count * 16));
  const items = { binding, vector: binding.list_vector_get_child(vector), count: binding.list_vector_get_size(vector) };
  if (type.kind === 'list') {
    if (!('valueType' in engineType)) throw mismatch(engineType, type);
    return new ListSource(entries, count, valid, openSource({ ...items, type: engineType.valueType }, type.item));
  }
  if (!('keyType' in engineType)) throw mismatch(engineType, type);
  const pair = [
    { engine: engineType.keyType, shown: type.key },
    { engine: engineType.valueType, shown: type.value },
  ].map(({ engine, shown }, i) =>
    openSource({ binding, vector: binding.struct_vector_get_child(items.vector, i), count: items.count, type: engine }, shown),
  );
  return new MapSource(new ListSource(entries, count, valid, new StructSource(pair, undefined)));
}

function mismatch(engineType: DuckDBType, type: ResultType): Error {
  return new Error(`internal error: ${engineType} cannot be read as ${type.kind}`);
}

function apiVector({ vector, count, type }: EngineVector): DuckDBVector {
  // not in the typings of the package's index
  const { DuckDBVector: Vectors } = load('@duckdb/node-api') as typeof duckdbApi;
  return Vectors.create(vector, count, type);
}
