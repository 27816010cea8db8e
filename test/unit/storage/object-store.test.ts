// Runs alone: installs packages, and starts azurite.
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../../src/shared/clock.ts';
import { systemTimers } from '../../../src/shared/timers.ts';
import {
  DirectoryObjectStore,
  isObjectKey,
  nodeFileSystem,
  type ObjectStore,
  probeStore,
  S3ObjectStore,
  type S3Options,
  setAside,
} from '../../../src/storage/index.ts';
import { openAzure, openGoogle, sharedAzurite } from '../../support/cloud-stores.ts';
import { FakeGoogle } from '../../support/fake-google.ts';
import { FakeS3 } from '../../support/fake-s3.ts';
import { MemoryObjectStore } from '../../support/memory-object-store.ts';
import { ensureNpmPackage } from '../../tooling/ensure-npm-package.ts';
import { FaultyFileSystem } from './faulty-file-system.ts';
import { temporaryDirectory } from './temp-directory.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function read(store: ObjectStore, key: string): Promise<string> {
  return new TextDecoder().decode(await store.get(key));
}

async function keys(store: ObjectStore, prefix: string, startAfter?: string): Promise<string[]> {
  const found: string[] = [];
  for await (const key of store.list(prefix, startAfter)) found.push(key);
  return found;
}

async function openS3(
  t: TestContext,
  fake: FakeS3,
  credentials: S3Options['credentials'] = { accessKeyId: 'key', secretAccessKey: 'secret-of-the-test' },
): Promise<S3ObjectStore> {
  process.chdir(ensureNpmPackage('@aws-sdk/client-s3')); // where the store looks for the package
  const store = await S3ObjectStore.open({
    ...{ bucket: fake.bucket, prefix: 'node/', region: 'us-east-1', endpoint: fake.url, credentials },
    ...{ connectionLimit: 16, requestTimeoutMs: 10_000, maxRetries: 3, retryTimeoutMs: 10_000 },
    ...{ tlsAllowInsecure: false, tlsRoots: undefined, clock: systemClock, timers: systemTimers },
  });
  t.after(() => store.close());
  return store;
}

const azurite = sharedAzurite();

/** What every store must do; whoever adds one adds a line here. */
const stores: readonly (readonly [string, (t: TestContext) => Promise<ObjectStore>])[] = [
  ['directory', async (t) => new DirectoryObjectStore(nodeFileSystem, await temporaryDirectory(t))],
  ['memory', async () => new MemoryObjectStore()],
  ['S3', async (t) => openS3(t, await FakeS3.start(t))],
  ['Azure', async (t) => openAzure(t, await azurite())],
  ['Google', async (t) => openGoogle(t, await FakeGoogle.start(t))],
];

