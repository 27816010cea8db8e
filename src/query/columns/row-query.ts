import type { ResultBatch, ResultColumn, ResultVector } from '../result.ts';
import type { RowShape } from '../sql/types/plans.ts';
import { absoluteTimes } from './distances.ts';
import type { ResolvedRowItem } from './edge-query.ts';
import { type FoundRows, fieldOf, foundRows, type QueryInput, seriesOf } from './query-input.ts';
import type { BufferSegment, FileSegment } from './segment.ts';
import { NO_TAG } from './table-tags.ts';
import { gathered, gatheredIntegers, numberVector } from './vectors.ts';

/** The rows that meet the conditions, a batch when it is asked for. What they are was settled when this was called. */
export function runRows(
  input: QueryInput,
  shape: RowShape,
  items: readonly ResolvedRowItem[],
  output: readonly ResultColumn[],
): AsyncIterable<ResultBatch> {
  const scans = input.scans(input.groupsBy([]));
  const batches = new Map(
    scans.map(({ segment }) => [
      segment,
      batchesOf(
        segment,
        items.map((item, i) => vectorsOf(input, segment, item, output[i] as ResultColumn)),
      ),
    ]),
  );
  const enough = shape.offset + (shape.limit ?? Number.POSITIVE_INFINITY);
  return limited(foundRows(scans, enough, input.pieces), shape, ({ rows, segment }) =>
    (batches.get(segment) as (rows: Int32Array) => ResultBatch)(rows),
  );
}

/** Makes the vector of a column for rows and the numbers of their series. */
type VectorOf = (rows: Int32Array, series: Int32Array) => ResultVector;

function batchesOf(segment: FileSegment | BufferSegment, vectors: readonly VectorOf[]): (rows: Int32Array) => ResultBatch {
  const series = seriesOf(segment);
  return (rows) => {
    const ids = series(rows);
    return { rowCount: rows.length, columns: vectors.map((vector) => vector(rows, ids)), series: { ids, owner: segment } };
  };
}

async function* limited(
  found: AsyncIterable<FoundRows>,
  shape: RowShape,
  batchOf: (found: FoundRows) => ResultBatch,
): AsyncGenerator<ResultBatch> {
  let skip = shape.offset;
  let left = shape.limit ?? Number.POSITIVE_INFINITY;
  if (left === 0) return;
  for await (const { rows, segment } of found) {
    const from = Math.min(skip, rows.length);
    skip -= from;
    const wanted = Math.min(rows.length - from, left);
    if (wanted === 0) continue;
    left -= wanted;
    yield batchOf({ rows: rows.subarray(from, from + wanted), segment });
    if (left === 0) return;
  }
}

/** Makes the vector of an item for rows of a segment; arrays that may be replaced are taken now. */
function vectorsOf(input: QueryInput, segment: FileSegment | BufferSegment, item: ResolvedRowItem, column: ResultColumn): VectorOf {
  switch (item.kind) {
    case 'time': {
      const { times, baseNs } = segment;
      return (rows) => ({ kind: 'timestamp', data: absoluteTimes(times, baseNs, rows), valid: undefined });
    }
    case 'tag': {
      const known = input.tagCodes(item.column, segment);
      const texts = input.tagTexts(item.column);
      return (_rows, series) => {
        const codes = new Int32Array(series.length).fill(NO_TAG);
        if (known !== undefined) for (let i = 0; i < codes.length; i++) codes[i] = known[series[i] as number] ?? NO_TAG;
        return { kind: 'coded', codes, texts };
      };
    }
    case 'field': {
      const { values, valid } = fieldOf(segment, item.column);
      if (valid === undefined && column.type.kind === 'float64') {
        return (rows) => ({ kind: 'float64', data: gathered(values, rows), valid: undefined });
      }
      if (valid === undefined && column.type.kind === 'int64') {
        return (rows) => ({ kind: 'int64', data: gatheredIntegers(values, rows), valid: undefined });
      }
      return (rows) =>
        numberVector(column.type.kind, rows.length, (i) => {
          const row = rows[i] as number;
          return valid !== undefined && valid[row] === 0 ? undefined : values[row];
        });
    }
  }
}
