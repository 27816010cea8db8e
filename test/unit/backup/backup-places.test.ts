import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import {
  BackupError,
  type BackupPlace,
  BackupRepository,
  bucketBackups,
  checkBackups,
  directoryBackups,
  takeBackup,
} from '../../../src/backup/index.ts';
import { contentKey } from '../../../src/backup/manifest.ts';
import { BucketClock, MomentSource, momentOf, type TestMoment } from '../../support/backup-moments.ts';
import { deferred } from '../../support/deferred.ts';
import { FakeTime } from '../../support/fake-time.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';
import { until } from '../../support/until.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

const LARGE_BYTES = 9 * 1024 * 1024;

let base: TestMoment;

before(async () => {
  const cleanups: (() => Promise<void>)[] = [];
  const store = await TestWriteStore.open(await temporaryDirectory({ after: (cleanup) => void cleanups.push(cleanup) }));
  await store.write('db', 'm v=1 1');
  base = await momentOf(store);
  await store.stop();
  for (const cleanup of cleanups) await cleanup();
});

/** The moment with more Parquet files. */
function momentWith(files: Readonly<Record<string, Uint8Array>>): TestMoment {
  const added = Object.entries(files);
  const offered = added.map(([path, bytes]) => ({ path, sizeBytes: bytes.byteLength, crc32: crc32(bytes) }));
  return {
    offered: { ...base.offered, files: [...base.offered.files, ...offered] },
    files: new Map([...base.files, ...added]),
  };
}

async function failureOf(work: Promise<unknown>): Promise<BackupError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(failure instanceof BackupError, String(failure));
  return failure;
}

const text = (value: string): Buffer => Buffer.from(value);
const at = (minute: number): string => `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`;

/** Both kinds of places, empty. */
async function places(t: TestContext): Promise<readonly (readonly [string, BackupPlace])[]> {
  return [
    ['directory', directoryBackups(await temporaryDirectory(t))],
    ['bucket', bucketBackups(new MemoryObjectStore())],
  ];
}

