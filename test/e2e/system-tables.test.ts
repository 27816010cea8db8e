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

const PER_DATABASE = [
  'distinct_caches',
  'influxdb_schema',
  'last_caches',
  'parquet_files',
  'processing_engine_logs',
  'processing_engine_trigger_arguments',
  'processing_engine_triggers',
  'queries',
];
const INTERNAL_ONLY = ['databases', 'generation_durations', 'nodes', 'plugin_files', 'tables', 'tokens'];
const VIEWS = ['tables', 'views', 'columns', 'df_settings', 'schemata', 'routines', 'parameters'];

async function configure(server: TestServer, method: string, path: string, body?: unknown): Promise<number> {
  const response = await fetch(`${server.url}/api/v3/configure/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  await response.arrayBuffer();
  return response.status;
}

async function names(server: TestServer, db: string, schema: string): Promise<unknown[]> {
  const rows = await server.rows(db, 'SHOW TABLES');
  return rows.filter((row) => row['table_schema'] === schema).map((row) => row['table_name']);
}

test('SHOW TABLES lists user tables by name, the system tables of the database and seven views', async () => {
  const server = await shared();
  for (const table of ['xxx', 'aaa', 'table_001']) await server.writeOk(db, `${table} v=1`);
  const rows = await server.rows(db, 'SHOW TABLES');
  assert.deepEqual(
    rows.map((row) => [row['table_catalog'], row['table_schema'], row['table_name'], row['table_type']]),
    [
      ...['aaa', 'table_001', 'xxx'].map((name) => ['public', 'iox', name, 'BASE TABLE']),
      ...PER_DATABASE.map((name) => ['public', 'system', name, 'BASE TABLE']),
      ...VIEWS.map((name) => ['public', 'information_schema', name, 'VIEW']),
    ],
  );
  assert.deepEqual(await server.rows(db, 'SELECT * FROM information_schema.tables'), rows);
  const internal = await names(server, '_internal', 'system');
  assert.deepEqual(
    internal.filter((name) => name !== 'telemetry_reports'),
    [...PER_DATABASE, ...INTERNAL_ONLY].sort(),
  );
  assert.deepEqual(await names(server, '_internal', 'iox'), []);
});

test('tokens are readable in _internal only, and have no hash column without authentication', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk(db, 'm v=1');
  const refused = await server.sql(db, 'SELECT * FROM system.tokens');
  assert.equal(refused.status, 400);
  assert.match(await refused.text(), /table 'public\.system\.tokens' not found/);
  const columns = await server.rows('_internal', 'SHOW COLUMNS FROM system.tokens');
  assert.deepEqual(
    columns.map((row) => row['column_name']),
    ['token_id', 'name', 'created_at', 'description', 'created_by_token_id', 'updated_at', 'updated_by_token_id', 'expiry', 'permissions'],
  );
  assert.deepEqual(await server.rows('_internal', 'SELECT * FROM system.tokens'), []);
});

test('with authentication the operator token shows nine digits of its hash', async (t) => {
  const server = await startServer(t, await testDirectory(t), { bare: true, args: ['--disable-telemetry-upload'] });
  const created = await fetch(`${server.url}/api/v3/configure/token/admin`, { method: 'POST' });
  const { token, hash } = (await created.json()) as { token: string; hash: string };
  const query = new URLSearchParams({ db: '_internal', q: 'SELECT * FROM system.tokens', format: 'json' });
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${server.url}/api/v3/query_sql?${query}`, { headers });
  const [row, ...others] = (await answer.json()) as Record<string, unknown>[];
  assert.deepEqual(others, []);
  assert.match(String(row?.['created_at']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?$/);
  assert.deepEqual(
    { ...row, created_at: '' },
    { token_id: 0, name: '_admin', hash: hash.slice(0, 9), created_at: '', permissions: '*:*:*' },
  );
});

test('columns are listed by name whatever the order of their creation', async () => {
  const server = await shared();
  await server.writeOk(db, 't a=1,c=1');
  await server.writeOk(db, 't b=1');
  const columns = await server.rows(db, 'SHOW COLUMNS FROM t');
  assert.deepEqual(
    columns.map((row) => [row['column_name'], row['data_type'], row['is_nullable']]),
    [
      ['a', 'Float64', 'YES'],
      ['b', 'Float64', 'YES'],
      ['c', 'Float64', 'YES'],
      ['time', 'Timestamp(ns)', 'NO'],
    ],
  );
});