for (const [name, open] of stores) {
  describe(`an object store: ${name}`, () => {
    it('gives back what was put, whole, in part, and its size', async (t) => {
      const store = await open(t);
      await store.prepare('a/b/');
      await store.put('a/b/c', text('0123456789'), 'create');
      const bytes = await store.get('a/b/c');
      assert.equal(bytes.byteOffset % 8, 0);
      assert.equal(await read(store, 'a/b/c'), '0123456789');
      assert.deepEqual(await store.head('a/b/c'), { sizeBytes: 10 });
      const range = async (start: number, length: number): Promise<string> =>
        new TextDecoder().decode(await store.getRange('a/b/c', start, length));
      assert.deepEqual(
        [await range(0, 3), await range(7, 3), await range(8, 100), await range(10, 5), await range(50, 5)],
        ['012', '789', '89', '', ''],
      );
    });

    it('takes keys of all characters that keys may have', async (t) => {
      const store = await open(t);
      await store.prepare('x/');
      const odd = ['x/ a b', `x/!"#$%&'()*+,-.:;<=>?@`, 'x/%2F', 'x/[]^_`{|}~', 'x/a&amp;b'];
      for (const key of odd) await store.put(key, text(key), 'create');
      assert.deepEqual(await keys(store, 'x/'), odd.sort());
      for (const key of odd) assert.equal(await read(store, key), key);
      await store.delete(odd);
      assert.deepEqual(await keys(store, ''), []);
    });

    it('creates an object once, however many try, and overwrites it when told to', async (t) => {
      const store = await open(t);
      await store.prepare('x/');
      const tries = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => store.put(`x/${i % 2}`, text(`writer ${i}`), 'create')));
      const won = tries.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
      assert.equal(won.length, 2);
      for (const i of won) assert.equal(await read(store, `x/${i % 2}`), `writer ${i}`);
      for (const result of tries) if (result.status === 'rejected') assert.equal(result.reason.code, 'EXISTS');
      await store.put('x/0', text('new'), 'overwrite');
      await store.put('x/9', text('first'), 'overwrite');
      assert.deepEqual([await read(store, 'x/0'), await read(store, 'x/9')], ['new', 'first']);
      assert.deepEqual(await keys(store, 'x/'), ['x/0', 'x/1', 'x/9']);
    });

    it('says what is not there', async (t) => {
      const store = await open(t);
      await store.prepare('x/');
      for (const operation of [
        () => store.get('x/1'),
        () => store.head('x/1'),
        () => store.getRange('x/1', 0, 1),
        () => store.move('x/1', 'x/2'),
      ]) {
        await assert.rejects(operation(), { name: 'ObjectStoreError', code: 'NOT_FOUND' });
      }
      assert.deepEqual(await keys(store, 'x/'), []);
      assert.deepEqual(await keys(store, 'never/prepared/'), []);
    });

    it('lists keys below a prefix in their order, from a key on', async (t) => {
      const store = await open(t);
      const all = ['a', 'a.b', 'a/b', 'a/c/d', 'a0', 'b/1', 'b/10', 'b/2', 'b2/x'];
      for (const key of all.filter((key) => key !== 'a')) {
        await store.prepare(key.includes('/') ? `${key.slice(0, key.lastIndexOf('/'))}/` : 'a/');
        await store.put(key, text(key), 'create');
      }
      const expected = all.slice(1);
      assert.deepEqual(await keys(store, ''), expected);
      for (const prefix of ['a', 'a/', 'a/c', 'b', 'b/', 'b/1', 'z']) {
        const within = expected.filter((key) => key.startsWith(prefix));
        assert.deepEqual(await keys(store, prefix), within, prefix);
        for (const after of all) {
          assert.deepEqual(
            await keys(store, prefix, after),
            within.filter((key) => key > after),
            `${prefix} after ${after}`,
          );
        }
      }
    });

    it('deletes what is there and what is not, and moves', async (t) => {
      const store = await open(t);
      await store.prepare('x/');
      for (const key of ['x/1', 'x/2', 'x/3']) await store.put(key, text(key), 'create');
      await store.delete(['x/1', 'x/missing', 'x/3']);
      assert.deepEqual(await keys(store, 'x/'), ['x/2']);
      await store.move('x/2', 'x/4');
      assert.deepEqual([await keys(store, 'x/'), await read(store, 'x/4')], [['x/4'], 'x/2']);
    });

    it('sets objects aside under names of their own', async (t) => {
      const store = await open(t);
      await store.prepare('x/');
      for (const expected of ['x/1.corrupt', 'x/1.corrupt.1', 'x/1.corrupt.2']) {
        await store.put('x/1', text(expected), 'create');
        assert.equal(await setAside(store, 'x/1'), store.locate(expected));
        assert.equal(await read(store, expected), expected);
      }
    });

    it('does not keep the bytes of its caller', async (t) => {
      const store = await open(t);
      await store.prepare('x/');
      const bytes = text('before');
      await store.put('x/1', bytes, 'create');
      bytes.fill(0);
      (await store.get('x/1')).fill(0);
      assert.equal(await read(store, 'x/1'), 'before');
    });
  });
}