describe('the place of backups', () => {
  it('takes small and large files, copies each content once, and finds what is damaged, cut or missing', async (t) => {
    const large = Buffer.alloc(LARGE_BYTES, 'large');
    const moment = momentWith({ 'dbs/1.parquet': text('one'), 'dbs/2.parquet': large });
    for (const [kind, place] of await places(t)) {
      const { copiedFiles, manifest } = await takeBackup(new MomentSource(moment, at(1)), place);
      assert.equal(copiedFiles, moment.files.size, kind);
      const next = new MomentSource(momentWith({ 'dbs/1.parquet': text('one'), 'dbs/2.parquet': large, 'dbs/3.parquet': large }), at(2));
      await takeBackup(next, place);
      assert.deepEqual(
        next.reads.filter((path) => path.startsWith('dbs/')),
        ['dbs/3.parquet'],
        `${kind}: by name, size and checksum`,
      );
      const { faults, files } = await checkBackups(place);
      assert.deepEqual([files, faults], [moment.files.size, []], kind);

      const keyOf = (path: string): string => contentKey(manifest.files.find((file) => file.path === path) ?? { sha256: '' });
      await place.objects.put(keyOf('dbs/1.parquet'), text('two'), 'overwrite');
      await place.objects.put(keyOf('dbs/2.parquet'), large.subarray(1), 'overwrite');
      const wal = [...moment.files.keys()].find((path) => path.startsWith('wal/')) ?? '';
      await place.objects.delete([keyOf(wal)]);
      const found = await checkBackups(place);
      const texts = found.faults.map((fault) => fault.text.replace(/:.*/, '')).sort();
      assert.deepEqual(texts, [
        'dbs/1.parquet of the backup is damaged',
        `dbs/2.parquet of the backup is damaged, of ${LARGE_BYTES - 1} instead of ${LARGE_BYTES} bytes`,
        `${wal} of the backup is missing`,
      ]);
      for (const { backups } of found.faults) assert.deepEqual(backups, ['2026-01-01T00-01-00-000Z', '2026-01-01T00-02-00-000Z'], kind);

      // What is missing, or has not its size, is put again where older backups look for it.
      await place.objects.delete([keyOf('dbs/1.parquet')]);
      await takeBackup(new MomentSource(moment, at(3)), place);
      assert.deepEqual((await checkBackups(place)).faults, [], kind);
      await place.close();
    }
  });

  it('keeps so many backups of each node, and removes what none has', async (t) => {
    for (const [kind, place] of await places(t)) {
      const take = (minute: number, keep: number, offered: Partial<TestMoment['offered']> = {}) => {
        const moment = momentWith({ [`dbs/${minute}.parquet`]: text(`${minute}`) });
        return takeBackup(new MomentSource({ ...moment, offered: { ...moment.offered, ...offered } }, at(minute)), place, { keep });
      };
      await take(1, 2);
      await take(2, 2);
      await take(3, 1, { nodeId: 'other' });
      await place.objects.put('contents/00/left-by-somebody', text('x'), 'overwrite');
      const { removed } = await take(4, 2);
      assert.deepEqual(removed, { names: ['2026-01-01T00-01-00-000Z'], files: 2, bytes: 2, waitsFor: [] }, kind);
      const names = (await new BackupRepository(place).manifests()).map(({ name }) => name.slice(14, 16));
      assert.deepEqual(names, ['02', '03', '04'], kind);
      assert.deepEqual((await checkBackups(place)).faults, [], kind);
      await place.objects.put('backups/2026-01-01T00-02-00-000Z.json', text('{}'), 'overwrite');
      const kept = await take(5, 1);
      assert.match(String(kept.removed), /00-02-00-000Z\.json is of another version of influxdb3/, kind);
      assert.equal((await new BackupRepository(place).names()).length, 4, `${kind}: nothing goes when a manifest cannot be read`);
      await place.close();
    }
  });

  it('reads backups of the first layout, and adds to them', async (t) => {
    const directory = await temporaryDirectory(t);
    const moment = momentWith({ 'dbs/1.parquet': text('one') });
    const sha = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
    const files = moment.offered.files.map(({ crc32: sum, path, sizeBytes }) => {
      const sha256 = sha(moment.files.get(path) ?? '');
      return { path, sizeBytes, sha256, crc32: sum ?? crc32(moment.files.get(path) ?? text('')) };
    });
    for (const { path, sha256 } of files) {
      const target = join(directory, 'contents', sha256.slice(0, 2), sha256);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, moment.files.get(path) ?? '');
    }
    const { catalogSequence, catalogUuid } = base.offered;
    const manifest = {
      ...{ version: 1, name: '2025-01-01T00-00-00-000Z', takenAt: '2025-01-01T00:00:00.000Z', nodeId: 'n1', serverVersion: 'first' },
      ...{ catalogUuid, catalogSequence, databases: ['db'], files },
    };
    await mkdir(join(directory, 'backups'));
    const checksum = sha(JSON.stringify(manifest, null, 1));
    await writeFile(join(directory, 'backups', `${manifest.name}.json`), JSON.stringify({ ...manifest, checksum }, null, 1));

    const place = directoryBackups(directory);
    assert.deepEqual((await checkBackups(place)).faults, []);
    const source = new MomentSource(moment);
    const { manifest: taken } = await takeBackup(source, place, { keep: 1 });
    assert.ok(!source.reads.includes('dbs/1.parquet'), 'it is there');
    assert.deepEqual(
      (await new BackupRepository(place).manifests()).map(({ name }) => name),
      [taken.name],
    );
    assert.deepEqual((await checkBackups(place)).faults, []);
  });

  it('is refused when it holds a node, does not heed conditions, or another backup writes to the directory', async (t) => {
    for (const [kind, place] of await places(t)) {
      await place.objects.put('catalog/v3/snapshot', text('x'), 'overwrite');
      const { hint, message } = await failureOf(takeBackup(new MomentSource(base), place));
      assert.deepEqual([message, hint], [`${place.text} holds the data of a node`, 'give the backups a place of their own'], kind);
    }
    const deaf = new (class extends MemoryObjectStore {
      override put(key: string, bytes: Uint8Array): Promise<void> {
        return super.put(key, bytes, 'overwrite');
      }
    })();
    await assert.rejects(takeBackup(new MomentSource(base), bucketBackups(deaf)), /it overwrote 'memory:probe\/.* although/);

    const directory = await temporaryDirectory(t);
    const [reading, goOn] = [deferred<void>(), deferred<void>()];
    const slow = new MomentSource(base, at(1));
    slow.beforeRead = () => {
      reading.resolve();
      return goOn.promise;
    };
    const first = takeBackup(slow, directoryBackups(directory));
    await reading.promise;
    assert.match(
      (await failureOf(takeBackup(new MomentSource(base, at(2)), directoryBackups(directory)))).message,
      /is being written to by another backup$/,
    );
    goOn.resolve();
    await first;
    await takeBackup(new MomentSource(base, at(3)), directoryBackups(directory), { keep: 1 });
    assert.deepEqual((await readdir(join(directory, 'backups'))).length, 1);
    assert.deepEqual(await readdir(join(directory, 'unfinished')), []);
    assert.ok((await readFile(join(directory, 'backups', '2026-01-01T00-03-00-000Z.json'))).byteLength > 0);
  });
});

