import type { DuckDBDataChunk, DuckDBValue, DuckDBVector } from '@duckdb/node-api';
import { unreachable } from '../../shared/assert.ts';
import type { ResultBatch, ResultColumn, ResultType, ResultVector } from '../result.ts';
import { type IntervalParts, plainValue } from './result-nested.ts';
import { stringReader } from './result-strings.ts';
import { TYPE_ID } from './result-type-ids.ts';
import { rawVector, ValidBitsBuilder, validBits } from './result-vector.ts';

export { resultColumns } from './result-columns.ts';

type EngineVector = DuckDBVector<DuckDBValue>;

const NS_PER_DAY = 86_400_000_000_000n;

/** Columns of one chunk for the formatters, without an object per value. The batch stays valid after the next fetch. */
export function toResultBatch(chunk: DuckDBDataChunk, columns: readonly ResultColumn[]): ResultBatch {
  const rowCount = chunk.rowCount;
  return {
    rowCount,
    columns: columns.map((column, index) => toResultVector(chunk.getColumnVector(index), column.type, rowCount, chunk)),
  };
}

function toResultVector(vector: EngineVector, type: ResultType, rowCount: number, owner: object): ResultVector {
  const typeId: number = vector.type.typeId;
  const raw = rawVector(vector);
  switch (type.kind) {
    case 'float64':
      if (raw.items instanceof Float64Array) return { kind: 'float64', data: raw.items, valid: validBits(raw) };
      return convert(vector, rowCount, new Float64Array(rowCount), toNumber, 'float64');
    case 'float32':
      if (raw.items instanceof Float32Array) return { kind: 'float32', data: raw.items, valid: validBits(raw) };
      return convert(vector, rowCount, new Float32Array(rowCount), toNumber, 'float32');
    case 'int64':
      if (typeId === TYPE_ID.BIGINT && raw.items instanceof BigInt64Array) return { kind: 'int64', data: raw.items, valid: validBits(raw) };
      return convert(vector, rowCount, new BigInt64Array(rowCount), toBigInt, 'int64');
    case 'uint64':
      if (raw.items instanceof BigUint64Array) return { kind: 'uint64', data: raw.items, valid: validBits(raw) };
      return convert(vector, rowCount, new BigUint64Array(rowCount), toBigInt, 'uint64');
    case 'int32':
      if (typeId === TYPE_ID.INTEGER && raw.items instanceof Int32Array) return { kind: 'int32', data: raw.items, valid: validBits(raw) };
      return convert(vector, rowCount, new Int32Array(rowCount), toNumber, 'int32');
    case 'boolean':
      return booleanVector(vector, rowCount);
    case 'timestamp':
      return timestampVector(vector, typeId, rowCount);
    case 'date':
      if (typeId === TYPE_ID.DATE && raw.items instanceof Int32Array) return { kind: 'date', data: raw.items, valid: validBits(raw) };
      return { kind: 'nested', value: (row) => plainValue(vector.getItem(row)) };
    case 'duration':
      return convert(vector, rowCount, new BigInt64Array(rowCount), toDurationNs, 'duration');
    case 'string':
      if (typeId === TYPE_ID.VARCHAR) return { kind: 'string', text: stringReader(vector, owner) };
      return { kind: 'string', text: (row) => textOrNull(vector.getItem(row)) };
    case 'binary':
      return { kind: 'binary', bytes: (row) => bytesOrNull(vector.getItem(row)) };
    case 'null':
      return { kind: 'null' };
    case 'nested':
      return { kind: 'nested', value: (row) => plainValue(vector.getItem(row)) };
    default:
      return unreachable(type);
  }
}

type Converted = Extract<ResultVector, { readonly data: unknown }>;

/** Value by value, for types that the engine does not deliver as the wanted array. */
function convert<T extends number | bigint>(
  vector: EngineVector,
  rowCount: number,
  data: { [row: number]: T },
  toElement: (value: DuckDBValue) => T,
  kind: Converted['kind'],
): ResultVector {
  const valid = new ValidBitsBuilder(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const value = vector.getItem(row);
    if (value === null) valid.setNull(row);
    else data[row] = toElement(value);
  }
  return { kind, data, valid: valid.build() } as unknown as ResultVector;
}

function booleanVector(vector: EngineVector, rowCount: number): ResultVector {
  const raw = rawVector(vector);
  const view = raw.dataView;
  if (vector.type.typeId === TYPE_ID.BOOLEAN && view?.byteLength === rowCount) {
    return { kind: 'boolean', data: new Uint8Array(view.buffer, view.byteOffset, rowCount), valid: validBits(raw) };
  }
  return convert(vector, rowCount, new Uint8Array(rowCount), (value) => (value === false || value === 0 ? 0 : 1), 'boolean');
}

/** Brings every precision to nanoseconds. A plain BIGINT already counts them. */
function timestampVector(vector: EngineVector, typeId: number, rowCount: number): ResultVector {
  const raw = rawVector(vector);
  const valid = validBits(raw);
  const factor = timestampFactor(typeId);
  if (factor === undefined || !(raw.items instanceof BigInt64Array)) {
    if (typeId !== TYPE_ID.DATE || !(raw.items instanceof Int32Array)) {
      return { kind: 'nested', value: (row) => plainValue(vector.getItem(row)) };
    }
    const days = raw.items;
    return { kind: 'timestamp', data: BigInt64Array.from(days, (day) => BigInt(day) * NS_PER_DAY), valid };
  }
  if (factor === 1n) return { kind: 'timestamp', data: raw.items, valid };
  const data = new BigInt64Array(rowCount);
  for (let row = 0; row < rowCount; row++) data[row] = (raw.items[row] ?? 0n) * factor;
  return { kind: 'timestamp', data, valid };
}

function timestampFactor(typeId: number): bigint | undefined {
  switch (typeId) {
    case TYPE_ID.TIMESTAMP_NS:
    case TYPE_ID.BIGINT:
      return 1n;
    case TYPE_ID.TIMESTAMP:
    case TYPE_ID.TIMESTAMP_TZ:
      return 1000n;
    case TYPE_ID.TIMESTAMP_MS:
      return 1_000_000n;
    case TYPE_ID.TIMESTAMP_S:
      return 1_000_000_000n;
    default:
      return undefined;
  }
}

function toNumber(value: DuckDBValue): number {
  if (typeof value === 'object' && value !== null && 'toDouble' in value) return value.toDouble();
  return Number(value);
}

/** Wraps at 64 bits, as the typed array does; sums that pass it wrap in the reference too. */
function toBigInt(value: DuckDBValue): bigint {
  if (typeof value === 'bigint') return value;
  return BigInt(Math.trunc(toNumber(value)));
}

function toDurationNs(value: DuckDBValue): bigint {
  if (typeof value === 'bigint') return value;
  const { months, days, micros } = value as unknown as IntervalParts;
  return (BigInt(months) * 30n + BigInt(days)) * NS_PER_DAY + micros * 1000n;
}

function textOrNull(value: DuckDBValue): string | null {
  return value === null ? null : String(plainValue(value));
}

function bytesOrNull(value: DuckDBValue): Uint8Array | null {
  if (value === null) return null;
  const bytes: unknown = (value as { bytes?: unknown }).bytes;
  return bytes instanceof Uint8Array ? bytes : Buffer.from(String(value));
}
