// Runs alone: installs packages, and starts azurite.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { rootCertificates } from 'node:tls';
import { systemClock } from '../../../src/shared/clock.ts';
import { systemTimers, type Timers } from '../../../src/shared/timers.ts';
import { type BucketStore, type ObjectEntry, probeStore } from '../../../src/storage/index.ts';
import { testCertificate } from '../../http/tls-fixture.ts';
import { answering } from '../../support/answering.ts';
import { AZURITE_ACCOUNT, AZURITE_KEY } from '../../support/azurite.ts';
import { openAzure, openGoogle, sharedAzurite } from '../../support/cloud-stores.ts';
import { FakeGoogle } from '../../support/fake-google.ts';
import { tlsFront } from '../../support/tls-front.ts';
import { until } from '../../support/until.ts';
import { temporaryDirectory } from './temp-directory.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const azurite = sharedAzurite();
const HOUR_AGO = (): string => new Date(Date.now() - 3_600_000).toUTCString();

async function keys(store: BucketStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const key of store.list(prefix)) found.push(key);
  return found;
}

/** What lists tell of `dbs/1`, which was just written. */
async function expectOneFile(store: BucketStore): Promise<void> {
  const entries: ObjectEntry[] = [];
  for await (const entry of store.entries('dbs/')) entries.push(entry);
  assert.deepEqual(
    entries.map(({ key, sizeBytes }) => [key, sizeBytes]),
    [['dbs/1', 300_000]],
  );
  assert.ok(Math.abs((entries[0]?.modifiedMs ?? 0) - Date.now()) < 600_000);
}

async function failureOf(operation: Promise<unknown>): Promise<Error & { code: string }> {
  const failure: unknown = await operation.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(failure instanceof Error, 'it failed');
  return failure as Error & { code: string };
}

/** A service of Azure's that answers as the test says. */
async function scripted(t: TestContext, answer: Parameters<typeof answering>[1]): Promise<BucketStore> {
  const endpoint = await answering(t, answer);
  return openAzure(t, await azurite(), { container: 'c', endpoint, maxRetries: 0, requestTimeoutMs: 500 });
}

