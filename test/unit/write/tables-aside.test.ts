import assert from 'node:assert/strict';
import { readdir, readFile, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Log } from '../../../src/shared/logger.ts';
import { DirectoryObjectStore, Fence, LocalFiles, nodeFileSystem, type Store } from '../../../src/storage/index.ts';
import type { WriteStoreOptions } from '../../../src/write/write-store.ts';
import { type FailingTables, failingTable } from '../../support/failing-tables.ts';
import { FakeTime } from '../../support/fake-time.ts';
import { modelLine } from '../../support/model-table.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

const SETTINGS = { maintenance: { compactionQuietMs: 0, deleteGraceMs: 0 }, retryPauseMs: 1 };

class Logged implements Log {
  readonly lines: string[] = [];

  debug(): void {}

  info(message: string): void {
    this.lines.push(`info ${message}`);
  }

  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }

  error(message: string): void {
    this.lines.push(`error ${message}`);
  }

  count(part: string): number {
    return this.lines.filter((line) => line.includes(part)).length;
  }
}

function open(directory: string, failing: FailingTables, overrides: Partial<WriteStoreOptions> = {}): Promise<TestWriteStore> {
  return TestWriteStore.open(
    directory,
    { ...SETTINGS, ...overrides },
    (fs) => fs,
    (engine) => failing.wrap(engine),
  );
}

async function lines(store: TestWriteStore, table: string): Promise<string[]> {
  return (await store.rows('db', table)).map(modelLine).sort();
}

async function filesIn(store: TestWriteStore, folder: string): Promise<string[]> {
  return (await readdir(join(store.directory, 'n1', folder)).catch(() => [])).sort();
}

/** WAL files that hold rows: one more may be ready for the next write. */
async function walFilesLeft(store: TestWriteStore): Promise<number> {
  return Math.max(0, (await filesIn(store, 'wal')).length - 1);
}

/** The first table of the first database: `bad`. The second is `good`. */
const BAD = '1/0';

test('a table that cannot be written to files is a fault of that table only', async (t) => {
  const failing = failingTable(BAD);
  const log = new Logged();
  const store = await open(await temporaryDirectory(t), failing, { log });
  await store.write('db', 'bad,k=a v=1i 1\nbad,k=b v=2i 2\ngood,k=a v=1i 1');
  await store.writes.snapshotNow();
  assert.equal(store.writes.parquetTotals.rowCount, 1, 'the other table is in files');
  assert.equal(await walFilesLeft(store), 0, 'the log goes');
  const { failures, lastDurationMs = 0, oldestUncoveredAtMs, runs } = store.writes.snapshots;
  assert.deepEqual([runs, failures, oldestUncoveredAtMs], [1, 2, undefined], 'two attempts of the table were repeated');
  assert.ok(lastDurationMs > 0);
  assert.deepEqual(
    store.writes.tablesAside.map(({ reason, table }) => [table?.name, reason]),
    [['bad', 'Binder Error: injected']],
  );
  assert.deepEqual(await lines(store, 'bad'), ['1|k=a|v=1', '2|k=b|v=2']);
  await store.write('db', 'bad,k=a v=3i,w=4i 1\nbad,k=c v=5i 5\ngood,k=a v=9i 1');
  await store.write('other', 'm v=1i 1');
  await store.writes.deleteRows('db', { startNs: 2n, stopNs: 2n, tags: [] });
  await store.write('db', 'bad,k=b w=6i 2');
  const rows = ['1|k=a|v=3,w=4', '2|k=b|w=6', '5|k=c|v=5'];
  assert.deepEqual(await lines(store, 'bad'), rows);
  for (let i = 0; i < 3; i++) {
    const survivor = await store.crashed(t, SETTINGS);
    assert.deepEqual(await lines(survivor, 'bad'), rows, `crash after ${i} more snapshots`);
    assert.deepEqual(await lines(survivor, 'good'), ['1|k=a|v=9']);
    await survivor.writes.snapshotNow();
    assert.deepEqual(survivor.writes.tablesAside, [], 'a program without the fault takes it back');
    assert.deepEqual(await filesIn(survivor, 'aside'), []);
    assert.deepEqual(await lines(survivor, 'bad'), rows);
    await survivor.stop();
    const again = await TestWriteStore.open(survivor.directory, SETTINGS);
    assert.deepEqual(await lines(again, 'bad'), rows, 'in files');
    await again.stop();
    await store.write('other', `m v=1i ${i}`);
    await store.writes.snapshotNow();
    assert.equal(await walFilesLeft(store), 0);
  }
  assert.equal(log.count('is set aside'), 1, 'one line, however often it fails');
  failing.tables.clear();
  await store.writes.snapshotNow();
  assert.deepEqual(store.writes.tablesAside, [], 'tried again although there is nothing in the log');
  assert.deepEqual(await lines(store, 'bad'), rows);
  assert.equal(store.writes.bufferedBytes, 0);
  assert.equal(log.count('is in files again'), 1);
  await store.stop();
  const again = await TestWriteStore.open(store.directory, SETTINGS);
  assert.deepEqual(await lines(again, 'bad'), rows);
  assert.deepEqual(await filesIn(again, 'aside'), []);
  await again.stop();
});

