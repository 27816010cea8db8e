import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer, testDirectory } from '../support/server.ts';
import { configure, runCases } from './admin-support.ts';

const EXISTS = 'attempted to create a resource that already exists';
const deletedText = (name: string): string => `attempted to modify resource that was already deleted: ${name}`;
const missingText = (name: string): string => `the requested resource was not found: ${name}`;

test('databases are created, changed and deleted with the statuses and documented texts', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await runCases(server, [
    ['GET', 'database', undefined, 400, 'serde error: missing field `format`'],
    ['GET', 'database?format=json', undefined, 200, '[{"iox::database":"_internal"}]'],
    ['POST', 'database', { db: 'foo' }, 200, ''],
    ['POST', 'database', { db: 'foo' }, 409, EXISTS],
    ['POST', 'database', { db: 'bar', retention_period: '1d 12h' }, 200, ''],
    ['POST', 'database', { db: '' }, 400, '{"error":"db name cannot be empty"}'],
    ['POST', 'database', { db: 'a'.repeat(512) }, 400, '{"error":"db name too long: max 511"}'],
    ['POST', 'database', { db: '_internal' }, 400, '{"error":"db name did not start with a number or letter"}'],
    [
      'POST',
      'database',
      { db: 'a b' },
      400,
      '{"error":"invalid character in database or rp name: must be ASCII, containing only letters, numbers, underscores, or hyphens"}',
    ],
    [
      'POST',
      'database',
      { db: 'a/' },
      400,
      `{"error":"db name with invalid retention policy, if providing a retention policy name, must be of form '<db_name>/<rp_name>'"}`,
    ],
    ['POST', 'database', { db: 'x', retention_period: '7x' }, 400, /^serde json error: invalid value: string "7x", expected a duration/],
    ['POST', 'database', undefined, 415, 'unacceptable content-type, expected: application/json'],
    ['PUT', 'database', { db: 'foo', retention_period: '7d' }, 200, ''],
    ['PUT', 'database', { db: 'foo' }, 200, ''],
    ['PUT', 'database', { db: 'no', retention_period: '7d' }, 404, missingText('no')],
    ['PUT', 'database', { db: '_internal', retention_period: '7d' }, 500, 'cannot modify internal db'],
    ['POST', 'database/retention_period?db=foo&duration=2d', undefined, 204, ''],
    ['POST', 'database/retention_period?db=foo&duration=', undefined, 400, 'Cannot parse the given human time: value was empty'],
    ['POST', 'database/retention_period?db=foo&duration=d', undefined, 400, 'Cannot parse the given human time: expected number at 0'],
    [
      'POST',
      'database/retention_period?db=foo&duration=5',
      undefined,
      400,
      'Cannot parse the given human time: time unit needed, for example 5sec or 5ms',
    ],
    ['POST', 'database/retention_period?db=no&duration=2d', undefined, 404, missingText('no')],
    ['POST', 'database/retention_period?db=_internal&duration=2d', undefined, 500, 'cannot modify internal db'],
    ['DELETE', 'database/retention_period?db=foo', undefined, 204, ''],
    ['DELETE', 'database/retention_period?db=no', undefined, 404, missingText('no')],
    ['DELETE', 'database/retention_period?db=_internal', undefined, 500, 'cannot modify internal db'],
    ['DELETE', 'database', undefined, 400, 'serde error: missing field `db`'],
    ['DELETE', 'database?db=no', undefined, 404, missingText('no')],
    ['DELETE', 'database?db=_internal', undefined, 500, 'cannot delete internal db'],
    ['DELETE', 'database?db=foo&hard_delete_at=soon', undefined, 400, /^Cannot parse the timestamp: ./],
    ['GET', 'database?format=csv&show_deleted=true', undefined, 200, 'iox::database,deleted\n_internal,false\nbar,false\nfoo,false\n'],
  ]);
  const periods = await server.rows('_internal', 'SELECT database_name, retention_period_ns FROM system.databases');
  assert.deepEqual(periods.slice(1), [{ database_name: 'foo' }, { database_name: 'bar', retention_period_ns: 129600000000000 }]);
});

