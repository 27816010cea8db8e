// Runs alone: takes seconds.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TestRow, TestValue } from '../../support/model-table.ts';
import { modelLine } from '../../support/model-table.ts';
import { CHUNK_NS, TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

const SETTINGS = { maintenance: { compactionQuietMs: 0, deleteGraceMs: 0 }, retryPauseMs: 1 };

/** Writes the lines in two halves with a snapshot after each, merges the files, restarts; reads everything at every stop. */
async function persists(t: TestContext, lines: readonly string[], expected: readonly TestRow[]): Promise<void> {
  const directory = await temporaryDirectory(t);
  const store = await TestWriteStore.open(directory, SETTINGS);
  const half = Math.ceil(lines.length / 2);
  const all = expected.map(modelLine).sort();
  const check = async (opened: TestWriteStore, when: string): Promise<void> => {
    assert.deepEqual((await opened.rows('db', 'm')).map(modelLine).sort(), all, when);
  };
  await store.write('db', lines.slice(0, half).join('\n'));
  await store.writes.snapshotNow();
  if (half < lines.length) await store.write('db', lines.slice(half).join('\n'));
  await check(store, 'buffered');
  const survivor = await store.crashed(t, SETTINGS);
  await check(survivor, 'after a crash');
  await survivor.stop();
  await store.write('db', 'other v=1 1');
  await store.writes.snapshotNow();
  assert.equal(store.writes.bufferedBytes, 0, 'the snapshot takes every table');
  assert.ok((await readdir(join(directory, 'n1', 'wal'))).length <= 1, 'all of the log goes but the file that is ready for the next write');
  await check(store, 'in files');
  await store.writes.maintainNow();
  await check(store, 'merged');
  await store.stop();
  const again = await TestWriteStore.open(directory, SETTINGS);
  await check(again, 'after a restart');
  await again.stop();
}

/** One row a time, each with one of the fields and the tag. */
async function persistsNames(t: TestContext, fields: readonly string[], tags: readonly string[] = []): Promise<void> {
  const lines: string[] = [];
  const rows: TestRow[] = [];
  const escaped = (name: string): string => name.replaceAll(/[,= \\]/g, '\\$&');
  for (let i = 0; i < 6; i++) {
    const timeNs = BigInt(i) * (CHUNK_NS / 3n);
    const own: Record<string, TestValue> = {};
    fields.forEach((name, k) => {
      if ((i + k) % 3 !== 2) own[name] = BigInt(i * 100 + k);
    });
    if (Object.keys(own).length === 0) own[fields[0] as string] = 7n;
    const tagged = Object.fromEntries(tags.map((name, k) => [name, `v${(i + k) % 2}`]));
    const tagText = Object.entries(tagged).map(([name, value]) => `,${escaped(name)}=${value}`);
    const fieldText = Object.entries(own).map(([name, value]) => `${escaped(name)}=${value}i`);
    lines.push(`m${tagText.join('')} ${fieldText.join(',')} ${timeNs}`);
    rows.push({ tags: tagged, fields: own, timeNs });
  }
  await persists(t, lines, rows);
}

const SETS: readonly (readonly [string, readonly string[], (readonly string[])?])[] = [
  ['a field `Time` in the first write', ['Time']],
  ['fields `TIME` and `Time`', ['TIME', 'Time']],
  ['a tag `Time`', ['v'], ['Time']],
  ['tags and fields that differ from `time` by case', ['TiME'], ['TIME', 'Time']],
  ['`A`, `a` and `a__1`', ['A', 'a', 'a__1']],
  ['`a__1`, `A` and `a` as tags and fields', ['a__1', 'b'], ['A', 'a', 'a__2', 'A__1']],
  ['names whose second names are taken too', ['A', 'a', 'a__1', 'a__1_2', 'A__1', 'time__0', 'TIME']],
  ['NUL in a field', ['a\0b', 'a\0c', 'a\u2400b', '\0']],
  ['NUL in a tag', ['v'], ['a\0b', 'a\u2400b', 'A\0B']],
  ['control characters', ['\x01', 'a\x7f', 'a\x1bb', '\r', 'x\r'], ['\x02']],
  ['quotes and comment signs', ['"', "'", '--', '/*', 'a;b', '$time$', '"time"']],
  [
    'names that statements use inside',
    ['sid', 'ord', 'rn', 'rowid', 'b', 's', 'k', 'r', 'o', 'rows', 'c0', 'm0', 'v0', 'series_rank'],
    ['f', 'g', 'file_index', 'filename', 'j'],
  ],
  ['names of InfluxDB', ['iox::measurement', '__chunk', '_field'], ['_measurement', '_time']],
  ['letters beyond ASCII that have a case', ['É', 'é', 'İ', 'i̇', 'ß', 'SS', 'K'], ['Ω', 'ω']],
];

for (const [what, fields, tags] of SETS) test(`a table with ${what} is persisted`, (t) => persistsNames(t, fields, tags));

test('a tag value with a NUL can be deleted and filtered, and the table goes on', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await TestWriteStore.open(directory, SETTINGS);
  await store.write('db', 'm,k=a\0b v=1i 1\nm,k=a v=2i 2');
  await store.writes.snapshotNow();
  await store.write('db', 'm,k=a\0b v=3i 3\nm,k=a v=4i 4');
  await store.writes.deleteRows('db', { startNs: 0n, stopNs: 10n, table: 'm', tags: [['k', 'a\0b']] });
  const left = ['2|k=a|v=2', '4|k=a|v=4'];
  assert.deepEqual((await store.rows('db', 'm')).map(modelLine).sort(), left);
  await store.writes.snapshotNow();
  await store.writes.maintainNow();
  assert.deepEqual((await store.rows('db', 'm')).map(modelLine).sort(), left);
  await store.stop();
});

