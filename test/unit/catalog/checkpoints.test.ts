import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Catalog, type CatalogOptions, readCatalog } from '../../../src/catalog/index.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { nextTurn, systemTimers } from '../../../src/shared/timers.ts';
import { Fence, type ObjectStore } from '../../../src/storage/index.ts';
import { FreezingBucket } from '../../support/freezing-bucket.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';
import { countingUuids, FixedClock } from './catalog-fixture.ts';

const LOGS = 'catalog/v3/logs/';
/** Operations from one that is tried to the next; `FAULT_STEP=1` tries every one. */
const STEP = Number(process.env['FAULT_STEP'] ?? 3);
const WAYS = ['before', 'after'] as const;
const CHECKPOINTS = 'catalog/v3/checkpoints/';

function open(objects: ObjectStore, options: Partial<CatalogOptions> = {}): Promise<Catalog> {
  const fixed = { objects, clock: new FixedClock(), randomUuid: countingUuids(), log: silentLogger };
  return Catalog.open({ ...fixed, changesPerSnapshot: 5, ...options });
}

/** As a server does: the change that registers the node ends whoever changed the catalog before. */
async function takeOver(objects: ObjectStore): Promise<Catalog> {
  for (;;) {
    const fence = new Fence();
    try {
      const catalog = await open(objects, { shared: { fence, timers: systemTimers } });
      await catalog.registerNode({ nodeId: 'n', cores: 1, processUuid: 'p', cliParams: undefined });
      return catalog;
    } catch (error) {
      if (fence.reason === undefined) throw error;
    }
  }
}

