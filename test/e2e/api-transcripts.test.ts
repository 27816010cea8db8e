import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';

type Call = (method: string, path: string, body?: string | Buffer, headers?: Record<string, string>) => Promise<[number, string]>;

/** Requests that answer with status and body. */
function caller(server: TestServer): Call {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(server.url + path, { method, headers, ...(body === undefined ? {} : { body: body as string }) });
    return [response.status, await response.text()];
  };
}

/** A request with a JSON body. */
function jsonCaller(call: Call): (method: string, path: string, body: object) => Promise<[number, string]> {
  return (method, path, body) => call(method, path, JSON.stringify(body), { 'content-type': 'application/json' });
}

const DATABASE = '/api/v3/configure/database';
const TABLE = '/api/v3/configure/table';

describe('on the running server', () => {
  test('health without a token is 401 and names the cluster', async (t) => {
    const server = await startServer(t, await testDirectory(t), { bare: true, args: ['--disable-telemetry-upload'] });
    const response = await fetch(`${server.url}/health`);
    assert.deepEqual([response.status, await response.text()], [401, '{"error": "the request was not authenticated"}']);
    assert.match(response.headers.get('cluster-uuid') ?? '', /^[0-9a-f-]{36}$/);
  });

  test('writes and queries', async (t) => {
    const server = await startServer(t, await testDirectory(t));
    const call = caller(server);
    const refused = '/api/v3/write_lp?db=foo&precision=nanosecond&accept_partial=false';
    assert.deepEqual(await call('POST', refused, 'cpu,host=a val= 123\ncpu,host=b val=5 124'), [
      400,
      '{"error":"line protocol parsing error","data":{"error_message":"No fields were provided","line_number":1,"original_line":"cpu,host=a val= 123"}}',
    ]);
    assert.equal((await call('GET', '/api/v3/query_sql?db=foo&q=select+*+from+cpu'))[0], 404, 'not even the database was made');
    const partial = 'cpu,host=b val=2 155\ncpu,host=a val= 123\ncpu,host=b val=5 199';
    assert.deepEqual(await call('POST', '/api/v3/write_lp?db=foo&precision=nanosecond', partial), [
      400,
      '{"error":"partial write of line protocol occurred","data":[{"error_message":"No fields were provided","line_number":2,"original_line":"cpu,host=a val= 123"}]}',
    ]);
    assert.deepEqual(await call('POST', '/api/v3/write_lp?db=%3Fx', 'm v=1'), [
      400,
      '{"error":"db name did not start with a number or letter"}',
    ]);
    assert.deepEqual(await call('POST', '/api/v2/write?bucket=b', ',t=v f=1'), [
      400,
      `{"code":"invalid","message":"unable to parse ',t=v f=1': Invalid measurement was provided"}`,
    ]);
    assert.deepEqual(await call('GET', '/api/v3/query_sql?db=foo&q=select+host,time,val+from+cpu+order+by+time&format=csv'), [
      200,
      'host,time,val\nb,1970-01-01T00:00:00.000000155,2.0\nb,1970-01-01T00:00:00.000000199,5.0\n',
    ]);
    assert.deepEqual(await call('GET', '/api/v3/query_sql?db=nope&q=select+1'), [404, '{"error":"query error: database not found: nope"}']);
    const members = Buffer.concat(['z v=1i 1\n', 'z v=2i 2\n', 'z v=3i 3\n'].map((line) => gzipSync(line)));
    assert.deepEqual(await call('POST', '/write?db=foo', members, { 'content-encoding': 'gzip' }), [204, '']);
    assert.deepEqual(await server.rows('foo', 'SELECT count(*) AS n, sum(v) AS total FROM z'), [{ n: 3, total: 6 }]);
  });

  test('limits of databases, tables and columns, freed by a delete', async (t) => {
    const args = ['--max-databases', '5', '--max-tables', '2', '--max-columns-per-table', '3'];
    const server = await startServer(t, await testDirectory(t), { args });
    const call = caller(server);
    const json = jsonCaller(call);
    for (const db of ['a', 'b', 'c', 'd', 'e']) assert.deepEqual(await json('POST', DATABASE, { db }), [200, '']);
    const full = '{"error":"Adding a new database would exceed limit of 5 databases"}';
    assert.deepEqual(await json('POST', DATABASE, { db: 'f' }), [422, full]);
    assert.deepEqual(await json('POST', DATABASE, { db: 'a' }), [409, 'attempted to create a resource that already exists']);
    assert.deepEqual(await call('POST', '/api/v3/write_lp?db=f', 'm v=1'), [422, full]);
    assert.deepEqual(await call('POST', '/write?db=f', 'm v=1'), [422, full]);
    assert.deepEqual(await call('POST', '/api/v2/write?bucket=f', 'm v=1'), [
      400,
      '{"code":"invalid","message":"write buffer error: catalog update error: Adding a new database would exceed limit of 5 databases"}',
    ]);
    assert.deepEqual(await call('DELETE', `${DATABASE}?db=e`), [200, '']);
    assert.deepEqual(await json('POST', DATABASE, { db: 'f' }), [200, '']);
    assert.deepEqual(await call('POST', '/api/v3/write_lp?db=a', 't1 v=1\nt2 v=1'), [204, '']);
    const tables = 'Update to schema would exceed number of tables limit: attempted to create table but already have 2 table(s) (limit: 2)';
    const [status, text] = await call('POST', '/api/v3/write_lp?db=a', 't1 v=2\nt3 v=1');
    assert.equal(status, 422, text);
    assert.ok(text.includes(tables), text);
    const columns = await call('POST', '/api/v3/write_lp?db=a', 't1,x=1,y=2 v=1,w=1');
    assert.equal(columns[0], 422);
    assert.ok(columns[1].includes('Update to schema would exceed number of columns per table limit of 3 columns'), columns[1]);
    const whole = await call('POST', '/api/v3/write_lp?db=a&accept_partial=false', 't3 v=1');
    assert.equal(whole[0], 400, whole[1]);
  });

  test('a deleted database is renamed and its name is free at once', async (t) => {
    const server = await startServer(t, await testDirectory(t));
    const call = caller(server);
    await server.writeOk('foo', 'm v=1i 1');
    assert.deepEqual(await call('DELETE', `${DATABASE}?db=foo`), [200, '']);
    assert.deepEqual(await jsonCaller(call)('POST', DATABASE, { db: 'foo' }), [200, '']);
    const [, text] = await call('GET', `${DATABASE}?format=json&show_deleted=true`);
    const rows = JSON.parse(text) as { 'iox::database': string; deleted: boolean }[];
    assert.deepEqual(
      rows.map((row) => [row['iox::database'].replace(/-\d{8}T\d{6}$/, '-<stamp>'), row.deleted]),
      [
        ['_internal', false],
        ['foo', false],
        ['foo-<stamp>', true],
      ],
    );
    const renamed = rows.at(-1)?.['iox::database'] ?? '';
    assert.deepEqual(await call('DELETE', `${DATABASE}?db=${renamed}`), [
      409,
      `attempted to modify resource that was already deleted: ${renamed}`,
    ]);
    assert.deepEqual(await call('POST', `/api/v3/write_lp?db=${renamed}`, 'm v=1'), [
      400,
      `{"error":"cannot write to soft-deleted database '${renamed}' - it is marked for deletion"}`,
    ]);
  });

  test('refusals of the admin endpoints', async (t) => {
    const server = await startServer(t, await testDirectory(t));
    const call = caller(server);
    const json = jsonCaller(call);
    const missing = 'the requested resource was not found: nope';
    assert.deepEqual(await json('PUT', DATABASE, { db: 'nope' }), [404, missing]);
    assert.deepEqual(await call('DELETE', `${DATABASE}?db=nope`), [404, missing]);
    assert.deepEqual(await call('DELETE', `${DATABASE}?db=_internal`), [500, 'cannot delete internal db']);
    assert.deepEqual(await json('PUT', DATABASE, { db: '_internal', retention_period: '1d' }), [500, 'cannot modify internal db']);
    assert.deepEqual(await call('POST', DATABASE, '{"db":"a"}'), [415, 'unacceptable content-type, expected: application/json']);
    assert.match(
      (await json('POST', DATABASE, { db: 'a', retention_period: '7x' }))[1],
      /^serde json error: invalid value: string "7x", expected a duration at line 1 column \d+$/,
    );
    assert.match(
      (await call('POST', `${DATABASE}/retention_period?db=a&duration=7x`))[1],
      /^Cannot parse the given human time: unknown time unit "x", supported units: ns, /,
    );
    assert.deepEqual(await call('GET', DATABASE), [400, 'serde error: missing field `format`']);
    const table = { db: 't', table: 'm', tags: ['a'], fields: [{ name: 'f', type: 'int64' }] };
    assert.deepEqual(await json('POST', TABLE, { ...table, fields: [{ name: 'a', type: 'float64' }] }), [
      400,
      "invalid column type for column 'a', expected iox::column_type::field::float, got iox::column_type::tag",
    ]);
    assert.deepEqual(await json('POST', TABLE, { ...table, tags: ['time'] }), [400, "'time' is a reserved column"]);
    assert.equal((await call('GET', '/api/v3/query_sql?db=t&q=select+1'))[0], 404, 'a refused table makes no database');
    assert.deepEqual(await json('POST', TABLE, table), [200, '']);
    assert.deepEqual(await json('POST', TABLE, table), [409, 'attempted to create a resource that already exists']);
    assert.deepEqual(await call('DELETE', `${TABLE}?db=nope&table=m`), [404, 'Database not found nope']);
    assert.deepEqual(await call('DELETE', `${TABLE}?db=t&table=nope`), [404, 'Table nope not in DB schema for t']);
    assert.equal((await call('DELETE', `${TABLE}?db=t&table=m&hard_delete_at=soon`))[1].startsWith('Cannot parse the timestamp: '), true);
  });
});
