import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NumberedWriter, RESTLESS, startBucketServer } from '../support/bucket-servers.ts';
import { FakeS3 } from '../support/fake-s3.ts';
import { until } from '../support/until.ts';
import { ensureNpmPackage } from '../tooling/ensure-npm-package.ts';
import { type Finished, runProgram } from './cli-support.ts';

const HOUR_MS = 3_600_000;

/** Runs the program where it finds the SDK. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...env };
  return runProgram(args, { cwd: ensureNpmPackage('@aws-sdk/client-s3'), env: quiet });
}

interface Report {
  readonly node_state: string;
  readonly kinds: readonly { readonly kind: string; readonly objects: number; readonly live_objects: number }[];
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
