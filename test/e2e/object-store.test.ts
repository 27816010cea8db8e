import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { emptyDirectory, FIRST_SECOND, NumberedWriter, RESTLESS, startBucketServer } from '../support/bucket-servers.ts';
import { FakeS3 } from '../support/fake-s3.ts';
import { until } from '../support/until.ts';

/** A fake of S3 in this process: what it does can be decided request by request. */
describe('a server whose data is in a bucket', () => {
  it('keeps acknowledged rows through kills, with an empty cache each time', async (t) => {
    const fake = await FakeS3.start(t);
    const writer = new NumberedWriter();
    for (let round = 0; round < 2; round++) {
      const server = await startBucketServer(t, fake.args, { args: RESTLESS });
      let over = false;
      const writing = writer.many(server, 4, 1000, () => over);
      await until(() => writer.acknowledged.size >= (round + 1) * 40);
      await server.kill('SIGKILL');
      over = true;
      await writing;
    }
    const last = await startBucketServer(t, fake.args, { args: RESTLESS });
    const result = await writer.compare(last);
    assert.deepEqual({ ...result, found: 0 }, { acknowledged: writer.acknowledged.size, found: 0, lost: 0, doubled: 0, wrong: 0 });
    // How many writes share a file of the log depends on the machine: go on until a snapshot was due.
    await until(async () => {
      await writer.one(last);
      return [...fake.objects.keys()].some((key) => key.startsWith('test/dbs/') && key.endsWith('.parquet'));
    });
    assert.match(
      (await (await fetch(`${last.url}/metrics`)).text()).toString(),
      /influxdb3_object_store_requests_total\{method="PUT"\} \d+/,
    );
    assert.equal(await last.kill('SIGTERM'), 0);
    assert.doesNotMatch(last.output, /warning/i); // the AWS SDK has one about coming versions of Node.js
  });

  it('is ended by one that took over while it was frozen, and nothing is lost', async (t) => {
    const fake = await FakeS3.start(t);
    const writer = new NumberedWriter();
    const old = await startBucketServer(t, fake.args, { args: RESTLESS });
    let over = false;
    const writing = writer.many(old, 4, 1000, () => over);
    await until(() => writer.acknowledged.size > 60);
    old.child.kill('SIGSTOP');
    const next = await startBucketServer(t, fake.args, { args: RESTLESS });
    await writer.many(next, 2, 20);
    old.child.kill('SIGCONT');
    assert.equal(await old.ended, 70);
    over = true;
    await writing;
    assert.match(old.output, /another process has written '.*' ahead of this one/);
    const { lost, doubled, wrong } = await writer.compare(next);
    assert.deepEqual({ lost, doubled, wrong }, { lost: 0, doubled: 0, wrong: 0 });
    assert.equal(await next.kill('SIGTERM'), 0);
  });

  it('waits out an outage: writers get 503 after ten seconds, and what was acknowledged is there', async (t) => {
    const fake = await FakeS3.start(t);
    const server = await startBucketServer(t, fake.args, { args: RESTLESS });
    const writer = new NumberedWriter();
    await writer.many(server, 2, 10);
    const end = await fake.outage();
    assert.equal(await writer.one(server), 503);
    assert.equal(await writer.one(server), 503, 'at once from then on');
    assert.equal((await server.rows('db', 'SELECT count(*) AS n FROM m')).length, 1, 'queries go on');
    await end();
    await until(async () => (await writer.one(server)) === 204);
    const { lost, doubled, wrong } = await writer.compare(server);
    assert.deepEqual({ lost, doubled, wrong }, { lost: 0, doubled: 0, wrong: 0 });
    assert.equal(await server.kill('SIGTERM'), 0);
  });

  it('loses no row when requests and answers are lost and the service refuses now and then', async (t) => {
    const fake = await FakeS3.start(t);
    const writer = new NumberedWriter();
    const server = await startBucketServer(t, fake.args, { args: RESTLESS });
    const faults = [
      'request lost',
      'answer lost',
      { status: 503, code: 'SlowDown' },
      { status: 409, code: 'ConditionalRequestConflict' },
    ] as const;
    let requests = 0;
    fake.fault = () => (++requests % 5 === 0 ? faults[(requests / 5) % faults.length] : undefined);
    await writer.many(server, 4, 30);
    await server.kill('SIGKILL');
    const next = await startBucketServer(t, fake.args, { args: RESTLESS });
    await writer.many(next, 4, 10);
    const { acknowledged, lost, doubled, wrong } = await writer.compare(next);
    assert.deepEqual({ acknowledged, lost, doubled, wrong }, { acknowledged: 160, lost: 0, doubled: 0, wrong: 0 });
  });

  it('serves more than its cache holds, file by file, and refuses a query that needs more at once', async (t) => {
    const fake = await FakeS3.start(t);
    const cacheDir = await emptyDirectory(t);
    const first = await startBucketServer(t, fake.args, { args: RESTLESS, cacheDir });
    const lines = (hour: number): string =>
      Array.from({ length: 2000 }, (_, i) => `wide,k=k${i % 3} v=${Math.sin(i + hour)} ${FIRST_SECOND + hour * 3600 + i}000000000`).join(
        '\n',
      );
    for (let hour = 0; hour < 6; hour++) await first.writeOk('db', lines(hour));
    const files = async (): Promise<number> => {
      const [row] = await first.rows('db', "SELECT count(*) AS n FROM system.parquet_files WHERE table_name = 'wide'");
      return Number(row?.['n']);
    };
    for (let i = 0; (await files()) < 6; i++) await first.writeOk('db', `other v=${i}`); // each makes a file of the log
    const hourly = (hour: number): string =>
      `SELECT count(*) AS n, max(v * 2) AS s FROM wide WHERE time >= ${FIRST_SECOND + hour * 3600}::TIMESTAMP AND time < ${FIRST_SECOND + hour * 3600 + 2000}::TIMESTAMP`;
    const expected = await Promise.all(Array.from({ length: 6 }, (_, hour) => first.rows('db', hourly(hour))));
    assert.equal(expected[3]?.[0]?.['n'], 2000);
    await first.kill('SIGTERM');
    await rm(join(cacheDir, 'cache'), { recursive: true });
    const total = [...fake.objects].filter(([key]) => /\/dbs\/.*parquet$/.test(key)).reduce((sum, [, bytes]) => sum + bytes.length, 0);
    const limit = Math.ceil(total * 0.6);
    const noColumns = '--disable-parquet-mem-cache';
    const server = await startBucketServer(t, fake.args, { cacheDir, args: ['--file-cache-disk-size', String(limit), noColumns] });
    const refused = await server.sql('db', 'SELECT count(*) AS n, sum(v * 2) AS s FROM wide');
    assert.match(await refused.text(), /narrow its time range, or raise --file-cache-disk-size/);
    for (let round = 0; round < 2; round++) {
      for (let hour = 0; hour < 6; hour++) assert.deepEqual(await server.rows('db', hourly(hour)), expected[hour]);
    }
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    assert.ok(Number(/influxdb3_file_cache_bytes (\d+)/.exec(metrics)?.[1]) <= limit, metrics);
  });

  it('says what is wrong with the store, without secrets, and does not start', async (t) => {
    const fake = await FakeS3.start(t);
    const attempt = async (args: readonly string[], expected: RegExp): Promise<void> => {
      await assert.rejects(startBucketServer(t, args), (error: Error) => {
        assert.match(error.message, expected);
        assert.doesNotMatch(error.message, /secret-of-the-test/);
        return true;
      });
    };
    await attempt(
      fake.args.map((arg) => (arg === fake.bucket ? 'other' : arg)),
      /the bucket does not exist: create it, or choose another one/,
    );
    await attempt(
      fake.args.filter((arg) => arg !== '--aws-allow-http'),
      /is not encrypted; use https, or add --aws-allow-http/,
    );
    fake.fault = () => ({ status: 403, code: 'SignatureDoesNotMatch' });
    await attempt(fake.args, /the secret does not fit the access key/);
    fake.fault = () => undefined;
    fake.ignoresConditions = true;
    await attempt(fake.args, /two servers could overwrite each other/);
  });
});
