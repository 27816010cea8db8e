import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { sharedServer, startServer, type TestServer, testDirectory } from '../support/server.ts';

const shared = sharedServer();

/** Of each test a database of its own. */
let db = '';
let number = 0;
beforeEach(() => {
  db = `db${number++}`;
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type: string | null;
}

async function configure(server: TestServer, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${server.url}/api/v3/configure/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: response.status, text: await response.text(), type: response.headers.get('content-type') };
}

async function created(server: TestServer, kind: 'last_cache' | 'distinct_cache', body: unknown): Promise<unknown> {
  const answer = await configure(server, 'POST', kind, body);
  assert.equal(answer.status, 201, answer.text);
  assert.equal(answer.type, 'application/json');
  return JSON.parse(answer.text);
}

/** The batch with its time and numbers, which no test can know, replaced. */
function steady(batch: unknown): unknown {
  const text = JSON.stringify(batch);
  return JSON.parse(text.replace(/"time_ns":\d+/, '"time_ns":1').replace(/"(sequence_number|database_id)":\d+/g, '"$1":1'));
}

async function planError(server: TestServer, query: string): Promise<string> {
  const answer = await server.sql(db, query);
  const text = await answer.text();
  assert.equal(answer.status, 400, text);
  return text;
}

test('the two documented caches show with their columns, counts and lifetimes', async () => {
  const server = await shared();
  await server.writeOk(db, 'cpu,region=us,host=a,cpu=1 usage=90\nmem,region=us,host=a usage=500');
  await created(server, 'last_cache', { db, table: 'cpu', key_columns: ['host'] });
  await created(server, 'last_cache', { db, table: 'mem', name: 'mem_last_cache', value_columns: ['usage'], ttl: 60 });
  await created(server, 'distinct_cache', { db, table: 'cpu', columns: ['region', 'host'] });
  assert.deepEqual(await server.rows(db, 'SELECT * FROM system.last_caches'), [
    { table: 'cpu', name: 'cpu_host_last_cache', key_column_ids: [1], key_column_names: ['host'], count: 1, ttl: 14400 },
    {
      table: 'mem',
      name: 'mem_last_cache',
      key_column_ids: [0, 1],
      key_column_names: ['region', 'host'],
      value_column_ids: [2],
      value_column_names: ['usage'],
      count: 1,
      ttl: 60,
    },
  ]);
  assert.deepEqual(await server.rows(db, 'SELECT * FROM system.distinct_caches'), [
    {
      table: 'cpu',
      name: 'cpu_region_host_distinct_cache',
      column_ids: [0, 1],
      column_names: ['region', 'host'],
      max_cardinality: 100000,
      max_age_seconds: 86400,
    },
  ]);
});

test('JSON of a cache of all columns leaves the value columns out, and ids are whole numbers', async () => {
  const server = await shared();
  await server.writeOk(db, 't,k=a v=1');
  await created(server, 'last_cache', { db, table: 't' });
  const answer = await server.sql(db, 'SELECT * FROM system.last_caches');
  assert.equal(
    await answer.text(),
    '[{"table":"t","name":"t_k_last_cache","key_column_ids":[0],"key_column_names":["k"],"count":1,"ttl":14400}]',
  );
});

test('creation answers 201 with the batch that the catalog logged', async () => {
  const server = await shared();
  await server.writeOk(db, 't,k=a v=1,w=2');
  const all = await created(server, 'last_cache', { db, table: 't', name: 'n' });
  assert.deepEqual(steady(all), {
    catalog_batch: {
      Database: {
        time_ns: 1,
        database_id: 1,
        database_name: db,
        ops: [
          {
            CreateLastCache: {
              table_id: 0,
              table: 't',
              id: 0,
              node_spec: 'all',
              name: 'n',
              key_columns: [{ tag: 0 }],
              value_columns: 'all_non_key_columns',
              count: 1,
              ttl: 14400,
            },
          },
        ],
      },
    },
    sequence_number: 1,
  });
  const explicit = await created(server, 'last_cache', { db, table: 't', name: 'e', value_columns: ['w'], count: 3 });
  assert.match(
    JSON.stringify(explicit),
    /"id":1,.*"value_columns":\{"explicit":\{"columns":\[\{"field":\[0,1\]\},"timestamp"\]\}\},"count":3,"ttl":14400/,
  );
  const distinct = await created(server, 'distinct_cache', { db, table: 't', columns: ['k'], name: 'd' });
  assert.deepEqual((steady(distinct) as { catalog_batch: { Database: { ops: unknown } } }).catalog_batch.Database.ops, [
    {
      CreateDistinctCache: {
        table_id: 0,
        table_name: 't',
        node_spec: 'all',
        cache_id: 0,
        cache_name: 'd',
        column_ids: [{ tag: 0 }],
        max_cardinality: 100000,
        max_age_seconds: 86400,
        source: { type: 'User' },
      },
    },
  ]);
});

