import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';

/** A snapshot with every few writes. */
const RESTLESS = ['--wal-flush-interval', '5ms', '--wal-snapshot-size', '2', '--snapshotted-wal-files-to-keep', '0'];

const FIELDS = ['Time', 'TIME', 'A', 'a', 'a__1', 'n\0l', 'n\u2400l', 'x\x01', 'sid', 'rn', 'ord', 'rowid', 'iox::measurement', 'c0', 'g'];
const TAGS = ['TAG', 'tag', 'k\0', 'file_index'];

/** As in a line. */
function lineText(n: number): string {
  const tags = TAGS.map((name, k) => `,${name}=v${(n + k) % 2}`).join('');
  const fields = FIELDS.map((name, k) => `${name}=${n * 100 + k}i`).join(',');
  return `m${tags} ${fields} ${n * 1_000_000_000}`;
}

function rowOf(n: number): Record<string, unknown> {
  const time = new Date(n * 1000).toISOString().slice(0, 19);
  return Object.fromEntries([
    ...TAGS.map((name, k) => [name, `v${(n + k) % 2}`]),
    ...FIELDS.map((name, k) => [name, n * 100 + k]),
    ['time', time],
  ]);
}

/** The server has written all rows of `db` into files. */
async function persisted(server: TestServer): Promise<void> {
  await until(async () => {
    await server.writeOk('filler', `f v=1 ${Math.floor(Math.random() * 1e9)}`);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const files = Number(/^influxdb3_parquet_rows (\d+)/m.exec(metrics)?.[1]);
    const rows = await server.rows('db', 'SELECT count(*) AS n FROM system.parquet_files');
    return files > 0 && Number(rows[0]?.['n']) > 0 ? true : undefined;
  });
}

