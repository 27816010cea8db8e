import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ColumnSchema, TableSchema } from '../../../../src/catalog/schema.ts';
import { runEdges } from '../../../../src/query/columns/edge-query.ts';
import { runGroups } from '../../../../src/query/columns/group-query.ts';
import { QueryInput } from '../../../../src/query/columns/query-input.ts';
import { BufferSegment, FileSegment } from '../../../../src/query/columns/segment.ts';
import { SERIES_MAX, TableTags } from '../../../../src/query/columns/table-tags.ts';
import { textAt } from '../../../../src/query/results/index.ts';
import { SeriesIndex } from '../../../../src/write/series/index.ts';
import { canonicalSeries, testTable } from '../../../support/model-table.ts';

const table = testTable([
  ['host', 'tag'],
  ['time', 'time'],
]);
const [host] = table.seriesKey as [ColumnSchema];

function series(index: SeriesIndex, name: string): number {
  const canonical = canonicalSeries(table, { host: name });
  return index.intern(canonical, 0, canonical.length);
}

function halves(times: readonly bigint[]): Int32Array {
  return new Int32Array(BigInt64Array.from(times).buffer);
}

function inputOf(parts: {
  readonly files?: readonly FileSegment[];
  readonly buffers?: readonly BufferSegment[];
  readonly index?: SeriesIndex;
  readonly pause?: () => void;
}): QueryInput {
  return new QueryInput({
    table: table as TableSchema,
    pieces: { pause: async () => parts.pause?.(), valuesPerTurn: 1 },
    ready: { tags: new TableTags(), files: parts.files ?? [], buffers: parts.buffers ?? [] },
    series: parts.index,
    minTimeNs: undefined,
    maxTimeNs: undefined,
    tags: [],
    filters: [],
  });
}

describe('what scans see was captured before their first turn', () => {
  test('the newest rows keep their tags when so many series come meanwhile that tags are not kept any more', async () => {
    const index = new SeriesIndex({ floorNs: undefined });
    const segment = new BufferSegment(0n, new Map(), 16);
    segment.appendKeys(Int32Array.of(series(index, 'a'), series(index, 'b'), series(index, 'a')), halves([1n, 2n, 3n]), 3);
    let turns = 0;
    const input = inputOf({
      buffers: [segment],
      index,
      pause: () => {
        if (turns++ > 0) return;
        for (let i = 0; i < SERIES_MAX + 1; i++) series(index, `later ${i}`);
        segment.appendKeys(Int32Array.of(5), halves([99n]), 1);
      },
    });
    const shape = { kind: 'edge', edge: 'newest', tags: ['host'], items: [] } as const;
    const output = [{ name: 'host', type: { kind: 'string', dictionary: true } }] as const;
    const batch = await runEdges(input, shape, [host], [{ kind: 'tag', column: host }], output);
    assert.ok(turns > 0);
    const texts = Array.from({ length: batch?.rowCount ?? 0 }, (_, row) => textAt(batch?.columns[0], row));
    assert.deepEqual(texts.sort(), ['a', 'b']);
  });
});

describe('bins that doubles cannot tell apart', () => {
  const binned = async (times: readonly number[], widthNs: bigint, originNs: bigint): Promise<number | undefined> => {
    const file = new FileSegment({ baseNs: 0n, times: Float64Array.from(times), starts: Int32Array.of(0, times.length), codes: new Map() });
    const shape = {
      kind: 'groups',
      bin: { ns: widthNs, originNs },
      tags: [],
      aggregates: [{ name: 'count', column: undefined }],
      items: [{ kind: 'bin' }, { kind: 'aggregate', index: 0 }],
      order: [],
      limit: undefined,
      offset: 0,
    } as const;
    const output = [
      { name: 't', type: { kind: 'timestamp', zone: undefined } },
      { name: 'n', type: { kind: 'int64' } },
    ] as const;
    return (await runGroups(inputOf({ files: [file] }), shape, [], [{ name: 'count', column: undefined }], output))?.rowCount;
  };

  test('are left to DuckDB', async () => {
    const last = 2 ** 53 - 4; // one ns before the bin that begins at 2^53 - 3
    assert.equal(await binned([0, last], 8_640_000_000_000_000n, BigInt(2 ** 53 - 3)), undefined);
    assert.equal(await binned([0, 8_000_000], 1_000_000n, 1n), 2);
  });
});