test('deleting a table that is set aside frees everything', async (t) => {
  const store = await open(await temporaryDirectory(t), failingTable(BAD));
  await store.write('db', 'bad v=1i 1\ngood v=1i 1');
  await store.writes.snapshotNow();
  assert.equal((await filesIn(store, 'aside')).length, 1);
  await store.catalog.softDeleteTable('db', 'bad', { kind: 'now' });
  await store.writes.maintainNow();
  assert.deepEqual(store.writes.tablesAside, []);
  assert.equal(store.writes.bufferedBytes, 0);
  assert.deepEqual(await filesIn(store, 'aside'), []);
  const survivor = await store.crashed(t, SETTINGS);
  assert.equal(survivor.writes.bufferedBytes, 0);
  assert.deepEqual(await lines(survivor, 'good'), ['1||v=1']);
  await survivor.stop();
  await store.stop();
});

test('writes to a table that is set aside are taken up to a bound, those of other tables always', async (t) => {
  const failing = failingTable(BAD);
  const store = await open(await temporaryDirectory(t), failing, { forceSnapshotBytes: 64 * 1024 });
  await store.write('db', 'bad v=1i 1\ngood v=1i 1');
  await store.writes.snapshotNow();
  let taken = 1;
  const fill = async (): Promise<void> => {
    for (;;) {
      await store.write('db', Array.from({ length: 50 }, (_, i) => `bad v=1i ${taken + i + 1}`).join('\n'));
      taken += 50;
      assert.ok(taken < 100_000, 'the bound is reached');
    }
  };
  await assert.rejects(fill(), {
    code: 'TABLE_SET_ASIDE',
    status: 503,
    message: /^write buffer error: table 'bad' cannot be written to files/,
  });
  await assert.rejects(store.write('db', 'good v=7i 7\nbad v=7i 7'), { code: 'TABLE_SET_ASIDE' });
  await store.write('db', 'good v=2i 2');
  assert.deepEqual(await lines(store, 'good'), ['1||v=1', '2||v=2']);
  assert.equal((await lines(store, 'bad')).length, taken);
  const survivor = await store.crashed(t, SETTINGS);
  assert.equal((await lines(survivor, 'bad')).length, taken);
  await survivor.stop();
  failing.tables.clear();
  await store.writes.snapshotNow();
  await store.write('db', 'bad v=9i 900000');
  await store.stop();
});

test('a full disk is no fault of a table: the snapshot waits for room', async (t) => {
  const failing = failingTable(BAD);
  failing.message = 'IO Error: Could not write to file: No space left on device';
  const store = await open(await temporaryDirectory(t), failing);
  await store.write('db', 'bad v=1i 1\ngood v=1i 1');
  const snapshot = store.writes.snapshotNow();
  while (failing.failures < 50) await new Promise(setImmediate);
  assert.deepEqual(store.writes.tablesAside, []);
  failing.tables.clear();
  await snapshot;
  assert.equal(store.writes.bufferedBytes, 0);
  await store.stop();
});