async function influxql(server: TestServer, q: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${server.url}/api/v3/query_influxql`, {
    method: 'POST',
    body: JSON.stringify({ db: 'db', q, format: 'json' }),
  });
  const text = await response.text();
  assert.equal(response.status, 200, `${q}: ${text}`);
  return JSON.parse(text) as Record<string, unknown>[];
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

async function checkRows(server: TestServer, count: number, when: string): Promise<void> {
  const wanted = Array.from({ length: count }, (_, n) => rowOf(n));
  assert.deepEqual(await server.rows('db', 'SELECT * FROM m ORDER BY time'), wanted, when);
}

/** The same, and each column alone: read, compared, grouped by. */
async function checkColumns(server: TestServer, count: number, when: string): Promise<void> {
  await checkRows(server, count, when);
  const wanted = Array.from({ length: count }, (_, n) => rowOf(n));
  for (const name of [...FIELDS, ...TAGS]) {
    const rows = await server.rows('db', `SELECT ${quoted(name)} FROM m ORDER BY time`);
    assert.deepEqual(
      rows,
      wanted.map((row) => ({ [name]: row[name] })),
      `${when}: ${JSON.stringify(name)}`,
    );
  }
  for (const [k, name] of FIELDS.entries()) {
    const column = quoted(name);
    const q = `SELECT max(${column}) AS x, date_bin(INTERVAL '1 day', time) AS ${column} FROM m WHERE ${column} >= ${k} AND ${quoted(TAGS[0] as string)} IN ('v0', 'v1') GROUP BY 2`;
    const rows = await server.rows('db', q);
    assert.deepEqual(rows, [{ x: (count - 1) * 100 + k, [name]: '1970-01-01T00:00:00' }], `${when}: ${JSON.stringify(name)}`);
    const newest = `SELECT ${column} FROM (SELECT *, row_number() OVER (PARTITION BY tag ORDER BY time DESC) AS "Rn" FROM m) WHERE "Rn" = 1 ORDER BY ${column}`;
    assert.deepEqual(
      await server.rows('db', newest),
      [count - 2, count - 1].map((n) => ({ [name]: n * 100 + k })),
      `${when}: ${JSON.stringify(name)}`,
    );
  }
  for (const [k, name] of TAGS.entries()) {
    const rows = await server.rows('db', `SELECT count(*) AS n FROM m WHERE ${quoted(name)} = 'v0'`);
    assert.deepEqual(rows, [{ n: wanted.filter((row) => row[name] === 'v0').length }], `${when}: tag ${k}`);
  }
}

async function checkOthers(server: TestServer, count: number, when: string): Promise<void> {
  const columns = await server.rows('db', "SELECT column_name FROM information_schema.columns WHERE table_name = 'm'");
  assert.deepEqual(columns.map((row) => row['column_name']).sort(), [...FIELDS, ...TAGS, 'time'].sort(), when);
  for (const [k, name] of FIELDS.entries()) {
    const column = `"${name}"`;
    const rows = await influxql(server, `SELECT ${column} FROM m`);
    assert.deepEqual(
      rows.map((row) => row[name]),
      Array.from({ length: count }, (_, n) => n * 100 + k),
      `${when}: ${JSON.stringify(name)}`,
    );
    const [sum] = await influxql(server, `SELECT sum(${column}) AS x FROM m WHERE ${column} > 0 OR "TAG" = 'v0'`);
    assert.ok(Number(sum?.['x']) > 0, `${when}: ${JSON.stringify(name)}`);
  }
  const all = await influxql(server, 'SELECT * FROM m');
  assert.equal(all.length, count);
  const keys = await influxql(server, 'SHOW FIELD KEYS FROM m');
  assert.deepEqual(keys.map((row) => row['fieldKey']).sort(), [...FIELDS].sort(), when);
  const tags = await influxql(server, 'SHOW TAG KEYS FROM m');
  assert.deepEqual(tags.map((row) => row['tagKey']).sort(), [...TAGS].sort(), when);
  const parquet = await server.sql('db', 'SELECT * FROM m', 'parquet');
  assert.equal(
    parquet.status,
    200,
    await parquet
      .clone()
      .text()
      .catch(() => ''),
  );
  assert.equal(
    Buffer.from(await parquet.arrayBuffer())
      .subarray(0, 4)
      .toString(),
    'PAR1',
  );
  for (const format of ['csv', 'jsonl', 'pretty']) assert.equal((await server.sql('db', 'SELECT * FROM m', format)).status, 200, format);
}

async function addCaches(server: TestServer): Promise<void> {
  for (const [path, body] of [
    ['last_cache', { db: 'db', table: 'm', name: 'l', key_columns: TAGS, ttl: 3_153_600_000 }],
    ['distinct_cache', { db: 'db', table: 'm', name: 'd', columns: TAGS, max_age: 3_153_600_000 }],
  ] as const) {
    const response = await fetch(`${server.url}/api/v3/configure/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 201, await response.text());
  }
}

async function checkCaches(server: TestServer, count: number, when: string): Promise<void> {
  const last = await server.rows('db', "SELECT * FROM last_cache('m', 'l') ORDER BY time");
  assert.deepEqual(
    last.map((row) => row['a__1']),
    [count - 2, count - 1].map((n) => n * 100 + FIELDS.indexOf('a__1')),
    when,
  );
  assert.deepEqual(Object.keys(last[0] ?? {}).sort(), [...FIELDS, ...TAGS, 'time'].sort(), when);
  const distinct = await server.rows('db', "SELECT * FROM distinct_cache('m', 'd')");
  assert.equal(distinct.length, 2, when);
  assert.deepEqual(Object.keys(distinct[0] ?? {}).sort(), [...TAGS].sort(), when);
}

