import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Log, silentLogger } from '../../../src/shared/logger.ts';
import type { DurableBatch } from '../../../src/write/index.ts';
import type { WriteOrigin } from '../../../src/write/write-service.ts';
import { TestWriteStore } from '../../support/write-store.ts';
import { temporaryDirectory } from '../storage/temp-directory.ts';

function valuesOf(batch: DurableBatch): number[] {
  return batch
    .sections()
    .flatMap(({ columns }) => columns.flatMap(({ data }) => [...new Float64Array(data.buffer, data.byteOffset, data.byteLength / 8)]));
}

test('listeners get the rows of each write once, in the order of the log, visible to queries, and none of replay', async (t) => {
  const directory = await temporaryDirectory(t);
  const store = await TestWriteStore.open(directory);
  const heard: { values: number[]; at: [number, number]; origin: WriteOrigin }[] = [];
  const end = store.writes.onDurable((batch) => {
    const { fileNumber, index } = batch.position;
    heard.push({ values: valuesOf(batch), at: [fileNumber, index], origin: batch.origin });
  });
  await store.write('db', 'm v=1 1'); // the table is new: this one is parsed twice
  await Promise.all(Array.from({ length: 50 }, (_, i) => store.write('db', `m v=${i + 2} ${i + 2}`)));
  await store.writes.write({
    database: 'db',
    body: Buffer.from('m v=52 52'),
    precision: 'nanosecond',
    acceptPartial: false,
    noSync: false,
    origin: { trigger: {} },
  });
  assert.deepEqual(
    heard.map(({ values }) => values),
    Array.from({ length: 52 }, (_, i) => [i + 1]),
  );
  for (const [i, { at }] of heard.entries()) {
    const before = heard[i - 1]?.at ?? [0, -1];
    assert.ok(at[0] > (before[0] as number) || (at[0] === before[0] && at[1] > (before[1] as number)), `position ${at} after ${before}`);
  }
  assert.deepEqual(
    heard.filter(({ origin }) => origin !== 'client').map(({ values }) => values),
    [[52]],
  );
  end();
  end();
  await store.write('db', 'm v=53 53');
  assert.equal(heard.length, 52);
  await store.stop();

  const again = await TestWriteStore.open(directory);
  const later: DurableBatch[] = [];
  again.writes.onDurable((batch) => later.push(batch));
  await again.write('db', 'm v=54 54');
  assert.deepEqual(later.map(valuesOf), [[54]]);
  await again.stop();
});

test('a listener that throws stops neither the write nor the other listeners', async (t) => {
  const errors: unknown[] = [];
  const log: Log = { ...silentLogger, error: (_message, fields) => errors.push(fields) };
  const store = await TestWriteStore.open(await temporaryDirectory(t), { log });
  const heard: number[] = [];
  store.writes.onDurable(() => {
    throw new Error('listener broke');
  });
  store.writes.onDurable((batch) => heard.push(...valuesOf(batch)));
  await store.write('db', 'm v=7 7');
  assert.deepEqual(heard, [7]);
  assert.match(JSON.stringify(errors), /listener broke/);
  await store.stop();
});
