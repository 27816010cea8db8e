import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../../../src/shared/logger.ts';
import { Fence, nodeFileSystem, ObjectStoreError, unsyncedFileSystem } from '../../../../src/storage/index.ts';
import { Wal, type WalPeriod } from '../../../../src/write/wal/index.ts';
import { FakeTime } from '../../../support/fake-time.ts';
import { MemoryObjectStore } from '../../../support/memory-object-store.ts';
import { until } from '../../../support/until.ts';
import { appendText, UUID } from './wal-fixture.ts';

interface OpenedLog {
  readonly wal: Wal;
  readonly time: FakeTime;
  readonly fence: Fence;
  readonly store: MemoryObjectStore;
  readonly replayed: string[];
  readonly periods: WalPeriod[];
}

/** A log in a bucket, claimed and replayed. */
async function openLog(beside?: MemoryObjectStore, after = 0): Promise<OpenedLog> {
  const store = new MemoryObjectStore(beside);
  const [time, fence] = [new FakeTime(), new Fence()];
  const wal = new Wal({
    ...{ fs: unsyncedFileSystem(nodeFileSystem), root: '/nowhere', uuid: UUID, clock: time, timers: time, log: silentLogger },
    ...{ durability: 'sync', flushIntervalMs: 1000, bucket: { store, fence } },
  });
  await wal.claim(after);
  const replayed: string[] = [];
  await wal.replay({ afterFileNumber: after, onRecord: (_, body) => void replayed.push(Buffer.from(body).toString()) });
  const periods: WalPeriod[] = [];
  wal.onPeriodClosed((period) => void periods.push(period));
  return { wal, time, fence, store, replayed, periods };
}

/** Lets time pass until a promise settles. */
async function passing<T>(time: FakeTime, promise: Promise<T>): Promise<T> {
  let settled = false;
  const done = promise.finally(() => {
    settled = true;
  });
  done.catch(() => undefined);
  await until(async () => {
    await time.advance(50);
    return settled;
  });
  return done;
}

async function numbers(store: MemoryObjectStore): Promise<number[]> {
  const found: number[] = [];
  for await (const key of store.list('wal/')) found.push(Number(/(\d+)\.wal$/.exec(key)?.[1]));
  return found;
}

test('a lone record goes at once, those that follow share one object an interval, and much goes at once', async () => {
  const { wal, time, store, periods } = await openLog();
  await appendText(wal, 'first');
  assert.deepEqual(await numbers(store), [1, 2], 'the claim, and the record');
  const later = Promise.all(['a', 'b', 'c'].map((text) => appendText(wal, text)));
  await time.advance(900);
  assert.equal(wal.totals.queuedRecords, 3);
  await time.advance(100);
  await later;
  assert.deepEqual(await numbers(store), [1, 2, 3]);
  await until(() => periods.length === 2);
  assert.deepEqual(
    periods.map(({ fileNumber }) => fileNumber),
    [2, 3],
  );
  await appendText(wal, 'x'.repeat(1024 * 1024));
  assert.deepEqual(await numbers(store), [1, 2, 3, 4], 'no time passed');
  await appendText(wal, 'y'.repeat(1024 * 1024));
  const waiting = appendText(wal, 'rotated');
  await wal.rotate();
  await waiting;
  await wal.stop();
  const next = await openLog(store);
  assert.deepEqual(
    next.replayed.map((text) => text.slice(0, 7)),
    ['first', 'a', 'b', 'c', 'xxxxxxx', 'yyyyyyy', 'rotated'],
  );
});

test('records are there once, in their order, whichever requests and answers are lost', async () => {
  const { wal, time, store } = await openLog();
  let put = 0;
  store.lost = () => (['request', 'answer', undefined] as const)[put++ % 3];
  for (let i = 0; i < 12; i++) await passing(time, appendText(wal, `r${i}`));
  await passing(time, wal.stop());
  store.lost = () => undefined;
  assert.deepEqual(
    await numbers(store),
    Array.from({ length: 13 }, (_, i) => i + 1),
    'no number is left out',
  );
  assert.deepEqual(
    (await openLog(store)).replayed,
    Array.from({ length: 12 }, (_, i) => `r${i}`),
  );
});

