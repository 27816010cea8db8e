import type { Schema, Vector } from 'apache-arrow';
import type { BindValue, ResultColumn, ResultType, ResultVector } from '../../../query/result.ts';
import { arrowSchema, textVector } from '../../../query/results/index.ts';
import { END_OF_STREAM, encapsulated, schemaMessage } from '../../../shared/arrow/schema-message.ts';
import { MS_NS, SECOND_NS, US_NS } from '../../../shared/time-units.ts';
import { BatchRanges } from '../../arrow/batch-ranges.ts';
import { RecordBatchWriter } from '../../arrow/record-batch.ts';
import { invalidArgument } from '../errors.ts';

type Arrow = typeof import('apache-arrow');

/** Parameters of one statement. */
const PARAMS_MAX = 1000;

/**
 * The first row of an Arrow stream as parameters, by the names of its columns without the `$`. Throws INVALID_ARGUMENT for
 * bytes that are no such stream, for one without rows, and for types that parameters cannot have.
 */
export async function readParams(stream: Uint8Array): Promise<ReadonlyMap<string, BindValue>> {
  const arrow = await import('apache-arrow');
  const { schema, columns } = firstRows(arrow, stream);
  if (schema.fields.length > PARAMS_MAX) throw invalidArgument(`a statement can have at most ${PARAMS_MAX} parameters`);
  const params = new Map<string, BindValue>();
  schema.fields.forEach((field, i) => {
    params.set(field.name.replace(/^\$/, ''), bindValue(arrow, columns[i] as Vector));
  });
  return params;
}

function firstRows(arrow: Arrow, stream: Uint8Array): { readonly schema: Schema; readonly columns: readonly (Vector | null)[] } {
  try {
    const reader = arrow.RecordBatchReader.from(stream);
    for (const batch of reader) {
      if (batch.numRows > 0) return { schema: batch.schema, columns: batch.schema.fields.map((_, i) => batch.getChildAt(i)) };
    }
  } catch (error) {
    throw invalidArgument(`Invalid parameters: ${(error as Error).message}`);
  }
  throw invalidArgument('Invalid parameters: there is no record batch with a row');
}

function bindValue({ DataType }: Arrow, vector: Vector): BindValue {
  const { type } = vector;
  const value: unknown = vector.get(0);
  if (value === null || value === undefined) return { kind: 'null' };
  if (typeof value === 'boolean') return { kind: 'boolean', value };
  if (typeof value === 'string') return { kind: 'string', value };
  if (DataType.isInt(type)) {
    const integer = BigInt(value as number | bigint);
    return type.isSigned ? { kind: 'int64', value: integer } : { kind: 'uint64', value: integer };
  }
  if (DataType.isFloat(type)) return { kind: 'float64', value: Number(value) };
  if (DataType.isTimestamp(type)) {
    const [data] = vector.data;
    const raw = (data?.values as BigInt64Array | undefined)?.[data?.offset ?? 0] ?? 0n;
    return { kind: 'string', value: timestampText(raw * (NS_PER_UNIT[type.unit] ?? 1n)) };
  }
  if (DataType.isDate(type)) return { kind: 'string', value: new Date(Number(value)).toISOString().slice(0, 10) };
  throw invalidArgument(`Invalid parameters: values of the type ${type} are not supported`);
}

/** By the numbers of Arrow's time units: seconds first. */
const NS_PER_UNIT: readonly bigint[] = [SECOND_NS, MS_NS, US_NS, 1n];

function timestampText(ns: bigint): string {
  const nanos = ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS;
  const second = new Date(Number((ns - nanos) / MS_NS)).toISOString().slice(0, 19);
  return `${second}.${String(nanos).padStart(9, '0')}Z`;
}

/** Parameters as an Arrow stream of one row. */
export function writeParams(params: ReadonlyMap<string, BindValue>): Buffer {
  const entries = [...params];
  const columns = entries.map(([name, value]): ResultColumn => ({ name, type: typeOf(value) }));
  const batch = { rowCount: 1, columns: entries.map(([, value]) => vectorOf(value)) };
  const writer = new RecordBatchWriter(columns);
  const [range = []] = new BatchRanges(writer.codes).add(batch);
  const { header, body } = writer.write(range);
  return Buffer.concat([encapsulated(schemaMessage(arrowSchema(columns))), encapsulated(header), body, END_OF_STREAM]);
}

function typeOf({ kind }: BindValue): ResultType {
  return kind === 'string' ? { kind, dictionary: false } : { kind };
}

function vectorOf(param: BindValue): ResultVector {
  const valid = undefined;
  switch (param.kind) {
    case 'null':
      return { kind: 'null' };
    case 'boolean':
      return { kind: 'boolean', data: Uint8Array.of(param.value ? 1 : 0), valid };
    case 'int64':
      return { kind: 'int64', data: BigInt64Array.of(param.value), valid };
    case 'uint64':
      return { kind: 'uint64', data: BigUint64Array.of(param.value), valid };
    case 'float64':
      return { kind: 'float64', data: Float64Array.of(param.value), valid };
    case 'string':
      return textVector([param.value]);
  }
}
