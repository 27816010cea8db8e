import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLogger } from '../../../../src/shared/logger.ts';
import { DirectoryObjectStore, nodeFileSystem } from '../../../../src/storage/index.ts';
import { FileIndex, type LiveFile } from '../../../../src/write/file-index/file-index.ts';
import { decodeFileIndex, encodeFileIndex } from '../../../../src/write/file-index/file-index-codec.ts';
import { FileIndexStore } from '../../../../src/write/file-index/file-index-store.ts';
import { type ParquetFileInfo, type SnapshotInfo, SnapshotStore, snapshotKey } from '../../../../src/write/snapshot/index.ts';
import { FaultyFileSystem } from '../../storage/faulty-file-system.ts';
import { temporaryDirectory } from '../../storage/temp-directory.ts';

const UUID = '0123abcd-4567-4def-8123-456789abcdef';

/** A file with the given chunk; rows fill it from `min` to `max` after its start. */
function file(id: number, chunk: bigint, tableId = 0, reach: readonly [bigint, bigint] = [0n, 9n]): ParquetFileInfo {
  return {
    databaseId: 1,
    tableId,
    id,
    path: `n/dbs/1/${tableId}/${chunk}/${id}.parquet`,
    sizeBytes: 100 + id,
    rowCount: 10,
    chunkTimeNs: chunk,
    minTimeNs: chunk + reach[0],
    maxTimeNs: chunk + reach[1],
    mayOverlap: id % 2 === 0,
  };
}

function info(sequence: number, files: readonly ParquetFileInfo[], removedFiles: readonly ParquetFileInfo[] = []): SnapshotInfo {
  return {
    nodeId: 'n',
    sequence,
    nextFileId: 1000 + sequence,
    walFileNumber: sequence * 10,
    catalogSequence: 1,
    files,
    removedFiles,
    endTimeMarkerNs: undefined,
    frozenWalFileNumber: undefined,
  };
}

const ids = (files: readonly ParquetFileInfo[]) => files.map((each) => each.id);

test('files are found by time, in the order of chunks and then snapshots', () => {
  const index = new FileIndex();
  index.apply(info(2, [file(5, 20n), file(4, 0n)]));
  index.apply(info(3, [file(6, 0n), file(7, 10n), file(8, 10n, 1)]));
  assert.deepEqual(ids(index.filesFor(1, 0)), [4, 6, 7, 5]);
  assert.deepEqual(ids(index.filesFor(1, 0, 9n, 9n)), [4, 6]);
  assert.deepEqual(ids(index.filesFor(1, 0, 10n)), [7, 5]);
  assert.deepEqual(ids(index.filesFor(1, 0, undefined, 19n)), [4, 6, 7]);
  assert.deepEqual(ids(index.filesFor(1, 0, 30n)), []);
  assert.deepEqual(ids(index.filesFor(1, 1, 0n, 100n)), [8]);
  assert.deepEqual(ids(index.filesFor(2, 0)), []);
  assert.equal(index.filesFor(1, 0)[1]?.snapshotSequence, 3);
  assert.equal(index.sequence, 3);
});

test('files that reach beyond their chunk on either side are found', () => {
  const index = new FileIndex();
  index.apply(info(1, [file(1, 0n, 0, [-9n, 9n]), file(2, 10n), file(3, 20n, 0, [0n, 500n]), file(4, 100n)]));
  assert.deepEqual(ids(index.filesFor(1, 0, -5n, -3n)), [1]);
  assert.deepEqual(ids(index.filesFor(1, 0, 400n, 450n)), [3]);
  assert.deepEqual(ids(index.filesFor(1, 0, 12n, 105n)), [2, 3, 4]);
});

test('finding by time equals filtering all files', () => {
  const index = new FileIndex();
  const files = Array.from({ length: 60 }, (_, i) => file(i, BigInt((i * 37) % 23) * 10n, 0, [BigInt(-(i % 4)), BigInt(i % 30)]));
  index.apply(info(1, files));
  for (let min = -10n; min < 260n; min += 7n) {
    for (let max = min; max < 260n; max += 31n) {
      const expected = files.filter((each) => each.maxTimeNs >= min && each.minTimeNs <= max);
      assert.deepEqual(new Set(ids(index.filesFor(1, 0, min, max))), new Set(ids(expected)));
    }
  }
});

