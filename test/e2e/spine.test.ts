import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { sharedServer, startServer, TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';

const CORPUS = resolve(fileURLToPath(import.meta.url), '../../../../../test/corpus/line-protocol');

/** One WAL file per write and a snapshot after the second: small enough to see every step. */
const SNAPSHOT_AT_ONCE = ['--wal-flush-interval', '1ms', '--wal-snapshot-size', '1', '--snapshotted-wal-files-to-keep', '0'];

const shared = sharedServer();

async function corpus(name: string): Promise<{ body: string; lines: number }> {
  const body = await readFile(join(CORPUS, name), 'utf8');
  return { body, lines: body.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#')).length };
}

test('a write that was answered 204 is visible to the next query', async () => {
  const server = await shared();
  for (let i = 1; i <= 30; i++) {
    await server.writeOk('db', `m,host=a v=${i}i ${i}`, '&precision=nanosecond');
    const rows = await server.rows('db', 'SELECT count(*) AS n, max(v) AS v FROM m');
    assert.deepEqual(rows, [{ n: i, v: i }]);
  }
});

test('acknowledged rows survive kill -9 and are there once', async (t) => {
  const directory = await testDirectory(t);
  const first = await startServer(t, directory);
  const { body, lines } = await corpus('bay-area-weather.lp');
  await first.writeOk('weather', body);
  await first.kill('SIGKILL');
  const second = await startServer(t, directory);
  assert.deepEqual(await second.rows('weather', 'SELECT count(*) AS n FROM weather'), [{ n: lines }]);
  await second.writeOk('weather', body);
  assert.deepEqual(await second.rows('weather', 'SELECT count(*) AS n FROM weather'), [{ n: lines }]);
  await second.kill('SIGKILL');
  const third = await startServer(t, directory);
  assert.deepEqual(await third.rows('weather', 'SELECT count(*) AS n FROM weather'), [{ n: lines }]);
});

test('SIGTERM ends the server with code 0 and nothing is lost', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory);
  const { body, lines } = await corpus('random-numbers.lp');
  await server.writeOk('numbers', body);
  assert.equal(await server.kill('SIGTERM'), 0);
  const again = await startServer(t, directory);
  assert.deepEqual(await again.rows('numbers', 'SELECT count(*) AS n FROM numbers'), [{ n: lines }]);
});

test('a second server on the same directory is refused at once and the first goes on', async () => {
  const server = await shared();
  await assert.rejects(TestServer.start(server.dataDir), /in use by another influxdb3 process/);
  await server.writeOk('held', 'm v=1');
});

test('snapshots put sorted Parquet files where the layout says, readable by another reader', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory, { args: SNAPSHOT_AT_ONCE });
  const home = await corpus('home-sensor-data.lp');
  await server.writeOk('home', home.body, '&precision=second');
  // Later writes move the end of the time range on, so that the chunks before become due: twelve hours that are over, and the last one.
  let tick = 0;
  const files = await until(async () => {
    await server.writeOk('home', `tick v=1i ${1_800_000_000 + tick++ * 3600}`, '&precision=second');
    const found = await parquetFiles(join(directory, 'test'));
    return found.filter((path) => path.startsWith('dbs/1/0/')).length === 2 ? found : undefined;
  });
  assert.match(files[0] as string, /^dbs\/1\/0\/2024-07-21\/08-00\/\d{10}\.parquet$/);
  const rows: Record<string, unknown>[] = [];
  for (const path of files.filter((file) => file.startsWith('dbs/1/0/'))) {
    const file = await readFile(join(directory, 'test', path));
    const buffer = file.buffer.slice(file.byteOffset, file.byteOffset + file.length);
    const metadata = await parquetMetadataAsync(buffer);
    assert.ok(metadata.key_value_metadata?.some((entry) => entry.key === 'ARROW:schema'));
    rows.push(...(await parquetReadObjects({ file: buffer, compressors })));
  }
  assert.equal(rows.length, home.lines);
  assert.equal(
    rows.every((row) => typeof row['room'] === 'string'),
    true,
  );
  const answer = await server.rows('home', 'SELECT count(*) AS n, sum(co) AS co FROM home');
  assert.deepEqual(answer, [{ n: home.lines, co: rows.reduce((sum, row) => sum + Number(row['co']), 0) }]);
  await server.kill('SIGKILL');
  const again = await startServer(t, directory, { args: SNAPSHOT_AT_ONCE });
  assert.deepEqual(await again.rows('home', 'SELECT count(*) AS n, sum(co) AS co FROM home'), answer);
});

test('a rewritten point keeps its newest values through snapshots and restarts', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory, { args: SNAPSHOT_AT_ONCE });
  const time = 1_700_000_000;
  const check = async (at: TestServer, expected: Record<string, unknown>): Promise<void> => {
    for (const where of ['', " WHERE k = 'x'", " WHERE k IN ('x')", ' ORDER BY time DESC LIMIT 1']) {
      assert.deepEqual(await at.rows('db', `SELECT a, b, k FROM m${where}`), [expected], where);
    }
    assert.deepEqual(await at.rows('db', 'SELECT count(*) AS n FROM m'), [{ n: 1 }]);
    assert.deepEqual(await at.rows('db', 'SELECT a FROM m WHERE a = 1'), expected['a'] === 1 ? [{ a: 1 }] : []);
  };
  let tick = 0;
  // Compaction may join a new file with an old one at once: any change of the set tells that the rows were persisted.
  const filesOfTable = async (): Promise<string> =>
    (await parquetFiles(join(directory, 'test'))).filter((path) => path.startsWith('dbs/1/0/')).join();
  const untilPersisted = async (at: TestServer, before: string): Promise<void> => {
    await until(async () => {
      await at.writeOk('db', `tick v=1i ${1_800_000_000 + tick++ * 3600}`, '&precision=second');
      return (await filesOfTable()) === before ? undefined : true;
    });
  };
  await server.writeOk('db', `m,k=x a=1,b=1 ${time}`, '&precision=second');
  await check(server, { a: 1, b: 1, k: 'x' });
  await untilPersisted(server, '');
  await check(server, { a: 1, b: 1, k: 'x' });
  const before = await filesOfTable();
  await server.writeOk('db', `m,k=x a=2 ${time}`, '&precision=second');
  await check(server, { a: 2, b: 1, k: 'x' });
  await untilPersisted(server, before);
  await check(server, { a: 2, b: 1, k: 'x' });
  await server.kill('SIGKILL');
  await check(await startServer(t, directory, { args: SNAPSHOT_AT_ONCE }), { a: 2, b: 1, k: 'x' });
});

async function parquetFiles(root: string): Promise<string[]> {
  const names = await readdir(root, { recursive: true });
  return names.filter((name) => name.endsWith('.parquet')).sort();
}

/** Polls until the probe gives a value; the runner's own time-out ends a test that never gets there. */