/** Makes databases with these numbers; adds the acknowledged ones to `made`, until the catalog is taken over. */
async function makeDatabases(catalog: Catalog, numbers: readonly number[], made: string[]): Promise<void> {
  for (const number of numbers) {
    await catalog.createDatabase(`db${number}`);
    made.push(`db${number}`);
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function names(catalog: Catalog): string[] {
  return [...catalog.databases()].map(({ name }) => name).filter((name) => name !== '_internal');
}

async function keys(objects: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const key of objects.list(prefix)) found.push(key);
  return found;
}

async function untilPruned(objects: ObjectStore): Promise<void> {
  for (let turn = 0; (await keys(objects, LOGS)).length > 15; turn++) {
    assert.ok(turn < 1000, 'changes were not deleted');
    await nextTurn();
  }
}

/** A catalog of some lives in which changes were deleted. */
async function pruned(): Promise<{ readonly objects: MemoryObjectStore; readonly made: string[] }> {
  const objects = new MemoryObjectStore();
  const made: string[] = [];
  for (let life = 0; life < 4; life++) {
    const catalog = await takeOver(objects);
    await makeDatabases(catalog, range(life * 30, life * 30 + 30), made);
    await untilPruned(objects);
    await catalog.close();
  }
  return { objects, made };
}

test('changes of a bucket that two checkpoints stand for go, those by which processes began stay, and a start reads few', async () => {
  const { made, objects } = await pruned();
  const logs = await keys(objects, LOGS);
  assert.ok(logs.length <= 4 + 2 * 5, `${logs.length} logs`);
  assert.equal((await keys(objects, CHECKPOINTS)).length, 2);
  const starts = [2, 33, 64].map((number) => `${LOGS}${String(number).padStart(20, '0')}.catalog`);
  for (const key of starts) assert.ok(logs.includes(key), key);
  let gets = 0;
  const counted = new MemoryObjectStore(objects);
  counted.get = (key) => {
    gets++;
    return MemoryObjectStore.prototype.get.call(counted, key);
  };
  assert.deepEqual(names(await takeOver(counted)), made);
  assert.ok(gets <= 8, `${gets} reads`);
});

test('a damaged checkpoint, and an old snapshot that a frozen process puts back, cost no change', async () => {
  const { made, objects } = await pruned();
  const early = await keys(objects, CHECKPOINTS);
  const old = await objects.get(early[1] ?? '');
  await objects.put('catalog/v3/snapshot', old, 'overwrite');
  assert.deepEqual(names(await takeOver(new MemoryObjectStore(objects))), made);
  await objects.put(early[0] ?? '', Buffer.from('damaged'), 'overwrite');
  await objects.put('catalog/v3/snapshot', Buffer.from('damaged'), 'overwrite');
  const catalog = await takeOver(objects);
  assert.deepEqual(names(catalog), made);
  // With the next checkpoint the damaged one is not counted as one that stands for all before it.
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  await catalog.close();
  const [newest = ''] = await keys(objects, CHECKPOINTS);
  assert.notEqual(newest, early[0]);
  await objects.put(newest, Buffer.from('damaged'), 'overwrite');
  assert.deepEqual(names(await takeOver(objects)), made);
});

test('a directory that a bucket was copied to reads its checkpoints, and removes them with its first snapshot', async () => {
  const { made, objects } = await pruned();
  const catalog = await open(objects);
  assert.deepEqual(names(catalog), made);
  await makeDatabases(catalog, range(500, 510), made);
  await catalog.close();
  assert.deepEqual(await keys(objects, CHECKPOINTS), []);
  assert.deepEqual(names(await open(objects)), made);
});

test('who only looks while a server deletes changes sees a catalog each time, and never fewer changes than before', async () => {
  const objects = new MemoryObjectStore();
  const catalog = await takeOver(objects);
  let isOver = false;
  const making = makeDatabases(catalog, range(0, 200), []).finally(() => {
    isOver = true;
  });
  let sequence = 0;
  for (let looks = 0; !isOver; looks++) {
    const slow = new MemoryObjectStore(objects);
    const get = slow.get.bind(slow);
    slow.get = async (key) => {
      for (let turn = 0; turn < looks % 7; turn++) await nextTurn();
      return get(key);
    };
    const found = await readCatalog(slow);
    assert.ok((found?.sequence ?? 0) >= sequence);
    sequence = found?.sequence ?? 0;
    await nextTurn();
  }
  await making;
});

test('whatever operation a process is frozen in, the next one has every change, and loses none when the first thaws', async () => {
  const whole = new FreezingBucket((await twoLives()).shared);
  await scenario(whole, []);
  const total = whole.operations;
  assert.ok(total > 80, `${total} operations`);
  const outcomes = { fenced: 0, tookOver: 0 };
  for (let at = 1; at <= total; at += STEP) {
    for (const when of STEP === 1 ? WAYS : [WAYS[at % 2] ?? 'before']) {
      const what = `frozen ${when} operation ${at} of ${total}`;
      const { made, shared } = await twoLives();
      const bucket = new FreezingBucket(shared, at, when);
      const running = scenario(bucket, made).catch(() => undefined); // it is taken over
      await Promise.race([running, bucket.frozen.promise]);
      const next = await takeOver(new MemoryObjectStore(shared));
      assertThere(next, made, what);
      await makeDatabases(next, range(100, 130), made);
      await untilPruned(shared);
      bucket.thaw();
      await running;
      // One that froze before its claim takes over in its turn when it thaws.
      const wrote = await makeDatabases(next, range(200, 207), made).catch((error: unknown) => String(error));
      if (wrote !== undefined) assert.match(wrote, /ahead of this one/, what);
      outcomes[wrote === undefined ? 'fenced' : 'tookOver']++;
      await next.close();
      assertThere(await takeOver(new MemoryObjectStore(shared)), made, `${what}, on a third machine`);
    }
  }
  assert.ok(outcomes.fenced > 50 / STEP && outcomes.tookOver > 3 / STEP, JSON.stringify(outcomes));
});

/** Claims of processes will be among what is deleted. */
async function twoLives() {
  const shared = new MemoryObjectStore();
  const made: string[] = [];
  await makeDatabases(await takeOver(shared), range(0, 7), made);
  const last = await takeOver(shared);
  await makeDatabases(last, range(10, 17), made);
  return { shared, made, last };
}

test('a start that is frozen in any operation, while the process before it goes on and deletes changes, misses none', async () => {
  const whole = new FreezingBucket((await twoLives()).shared);
  await takeOver(whole);
  let begunAgain = 0;
  for (let at = 1; at <= whole.operations; at++) {
    for (const when of WAYS) {
      const what = `frozen ${when} operation ${at} of ${whole.operations}`;
      const { last, made, shared } = await twoLives();
      const bucket = new FreezingBucket(shared, at, when);
      const starting = takeOver(bucket);
      await bucket.frozen.promise;
      const goesOn = await makeDatabases(last, range(100, 140), made).catch((error: unknown) => String(error));
      if (goesOn !== undefined) assert.match(goesOn, /ahead of this one/, what);
      else await untilPruned(shared);
      bucket.thaw();
      const started = await starting;
      assertThere(started, made, what);
      if (bucket.operations > whole.operations + 5) begunAgain++;
      await assert.rejects(last.createDatabase('late'), /ahead of this one/, what);
      await makeDatabases(started, [200], made);
      assertThere(await takeOver(shared), made, `${what}, after the next start`);
    }
  }
  assert.ok(begunAgain > 3, `${begunAgain}`);
});

async function scenario(bucket: FreezingBucket, made: string[]): Promise<void> {
  const catalog = await takeOver(bucket);
  for (const number of range(20, 45)) {
    await makeDatabases(catalog, [number], made);
    if (number % 3 === 0) await nextTurn(); // what a checkpoint leaves behind is deleted beside some changes, and between others
  }
  await catalog.close();
}

/** Once each; one that was not acknowledged may be there too. */
function assertThere(catalog: Catalog, made: readonly string[], what: string): void {
  const found = names(catalog);
  assert.equal(new Set(found).size, found.length, what);
  assert.deepEqual(
    made.filter((name) => !found.includes(name)),
    [],
    what,
  );
}