test('information_schema.columns counts from 0 and gives the precision of floats only', async () => {
  const server = await shared();
  await server.writeOk(db, 't,host=a used=1i,load=0.5,n=2u,s="x",b=true');
  const rows = await server.rows(db, "SELECT * FROM information_schema.columns WHERE table_name = 't'");
  const common = { table_catalog: 'public', table_schema: 'iox', table_name: 't', is_nullable: 'YES' };
  assert.deepEqual(rows, [
    { ...common, column_name: 'b', ordinal_position: 0, data_type: 'Boolean' },
    { ...common, column_name: 'host', ordinal_position: 1, data_type: 'Dictionary(Int32, Utf8)' },
    {
      ...common,
      column_name: 'load',
      ordinal_position: 2,
      data_type: 'Float64',
      numeric_precision: 24,
      numeric_precision_radix: 2,
    },
    { ...common, column_name: 'n', ordinal_position: 3, data_type: 'UInt64' },
    { ...common, column_name: 's', ordinal_position: 4, data_type: 'Utf8', character_octet_length: 2147483647 },
    { ...common, column_name: 'time', ordinal_position: 5, data_type: 'Timestamp(ns)', is_nullable: 'NO' },
    { ...common, column_name: 'used', ordinal_position: 6, data_type: 'Int64' },
  ]);
  const [first] = await server.rows(db, "SELECT * FROM information_schema.columns WHERE table_name = 't' AND column_name = 'load'");
  assert.deepEqual(first, rows[2]);
  const schemas = await server.rows(db, 'SELECT DISTINCT table_schema FROM information_schema.columns ORDER BY 1');
  assert.deepEqual(schemas, [{ table_schema: 'iox' }, { table_schema: 'system' }]);
  const listed = await server.rows(db, 'SELECT catalog_name, schema_name FROM information_schema.schemata');
  assert.deepEqual(listed, [
    { catalog_name: 'public', schema_name: 'iox' },
    { catalog_name: 'public', schema_name: 'system' },
  ]);
});

test('every view of the information schema answers, and SHOW ALL gives names and values', async () => {
  const server = await shared();
  await server.writeOk(db, 'm v=1');
  for (const view of VIEWS) {
    const response = await server.sql(db, `SELECT * FROM information_schema.${view}`, 'csv');
    assert.equal(response.status, 200, `${view}: ${await response.text()}`);
  }
  const settings = await server.rows(db, 'SHOW ALL');
  assert.ok(settings.some((row) => row['name'] === 'datafusion.catalog.default_schema' && row['value'] === 'iox'));
  assert.deepEqual(await server.rows(db, 'SHOW datafusion.execution.time_zone'), [
    { name: 'datafusion.execution.time_zone', value: '+00:00' },
  ]);
});

test('a query on the log sees itself running, later as a success with all durations', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk(db, 'm v=1');
  const [self] = await server.rows(db, 'SELECT * FROM system.queries');
  assert.match(String(self?.['id']), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(
    [self?.['phase'], self?.['query_type'], self?.['query_text'], self?.['running'], self?.['success'], self?.['cancelled']],
    ['logically_planned', 'sql', 'SELECT * FROM system.queries', true, false, false],
  );
  assert.equal('end2end_duration' in (self ?? {}), false);
  const [done] = await server.rows(db, 'SELECT * FROM system.queries WHERE running = false');
  assert.equal(done?.['id'], self?.['id']);
  assert.deepEqual([done?.['phase'], done?.['success'], done?.['running']], ['success', true, false]);
  for (const name of ['plan_duration', 'permit_duration', 'execute_duration', 'end2end_duration']) {
    assert.match(String(done?.[name]), /^P(T[\d.]+S|0D)$/, name);
  }
  assert.equal(done?.['compute_duration'], 'P0D');
  assert.equal(done?.['max_memory'], 0);
});

test('a log of three holds the three newest queries, oldest first', async (t) => {
  const server = await startServer(t, await testDirectory(t), { args: ['--query-log-size', '3'] });
  await server.writeOk(db, 'm v=1');
  for (let i = 1; i <= 5; i++) await server.rows(db, `SELECT ${i} AS n`);
  const rows = await server.rows(db, 'SELECT query_text FROM system.queries');
  assert.deepEqual(
    rows.map((row) => row['query_text']),
    ['SELECT 4 AS n', 'SELECT 5 AS n', 'SELECT query_text FROM system.queries'],
  );
});

