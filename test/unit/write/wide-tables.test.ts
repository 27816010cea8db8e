// Runs alone: measures the memory of its process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { modelLine } from '../../support/model-table.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

const FIELDS = 300;
/** Names of one length, so that they sort as their numbers do. */
const name = (field: number): string => `f${1_000 + field}`;

const PEAK_BYTES_MAX = 400 * 1024 * 1024;

function line(fields: readonly number[], value: number, timeNs: number): string {
  return `m,k=a ${fields.map((field) => `${name(field)}=${value + field}i`).join(',')} ${timeNs}`;
}

test('rows of several hundred fields that come twice are merged in little memory, in queries and in files', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t));
  const all = Array.from({ length: FIELDS }, (_, i) => i);
  const odd = all.filter((field) => field % 2 === 1);
  for (let time = 0; time < 20; time++) await store.write('db', line(all, 1_000, time));
  for (let time = 0; time < 20; time++) await store.write('db', line(odd, 5_000, time));
  const check = async (): Promise<void> => {
    const rows = await store.rows('db', 'm');
    assert.equal(rows.length, 20);
    for (const row of rows) {
      const wanted = all.map((field) => `${name(field)}=${(field % 2 === 1 ? 5_000 : 1_000) + field}`);
      assert.equal(modelLine(row).split('|')[2], wanted.join(','));
    }
  };
  await check();
  await store.writes.snapshotNow();
  assert.equal(store.writes.parquetTotals.rowCount, 20);
  await check();
  await store.stop();
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  assert.ok(peakBytes < PEAK_BYTES_MAX, `${peakBytes} bytes at the peak`);
});
