// Runs alone: changes the environment and the working directory, and installs packages.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it, type TestContext } from 'node:test';
import { bucketOf } from '../../../src/bucket/index.ts';
import { checkServeConfig } from '../../../src/config/index.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { type BucketStore, openGoogleStore } from '../../../src/storage/index.ts';
import { testCertificate, testKey } from '../../http/tls-fixture.ts';
import { answering } from '../../support/answering.ts';
import { AZURITE_ACCOUNT, Azurite } from '../../support/azurite.ts';
import { CONNECTION } from '../../support/cloud-stores.ts';
import { FakeGoogle } from '../../support/fake-google.ts';
import { FakeS3 } from '../../support/fake-s3.ts';
import { tlsFront } from '../../support/tls-front.ts';
import { ensureNpmPackage } from '../../tooling/ensure-npm-package.ts';
import { configOf } from '../config/support.ts';
import { temporaryDirectory } from './temp-directory.ts';

const before = { ...process.env };
const KEYS: Flags = { 'aws-access-key-id': 'id', 'aws-secret-access-key': 'secret' };
const bytes = new TextEncoder().encode('x');

afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
});

/** No file of the machine may give credentials, and no address be asked for them, but those of the test. */
async function setEnvironment(t: TestContext, variables: Readonly<Record<string, string>>): Promise<void> {
  const nothing = join(await temporaryDirectory(t), 'none');
  const files = { AWS_SHARED_CREDENTIALS_FILE: nothing, AWS_CONFIG_FILE: nothing, CLOUDSDK_CONFIG: nothing };
  Object.assign(process.env, { ...files, AWS_EC2_METADATA_DISABLED: 'true' }, variables);
}

type Flags = Readonly<Record<string, string | true>>;

/** Opens the bucket as a server with these flags does. */
async function openBucket(t: TestContext, flags: Flags): Promise<BucketStore> {
  const config = configOf(flags);
  checkServeConfig(config);
  const open = bucketOf(config, systemClock);
  assert.ok(open !== undefined);
  const store = await open('node/');
  t.after(() => store.close());
  return store;
}

async function openS3(t: TestContext, fake: FakeS3, flags: Flags = {}): Promise<BucketStore> {
  process.chdir(ensureNpmPackage('@aws-sdk/client-s3'));
  const endpoint = flags['aws-endpoint'] === undefined ? ({ 'aws-endpoint': fake.url, 'aws-allow-http': true } as const) : {};
  return openBucket(t, { 'object-store': 's3', bucket: fake.bucket, ...endpoint, ...flags });
}

async function fileWith(t: TestContext, content: string): Promise<string> {
  const path = join(await temporaryDirectory(t), 'file');
  await writeFile(path, content);
  return path;
}

/** What the last request said of who sent it. */
function watched(fake: FakeS3): { authorization: string; sessionToken: string } {
  const last = { authorization: '', sessionToken: '' };
  fake.fault = ({ authorization, sessionToken }) => void Object.assign(last, { authorization, sessionToken });
  return last;
}

