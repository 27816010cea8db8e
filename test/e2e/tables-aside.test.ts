import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';

/** A snapshot with every few writes. */
const RESTLESS = ['--wal-flush-interval', '5ms', '--wal-snapshot-size', '2', '--snapshotted-wal-files-to-keep', '0'];

async function metric(server: TestServer, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}

/** Writes to another database until the condition holds; every write must be taken. */
async function whileWriting(server: TestServer, condition: () => Promise<boolean>): Promise<void> {
  let n = 0;
  await until(async () => {
    await server.writeOk('other', `m v=${n}i ${n++}`);
    return (await condition()) ? true : undefined;
  });
}

async function health(server: TestServer): Promise<string> {
  const response = await fetch(`${server.url}/health`);
  assert.equal(response.status, 200);
  return response.text();
}

async function rowsOfBad(server: TestServer): Promise<unknown[]> {
  return server.rows('db', 'SELECT k, v FROM bad ORDER BY k');
}

test('a table whose directory cannot be written is set aside: named, readable, durable, and back by itself', async (t) => {
  const directory = await testDirectory(t);
  const blocked = join(directory, 'test', 'dbs', '1', '0');
  await mkdir(join(blocked, '..'), { recursive: true });
  await writeFile(blocked, 'in the way');
  let server = await startServer(t, directory, { args: RESTLESS });
  await server.writeOk('db', 'bad,k=a v=1i 1\nbad,k=b v=2i 2\ngood v=1i 1');
  assert.equal(await health(server), 'OK');
  await whileWriting(server, async () => (await metric(server, 'influxdb3_tables_set_aside')) === 1);
  const [first, second, ...more] = (await health(server)).split('\n');
  assert.deepEqual([first, more], ['OK', []]);
  assert.match(second ?? '', /^set aside: table "bad" of database "db" cannot be written to files, \d+ bytes wait in memory: ENOTDIR/);
  assert.equal(server.output.split('is set aside').length, 2, 'one line in the log');
  await server.writeOk('db', 'bad,k=c v=3i 3\nbad,k=a v=9i 1');
  const deleted = await fetch(`${server.url}/api/v2/delete?bucket=db`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ start: '1970-01-01T00:00:00Z', stop: '1970-01-02T00:00:00Z', predicate: '_measurement="bad" AND k="b"' }),
  });
  assert.equal(deleted.status, 204, await deleted.text());
  const rows = [
    { k: 'a', v: 9 },
    { k: 'c', v: 3 },
  ];
  assert.deepEqual(await rowsOfBad(server), rows);
  const before = await metric(server, 'influxdb3_parquet_rows');
  await whileWriting(server, async () => (await metric(server, 'influxdb3_parquet_rows')) > before + 5);
  // Longer while a snapshot is under way, short again after it.
  await whileWriting(server, async () => (await readdir(join(directory, 'test', 'wal'))).length < 20);
  for (let i = 0; i < 2; i++) {
    await server.kill('SIGKILL');
    server = await startServer(t, directory, { args: RESTLESS });
    assert.deepEqual(await rowsOfBad(server), rows, 'after kill -9');
    assert.equal(await metric(server, 'influxdb3_tables_set_aside'), 1);
    await whileWriting(server, async () => (await health(server)).includes('ENOTDIR'));
  }
  await rm(blocked);
  await whileWriting(server, async () => (await metric(server, 'influxdb3_tables_set_aside')) === 0);
  assert.equal(await health(server), 'OK');
  assert.deepEqual(await readdir(join(directory, 'test', 'aside')), []);
  assert.deepEqual(await rowsOfBad(server), rows, 'in files');
  await server.kill('SIGKILL');
  server = await startServer(t, directory, { args: RESTLESS });
  assert.deepEqual(await rowsOfBad(server), rows, 'in files, after kill -9');
});
