// Runs alone: takes seconds.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Clock } from '../../../src/shared/clock.ts';
import { until } from '../../support/until.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

const MINUTE = 60_000_000_000n;
const DAY = 1440n * MINUTE;
const START = 20_000n * DAY;
const EAGER = { maintenance: { compactionQuietMs: 0 } };

/** A clock that the test moves. */
class TestClock implements Clock {
  wallNs = START + 10n * DAY;
  monotonic = 0;

  nowNs(): bigint {
    return this.wallNs;
  }

  nowMs(): number {
    return Number(this.wallNs / 1_000_000n);
  }

  monotonicMs(): number {
    return this.monotonic;
  }

  pass(ns: bigint): void {
    this.wallNs += ns;
    this.monotonic += Number(ns / 1_000_000n);
  }
}

async function parquetFiles(store: TestWriteStore): Promise<string[]> {
  // Directories may go while they are listed.
  const names = await readdir(join(store.directory, 'n1'), { recursive: true }).catch(() => undefined);
  if (names === undefined) return parquetFiles(store);
  return names.filter((name) => name.endsWith('.parquet')).sort();
}

/** One row every two hours from `START` on, each in a chunk of its own. */
function twoHours(table: string, count: number): string {
  return Array.from({ length: count }, (_, i) => `${table},k=x v=${1 + i}i ${START + BigInt(i) * 120n * MINUTE + 5n}`).join('\n');
}

/** One row every ten minutes from `START` on. */
function tenMinutes(table: string, count: number, value = 1): string {
  return Array.from({ length: count }, (_, i) => `${table},k=x v=${value + i}i ${START + BigInt(i) * 10n * MINUTE + 5n}`).join('\n');
}

/** Writes lines so that each is a file of its own. */
async function writeFiles(store: TestWriteStore, lines: string): Promise<void> {
  for (const line of lines.split('\n')) {
    await store.write('db', line);
    await store.writes.snapshotNow();
  }
}

test('the small files of a day that is over become one file with the same rows', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), EAGER);
  await writeFiles(store, twoHours('m', 14));
  assert.equal(store.writes.parquetTotals.fileCount, 14);
  const before = await store.rows('db', 'm');
  await store.writes.maintainNow();
  // The first day is over: one file. The two rows of the second day are alone in their hours.
  assert.equal(store.writes.parquetTotals.fileCount, 3);
  assert.equal(store.writes.parquetTotals.rowCount, 14);
  const sorted = (rows: typeof before) => rows.map((row) => `${row.timeNs} ${row.fields['v']}`).sort();
  assert.deepEqual(sorted(await store.rows('db', 'm')), sorted(before));
  await until(async () => (await parquetFiles(store)).length === 3);
  assert.ok((await parquetFiles(store)).some((path) => /^dbs\/1\/0\/2024-10-04\/00-00\/c\d{10}\.parquet$/.test(path)));
  const { bytesIn, bytesOut, durationMs, filesIn, lastEndedAtMs = 0 } = store.writes.compaction;
  assert.deepEqual([filesIn, bytesIn > bytesOut, bytesOut > 0, durationMs > 0, lastEndedAtMs > 0], [12, true, true, true, true]);
  await store.stop();
  const again = await TestWriteStore.open(store.directory, EAGER);
  assert.deepEqual(sorted(await again.rows('db', 'm')), sorted(before));
  await again.stop();
});

test('the small files of an hour that is over become one file while the day goes on', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), EAGER);
  await writeFiles(store, tenMinutes('m', 8));
  assert.equal(store.writes.parquetTotals.fileCount, 8);
  await store.writes.maintainNow();
  assert.equal(store.writes.parquetTotals.fileCount, 3);
  assert.equal((await store.rows('db', 'm')).length, 8);
  await store.stop();
});