test('at the limit of databases a new one is refused until one is deleted', async (t) => {
  const server = await startServer(t, await testDirectory(t), { args: ['--max-databases', '5'] });
  for (let i = 1; i <= 5; i++) await runCases(server, [['POST', 'database', { db: `db${i}` }, 200, '']]);
  const refusal = '{"error":"Adding a new database would exceed limit of 5 databases"}';
  await runCases(server, [
    ['POST', 'database', { db: 'db6' }, 422, refusal],
    ['POST', 'database', { db: 'db1' }, 409, EXISTS],
    ['POST', 'table', { db: 'db6', table: 't', tags: [], fields: [] }, 422, refusal],
  ]);
  const write = await server.write('db6', 'm v=1');
  assert.deepEqual([write.status, await write.text()], [422, refusal]);
  await runCases(server, [
    ['DELETE', 'database?db=db1', undefined, 200, ''],
    ['POST', 'database', { db: 'db6' }, 200, ''],
    ['POST', 'database', { db: 'db7' }, 422, refusal],
  ]);
});

test('limits of tables and columns hold for writes and for table creation', async (t) => {
  const server = await startServer(t, await testDirectory(t), { args: ['--max-tables', '2', '--max-columns-per-table', '3'] });
  await server.writeOk('db', 'a,t=x f=1\nb f=1');
  const tables =
    '{"error":"Update to schema would exceed number of tables limit: attempted to create table but already have 2 table(s) (limit: 2)"}';
  const columns = '{"error":"Update to schema would exceed number of columns per table limit of 3 columns"}';
  await runCases(server, [
    ['POST', 'table', { db: 'db', table: 'c', tags: [], fields: [] }, 422, tables],
    ['POST', 'table', { db: 'other', table: 'c', tags: [], fields: [] }, 422, tables],
    ['DELETE', 'table?db=db&table=b', undefined, 200, ''],
    ['POST', 'table', { db: 'db', table: 'c', tags: ['1', '2', '3', '4'], fields: [] }, 422, columns],
    ['POST', 'table', { db: 'db', table: 'c', tags: ['1', '2', '3'], fields: [] }, 200, ''],
  ]);
  const names = await server.rows('_internal', 'SELECT database_name FROM system.databases');
  assert.deepEqual(names, [{ database_name: '_internal' }, { database_name: 'db' }]);
});

test('a deleted database frees its name at once and stays listed under its new one', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk('foo', 'm v=1 1');
  await runCases(server, [
    ['DELETE', 'database?db=foo', undefined, 200, ''],
    ['POST', 'database', { db: 'foo' }, 200, ''],
    [
      'GET',
      'database?format=json&show_deleted=true',
      undefined,
      200,
      /^\[\{"iox::database":"_internal","deleted":false\},\{"iox::database":"foo","deleted":false\},\{"iox::database":"foo-\d{8}T\d{6}","deleted":true\}\]$/,
    ],
    ['GET', 'database?format=json', undefined, 200, '[{"iox::database":"_internal"},{"iox::database":"foo"}]'],
  ]);
  const rows = await server.rows('_internal', 'SELECT database_name FROM system.databases WHERE deleted');
  const name = String(rows[0]?.['database_name']);
  const gone = await server.sql('foo', 'SELECT * FROM m');
  assert.equal(gone.status, 400);
  assert.match(await gone.text(), /table 'public\.iox\.m' not found/);
  await runCases(server, [
    ['DELETE', `database?db=${name}`, undefined, 409, deletedText(name)],
    ['DELETE', `database?db=${name}&hard_delete_at=default`, undefined, 409, deletedText(name)],
    ['DELETE', `database?db=${name}&hard_delete_at=2099-01-01T00:00:00%2B01:00`, undefined, 200, ''],
    ['DELETE', `database?db=${name}&hard_delete_at=2098-12-31T23:00:00Z`, undefined, 409, deletedText(name)],
    ['DELETE', `database?db=${name}&hard_delete_at=never`, undefined, 200, ''],
    ['PUT', 'database', { db: name, retention_period: '1d' }, 409, deletedText(name)],
    ['POST', `database/retention_period?db=${name}&duration=1d`, undefined, 409, deletedText(name)],
    ['DELETE', `database/retention_period?db=${name}`, undefined, 409, deletedText(name)],
  ]);
  const times = await server.rows('_internal', 'SELECT hard_deletion_time FROM system.databases WHERE deleted');
  assert.deepEqual(times, [{}]);
  await server.writeOk('foo', 'm v=2 1');
  assert.deepEqual(await server.rows('foo', 'SELECT v FROM m'), [{ v: 2 }]);
  const refused = await server.write(name, 'm v=3 1');
  assert.equal(refused.status, 400);
  assert.equal(
    await refused.text(),
    JSON.stringify({ error: `cannot write to soft-deleted database '${name}' - it is marked for deletion` }),
  );
});

