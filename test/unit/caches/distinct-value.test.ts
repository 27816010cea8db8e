import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DistinctValueCache } from '../../../src/caches/distinct-value.ts';
import { compareValues } from '../../../src/caches/values.ts';
import type { DistinctCacheDefinition } from '../../../src/catalog/index.ts';
import { type TestRow, testTable } from '../../support/model-table.ts';
import { MovingClock, NOW_MS, row, Sections } from './support.ts';

const COLUMNS = [
  ['region', 'tag'],
  ['host', 'tag'],
  ['v', 'float'],
  ['s', 'string'],
  ['time', 'time'],
] as const;
const NOW_SECS = Math.floor(NOW_MS / 1000);

class Fixture {
  readonly table = testTable(COLUMNS);
  readonly clock = new MovingClock();
  readonly sections = new Sections(this.table);
  readonly dropped: number[] = [];
  readonly cache: DistinctValueCache;

  constructor(definition: Partial<DistinctCacheDefinition> = {}, bytesMax?: number) {
    this.cache = new DistinctValueCache({
      definition: { id: 0, name: 'c', columnIds: [0, 1], maxCardinality: 1000, maxAgeSecs: 60, ...definition },
      table: this.table,
      clock: this.clock,
      onFull: (combinations) => this.dropped.push(combinations),
      ...(bytesMax === undefined ? {} : { bytesMax }),
    });
  }

  write(...rows: readonly TestRow[]): void {
    this.cache.apply(this.sections.of(rows), this.sections.series);
  }
}

const at = (region: string, host: string, ageSecs = 0): TestRow => row({ region, host }, { v: 1 }, NOW_SECS - ageSecs);

describe('distinct-value cache (storage 13)', () => {
  test('a table whose series were forgotten and got other numbers brings the right combinations', () => {
    const fixture = new Fixture();
    fixture.write(at('eu', 'a'), at('eu', 'b'));
    const anew = new Sections(fixture.table);
    fixture.cache.apply(anew.of([at('us', 'c'), at('eu', 'b')]), anew.series);
    assert.deepEqual(fixture.cache.rows(2), [
      ['eu', 'a'],
      ['eu', 'b'],
      ['us', 'c'],
    ]);
  });

  test('combinations are sorted level by level with missing values first', () => {
    const fixture = new Fixture();
    fixture.write(
      at('us', 'b'),
      at('us', 'a'),
      at('eu', 'z'),
      row({ region: 'us' }, { v: 1 }, NOW_SECS),
      row({ host: 'q' }, { v: 1 }, NOW_SECS),
    );
    const all = [
      [null, 'q'],
      ['eu', 'z'],
      ['us', null],
      ['us', 'a'],
      ['us', 'b'],
    ];
    assert.deepEqual(fixture.cache.rows(2), all);
    assert.deepEqual(fixture.cache.rows(1), [[null], ['eu'], ['us']]);
  });

  test('string fields count, with a missing one as a value of its own', () => {
    const fixture = new Fixture({ columnIds: [3, 0] });
    fixture.write(
      row({ region: 'eu' }, { s: 'x' }, NOW_SECS),
      row({ region: 'eu' }, { s: '' }, NOW_SECS),
      row({ region: 'eu' }, { v: 1 }, NOW_SECS),
      row({ region: 'eu' }, { s: 'x' }, NOW_SECS + 1),
    );
    assert.deepEqual(fixture.cache.rows(2), [
      [null, 'eu'],
      ['', 'eu'],
      ['x', 'eu'],
    ]);
  });

  test('age is that of the row that came last, even when it is older than the one before', () => {
    const fixture = new Fixture();
    fixture.write(at('eu', 'old', 61), at('eu', 'just', 60), at('eu', 'edge', 59), at('eu', 'young', 40), at('eu', 'back', 0));
    fixture.write(at('eu', 'back', 100));
    assert.deepEqual(fixture.cache.rows(2), [
      ['eu', 'edge'],
      ['eu', 'young'],
    ]);
    fixture.clock.forward(1000);
    assert.deepEqual(fixture.cache.rows(2), [['eu', 'young']]);
    assert.equal(fixture.cache.size, 5);
    fixture.cache.evict();
    assert.equal(fixture.cache.size, 1);
    fixture.write(at('eu', 'old'));
    assert.deepEqual(fixture.cache.rows(2), [
      ['eu', 'old'],
      ['eu', 'young'],
    ]);
  });

  test('an eviction keeps the combinations seen last, up to the cardinality', () => {
    const fixture = new Fixture({ maxCardinality: 3 });
    fixture.write(...['a', 'b', 'c', 'd', 'e'].map((host, i) => at('eu', host, 10 - i)));
    assert.equal(fixture.cache.rows(2).length, 5, 'more than the limit between evictions');
    fixture.cache.evict();
    assert.deepEqual(fixture.cache.rows(2), [
      ['eu', 'c'],
      ['eu', 'd'],
      ['eu', 'e'],
    ]);
    assert.deepEqual(fixture.dropped, [2]);
  });

  test('twice the cardinality is never held, nor more bytes than the limit', () => {
    const fixture = new Fixture({ maxCardinality: 10 });
    for (let i = 0; i < 100; i++) fixture.write(at('eu', `h${i}`, 50 - Math.floor(i / 2)));
    assert.ok(fixture.cache.size <= 20);
    const small = new Fixture({}, 5_000);
    for (let i = 0; i < 100; i++) small.write(at('eu', `h${i}`));
    assert.ok(small.cache.bytes <= 5_000);
    assert.ok(small.dropped.length > 0);
  });

  test('stored combinations are added but change nothing that arrived', () => {
    const fixture = new Fixture();
    fixture.write(at('eu', 'a', 50));
    fixture.cache.addHistory(['eu', 'a'], BigInt(NOW_SECS) * 1_000_000_000n);
    fixture.cache.addHistory(['eu', 'b'], BigInt(NOW_SECS) * 1_000_000_000n);
    assert.deepEqual(fixture.cache.rows(2), [
      ['eu', 'a'],
      ['eu', 'b'],
    ]);
    fixture.clock.forward(20_000);
    assert.deepEqual(fixture.cache.rows(2), [['eu', 'b']]);
  });

  test('order is that of the bytes', () => {
    const texts = ['', 'a', 'ab', 'b', 'ß', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}', 'a\u{1f600}', 'a\uff00'];
    const sorted = [...texts].sort(compareValues);
    assert.deepEqual(
      sorted,
      [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
  });
});