test('failures that may pass are tried for longer, and then set the table aside too', async (t) => {
  const failing = failingTable(BAD);
  failing.message = 'Out of Memory Error: could not allocate block';
  const store = await open(await temporaryDirectory(t), failing);
  await store.write('db', 'bad v=1i 1\ngood v=1i 1');
  await store.writes.snapshotNow();
  assert.equal(failing.failures, 30);
  assert.equal(store.writes.tablesAside.length, 1);
  await store.writes.snapshotNow();
  assert.equal(failing.failures, 31, 'once with each snapshot from then on');
  await store.stop();
});

test('a start tries a table that is set aside again, without any write', async (t) => {
  const failing = failingTable(BAD);
  const store = await open(await temporaryDirectory(t), failing);
  await store.write('db', 'bad v=1i 1');
  await store.writes.snapshotNow();
  await store.stop();
  const time = new FakeTime();
  const again = await TestWriteStore.open(store.directory, { ...SETTINGS, clock: time, timers: time });
  assert.equal(again.writes.tablesAside.length, 1);
  while (again.writes.tablesAside.length > 0) {
    time.pass(1000);
    await new Promise(setImmediate);
  }
  assert.deepEqual(await lines(again, 'bad'), ['1||v=1']);
  assert.equal(again.writes.bufferedBytes, 0);
  await again.stop();
});

test('without a log a table is set aside in memory', async (t) => {
  const failing = failingTable(BAD);
  const directory = await temporaryDirectory(t);
  const root = join(directory, 'n1');
  const memory: Store = {
    kind: 'memory',
    fs: nodeFileSystem,
    objects: new DirectoryObjectStore(nodeFileSystem, root),
    files: new LocalFiles(nodeFileSystem, root),
    bucket: undefined,
    fence: new Fence(),
    root,
    prefix: 'n1',
    durable: false,
    close: async () => undefined,
  };
  const store = await open(directory, failing, { store: memory });
  await store.write('db', 'bad v=1i 1');
  await store.writes.snapshotNow();
  assert.equal(store.writes.tablesAside.length, 1);
  const { failures } = failing;
  await store.write('db', 'bad v=2i 2');
  await store.writes.snapshotNow();
  assert.equal(failing.failures, failures + 1, 'tried once by each snapshot');
  assert.deepEqual(await lines(store, 'bad'), ['1||v=1', '2||v=2']);
  failing.tables.clear();
  await store.writes.snapshotNow();
  assert.deepEqual(store.writes.tablesAside, []);
  assert.equal(store.writes.bufferedBytes, 0);
  await store.stop();
});

async function damagedSideLog(t: TestContext): Promise<{ store: TestWriteStore; path: string }> {
  const store = await open(await temporaryDirectory(t), failingTable(BAD));
  await store.write('db', 'bad v=1i 1');
  await store.write('db', 'bad v=2i 2');
  await store.writes.snapshotNow();
  await store.stop();
  const [name] = await filesIn(store, 'aside');
  return { store, path: join(store.directory, 'n1', 'aside', name ?? '') };
}

for (const [what, damage, left] of [
  ['missing', (path: string) => unlink(path), 0],
  ['cut off behind a record', async (path: string) => truncate(path, (await readFile(path)).length - 40), 2],
  [
    'flipped',
    async (path: string) => {
      const bytes = await readFile(path);
      bytes[bytes.length - 60] = (bytes[bytes.length - 60] as number) ^ 1;
      await writeFile(path, bytes);
    },
    undefined,
  ],
] as const) {
  test(`a side log that is ${what} is told of, and stops the start when asked to`, async (t) => {
    const { path, store } = await damagedSideLog(t);
    await damage(path);
    const strict = { ...SETTINGS, wal: { flushIntervalMs: 1e6, filesPerSnapshot: 600, maxBufferedWrites: 1e5, snapshottedFilesToKeep: 0 } };
    await assert.rejects(
      TestWriteStore.crashedAt(t, store.directory, { ...strict, wal: { ...strict.wal, replayFailOnError: true } }),
      (error: Error & { code?: string }) => error.code === 'WAL_CORRUPT' && error.message.includes('/aside/1-0-'),
    );
    const log = new Logged();
    const again = await TestWriteStore.open(store.directory, { ...SETTINGS, log });
    assert.equal(log.count('error the side log of a table is not whole: rows are lost'), 1);
    const rows = await lines(again, 'bad');
    if (left !== undefined) assert.equal(rows.length, left);
    await again.stop();
  });
}