test('a retention period hides older rows from the next query on, and clearing it shows them again', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  const hourAgo = Date.now() - 3_600_000;
  await server.writeOk('db', `m v=1 ${hourAgo}\nm v=2 ${Date.now() + 60_000}`, '&precision=millisecond');
  const values = async (): Promise<unknown[]> => (await server.rows('db', 'SELECT v FROM m ORDER BY v')).map((row) => row['v']);
  assert.deepEqual(await values(), [1, 2]);
  await runCases(server, [['POST', 'database/retention_period?db=db&duration=30m', undefined, 204, '']]);
  assert.deepEqual(await values(), [2]);
  await runCases(server, [['PUT', 'database', { db: 'db', retention_period: '2h' }, 200, '']]);
  assert.deepEqual(await values(), [1, 2]);
  await runCases(server, [['PUT', 'database', { db: 'db', retention_period: '30m' }, 200, '']]);
  assert.deepEqual(await values(), [2]);
  await runCases(server, [['DELETE', 'database/retention_period?db=db', undefined, 204, '']]);
  assert.deepEqual(await values(), [1, 2]);
});

test('tables are created and deleted with the statuses and documented texts', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  const fields = [
    { name: 's', type: 'utf8' },
    { name: 'i', type: 'int64' },
    { name: 'u', type: 'uint64' },
    { name: 'f', type: 'float64' },
    { name: 'b', type: 'bool' },
  ];
  await runCases(server, [
    [
      'POST',
      'table',
      { db: 'db', table: 'bad', tags: ['a'], fields: [{ name: 'time', type: 'int64' }] },
      400,
      "'time' is a reserved column",
    ],
    ['POST', 'table', { db: 'db', table: 'bad', tags: ['__chunk_order'], fields: [] }, 400, "'__chunk_order' is a reserved column"],
    [
      'POST',
      'table',
      { db: 'db', table: 'bad', tags: ['a'], fields: [{ name: 'a', type: 'float64' }] },
      400,
      "invalid column type for column 'a', expected iox::column_type::field::float, got iox::column_type::tag",
    ],
    [
      'POST',
      'table',
      { db: 'db', table: 'bad', tags: [], fields: [{ name: 'a', type: 'foobar' }] },
      400,
      /^serde json error: unknown variant `foobar`, expected one of `utf8`, `int64`, `uint64`, `float64`, `bool` at line \d+/,
    ],
    ['POST', 'table', { db: 'db', table: 'bad', tags: [] }, 400, /^serde json error: missing field `fields`/],
    ['POST', 'table', { db: 'db', table: 'bad', fields: [] }, 400, /^serde json error: missing field `tags`/],
    ['POST', 'table', { db: '_x', table: 't', tags: [], fields: [] }, 400, '{"error":"db name did not start with a number or letter"}'],
    ['GET', 'database?format=json', undefined, 200, '[{"iox::database":"_internal"}]'],
    ['POST', 'table', { db: 'db', table: 'full', tags: ['t2', 't1', 't2'], fields }, 200, ''],
    ['POST', 'table', { db: 'db', table: 'full', tags: [], fields: [] }, 409, EXISTS],
    ['POST', 'table', { db: 'db', table: '', tags: [], fields: [] }, 200, ''],
  ]);
  const columns = await server.rows('db', 'SHOW COLUMNS FROM "full"');
  assert.deepEqual(
    columns.map((row) => [row['column_name'], row['data_type']]),
    [
      ['b', 'Boolean'],
      ['f', 'Float64'],
      ['i', 'Int64'],
      ['s', 'Utf8'],
      ['t1', 'Dictionary(Int32, Utf8)'],
      ['t2', 'Dictionary(Int32, Utf8)'],
      ['time', 'Timestamp(ns)'],
      ['u', 'UInt64'],
    ],
  );
  assert.deepEqual(await server.rows('db', 'SELECT * FROM "full"'), []);
  assert.deepEqual(await server.rows('_internal', "SELECT series_key_columns AS k FROM system.tables WHERE table_name = 'full'"), [
    { k: 't2, t1' },
  ]);
  await runCases(server, [
    ['DELETE', 'table', undefined, 400, 'serde error: missing field `db`'],
    ['DELETE', 'table?db=no&table=full', undefined, 404, 'Database not found no'],
    ['DELETE', 'table?db=db&table=no', undefined, 404, 'Table no not in DB schema for db'],
    ['DELETE', 'table?db=_internal&table=no', undefined, 500, 'cannot modify internal db'],
    ['DELETE', 'table?db=db&table=full&hard_delete_at=x', undefined, 400, /^Cannot parse the timestamp: ./],
    ['DELETE', 'table?db=db&table=full', undefined, 200, ''],
    ['DELETE', 'table?db=db&table=full', undefined, 404, 'Table full not in DB schema for db'],
  ]);
});

