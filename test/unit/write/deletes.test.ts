import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDeletePredicate } from '../../../src/write/deletes/index.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

const EAGER = { maintenance: { compactionQuietMs: 0 } };
const ALL = { startNs: -(2n ** 63n), stopNs: 2n ** 63n - 1n };

async function values(store: TestWriteStore, table = 'm'): Promise<string[]> {
  const rows = await store.rows('db', table);
  return rows.map((row) => `${row.timeNs}:${row.tags['k'] ?? ''}=${row.fields['v']}`).sort();
}

test('a delete takes rows of files and of the buffer, both ends of its range included, and spares later rows', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), EAGER);
  await store.write('db', 'm,k=a v=1i 10\nm,k=a v=2i 20\nm,k=b v=3i 20\nm,k=a v=4i 30');
  await store.writes.snapshotNow();
  await store.write('db', 'm,k=a v=5i 40\nm v=6i 40');
  await store.writes.deleteRows('db', { startNs: 20n, stopNs: 40n, table: 'm', tags: [['k', 'a']] });
  const after = ['10:a=1', '20:b=3', '40:=6'];
  assert.deepEqual(await values(store), after);
  await store.write('db', 'm,k=a v=7i 30');
  const rewritten = [...after, '30:a=7'].sort();
  assert.deepEqual(await values(store), rewritten);
  const crashed = await store.crashed(t, EAGER);
  assert.deepEqual(await values(crashed), rewritten, 'after a crash');
  await crashed.stop();
  await store.writes.snapshotNow();
  assert.deepEqual(await values(store), rewritten);
  await store.writes.maintainNow();
  assert.deepEqual(await values(store), rewritten);
  assert.equal(store.writes.parquetTotals.rowCount, 4, 'compaction leaves deleted rows out for good');
  await store.stop();
  const again = await TestWriteStore.open(store.directory, EAGER);
  assert.deepEqual(await values(again), rewritten, 'after a restart');
  await again.stop();
});

test('a delete without a table means every table in which its tags exist; an empty value means rows without the tag', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), EAGER);
  await store.write('db', 'm,k=a v=1i 1\nm v=2i 1\nn,k=a v=1i 1\nplain v=1i 1');
  await store.writes.deleteRows('db', { ...ALL, tags: [['k', 'a']] });
  assert.deepEqual([await values(store), await values(store, 'n'), await values(store, 'plain')], [['1:=2'], [], ['1:=1']]);
  await store.writes.deleteRows('db', { ...ALL, tags: [['k', '']] });
  assert.deepEqual([await values(store), await values(store, 'plain')], [[], []]);
  await assert.rejects(store.writes.deleteRows('nothing', { ...ALL, tags: [] }), { code: 'DATABASE_NOT_FOUND' });
  await store.stop();
});

test('everything deleted and compacted leaves no file behind', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), EAGER);
  await store.write('db', 'm v=1i 1\nm v=2i 700000000000');
  await store.writes.snapshotNow();
  await store.writes.deleteRows('db', { ...ALL, tags: [] });
  assert.deepEqual(await values(store), []);
  await store.writes.maintainNow();
  assert.equal(store.writes.parquetTotals.fileCount, 0);
  await store.stop();
});

test('delete predicates: tags and the measurement joined with AND', () => {
  assert.deepEqual(parseDeletePredicate(''), { table: undefined, exceptTables: [], tags: [] });
  assert.deepEqual(parseDeletePredicate('_measurement="cpu load" AND host=\'a\' and "re gion" = "x\\"y"'), {
    table: 'cpu load',
    exceptTables: [],
    tags: [
      ['host', 'a'],
      ['re gion', 'x"y'],
    ],
  });
  assert.deepEqual(parseDeletePredicate('host=""').tags, [['host', '']]);
  assert.deepEqual(parseDeletePredicate('(t1=v1 and t2!="v2") AND ((_measurement!=m) and (t3 != 4 AND t3 != 5))'), {
    table: undefined,
    exceptTables: ['m'],
    tags: [
      ['t1', 'v1'],
      ['t2', 'v2', 'not'],
      ['t3', '4', 'not'],
      ['t3', '5', 'not'],
    ],
  });
});

test('delete predicates that are not supported are refused with the reason and the position', () => {
  const refused: [string, string][] = [
    ['a="1" OR b="2"', 'the logical operator OR is not supported yet at position 6'],
    ['a=~"1"', 'the comparison operator =~ is not supported yet at position 1'],
    ['(a="1" AND b="2"', "bad logical expression, expected ')', at position 16"],
    ['a="1") AND b="2"', 'bad logical expression, expected AND, at position 5'],
    ['_time="1"', "'_time' cannot be used in a delete predicate at position 0"],
    ['NOT a="1"', 'the logical operator NOT is not supported yet at position 0'],
    ['a="1" b="2"', 'bad logical expression, expected AND, at position 6'],
    ['a=', 'bad expression, expected a tag value, at position 2'],
    ['a="1" AND', 'bad expression, expected a tag key, at position 9'],
    ['_field="f"', "'_field' cannot be used in a delete predicate at position 0"],
    ['a="1" AND a="2"', "tag 'a' is given twice at position 10"],
    ['a="open', 'bad expression, expected a tag value, at position 2'],
  ];
  for (const [text, detail] of refused) {
    assert.throws(() => parseDeletePredicate(text), { status: 400, message: `invalid delete predicate: ${detail}` }, text);
  }
});
