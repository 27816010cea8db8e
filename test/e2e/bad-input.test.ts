import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';

const BIN = resolve(fileURLToPath(import.meta.url), '../../../../../bin/influxdb3.js');

async function answer(response: Response): Promise<[number, string]> {
  return [response.status, await response.text()];
}

async function stillWorks(server: TestServer): Promise<void> {
  await server.writeOk('alive', 'm v=1i 1', '&precision=nanosecond');
  assert.deepEqual(await server.rows('alive', 'SELECT v FROM m'), [{ v: 1 }]);
}

test('bad lines are told one by one, the good ones of a partial write are kept', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  const [status, text] = await answer(
    await server.write('db', 'cpu,host=b val=2 155\ncpu,host=a val= 123\ncpu,host=b val=5 199', '&precision=ns'),
  );
  assert.equal(status, 400);
  assert.equal(
    text,
    '{"error":"partial write of line protocol occurred","data":[{"error_message":"No fields were provided","line_number":2,"original_line":"cpu,host=a val= 123"}]}',
  );
  assert.deepEqual(await server.rows('db', 'SELECT val FROM cpu ORDER BY time'), [{ val: 2 }, { val: 5 }]);
  const refused = await answer(
    await server.write('db2', 'cpu,host=a val= 123\ncpu,host=b val=5 124', '&accept_partial=false&precision=ns'),
  );
  assert.deepEqual(refused, [
    400,
    '{"error":"line protocol parsing error","data":{"error_message":"No fields were provided","line_number":1,"original_line":"cpu,host=a val= 123"}}',
  ]);
  assert.equal((await answer(await server.sql('db2', 'SELECT 1')))[0], 404, 'a write that was refused as a whole creates no database');
  await stillWorks(server);
});

test('truncated, binary, empty and oversized bodies get their own answers and change nothing', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  const post = (body: Uint8Array<ArrayBuffer> | string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${server.url}/api/v3/write_lp?db=db`, { method: 'POST', body, headers });
  const garbage = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 131) & 255));
  assert.match((await answer(await post(garbage)))[1], /^body content is not valid utf8: /);
  assert.deepEqual(await answer(await post('')), [400, 'incoming write was empty']);
  assert.deepEqual(await answer(await post('# only a comment\n\n')), [400, 'incoming write was empty']);
  assert.match((await answer(await post(garbage, { 'content-encoding': 'gzip' })))[1], /^error decoding gzip stream: /);
  const big = Buffer.alloc(100 * 1024 * 1024, 'x');
  assert.deepEqual(await answer(await post(gzipSync(big), { 'content-encoding': 'gzip' })), [
    413,
    'max request size (10485760 bytes) exceeded',
  ]);
  const plain = await post(big).then(answer, () => 'connection closed while sending');
  assert.ok(typeof plain === 'string' || plain[0] === 413, String(plain));
  const [status, text] = await answer(await post('m,t=a v=1i 1\nm,t=a v='));
  assert.equal(status, 400);
  assert.match(text, /"line_number":2/);
  await stillWorks(server);
});

test('SQL reaches no file, no setting, no other database and no network', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk('db', 'm v=1i 1');
  await server.writeOk('other', 'secret v=1i 1');
  const statements = [
    "COPY m TO '/tmp/influxdb3-stolen.csv'",
    "ATTACH '/etc/passwd' AS x",
    "SELECT * FROM read_parquet('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM glob('/*')",
    "SELECT getenv('HOME')",
    "SELECT current_setting('threads')",
    'SELECT * FROM duckdb_settings()',
    'SELECT * FROM sqlite_master',
    'PRAGMA database_list',
    'SET threads = 1',
    'INSTALL httpfs',
    'LOAD httpfs',
    'SELECT 1; SELECT 2',
    'DROP TABLE m',
    'DELETE FROM m',
    'SELECT * FROM other.iox.secret',
    'SELECT * FROM secret',
    'SELECT * FROM b_1_0_0',
    'SELECT * FROM s_1_0_0',
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM 'https://example.org/x.parquet'",
  ];
  for (const statement of statements) {
    const [status, text] = await answer(await server.sql('db', statement));
    assert.ok(status === 400 || status === 405, `${statement}: ${status} ${text}`);
    assert.doesNotMatch(text, /root:|\bDuckDB\b|Binder Error|Catalog Error/, statement);
  }
  assert.deepEqual(await answer(await server.sql('nope', 'SELECT 1')), [404, '{"error":"query error: database not found: nope"}']);
  await stillWorks(server);
});

async function failedStart(args: readonly string[]): Promise<{ code: number | null; lines: string[] }> {
  const child = spawn(process.execPath, [BIN, 'serve', '--without-auth', '--disable-telemetry-upload', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data.toString()));
  child.stderr.on('data', (data: Buffer) => output.push(data.toString()));
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { code, lines: output.join('').trim().split('\n') };
}

test('a start that cannot work ends with one clear line and a code that is not 0', async (t) => {
  const directory = await testDirectory(t);
  const blocker = createServer();
  await new Promise<void>((done) => blocker.listen(0, '127.0.0.1', done));
  t.after(() => new Promise<void>((done) => void blocker.close(() => done())));
  const port = (blocker.address() as { port: number }).port;
  const busy = await failedStart(['--data-dir', directory, '--http-bind', `127.0.0.1:${port}`]);
  assert.notEqual(busy.code, 0);
  assert.match(busy.lines.at(-1) ?? '', new RegExp(`Failed to bind address: port ${port} on 127.0.0.1 is in use`));
  const unwritable = await failedStart(['--data-dir', '/proc/influxdb3', '--http-bind', '127.0.0.1:0']);
  assert.notEqual(unwritable.code, 0);
  assert.match(unwritable.lines.at(-1) ?? '', /Unable to create database directory "\/proc\/influxdb3": No such file or directory/);
  const option = await failedStart(['--wal-flush-intervall', '1s']);
  assert.equal(option.code, 2);
  assert.match(option.lines.join('\n'), /--wal-flush-interval/);
});

test('a server in memory answers like any other and leaves nothing behind', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory, { args: ['--object-store', 'memory'] });
  await stillWorks(server);
  assert.equal(await server.kill('SIGTERM'), 0);
});
