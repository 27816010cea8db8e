import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeTime } from '../../../support/fake-time.ts';
import { until } from '../../../support/until.ts';
import { CHUNK_NS, TestWriteStore, temporaryDirectory } from '../../../support/write-store.ts';

/** Some 10 MB of rows of three chunks. */
function lines(first: number): string {
  const fields = Array.from({ length: 100 }, (_, k) => `f${k}=${k}i`).join(',');
  return Array.from({ length: 12_000 }, (_, i) => `m,k=k${i % 7} ${fields} ${BigInt(i % 3) * CHUNK_NS + BigInt(first + i)}`).join('\n');
}

test('what is buffered is persisted when writes pause, and not before', async (t) => {
  const timers = new FakeTime();
  const store = await TestWriteStore.open(await temporaryDirectory(t), { clock: timers, timers });
  await store.write('db', lines(0));
  await store.write('db', lines(12_000));
  timers.pass(750);
  await store.write('db', 'm,k=k1 f1=1i 24000');
  timers.pass(750); // the timer goes off, but the last write is younger
  await store.rows('db', 'm');
  assert.equal(store.writes.parquetTotals.fileCount, 0);
  timers.pass(750);
  await until(() => store.writes.bufferedBytes === 0);
  assert.equal(store.writes.parquetTotals.fileCount, 3);
  assert.equal(store.writes.parquetTotals.rowCount, 24_001);
  await store.stop();
});

test('little is left in the buffer when writes pause', async (t) => {
  const timers = new FakeTime();
  const store = await TestWriteStore.open(await temporaryDirectory(t), { clock: timers, timers });
  await store.write(
    'db',
    lines(0)
      .slice(0, 1_000_000)
      .replace(/\n[^\n]*$/, ''),
  );
  for (let i = 0; i < 5; i++) timers.pass(2_000);
  await store.rows('db', 'm');
  assert.equal(store.writes.parquetTotals.fileCount, 0);
  assert.ok(store.writes.bufferedBytes > 0);
  await store.stop();
});

test('rows that a start replays are persisted when nobody writes', async (t) => {
  const first = await TestWriteStore.open(await temporaryDirectory(t));
  await first.write('db', lines(0));
  await first.write('db', lines(12_000));
  const timers = new FakeTime();
  const store = await first.crashed(t, { clock: timers, timers });
  await first.stop();
  timers.pass(2_000);
  await until(() => store.writes.bufferedBytes === 0);
  assert.equal(store.writes.parquetTotals.rowCount, 24_000);
  await store.stop();
});