describe('a backup that takes long, or is interrupted', () => {
  it('tells the server that it lives, and leaves what it has to the next one', async () => {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`dbs/${i}.parquet`, text(`content ${i}`)]));
    const moment = momentWith(files);
    const [bucket, times] = [new BucketClock().watch(new MemoryObjectStore()), new FakeTime()];
    const killed = new MomentSource(moment, at(1));
    killed.beforeRead = (path) => (path === 'dbs/19.parquet' ? new Promise(() => undefined) : Promise.resolve());
    const never = takeBackup(killed, bucketBackups(bucket), { timers: times });
    await until(() => [...bucket.all.keys()].filter((key) => key.startsWith('contents/')).length === moment.files.size - 1);
    await times.advance(10_000);
    const isTold = (): boolean => [...bucket.all.keys()].some((key) => key.endsWith('.000001.json'));
    await until(isTold);
    await times.advance(120_000);
    assert.ok(killed.touches >= 4, `${killed.touches}`);
    assert.equal(await Promise.race([never, 'running']), 'running');

    const next = new MomentSource(moment, at(2));
    await takeBackup(next, bucketBackups(bucket), { timers: times });
    assert.deepEqual(
      next.reads.filter((path) => path.startsWith('dbs/')),
      ['dbs/19.parquet'],
    );
    assert.deepEqual((await checkBackups(bucketBackups(bucket))).faults, []);
  });

  it('fails with the store, goes on after lost requests and answers, and refuses what arrives damaged', async () => {
    const moment = momentWith({ 'dbs/1.parquet': text('one') });
    const bucket = new MemoryObjectStore();
    let puts = 0;
    bucket.lost = (key) => (/backups|unfinished/.test(key) && puts++ < 4 ? (puts % 2 === 0 ? 'request' : 'answer') : undefined);
    await takeBackup(new MomentSource(moment, at(1)), bucketBackups(bucket));
    assert.deepEqual((await new BackupRepository(bucketBackups(bucket)).manifests()).length, 1);
    assert.deepEqual(
      [...bucket.all.keys()].filter((key) => key.startsWith('unfinished/')),
      [],
    );

    bucket.lost = (key) => (key.startsWith('contents/') ? 'request' : undefined);
    const more = momentWith({ 'dbs/2.parquet': text('two') });
    const outage = await failureOf(takeBackup(new MomentSource(more, at(2)), bucketBackups(bucket)));
    assert.match(outage.message, /^memory:.*the request was lost$/);
    assert.match(outage.hint ?? '', /what was copied is not copied again/);
    bucket.lost = () => undefined;
    const changed = { ...moment, files: new Map([...moment.files, ['dbs/1.parquet', text('eno')] as const]) };
    const fresh = bucketBackups(new MemoryObjectStore());
    const damaged = await failureOf(takeBackup(new MomentSource(changed), fresh));
    assert.match(damaged.message, /^dbs\/1\.parquet: its checksum is not the one that the server wrote it with$/);
    const cut = { ...moment, files: new Map([...moment.files, ['dbs/1.parquet', text('on')] as const]) };
    assert.match((await failureOf(takeBackup(new MomentSource(cut), fresh))).message, /^dbs\/1\.parquet: 2 bytes arrived instead of 3$/);
    assert.match((await failureOf(new BackupRepository(fresh).manifest())).message, /holds no backups$/);
  });
});