test('late rows win over rows of a merged file, before and after they are merged too', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), EAGER);
  await store.write('db', twoHours('m', 14));
  await store.writes.snapshotNow();
  await store.writes.maintainNow();
  const late = START + 600n * MINUTE + 5n;
  const expected = async (value: bigint | undefined, extra: number | undefined): Promise<void> => {
    const rows = await store.rows('db', 'm');
    assert.equal(rows.length, 14);
    const row = rows.find((each) => each.timeNs === late);
    assert.deepEqual(row?.fields, extra === undefined ? { v: value } : { v: value, w: extra });
  };
  await expected(6n, undefined);
  await store.write('db', `m,k=x w=1.5 ${late}`);
  await expected(6n, 1.5);
  await store.writes.snapshotNow();
  await expected(6n, 1.5);
  await store.write('db', `m,k=x v=99i ${late}`);
  await store.writes.snapshotNow();
  await expected(99n, 1.5);
  assert.equal(store.writes.parquetTotals.fileCount, 5);
  await store.writes.maintainNow();
  assert.equal(store.writes.parquetTotals.fileCount, 3);
  assert.equal(store.writes.parquetTotals.rowCount, 14);
  await expected(99n, 1.5);
  await store.stop();
});

test('a file that a reader knows stays until the reader has finished', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), EAGER);
  await writeFiles(store, twoHours('m', 14));
  const table = store.writes.table('db', 'm');
  assert.ok(table);
  const reader = await store.writes.snapshot(table, undefined, undefined);
  await store.writes.maintainNow();
  assert.equal(store.writes.parquetTotals.fileCount, 3);
  for (const file of reader.files) assert.ok(existsSync(file.path), file.path);
  const later = await store.writes.snapshot(table, undefined, undefined);
  reader.release();
  await until(async () => !existsSync(reader.files[0]?.path ?? ''));
  for (const file of later.files) assert.ok(existsSync(file.path), file.path);
  later.release();
  await until(async () => (await parquetFiles(store)).length === 3);
  await store.stop();
});

test('files that a crash left between the change of the index and their deletion go at the next start', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), EAGER);
  await writeFiles(store, twoHours('m', 14));
  const table = store.writes.table('db', 'm');
  assert.ok(table);
  const reader = await store.writes.snapshot(table, undefined, undefined); // keeps all files on disk
  await store.writes.maintainNow();
  const survivor = await store.crashed(t, EAGER);
  assert.equal((await parquetFiles(survivor)).length, 3);
  assert.equal((await survivor.rows('db', 'm')).length, 14);
  await survivor.stop();
  reader.release();
  await store.stop();
});

test('retention removes files without any write, and the totals follow', async (t) => {
  const clock = new TestClock();
  const options = { clock, maintenance: { retentionCheckMs: 1_800_000, compactionQuietMs: 1e12 } };
  const store = await TestWriteStore.open(await temporaryDirectory(t), options);
  await writeFiles(store, tenMinutes('m', 12));
  await store.catalog.setRetention('db', 10n * DAY);
  clock.pass(29n * MINUTE);
  await store.writes.maintainNow();
  assert.equal(store.writes.parquetTotals.fileCount, 9, 'rows of the first three chunks are older than ten days');
  clock.pass(2n * 60n * MINUTE);
  await store.writes.maintainNow();
  assert.deepEqual(store.writes.parquetTotals, { fileCount: 0, sizeBytes: 0, rowCount: 0 });
  await until(async () => (await parquetFiles(store)).length === 0);
  await store.stop();
  const again = await TestWriteStore.open(store.directory, options);
  assert.equal(again.writes.parquetTotals.fileCount, 0);
  await again.stop();
});

test('a clock that jumps forward does not cost data at the next sweep', async (t) => {
  const clock = new TestClock();
  const options = { clock, maintenance: { compactionQuietMs: 1e12 } };
  const store = await TestWriteStore.open(await temporaryDirectory(t), options);
  await store.write('db', tenMinutes('m', 3));
  await store.writes.snapshotNow();
  await store.catalog.setRetention('db', 30n * DAY);
  clock.wallNs += 365n * DAY;
  await store.writes.maintainNow();
  assert.equal(store.writes.parquetTotals.fileCount, 3);
  clock.wallNs -= 365n * DAY;
  await store.writes.maintainNow();
  assert.equal(store.writes.parquetTotals.fileCount, 3);
  assert.equal((await store.rows('db', 'm')).length, 3);
  await store.stop();
});