describe('credentials of an S3 bucket', () => {
  it('are keys with a session token, or none at all', async (t) => {
    const fake = await FakeS3.start(t);
    const last = watched(fake);
    await (await openS3(t, fake, { ...KEYS, 'aws-session-token': 'token-of-a-session' })).put('a', bytes, 'create');
    assert.match(last.authorization, /^AWS4-HMAC-SHA256 Credential=id\/.*SignedHeaders=[^,]*x-amz-security-token/);
    assert.equal(last.sessionToken, 'token-of-a-session');
    await (await openS3(t, fake, { ...KEYS, 'aws-skip-signature': true })).get('a');
    assert.deepEqual(last, { authorization: '', sessionToken: '' });
  });

  it('are found in the profile that the environment names', async (t) => {
    const fake = await FakeS3.start(t);
    const last = watched(fake);
    const file = await fileWith(t, '[other]\naws_access_key_id = from-the-profile\naws_secret_access_key = secret\n');
    await setEnvironment(t, { AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'other' });
    await (await openS3(t, fake)).put('a', bytes, 'create');
    assert.match(last.authorization, /Credential=from-the-profile\//);
  });

  it('are asked for where a container runs, and by web identity', async (t) => {
    const fake = await FakeS3.start(t);
    const last = watched(fake);
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    const container = await answering(t, (request, response) => {
      assert.equal(request.headers.authorization, 'of the container');
      response.end(JSON.stringify({ AccessKeyId: 'from-the-container', SecretAccessKey: 's', Token: 'of-the-role', Expiration: inAnHour }));
    });
    await setEnvironment(t, { AWS_CONTAINER_CREDENTIALS_FULL_URI: container, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'of the container' });
    await (await openS3(t, fake)).put('a', bytes, 'create');
    assert.match(last.authorization, /Credential=from-the-container\//);
    assert.equal(last.sessionToken, 'of-the-role');
    delete process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'];

    const file = await fileWith(t, 'of-the-cluster');
    const sts = await answering(t, (_request, response) => {
      const role = `<AccessKeyId>from-sts</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${inAnHour}</Expiration>`;
      const result = `<AssumeRoleWithWebIdentityResult><Credentials>${role}</Credentials></AssumeRoleWithWebIdentityResult>`;
      response.writeHead(200, { 'content-type': 'text/xml' });
      response.end(`<AssumeRoleWithWebIdentityResponse>${result}</AssumeRoleWithWebIdentityResponse>`);
    });
    const role = { AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/writer', AWS_WEB_IDENTITY_TOKEN_FILE: file };
    await setEnvironment(t, { ...role, AWS_ENDPOINT_URL_STS: sts, AWS_REGION: 'us-east-1' });
    await (await openS3(t, fake)).put('b', bytes, 'create');
    assert.match(last.authorization, /Credential=from-sts\//);
  });

  it('are missed with the ways to give them', async (t) => {
    await setEnvironment(t, {});
    const store = await openS3(t, await FakeS3.start(t));
    await assert.rejects(store.get('a'), {
      code: 'DENIED',
      message: /GET of 'node\/a' in bucket 'bucket' failed: no credentials were found/,
    });
  });
});

it('a package that is missing is named with the line that installs it, and is not needed where keys are given', async (t) => {
  process.chdir(await temporaryDirectory(t));
  const azure = { 'object-store': 'azure', bucket: 'c', 'azure-storage-account': 'account' };
  const google = { 'object-store': 'google', bucket: 'b' };
  for (const [flags, message] of [
    [
      azure,
      '--object-store azure without --azure-storage-access-key needs a package that is not installed; install it with: npm install @azure/identity@4',
    ],
    [
      google,
      '--object-store google without --google-service-account needs a package that is not installed; install it with: npm install google-auth-library@10',
    ],
  ] as const) {
    await assert.rejects(openBucket(t, flags), { name: 'StartupError', message });
  }
  await openBucket(t, { ...azure, 'azure-storage-access-key': 'a2V5' });
  await openBucket(t, { ...google, 'google-service-account': await (await FakeGoogle.start(t)).keyFile(t) });
});

it('an S3 service is asked over TLS with the given root, or whatever its certificate says', async (t) => {
  const fake = await FakeS3.start(t);
  const { caFile, url } = await tlsFront(t, fake.url);
  const flags = { ...KEYS, 'aws-endpoint': url };
  await (await openS3(t, fake, { ...flags, 'object-store-tls-ca': caFile })).put('a', bytes, 'create');
  await (await openS3(t, fake, { ...flags, 'object-store-tls-allow-insecure': true })).get('a');
  const store = await openS3(t, fake, { ...flags, 'object-store-max-retries': '0' });
  for (const [path, message] of [
    [join(caFile, 'none'), /^Cannot parse object store config: Failed to read CA certificate file at ".*none": Not a directory/],
    [await fileWith(t, 'no certificate'), /^Cannot parse object store config: Failed to parse CA certificate from ".*": /],
  ] as const) {
    await assert.rejects(openS3(t, fake, { ...flags, 'object-store-tls-ca': path }), { name: 'StartupError', message });
  }
  await assert.rejects(store.get('a'), { code: 'UNAVAILABLE', message: /is not trusted \(\w+\): give the root .* --object-store-tls-ca/ });
});

describe('credentials of a container of Azure', () => {
  it('are the identity of the machine, when there is no access key', async (t) => {
    const [cert, key] = [await fileWith(t, testCertificate), await fileWith(t, testKey)];
    const azurite = await Azurite.start(t, ['--oauth', 'basic', '--cert', cert, '--key', key]);
    const container = await azurite.container();
    let asked = '';
    const machine = await answering(t, (request, response) => {
      asked = `${request.headers['x-identity-header']} ${request.url}`;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ access_token: azureToken(), expires_on: seconds() + 3600, resource: 'r', token_type: 'Bearer' }));
    });
    process.chdir(ensureNpmPackage('@azure/identity'));
    await setEnvironment(t, { IDENTITY_ENDPOINT: machine, IDENTITY_HEADER: 'of-the-machine' });
    const place = { bucket: container, 'azure-storage-account': AZURITE_ACCOUNT, 'azure-endpoint': azurite.endpoint };
    const flags = { 'object-store': 'azure', ...place, 'object-store-tls-ca': cert };
    const store = await openBucket(t, flags);
    await store.put('a', bytes, 'create');
    await assert.rejects(store.put('a', bytes, 'create'), { code: 'EXISTS' });
    assert.match(asked, /^of-the-machine .*storage\.azure\.com/);

    await setEnvironment(t, { AZURE_TOKEN_CREDENTIALS: 'EnvironmentCredential' });
    const without = await openBucket(t, flags);
    await assert.rejects(without.get('a'), {
      code: 'DENIED',
      message: /GET of 'node\/a' .* no credentials were found: set --azure-storage-access-key/,
    });
  });
});

const seconds = (): number => Math.floor(Date.now() / 1000);

/** A token as azurite takes it, which does not check who signed it. */
function azureToken(): string {
  const times = { iat: seconds() - 10, nbf: seconds() - 10, exp: seconds() + 3600 };
  const claims = {
    aud: 'https://storage.azure.com',
    iss: 'https://sts.windows.net/00000000-0000-0000-0000-000000000000/',
    ver: '1.0',
    ...times,
  };
  const parts = [{ alg: 'RS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  return `${parts.join('.')}.${Buffer.from('nobody').toString('base64url')}`;
}

describe('credentials of a bucket of Google', () => {
  it('are those of the machine, when there is no key file', async (t) => {
    const fake = await FakeGoogle.start(t);
    fake.tokens.add('of-the-machine');
    const metadata = await answering(t, (request, response) => {
      response.setHeader('metadata-flavor', 'Google');
      const isToken = request.url?.includes('/service-accounts/default/token') === true;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(isToken ? JSON.stringify({ access_token: 'of-the-machine', expires_in: 3600, token_type: 'Bearer' }) : '{}');
    });
    const machine = { GCE_METADATA_HOST: new URL(metadata).host, METADATA_SERVER_DETECTION: 'assume-present' };
    await setEnvironment(t, { ...machine, GOOGLE_CLOUD_PROJECT: 'project' }); // nobody else is asked
    process.chdir(ensureNpmPackage('google-auth-library'));
    const options = { ...CONNECTION, bucket: fake.bucket, prefix: 'node/', serviceAccountFile: undefined, baseUrl: fake.url };
    const store = await openGoogleStore(options);
    t.after(() => store.close());
    await store.put('a', bytes, 'create');
    fake.tokens.delete('of-the-machine');
    await assert.rejects(store.get('a'), { code: 'DENIED', message: /check --google-service-account/ });
  });
});
