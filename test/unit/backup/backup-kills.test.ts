// Runs alone: takes seconds.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { BackupRepository, bucketBackups, checkBackups, restoreNode, takeBackup } from '../../../src/backup/index.ts';
import { BucketClock, MomentSource, momentOf, type TestMoment } from '../../support/backup-moments.ts';
import { FakeTime } from '../../support/fake-time.ts';
import { KnownRows, scenarioRows } from '../../support/fault-scenario.ts';
import { FreezingBucket } from '../../support/freezing-bucket.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

/** Operations that are left out between two that are tried; `FAULT_STEP=1` tries every one. */
const STEP = Number(process.env['FAULT_STEP'] ?? 5);

const SETTINGS = { maintenance: { compactionQuietMs: 0, deleteGraceMs: 0 } };

interface Moments {
  readonly first: TestMoment;
  /** After more writes, a snapshot and a compaction: some files stayed, some went, some are new. */
  readonly second: TestMoment;
  readonly known: { readonly first: KnownRows; readonly second: KnownRows };
}

async function twoMoments(t: TestContext): Promise<Moments> {
  const store = await TestWriteStore.open(await temporaryDirectory(t), SETTINGS);
  const known = { first: new KnownRows(), second: new KnownRows() };
  const write = async (at: number, field: string, value: bigint, ...into: KnownRows[]): Promise<void> => {
    const rows = scenarioRows(at, field, value);
    for (const each of into) each.acknowledged.push(rows);
    await new KnownRows().write(store, rows);
  };
  await write(0, 'a', 1n, known.first, known.second);
  await store.write('other', 'x v=1 1');
  await store.writes.snapshotNow();
  await write(1, 'b', 100n, known.first, known.second);
  const first = await momentOf(store);
  await store.writes.snapshotNow();
  await store.writes.maintainNow();
  await write(2, 'a', 200n, known.second);
  await store.writes.snapshotNow();
  await write(7, 'c', 300n, known.second);
  const second = await momentOf(store);
  await store.stop();
  return { first, second, known };
}

/** What a restore makes of a backup, by path. */
async function restoredFiles(t: TestContext, bucket: MemoryObjectStore, name: string): Promise<ReadonlyMap<string, Buffer>> {
  const repository = new BackupRepository(bucketBackups(bucket));
  const dataDir = await temporaryDirectory(t);
  const root = await restoreNode(repository, await repository.manifest(name), { dataDir, nodeId: 'n1' });
  const found = new Map<string, Buffer>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found.set(path.slice(root.length + 1), await readFile(path));
  }
  return found;
}

/** The directory of a node that was restored whole holds the files of its moment, byte for byte, but for catalog and index, which are made. */
async function expectRestored(t: TestContext, bucket: MemoryObjectStore, name: string, { files }: TestMoment, what: string): Promise<void> {
  const restored = await restoredFiles(t, bucket, name);
  assert.deepEqual([...restored.keys()].sort(), [...files.keys()].sort(), what);
  for (const [path, bytes] of files) {
    if (/^(catalog|files)\//.test(path)) continue;
    assert.ok(restored.get(path)?.equals(bytes) === true, `${what}: ${path}`);
  }
}

async function expectRows(t: TestContext, bucket: MemoryObjectStore, name: string, known: KnownRows): Promise<void> {
  const repository = new BackupRepository(bucketBackups(bucket));
  const dataDir = await temporaryDirectory(t);
  await restoreNode(repository, await repository.manifest(name), { dataDir, nodeId: 'n1' });
  const store = await TestWriteStore.open(dataDir, SETTINGS);
  known.check(await store.rows('db', 'm'), name);
  assert.equal((await store.rows('other', 'x')).length, 1);
  await store.stop();
}

const names = async (bucket: MemoryObjectStore): Promise<string[]> =>
  (await new BackupRepository(bucketBackups(bucket)).manifests()).map(({ name }) => name);

test('wherever a backup is killed, the complete ones stay whole, half of one is none, and the next one removes what nobody needs', async (t) => {
  const { first, known, second } = await twoMoments(t);
  const times = new FakeTime();
  const take = (bucket: MemoryObjectStore, moment: TestMoment, minute: number, keep?: number) =>
    takeBackup(new MomentSource(moment, `2026-01-01T00:0${minute}:00.000Z`), bucketBackups(bucket), { keep, timers: times });
  const nameOf = (minute: number): string => `2026-01-01T00-0${minute}-00-000Z`;
  const [nameOfFirst, nameOfSecond] = [nameOf(1), nameOf(2)];
  const begun = async (clock: BucketClock): Promise<MemoryObjectStore> => {
    const bucket = clock.watch(new MemoryObjectStore());
    await take(bucket, first, 1);
    return bucket;
  };
  const counted = new FreezingBucket(await begun(new BucketClock()));
  const { copiedFiles, manifest } = await take(new BucketClock().watch(counted), second, 2, 1);
  assert.ok(copiedFiles < manifest.files.length, 'some files are in the first backup');
  assert.deepEqual(await names(counted), [nameOfSecond]);
  await expectRows(t, counted, nameOfSecond, known.second);
  t.diagnostic(`${counted.operations} operations`);

  const firstFiles = first.files.size;
  let complete = 0;
  let reused = 0;
  for (let at = 1; at <= counted.operations; at += STEP) {
    const round = (at - 1) / STEP;
    const when = round % 2 === 0 ? 'before' : 'after';
    const what = `killed ${when} operation ${at}`;
    const clock = new BucketClock();
    const shared = await begun(clock);
    const killed = clock.watch(new FreezingBucket(shared, at, when));
    const never = take(killed, second, 2, 1).then(
      () => undefined,
      () => undefined,
    );
    await Promise.race([killed.frozen.promise, never]);
    const after = await names(shared);
    if (after.includes(nameOfSecond)) complete++;
    else assert.deepEqual(after, [nameOfFirst], what);
    for (const name of after) await expectRestored(t, shared, name, name === nameOfFirst ? first : second, what);

    // At once, with files that the one before had, and the killed one has not: what may still be needed stays. Later it goes.
    const isFrozen = round % 3 === 0;
    const next = await take(shared, first, 3, 5);
    if (next.copiedFiles < firstFiles) reused++;
    if (isFrozen) {
      killed.thaw();
      await never;
      assert.deepEqual((await checkBackups(bucketBackups(shared))).faults, [], `${what}, thawed`);
    }
    clock.nowMs += 600_000;
    const { removed } = await take(shared, second, 4, 1);
    assert.ok(removed !== undefined && !(removed instanceof Error), what);
    assert.deepEqual(removed.waitsFor, [], what);
    assert.deepEqual(await names(shared), [nameOf(4)], what);
    const used = new Set((await new BackupRepository(bucketBackups(shared)).manifest()).files.map(({ sha256 }) => sha256));
    const contents = [...shared.all.keys()].filter((key) => key.startsWith('contents/'));
    assert.equal(contents.length, used.size, `${what}: nothing is left of others`);
    assert.deepEqual(
      [...shared.all.keys()].filter((key) => key.startsWith('unfinished/')),
      [],
      what,
    );
    await expectRestored(t, shared, nameOf(4), second, what);

    // It was not killed but frozen for all that time, and thaws.
    killed.thaw();
    await never;
    assert.deepEqual((await checkBackups(bucketBackups(shared))).faults, [], `${what}, thawed`);
    for (const name of await names(shared)) await expectRestored(t, shared, name, second, `${what}, thawed`);
  }
  assert.ok(complete > 0, 'one was killed after its manifest');
  t.diagnostic(`${complete} were complete, of ${reused} something was used again`);
});
