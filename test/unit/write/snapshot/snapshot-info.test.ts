import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { silentLogger } from '../../../../src/shared/logger.ts';
import { DirectoryObjectStore, nodeFileSystem } from '../../../../src/storage/index.ts';
import {
  decodeSnapshotInfo,
  encodeSnapshotInfo,
  type ParquetFileInfo,
  type SnapshotInfo,
  SnapshotStore,
  snapshotKey,
} from '../../../../src/write/snapshot/index.ts';
import { temporaryDirectory } from '../../storage/temp-directory.ts';

const FILE: ParquetFileInfo = {
  databaseId: 1,
  tableId: 0,
  id: 4,
  path: 'n1/dbs/1/0/2024-11-14/11-10/0000000600.parquet',
  sizeBytes: 1234,
  rowCount: 10,
  chunkTimeNs: 1_731_582_600_000_000_000n,
  minTimeNs: 1_731_582_600_000_000_001n,
  maxTimeNs: 1_731_583_199_999_999_999n,
  mayOverlap: false,
};

const INFO: SnapshotInfo = {
  nodeId: 'n1',
  sequence: 3,
  nextFileId: 5,
  walFileNumber: 600,
  catalogSequence: 12,
  files: [FILE],
  removedFiles: [],
  endTimeMarkerNs: 1_731_583_200_000_000_000n,
  frozenWalFileNumber: 650,
};

test('the info is pretty JSON with all digits of its integers', () => {
  assert.equal(
    Buffer.from(encodeSnapshotInfo(INFO)).toString(),
    `{
  "version": "1",
  "node_id": "n1",
  "next_file_id": 5,
  "snapshot_sequence_number": 3,
  "wal_file_sequence_number": 600,
  "catalog_sequence_number": 12,
  "parquet_size_bytes": 1234,
  "row_count": 10,
  "min_time": 1731582600000000001,
  "max_time": 1731583199999999999,
  "end_time_marker": 1731583200000000000,
  "frozen_wal_file_number": 650,
  "databases": [
    [
      1,
      {
        "tables": [
          [
            0,
            [
              {
                "id": 4,
                "path": "n1/dbs/1/0/2024-11-14/11-10/0000000600.parquet",
                "size_bytes": 1234,
                "row_count": 10,
                "chunk_time": 1731582600000000000,
                "min_time": 1731582600000000001,
                "max_time": 1731583199999999999,
                "may_overlap": false
              }
            ]
          ]
        ]
      }
    ]
  ],
  "removed_files": [],
  "checksum": 1396172477
}`,
  );
});

test('an info of InfluxDB 3 Core, without our own members and with writer_id, is read', () => {
  const text = `{"version":"1","writer_id":"w","next_file_id":1,"snapshot_sequence_number":1,"wal_file_sequence_number":2,
    "catalog_sequence_number":3,"parquet_size_bytes":0,"row_count":0,"min_time":9223372036854775807,"max_time":-9223372036854775808,
    "databases":[[1,{"tables":[[0,[{"id":0,"path":"p 1234567890123456789 \\" -5","size_bytes":1,"row_count":1,
    "chunk_time":-9223372036854775808,"min_time":-1,"max_time":9223372036854775807}]]]}]]}`;
  const info = decodeSnapshotInfo(Buffer.from(text));
  assert.equal(info.nodeId, 'w');
  assert.equal(info.endTimeMarkerNs, undefined);
  assert.equal(info.files[0]?.path, 'p 1234567890123456789 " -5');
  assert.deepEqual([info.files[0]?.chunkTimeNs, info.files[0]?.minTimeNs, info.files[0]?.maxTimeNs], [-(2n ** 63n), -1n, 2n ** 63n - 1n]);
  assert.equal(info.files[0]?.mayOverlap, true, 'unknown means that it may overlap');
});

