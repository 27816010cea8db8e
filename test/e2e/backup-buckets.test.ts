import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AZURITE_KEY, Azurite } from '../support/azurite.ts';
import { NumberedWriter, RESTLESS, startBucketServer } from '../support/bucket-servers.ts';
import { FakeGoogle } from '../support/fake-google.ts';
import { FakeS3 } from '../support/fake-s3.ts';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';
import { ensureNpmPackage } from '../tooling/ensure-npm-package.ts';
import { bin, type Finished, runProgram } from './cli-support.ts';

const QUIET = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
const SECRET = 'secret-of-the-test';

/** Runs the program where it finds the SDK. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return runProgram(args, { cwd: ensureNpmPackage('@aws-sdk/client-s3'), env: { ...QUIET, ...env } });
}

/** The environment that reaches a fake of S3. */
function keysOf(fake: FakeS3): Record<string, string> {
  return { AWS_ENDPOINT: fake.url, AWS_ALLOW_HTTP: 'true', AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: SECRET };
}

/** Starts a backup and kills it with SIGKILL when the bucket holds some of its contents. */
async function killedBackup(args: readonly string[], fake: FakeS3): Promise<void> {
  const count = (): number => [...fake.objects.keys()].filter((key) => key.includes('/contents/')).length;
  const before = count();
  fake.latencyMs = 30;
  const env = { PATH: process.env['PATH'] ?? '', ...QUIET, ...keysOf(fake) };
  const child = spawn(process.execPath, [bin, ...args], { cwd: ensureNpmPackage('@aws-sdk/client-s3'), env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  await until(() => count() > before);
  child.kill('SIGKILL');
  assert.equal(await ended, 'SIGKILL', 'it was still running');
  fake.latencyMs = 0;
}

/** All that a writer was told to be durable is there, once, and as it was written. */
async function expectAll(writer: NumberedWriter, server: TestServer): Promise<void> {
  const { acknowledged, lost, doubled, wrong } = await writer.compare(server);
  assert.ok(acknowledged > 0);
  assert.deepEqual({ lost, doubled, wrong }, { lost: 0, doubled: 0, wrong: 0 });
}

function copiedOf({ code, stderr, stdout }: Finished): { readonly files: number; readonly copied: number } {
  assert.equal(code, 0, stderr);
  const [, files, copied] = /^Backup \S+ of node test complete: (\d+) files?, \S+; copied (\d+) files?, \S+$/m.exec(stdout) ?? [];
  assert.ok(files !== undefined, stdout);
  return { files: Number(files), copied: Number(copied) };
}

describe('backups in a bucket', () => {
  it('are taken under writes and compaction, killed, taken again, checked, and bring everything back when the directory is lost', async (t) => {
    const fake = await FakeS3.start(t);
    const home = await testDirectory(t);
    const server = await startServer(t, home, { args: RESTLESS });
    const backup = ['backup', `s3://${fake.bucket}/kept/test`, '-H', server.url];
    const take = (...args: string[]): Promise<Finished> => run([...backup, ...args], keysOf(fake));
    await server.writeOk('spare', 'x v=3 1\n');
    const writer = new NumberedWriter();
    await writer.many(server, 4, 15);
    const first = await take();
    assert.ok(copiedOf(first).copied > 0);
    assert.match(first.stderr, /\d+ of \d+ files, \S+ of \S+ \(\S+\/s\), 100%/);

    let isOver = false;
    const writing = writer.many(server, 2, 100_000, () => isOver);
    await until(() => writer.acknowledged.size > 80);
    await killedBackup(backup, fake);
    const manifests = (): string[] => [...fake.objects.keys()].filter((key) => key.startsWith('kept/test/backups/'));
    assert.equal(manifests().length, 1, 'half of one is none');
    const second = copiedOf(await take('-q'));
    assert.ok(second.copied < second.files, JSON.stringify(second));
    isOver = true;
    await writing;
    const [third, fourth] = await Promise.all([take('-q', '--keep', '9'), take('-q')]);
    copiedOf(third);
    copiedOf(fourth);
    assert.match(third.stdout, /^Files that no backup has stay until the next time: backup .* was interrupted in the last 5 minutes$/m);
    const listed = await take('--list');
    assert.match(listed.stdout, /^(\S+ {2}node test {2}\d+ files {2}\S+ {2}version \S+ {2}databases (db, spare|spare, db)\n){4}$/);
    assert.match((await take('--check', '-q')).stdout, /^4 backups are whole: \d+ different files, \S+\n$/);
    await server.kill('SIGKILL');
    rmSync(join(home, 'test'), { recursive: true });

    const restore = ['restore', `s3://${fake.bucket}/kept/test`, '-q', '--data-dir', home];
    const restored = await run([...restore, '--node-id', 'new'], keysOf(fake));
    assert.match(
      restored.stdout,
      /^Restored 2 databases of backup \S+ of node test to .*new\nStart it with: influxdb3 serve /,
      restored.stderr,
    );
    const again = await startServer(t, home, { nodeId: 'new' });
    await expectAll(writer, again);
    assert.deepEqual(await again.rows('spare', 'SELECT v FROM x'), [{ v: 3 }]);
    const one = await run([...restore, '--node-id', 'one', '-d', 'spare'], keysOf(fake));
    assert.match(one.stdout, /^Restored spare of backup /, one.stderr);
    const single = await startServer(t, home, { nodeId: 'one' });
    assert.deepEqual(await single.rows('spare', 'SELECT v FROM x'), [{ v: 3 }]);
    assert.equal((await single.sql('db', 'SELECT * FROM m')).status, 404);

    await expectFaultsFound(fake, restore, home);
  });

  it('are refused with the operation, the bucket and the way out, and no secret', async (t) => {
    const fake = await FakeS3.start(t);
    const server = await startServer(t, await testDirectory(t));
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['backup', 's3://missing/x'], /^Backup command failed: .*of '\S+' in bucket 'missing' failed .* create it, or choose another one/],
      [
        ['backup', 'ftp://host/x'],
        /^Backup command failed: backups cannot be kept in 'ftp:\/\/host\/x'\n {2}hint: give a directory, or s3:\/\//,
      ],
      [['backup', 's3:/bucket/x'], /^Backup command failed: backups cannot be kept in 's3:\/bucket\/x'\n/],
      [
        ['backup', '/proc/nowhere/x'],
        /^Backup command failed: io error: No such file or directory .*\n {2}hint: the file is \/proc\/nowhere\n/,
      ],
      [['backup', 's3:///x'], /^Backup command failed: backups cannot be kept in 's3:\/\/\/x'\n/],
      [['backup', 's3://bucket/a/../b'], /^Backup command failed: backups cannot be kept in /],
      [['backup', 'azure://c/x'], /^Backup command failed: .*Account must be specified \(--azure-storage-account\)/],
      [['backup', 's3://bucket/x', '--list'], /^Backup command failed: s3:\/\/bucket\/x holds no backups\n/],
      [['restore', 's3://bucket/x', '--data-dir', 'd', '--node-id', 'n'], /^Restore command failed: s3:\/\/bucket\/x holds no backups\n/],
    ];
    for (const [args, expected] of cases) {
      const { code, stderr, stdout } = await run(args, { ...keysOf(fake), INFLUXDB3_HOST_URL: server.url });
      assert.equal(code, 1, stderr);
      assert.match(stderr, expected);
      assert.ok(!(stderr + stdout).includes(SECRET));
    }
    fake.fault = ({ method }) => (method === 'PUT' ? { status: 403, code: 'AccessDenied' } : undefined);
    const denied = await run(['backup', 's3://bucket/x', '-H', server.url], keysOf(fake));
    assert.match(denied.stderr, /^Backup command failed: .*PUT of 'x\/probe\/\S+' in bucket 'bucket' failed \(AccessDenied, status 403\)/);
    fake.fault = () => undefined;
    fake.ignoresConditions = true;
    const deaf = await run(['backup', 's3://bucket/x', '-H', server.url], keysOf(fake));
    assert.match(deaf.stderr, /^Backup command failed: .*it overwrote 's3:\/\/bucket\/x\/probe\/.* although it was told to create it only/);
    assert.deepEqual([...fake.objects.keys()], []);
  });

  it('take a node in a bucket to buckets of other kinds, and bring it back', async (t) => {
    const [source, azurite, google] = [await FakeS3.start(t), await Azurite.start(t), await FakeGoogle.start(t)];
    google.open = true;
    const account = await google.keyFile(t, { gcs_base_url: google.url, disable_oauth: true });
    const container = await azurite.container();
    const server = await startBucketServer(t, source.args, { args: RESTLESS });
    const writer = new NumberedWriter();
    await writer.many(server, 4, 15);
    const azure = azurite.args(container).slice(4); // without the kind and the bucket, which the address says
    for (const [address, args] of [
      [`azure://${container}/kept`, azure],
      [`gs://${google.bucket}/kept`, ['--google-service-account', account]],
    ] as const) {
      const take = (...more: string[]): Promise<Finished> => run(['backup', address, ...args, '-q', '-H', server.url, ...more]);
      assert.ok(copiedOf(await take()).copied > 0);
      await writer.many(server, 2, 5);
      const second = await take('--keep', '1');
      const { copied, files } = copiedOf(second);
      assert.ok(copied < files, address);
      assert.match(second.stdout, /^Removed [^ ;]+(; \d+ files?, \S+ that no backup has)?$/m); // the second may need all of them
      assert.match((await take('--check')).stdout, /^1 backup is whole: /);
      const data = await testDirectory(t);
      const restored = await run(['restore', address, ...args, '-q', '--data-dir', data, '--node-id', 'back']);
      assert.equal(restored.code, 0, restored.stderr);
      for (const { stderr, stdout } of [second, restored]) assert.ok(!(stderr + stdout).includes(AZURITE_KEY));
      const back = await startServer(t, data, { nodeId: 'back' });
      await expectAll(writer, back);
      await back.kill('SIGTERM');
    }
  });
});

/** Damaged and missing objects are found by a check, and by a restore that needs them. */
async function expectFaultsFound(fake: FakeS3, restore: readonly string[], home: string): Promise<void> {
  const newest =
    [...fake.objects.keys()]
      .filter((key) => key.startsWith('kept/test/backups/'))
      .sort()
      .at(-1) ?? '';
  const { files } = JSON.parse(String(fake.objects.get(newest))) as { files: { path: string; sha256: string }[] };
  const contents = files
    .filter(({ path }) => path.endsWith('.parquet'))
    .map(({ sha256 }) => [...fake.objects.keys()].find((key) => key.includes(sha256)) ?? '');
  const [damaged = '', missing = ''] = [contents[0], contents.at(-1)];
  const wrong = Buffer.from(fake.objects.get(damaged) ?? '');
  wrong[wrong.length >> 1] = (wrong[wrong.length >> 1] ?? 0) ^ 1;
  fake.objects.set(damaged, wrong);
  fake.objects.delete(missing);
  const { code, stderr, stdout } = await run(['backup', `s3://${fake.bucket}/kept/test`, '--check', '-q'], keysOf(fake));
  assert.equal(code, 1);
  assert.ok(stdout.includes(`is damaged: s3://bucket/${damaged}; needed by `), stdout);
  assert.ok(stdout.includes(`is missing: s3://bucket/${missing}; needed by `), stdout);
  assert.match(stderr, /^Backup command failed: 2 of \d+ different files, \S+ are damaged or missing\n {2}hint: /);
  fake.objects.delete(damaged);
  const refused = await run([...restore, '--node-id', 'damaged'], keysOf(fake));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /\.parquet of the backup is missing: s3:\/\/bucket\/kept\/test\/contents\//);
  assert.ok(!existsSync(join(home, 'damaged')), 'a node is restored as a whole or not at all');
}
