import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InfluxError } from '../../src/shared/errors.ts';
import { type TestServer, testServer } from './fakes.ts';

const json = { 'content-type': 'application/json' };

function send(server: TestServer, method: string, url: string, body?: unknown) {
  const payload = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body), headers: json };
  return server.inject({ method: method as 'GET', url, ...payload });
}

describe('databases', () => {
  const path = '/api/v3/configure/database';

  test('the list is rows in any text format', async () => {
    const server = await testServer();
    server.admin.answer = () => [
      { name: '_internal', deleted: false },
      { name: 'foo-20260617T100000', deleted: true },
    ];
    const plain = await send(server, 'GET', `${path}?format=json`);
    assert.equal(plain.body, '[{"iox::database":"_internal"},{"iox::database":"foo-20260617T100000"}]');
    const all = await send(server, 'GET', `${path}?format=csv&show_deleted=true`);
    assert.equal(all.body, 'iox::database,deleted\n_internal,false\nfoo-20260617T100000,true\n');
    assert.equal(all.headers['content-type'], 'text/csv');
    assert.deepEqual(server.admin.calls, [
      ['databases.list', { showDeleted: false }],
      ['databases.list', { showDeleted: true }],
    ]);
    const missing = await send(server, 'GET', path);
    assert.deepEqual([missing.statusCode, missing.body], [400, 'serde error: missing field `format`']);
  });

  test('create, change and delete', async () => {
    const server = await testServer();
    const day = 86_400_000_000_000n;
    for (const [method, url, body, status] of [
      ['POST', path, { db: 'foo' }, 200],
      ['POST', path, { db: 'foo', retention_period: '1d 12h' }, 200],
      ['PUT', path, { db: 'foo', retention_period: null }, 200],
      ['PUT', path, { db: 'foo', retention_period: '7d' }, 200],
      ['DELETE', `${path}?db=foo`, undefined, 200],
      ['DELETE', `${path}?db=foo&hard_delete_at=now`, undefined, 200],
      ['DELETE', `${path}?db=foo&hard_delete_at=2030-01-01T00:00:00%2B01:00`, undefined, 200],
      ['POST', `${path}/retention_period?db=foo&duration=2d`, undefined, 204],
      ['DELETE', `${path}/retention_period?db=foo`, undefined, 204],
    ] as const) {
      const reply = await send(server, method, url, body);
      assert.deepEqual([reply.statusCode, reply.body], [status, ''], `${method} ${url}`);
    }
    assert.deepEqual(server.admin.calls, [
      ['databases.create', { name: 'foo', retentionPeriodNs: undefined }],
      ['databases.create', { name: 'foo', retentionPeriodNs: (day * 3n) / 2n }],
      ['databases.setRetention', { name: 'foo', retentionPeriodNs: undefined }],
      ['databases.setRetention', { name: 'foo', retentionPeriodNs: day * 7n }],
      ['databases.delete', { name: 'foo', hardDelete: { kind: 'default' } }],
      ['databases.delete', { name: 'foo', hardDelete: { kind: 'now' } }],
      ['databases.delete', { name: 'foo', hardDelete: { kind: 'at', timeMs: Date.UTC(2029, 11, 31, 23) } }],
      ['databases.setRetention', { name: 'foo', retentionPeriodNs: day * 2n }],
      ['databases.setRetention', { name: 'foo', retentionPeriodNs: undefined }],
    ]);
  });

  test('refusals', async () => {
    const server = await testServer();
    const cases: [method: string, url: string, body: unknown, status: number, text: string][] = [
      ['POST', path, '', 415, 'unacceptable content-type, expected: application/json'],
      ['POST', path, {}, 400, 'serde json error: missing field `db` at line 1 column 2'],
      ['POST', path, { db: '_x' }, 400, '{"error":"db name did not start with a number or letter"}'],
      [
        'POST',
        path,
        '{"db":"a","retention_period":"7x"}',
        400,
        'serde json error: invalid value: string "7x", expected a duration at line 1 column 33',
      ],
      ['DELETE', path, undefined, 400, 'serde error: missing field `db`'],
      ['DELETE', `${path}?db=a&hard_delete_at=soon`, undefined, 400, 'Cannot parse the timestamp: premature end of input'],
      [
        'POST',
        `${path}/retention_period?db=a&duration=7`,
        undefined,
        400,
        'Cannot parse the given human time: time unit needed, for example 7sec or 7ms',
      ],
      ['POST', `${path}/retention_period?db=a`, undefined, 400, 'serde error: missing field `duration`'],
    ];
    for (const [method, url, body, status, text] of cases) {
      const reply = body === '' ? await server.inject({ method: 'POST', url, payload: '{}' }) : await send(server, method, url, body);
      assert.deepEqual([reply.statusCode, reply.body], [status, text], `${method} ${url}`);
    }
    assert.deepEqual(server.admin.calls, []);
  });

  test('JSON content types with parameters and suffixes are fine', async () => {
    const server = await testServer();
    for (const type of ['application/json; charset=utf-8', 'application/vnd.x+json', 'Application/JSON']) {
      const reply = await server.inject({ method: 'POST', url: path, payload: '{"db":"a"}', headers: { 'content-type': type } });
      assert.equal(reply.statusCode, 200, type);
    }
    for (const type of ['text/json', 'application/jsonx', 'text/plain']) {
      const reply = await server.inject({ method: 'POST', url: path, payload: '{"db":"a"}', headers: { 'content-type': type } });
      assert.equal(reply.statusCode, 415, type);
    }
  });

  test('errors of the service keep their text and status', async () => {
    const server = await testServer();
    server.admin.answer = () => {
      throw new InfluxError({ code: 'X', message: 'attempted to create a resource that already exists', status: 409 });
    };
    const reply = await send(server, 'POST', path, { db: 'foo' });
    assert.deepEqual([reply.statusCode, reply.body], [409, 'attempted to create a resource that already exists']);
  });
});