async function lives(t: TestContext): Promise<void> {
  const directory = await testDirectory(t);
  let server = await startServer(t, directory, { args: RESTLESS });
  let count = 4;
  await server.writeOk('db', Array.from({ length: count }, (_, n) => lineText(n)).join('\n'), '&precision=nanosecond');
  await checkColumns(server, count, 'buffered');
  await checkOthers(server, count, 'buffered');
  await addCaches(server);
  await persisted(server);
  await checkRows(server, count, 'in files');
  await checkCaches(server, count, 'in files');
  await server.writeOk('db', [lineText(count), lineText(count + 1)].join('\n'), '&precision=nanosecond');
  count += 2;
  await checkColumns(server, count, 'files and buffer');
  await server.kill('SIGKILL');
  server = await startServer(t, directory, { args: RESTLESS });
  await checkRows(server, count, 'after kill -9');
  await checkOthers(server, count, 'after kill -9');
  await checkCaches(server, count, 'after kill -9');
  const deleted = await fetch(`${server.url}/api/v2/delete?bucket=db`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      start: '1970-01-01T00:00:00Z',
      stop: '1970-01-01T00:00:00Z',
      predicate: '_measurement="m" AND "k\0"="v0" AND file_index="v1" AND TAG="v0" AND tag="v1"',
    }),
  });
  assert.equal(deleted.status, 204, await deleted.text());
  const rows = await server.rows('db', 'SELECT * FROM m ORDER BY time');
  assert.deepEqual(
    rows,
    Array.from({ length: count - 1 }, (_, n) => rowOf(n + 1)),
  );
}

test('names that DuckDB folds, cuts or uses itself are read back exactly, through snapshots and kill -9', lives);

const EARLIEST = -(2n ** 63n) + 2n;
const LATEST = 2n ** 63n - 2n;

async function checkEnds(server: TestServer, when: string): Promise<void> {
  const [earliest, latest] = ['1677-09-21T00:12:43.145224194', '2262-04-11T23:47:16.854775806'];
  assert.deepEqual(await server.rows('db', 'SELECT time, v FROM m ORDER BY time'), [
    { time: earliest, v: 1 },
    { time: latest, v: 2 },
  ]);
  for (const [q, expected] of [
    ["SELECT v FROM m WHERE time <= '2262-04-11T23:47:16.854775807Z' ORDER BY v", [1, 2]],
    ["SELECT v FROM m WHERE time < '2262-04-11T23:47:16.854775807Z' AND time > '1677-09-21T00:12:43.145224193Z' ORDER BY v", [1, 2]],
    ["SELECT v FROM m WHERE time >= '2262-04-11T23:47:16.854775807Z' ORDER BY v", []],
    ["SELECT v FROM m WHERE time > '1677-09-21T00:12:43.145224194Z' ORDER BY v", [2]],
    ["SELECT v FROM m WHERE k = 'a\0b'", [1]],
  ] as const) {
    assert.deepEqual(
      (await server.rows('db', q)).map((row) => row['v']),
      expected,
      `${when}: ${q}`,
    );
  }
  assert.deepEqual(await influxql(server, 'SELECT v FROM m WHERE time <= 9223372036854775807 AND v < 2'), [
    { 'iox::measurement': 'm', time: earliest, v: 1 },
  ]);
  const stats = await server.rows('db', 'SELECT min(time) AS low, max(time) AS high, count(*) AS n FROM m');
  assert.deepEqual(stats, [{ low: earliest, high: latest, n: 2 }], when);
}

test('rows at the ends of int64 are read back exactly, through snapshots and kill -9', async (t) => {
  const directory = await testDirectory(t);
  let server = await startServer(t, directory, { args: RESTLESS });
  await server.writeOk('db', `m,k=a\0b v=1i ${EARLIEST}\nm,k=b v=2i ${LATEST}`, '&precision=nanosecond');
  await checkEnds(server, 'buffered');
  await persisted(server);
  await checkEnds(server, 'in files');
  await server.kill('SIGKILL');
  server = await startServer(t, directory, { args: RESTLESS });
  await checkEnds(server, 'after kill -9');
  const refused = await server.write('db', `m v=1i ${LATEST + 1n}`, '&precision=nanosecond');
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /timestamp, 9223372036854775807, out of range for precision: Nanosecond/);
});