describe('objects in an S3 bucket', () => {
  it('are asked for again when an answer does not come, and a put that must not be repeated is not', async (t) => {
    const fake = await FakeS3.start(t);
    const store = await openS3(t, fake);
    await store.put('a', text('once'), 'create');
    let left = 2;
    fake.fault = () => (left-- > 0 ? (left % 2 === 0 ? 'request lost' : { status: 503, code: 'SlowDown' }) : undefined);
    assert.equal(await read(store, 'a'), 'once');
    left = 2;
    await store.put('b', text('twice'), 'overwrite');
    left = 1;
    fake.fault = ({ method }) => (method === 'PUT' && left-- > 0 ? 'answer lost' : undefined);
    await assert.rejects(store.put('c', text('unknown'), 'create'), { code: 'UNAVAILABLE' });
    await assert.rejects(store.put('c', text('second'), 'create'), { code: 'EXISTS' });
    assert.equal(await read(store, 'c'), 'unknown');
    left = 100;
    fake.fault = () => (left-- > 0 ? { status: 500, code: 'InternalError' } : undefined);
    await assert.rejects(store.get('a'), { code: 'UNAVAILABLE' });
    assert.equal(left, 100 - 4, 'one attempt and three repetitions');
  });

  it('are deleted a thousand with a request, and one by one where the service does not know that', async (t) => {
    const fake = await FakeS3.start(t);
    const store = await openS3(t, fake);
    const requests = async (count: number): Promise<number> => {
      for (let n = 0; n < count; n++) fake.objects.set(`node/x/a&<b> ${n}`, Buffer.alloc(0));
      fake.objects.set('node/x/stays', Buffer.alloc(0));
      const before = fake.counts.get('DELETE') ?? 0;
      const doomed = (await keys(store, 'x/')).filter((key) => key !== 'x/stays');
      await store.delete([...doomed, 'x/missing']);
      assert.deepEqual(await keys(store, 'x/'), ['x/stays']);
      return (fake.counts.get('DELETE') ?? 0) - before;
    };
    const faults = [{ status: 503, code: 'SlowDown' }, 'answer lost'] as const;
    let fault = 0;
    fake.fault = ({ method }) => (method === 'DELETE' ? faults[fault++] : undefined);
    assert.equal(await requests(1200), 4);
    fake.deletesEach = true;
    assert.equal(await requests(20), 1 + 21);
    assert.equal(await requests(20), 21, 'it is not asked again');
  });

  it('fail with the operation, the bucket and the way out, never with a secret', async (t) => {
    const fake = await FakeS3.start(t);
    const store = await openS3(t, fake);
    for (const [status, name, code, words] of [
      [403, 'InvalidAccessKeyId', 'DENIED', /--aws-access-key-id/],
      [403, 'SignatureDoesNotMatch', 'DENIED', /--aws-secret-access-key/],
      [403, 'AccessDenied', 'DENIED', /may not do this/],
      [400, 'ExpiredToken', 'DENIED', /have expired/],
      [403, 'RequestTimeTooSkewed', 'UNAVAILABLE', /clock of this machine/],
      [404, 'NoSuchBucket', 'DENIED', /does not exist/],
      [409, 'ConditionalRequestConflict', 'UNAVAILABLE', /PUT of 'node\/x' in bucket 'bucket'/],
    ] as const) {
      fake.fault = () => ({ status, code: name });
      const failure = await store.put('x', text('x'), 'create').catch((error: unknown) => error as Error & { code: string });
      assert.ok(failure instanceof Error);
      assert.equal(failure.code, code, name);
      assert.match(failure.message, words);
      assert.match(failure.message, /PUT of 'node\/x' in bucket 'bucket' failed/);
      assert.doesNotMatch(failure.message, /secret-of-the-test/);
    }
  });

  it('are put from files, and listed with their sizes, also beyond a page', async (t) => {
    const fake = await FakeS3.start(t);
    const store = await openS3(t, fake);
    const path = join(await temporaryDirectory(t), 'file');
    await writeFile(path, Buffer.alloc(300_000, 'x'));
    await store.putFile('dbs/1', path, 300_000);
    assert.equal(await read(store, 'dbs/1'), 'x'.repeat(300_000));
    await assert.rejects(store.putFile('dbs/2', join(path, 'none'), 1), {
      name: 'ObjectStoreError',
      message: /PUT of 'node\/dbs\/2' .*ENOTDIR/,
    });
    for (let i = 0; i < 1005; i++) fake.objects.set(`node/n/${String(i).padStart(4, '0')}`, Buffer.from('1'));
    assert.equal((await keys(store, 'n/')).length, 1005);
    const sizes: [string, number][] = [];
    for await (const { key, sizeBytes } of store.entries('dbs/')) sizes.push([key, sizeBytes]);
    assert.deepEqual(sizes, [['dbs/1', 300_000]]);
  });

  it('take new keys from a credentials file when the service refuses the old ones', async (t) => {
    const fake = await FakeS3.start(t);
    const file = join(await temporaryDirectory(t), 'keys.json');
    const write = (id: string) => writeFile(file, JSON.stringify({ aws_access_key_id: id, aws_secret_access_key: 'secret-of-the-test' }));
    await write('old');
    const store = await openS3(t, fake, { file });
    await store.put('a', text('a'), 'create');
    await write('new');
    let refusals = 0;
    fake.fault = ({ authorization }) =>
      authorization.includes('=old/') && ++refusals > 0 ? { status: 400, code: 'ExpiredToken' } : undefined;
    assert.equal(await read(store, 'a'), 'a');
    assert.equal(refusals, 1);
    for (const [content, message] of [
      ['{', /not a JSON object/],
      ['{"aws_access_key_id":"secret-of-the-test"}', /lacks aws_access_key_id or aws_secret_access_key/],
    ] as const) {
      await writeFile(file, content);
      await assert.rejects(
        openS3(t, fake, { file }),
        (error: Error) => message.test(error.message) && !error.message.includes('secret-of'),
      );
    }
  });

  it('are not taken from a service that overwrites what it was told to create', async (t) => {
    const fake = await FakeS3.start(t);
    const store = await openS3(t, fake);
    await probeStore(store, systemTimers);
    assert.deepEqual(await keys(store, ''), [], 'the probe leaves nothing');
    fake.ignoresConditions = true;
    await assert.rejects(probeStore(store, systemTimers), { name: 'StartupError', message: /If-None-Match: \*, .*overwrite each other/ });
    fake.fault = () => ({ status: 404, code: 'NoSuchBucket' });
    await assert.rejects(probeStore(store, systemTimers), { name: 'StartupError', message: /bucket does not exist: create it/ });
  });
});