describe('tables', () => {
  const path = '/api/v3/configure/table';

  test('create and delete', async () => {
    const server = await testServer();
    const fields = [{ name: 'f', type: 'float64', more: 1 }];
    const created = await send(server, 'POST', path, { db: 'foo', table: '', tags: ['a', 'b', 'a'], fields });
    const deleted = await send(server, 'DELETE', `${path}?db=foo&table=t&hard_delete_at=never`);
    assert.deepEqual([created.statusCode, created.body, deleted.statusCode, deleted.body], [200, '', 200, '']);
    assert.deepEqual(server.admin.calls, [
      ['tables.create', { database: 'foo', table: '', tags: ['a', 'b'], fields: [{ name: 'f', type: 'float64' }] }],
      ['tables.delete', { database: 'foo', table: 't', hardDelete: { kind: 'never' } }],
    ]);
  });

  test('refusals', async () => {
    const server = await testServer();
    const cases: [body: string, text: string][] = [
      ['{"db":"a","table":"t"}', 'missing field `tags` at line 1 column 22'],
      ['{"db":"a","table":"t","tags":[]}', 'missing field `fields` at line 1 column 32'],
      [
        '{"db":"a","table":"t","tags":[],"fields":[{"name":"x","type":"foobar"}]}',
        'unknown variant `foobar`, expected one of `utf8`, `int64`, `uint64`, `float64`, `bool` at line 1 column 69',
      ],
      ['{"db":"a","table":"t","tags":"x","fields":[]}', 'invalid type: string "x", expected a sequence at line 1 column 32'],
    ];
    for (const [body, text] of cases) {
      const reply = await send(server, 'POST', path, body);
      assert.deepEqual([reply.statusCode, reply.body], [400, `serde json error: ${text}`]);
    }
  });
});