test('totals, newest time and lists follow what is added and removed', () => {
  const index = new FileIndex();
  assert.deepEqual(index.totals, { fileCount: 0, sizeBytes: 0, rowCount: 0 });
  index.apply(info(1, [file(1, 0n), file(2, 10n), file(3, 0n, 1)]));
  assert.deepEqual(index.totals, { fileCount: 3, sizeBytes: 306, rowCount: 30 });
  assert.equal(index.maxTimeNs(1, 0), 19n);
  const held = index.filesFor(1, 0);
  index.apply(info(2, [file(4, 0n)], [file(2, 10n), file(3, 0n, 1), file(99, 0n)]));
  assert.deepEqual(index.totals, { fileCount: 2, sizeBytes: 205, rowCount: 20 });
  assert.equal(index.maxTimeNs(1, 0), 9n);
  assert.equal(index.maxTimeNs(1, 1), undefined);
  assert.deepEqual(ids(held), [1, 2], 'a reader keeps its list');
  assert.deepEqual(
    [...index.tables()].map((table) => [table.databaseId, table.tableId, table.files.length]),
    [[1, 0, 2]],
  );
});

test('a file with the path of a live one replaces it', () => {
  const index = new FileIndex();
  index.apply(info(1, [file(1, 0n)]));
  index.apply(info(2, [{ ...file(1, 0n), id: 7, sizeBytes: 5 }]));
  assert.deepEqual(ids(index.filesFor(1, 0)), [7]);
  assert.deepEqual(index.totals, { fileCount: 1, sizeBytes: 5, rowCount: 10 });
});

test('the index file keeps everything and refuses damage', () => {
  const files: LiveFile[] = [file(1, -(2n ** 63n), 3, [0n, 1n]), file(2, 2n ** 62n)].map((each, i) => ({ ...each, snapshotSequence: i }));
  const deletes = [
    { databaseId: 1, tableId: 3, startNs: -(2n ** 63n), stopNs: 2n ** 63n - 1n, tags: [{ columnId: 2, value: 'a\nb' }], sequence: 8 },
  ];
  const bytes = encodeFileIndex({ sequence: 9, files, deletes }, UUID);
  assert.deepEqual(decodeFileIndex(bytes, UUID), { sequence: 9, files, deletes });
  const empty = { sequence: 0, files: [], deletes: [] };
  assert.deepEqual(decodeFileIndex(encodeFileIndex(empty, UUID), UUID), empty);
  assert.equal(decodeFileIndex(bytes, UUID.replace('0', 'f')), 'file belongs to another catalog');
  assert.equal(decodeFileIndex(bytes.slice(0, 20), UUID), 'file is shorter than its header');
  for (let at = 12; at < bytes.length; at += 5) {
    const damaged = new Uint8Array(bytes);
    damaged[at] = (damaged[at] ?? 0) ^ 0x10;
    assert.equal(decodeFileIndex(damaged, UUID), 'checksum mismatch');
  }
});

interface Opened {
  readonly root: string;
  readonly open: (snapshotsPerSave?: number) => Promise<FileIndexStore>;
}

async function storeIn(t: TestContext): Promise<Opened> {
  const root = await temporaryDirectory(t);
  const open = async (snapshotsPerSave = 4): Promise<FileIndexStore> => {
    const objects = new DirectoryObjectStore(nodeFileSystem, root);
    const store = await FileIndexStore.open({ objects, uuid: UUID, log: silentLogger, snapshotsPerSave });
    infos.set(store, new SnapshotStore(objects, silentLogger));
    return store;
  };
  return { root, open };
}

/** Where the infos of a store are saved. */
const infos = new WeakMap<FileIndexStore, SnapshotStore>();

async function publish(store: FileIndexStore, snapshot: SnapshotInfo): Promise<void> {
  assert.equal(await infos.get(store)?.save(snapshot), 'created');
  store.publish(snapshot);
}