test('a table deleted with hard_delete_at=now gives its bytes back, its name is free, and its entry goes after the grace period', async (t) => {
  const clock = new TestClock();
  const options = { clock, maintenance: { deleteGraceMs: 60_000 } };
  const store = await TestWriteStore.open(await temporaryDirectory(t), options);
  await store.write('db', tenMinutes('m', 3));
  await store.writes.snapshotNow();
  await store.write('db', tenMinutes('m', 5, 100));
  await store.write('db', 'other v=1 1');
  const old = store.writes.table('db', 'm');
  assert.ok(old);
  const reader = await store.writes.snapshot(old, undefined, undefined);
  await store.catalog.softDeleteTable('db', 'm', { kind: 'now' });
  await until(async () => store.writes.parquetTotals.fileCount === 0);
  assert.equal((await store.rows('db', old.name)).length, 0);
  reader.release();
  await until(async () => (await parquetFiles(store)).length === 0);
  await store.write('db', 'm v=7i 1');
  assert.deepEqual((await store.rows('db', 'm')).length, 1);
  assert.notEqual(store.writes.table('db', 'm')?.id, old.id);
  const survivor = await store.crashed(t, options);
  await survivor.writes.maintainNow();
  assert.equal((await survivor.rows('db', old.name)).length, 0, 'rows of the log are dropped again');
  assert.equal((await survivor.rows('db', 'm')).length, 1);
  await survivor.stop();
  clock.pass(MINUTE);
  await store.writes.maintainNow();
  assert.equal(store.catalog.tableById(1, old.id), undefined);
  assert.equal((await store.rows('db', 'other')).length, 1);
  await store.stop();
});

test('a deleted database goes with all its tables, files and buffered rows', async (t) => {
  const clock = new TestClock();
  const options = { clock, maintenance: { deleteGraceMs: 0 } };
  const store = await TestWriteStore.open(await temporaryDirectory(t), options);
  await store.write('gone', `a v=1 1\nb v=1 1`);
  await store.write('kept', 'a v=1 1');
  await store.writes.snapshotNow();
  await store.write('gone', 'a v=2 2');
  const id = store.catalog.database('gone')?.id ?? -1;
  await store.catalog.softDeleteDatabase('gone', { kind: 'at', timeNs: clock.nowNs() + MINUTE });
  await store.writes.maintainNow();
  assert.equal(store.writes.parquetTotals.fileCount, 3, 'not yet');
  clock.pass(MINUTE);
  await store.writes.maintainNow();
  assert.equal(store.writes.parquetTotals.fileCount, 1);
  assert.equal(store.catalog.databaseById(id), undefined);
  assert.equal((await store.rows('kept', 'a')).length, 1);
  await store.write('gone', 'a v=3 3');
  assert.equal((await store.rows('gone', 'a')).length, 1);
  await store.stop();
});

test('a damaged snapshot info costs nothing: the file index knows what it said', async (t) => {
  for (const which of [0, 1]) {
    const store = await TestWriteStore.open(await temporaryDirectory(t), EAGER);
    await store.write('db', tenMinutes('m', 3));
    await store.writes.snapshotNow();
    await store.write('db', tenMinutes('m', 3, 100));
    await store.writes.snapshotNow();
    const before = (await store.rows('db', 'm')).map((row) => `${row.timeNs} ${row.fields['v']}`).sort();
    await store.stop();
    const directory = join(store.directory, 'n1', 'snapshots');
    const path = join(directory, (await readdir(directory))[which] as string);
    const bytes = await readFile(path);
    bytes[200] = (bytes[200] as number) ^ 1;
    await writeFile(path, bytes);
    for (let restart = 0; restart < 2; restart++) {
      const again = await TestWriteStore.open(store.directory, EAGER);
      assert.deepEqual((await again.rows('db', 'm')).map((row) => `${row.timeNs} ${row.fields['v']}`).sort(), before);
      await again.write('db', `m,k=y v=1i ${restart}`);
      before.push(`${restart} 1`);
      before.sort();
      await again.writes.snapshotNow();
      await again.stop();
    }
  }
});