describe('tokens', () => {
  const path = '/api/v3/configure/token';
  const token = {
    id: 3n,
    name: 'a"b',
    token: 'apiv3_x',
    hash: 'ff',
    createdAtMs: Date.UTC(2026, 5, 17, 10, 0, 0, 123),
    expiryMs: undefined,
  };

  test('create, regenerate, named, delete', async () => {
    const server = await testServer();
    server.admin.answer = () => token;
    const text = '{"id":3,"name":"a\\"b","token":"apiv3_x","hash":"ff","created_at":"2026-06-17T10:00:00.123Z","expiry":null}';
    for (const [url, body] of [
      [`${path}/admin`, undefined],
      [`${path}/admin/regenerate`, undefined],
      [`${path}/named_admin`, { token_name: 'n' }],
      [`${path}/named_admin`, { token_name: 'n', expiry_secs: 60 }],
    ] as const) {
      const reply = await send(server, 'POST', url, body);
      assert.deepEqual([reply.statusCode, reply.body, reply.headers['content-type']], [201, text, 'application/json']);
    }
    const deleted = await send(server, 'DELETE', `${path}?token_name=n`);
    assert.deepEqual([deleted.statusCode, deleted.body], [200, '']);
    assert.deepEqual(server.admin.calls, [
      ['tokens.createOperator'],
      ['tokens.regenerateOperator'],
      ['tokens.createNamed', { name: 'n', expirySecs: undefined }],
      ['tokens.createNamed', { name: 'n', expirySecs: 60n }],
      ['tokens.delete', 'n'],
    ]);
  });

  test('times have 0 or 3 fraction digits', async () => {
    const server = await testServer();
    server.admin.answer = () => ({ ...token, createdAtMs: 0, expiryMs: 1000 });
    const reply = await send(server, 'POST', `${path}/admin`);
    assert.match(reply.body, /"created_at":"1970-01-01T00:00:00Z","expiry":"1970-01-01T00:00:01Z"\}$/);
  });

  test('refusals', async () => {
    const server = await testServer();
    const missing = await send(server, 'DELETE', path);
    assert.deepEqual([missing.statusCode, missing.body], [400, 'serde error: missing field `token_name`']);
    const negative = await send(server, 'POST', `${path}/named_admin`, '{"token_name":"a","expiry_secs":-1}');
    assert.equal(negative.statusCode, 400);
    assert.match(negative.body, /^serde json error: invalid value: integer `-1`, expected u64 at line 1 column 34$/);
    const type = await server.inject({ method: 'POST', url: `${path}/named_admin`, payload: '{}' });
    assert.equal(type.statusCode, 415);
  });
});

describe('caches', () => {
  test('create answers 201 with the catalog batch, all digits kept', async () => {
    const server = await testServer();
    server.admin.answer = () => ({ catalog_batch: { Database: { time_ns: 1_700_000_000_000_000_001n, ops: [] } }, sequence_number: 5n });
    const last = await send(server, 'POST', '/api/v3/configure/last_cache', { db: 'd', table: 't', key_columns: ['k'], count: 2, ttl: 60 });
    assert.deepEqual(
      [last.statusCode, last.body, last.headers['content-type']],
      [201, '{"catalog_batch":{"Database":{"time_ns":1700000000000000001,"ops":[]}},"sequence_number":5}', 'application/json'],
    );
    await send(server, 'POST', '/api/v3/configure/distinct_cache', { db: 'd', table: 't', name: 'n', columns: ['a'], max_cardinality: 1 });
    assert.deepEqual(server.admin.calls, [
      [
        'caches.createLast',
        { database: 'd', table: 't', name: undefined, keyColumns: ['k'], valueColumns: undefined, count: 2n, ttlSecs: 60n },
      ],
      ['caches.createDistinct', { database: 'd', table: 't', name: 'n', columns: ['a'], maxCardinality: 1n, maxAgeSecs: undefined }],
    ]);
  });

  test('zero counts are refused', async () => {
    const server = await testServer();
    const last = await send(server, 'POST', '/api/v3/configure/last_cache', '{"db":"d","table":"t","count":0}');
    assert.deepEqual([last.statusCode, last.body.includes('last cache size must be greater than 0')], [400, true]);
    const distinct = await send(
      server,
      'POST',
      '/api/v3/configure/distinct_cache',
      '{"db":"d","table":"t","columns":["a"],"max_cardinality":0}',
    );
    assert.deepEqual([distinct.statusCode, distinct.body.includes('expected a nonzero usize')], [400, true]);
  });

  test('delete reads the query string, else a JSON body', async () => {
    const server = await testServer();
    const target = { database: 'd', table: 't', name: 'n' };
    for (const kind of ['last', 'distinct']) {
      const path = `/api/v3/configure/${kind}_cache`;
      assert.equal((await send(server, 'DELETE', `${path}?db=d&table=t&name=n`)).statusCode, 200);
      assert.equal((await send(server, 'DELETE', path, { db: 'd', table: 't', name: 'n' })).statusCode, 200);
      assert.equal((await send(server, 'DELETE', path)).statusCode, 415);
      assert.equal((await send(server, 'DELETE', `${path}?db=d&table=t`)).body, 'serde error: missing field `name`');
    }
    assert.deepEqual(server.admin.calls, [
      ['caches.deleteLast', target],
      ['caches.deleteLast', target],
      ['caches.deleteDistinct', target],
      ['caches.deleteDistinct', target],
    ]);
  });
});