test('a restart finds the same files with and without the index file', async (t) => {
  const { root, open } = await storeIn(t);
  const store = await open();
  assert.equal(store.newest, undefined);
  for (let i = 1; i <= 10; i++) await publish(store, info(i, [file(i, BigInt(i * 10))], i === 7 ? [file(2, 20n)] : []));
  await store.saveIndex();
  for (let i = 11; i <= 12; i++) await publish(store, info(i, [file(i, BigInt(i * 10))], [file(i - 8, BigInt((i - 8) * 10))]));
  const expected = store.index.filesFor(1, 0);
  assert.deepEqual(ids(expected), [1, 5, 6, 7, 8, 9, 10, 11, 12]);
  for (const prepare of [
    async () => undefined,
    () => rm(join(root, 'files', 'index')),
    () => writeFile(join(root, 'files', 'index'), 'rubbish'),
  ]) {
    await prepare();
    const reopened = await open();
    assert.deepEqual(reopened.index.filesFor(1, 0), expected);
    assert.deepEqual(reopened.index.totals, store.index.totals);
    assert.equal(reopened.index.sequence, 12);
    assert.equal(reopened.newest?.walFileNumber, 120);
    assert.equal(reopened.newest.nextFileId, 1012);
    assert.deepEqual(reopened.movedAside, []);
  }
});

test('with an index file a start reads only the infos around its end', async (t) => {
  const { root, open } = await storeIn(t);
  const store = await open(100);
  for (let i = 1; i <= 30; i++) await publish(store, info(i, [file(i, BigInt(i))]));
  await store.close();
  const fs = new FaultyFileSystem(nodeFileSystem);
  const reopened = await FileIndexStore.open({ objects: new DirectoryObjectStore(fs, root), uuid: UUID, log: silentLogger });
  assert.equal(fs.operations.filter((name) => name === 'readFile').length, 1 + 9);
  assert.equal(reopened.index.totals.fileCount, 30);
});

test('rows that were persisted ahead of their WAL files are told to replay, from every snapshot that matters', async (t) => {
  const { open } = await storeIn(t);
  const store = await open(1);
  assert.deepEqual(store.persistedRanges, []);
  await publish(store, { ...info(1, []), walFileNumber: 5, frozenWalFileNumber: 8, endTimeMarkerNs: 900n });
  await publish(store, { ...info(2, []), walFileNumber: 10, frozenWalFileNumber: 15, endTimeMarkerNs: 700n });
  await publish(store, { ...info(3, []), walFileNumber: 12, frozenWalFileNumber: 18, endTimeMarkerNs: 300n });
  await store.close();
  assert.deepEqual((await open()).persistedRanges, [
    { lastWalFileNumber: 18, endMarkerNs: 300n },
    { lastWalFileNumber: 15, endMarkerNs: 700n },
  ]);
});

test('an index file stands in for infos that are gone', async (t) => {
  const { root, open } = await storeIn(t);
  const store = await open(100);
  for (let i = 1; i <= 3; i++) await publish(store, info(i, [file(i, BigInt(i))]));
  await store.close();
  await rm(join(root, snapshotKey(3)));
  await rm(join(root, snapshotKey(1)));
  const reopened = await FileIndexStore.open({
    objects: new DirectoryObjectStore(nodeFileSystem, root),
    uuid: UUID,
    log: silentLogger,
    failOnError: true,
  });
  assert.deepEqual(ids(reopened.index.filesFor(1, 0)), [1, 2, 3]);
  assert.deepEqual([reopened.walFileNumber, reopened.index.sequence, reopened.lost], [30, 3, []]);
  assert.ok(reopened.takeFileIds(1) >= 1003);
});

test('an index file of an earlier version that knows more than the infos is not believed, and the info is missed', async (t) => {
  const { root, open } = await storeIn(t);
  const store = await open(100);
  for (let i = 1; i <= 3; i++) await publish(store, info(i, [file(i, BigInt(i))]));
  await store.close();
  const files = store.index.filesFor(1, 0);
  await writeFile(join(root, 'files', 'index'), encodeFileIndex({ sequence: 3, files, deletes: [] }, UUID));
  await rm(join(root, snapshotKey(3)));
  const reopened = await open();
  assert.deepEqual(ids(reopened.index.filesFor(1, 0)), [1, 2]);
  assert.equal(reopened.walFileNumber, 20, 'replay starts from the snapshot that can be read');
  assert.deepEqual(reopened.lost, [{ path: join(root, snapshotKey(3)), reason: 'file is missing' }]);
});