test('queries that do not parse or plan are kept as fail, those on unknown databases are not', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk(db, 'm v=1');
  for (const query of ['SELECT nope FROM m', 'SELEC 1']) assert.equal((await server.sql(db, query)).status, 400);
  assert.equal((await server.sql('nodb', 'SELECT 1')).status, 404);
  const rows = await server.rows(db, 'SELECT * FROM system.queries WHERE running = false');
  assert.deepEqual(
    rows.map((row) => [row['query_text'], row['phase'], row['success'], row['cancelled']]),
    [
      ['SELECT nope FROM m', 'fail', false, false],
      ['SELEC 1', 'fail', false, false],
    ],
  );
  for (const row of rows) {
    assert.equal('plan_duration' in row, false);
    assert.equal('end2end_duration' in row, true);
  }
});

test('a client that leaves half-way shows as cancelled', async () => {
  const server = await shared();
  await server.writeOk(db, 'm v=1');
  const text = 'SELECT a.value + b.value AS n FROM range(0, 100000) a, range(0, 10000) b';
  const controller = new AbortController();
  const query = new URLSearchParams({ db, q: text, format: 'csv' });
  const response = await fetch(`${server.url}/api/v3/query_sql?${query}`, { signal: controller.signal });
  await response.body?.getReader().read();
  controller.abort();
  let row: Record<string, unknown> | undefined;
  while (row === undefined) {
    [row] = await server.rows(db, `SELECT * FROM system.queries WHERE query_text = '${text}' AND running = false`);
  }
  assert.deepEqual([row['phase'], row['success'], row['cancelled']], ['cancel', false, true]);
});

test('influxdb_schema names every column and its type, in the order of tables and names', async () => {
  const server = await shared();
  await server.writeOk(db, 'z,t=a f=1,i=1i,u=1u,s="x",b=true');
  await server.writeOk(db, 'a v=1');
  const rows = await server.rows(db, 'SELECT * FROM system.influxdb_schema');
  assert.deepEqual(
    rows.map((row) => [row['measurement'], row['key'], row['data_type']]),
    [
      ['z', 'b', 'boolean'],
      ['z', 'f', 'float'],
      ['z', 'i', 'integer'],
      ['z', 's', 'string'],
      ['z', 't', 'tag'],
      ['z', 'time', 'time'],
      ['z', 'u', 'uinteger'],
      ['a', 'time', 'time'],
      ['a', 'v', 'float'],
    ],
  );
});

