import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { emptyDirectory, NumberedWriter, RESTLESS, startBucketServer } from '../support/bucket-servers.ts';
import { FakeS3 } from '../support/fake-s3.ts';
import { until } from '../support/until.ts';

const NONE = { lost: 0, doubled: 0, wrong: 0 };

async function compared(writer: NumberedWriter, server: Parameters<NumberedWriter['compare']>[0]): Promise<typeof NONE> {
  const { lost, doubled, wrong } = await writer.compare(server);
  return { lost, doubled, wrong };
}

describe('a bucket that is slow, or refuses for a while', () => {
  it('answers each request 200 ms late: writes share requests, and none is lost by a kill', async (t) => {
    const fake = await FakeS3.start(t);
    fake.latencyMs = 200;
    const writer = new NumberedWriter();
    const server = await startBucketServer(t, fake.args, { args: RESTLESS });
    const puts = fake.counts.get('PUT') ?? 0;
    await writer.many(server, 16, 12);
    assert.deepEqual([...writer.statuses], [[204, 192]]);
    assert.ok((fake.counts.get('PUT') ?? 0) - puts < 192, 'requests for 192 writes');
    assert.deepEqual(await compared(writer, server), NONE);
    let over = false;
    const writing = writer.many(server, 8, 1000, () => over);
    await until(() => writer.acknowledged.size > 220);
    await server.kill('SIGKILL');
    over = true;
    await writing;
    const next = await startBucketServer(t, fake.args, { args: RESTLESS });
    assert.deepEqual(await compared(writer, next), NONE);
    assert.equal(await next.kill('SIGTERM'), 0);
  });

  it('keys that expire in mid-run cost 503s until new ones are in the file, and no row', async (t) => {
    const fake = await FakeS3.start(t);
    const folder = await emptyDirectory(t);
    const file = join(folder, 'keys.json');
    const give = async (id: string): Promise<void> => {
      await writeFile(file, JSON.stringify({ aws_access_key_id: id, aws_secret_access_key: 'secret-of-the-test' }));
    };
    let valid: (key: string) => readonly string[] = () => ['first'];
    fake.fault = ({ authorization, key }) =>
      valid(key).some((id) => authorization.includes(`Credential=${id}/`)) ? undefined : { status: 403, code: 'ExpiredToken' };
    await give('first');
    const keys = ['--aws-access-key-id', '--aws-secret-access-key'];
    const args = fake.args.filter((arg, i) => !keys.includes(arg) && !keys.includes(fake.args[i - 1] ?? ''));
    const server = await startBucketServer(t, [...args, '--aws-credentials-file', file], { args: RESTLESS });
    const writer = new NumberedWriter();
    await writer.many(server, 4, 10);
    valid = () => ['second'];
    assert.equal(await writer.one(server), 503);
    assert.equal((await server.rows('db', 'SELECT count(*) AS n FROM m')).length, 1, 'queries go on');
    assert.match(server.output, /the credentials have expired: provide new ones/);
    assert.doesNotMatch(server.output, /secret-of-the-test/);
    await give('second');
    await until(async () => (await writer.one(server)) === 204);
    await writer.many(server, 4, 10);
    assert.deepEqual(await compared(writer, server), NONE);

    // Keys that are refused for nothing but the upload of files are read anew too.
    const files = (): number => [...fake.objects.keys()].filter((key) => key.endsWith('.parquet')).length;
    const before = files();
    await give('third');
    valid = (key) => (key.endsWith('.parquet') ? ['third'] : ['second', 'third']);
    await until(async () => {
      await writer.one(server);
      return files() > before;
    });
    assert.equal(await (await fetch(`${server.url}/health`)).text(), 'OK', 'no table was set aside');
    await server.kill('SIGKILL');
    const next = await startBucketServer(t, [...args, '--aws-credentials-file', file], { args: RESTLESS });
    assert.deepEqual(await compared(writer, next), NONE);
  });

  it('forgets what is past its retention: the objects go, and no later start brings the rows back', async (t) => {
    const fake = await FakeS3.start(t);
    const args = [...RESTLESS, '--retention-check-interval', '1s', '--delete-grace-period', '0s'];
    const server = await startBucketServer(t, fake.args, { args });
    const nowNs = BigInt(Date.now()) * 1_000_000n;
    const hour = 3_600_000_000_000n;
    for (const [name, hoursAgo] of [
      ['old', 30n],
      ['young', 1n],
    ] as const) {
      for (let i = 0n; i < 12n; i++) await server.writeOk('db', `${name} v=${i}i ${nowNs - hoursAgo * hour - i * 60_000_000_000n}`);
    }
    const parquetOf = async (name: string): Promise<string[]> => {
      const rows = await server.rows('db', `SELECT path FROM system.parquet_files WHERE table_name = '${name}'`);
      return rows.map(({ path }) => String(path));
    };
    await until(async () => {
      await server.writeOk('db', `filler v=1 ${nowNs}`);
      return (await parquetOf('old')).length > 0;
    });
    const old = await parquetOf('old');
    assert.ok(old.every((path) => fake.objects.has(path)));
    const set = {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ db: 'db', retention_period: '24h' }),
    };
    const changed = await fetch(`${server.url}/api/v3/configure/database`, set);
    assert.equal(changed.status, 200, await changed.text());
    await until(() => !old.some((path) => fake.objects.has(path)));
    const counts = ['SELECT count(*) AS n FROM old', 'SELECT count(*) AS n FROM young'];
    await server.kill('SIGKILL');
    const next = await startBucketServer(t, fake.args, { args });
    assert.deepEqual(await Promise.all(counts.map((q) => next.rows('db', q))), [[{ n: 0 }], [{ n: 12 }]]);
    assert.equal(await next.kill('SIGTERM'), 0);
  });
});