describe('processing engine', () => {
  const path = '/api/v3/configure/processing_engine_trigger';
  const body = {
    db: 'd',
    plugin_filename: 'p.py',
    trigger_name: 't',
    trigger_settings: { run_async: true, error_behavior: 'retry' },
    trigger_specification: 'all_tables',
    trigger_arguments: { a: 'b' },
    disabled: false,
  };

  test('triggers', async () => {
    const server = await testServer();
    for (const [method, url, payload] of [
      ['POST', path, body],
      ['DELETE', `${path}?db=d&trigger_name=t&force=true`, undefined],
      ['DELETE', path, { db: 'd', trigger_name: 't' }],
      ['POST', `${path}/enable?db=d&trigger_name=t`, undefined],
      ['POST', `${path}/disable?db=d&trigger_name=t`, undefined],
    ] as const) {
      const reply = await send(server, method, url, payload);
      assert.deepEqual([reply.statusCode, reply.body], [200, ''], `${method} ${url}`);
    }
    assert.deepEqual(server.admin.calls, [
      [
        'triggers.create',
        {
          database: 'd',
          pluginFileName: 'p.py',
          triggerName: 't',
          runAsync: true,
          errorBehavior: 'retry',
          specification: 'all_tables',
          arguments: new Map([['a', 'b']]),
          disabled: false,
        },
      ],
      ['triggers.delete', { database: 'd', triggerName: 't', force: true }],
      ['triggers.delete', { database: 'd', triggerName: 't', force: false }],
      ['triggers.setEnabled', { database: 'd', triggerName: 't', enabled: true }],
      ['triggers.setEnabled', { database: 'd', triggerName: 't', enabled: false }],
    ]);
  });

  test('settings that are left out have their usual values, and error behaviours may be capitalized', async () => {
    const server = await testServer();
    const { disabled: _disabled, trigger_settings: _settings, ...least } = body;
    assert.equal((await send(server, 'POST', path, least)).statusCode, 200);
    assert.equal((await send(server, 'POST', path, { ...body, trigger_settings: { error_behavior: 'Disable' } })).statusCode, 200);
    const usual = { runAsync: false, disabled: false };
    const created = server.admin.calls.map(([, trigger]) => trigger as Record<string, unknown>);
    assert.deepEqual(
      created.map(({ runAsync, disabled, errorBehavior }) => ({ runAsync, disabled, errorBehavior })),
      [
        { ...usual, errorBehavior: 'log' },
        { ...usual, errorBehavior: 'disable' },
      ],
    );
    assert.equal((await send(server, 'POST', path, { ...body, trigger_settings: { error_behavior: 'no' } })).statusCode, 400);
  });

  test('an engine path without trigger is the literal 404', async () => {
    const server = await testServer();
    for (const url of ['/api/v3/engine/x', '/api/v3/engine/a%2Fb?x=1']) {
      const reply = await send(server, 'GET', url);
      assert.deepEqual([reply.statusCode, reply.body], [404, '{error: "not found"}']);
    }
  });

  test('plugin files and packages reach the service as they were sent', async () => {
    const server = await testServer();
    const files = [{ relative_path: 'a/b.py', content: 'x' }];
    for (const [method, url, payload] of [
      ['POST', '/api/v3/plugins/files?db=d', { plugin_name: 'p.py', content: 'c' }],
      ['PUT', '/api/v3/plugins/files?db=d', { plugin_name: 't', content: 'c' }],
      ['PUT', '/api/v3/plugins/directory', { plugin_name: 't', files }],
      ['POST', '/api/v3/configure/plugin_environment/install_packages', { packages: ['a', 'b'] }],
      ['POST', '/api/v3/configure/plugin_environment/install_requirements', { requirements_location: 'r.txt' }],
    ] as const) {
      const reply = await send(server, method, url, payload);
      assert.deepEqual([reply.statusCode, reply.body], [200, ''], `${method} ${url}`);
      assert.equal((await send(server, method, url, {})).statusCode, 400);
      assert.equal((await send(server, method, url)).statusCode, 415);
    }
    assert.deepEqual(server.admin.calls, [
      ['plugins.upload', 'p.py', 'c'],
      ['plugins.updateFile', 't', 'd', 'c'],
      ['plugins.replaceDirectory', 't', undefined, [{ relativePath: 'a/b.py', content: 'x' }]],
      ['plugins.installPackages', ['a', 'b']],
      ['plugins.installRequirements', 'r.txt'],
    ]);
  });
});
