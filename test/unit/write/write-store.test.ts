// Runs alone: takes seconds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelTable, modelLine, type TestRow } from '../../support/model-table.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

/** A small deterministic generator, so that a failing run can be repeated. */
function random(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

function randomRow(pick: (n: number) => number): TestRow {
  const tags: Record<string, string> = {};
  if (pick(10) > 0) tags['host'] = `host-${pick(4)}`;
  if (pick(2) === 0) tags['region'] = `region number ${pick(3)}`;
  const fields: Record<string, number | bigint | string | boolean> = {};
  if (pick(2) === 0) fields['f'] = pick(1000) + 0.5;
  if (pick(2) === 0) fields['i'] = BigInt(pick(1000)) + 9_223_372_036_854_774_000n;
  if (pick(2) === 0) fields['u'] = 18_446_744_073_709_551_615n - BigInt(pick(9));
  if (pick(3) === 0) fields['s'] = `text, with "quotes" ${pick(50)}`;
  if (pick(3) === 0) fields['b'] = pick(2) === 0;
  if (Object.keys(fields).length === 0) fields['f'] = 0.25;
  return { tags, fields, timeNs: BigInt(pick(60)) * 67_000_000_000n + 1_700_000_000_000_000_000n };
}

function toLine(table: string, row: TestRow): string {
  const tags = Object.entries(row.tags)
    .map(([key, value]) => `,${key}=${value.replaceAll(' ', '\\ ')}`)
    .join('');
  const fields = Object.entries(row.fields).map(([key, value]) => {
    if (typeof value === 'string') return `${key}="${value.replaceAll('"', '\\"')}"`;
    if (typeof value === 'bigint') return `${key}=${value}${key}`;
    return `${key}=${String(value)}`;
  });
  return `${table}${tags} ${fields.join(',')} ${row.timeNs}`;
}

/** Merges files without waiting for them to settle. */
const EAGER = { maintenance: { compactionQuietMs: 0 } };

async function check(store: TestWriteStore, model: ModelTable, when: string): Promise<void> {
  const rows = await store.rows('db', 'm');
  assert.deepEqual(rows.map(modelLine).sort(), model.lines(), when);
}

test('one answer per key through writes, deletes, snapshots, compaction, crashes and restarts in any order', async (t) => {
  for (let seed = 1; seed <= 3; seed++) {
    const pick = random(seed * 7919);
    const model = new ModelTable();
    const directory = await temporaryDirectory(t);
    let store = await TestWriteStore.open(directory, EAGER);
    for (let step = 0; step < 14; step++) {
      const rows = Array.from({ length: 1 + pick(40) }, () => randomRow(pick));
      await store.write('db', rows.map((row) => toLine('m', row)).join('\n'));
      for (const row of rows) model.write(row);
      if (pick(3) === 0) {
        const startNs = BigInt(pick(60)) * 67_000_000_000n + 1_700_000_000_000_000_000n;
        const stopNs = startNs + BigInt(pick(20)) * 67_000_000_000n;
        const host = pick(5) === 0 ? '' : `host-${pick(4)}`;
        const byHost = pick(2) === 0;
        await store.writes.deleteRows('db', { startNs, stopNs, tags: byHost ? [['host', host]] : [] });
        model.delete((row) => row.timeNs >= startNs && row.timeNs <= stopNs && (!byHost || (row.tags['host'] ?? '') === host));
      }
      const action = pick(8);
      if (action === 0) await store.writes.snapshotNow();
      if (action === 1) {
        const survivor = await store.crashed(t, EAGER);
        await store.stop();
        store = survivor;
      }
      if (action === 2) {
        await store.stop();
        store = await TestWriteStore.open(store.directory, EAGER);
      }
      if (action >= 6) {
        await store.writes.snapshotNow();
        await store.writes.maintainNow();
      }
      await check(store, model, `seed ${seed} step ${step} action ${action}`);
    }
    await store.stop();
  }
});

test('a reader never misses or repeats a row while snapshots swap files for buffered rows', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t));
  let written = 0;
  let reading = true;
  const reader = (async () => {
    let reads = 0;
    while (reading) {
      await new Promise(setImmediate);
      const before = written;
      const rows = await store.rows('db', 'm');
      const keys = new Set(rows.map((row) => row.timeNs));
      assert.equal(keys.size, rows.length, 'no row twice');
      assert.ok(rows.length >= before, `${rows.length} rows seen, ${before} were acknowledged before the query`);
      reads++;
    }
    return reads;
  })();
  for (let round = 0; round < 8; round++) {
    for (let batch = 0; batch < 5; batch++) {
      const lines = Array.from({ length: 100 }, (_, i) => `m,host=h${i % 3} v=${i}i ${(written + i + 1) * 20_000_000_000}`);
      await store.write('db', lines.join('\n'));
      written += lines.length;
    }
    await store.writes.snapshotNow();
  }
  reading = false;
  assert.ok((await reader) > 0);
  assert.equal((await store.rows('db', 'm')).length, written);
  assert.ok(store.writes.parquetTotals.fileCount > 16);
  await store.stop();
});

test('totals of Parquet files equal what the files hold, also after a restart', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t));
  assert.deepEqual(store.writes.parquetTotals, { fileCount: 0, sizeBytes: 0, rowCount: 0 });
  await store.write('db', 'm,k=x a=1 1\nm,k=x b=2 1\nm,k=y a=1 1\nn v=1 700000000000');
  await store.writes.snapshotNow();
  const totals = store.writes.parquetTotals;
  assert.equal(totals.fileCount, 2);
  assert.equal(totals.rowCount, 3, 'two writes of one key are one row');
  await store.stop();
  const again = await TestWriteStore.open(store.directory);
  assert.deepEqual(again.writes.parquetTotals, totals);
  await again.stop();
});

test('columns that differ by case only are kept apart in the buffer and in Parquet', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t));
  await store.write('db', 'm,Host=a,host=b Val=1,val=2,VAL=3 1');
  const expected = ['1|Host=a,host=b|VAL=3,Val=1,val=2'];
  assert.equal((await store.writes.snapshot(store.writes.table('db', 'm') as never, undefined, undefined)).files.length, 0);
  await store.writes.snapshotNow();
  const table = store.writes.table('db', 'm');
  assert.ok(table);
  const { tableScanSql } = await import('../../../src/write/scan/index.ts');
  const { readRows } = await import('../../support/engine.ts');
  const snapshot = await store.writes.snapshot(table, undefined, undefined);
  assert.equal(snapshot.files.length, 1);
  const renamed = {
    ...table,
    columns: table.columns.map((column) => ({ ...column, name: column.type === 'time' ? 'time' : `c${column.id}_` })),
  };
  const source = tableScanSql({
    table,
    columns: table.columns.map((column, i) => ({ column, as: renamed.columns[i]?.name ?? '' })),
    files: snapshot.files,
    buffer: snapshot.buffer,
    chunkDurationNs: store.writes.chunkDurationNs,
    minTimeNs: undefined,
    maxTimeNs: undefined,
    cutoffNs: undefined,
  });
  const [row] = await readRows(store.engine, source, renamed);
  const named = (cells: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      table.columns.flatMap((column) => (cells[`c${column.id}_`] === undefined ? [] : [[column.name, cells[`c${column.id}_`]]])),
    );
  assert.deepEqual(
    [modelLine({ tags: named(row?.tags ?? {}) as never, fields: named(row?.fields ?? {}) as never, timeNs: row?.timeNs ?? 0n })],
    expected,
  );
  snapshot.release();
  await store.stop();
});