describe('objects in a container of Azure', () => {
  it('are put from files, listed with their sizes, and pass the probe of the start', async (t) => {
    const store = await openAzure(t, await azurite());
    const path = join(await temporaryDirectory(t), 'file');
    await writeFile(path, Buffer.alloc(300_000, 'x'));
    await store.putFile('dbs/1', path, 300_000);
    await expectOneFile(store);
    await assert.rejects(store.putFile('dbs/2', join(path, 'none'), 1), {
      name: 'ObjectStoreError',
      message: /PUT of 'node\/dbs\/2' .*ENOTDIR/,
    });
    await probeStore(store, systemTimers);
    assert.deepEqual(await keys(store, ''), ['dbs/1'], 'the probe leaves nothing');
    assert.equal(store.locate('dbs/1').endsWith('/node/dbs/1'), true);
    assert.deepEqual(new Map(store.requests.entries()).get('PUT'), 3);
  });

  it('fail with the operation, the container and the way out, never with a secret', async (t) => {
    let answer: { status: number; name: string; date?: string } = { status: 500, name: 'InternalError' };
    const store = await scripted(t, (_request, response) => {
      response.writeHead(answer.status, { 'x-ms-error-code': answer.name, ...(answer.date === undefined ? {} : { date: answer.date }) });
      response.end(`<Error><Code>${answer.name}</Code><Message>why it &lt;failed&gt;\nRequestId:1</Message></Error>`);
    });
    for (const [status, name, code, words, date] of [
      [404, 'ContainerNotFound', 'DENIED', /the container does not exist: create it, or choose another one/],
      [403, 'AuthenticationFailed', 'DENIED', /check --azure-storage-account and --azure-storage-access-key/],
      [403, 'AuthenticationFailed', 'UNAVAILABLE', /the clock of this machine is wrong/, HOUR_AGO()],
      [403, 'AuthorizationPermissionMismatch', 'DENIED', /Storage Blob Data Contributor/],
      [403, 'KeyBasedAuthenticationNotPermitted', 'DENIED', /takes no access keys/],
      [403, 'SomethingNew', 'DENIED', /why it <failed>$/],
      [409, 'BlobAlreadyExists', 'EXISTS', /why it/],
      [412, 'ConditionNotMet', 'EXISTS', /why it/],
      [412, 'LeaseIdMissing', 'UNAVAILABLE', /why it/],
      [409, 'BlobImmutableDueToPolicy', 'DENIED', /immutability policy/],
      [404, 'BlobNotFound', 'NOT_FOUND', /why it/],
      [503, 'ServerBusy', 'UNAVAILABLE', /why it/],
    ] as const) {
      answer = { status, name, ...(date === undefined ? {} : { date }) };
      const failure = await failureOf(store.put('x', text('x'), 'create'));
      assert.equal(failure.code, code, name);
      assert.match(failure.message, words);
      assert.equal(failure.message.startsWith(`PUT of 'node/x' in container 'c' failed (${name}, status ${status}): `), true);
      assert.equal(failure.message.includes(AZURITE_KEY), false);
    }
    answer = { status: 404, name: 'BlobNotFound' };
    assert.equal((await failureOf(store.head('x'))).code, 'NOT_FOUND', 'answers to HEAD have no body');
    await store.delete(['x']);
  });

  it('say that a key does not fit, and are not opened with one that is none', async (t) => {
    const container = await (await azurite()).container();
    const store = await openAzure(t, await azurite(), { container, accessKey: Buffer.from('another-key').toString('base64') });
    const failure = await failureOf(store.get('x'));
    assert.equal(failure.code, 'DENIED');
    assert.match(failure.message, /^GET of 'node\/x' in container '.*' failed \(\w+, status 403\): .*check the access key/);
    await assert.rejects(openAzure(t, await azurite(), { container, accessKey: 'my secret' }), (error: Error) => {
      return error.name === 'StartupError' && /is not base64/.test(error.message) && !error.message.includes('my secret');
    });
  });

  it('are listed page by page, and nothing else is taken for a list', async (t) => {
    const blob = (name: string, more = ''): string =>
      `<Blob><Name>node/${name}</Name><Properties><Content-Length>3</Content-Length>${more}</Properties></Blob>`;
    const list = (blobs: string, next: string): string =>
      `<?xml version="1.0"?><EnumerationResults><Blobs>${blobs}</Blobs><NextMarker>${next}</NextMarker></EnumerationResults>`;
    const folder = '<ResourceType>directory</ResourceType>';
    let pages: Readonly<Record<string, string>> = {};
    const markers: string[] = [];
    const store = await scripted(t, (request, response) => {
      const marker = new URL(request.url ?? '', 'http://x').searchParams.get('marker') ?? '';
      markers.push(marker);
      response.end(pages[marker]);
    });
    pages = { '': list(blob('a') + blob('b', folder) + blob('b/c'), 'm&amp;1'), 'm&1': list(blob('d&lt;&#x41;'), '') };
    assert.deepEqual(await keys(store, ''), ['a', 'b/c', 'd<A']);
    assert.deepEqual(markers, ['', 'm&1']);
    pages = { '': list('', 'more'), more: list(blob('z'), '') };
    assert.deepEqual(await keys(store, ''), ['z'], 'a page may be empty');
    pages = { '': list(blob('a/b') + blob('a.b'), '') };
    assert.match((await failureOf(keys(store, ''))).message, /LIST of container 'c' failed: .*hierarchical namespace/);
    for (const wrong of ['<html>log in</html>', '', list('<Blob><Properties/></Blob>', '')]) {
      pages = { '': wrong };
      assert.equal((await failureOf(keys(store, ''))).code, 'UNAVAILABLE');
    }
  });

  it('are not there because something between says 200', async (t) => {
    const store = await scripted(t, (_request, response) => void response.end('<html>log in</html>'));
    const failure = await failureOf(store.put('x', text('x'), 'create'));
    assert.equal(failure.code, 'UNAVAILABLE');
    assert.match(failure.message, /PUT of 'node\/x' in container 'c' failed: the answer \(status 200\) is not that of the service/);
    const baseUrl = await answering(t, (_request, response) => void response.end('{}'));
    const google = await openGoogle(t, await FakeGoogle.start(t), { baseUrl, maxRetries: 0 });
    assert.equal((await failureOf(google.put('x', text('x'), 'overwrite'))).code, 'UNAVAILABLE');
    assert.equal((await failureOf(google.head('x'))).code, 'UNAVAILABLE');
    assert.equal((await failureOf(google.getRange('x', 0, 1))).code, 'UNAVAILABLE');
    assert.equal((await failureOf(keys(google, ''))).code, 'UNAVAILABLE');
  });

  it('are not waited for longer than a request may take, nor after the end', async (t) => {
    const asked: IncomingMessage[] = [];
    const store = await scripted(t, (request) => void asked.push(request));
    assert.match((await failureOf(store.get('x'))).message, /GET of 'node\/x' in container 'c' failed: /);
    const waiting = failureOf(store.put('x', text('x'), 'create'));
    store.close();
    assert.equal((await waiting).code, 'UNAVAILABLE');

    const due: (() => void)[] = [];
    const remember: Timers['after'] = (_delayMs, run) => {
      due.push(run);
      return () => void due.splice(due.indexOf(run), 1);
    };
    const timers: Timers = { ...systemTimers, after: remember };
    const answered: ServerResponse[] = [];
    const endpoint = await answering(t, (_request, response) => void answered.push(response));
    const narrow = await openAzure(t, await azurite(), { container: 'c', endpoint, connectionLimit: 1, timers });
    const both = [narrow.get('x'), narrow.get('y')];
    for (const count of [1, 2]) {
      await until(() => answered.length === count);
      assert.equal(due.length, 1, 'the time of a request that waits for a connection has not begun');
      answered.at(-1)?.end('x');
    }
    await Promise.all(both);
  });
});