for (const [what, damage, reason] of [
  ['missing', (path: string) => rm(path), 'file is missing'],
  ['damaged', (path: string) => writeFile(path, 'torn'), 'file is damaged'],
] as const) {
  test(`a snapshot info that is ${what} in the middle is told of, and stops the start when asked to`, async (t) => {
    const { root, open } = await storeIn(t);
    const store = await open(100);
    for (let i = 1; i <= 5; i++) await publish(store, info(i, [file(i, BigInt(i))]));
    const path = join(root, snapshotKey(3));
    assert.deepEqual((await open()).lost, []);
    await damage(path);
    const strict = FileIndexStore.open({
      objects: new DirectoryObjectStore(nodeFileSystem, root),
      uuid: UUID,
      log: silentLogger,
      failOnError: true,
    });
    await assert.rejects(strict, {
      name: 'StartupError',
      code: 'SNAPSHOT_CORRUPT',
      message: new RegExp(`'${path}' cannot be used: ${reason}`),
    });
    const reopened = await open();
    assert.deepEqual(reopened.lost, [{ path, reason }]);
    assert.deepEqual(ids(reopened.index.filesFor(1, 0)), [1, 2, 4, 5]);
    await reopened.close();
    await reopened.saveIndex();
    assert.deepEqual((await open()).lost, [], 'what was accepted is not told of again');
  });
}

test('an index file stands in for a damaged newest info, at every later start too', async (t) => {
  const { root, open } = await storeIn(t);
  const store = await open(100);
  for (let i = 1; i <= 3; i++) await publish(store, info(i, [file(i, BigInt(i))]));
  await store.close();
  await writeFile(join(root, snapshotKey(3)), 'torn');
  for (let start = 0; start < 2; start++) {
    const reopened = await open();
    assert.deepEqual(ids(reopened.index.filesFor(1, 0)), [1, 2, 3]);
    assert.equal(reopened.index.sequence, 3, 'its number is not used again');
    assert.equal(reopened.walFileNumber, 30, 'replay starts where the index says');
    assert.deepEqual(reopened.lost, []);
    assert.equal(reopened.movedAside.length, start === 0 ? 1 : 0);
    assert.ok(reopened.takeFileIds(1) > 3);
    await reopened.close();
  }
});

test('an index file that cannot be written costs nothing but the next start', async (t) => {
  const { root, open } = await storeIn(t);
  const fs = new FaultyFileSystem(nodeFileSystem);
  const objects = new DirectoryObjectStore(fs, root);
  const store = await FileIndexStore.open({ objects, uuid: UUID, log: silentLogger, snapshotsPerSave: 100 });
  infos.set(store, new SnapshotStore(objects, silentLogger));
  await publish(store, info(1, [file(1, 1n)]));
  fs.failNext('rename', 'ENOSPC');
  await store.saveIndex();
  await assert.rejects(readFile(join(root, 'files', 'index')), { code: 'ENOENT' });
  assert.deepEqual(ids((await open()).index.filesFor(1, 0)), [1]);
});

test('a start with 50,000 files does no more with the disk than one with 500', async (t) => {
  const operations: string[][] = [];
  for (const count of [500, 50_000]) {
    const { root, open } = await storeIn(t);
    await publish(await open(), info(1, []));
    const files = Array.from({ length: count }, (_, i) => ({ ...file(i, BigInt(i) * 600_000_000_000n, i % 20), snapshotSequence: 1 }));
    await writeFile(join(root, 'files', 'index'), encodeFileIndex({ sequence: 1, files, deletes: [] }, UUID));
    const fs = new FaultyFileSystem(nodeFileSystem);
    const store = await FileIndexStore.open({
      objects: new DirectoryObjectStore(fs, root),
      uuid: UUID,
      log: silentLogger,
      snapshotsPerSave: 100,
    });
    assert.equal(store.index.totals.fileCount, count);
    operations.push(fs.operations);
  }
  assert.ok((operations[0]?.length ?? 0) > 0);
  assert.deepEqual(operations[1], operations[0]);
});
