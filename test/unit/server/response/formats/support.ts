import type { ResultBatch, ResultColumn, ResultType, ResultVector } from '../../../../../src/query/result.ts';
import { encoders, type FormatName, TextSink } from '../../../../../src/server/http/response/formats/index.ts';
import { vectorOf } from '../../../../support/result-vectors.ts';

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
