import type { ResultBatch, ResultColumn, ResultType, ResultVector } from '../../../../src/query/result.ts';
import { encoders, type FormatName, TextSink } from '../../../../src/server/http/formats/index.ts';

/** Text of a whole result in one format. The tiny sink makes every growth path run. */
export function encode(format: FormatName, columns: readonly ResultColumn[], batches: readonly ResultBatch[], capacity = 16): string {
  const encoder = encoders[format](columns, new TextSink(capacity));
  for (const batch of batches) encoder.batch(batch);
  encoder.end();
  return encoder.sink.take().toString('utf8');
}

/** A column and its vector from plain values; null = null. */
export function column(name: string, type: ResultType, values: readonly unknown[]): { column: ResultColumn; vector: ResultVector } {
  return { column: { name, type }, vector: vectorOf(type, values) };
}

/** Encodes columns made by `column`, all rows in one batch. */
export function encodeColumns(
  format: FormatName,
  parts: readonly { column: ResultColumn; vector: ResultVector }[],
  rowCount: number,
): string {
  return encode(
    format,
    parts.map((part) => part.column),
    [{ rowCount, columns: parts.map((part) => part.vector) }],
  );
}

function vectorOf(type: ResultType, values: readonly unknown[]): ResultVector {
  const count = values.length;
  const valid = values.includes(null) ? bits(values) : undefined;
  const numbers = (): number[] => values.map((value) => Number(value ?? 0));
  const bigints = (): bigint[] => values.map((value) => (value ?? 0n) as bigint);
  switch (type.kind) {
    case 'float64':
      return { kind: 'float64', data: Float64Array.from(numbers()), valid };
    case 'float32':
      return { kind: 'float32', data: Float32Array.from(numbers()), valid };
    case 'int64':
    case 'timestamp':
    case 'duration':
      return { kind: type.kind, data: BigInt64Array.from(bigints()), valid };
    case 'uint64':
      return { kind: 'uint64', data: BigUint64Array.from(bigints()), valid };
    case 'int32':
    case 'date':
      return { kind: type.kind, data: Int32Array.from(numbers()), valid };
    case 'boolean':
      return { kind: 'boolean', data: Uint8Array.from(values.map((value) => (value === true ? 1 : 0))), valid };
    case 'string':
      return { kind: 'string', text: (row) => values[row] as string | null };
    case 'binary':
      return { kind: 'binary', bytes: (row) => values[row] as Uint8Array | null };
    case 'null':
      return { kind: 'null' };
    case 'nested':
      return { kind: 'nested', value: (row) => (row < count ? values[row] : null) };
  }
}

function bits(values: readonly unknown[]): Uint8Array {
  const valid = new Uint8Array((values.length + 7) >> 3);
  values.forEach((value, row) => {
    if (value !== null) valid[row >> 3] = (valid[row >> 3] ?? 0) | (1 << (row & 7));
  });
  return valid;
}