test('infos survive encode and decode', () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  const file = fc.record({
    databaseId: fc.nat(3),
    tableId: fc.nat(3),
    id: count,
    path: fc.string({ unit: 'binary' }),
    sizeBytes: count,
    rowCount: count,
    chunkTimeNs: int64,
    minTimeNs: int64,
    maxTimeNs: int64,
    mayOverlap: fc.boolean(),
  });
  const info = fc.record({
    nodeId: fc.string({ unit: 'binary' }),
    sequence: count,
    nextFileId: count,
    walFileNumber: count,
    catalogSequence: count,
    files: fc.array(file, { maxLength: 6 }),
    removedFiles: fc.array(file, { maxLength: 3 }),
    endTimeMarkerNs: fc.option(int64, { nil: undefined }),
    frozenWalFileNumber: fc.option(count, { nil: undefined }),
  });
  const grouped = (files: readonly ParquetFileInfo[]) =>
    files.map((each) => JSON.stringify(each, (_, v) => (typeof v === 'bigint' ? `${v}` : v))).sort();
  fc.assert(
    fc.property(info, (original) => {
      const sizes = original.files.reduce((sum, each) => sum + each.sizeBytes + each.rowCount, 0);
      fc.pre(Number.isSafeInteger(sizes));
      const decoded = decodeSnapshotInfo(encodeSnapshotInfo(original));
      assert.deepEqual({ ...decoded, files: 0, removedFiles: 0 }, { ...original, files: 0, removedFiles: 0 });
      assert.deepEqual(grouped(decoded.files), grouped(original.files));
      assert.deepEqual(grouped(decoded.removedFiles), grouped(original.removedFiles));
    }),
    { numRuns: 100 },
  );
});

test('names count down from the largest 64-bit integer', () => {
  assert.equal(snapshotKey(0), 'snapshots/18446744073709551615.info.json');
  assert.equal(snapshotKey(3), 'snapshots/18446744073709551612.info.json');
});

test('infos are loaded newest first, from a sequence on; saving the same again is fine, another info is refused', async (t) => {
  const root = await temporaryDirectory(t);
  const store = new SnapshotStore(new DirectoryObjectStore(nodeFileSystem, root), silentLogger);
  assert.deepEqual(await store.load(), { infos: [], movedAside: [], sequences: new Set(), corrupt: new Set() });
  for (let sequence = 1; sequence <= 20; sequence++) await store.save({ ...INFO, sequence });
  assert.equal(await store.save({ ...INFO, sequence: 20 }), 'created');
  assert.equal(await store.save({ ...INFO, sequence: 20, walFileNumber: 999 }), 'taken');
  const { infos } = await store.load(15);
  assert.deepEqual(
    infos.map((info) => info.sequence),
    [20, 19, 18, 17, 16, 15],
  );
  assert.deepEqual(infos[0], { ...INFO, sequence: 20 });
  assert.deepEqual(infos[1], { ...INFO, sequence: 19 });
});

test('empty, damaged and misnamed infos are moved aside and reported', async (t) => {
  const root = await temporaryDirectory(t);
  const store = new SnapshotStore(new DirectoryObjectStore(nodeFileSystem, root), silentLogger);
  await store.load();
  for (let sequence = 1; sequence <= 5; sequence++) await store.save({ ...INFO, sequence });
  const path = (sequence: number) => join(root, snapshotKey(sequence));
  await writeFile(path(5), '');
  await writeFile(path(4), (await readFile(path(4))).subarray(0, 100));
  await writeFile(path(3), await readFile(path(2)));
  await writeFile(
    path(2),
    (await readFile(path(2), 'utf8')).replace('"row_count": 10,\n                "chunk', '"row_count": -1,\n                "chunk'),
  );
  const { infos, movedAside } = await store.load();
  assert.deepEqual(
    infos.map((info) => info.sequence),
    [1],
  );
  assert.deepEqual(
    movedAside.map(({ movedTo }) => movedTo),
    [5, 4, 3, 2].map((sequence) => `${path(sequence)}.corrupt`),
  );
  assert.equal((await readdir(join(root, 'snapshots'))).length, 5);
});

test('an info of a later version refuses the start with its path and stays where it is', async (t) => {
  const root = await temporaryDirectory(t);
  const store = new SnapshotStore(new DirectoryObjectStore(nodeFileSystem, root), silentLogger);
  await store.load();
  await store.save({ ...INFO, sequence: 1 });
  const path = join(root, snapshotKey(1));
  const [text = ''] = (await readFile(path, 'utf8')).replace('"version": "1"', '"version": "2"').split(/,\n {2}"checksum"/);
  const later = `${text},\n  "checksum": ${crc32(`${text}\n}`)}\n}`;
  await writeFile(path, later);
  await assert.rejects(store.load(), (error: Error & { code?: string }) => {
    return error.code === 'SNAPSHOT_LATER_VERSION' && error.message.startsWith(`snapshot info '${path}' was written by a later version`);
  });
  assert.equal(await readFile(path, 'utf8'), later);
  await writeFile(path, later.replace('"version": "2"', '"version": "3"')); // its checksum says that this is damage
  assert.equal((await store.load()).movedAside.length, 1);
});