describe('objects in a bucket of Google', () => {
  it('are asked for again when an answer does not come, and a put that must not be repeated is not', async (t) => {
    const fake = await FakeGoogle.start(t);
    const store = await openGoogle(t, fake);
    await store.put('a', text('once'), 'create');
    let left = 2;
    fake.fault = () => (left-- > 0 ? (left % 2 === 0 ? 'request lost' : { status: 503, reason: 'backendError' }) : undefined);
    assert.equal(Buffer.from(await store.get('a')).toString(), 'once');
    left = 1;
    fake.fault = ({ method }) => (method === 'PUT' && left-- > 0 ? 'answer lost' : undefined);
    await assert.rejects(store.put('c', text('unknown'), 'create'), { code: 'UNAVAILABLE' });
    await assert.rejects(store.put('c', text('second'), 'create'), { code: 'EXISTS' });
    left = 100;
    fake.fault = () => (left-- > 0 ? { status: 429, reason: 'rateLimitExceeded' } : undefined);
    await assert.rejects(store.get('a'), { code: 'UNAVAILABLE' });
    assert.equal(left, 100 - 4, 'one attempt and three repetitions');
  });

  it('are put from files, and listed with their sizes, also beyond a page', async (t) => {
    const fake = await FakeGoogle.start(t);
    const store = await openGoogle(t, fake);
    const path = join(await temporaryDirectory(t), 'file');
    await writeFile(path, Buffer.alloc(300_000, 'x'));
    let left = 1;
    fake.fault = () => (left-- > 0 ? { status: 500, reason: 'backendError' } : undefined);
    await store.putFile('dbs/1', path, 300_000);
    const [first] = [...fake.objects.values()];
    for (let i = 0; i < 1005; i++) fake.objects.set(`node/n/${String(i).padStart(4, '0')}`, first as NonNullable<typeof first>);
    assert.equal((await keys(store, 'n/')).length, 1005);
    await expectOneFile(store);
    assert.equal(store.locate('a'), 'gs://bucket/node/a');
  });

  it('fail with the operation, the bucket and the way out', async (t) => {
    const fake = await FakeGoogle.start(t);
    const store = await openGoogle(t, fake, { maxRetries: 0 });
    for (const [status, reason, code, words, more] of [
      [401, 'authError', 'DENIED', /check --google-service-account/],
      [401, 'authError', 'UNAVAILABLE', /the clock of this machine is wrong/, { date: HOUR_AGO() }],
      [403, 'forbidden', 'DENIED', /Storage Object Admin/],
      [403, 'rateLimitExceeded', 'UNAVAILABLE', /slow down$/, { message: 'slow down' }],
      [403, 'retentionPolicyNotMet', 'DENIED', /has a retention policy/],
      [404, 'notFound', 'DENIED', /does not exist: create it/, { message: 'The specified bucket does not exist.' }],
      [412, 'conditionNotMet', 'EXISTS', /conditionNotMet$/],
      [503, 'backendError', 'UNAVAILABLE', /backendError$/],
    ] as const) {
      fake.fault = () => ({ status, reason, ...more });
      const failure = await failureOf(store.put('x', text('x'), 'create'));
      assert.equal(failure.code, code, reason);
      assert.match(failure.message, words);
      assert.equal(failure.message.startsWith(`PUT of 'node/x' in bucket 'bucket' failed (${reason}, status ${status}): `), true);
    }
    const other = await openGoogle(t, fake, { bucket: 'other' });
    fake.fault = () => undefined;
    assert.match((await failureOf(keys(other, ''))).message, /LIST of bucket 'other' failed .*does not exist: create it/);
    await assert.rejects(store.get('x'), { code: 'NOT_FOUND', message: /No such object: bucket\/node\/x$/ });
  });

  it('are not taken from a service that overwrites what it was told to create', async (t) => {
    const fake = await FakeGoogle.start(t);
    const store = await openGoogle(t, fake);
    await probeStore(store, systemTimers);
    assert.deepEqual(await keys(store, ''), [], 'the probe leaves nothing');
    fake.ignoresConditions = true;
    await assert.rejects(probeStore(store, systemTimers), {
      name: 'StartupError',
      message: /or ifGenerationMatch=0\).*overwrite each other/,
    });
  });

  it('come with tokens that the account signs, over TLS, and with a new one after a refusal', async (t) => {
    const fake = await FakeGoogle.start(t);
    const { url } = await tlsFront(t, fake.url);
    const serviceAccountFile = await fake.keyFile(t, { gcs_base_url: url });
    const tlsRoots = [...rootCertificates, testCertificate];
    let nowMs = Date.now();
    const clock = { ...systemClock, nowMs: () => nowMs };
    const store = await openGoogle(t, fake, { serviceAccountFile, tlsRoots, clock });
    const seen = new Set<string>();
    fake.fault = ({ authorization }) => void seen.add(authorization);
    await store.put('a', text('a'), 'create');
    await Promise.all(Array.from({ length: 20 }, () => store.get('a')));
    assert.equal(seen.size, 1, 'one token for all');
    nowMs += 1000;
    let refusals = 1;
    fake.fault = ({ authorization }) => (seen.has(authorization) && refusals-- > 0 ? { status: 401, reason: 'authError' } : undefined);
    assert.equal(Buffer.from(await store.get('a')).toString(), 'a');
    fake.fault = ({ authorization }) => void seen.add(authorization);
    nowMs -= 3_600_000 - 400_000; // the service would refuse a token of an hour ago
    assert.equal(Buffer.from(await store.get('a')).toString(), 'a');
    assert.equal(seen.size, 2, 'a new one since the refusal');

    const untrusting = await openGoogle(t, fake, { serviceAccountFile, maxRetries: 0 });
    assert.match((await failureOf(untrusting.get('a'))).message, /is not trusted \(\w+\): give the root .* --object-store-tls-ca/);
    const careless = await openGoogle(t, fake, { serviceAccountFile, tlsAllowInsecure: true });
    assert.equal(Buffer.from(await careless.get('a')).toString(), 'a');
  });

  it('are not opened with a key file that cannot be used, whose content is not shown', async (t) => {
    const fake = await FakeGoogle.start(t);
    const path = join(await temporaryDirectory(t), 'account.json');
    for (const [content, message] of [
      ['{ "private_key": "secret-of-the-test"', /is not a JSON object/],
      ['{ "client_email": "secret-of-the-test" }', /lacks client_email or private_key$/],
      ['{ "type": "authorized_user", "refresh_token": "secret-of-the-test" }', /set GOOGLE_APPLICATION_CREDENTIALS instead/],
      ['{ "client_email": "a", "private_key": "secret-of-the-test" }', /is no key in PEM form/],
      ['{ "client_email": "a", "private_key": "secret-of-the-test", "gcs_base_url": "http://x" }', /is not encrypted; use https/],
      ['{ "client_email": "a", "private_key": "secret-of-the-test", "gcs_base_url": "x" }', /is no URL/],
    ] as const) {
      await writeFile(path, content);
      const failure = await failureOf(openGoogle(t, fake, { serviceAccountFile: path }));
      assert.equal(failure.name, 'StartupError');
      assert.match(failure.message, message);
      assert.match(failure.message, /^Cannot parse object store config: Error configuring GCS: /);
      assert.equal(failure.message.includes('secret-of-the-test'), false);
    }
    await assert.rejects(openGoogle(t, fake, { serviceAccountFile: join(path, 'none') }), /Unable to open service account file from/);
  });
});

it('an account of Azure is asked over TLS with the given root', async (t) => {
  const plain = await azurite();
  const { url } = await tlsFront(t, plain.endpoint);
  const endpoint = `${url}/${AZURITE_ACCOUNT}`;
  const tlsRoots = [...rootCertificates, testCertificate];
  const store = await openAzure(t, plain, { endpoint, tlsRoots });
  await store.put('a', text('a'), 'create');
  assert.equal(Buffer.from(await store.get('a')).toString(), 'a');
  const untrusting = await openAzure(t, plain, { endpoint, maxRetries: 0 });
  assert.match((await failureOf(untrusting.get('a'))).message, /is not trusted/);
});
