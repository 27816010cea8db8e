// Runs alone: takes seconds.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { deferred } from '../../support/deferred.ts';
import { KnownRows as Known, scenarioRows as rows, writeScenario as scenario } from '../../support/fault-scenario.ts';
import type { TestRow } from '../../support/model-table.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';
import { FaultyFileSystem } from '../storage/faulty-file-system.ts';

const SETTINGS = { maintenance: { compactionQuietMs: 0, deleteGraceMs: 0 }, retryPauseMs: 1 };

/** Fault positions that are left out between two that are tried; `FAULT_STEP=1` tries every one. */
const STEP = Number(process.env['FAULT_STEP'] ?? 29);

/** The fault may hit the first look at a file: the question is refused, and answered when it is asked again. */
async function rowsDespiteFault(store: TestWriteStore): Promise<TestRow[]> {
  try {
    return await store.rows('db', 'm');
  } catch (error) {
    assert.match(String(error), /cannot be read: EIO: injected/);
    return await store.rows('db', 'm');
  }
}

async function countOperations(t: TestContext): Promise<number> {
  let faulty: FaultyFileSystem | undefined;
  const store = await TestWriteStore.open(await temporaryDirectory(t), SETTINGS, (fs) => (faulty = new FaultyFileSystem(fs)));
  const known = new Known();
  await scenario(store, known);
  known.check(await store.rows('db', 'm'), 'without any fault');
  await store.stop();
  return faulty?.operations.length ?? 0;
}

test('a process that dies at any file operation loses no acknowledged row and shows no half write', async (t) => {
  const total = await countOperations(t);
  t.diagnostic(`${total} file operations`);
  assert.ok(total > 100, `${total} operations`);
  for (let at = 1; at < total; at += STEP) {
    const known = new Known();
    const death = deferred();
    const wrap = (fs: ConstructorParameters<typeof FaultyFileSystem>[0]): FaultyFileSystem => {
      const faulty = new FaultyFileSystem(fs, { at, dead: true, code: 'EIO' });
      const step = faulty.step.bind(faulty);
      faulty.step = (name) => {
        if (faulty.operations.length >= at) death.resolve();
        step(name);
      };
      return faulty;
    };
    const directory = await temporaryDirectory(t);
    const opening = TestWriteStore.open(directory, SETTINGS, wrap);
    const running = opening.then((store) => scenario(store, known)).catch(() => undefined); // the client of a dead server
    await Promise.race([running, death.promise]);
    const survivor = await TestWriteStore.crashedAt(t, directory, SETTINGS);
    assert.deepEqual(survivor.writes.lostRows, [], `dead at operation ${at}: a crash is no loss`);
    known.check(await survivor.rows('db', 'm'), `dead at operation ${at}`);
    await known.checkDeleted(survivor, `dead at operation ${at}`);
    await survivor.writes.snapshotNow();
    await survivor.writes.maintainNow();
    known.check(await survivor.rows('db', 'm'), `dead at operation ${at}, after a snapshot`);
    await survivor.stop();
    const store = await opening.catch(() => undefined); // it may have died before it was open
    await store?.stop().catch(() => undefined); // the dead cannot stop in order
  }
});

test('a file operation that fails once at any point costs at most the write that it belongs to', async (t) => {
  const total = await countOperations(t);
  for (let at = 8; at < total; at += STEP) {
    const known = new Known();
    const directory = await temporaryDirectory(t);
    let faulty: FaultyFileSystem | undefined;
    const store = await TestWriteStore.open(directory, SETTINGS, (fs) => (faulty = new FaultyFileSystem(fs))).catch(() => undefined);
    if (store === undefined || faulty === undefined) continue;
    faulty.fault = { at: Math.max(at, faulty.operations.length), dead: false, code: 'EIO' };
    await scenario(store, known).catch(() => undefined); // the client of the failed write gives up
    known.check(await rowsDespiteFault(store), `failed at operation ${at}`);
    // The fault may hit only now.
    await known.write(store, rows(1, 'c', 500n)).catch(() => known.write(store, rows(1, 'c', 500n)));
    known.check(await rowsDespiteFault(store), `failed at operation ${at}, written again`);
    await store.stop();
    const again = await TestWriteStore.open(directory, SETTINGS);
    assert.deepEqual(again.writes.lostRows, [], `failed at operation ${at}: a failed write is no loss`);
    known.check(await again.rows('db', 'm'), `failed at operation ${at}, after a restart`);
    await known.checkDeleted(again, `failed at operation ${at}, after a restart`);
    await again.stop();
  }
});

test('a full disk refuses writes with the text of the log and lets them pass again when there is room', async (t) => {
  let full = false;
  const wrap = (fs: ConstructorParameters<typeof FaultyFileSystem>[0]): FaultyFileSystem => {
    const faulty = new FaultyFileSystem(fs);
    const step = faulty.step.bind(faulty);
    faulty.step = (name) => {
      step(name);
      if (full && (name === 'writev' || name === 'datasync'))
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    };
    return faulty;
  };
  const directory = await temporaryDirectory(t);
  const store = await TestWriteStore.open(directory, SETTINGS, wrap);
  const known = new Known();
  await known.write(store, rows(0, 'a', 1n));
  full = true;
  for (let i = 0; i < 3; i++) {
    await assert.rejects(store.write('db', `m,k=k0 a=${i}i 5`), {
      status: 500,
      message: 'write buffer error: error from wal: ENOSPC: no space left on device',
    });
  }
  const snapshot = store.writes.snapshotNow();
  known.check(await store.rows('db', 'm'), 'while the disk is full');
  full = false;
  await snapshot;
  await known.write(store, rows(4, 'b', 100n));
  known.check(await store.rows('db', 'm'), 'with room again');
  await store.stop();
  const again = await TestWriteStore.open(directory, SETTINGS);
  known.check(await again.rows('db', 'm'), 'after a restart');
  await again.stop();
});