test('refusals have the statuses and documented texts', async () => {
  const server = await shared();
  await server.writeOk(db, 't,k=a v=1,i=1i');
  await created(server, 'last_cache', { db, table: 't', name: 'n' });
  await created(server, 'distinct_cache', { db, table: 't', name: 'n', columns: ['k'] });
  const exists = 'attempted to create a resource that already exists';
  const cases: readonly [kind: string, body: object, status: number, text: string][] = [
    ['last_cache', { db: 'no', table: 't' }, 404, 'Database not found no'],
    ['last_cache', { db, table: 'no' }, 404, `Table no not in DB schema for ${db}`],
    ['last_cache', { db, table: 't', name: 'n', count: 2 }, 409, exists],
    ['last_cache', { db, table: 't', key_columns: ['x'] }, 400, 'invalid configuration provided: invalid key column provided: x'],
    ['last_cache', { db, table: 't', value_columns: ['x'] }, 400, 'invalid configuration provided: invalid value column provided: x'],
    [
      'last_cache',
      { db, table: 't', key_columns: ['v'] },
      400,
      'only uint64, int64, bool, tag, and string columns are supported in the last cache',
    ],
    ['distinct_cache', { db: 'no', table: 't', columns: ['k'] }, 404, 'Database not found no'],
    ['distinct_cache', { db, table: 'no', columns: ['k'] }, 404, `Table no not in DB schema for ${db}`],
    ['distinct_cache', { db, table: 't', name: 'n', columns: ['k'] }, 409, exists],
    ['distinct_cache', { db, table: 't', columns: ['x'] }, 400, 'invalid configuration provided: invalid column provided: x'],
    [
      'distinct_cache',
      { db, table: 't', columns: [] },
      400,
      'invalid configuration provided: no columns provided when creating distinct cache',
    ],
    ['distinct_cache', { db, table: 't', columns: ['i'] }, 400, 'only tag and string columns are supported in the distinct cache'],
  ];
  for (const [kind, body, status, text] of cases) {
    const answer = await configure(server, 'POST', kind, body);
    assert.deepEqual([answer.status, answer.text], [status, text], JSON.stringify(body));
  }
  const zero = await configure(server, 'POST', 'last_cache', { db, table: 't', name: 'z', count: 0 });
  assert.equal(zero.status, 400);
  assert.match(zero.text, /serde json error: .*last cache size must be greater than 0/);
  const none = await configure(server, 'POST', 'distinct_cache', { db, table: 't', columns: ['k'], name: 'z', max_cardinality: 0 });
  assert.equal(none.status, 400);
  assert.match(none.text, /serde json error: .*expected a nonzero usize/);
});

test('caches are deleted by query string or body', async () => {
  const server = await shared();
  await server.writeOk(db, 't,k=a v=1');
  await created(server, 'last_cache', { db, table: 't', name: 'l' });
  await created(server, 'distinct_cache', { db, table: 't', name: 'd', columns: ['k'] });
  assert.equal((await configure(server, 'DELETE', `last_cache?db=${db}&table=t&name=l`)).status, 200);
  assert.equal((await configure(server, 'DELETE', 'distinct_cache', { db, table: 't', name: 'd' })).status, 200);
  const gone = await configure(server, 'DELETE', `last_cache?db=${db}&table=t&name=l`);
  assert.deepEqual([gone.status, gone.text], [404, 'the requested resource was not found: l']);
  assert.deepEqual((await configure(server, 'DELETE', 'distinct_cache?db=no&table=t&name=d')).text, 'Database not found no');
  assert.deepEqual(
    (await configure(server, 'DELETE', `distinct_cache?db=${db}&table=no&name=d`)).text,
    `Table no not in DB schema for ${db}`,
  );
  const missing = await configure(server, 'DELETE', `last_cache?db=${db}&table=t`);
  assert.deepEqual([missing.status, missing.text], [400, 'serde error: missing field `name`']);
  assert.equal((await configure(server, 'DELETE', 'last_cache')).status, 415);
  assert.deepEqual(await server.rows(db, 'SELECT * FROM system.last_caches'), []);
  assert.match(await planError(server, "SELECT * FROM last_cache('t')"), /could not find cache for the given arguments/);
});

