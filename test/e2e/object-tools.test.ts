import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { NumberedWriter, RESTLESS, startBucketServer } from '../support/bucket-servers.ts';
import { FakeGoogle } from '../support/fake-google.ts';
import { FakeS3 } from '../support/fake-s3.ts';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';
import { ensureNpmPackage } from '../tooling/ensure-npm-package.ts';
import { bin, type Finished, runProgram } from './cli-support.ts';

const HOUR_MS = 3_600_000;

/** Runs the program where it finds the SDK. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...env };
  return runProgram(args, { cwd: ensureNpmPackage('@aws-sdk/client-s3'), env: quiet });
}

interface Report {
  readonly node_state: string;
  readonly kinds: readonly {
    readonly kind: string;
    readonly objects: number;
    readonly live_objects: number;
    readonly live_bytes: number;
  }[];
  readonly garbage: readonly { readonly key: string }[];
  readonly missing: readonly string[];
  readonly doubt: string | null;
  readonly deleted_objects: number;
}

describe('influxdb3 debug objects', () => {
  it('lists a bucket beside its server, shows garbage, and deletes what is old and nobody needs', async (t) => {
    const fake = await FakeS3.start(t);
    const server = await startBucketServer(t, fake.args, { args: RESTLESS });
    const writer = new NumberedWriter();
    let over = false;
    const writing = writer.many(server, 2, 100_000, () => over);
    await until(() => [...fake.objects.keys()].some((key) => key.endsWith('.parquet')));
    const plant = (key: string, ageMs: number): string => {
      fake.objects.set(`test/${key}`, Buffer.from('dead'));
      fake.modifiedMs.set(`test/${key}`, Date.now() - ageMs);
      return key;
    };
    const old = [plant('dbs/1/0/2023-11-14/22-10/0000000001-dead.parquet', 25 * HOUR_MS), plant('probe/left', 25 * HOUR_MS)];
    const young = plant('dbs/1/0/2023-11-14/22-10/0000000002-dead.parquet', 23 * HOUR_MS);
    const debug = (...args: string[]): Promise<Finished> => run(['debug', 'objects', '--node-id', 'test', ...fake.args, ...args]);
    const report = async (...args: string[]): Promise<Report> => {
      const { code, stdout, stderr } = await debug('--format', 'json', ...args);
      assert.equal(code, 0, stderr + stdout);
      return JSON.parse(stdout) as Report;
    };

    const before = await report();
    assert.deepEqual({ ...before, kinds: 0 }, { ...before, kinds: 0, node_state: 'running', missing: [], doubt: null, deleted_objects: 0 });
    assert.deepEqual(before.garbage.map(({ key }) => key).sort(), old);
    const parquet = before.kinds.find(({ kind }) => kind === 'parquet');
    assert.ok(parquet !== undefined && parquet.live_objects > 0 && parquet.objects >= parquet.live_objects + 2, JSON.stringify(parquet));
    const dry = await debug('--clean');
    assert.match(dry.stdout, /^Would delete 2 objects, 8B; add --yes to do it:\n {2}dbs\/.*dead.parquet\n {2}probe\/left$/m);
    for (const key of old) assert.ok(fake.objects.has(`test/${key}`), 'a dry run deletes nothing');
    assert.match((await debug('--older-than', '59m')).stderr, /--older-than must be an hour at least/);

    const done = await report('--clean', '--yes');
    assert.equal(done.deleted_objects, 2);
    for (const key of old) assert.ok(!fake.objects.has(`test/${key}`));
    assert.ok(fake.objects.has(`test/${young}`), 'what is young stays');
    over = true;
    await writing;
    const { lost, doubled, wrong } = await writer.compare(server);
    assert.deepEqual({ lost, doubled, wrong }, { lost: 0, doubled: 0, wrong: 0 });
    await server.kill('SIGTERM');

    // A snapshot info that cannot be read: files that only it lists look dead.
    const stopped = await report();
    assert.equal(stopped.node_state, 'stopped');
    const live = [...fake.objects.keys()].filter((key) => key.endsWith('.parquet') && !key.includes('dead'));
    const infos = [...fake.objects.keys()].filter((key) => key.startsWith('test/snapshots/')).sort();
    fake.objects.delete('test/files/index');
    fake.objects.delete(infos.at(-2) ?? '');
    for (const key of fake.objects.keys()) fake.modifiedMs.set(key, 0);
    const refused = await debug('--clean', '--yes');
    assert.match(refused.stderr, /nothing is deleted: snapshot info .* is missing or damaged/);
    assert.equal(refused.code, 1);
    for (const key of live) assert.ok(fake.objects.has(key));
  });
});

describe('influxdb3 copy', () => {
  it('moves a node from a directory to a bucket, to another bucket and back, killed on its way, and every row is there', async (t) => {
    const home = await testDirectory(t);
    const [first, second] = [await FakeS3.start(t), await FakeS3.start(t)];
    const writer = new NumberedWriter();
    const check = async (server: TestServer): Promise<void> => {
      const { acknowledged, found, lost, doubled, wrong } = await writer.compare(server);
      assert.deepEqual({ found, lost, doubled, wrong }, { found: acknowledged, lost: 0, doubled: 0, wrong: 0 });
      assert.deepEqual(await server.rows('db', 'SELECT count(*) AS n FROM late'), [{ n: 2 }]);
    };
    const server = await startServer(t, home, { args: RESTLESS });
    await writer.many(server, 4, 60);
    await server.writeOk('db', 'late v=1 1\nlate v=2 2');
    const source = ['--node-id', 'test', '--data-dir', home];
    const toBucket = ['copy', ...source, ...targetArgs(first.args)];
    assert.match((await run(toBucket)).stderr, /a server runs on the source: .*\n {2}hint: stop it first/);
    await server.kill('SIGKILL');
    writeFileSync(join(home, 'test', 'dbs', 'stray.parquet'), 'garbage');

    // Killed in the middle: no server takes that for a node, and the next run goes on.
    await killedCopy(toBucket, first);
    await assert.rejects(
      startBucketServer(t, first.args),
      /holds a part of a node: a copy to there has not ended; run 'influxdb3 copy' again/,
    );
    const copied = await run(toBucket);
    assert.match(
      copied.stdout,
      /^Copied node test from .* to s3:\/\/bucket\/test: \d+ objects, \S+, [1-9]\d* of them by an earlier run; all checksums compared\n$/,
      copied.stderr,
    );
    assert.match(copied.stderr, /\d+ of \d+ objects, \S+ of \S+ \(\S+\/s\), 100%/);
    assert.ok(![...first.objects.keys()].some((key) => key.includes('stray') || key.includes('copy.json')));
    assert.match((await run(toBucket)).stderr, /s3:\/\/bucket\/test holds this node already/);
    const inBucket = await startBucketServer(t, first.args, { args: RESTLESS });
    await check(inBucket);
    await writer.many(inBucket, 4, 20);
    const toSecond = ['copy', '--node-id', 'test', ...first.args, '--to-aws-endpoint', second.url];
    assert.match((await run(toSecond)).stderr, /node test in s3:\/\/bucket\/test runs, or was killed\n {2}hint: stop it/);
    await inBucket.kill('SIGKILL');

    // Bucket to bucket, while what is read is damaged, and after it was mended.
    const [damaged = ''] = [...first.objects.keys()].filter((key) => key.endsWith('.parquet'));
    const right = first.objects.get(damaged) ?? Buffer.alloc(0);
    const wrongBytes = Buffer.from(right);
    wrongBytes[wrongBytes.length >> 1] = (wrongBytes[wrongBytes.length >> 1] ?? 0) ^ 1;
    first.objects.set(damaged, wrongBytes);
    const refused = await run([...toSecond, '--take-over']);
    assert.match(refused.stderr, /\.parquet is damaged: it has not the size and checksum that the snapshot infos tell/, refused.stdout);
    assert.ok(!second.objects.has('test/catalog/v3/snapshot'));
    first.objects.set(damaged, right);
    assert.equal((await run(toSecond)).code, 0);
    const onSecond = await startBucketServer(t, second.args, { args: RESTLESS });
    await check(onSecond);

    // To a store of another kind.
    const google = await FakeGoogle.start(t);
    google.open = true;
    const account = await google.keyFile(t, { gcs_base_url: google.url, disable_oauth: true });
    const toGoogle = ['--object-store', 'google', '--google-service-account', account];
    assert.match((await run(['copy', '--node-id', 'test', ...first.args])).stderr, /it is not said where to copy to/);
    const crossed = await run(['copy', '--node-id', 'test', ...first.args, ...targetArgs(toGoogle)]);
    assert.equal(crossed.code, 0, crossed.stderr);
    const held = async (args: readonly string[]): Promise<unknown> => {
      const { stdout } = await run(['debug', 'objects', '--node-id', 'test', '--format', 'json', ...args]);
      const { kinds, missing } = JSON.parse(stdout) as Report;
      const same = ['catalog', 'snapshot info', 'wal claim', 'parquet'];
      return {
        missing,
        kinds: kinds.filter(({ kind }) => same.includes(kind)).map((each) => [each.kind, each.live_objects, each.live_bytes]),
      };
    };
    assert.deepEqual(await held([...toGoogle, '--bucket', google.bucket]), await held(first.args));

    // And back to a directory, while a server goes on writing: it is ended, and what it acknowledged is copied.
    const target = await testDirectory(t);
    const back = ['copy', '--node-id', 'test', ...second.args, '--to-data-dir', target];
    let over = false;
    const writing = writer.many(onSecond, 2, 100_000, () => over);
    await killedCopy([...back, '--take-over'], second, () => existsSync(join(target, 'test', 'dbs')));
    assert.equal(await until(() => onSecond.child.exitCode ?? undefined), 70, onSecond.output);
    over = true;
    await writing;
    await assert.rejects(startServer(t, target), /a copy to there has not ended/);
    assert.equal((await run(back)).code, 0);
    const last = await startServer(t, target, { args: RESTLESS });
    await check(last);
    assert.deepEqual(
      readdirSync(join(target, 'test')).filter((name) => name === 'copy.json'),
      [],
    );
    await last.kill('SIGTERM');

    // The place of another node is left alone.
    const other = await testDirectory(t);
    await (await startServer(t, other)).kill('SIGTERM');
    const kept = await run(['copy', '--node-id', 'test', ...second.args, '--to-data-dir', other]);
    assert.match(kept.stderr, /holds data of another node\n {2}hint: choose another target/);
    rmSync(join(other, 'test', 'catalog'), { recursive: true });
    writeFileSync(join(other, 'test', 'what-is-this'), '');
    assert.match((await run(['copy', '--node-id', 'test', ...second.args, '--to-data-dir', other])).stderr, /holds data without a catalog/);
  });
});

describe('influxdb3 backup', () => {
  it('takes a node in a bucket under writes, and a restore makes a directory of it', async (t) => {
    const fake = await FakeS3.start(t);
    const home = await testDirectory(t);
    const server = await startBucketServer(t, fake.args, { args: RESTLESS });
    const before = new NumberedWriter();
    await before.many(server, 4, 30);
    const after = new NumberedWriter(before.next);
    let over = false;
    const writing = after.many(server, 2, 100_000, () => over);
    const backup = (): Promise<Finished> => run(['backup', join(home, 'kept'), '-H', server.url]);
    const first = await backup();
    assert.match(first.stdout, /^Backup .* of node test complete: [1-9]\d* files/, first.stderr);
    const second = await backup();
    over = true;
    await writing;
    const [, files, copied] = /: (\d+) files, .* copied (\d+) files/.exec(second.stdout) ?? [];
    assert.ok(Number(copied) < Number(files), second.stdout + second.stderr);
    const restored = await run(['restore', join(home, 'kept'), '--data-dir', join(home, 'data'), '--node-id', 'test']);
    assert.equal(restored.code, 0, restored.stderr);
    await server.kill('SIGTERM');
    const directory = await startServer(t, join(home, 'data'), { args: RESTLESS });
    const { lost, doubled } = await before.compare(directory);
    assert.deepEqual({ lost, doubled }, { lost: 0, doubled: 0 });
  });
});

/** Options of a source as those of a target. */
function targetArgs(args: readonly string[]): string[] {
  return args.map((arg) => (arg.startsWith('--') ? arg.replace('--', '--to-') : arg));
}

/** Starts a copy and kills it with SIGKILL when it has begun. */
async function killedCopy(args: readonly string[], fake: FakeS3, hasBegun = () => [...fake.objects.keys()].length > 10): Promise<void> {
  fake.latencyMs = 30;
  const cwd = ensureNpmPackage('@aws-sdk/client-s3');
  const env = { PATH: process.env['PATH'] ?? '', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
  const child = spawn(process.execPath, [bin, ...args], { cwd, env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  await until(hasBegun);
  child.kill('SIGKILL');
  assert.equal(await ended, 'SIGKILL', 'it was still running');
  fake.latencyMs = 0;
}
