import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelTable, modelLine, type TestRow } from '../../support/model-table.ts';
import { until } from '../../support/until.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';
import { GatedFileSystem } from './wal/wal-fixture.ts';

const MINUTE_NS = 60_000_000_000n;
const START_NS = 1_700_000_000_000_000_000n;

function rowsOf(prefix: string, count: number, timeNs: bigint, field = 'v'): TestRow[] {
  return Array.from({ length: count }, (_, i) => ({
    tags: { pod: `${prefix}-${i}` },
    fields: { [field]: BigInt(i) },
    timeNs: timeNs + BigInt(i),
  }));
}

function lines(rows: readonly TestRow[], table = 'm'): string {
  return rows
    .map(({ tags, fields, timeNs }) => {
      const values = Object.entries(fields).map(([name, value]) => `${name}=${value}i`);
      return `${table},pod=${tags['pod']} ${values.join(',')} ${timeNs}`;
    })
    .join('\n');
}

/** A store with a model of what it must hold. */
class Checked {
  readonly model = new ModelTable();
  readonly store: TestWriteStore;

  constructor(store: TestWriteStore) {
    this.store = store;
  }

  async write(rows: readonly TestRow[]): Promise<void> {
    await this.store.write('db', lines(rows));
    for (const row of rows) this.model.write(row);
  }

  async check(when: string, store: TestWriteStore = this.store): Promise<void> {
    const found = (await store.rows('db', 'm')).map(modelLine).sort();
    const expected = this.model.lines();
    assert.equal(found.length, expected.length, when);
    assert.ok(
      found.every((line, i) => line === expected[i]),
      when,
    );
  }
}

test('a table whose rows are all in files forgets its series, and knows them again when they are written', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t));
  const checked = new Checked(store);
  await checked.write(rowsOf('a', 3000, START_NS));
  await store.writes.maintainNow();
  assert.equal(store.writes.seriesInMemory, 3000, 'rows are buffered');
  for (let round = 0; round < 3; round++) {
    await store.writes.snapshotNow();
    await store.writes.maintainNow();
    assert.equal(store.writes.seriesInMemory, 0);
    await checked.check('forgotten');
    // In another order, some at times that files have, with another field, some new.
    await checked.write(rowsOf('a', 2000, START_NS, 'w').toReversed());
    await checked.write(rowsOf(`b${round}`, 1500, START_NS + MINUTE_NS));
    await checked.write(rowsOf('a', 3000, START_NS + 20n * MINUTE_NS * BigInt(round + 1)));
    await checked.check('written again');
    await checked.check('after a crash', await store.crashed(t));
  }
  await store.stop();
});

test('a table that is always written to forgets series that nobody writes any more, and no row', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), { maintenance: { idleSeriesMin: 3000 } });
  const checked = new Checked(store);
  let writing = true;
  let round = 0;
  const writers = Array.from({ length: 3 }, async (_, writer) => {
    while (writing) {
      const rows = rowsOf(`w${writer}-${round++}`, 200, START_NS + BigInt(round) * 10n * MINUTE_NS);
      await checked.write([...rows, { tags: { pod: `steady${writer}` }, fields: { v: BigInt(round) }, timeNs: rows[0]?.timeNs ?? 0n }]);
    }
  });
  let turnovers = 0;
  for (let series = 0; turnovers === 0 && round < 600; ) {
    await store.writes.maintainNow();
    if (store.writes.seriesInMemory < series) turnovers++;
    series = store.writes.seriesInMemory;
    await new Promise(setImmediate);
  }
  writing = false;
  await Promise.all(writers);
  assert.equal(turnovers, 1);
  await checked.check('live');
  await checked.check('after a crash', await store.crashed(t));
  await store.stop();
});

test('a dropped table frees its series, and what was on its way to it reaches no other table', async (t) => {
  const gate = new GatedFileSystem((path) => path.includes('/wal/'));
  gate.openGate();
  const store = await TestWriteStore.open(await temporaryDirectory(t), { maintenance: { deleteGraceMs: 1_000_000 } }, () => gate);
  await store.write('db', lines(rowsOf('a', 2000, START_NS)));
  assert.equal(store.writes.seriesInMemory, 2000);
  gate.closeGate();
  const late = store.write('db', lines(rowsOf('late', 2000, START_NS)));
  await until(async () => (gate.waiting.length > 0 ? true : undefined));
  await store.catalog.softDeleteTable('db', 'm', { kind: 'now' });
  await store.writes.maintainNow();
  assert.equal(store.writes.seriesInMemory, 0);
  gate.openGate();
  await late;
  assert.equal(store.writes.bufferedBytes, 0);
  assert.equal(store.writes.seriesInMemory, 0);
  const checked = new Checked(store);
  await checked.write(rowsOf('new', 500, START_NS));
  await checked.check('a new table of the name');
  await store.stop();
});

test('series of rows that are on their way are kept, though no row of the table is in memory', async (t) => {
  const gate = new GatedFileSystem((path) => path.includes('/wal/'));
  gate.openGate();
  const store = await TestWriteStore.open(await temporaryDirectory(t), {}, () => gate);
  const checked = new Checked(store);
  await checked.write(rowsOf('a', 2000, START_NS));
  await store.writes.snapshotNow();
  gate.closeGate();
  const late = checked.write([...rowsOf('a', 1500, START_NS + MINUTE_NS), ...rowsOf('b', 1500, START_NS)].toReversed());
  await until(async () => (gate.waiting.length > 0 ? true : undefined));
  await store.writes.maintainNow();
  assert.equal(store.writes.seriesInMemory, 3500);
  gate.openGate();
  await late;
  await checked.check('live');
  await store.writes.snapshotNow();
  await store.writes.maintainNow();
  assert.equal(store.writes.seriesInMemory, 0);
  await checked.check('forgotten');
  await store.stop();
});
