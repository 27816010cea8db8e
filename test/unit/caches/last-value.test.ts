import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LastValueCache } from '../../../src/caches/last-value.ts';
import type { LastCacheDefinition } from '../../../src/catalog/index.ts';
import type { TableSchema } from '../../../src/catalog/schema.ts';
import { type TestRow, testTable } from '../../support/model-table.ts';
import { MovingClock, NOW_MS, row, Sections } from './support.ts';

const COLUMNS = [
  ['region', 'tag'],
  ['host', 'tag'],
  ['v', 'float'],
  ['time', 'time'],
  ['id', 'integer'],
  ['name', 'string'],
  ['on', 'boolean'],
  ['big', 'uinteger'],
] as const;

class Fixture {
  readonly table: TableSchema = testTable(COLUMNS);
  readonly clock = new MovingClock();
  readonly sections = new Sections(this.table);
  readonly dropped: number[] = [];
  readonly cache: LastValueCache;

  constructor(definition: Partial<LastCacheDefinition> = {}, bytesMax?: number) {
    this.cache = new LastValueCache({
      definition: { id: 0, name: 'c', keyColumnIds: [0, 1], valueColumnIds: undefined, count: 1, ttlSecs: 60, ...definition },
      table: this.table,
      clock: this.clock,
      onFull: (keys) => this.dropped.push(keys),
      ...(bytesMax === undefined ? {} : { bytesMax }),
    });
  }

  write(...rows: readonly TestRow[]): void {
    this.cache.apply(this.sections.of(rows), this.sections.series);
  }

  /** Rows with the given columns only. */
  rows(...names: readonly string[]): unknown[][] {
    const columns = this.cache.columns();
    const at = names.map((name) => columns.findIndex((column) => column.name === name));
    return this.cache.rows(columns).map((cells) => at.map((index) => cells[index]));
  }
}

const key = (host: string): TestRow['tags'] => ({ region: 'eu', host });