test('last_cache gives the newest row of each key, keys first, values by name', async () => {
  const server = await shared();
  await server.writeOk(db, 't,k=old v=0 1', '&precision=second');
  await created(server, 'last_cache', { db, table: 't' });
  await server.writeOk(db, 't,k=a v=1,s="x" 100\nt,k=b v=2,i=9223372036854775807i 100\nt v=3 100', '&precision=second');
  await server.writeOk(db, 't,k=a v=5 200\nt,k=b v=9 50', '&precision=second');
  const csv = await (await server.sql(db, "SELECT * FROM last_cache('t') ORDER BY k", 'csv')).text();
  assert.equal(csv, 'k,i,s,time,v\na,,,1970-01-01T00:03:20,5.0\nb,9223372036854775807,,1970-01-01T00:01:40,2.0\n');
  await server.writeOk(db, 't,k=a z=true,v=6 300', '&precision=second');
  assert.deepEqual(await server.rows(db, "SELECT * FROM last_cache('t') WHERE k = 'a'"), [
    { k: 'a', time: '1970-01-01T00:05:00', v: 6, z: true },
  ]);
  assert.deepEqual(await server.rows(db, "SELECT count(*) AS n FROM last_cache('t')"), [{ n: 2 }]);
  assert.deepEqual(await server.rows(db, "SELECT c.v + 1 AS w FROM last_cache('t', 't_k_last_cache') AS c ORDER BY w"), [
    { w: 3 },
    { w: 7 },
  ]);
});

test('a cache of three rows keeps the newest three, newest first, with the columns that were given', async () => {
  const server = await shared();
  await server.writeOk(db, 't,k=a v=0,w=0 1', '&precision=second');
  await created(server, 'last_cache', { db, table: 't', key_columns: ['k'], value_columns: ['w', 'v'], count: 3, name: 'c' });
  for (let i = 1; i <= 5; i++) await server.writeOk(db, `t,k=a v=${i},w=${i * 10} ${i * 10}`, '&precision=second');
  const csv = await (await server.sql(db, "SELECT * FROM last_cache('t', 'c')", 'csv')).text();
  assert.equal(csv, 'k,w,v,time\na,50.0,5.0,1970-01-01T00:00:50\na,40.0,4.0,1970-01-01T00:00:40\na,30.0,3.0,1970-01-01T00:00:30\n');
});

test('caches are filled from stored rows when they are made and again after a restart', async (t) => {
  const directory = await testDirectory(t);
  const small = ['--wal-flush-interval', '1ms', '--wal-snapshot-size', '1', '--snapshotted-wal-files-to-keep', '0'];
  const server = await startServer(t, directory, { args: small });
  const now = Date.now() - 3_600_000;
  await server.writeOk(db, `t,k=a,r=x v=1 ${now}\nt,k=a,r=y v=2 ${now + 1000}\nt,k=b,r=x v=3 ${now}`, '&precision=millisecond');
  await created(server, 'last_cache', { db, table: 't', key_columns: ['k'] });
  await created(server, 'distinct_cache', { db, table: 't', columns: ['k', 'r'] });
  const last = [
    { k: 'a', r: 'y', v: 2 },
    { k: 'b', r: 'x', v: 3 },
  ];
  const distinct = [
    { k: 'a', r: 'x' },
    { k: 'a', r: 'y' },
    { k: 'b', r: 'x' },
  ];
  const check = async (at: TestServer): Promise<void> => {
    assert.deepEqual(await at.rows(db, "SELECT k, r, v FROM last_cache('t') ORDER BY k"), last);
    assert.deepEqual(await at.rows(db, "SELECT * FROM distinct_cache('t')"), distinct);
  };
  await check(server);
  // later writes push the rows out of the log
  let files: unknown[] = [];
  for (let i = 1; files.length === 0; i++) {
    await server.writeOk(db, `tick v=1 ${now + 3_600_000 * (i + 1)}`, '&precision=millisecond');
    files = await server.rows(db, "SELECT * FROM system.parquet_files WHERE table_name = 't'");
  }
  await server.kill('SIGKILL');
  await check(await startServer(t, directory, { args: small }));
});

test('a restart fills a cache from the log', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory);
  await server.writeOk(db, 't,k=a v=1 1', '&precision=second');
  await created(server, 'last_cache', { db, table: 't' });
  await server.writeOk(db, 't,k=a v=2 2', '&precision=second');
  await server.kill('SIGKILL');
  const again = await startServer(t, directory);
  assert.deepEqual(await again.rows(db, "SELECT k, v FROM last_cache('t')"), [{ k: 'a', v: 2 }]);
});