const EARLIEST = -(2n ** 63n) + 2n;
const LATEST = 2n ** 63n - 2n;

for (const [what, times] of [
  ['the first chunk of int64', [EARLIEST, EARLIEST + 1n, EARLIEST + CHUNK_NS]],
  ['the first day of int64', [EARLIEST + 7n, EARLIEST + 40n * CHUNK_NS, EARLIEST + 300n * CHUNK_NS]],
  ['the last chunk of int64', [LATEST, LATEST - 1n, LATEST - CHUNK_NS]],
  ['both ends of int64', [EARLIEST, 0n, LATEST, -1n]],
] as const) {
  test(`rows at ${what} are persisted`, async (t) => {
    const rows = times.map((timeNs, i): TestRow => ({ tags: { k: `k${i % 2}` }, fields: { v: BigInt(i) }, timeNs }));
    await persists(
      t,
      rows.map((row) => `m,k=${row.tags['k']} v=${row.fields['v']}i ${row.timeNs}`),
      rows,
    );
  });
}

test('repeated keys at both ends of int64 keep their newest values', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), SETTINGS);
  for (const [n, field] of ['a', 'b', 'a'].entries()) {
    await store.write('db', [EARLIEST, LATEST].map((timeNs) => `m,k=x ${field}=${n}i ${timeNs}`).join('\n'));
    if (n < 2) await store.writes.snapshotNow();
  }
  const expected = [`${EARLIEST}|k=x|a=2,b=1`, `${LATEST}|k=x|a=2,b=1`];
  assert.deepEqual((await store.rows('db', 'm')).map(modelLine).sort(), expected);
  await store.writes.snapshotNow();
  await store.writes.maintainNow();
  assert.deepEqual((await store.rows('db', 'm')).map(modelLine).sort(), expected);
  await store.writes.deleteRows('db', { startNs: -(2n ** 63n), stopNs: -1n, table: 'm', tags: [] });
  assert.deepEqual((await store.rows('db', 'm')).map(modelLine), expected.slice(1));
  await store.stop();
});

test('retention longer than time itself hides nothing', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), SETTINGS);
  await store.write('db', `m v=1i ${EARLIEST}`);
  await store.catalog.setRetention('db', 2n ** 64n);
  assert.deepEqual((await store.rows('db', 'm')).map(modelLine), [`${EARLIEST}||v=1`]);
  await store.writes.snapshotNow();
  assert.deepEqual((await store.rows('db', 'm')).map(modelLine), [`${EARLIEST}||v=1`]);
  await store.stop();
});

for (const [timestamp, precision] of [
  [-(2n ** 63n), 'Nanosecond'],
  [-(2n ** 63n) + 1n, 'Nanosecond'],
  [2n ** 63n - 1n, 'Nanosecond'],
] as const) {
  test(`the time ${timestamp}, which DuckDB keeps for itself, is refused with its line`, async (t) => {
    const store = await TestWriteStore.open(await temporaryDirectory(t), SETTINGS);
    for (const before of ['', 'm v=1i 5\n']) {
      await assert.rejects(store.write('db', `${before}m v=1i ${timestamp}`), {
        lineError: {
          errorMessage: `timestamp, ${timestamp}, out of range for precision: ${precision}`,
          lineNumber: before === '' ? 1 : 2,
          originalLine: `m v=1i ${timestamp}`.slice(0, 20),
        },
      });
      await store.write('db', 'm v=1i 5');
    }
    await store.stop();
  });
}
