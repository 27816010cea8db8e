import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseNotFound } from '../../src/shared/errors.ts';
import { testServer } from './fakes.ts';

const listing = [
  { name: '_internal', deleted: false, retentionPeriodNs: 604_800_000_000_000n },
  { name: 'a', deleted: false, retentionPeriodNs: undefined },
  { name: 'a/week', deleted: false, retentionPeriodNs: 86_400_000_000_000n },
];

interface Buckets {
  readonly buckets: readonly { readonly id: string; readonly name: string; readonly retentionRules: unknown }[];
}

test('buckets are databases: listed, found by name and id, made and deleted', async () => {
  const { inject, admin } = await testServer();
  admin.answer = () => listing;
  const { buckets } = (await inject({ method: 'GET', url: '/api/v2/buckets?orgID=x' })).json<Buckets>();
  assert.deepEqual(
    buckets.map(({ name, retentionRules }) => [name, retentionRules]),
    [
      ['_internal', [{ type: 'expire', everySeconds: 604_800 }]],
      ['a', []],
      ['a/week', [{ type: 'expire', everySeconds: 86_400 }]],
    ],
  );
  const names = async (query: string): Promise<string[]> =>
    (await inject({ method: 'GET', url: `/api/v2/buckets?${query}` })).json<Buckets>().buckets.map(({ name }) => name);
  assert.deepEqual(await names('name=a/autogen'), ['a']);
  assert.deepEqual(await names('name=nope'), []);
  assert.deepEqual(await names('limit=1&offset=1'), ['a']);
  const id = buckets[2]?.id ?? '';
  assert.match(id, /^[0-9a-f]{16}$/);
  assert.deepEqual((await inject({ method: 'GET', url: `/api/v2/buckets/${id}` })).json<{ name: string }>().name, 'a/week');
  assert.equal((await inject({ method: 'DELETE', url: `/api/v2/buckets/${id}` })).statusCode, 204);
  assert.deepEqual(admin.calls.at(-1), ['databases.delete', { name: 'a/week', hardDelete: { kind: 'default' } }]);
  const missing = await inject({ method: 'DELETE', url: '/api/v2/buckets/0000000000000000' });
  assert.deepEqual([missing.statusCode, missing.body], [404, '{"code":"not found","message":"bucket not found"}']);
  const post = (payload: string) => inject({ method: 'POST', url: '/api/v2/buckets', payload });
  const made = await post('{"name":"b","orgID":"x","retentionRules":[{"type":"expire","everySeconds":3600}]}');
  assert.equal(made.statusCode, 201);
  assert.deepEqual(admin.calls.at(-1), ['databases.create', { name: 'b', retentionPeriodNs: 3_600_000_000_000n }]);
  for (const [payload, message] of [
    ['{"name":"a"}', 'bucket with name a already exists'],
    ['{}', 'bucket name is missing'],
    ['[', 'the body is no JSON object'],
    ['{"name":"c","retentionRules":[{"everySeconds":-1}]}', 'retentionRules is no list with everySeconds'],
  ] as const) {
    const reply = await post(payload);
    assert.deepEqual([reply.statusCode, reply.body], [400, JSON.stringify({ code: 'invalid', message })]);
  }
});

test('organisations, set-up, ping, health and readiness', async () => {
  let reason: string | undefined;
  const { inject } = await testServer({ unavailable: () => reason });
  const get = async (path: string): Promise<unknown[]> => {
    const reply = await inject({ method: 'GET', url: `/api/v2/${path}` });
    return [reply.statusCode, reply.body === '' ? '' : reply.json<unknown>()];
  };
  assert.deepEqual(await get('orgs?org=mine'), [200, { orgs: [{ id: '0000000000000001', name: 'mine', status: 'active' }] }]);
  assert.deepEqual(await get('setup'), [200, { allowed: false }]);
  assert.deepEqual(await get('ping'), [204, '']);
  assert.deepEqual(await get('ready'), [200, { status: 'ready' }]);
  assert.equal((await get('health'))[0], 200);
  reason = 'no disk';
  assert.deepEqual(await get('ready'), [503, { status: 'not ready' }]);
  assert.match(JSON.stringify(await get('health')), /^\[503,.*"message":"no disk".*"status":"fail"/);
});

test('a server is set up already', async () => {
  const { inject } = await testServer();
  const reply = await inject({ method: 'POST', url: '/api/v2/setup', payload: { username: 'a', org: 'b', bucket: 'c', password: 'd' } });
  assert.deepEqual([reply.statusCode, reply.json()], [422, { code: 'conflict', message: 'onboarding has already been completed' }]);
});

test('queries of the type influxql are answered as those of /query', async () => {
  const { inject, influxql } = await testServer();
  influxql.answer = () => {
    throw databaseNotFound('a/week');
  };
  const ask = async (payload: object, url = '/api/v2/query?org=x') => inject({ method: 'POST', url, payload });
  const reply = await ask({ type: 'influxql', query: 'SELECT v FROM m', bucket: 'a/Week' });
  assert.equal(reply.statusCode, 200);
  assert.deepEqual(reply.json(), {
    results: [{ statement_id: 0, error: 'database not found: a/week' }],
  });
  assert.equal(influxql.requests[0]?.database, 'a/week');
  assert.equal((await ask({ type: 'influxql', bucket: 'a' })).statusCode, 400);
  assert.match((await ask({ type: 'influxql', bucket: 'a' })).body, /missing field `query`/);
});

test('Flux is refused with the ways that work', async () => {
  const { inject } = await testServer();
  const bodies: [payload: string, type: string][] = [
    ['from(bucket: "a")', 'application/vnd.flux'],
    ['from(bucket: "a")', 'text/plain'],
    ['{"query":"from(bucket: \\"a\\")","type":"flux"}', 'application/json'],
    ['{"query":"from(bucket: \\"a\\")"}', 'application/json; charset=utf-8'],
  ];
  for (const [payload, type] of bodies) {
    const reply = await inject({ method: 'POST', url: '/api/v2/query?org=x', payload, headers: { 'content-type': type } });
    assert.equal(reply.statusCode, 400);
    assert.match(reply.body, /^\{"code":"invalid","message":"Flux is not supported: .*query_sql.*query_influxql/);
  }
});