test('databases and tables show retention, counts and what was deleted', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  assert.equal(await configure(server, 'POST', 'database', { db: 'foo', retention_period: '30d' }), 200);
  await server.writeOk('foo', 'cpu,region=us,host=a usage=1');
  await server.writeOk('bar', 'm v=1');
  assert.deepEqual(await server.rows('_internal', 'SELECT * FROM system.databases'), [
    { database_name: '_internal', retention_period_ns: 604800000000000, deleted: false },
    { database_name: 'foo', retention_period_ns: 2592000000000000, deleted: false },
    { database_name: 'bar', deleted: false },
  ]);
  const none = { last_cache_count: 0, distinct_cache_count: 0, deleted: false };
  assert.deepEqual(await server.rows('_internal', 'SELECT * FROM system.tables'), [
    { database_name: 'foo', table_name: 'cpu', column_count: 4, series_key_columns: 'region, host', ...none },
    { database_name: 'bar', table_name: 'm', column_count: 2, series_key_columns: '', ...none },
  ]);
  assert.equal(await configure(server, 'DELETE', 'database?db=foo'), 200);
  const deleted = await server.rows('_internal', 'SELECT * FROM system.databases WHERE deleted');
  assert.equal(deleted.length, 1);
  assert.match(String(deleted[0]?.['database_name']), /^foo-\d{8}T\d{6}$/);
  assert.match(String(deleted[0]?.['hard_deletion_time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const [table] = await server.rows('_internal', 'SELECT * FROM system.tables WHERE deleted');
  assert.match(String(table?.['table_name']), /^cpu-\d{8}T\d{6}$/);
  assert.equal(table?.['database_name'], deleted[0]?.['database_name']);
});

test('nodes shows this server and masks the secrets among its parameters', async (t) => {
  const server = await startServer(t, await testDirectory(t), { args: ['--aws-secret-access-key', 'hunter2'] });
  const [node] = await server.rows('_internal', 'SELECT * FROM system.nodes');
  assert.equal(node?.['node_id'], 'test');
  assert.equal(node?.['state'], 'running');
  assert.deepEqual(node?.['mode'], ['core']);
  assert.match(String(node?.['updated_at']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?$/);
  const params = JSON.parse(String(node?.['cli_params'])) as Record<string, string>;
  assert.equal(params['aws-secret-access-key'], '*******');
  assert.equal(String(node?.['cli_params']).includes('hunter2'), false);
  assert.deepEqual(await server.rows('_internal', 'SELECT * FROM system.generation_durations'), [{ level: 1, duration_seconds: 600 }]);
});

test('parquet_files shows the files of its own database only, newest first', async (t) => {
  const directory = await testDirectory(t);
  const small = ['--wal-flush-interval', '1ms', '--wal-snapshot-size', '1', '--snapshotted-wal-files-to-keep', '0'];
  const server = await startServer(t, directory, { args: small });
  await server.writeOk('one', 'a v=1 1700000000\na v=2 1700003600', '&precision=second');
  await server.writeOk('two', 'b v=1 1700000000', '&precision=second');
  let rows: Record<string, unknown>[] = [];
  // Later writes make the rows due; how many it takes depends on the machine.
  for (let i = 0; rows.length < 2; i++) {
    await server.writeOk('three', `tick v=1 ${1_800_000_000 + i * 3600}`, '&precision=second');
    rows = await server.rows('one', 'SELECT * FROM system.parquet_files');
  }
  assert.deepEqual(
    rows.map((row) => [row['table_name'], row['row_count'], row['min_time'], row['max_time']]),
    [
      ['a', 1, 1700003600000000000, 1700003600000000000],
      ['a', 1, 1700000000000000000, 1700000000000000000],
    ],
  );
  for (const row of rows) assert.match(String(row['path']), /^test\/dbs\/1\/0\/2023-11-14\/\d\d-\d\d\/\d{10}\.parquet$/);
  assert.deepEqual(await server.rows('one', "SELECT * FROM system.parquet_files WHERE table_name = 'nope'"), []);
});

test('system tables answer under their spellings, and nothing else does', async () => {
  const server = await shared();
  await server.writeOk(db, 'm v=1');
  for (const name of ['system.queries', 'public.system.queries', 'system."queries"', 'SYSTEM.Queries']) {
    assert.equal((await server.sql(db, `SELECT count(*) FROM ${name}`)).status, 200, name);
  }
  for (const [name, full] of [
    ['queries', 'public.iox.queries'],
    ['system.nope', 'public.system.nope'],
    ['system.processing_engine_plugins', 'public.system.processing_engine_plugins'],
  ]) {
    const response = await server.sql(db, `SELECT * FROM ${name}`);
    assert.equal(response.status, 400);
    assert.ok((await response.text()).includes(`table '${full}' not found`), name);
  }
});

test('SHOW COLUMNS, DESCRIBE and the information schema agree on types and nulls of system tables', async () => {
  const server = await shared();
  const expected = [
    ['database_name', 'Utf8View', 'NO'],
    ['retention_period_ns', 'UInt64', 'YES'],
    ['deleted', 'Boolean', 'NO'],
    ['hard_deletion_time', 'Timestamp(s, "UTC")', 'YES'],
  ];
  for (const query of [
    'SHOW COLUMNS FROM system.databases',
    'DESCRIBE system.databases',
    "SELECT * FROM information_schema.columns WHERE table_name = 'databases' ORDER BY ordinal_position",
  ]) {
    const rows = await server.rows('_internal', query);
    assert.deepEqual(
      rows.map((row) => [row['column_name'], row['data_type'], row['is_nullable']]),
      expected,
      query,
    );
  }
  const levels = await server.rows('_internal', "SELECT * FROM information_schema.columns WHERE table_name = 'generation_durations'");
  assert.deepEqual(
    levels.map((row) => [row['data_type'], row['numeric_precision'], row['numeric_precision_radix']]),
    [
      ['UInt8', 8, 2],
      ['UInt64', undefined, undefined],
    ],
  );
});

test('the reports table of telemetry can be read everywhere', async () => {
  const server = await shared();
  await server.writeOk(db, 'm v=1');
  for (const name of [db, '_internal']) {
    assert.deepEqual(await server.rows(name, 'SELECT time, status, error, bytes, body FROM system.telemetry_reports'), []);
  }
});