test('a deleted table keeps its rows under its new name, a new one of the old name begins empty', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk('db', 'm,k=a v=1 1');
  await runCases(server, [['DELETE', 'table?db=db&table=m&hard_delete_at=never', undefined, 200, '']]);
  const [listed] = await server.rows('db', 'SHOW TABLES');
  const renamed = String(listed?.['table_name']);
  assert.match(renamed, /^m-\d{8}T\d{6}$/);
  assert.deepEqual(await server.rows('db', `SELECT k, v FROM "${renamed}"`), [{ k: 'a', v: 1 }]);
  await server.writeOk('db', 'm,k=a v="text" 1');
  assert.deepEqual(await server.rows('db', 'SELECT k, v FROM m'), [{ k: 'a', v: 'text' }]);
  assert.deepEqual(await server.rows('db', `SELECT k, v FROM "${renamed}"`), [{ k: 'a', v: 1 }]);
  await runCases(server, [
    ['DELETE', `table?db=db&table=${renamed}`, undefined, 409, deletedText(renamed)],
    ['DELETE', `table?db=db&table=${renamed}&hard_delete_at=now`, undefined, 409, deletedText(renamed)],
  ]);
});

test('what was configured is there after a restart', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory);
  await server.writeOk('gone', 'm v=1 1');
  await runCases(server, [
    ['POST', 'database', { db: 'kept', retention_period: '30d' }, 200, ''],
    ['POST', 'table', { db: 'kept', table: 't', tags: ['k'], fields: [{ name: 'v', type: 'int64' }] }, 200, ''],
    ['POST', 'last_cache', { db: 'kept', table: 't' }, 201, /^\{"catalog_batch"/],
    ['DELETE', 'database?db=gone', undefined, 200, ''],
  ]);
  const state = async (at: typeof server): Promise<unknown[]> => [
    await at.rows('_internal', 'SELECT * FROM system.databases'),
    await at.rows('_internal', 'SELECT * FROM system.tables'),
    await at.rows('kept', 'SELECT * FROM system.last_caches'),
  ];
  const before = await state(server);
  await server.kill('SIGKILL');
  assert.deepEqual(await state(await startServer(t, directory)), before);
});