test('a log that is claimed by another process takes nothing more, at no number', async () => {
  const old = await openLog();
  await appendText(old.wal, 'before');
  const next = await openLog(old.store);
  assert.deepEqual(next.replayed, ['before']);
  await appendText(next.wal, 'of the next');
  const refused = { code: 'WAL_TAKEN_OVER', message: /another process has written to the WAL ahead of this one/ };
  const both = await passing(old.time, Promise.allSettled(['one', 'two'].map((text) => appendText(old.wal, text))));
  for (const each of both) assert.equal(each.status === 'rejected' && each.reason.code, 'WAL_TAKEN_OVER');
  assert.match(old.fence.reason ?? '', /has taken over/);
  await assert.rejects(appendText(old.wal, 'three'), refused);
  await old.wal.rotate();
  await passing(old.time, old.wal.stop());
  await passing(next.time, next.wal.stop());
  assert.deepEqual((await openLog(old.store)).replayed, ['before', 'of the next']);
});

test('a process that was frozen while the log went on far beyond it meets the claim after it', async () => {
  const old = await openLog();
  const next = await openLog(old.store);
  for (let i = 0; i < 4; i++) await passing(next.time, appendText(next.wal, `n${i}`));
  await next.wal.deleteCovered(100, 0);
  assert.deepEqual(await numbers(old.store), [1, 2], 'claims stay, whatever is covered');
  await assert.rejects(passing(old.time, appendText(old.wal, 'late')), { code: 'WAL_TAKEN_OVER' });
});

test('of several that start at the same moment one writes on, and all others end', async () => {
  const first = await openLog();
  const logs = await Promise.all(Array.from({ length: 4 }, () => openLog(first.store)));
  const outcomes = await Promise.allSettled([first, ...logs].map(({ wal }, i) => appendText(wal, `w${i}`)));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('writers are refused with 503 after ten seconds of an outage and at once from then on; the record is durable in the end', async () => {
  const { wal, time, store } = await openLog();
  store.lost = () => 'request';
  let applied = 0;
  const durable = wal.append(Buffer.from('slow'), 0n, 0n, () => void applied++);
  const answer = wal.answered(durable).catch((error: unknown) => error as { code: string; status: number });
  await time.advance(9_900);
  await time.advance(200);
  const refusal = (await answer) as { code: string; status: number };
  assert.deepEqual([refusal.code, refusal.status, applied], ['WAL_UNAVAILABLE', 503, 0]);
  await assert.rejects(appendText(wal, 'at once'), { code: 'WAL_UNAVAILABLE' });
  store.lost = () => undefined;
  await passing(time, durable);
  assert.equal(applied, 1);
  await passing(time, appendText(wal, 'after'));
  await passing(time, wal.stop());
  assert.deepEqual((await openLog(store)).replayed, ['slow', 'after']);
});

test('a stop does not wait for ever for a store that is gone', async () => {
  const { wal, time, store } = await openLog();
  store.lost = () => 'request';
  const failed = assert.rejects(appendText(wal, 'never'), { code: 'WAL_WRITE_FAILED' });
  await passing(time, wal.stop());
  await failed;
  await assert.rejects(appendText(wal, 'later'), { code: 'WAL_SHUTDOWN' });
});

test('a record whose encoding fails leaves no number out', async () => {
  const { wal, time, store } = await openLog();
  const failing = (): Uint8Array => {
    throw new Error('no');
  };
  await assert.rejects(
    wal.append(failing, 0n, 0n, () => undefined),
    /no/,
  );
  await passing(time, appendText(wal, 'next'));
  assert.deepEqual(await numbers(store), [1, 2, 3]);
  await passing(time, wal.stop());
  assert.deepEqual((await openLog(store)).replayed, ['next']);
});

test('an object that is damaged is told of and keeps its number', async (t: TestContext) => {
  const { wal, time, store } = await openLog();
  for (const text of ['a', 'b', 'c']) await passing(time, appendText(wal, text));
  await passing(time, wal.stop());
  const key = 'wal/00000000003.wal';
  const bytes = await store.get(key);
  bytes[bytes.length - 8] = (bytes.at(-8) ?? 0) ^ 1;
  await store.put(key, bytes, 'overwrite');
  const again = await openLog(store);
  assert.deepEqual(again.replayed, ['a', 'c']);
  assert.deepEqual(await numbers(store), [1, 2, 3, 4, 5]);
  t.diagnostic('the claim of the second start is 5');
  await assert.rejects(store.put(key, bytes, 'create'), ObjectStoreError);
});
