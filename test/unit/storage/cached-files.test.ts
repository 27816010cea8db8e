import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { silentLogger } from '../../../src/shared/logger.ts';
import { CachedFiles, type DataFile, Fence, nodeFileSystem } from '../../../src/storage/index.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';
import { temporaryDirectory } from './temp-directory.ts';

const BYTES = 1000;

/** A bucket with ten files of a thousand bytes, and an empty cache that holds three. */
async function openCache(t: TestContext, options: { readonly root?: string; readonly bucket?: MemoryObjectStore } = {}) {
  const bucket = options.bucket ?? new MemoryObjectStore();
  const root = options.root ?? (await temporaryDirectory(t));
  const files: DataFile[] = [];
  for (let i = 0; i < 10; i++) {
    const bytes = Buffer.alloc(BYTES, i);
    await bucket.put(`dbs/1/${i}.parquet`, bytes, 'overwrite');
    files.push({ path: `n1/dbs/1/${i}.parquet`, sizeBytes: BYTES, crc32: crc32(bytes) });
  }
  const gets: string[] = [];
  const getRange = bucket.getRange.bind(bucket);
  bucket.getRange = async (key, start, length) => {
    gets.push(key);
    return getRange(key, start, length);
  };
  const fence = new Fence();
  const cache = await CachedFiles.open({
    ...{ bucket, fs: nodeFileSystem, root, prefix: 'n1', bytesMax: 3 * BYTES, fence, log: silentLogger },
  });
  const local = (file: DataFile): string => join(root, file.path.slice('n1/'.length));
  const present = async (): Promise<number[]> => {
    const there = await Promise.all(
      files.map((file) =>
        stat(local(file)).then(
          () => true,
          () => false,
        ),
      ),
    );
    return there.flatMap((is, i) => (is ? [i] : []));
  };
  const pick = (...numbers: number[]): DataFile[] => numbers.map((i) => files[i] as DataFile);
  return { bucket, cache, fence, files, gets, local, pick, present, root };
}

test('a file is fetched once, however many wait for it, and stays as long as somebody holds it', async (t) => {
  const { cache, gets, local, pick, present } = await openCache(t);
  const held = await Promise.all(Array.from({ length: 5 }, () => cache.hold(pick(0, 1))));
  assert.deepEqual(gets.sort(), ['dbs/1/0.parquet', 'dbs/1/1.parquet']);
  assert.deepEqual(await readFile(local(pick(1)[0] as DataFile)), Buffer.alloc(BYTES, 1));
  for (const i of [2, 3, 4, 5]) (await cache.hold(pick(i)))();
  assert.deepEqual((await present()).slice(0, 2), [0, 1], 'both are held');
  for (const release of held) release();
  for (const i of [6, 7, 8]) (await cache.hold(pick(i)))();
  assert.deepEqual(await present(), [6, 7, 8]);
});

test('those that were not used for longest go first, and the limit holds', async (t) => {
  const { cache, gets, pick, present } = await openCache(t);
  for (const i of [0, 1, 2, 0, 3]) (await cache.hold(pick(i)))();
  assert.deepEqual(await present(), [0, 2, 3]);
  assert.equal(cache.figures.bytes, 3 * BYTES);
  (await cache.hold(pick(0)))();
  assert.equal(gets.filter((key) => key === 'dbs/1/0.parquet').length, 1);
  await assert.rejects(cache.hold(pick(0, 1, 2, 3)), { code: 'FILE_CACHE_TOO_SMALL', message: /needs 4000 bytes.*may hold 3000/ });
});

test('what an earlier process left is used when size and checksum are right, and fetched again when not', async (t) => {
  const first = await openCache(t);
  (await first.cache.hold(first.pick(0, 1, 2)))();
  await writeFile(first.local(first.pick(1)[0] as DataFile), Buffer.alloc(BYTES, 99));
  await writeFile(first.local(first.pick(2)[0] as DataFile), 'short');
  await mkdir(dirname(join(first.root, 'dbs/9/9.parquet')), { recursive: true });
  await writeFile(join(first.root, 'dbs/9/9.parquet.tmp'), 'half');
  const again = await openCache(t, { root: first.root, bucket: first.bucket });
  await assert.rejects(stat(join(first.root, 'dbs/9/9.parquet.tmp')), { code: 'ENOENT' });
  again.gets.length = 0;
  first.gets.length = 0;
  (await again.cache.hold(again.pick(0, 1, 2)))();
  assert.deepEqual([...new Set(again.gets)].sort(), ['dbs/1/1.parquet', 'dbs/1/2.parquet']);
  for (const i of [0, 1, 2]) assert.deepEqual(await readFile(again.local(again.pick(i)[0] as DataFile)), Buffer.alloc(BYTES, i));
});

test('an object that is damaged or gone fails its readers only, and is asked for again by the next', async (t) => {
  const { bucket, cache, pick, present } = await openCache(t);
  await bucket.put('dbs/1/4.parquet', Buffer.alloc(BYTES, 77), 'overwrite');
  await bucket.delete(['dbs/1/5.parquet']);
  for (const i of [4, 5]) await assert.rejects(cache.hold(pick(i, 6)), { code: 'FILE_NOT_FETCHED', status: 503 });
  (await cache.hold(pick(6)))();
  assert.deepEqual(await present(), [6]);
  await bucket.put('dbs/1/4.parquet', Buffer.alloc(BYTES, 4), 'overwrite');
  (await cache.hold(pick(4)))();
  assert.deepEqual(await present(), [4, 6]);
});

test('a file that is written goes to the bucket and stays in the cache; one that is removed goes from both, unless another process has taken over', async (t) => {
  const { bucket, cache, fence, gets, local, root } = await openCache(t);
  const path = cache.unique('dbs/2/0000000007.parquet');
  assert.match(path, /^dbs\/2\/0000000007-[0-9a-f]{8}\.parquet$/);
  await mkdir(join(root, 'dbs/2'), { recursive: true });
  await writeFile(join(root, path), 'rows');
  await cache.keep(path);
  assert.equal(Buffer.from(await bucket.get(path)).toString(), 'rows');
  const file = { path: `n1/${path}`, sizeBytes: 4, crc32: crc32(Buffer.from('rows')) };
  (await cache.hold([file]))();
  assert.deepEqual(gets, []);
  fence.lose('somewhere');
  await assert.rejects(cache.remove(path), /ahead of this one/);
  assert.equal((await readFile(local(file))).toString(), 'rows');
  const other = await openCache(t, { root, bucket });
  await other.cache.remove(path);
  await assert.rejects(bucket.get(path), { code: 'NOT_FOUND' });
  await assert.rejects(stat(local(file)), { code: 'ENOENT' });
});

test('a file that cannot be uploaded is no file', async (t) => {
  const { bucket, cache, root } = await openCache(t);
  await mkdir(join(root, 'dbs/2'), { recursive: true });
  await writeFile(join(root, 'dbs/2/1.parquet'), 'rows');
  bucket.lost = () => 'request';
  await assert.rejects(cache.keep('dbs/2/1.parquet'), { code: 'UNAVAILABLE' });
  await assert.rejects(stat(join(root, 'dbs/2/1.parquet')), { code: 'ENOENT' });
});
