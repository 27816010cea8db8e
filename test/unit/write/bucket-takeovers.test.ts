// Runs alone: takes seconds.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { KnownRows, scenarioRows, writeScenario } from '../../support/fault-scenario.ts';
import { FreezingBucket } from '../../support/freezing-bucket.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

const SETTINGS = {
  maintenance: { compactionQuietMs: 0, deleteGraceMs: 0 },
  retryPauseMs: 1,
  wal: { flushIntervalMs: 1, filesPerSnapshot: 600, maxBufferedWrites: 1000, snapshottedFilesToKeep: 0, replayFailOnError: false },
};

/** Operations that are left out between two that are tried; `FAULT_STEP=1` tries every one. */
const STEP = Number(process.env['FAULT_STEP'] ?? 17);

/** A store whose directory is new: nothing but the bucket tells it anything. */
async function open(t: TestContext, bucket: MemoryObjectStore): Promise<TestWriteStore> {
  return TestWriteStore.open(await temporaryDirectory(t), SETTINGS, undefined, undefined, bucket);
}

async function countOperations(t: TestContext): Promise<number> {
  const bucket = new FreezingBucket(new MemoryObjectStore());
  const store = await open(t, bucket);
  const known = new KnownRows();
  await writeScenario(store, known);
  known.check(await store.rows('db', 'm'), 'without any fault');
  await store.stop();
  const again = await open(t, bucket);
  known.check(await again.rows('db', 'm'), 'on another machine');
  await known.checkDeleted(again, 'on another machine');
  await again.stop();
  return bucket.operations;
}

test('whatever operation a process is frozen in, the next one has all rows, and goes on unharmed when the first thaws', async (t) => {
  const total = await countOperations(t);
  t.diagnostic(`${total} operations`);
  let takeovers = 0;
  for (let at = 3; at < total; at += STEP) {
    const when = at % 2 === 0 ? 'before' : 'after';
    const what = `frozen ${when} operation ${at}`;
    const shared = new MemoryObjectStore();
    const bucket = new FreezingBucket(shared, at, when);
    const known = new KnownRows();
    const opening = open(t, bucket);
    const running = opening.then((store) => writeScenario(store, known)).catch(() => undefined); // it is taken over
    await Promise.race([running, bucket.frozen.promise]);
    const next = await open(t, new MemoryObjectStore(shared));
    assert.deepEqual(next.writes.lostRows, [], what);
    known.check(await next.rows('db', 'm'), what);
    await known.checkDeleted(next, what);
    await known.write(next, scenarioRows(7, 'c', 900n));
    bucket.thaw();
    await running;
    const refusal = await known.write(next, scenarioRows(9, 'c', 950n)).catch((error: unknown) => String(error));
    if (refusal === undefined) {
      await next.writes.snapshotNow();
      await next.writes.maintainNow();
      known.check(await next.rows('db', 'm'), `${what}, thawed`);
    } else {
      // One that froze before its claim takes over in its turn when it thaws.
      assert.match(refusal, /ahead of this one/);
      takeovers++;
    }
    await opening.then((store) => store.stop()).catch(() => undefined);
    await next.stop().catch(() => undefined); // the catalog is another's
    const last = await open(t, new MemoryObjectStore(shared));
    known.check(await last.rows('db', 'm'), `${what}, on a third machine`);
    await known.checkDeleted(last, `${what}, on a third machine`);
    await last.stop();
  }
  assert.ok(takeovers > 0 && takeovers * STEP < total, `${takeovers} of them took over when they thawed`);
});

test('whichever requests and answers are lost, what was acknowledged is there once', async (t) => {
  for (const seed of [1, 2]) {
    const shared = new MemoryObjectStore();
    const bucket = new MemoryObjectStore(shared);
    let state = seed;
    const random = (): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state / 2 ** 31;
    };
    const store = await open(t, bucket);
    bucket.lost = () => (random() < 0.3 ? (random() < 0.5 ? 'request' : 'answer') : undefined);
    const known = new KnownRows();
    await writeScenario(store, known);
    known.check(await store.rows('db', 'm'), `seed ${seed}`);
    const next = await open(t, new MemoryObjectStore(shared));
    known.check(await next.rows('db', 'm'), `seed ${seed}, taken over`);
    await known.checkDeleted(next, `seed ${seed}, taken over`);
    await next.stop();
    await store.stop().catch(() => undefined); // it is fenced
  }
});

test('a process that knows that it was taken over uploads nothing more, and leaves the list of files under way to the next', async (t) => {
  const shared = new MemoryObjectStore();
  const first = await open(t, new MemoryObjectStore(shared));
  const known = new KnownRows();
  await known.write(first, scenarioRows(0, 'a', 1n));
  const next = await open(t, new MemoryObjectStore(shared));
  await known.write(next, scenarioRows(3, 'a', 10n));
  await next.writes.snapshotNow();
  await assert.rejects(first.write('db', 'm,k=k0 a=1i 1'), /ahead of this one/);
  const files = async (): Promise<string[]> => {
    const keys: string[] = [];
    for await (const key of shared.list('dbs/')) keys.push(key);
    return [...keys, Buffer.from(await shared.get('files/pending')).toString()];
  };
  const before = await files();
  await first.writes.snapshotNow().catch(() => undefined); // it may say that it could not
  assert.deepEqual(await files(), before);
  known.check(await next.rows('db', 'm'), 'afterwards');
  for (const store of [first, next]) await store.stop().catch(() => undefined); // the catalog of the first is another's
});
