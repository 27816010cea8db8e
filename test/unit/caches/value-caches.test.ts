import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HistoryReader, ValueCaches } from '../../../src/caches/index.ts';
import type { Catalog, TableSchema } from '../../../src/catalog/index.ts';
import type { SqlRequest } from '../../../src/query/query-service.ts';
import type { QueryResult } from '../../../src/query/result.ts';
import { InfluxError } from '../../../src/shared/errors.ts';
import { temporaryDirectory } from '../../support/write-store.ts';
import { openCatalog } from '../catalog/catalog-fixture.ts';
import { MovingClock, row, Sections } from './support.ts';

interface Fixture {
  readonly catalog: Catalog;
  readonly caches: ValueCaches;
  readonly table: TableSchema;
  readonly warnings: string[];
  readonly clock: MovingClock;
  write(v: number, timeSecs: number): void;
}

async function fixture(t: { after(fn: () => Promise<void>): void }): Promise<Fixture> {
  const clock = new MovingClock();
  const catalog = await openCatalog(await temporaryDirectory(t));
  const table = await catalog.createTable('db', 't', { tags: ['k'], fields: [{ name: 'v', type: 'float' }] });
  await catalog.createLastCache('db', 't', { name: 'old', keyColumns: undefined, valueColumns: undefined, count: 1, ttlSecs: 60 });
  const warnings: string[] = [];
  const caches = new ValueCaches({ catalog, clock, onWarning: (message) => warnings.push(message) });
  const sections = new Sections(table);
  const write = (v: number, timeSecs: number): void =>
    caches.apply(table, sections.of([row({ k: 'a' }, { v }, timeSecs)]), sections.series);
  return { catalog, caches, table, warnings, clock, write };
}

const lastRows = async (caches: ValueCaches, args: readonly string[]): Promise<unknown> =>
  caches.resolve('db', 'last_cache', args).rows(new Set());

const refusal = (caches: ValueCaches, ...args: (string | undefined)[]): string => {
  try {
    caches.resolve('db', 'last_cache', args);
  } catch (error) {
    assert.ok(error instanceof InfluxError);
    return error.message;
  }
  return assert.fail('it was not refused');
};

describe('all caches of a server', () => {
  test('those of the catalog exist from the start, later ones when they are made', async (t) => {
    const { catalog, caches, write } = await fixture(t);
    write(1, 1);
    assert.deepEqual(await lastRows(caches, ['t']), [['a', 1_000_000_000n, 1]]);
    await catalog.createLastCache('db', 't', { name: 'new', keyColumns: [], valueColumns: ['v'], count: 1, ttlSecs: 60 });
    write(2, 2);
    const { bytes, ...counts } = caches.totals('last');
    assert.deepEqual(
      [counts, bytes > 0, caches.totals('distinct')],
      [{ caches: 2, entries: 2 }, true, { caches: 0, entries: 0, bytes: 0 }],
    );
    assert.deepEqual(await lastRows(caches, ['t', 'new']), [[2, 2_000_000_000n]]);
    assert.match(refusal(caches, 't'), /could not find cache for the given arguments$/, 'a name is needed when there are two');
    await catalog.deleteLastCache('db', 't', 'old');
    assert.deepEqual(await lastRows(caches, ['t']), [[2, 2_000_000_000n]]);
    await catalog.deleteLastCache('db', 't', 'new');
    assert.match(refusal(caches, 't'), /could not find cache for the given arguments$/);
  });

  test('a table that is deleted takes its caches along', async (t) => {
    const { catalog, caches, write } = await fixture(t);
    await catalog.softDeleteTable('db', 't', { kind: 'never' });
    write(1, 1);
    assert.match(refusal(caches, 't'), /provided table name is invalid$/);
  });

  test('after rows were deleted the caches of their table start anew, and only those', async (t) => {
    const { catalog, caches, table, write } = await fixture(t);
    await catalog.createDistinctCache('db', 't', { name: 'd', columns: ['k'], maxCardinality: 10, maxAgeSecs: 4_000_000_000 });
    const distinct = (): Promise<unknown> => caches.resolve('db', 'distinct_cache', ['t']).rows(new Set(['k']));
    write(1, 10);
    caches.refresh(table.databaseId, table.id + 1);
    assert.deepEqual([await lastRows(caches, ['t']), await distinct()], [[['a', 10_000_000_000n, 1]], [['a']]]);
    caches.refresh(table.databaseId, table.id);
    assert.deepEqual([await lastRows(caches, ['t']), await distinct()], [[], []]);
    write(2, 5);
    assert.deepEqual([await lastRows(caches, ['t']), await distinct()], [[['a', 5_000_000_000n, 2]], [['a']]]);
  });

  test('evictions run at their own intervals and end with the server', async (t) => {
    const { caches, catalog, clock, write } = await fixture(t);
    const running = new Map<number, () => void>();
    const every = (ms: number, run: () => void): (() => void) => {
      running.set(ms, run);
      return () => running.delete(ms);
    };
    const query = (): Promise<QueryResult> => Promise.reject(new Error('not asked'));
    const history = new HistoryReader({ catalog, clock, query });
    caches.start({ every }, { lastEvictionIntervalMs: 10, distinctEvictionIntervalMs: 20 }, history);
    assert.deepEqual([...running.keys()], [10, 20]);
    write(1, 100);
    clock.forward(60_000);
    running.get(10)?.();
    write(2, 50);
    const { rows } = caches.resolve('db', 'last_cache', ['t']);
    assert.deepEqual(await rows(new Set()), [['a', 50_000_000_000n, 2]], 'the newest time was forgotten');
    caches.stop();
    caches.stop();
    assert.equal(running.size, 0);
  });

  test('a cache is filled once before its first use, and a failure of that only warns', async (t) => {
    const { caches, catalog, clock, warnings, write } = await fixture(t);
    const asked: SqlRequest[] = [];
    const query = (request: SqlRequest): Promise<QueryResult> => {
      asked.push(request);
      return Promise.reject(new Error('the disk is gone'));
    };
    caches.start(
      { every: () => () => undefined },
      { lastEvictionIntervalMs: 10, distinctEvictionIntervalMs: 10 },
      new HistoryReader({ catalog, clock, query }),
    );
    write(1, 1);
    assert.deepEqual(await lastRows(caches, ['t']), [['a', 1_000_000_000n, 1]]);
    assert.deepEqual(await lastRows(caches, ['t']), [['a', 1_000_000_000n, 1]]);
    assert.equal(asked.length, 1);
    assert.equal(asked[0]?.database, 'db');
    assert.deepEqual(warnings, ['a cache could not be filled from stored data']);
  });
});
