import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { BIN, startServer, type TestServer, testDirectory } from '../support/server.ts';

async function remove(server: TestServer, bucket: string, body: unknown): Promise<[number, string]> {
  const response = await fetch(`${server.url}/api/v2/delete?org=o&bucket=${bucket}`, { method: 'POST', body: JSON.stringify(body) });
  return [response.status, await response.text()];
}

test('rows in a time range with a tag are gone at once, and stay gone after kill -9', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory);
  const lines = [1, 2, 3, 4].flatMap((n) => [
    `m,host=a v=${n}i ${n}000000000`,
    `m,host=b v=${n}i ${n}000000000`,
    `other,host=a v=${n}i ${n}000000000`,
  ]);
  await server.writeOk('db', lines.join('\n'), '&precision=nanosecond');
  const range = { start: '1970-01-01T00:00:02Z', stop: '1970-01-01T00:00:03.000000000Z' };
  assert.deepEqual(await remove(server, 'db', { ...range, predicate: '_measurement="m" AND host="a"' }), [204, '']);
  const check = async (at: TestServer): Promise<void> => {
    assert.deepEqual(await at.rows('db', "SELECT v FROM m WHERE host = 'a' ORDER BY time"), [{ v: 1 }, { v: 4 }]);
    assert.deepEqual(await at.rows('db', "SELECT count(*) AS n FROM m WHERE host = 'b'"), [{ n: 4 }]);
    assert.deepEqual(await at.rows('db', 'SELECT count(*) AS n FROM other'), [{ n: 4 }]);
  };
  await check(server);
  await server.kill('SIGKILL');
  const again = await startServer(t, directory);
  await check(again);
  await again.writeOk('db', 'm,host=a v=20i 2000000000', '&precision=nanosecond');
  assert.deepEqual(await again.rows('db', "SELECT v FROM m WHERE host = 'a' ORDER BY time"), [{ v: 1 }, { v: 20 }, { v: 4 }]);
});

test('a delete spares a tag value, or a table, also after a kill and from files', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory);
  const lines = ['m,host=a v=1i', 'm,host=b v=2i', 'm v=3i', 'n,host=a v=4i', 'plain v=5i'];
  await server.writeOk('db', lines.map((line) => `${line} 1000000000`).join('\n'), '&precision=nanosecond');
  const range = { start: '1970-01-01T00:00:01Z', stop: '1970-01-01T00:00:01Z' };
  assert.deepEqual(await remove(server, 'db', { ...range, predicate: '_measurement!="n" AND (host!="a" AND host!="")' }), [204, '']);
  const left = async (on: TestServer): Promise<unknown> => {
    const of = async (table: string): Promise<unknown> => (await on.rows('db', `SELECT v FROM ${table} ORDER BY v`)).map(({ v }) => v);
    return [await of('m'), await of('n'), await of('plain')];
  };
  const expected = [[1, 3], [4], [5]];
  assert.deepEqual(await left(server), expected);
  await server.kill('SIGKILL');
  const again = await startServer(t, directory);
  assert.deepEqual(await left(again), expected);
  await again.kill();
  const third = await startServer(t, directory);
  assert.deepEqual(await left(third), expected);
  assert.deepEqual(await remove(third, 'db', { ...range, predicate: '_measurement!="n" AND host!="a"' }), [204, '']);
  assert.deepEqual(await left(third), [[1], [4], []]);
});

test('a delete that cannot be carried out says why and deletes nothing', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk('db', 'm,host=a v=1i 1', '&precision=nanosecond');
  const range = { start: '1970-01-01T00:00:00Z', stop: '2100-01-01T00:00:00Z' };
  assert.deepEqual(await remove(server, 'nope', range), [404, '{"code":"not found","message":"query error: database not found: nope"}']);
  assert.deepEqual(await remove(server, 'db', { ...range, start: 'yesterday' }), [
    400,
    '{"code":"invalid","message":"invalid RFC3339Nano for field start, please format your time with RFC3339Nano format, example: 2009-01-02T23:00:00Z"}',
  ]);
  const [status, text] = await remove(server, 'db', { ...range, predicate: 'host="a" OR host="b"' });
  assert.equal(status, 400);
  assert.match(text, /the logical operator OR is not supported yet/);
  assert.equal((await remove(server, 'db', { start: range.start }))[0], 400);
  assert.deepEqual(await server.rows('db', 'SELECT count(*) AS n FROM m'), [{ n: 1 }]);
});

test('the command line deletes rows too, and says what was wrong', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk('db', 'm,host=a v=1i 1000000000\nm,host=a v=2i 2000000000', '&precision=nanosecond');
  const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(process.execPath, [BIN, 'delete', 'rows', '--host', server.url, '--database', 'db', '--yes', ...args], { encoding: 'utf8' });
  const done = run('--start', '1970-01-01T00:00:01Z', '--stop', '1970-01-01T00:00:01Z', '--predicate', '_measurement="m"');
  assert.deepEqual([done.status, done.stdout], [0, 'Rows of "db" deleted successfully\n'], done.stderr);
  assert.deepEqual(await server.rows('db', 'SELECT v FROM m'), [{ v: 2 }]);
  const refused = run('--start', 'now', '--stop', '1970-01-01T00:00:01Z');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /invalid RFC3339Nano for field start/);
});
