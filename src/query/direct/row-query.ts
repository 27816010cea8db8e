import type { ResultBatch, ResultColumn, ResultVector } from '../result.ts';
import { absoluteTimes } from './distances.ts';
import type { ResolvedRowItem } from './edge-query.ts';
import type { RowShape } from './plan.ts';
import { fieldOf, type QueryInput, rowBatches } from './query-input.ts';
import type { RowBatch } from './row-scan.ts';
import type { BufferSegment, FileSegment } from './segment.ts';
import { numberVector } from './vectors.ts';

/** The rows that meet the conditions, a batch when it is asked for. What they are was settled when this was called. */
export function runRows(
  input: QueryInput,
  shape: RowShape,
  items: readonly ResolvedRowItem[],
  output: readonly ResultColumn[],
): AsyncIterable<ResultBatch> {
  const scans = input.scans(input.groupsBy([]));
  const vectors = new Map(
    scans.map(({ segment }) => [segment, items.map((item, i) => vectorsOf(input, segment, item, output[i] as ResultColumn))]),
  );
  return limited(rowBatches(scans, input.pause), shape, ({ rows }, from, count, segment) => ({
    rowCount: count,
    columns: (vectors.get(segment) ?? []).map((vector) => vector(rows.subarray(from, from + count))),
  }));
}

async function* limited(
  found: AsyncIterable<{ readonly batch: RowBatch; readonly count: number; readonly segment: FileSegment | BufferSegment }>,
  shape: RowShape,
  batchOf: (batch: RowBatch, from: number, count: number, segment: FileSegment | BufferSegment) => ResultBatch,
): AsyncGenerator<ResultBatch> {
  let skip = shape.offset;
  let left = shape.limit ?? Number.POSITIVE_INFINITY;
  if (left === 0) return;
  for await (const { batch, count, segment } of found) {
    const from = Math.min(skip, count);
    skip -= from;
    const wanted = Math.min(count - from, left);
    if (wanted === 0) continue;
    left -= wanted;
    yield batchOf(batch, from, wanted, segment);
    if (left === 0) return;
  }
}

/** Makes the vector of an item for rows of a segment; arrays that may be replaced are taken now. */
function vectorsOf(
  input: QueryInput,
  segment: FileSegment | BufferSegment,
  item: ResolvedRowItem,
  column: ResultColumn,
): (rows: Int32Array) => ResultVector {
  switch (item.kind) {
    case 'time': {
      const { times, baseNs } = segment;
      return (rows) => ({ kind: 'timestamp', data: absoluteTimes(times, baseNs, rows), valid: undefined });
    }
    case 'tag': {
      const codeOf = input.tagCodes(item.column, segment);
      const texts = input.tagTexts(item.column);
      return (rows) => {
        const codes = codeOf(rows);
        return { kind: 'string', text: (row) => texts[codes[row] as number] ?? null, coded: { codes, texts } };
      };
    }
    case 'field': {
      const { values, valid } = fieldOf(segment, item.column);
      if (column.type.kind === 'float64' && valid === undefined) {
        return (rows) => ({ kind: 'float64', data: gathered(values, rows), valid: undefined });
      }
      return (rows) =>
        numberVector(column.type.kind, rows.length, (i) => {
          const row = rows[i] as number;
          return valid !== undefined && valid[row] === 0 ? undefined : values[row];
        });
    }
  }
}

function gathered(values: Float64Array, rows: Int32Array): Float64Array {
  const data = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) data[i] = values[rows[i] as number] as number;
  return data;
}