test('distinct_cache sorts each level with null first and projects to distinct prefixes', async () => {
  const server = await shared();
  await server.writeOk(db, 't,region=us,host=a v=1,s="x"');
  await created(server, 'distinct_cache', { db, table: 't', columns: ['region', 'host'] });
  await server.writeOk(
    db,
    't,region=us,host=b v=1\nt,region=eu,host=c v=1\nt,region=eu v=1\nt,region=us,host=a v=2\nt,region=ap,host=z v=1 1',
  );
  const csv = await (await server.sql(db, "SELECT * FROM distinct_cache('t')", 'csv')).text();
  assert.equal(csv, 'region,host\neu,\neu,c\nus,a\nus,b\n');
  assert.deepEqual(await server.rows(db, "SELECT region FROM distinct_cache('t')"), [{ region: 'eu' }, { region: 'us' }]);
  assert.deepEqual(await server.rows(db, "SELECT host FROM distinct_cache('t') WHERE region = 'us'"), [{ host: 'a' }, { host: 'b' }]);
  await created(server, 'distinct_cache', { db, table: 't', columns: ['s'], name: 'texts' });
  assert.deepEqual(await server.rows(db, "SELECT s FROM distinct_cache('t', 'texts') WHERE s IS NOT NULL"), [{ s: 'x' }]);
  assert.match(await planError(server, "SELECT * FROM distinct_cache('t')"), /could not find distinct value cache for the given arguments/);
});

test('wrong arguments of the cache functions are planning errors', async () => {
  const server = await shared();
  await server.writeOk(db, 't,k=a v=1');
  const cases: readonly [call: string, text: string][] = [
    ['last_cache()', 'first argument must be the table name as a string'],
    ['last_cache(1)', 'first argument must be the table name as a string'],
    ["last_cache('t', 2)", 'second argument, if passed, must be the cache name as a string'],
    ["last_cache('no')", 'provided table name is invalid'],
    ["last_cache('t')", 'could not find cache for the given arguments'],
    ['distinct_cache()', 'first argument must be the table name as a string'],
    ["distinct_cache('t', 2)", 'second argument, if passed, must be the cache name as a string'],
    ["distinct_cache('no')", 'provided table name (no) is invalid'],
    ["distinct_cache('t', 'x')", 'could not find distinct value cache for the given arguments'],
  ];
  for (const [call, text] of cases) {
    assert.ok((await planError(server, `SELECT * FROM ${call}`)).includes(`Error during planning: ${text}`), call);
  }
});

test('a large cache is read whole, with every type and missing values', async () => {
  const server = await shared();
  await server.writeOk(db, 't,k=first f=0.5');
  await created(server, 'last_cache', { db, table: 't' });
  const lines: string[] = [];
  for (let i = 0; i < 5000; i++) {
    lines.push(
      `t,k=key${i} f=${i}.25,i=${-i}i,u=${i}u,b=${i % 2 === 0},s="text number ${i}"${i % 3 === 0 ? ',x=1' : ''} ${1_700_000_000 + i}`,
    );
  }
  await server.writeOk(db, lines.join('\n'), '&precision=second');
  const [sums] = await server.rows(
    db,
    "SELECT count(*) AS n, count(x) AS x, sum(f) AS f, sum(i) AS i, sum(u) AS u, count(DISTINCT s) AS s, min(time) AS t FROM last_cache('t') WHERE k <> 'first'",
  );
  assert.deepEqual(sums, { n: 5000, x: 1667, f: 12498750, i: -12497500, u: 12497500, s: 5000, t: '2023-11-14T22:13:20' });
  assert.deepEqual(await server.rows(db, "SELECT b, f, i, s, u FROM last_cache('t') WHERE k = 'key4999'"), [
    { b: false, f: 4999.25, i: -4999, s: 'text number 4999', u: 4999 },
  ]);
});

test('caches go with their table', async () => {
  const server = await shared();
  await server.writeOk(db, 't,k=a v=1');
  await created(server, 'last_cache', { db, table: 't' });
  assert.equal((await configure(server, 'DELETE', `table?db=${db}&table=t`)).status, 200);
  assert.deepEqual(await server.rows(db, 'SELECT * FROM system.last_caches'), []);
  await server.writeOk(db, 't,k=b v=2');
  assert.match(await planError(server, "SELECT * FROM last_cache('t')"), /could not find cache for the given arguments/);
});
