import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseSeries } from '../../../../src/write/scan/series-choice.ts';
import { SeriesIndex, TagLookup } from '../../../../src/write/series/index.ts';

function canonical(tags: Readonly<Record<number, string>>): Buffer {
  const parts = Object.entries(tags).map(([id, value]) => {
    const head = Buffer.alloc(6);
    head.writeUInt16LE(Number(id), 0);
    head.writeUInt32LE(Buffer.byteLength(value), 2);
    return Buffer.concat([head, Buffer.from(value)]);
  });
  return Buffer.concat(parts);
}

function add(series: SeriesIndex, tags: Readonly<Record<number, string>>): void {
  const bytes = canonical(tags);
  series.intern(bytes, 0, bytes.length);
}

test('series are found by tag value, those that come later included', () => {
  const series = new SeriesIndex();
  const lookup = new TagLookup(series);
  add(series, { 0: 'x', 3: 'é' });
  add(series, { 0: 'y' });
  assert.deepEqual(lookup.idsWith(0, 'x'), [0]);
  assert.deepEqual(lookup.idsWith(3, 'é'), [0]);
  assert.deepEqual(lookup.idsWith(1, 'x'), []);
  add(series, { 0: 'x' });
  assert.deepEqual(lookup.idsWith(0, 'x'), [0, 2]);
});

test('more series than can be told quickly are not looked up', () => {
  const series = new SeriesIndex();
  const lookup = new TagLookup(series);
  for (let i = 0; i < 50_001; i++) add(series, { 0: String(i) });
  assert.equal(lookup.idsWith(0, '1'), undefined);
});

test('a choice of series knows the text of every tag that told it', () => {
  const ids: Record<string, readonly number[]> = { '0 x': [1, 2], '0 y': [3], '1 a': [2, 3] };
  const idsWith = (column: number, value: string): readonly number[] => ids[`${column} ${value}`] ?? [];
  const tags = (...entries: [number, string[]][]): Map<number, string[]> => new Map(entries);
  assert.deepEqual(chooseSeries(tags([0, ['x']]), idsWith), { ids: [1, 2], values: new Map([[0, "'x'"]]) });
  const both = chooseSeries(tags([0, ['x']], [1, ['a']]), idsWith);
  assert.deepEqual([both?.ids, both?.values.get(0), both?.values.get(1)], [[2], "'x'", "'a'"]);
  assert.deepEqual(chooseSeries(tags([0, ['nobody']]), idsWith)?.ids, []);
  assert.deepEqual(chooseSeries(tags([0, []]), idsWith)?.ids, [], 'contradicting filters');
  assert.equal(chooseSeries(tags([0, ['x', 'y']]), idsWith), undefined);
  assert.deepEqual(chooseSeries(tags([0, ['x', 'y']], [1, ['a']]), idsWith)?.ids, [2, 3]);
  assert.equal(chooseSeries(tags(), idsWith), undefined);
  assert.equal(
    chooseSeries(tags([0, ['x']]), () => undefined),
    undefined,
  );
  assert.equal(
    chooseSeries(tags([0, ['x']]), () => Array.from({ length: 9 }, (_, i) => i)),
    undefined,
  );
});