test('tokens on a server with authentication', async (t) => {
  const server = await startServer(t, await testDirectory(t), { bare: true, args: ['--disable-telemetry-upload'] });
  const first = await configure(server, 'POST', 'token/admin');
  assert.equal(first.status, 201);
  assert.equal(first.headers.get('content-type'), 'application/json');
  const admin = JSON.parse(first.text) as { token: string; hash: string; created_at: string };
  assert.match(
    first.text,
    /^\{"id":0,"name":"_admin","token":"apiv3_[\w-]{86}","hash":"[0-9a-f]{128}","created_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z","expiry":null\}$/,
  );
  const bearer = { authorization: `Bearer ${admin.token}` };
  const refusal = '{"error": "the request was not authenticated"}';
  await runCases(server, [
    ['POST', 'token/admin', undefined, 409, 'token name already exists, _admin'],
    ['POST', 'token/admin/regenerate', undefined, 401, refusal],
    ['GET', 'database?format=json', undefined, 401, refusal],
  ]);
  const named = await configure(server, 'POST', 'token/named_admin', { token_name: 'ci', expiry_secs: 3600 }, bearer);
  assert.equal(named.status, 201);
  const ci = JSON.parse(named.text) as { id: number; token: string; created_at: string; expiry: string };
  assert.equal(ci.id, 1);
  const livesMs = Date.parse(ci.expiry) - Date.parse(ci.created_at);
  assert.ok(livesMs <= 3_600_000 && livesMs > 3_540_000, `${livesMs} ms`);
  const expired = await configure(server, 'POST', 'token/named_admin', { token_name: 'old', expiry_secs: 0 }, bearer);
  const old = JSON.parse(expired.text) as { token: string };
  await runCases(server, [['GET', 'database?format=json', undefined, 401, refusal]], { authorization: `Bearer ${old.token}` });
  await runCases(
    server,
    [
      ['POST', 'token/named_admin', { token_name: 'ci' }, 409, 'token name already exists, ci'],
      ['POST', 'token/named_admin', {}, 400, /^serde json error: missing field `token_name`/],
      ['POST', 'token/named_admin', undefined, 415, 'unacceptable content-type, expected: application/json'],
      ['DELETE', 'token?token_name=_admin', undefined, 405, 'cannot delete operator token'],
      ['DELETE', 'token?token_name=no', undefined, 404, missingText('no')],
      ['DELETE', 'token', undefined, 400, 'serde error: missing field `token_name`'],
      ['DELETE', 'token?token_name=old', undefined, 200, ''],
    ],
    bearer,
  );
  const byCi = { authorization: `Token ${ci.token}` };
  const regenerated = await configure(server, 'POST', 'token/admin/regenerate', undefined, byCi);
  assert.equal(regenerated.status, 201);
  const fresh = JSON.parse(regenerated.text) as { id: number; name: string; token: string; hash: string; created_at: string };
  assert.deepEqual([fresh.id, fresh.name, fresh.created_at], [0, '_admin', admin.created_at]);
  assert.notEqual(fresh.hash, admin.hash);
  await runCases(server, [['GET', 'database?format=json', undefined, 401, refusal]], bearer);
  await runCases(server, [['DELETE', 'token?token_name=ci', undefined, 200, '']], byCi);
  await runCases(server, [['GET', 'database?format=json', undefined, 401, refusal]], byCi);
  const query = new URLSearchParams({ db: '_internal', q: 'SELECT token_id, name, hash, updated_by_token_id FROM system.tokens' });
  const listed = await fetch(`${server.url}/api/v3/query_sql?${query}`, { headers: { authorization: `Bearer ${fresh.token}` } });
  assert.deepEqual(await listed.json(), [{ token_id: 0, name: '_admin', hash: fresh.hash.slice(0, 9), updated_by_token_id: 0 }]);
});

test('without authentication the token endpoints are closed', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  const text = 'endpoint disabled, started without auth';
  await runCases(server, [
    ['POST', 'token/admin', undefined, 405, text],
    ['POST', 'token/admin/regenerate', undefined, 405, text],
    ['POST', 'token/named_admin', { token_name: 'a' }, 405, text],
    ['DELETE', 'token?token_name=a', undefined, 405, text],
  ]);
});

test('with no operator token there is nothing to regenerate', async (t) => {
  const directory = await testDirectory(t);
  const { writeFile } = await import('node:fs/promises');
  const file = `${directory}/token.json`;
  await writeFile(file, JSON.stringify({ token: 'apiv3_of_the_file', name: 'ci' }), { mode: 0o600 });
  const server = await startServer(t, directory, { bare: true, args: ['--disable-telemetry-upload', '--admin-token-file', file] });
  await runCases(server, [['POST', 'token/admin/regenerate', undefined, 500, 'missing admin token, cannot update']], {
    authorization: 'Bearer apiv3_of_the_file',
  });
});