describe('last-value cache (storage 12)', () => {
  test('columns are the keys, then all others by name, or the given ones in their order', () => {
    const names = (fixture: Fixture): string[] => fixture.cache.columns().map((column) => column.name);
    assert.deepEqual(names(new Fixture()), ['region', 'host', 'big', 'id', 'name', 'on', 'time', 'v']);
    assert.deepEqual(names(new Fixture({ keyColumnIds: [1], valueColumnIds: [5, 2, 3] })), ['host', 'name', 'v', 'time']);
    assert.deepEqual(names(new Fixture({ keyColumnIds: [1, 1], valueColumnIds: [1, 2, 2, 3] })), ['host', 'v', 'time'], 'each once');
  });

  test('a row without one of the key columns is ignored', () => {
    const fixture = new Fixture();
    fixture.write(row({ region: 'eu' }, { v: 1 }, 1), row({ host: 'a' }, { v: 1 }, 1), row({}, { v: 1 }, 1), row(key('a'), { v: 2 }, 1));
    assert.deepEqual(fixture.rows('region', 'host', 'v'), [['eu', 'a', 2]]);
  });

  test('a table whose series were forgotten and got other numbers brings rows of the right keys', () => {
    const fixture = new Fixture();
    fixture.write(row(key('a'), { v: 1 }, 1), row(key('b'), { v: 2 }, 1), row({ host: 'no region' }, { v: 3 }, 1));
    const anew = new Sections(fixture.table);
    const section = anew.of([row(key('b'), { v: 4 }, 2), row({ host: 'no region' }, { v: 5 }, 2), row(key('a'), { v: 6 }, 2)]);
    fixture.cache.apply(section, anew.series);
    assert.deepEqual(fixture.rows('host', 'v').sort(), [
      ['a', 6],
      ['b', 4],
    ]);
  });

  test('a row that is not newer than the newest held one is ignored, and so are times up to 0', () => {
    const fixture = new Fixture();
    fixture.write(row(key('a'), { v: 1 }, 0), row(key('a'), { v: 2 }, -5));
    assert.deepEqual(fixture.rows('v'), []);
    fixture.write(row(key('a'), { v: 3 }, 10));
    fixture.write(row(key('a'), { v: 4 }, 10), row(key('a'), { v: 5 }, 9));
    assert.deepEqual(fixture.rows('v', 'time'), [[3, 10_000_000_000n]]);
    fixture.write(row(key('a'), { v: 6 }, 5_000_000_000), row(key('a'), { v: 7 }, 4_000_000_000));
    assert.deepEqual(fixture.rows('v'), [[6]]);
  });

  test('a missing value is null, not the one before', () => {
    const fixture = new Fixture();
    fixture.write(row(key('a'), { v: 1, name: 'x', on: true, id: -1n, big: 18446744073709551615n }, 1));
    assert.deepEqual(fixture.rows('v', 'name', 'on', 'id', 'big'), [[1, 'x', true, -1n, 18446744073709551615n]]);
    fixture.write(row(key('a'), { on: false }, 2));
    assert.deepEqual(fixture.rows('v', 'name', 'on', 'id', 'big'), [[null, null, false, null, null]]);
  });

  test('count rows are kept per key, newest first, whether they come in one write or in many', () => {
    const fixture = new Fixture({ count: 3 });
    fixture.write(...[1, 2, 3, 4, 5].map((n) => row(key('a'), { v: n }, n)), row(key('b'), { v: 9 }, 1));
    assert.deepEqual(fixture.rows('host', 'v'), [
      ['a', 5],
      ['a', 4],
      ['a', 3],
      ['b', 9],
    ]);
    fixture.write(row(key('a'), { v: 6 }, 6));
    assert.deepEqual(fixture.rows('v'), [[6], [5], [4], [9]]);
  });

  test('rows are hidden when their time since arrival is over, whatever the wall clock does', () => {
    const fixture = new Fixture({ count: 2 });
    fixture.write(row(key('a'), { v: 1 }, 1));
    fixture.clock.forward(40_000);
    fixture.write(row(key('a'), { v: 2 }, 2));
    fixture.clock.wallMs -= 86_400_000;
    fixture.clock.steadyMs += 19_999;
    assert.deepEqual(fixture.rows('v'), [[2], [1]]);
    fixture.clock.steadyMs += 1;
    assert.deepEqual(fixture.rows('v'), [[2]]);
  });

  test('an eviction removes expired rows; a key that empties forgets its newest time', () => {
    const fixture = new Fixture();
    fixture.write(row(key('a'), { v: 1 }, 100));
    fixture.clock.forward(60_000);
    fixture.write(row(key('a'), { v: 2 }, 50));
    assert.deepEqual(fixture.rows('v'), [], 'expired but not removed: its time still counts');
    fixture.cache.evict();
    assert.deepEqual([fixture.cache.keyCount, fixture.cache.bytes], [0, 0]);
    fixture.write(row(key('a'), { v: 3 }, 50));
    assert.deepEqual(fixture.rows('v'), [[3]]);
  });

  test('fields can be keys', () => {
    const fixture = new Fixture({ keyColumnIds: [1, 4, 6] });
    fixture.write(
      row({ host: 'a' }, { id: 1n, on: true, v: 1 }, 1),
      row({ host: 'a' }, { id: 2n, on: true, v: 2 }, 1),
      row({ host: 'a' }, { id: 1n, on: false, v: 3 }, 1),
      row({ host: 'a' }, { id: 1n, v: 4 }, 1),
      row({ host: 'a' }, { id: 1n, on: true, v: 5 }, 2),
    );
    assert.deepEqual(fixture.rows('host', 'id', 'on', 'v'), [
      ['a', 1n, true, 5],
      ['a', 2n, true, 2],
      ['a', 1n, false, 3],
    ]);
  });

  test('without key columns there is one key', () => {
    const fixture = new Fixture({ keyColumnIds: [] });
    fixture.write(row(key('a'), { v: 1 }, 1), row(key('b'), { v: 2 }, 2));
    assert.deepEqual(fixture.rows('region', 'host', 'v'), [['eu', 'b', 2]]);
  });

  test('columns that come later are values of a cache that takes all', () => {
    const fixture = new Fixture({ count: 2 });
    fixture.write(row(key('a'), { v: 1 }, 1));
    const columns = fixture.table.columns as { id: number; name: string; type: 'float' }[];
    columns.push({ id: columns.length, name: 'later', type: 'float' });
    fixture.write(row(key('a'), { later: 5 }, 2));
    assert.deepEqual(fixture.rows('v', 'later'), [
      [null, 5],
      [1, null],
    ]);
  });

  test('at its limit of bytes the keys that were written longest ago leave', () => {
    const fixture = new Fixture({}, 20_000);
    for (let i = 0; i < 200; i++) {
      fixture.clock.forward(1);
      fixture.write(row(key(`host${i}`), { v: i }, 1));
    }
    fixture.cache.evict();
    assert.ok(fixture.cache.bytes <= 20_000);
    assert.ok(fixture.dropped.length > 0);
    const hosts = fixture.rows('host').map(([host]) => host);
    assert.equal(hosts.at(-1), 'host199');
    assert.deepEqual(
      hosts,
      Array.from({ length: hosts.length }, (_, i) => `host${200 - hosts.length + i}`),
    );
    fixture.write(row(key('host0'), { v: -1 }, 1));
    assert.ok(
      fixture.rows('host').some(([host]) => host === 'host0'),
      'a series that left comes back with its next row',
    );
  });

  test('stored rows fill gaps, never replace rows that arrived, and are as old as their time', () => {
    const fixture = new Fixture({ count: 2 });
    const nowSecs = Math.floor(NOW_MS / 1000);
    fixture.write(row(key('a'), { v: 1 }, nowSecs - 10));
    const history = (host: string | null, v: number, ageSecs: number): void => {
      fixture.cache.addHistory({
        timeNs: BigInt(nowSecs - ageSecs) * 1_000_000_000n,
        values: new Map<number, string | number | null>([
          [0, 'eu'],
          [1, host],
          [2, v],
        ]),
      });
    };
    history('a', 99, 10);
    history('a', 2, 20);
    history('a', 3, 30);
    history('b', 4, 55);
    history(null, 5, 5);
    assert.deepEqual(fixture.rows('host', 'v'), [
      ['a', 1],
      ['a', 2],
      ['b', 4],
    ]);
    fixture.clock.forward(6_000);
    assert.deepEqual(fixture.rows('host', 'v'), [
      ['a', 1],
      ['a', 2],
    ]);
    fixture.write(row(key('a'), { v: 6 }, nowSecs - 15));
    assert.deepEqual(fixture.rows('v'), [[1], [2]]);
  });
});