test('a buffer limit of almost nothing bounds the buffer and loses nothing', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), { forceSnapshotBytes: 200_000, clock: new TestClock() });
  let largest = 0;
  for (let batch = 0; batch < 30; batch++) {
    const lines = Array.from({ length: 1_000 }, (_, i) => `m,k=k${i % 5} v=${i}i,w=1.5 ${START + BigInt(batch * 1_000 + i) * 1_000_000n}`);
    await store.write('db', lines.join('\n'));
    largest = Math.max(largest, store.writes.bufferedBytes);
  }
  assert.ok(largest < 1_000_000, `${largest} bytes buffered`);
  assert.ok(store.writes.parquetTotals.fileCount > 0, 'the limit forced snapshots');
  assert.equal((await store.rows('db', 'm')).length, 30_000);
  await store.stop();
});

test('a changed byte anywhere in a Parquet file is noticed, and never merged into another file', async (t) => {
  const first = await TestWriteStore.open(await temporaryDirectory(t));
  await writeFiles(first, twoHours('m', 14));
  await first.stop();
  const path = join(first.directory, 'n1', (await parquetFiles(first))[3] as string);
  const whole = await readFile(path);
  // Each look needs a store that has not seen the file yet.
  const positions = Array.from({ length: 12 }, (_, i) => Math.floor(((whole.length - 1) * i) / 11));
  for (const at of positions) {
    const damaged = Buffer.from(whole);
    damaged[at] = (whole[at] ?? 0) ^ 0x10;
    await writeFile(path, damaged);
    const store = await TestWriteStore.open(first.directory, EAGER);
    await assert.rejects(store.rows('db', 'm'), { code: 'PARQUET_DAMAGED' }, `byte ${at} of ${whole.length}`);
    await store.writes.maintainNow();
    assert.deepEqual(store.writes.compaction.filesIn, 0, 'nothing of that day is merged');
    assert.equal(store.writes.damagedFiles, 1);
    await store.stop();
  }
  await writeFile(path, whole);
  const healed = await TestWriteStore.open(first.directory, EAGER);
  assert.equal((await healed.rows('db', 'm')).length, 14);
  await healed.writes.maintainNow();
  assert.equal(healed.writes.compaction.filesIn, 12);
  await healed.stop();
});

test('stopping ends a merge under way: nothing of it is left and no row is lost', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), EAGER);
  for (let part = 0; part < 2; part++) {
    const lines = Array.from({ length: 60_000 }, (_, i) => `m,k=x${i % 7} v=${i}i ${START + BigInt(i * 2 + part) * 1_000_000n}`);
    await store.write('db', lines.join('\n'));
    await store.writes.snapshotNow();
  }
  await store.write('db', twoHours('later', 1));
  await store.write('db', `m v=1i ${START + 2n * DAY}`);
  await store.writes.snapshotNow();
  const merging = store.writes.maintainNow();
  await until(async () =>
    (await readdir(join(store.directory, 'n1'), { recursive: true })).some((name) => /c\d{10}\.parquet\.\w+$/.test(name)),
  );
  await store.stop();
  await merging;
  assert.deepEqual(store.writes.compaction.runs, 0, 'the merge was ended, not waited for');
  const again = await TestWriteStore.open(store.directory);
  assert.equal((await again.rows('db', 'm')).length, 120_001);
  assert.deepEqual(
    (await readdir(join(store.directory, 'n1'), { recursive: true })).filter((name) => /c\d{10}\.parquet/.test(name)),
    [],
  );
  await again.stop();
});