describe('objects in a directory', () => {
  it('leave no half-written object behind: a reader sees all of it or nothing, whichever operation fails', async (t) => {
    for (const condition of ['create', 'overwrite'] as const) {
      for (let at = 0; at < 20; at++) {
        const root = await temporaryDirectory(t);
        const fs = new FaultyFileSystem(nodeFileSystem);
        const store = new DirectoryObjectStore(fs, root);
        await store.prepare('x/');
        const before = fs.operations.length;
        fs.fault = { at: before + at, dead: true, code: 'EIO' };
        const failure: unknown = await store.put('x/1', text('all of it'), condition).catch((error: unknown) => error);
        const reached = fs.operations.length > before + at;
        if (reached && failure !== undefined) assert.equal((failure as { code: string }).code, 'UNAVAILABLE');
        const next = new DirectoryObjectStore(nodeFileSystem, root);
        await next.prepare('x/');
        assert.deepEqual(await readdir(join(root, 'x')), await keys(next, 'x/').then((found) => found.map((key) => key.slice(2))));
        for (const key of await keys(next, 'x/')) assert.equal(await read(next, key), 'all of it');
        if (!reached) break;
      }
    }
  });

  it('name what the system says: no right to write is DENIED, a full disk is UNAVAILABLE', async (t) => {
    const fs = new FaultyFileSystem(nodeFileSystem);
    const store = new DirectoryObjectStore(fs, await temporaryDirectory(t));
    for (const [code, expected] of [
      ['EACCES', 'DENIED'],
      ['EROFS', 'DENIED'],
      ['ENOSPC', 'UNAVAILABLE'],
    ] as const) {
      fs.failNext('open', code);
      await assert.rejects(store.put('1', text('x'), 'create'), { code: expected, message: `${code}: injected at open` });
    }
  });

  it('do not list what is being written, nor directories', async (t) => {
    const root = await temporaryDirectory(t);
    const store = new DirectoryObjectStore(nodeFileSystem, root);
    await mkdir(join(root, 'x', 'empty'), { recursive: true });
    await writeFile(join(root, 'x', '1.tmp'), 'half');
    assert.deepEqual(await keys(store, ''), []);
    await store.prepare('x/');
    assert.deepEqual(await readdir(join(root, 'x')), ['empty']);
  });

  it('have keys that stay below the directory', () => {
    for (const key of ['', '/', '/a', 'a/', 'a//b', '.', '..', 'a/../b', 'ä', 'a\nb']) assert.equal(isObjectKey(key), false, key);
    for (const key of ['a', 'a b', 'catalog/v3/logs/00000000000000000001.catalog', '.a', '..a']) assert.equal(isObjectKey(key), true, key);
  });
});
