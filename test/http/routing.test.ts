import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FULL_ACCESS } from '../../src/auth/index.ts';
import type { AuthInput } from '../../src/server/index.ts';
import { CLUSTER_UUID, fakeAuthenticator, testServer } from './fakes.ts';

test('OPTIONS on any path answers 204 with CORS headers, before authentication', async () => {
  const { inject } = await testServer({ authenticator: fakeAuthenticator(() => assert.fail('authenticated')) });
  for (const url of ['/api/v3/write_lp', '/nosuch', '/api/v3/configure/token/admin', '*']) {
    const reply = await inject({ method: 'OPTIONS', url });
    assert.equal(reply.statusCode, 204, url);
    assert.equal(reply.body, '');
    assert.equal(reply.headers['access-control-allow-origin'], '*');
    assert.equal(reply.headers['access-control-allow-methods'], '*');
    assert.equal(reply.headers['access-control-allow-headers'], '*');
    assert.equal(reply.headers['access-control-max-age'], '86400');
    assert.equal(reply.headers['cluster-uuid'], CLUSTER_UUID);
  }
});

test('token paths are closed without authentication, whatever the method', async () => {
  const { inject } = await testServer({ authenticator: fakeAuthenticator(() => ({ allowed: true, access: FULL_ACCESS }), false) });
  for (const [method, url] of [
    ['POST', '/api/v3/configure/token/admin'],
    ['DELETE', '/api/v3/configure/token?token_name=x'],
    ['GET', '/api/v3/configure/tokens'],
  ] as const) {
    const reply = await inject({ method, url });
    assert.equal(reply.statusCode, 405);
    assert.equal(reply.body, 'endpoint disabled, started without auth');
    assert.equal(reply.headers['content-type'], undefined);
  }
});

test('a refused request never reaches a route, also an unknown path', async () => {
  const seen: AuthInput[] = [];
  const { inject } = await testServer({
    authenticator: fakeAuthenticator((input) => {
      seen.push(input);
      return { allowed: false, status: 401, message: 'the request was not authenticated' };
    }),
  });
  for (const url of ['/health', '/nosuch?p=1']) {
    const reply = await inject({ method: 'GET', url, headers: { authorization: 'Bearer x' } });
    assert.equal(reply.statusCode, 401);
    assert.equal(reply.body, '{"error": "the request was not authenticated"}');
    assert.equal(reply.headers['cluster-uuid'], CLUSTER_UUID);
  }
  assert.deepEqual(
    seen.map(({ path, query, authorization }) => [path, query, authorization]),
    [
      ['/health', undefined, 'Bearer x'],
      ['/nosuch', 'p=1', 'Bearer x'],
    ],
  );
});

test('unknown paths, wrong methods, HEAD, trailing slashes and escapes are 404 Not found', async () => {
  const { inject } = await testServer();
  for (const [method, url] of [
    ['GET', '/nosuch'],
    ['GET', '/'],
    ['PUT', '/health'],
    ['GET', '/api/v3/write_lp'],
    ['HEAD', '/nosuch'],
    ['HEAD', '/query'],
    ['GET', '/health/'],
    ['GET', '/h%65alth'],
    ['GET', '/%'],
    ['GET', '//health'],
    ['GET', '/HEALTH'],
    ['PROPFIND', '/health'],
    ['DELETE', '/ping'],
    ['PATCH', '/ping'],
  ] as const) {
    const reply = await inject({ method: method as 'GET', url });
    assert.equal(reply.statusCode, 404, `${method} ${url}`);
    assert.equal(reply.body, method === 'HEAD' ? '' : 'Not found');
    assert.equal(reply.headers['content-type'], undefined);
    assert.equal(reply.headers['cluster-uuid'], CLUSTER_UUID);
    assert.equal(reply.headers['access-control-allow-origin'], '*');
  }
});

test('health answers OK as text', async () => {
  const { inject } = await testServer();
  for (const url of ['/health', '/api/v1/health']) {
    const reply = await inject({ method: 'GET', url });
    assert.equal(reply.statusCode, 200);
    assert.equal(reply.body, 'OK');
    assert.equal(reply.headers['content-type'], 'text/plain; charset=utf-8');
  }
});

test('ping names the product, by GET and POST, with its own headers', async () => {
  const { inject } = await testServer();
  for (const method of ['GET', 'POST'] as const) {
    const reply = await inject({ method, url: '/ping', ...(method === 'POST' ? { payload: 'ignored' } : {}) });
    assert.equal(reply.statusCode, 200);
    assert.equal(reply.headers['content-type'], 'application/json');
    assert.equal(
      reply.body,
      '{"product_name":"InfluxDB 3 Core","version":"3.10.0-ts.1","revision":"abc1234","process_id":"99999999-2222-4333-8444-555555555555"}',
    );
    assert.equal(reply.headers['x-influxdb-version'], '3.10.0-ts.1');
    assert.equal(reply.headers['x-influxdb-build'], 'Core');
    assert.match(String(reply.headers['request-id']), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(reply.headers['x-request-id'], reply.headers['request-id']);
  }
});

test('metrics end with # EOF and keep labels bounded', async () => {
  const { inject } = await testServer();
  await inject({ method: 'GET', url: '/made-up-by-a-client' });
  await inject({ method: 'POST', url: '/api/v3/write_lp?db=foo', payload: 'cpu v=1' });
  const reply = await inject({ method: 'GET', url: '/metrics' });
  assert.equal(reply.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.ok(reply.body.endsWith('\n# EOF\n'));
  assert.match(
    reply.body,
    /^process_start_time_seconds\{product_name="InfluxDB 3 Core",version="3.10.0-ts.1",git_hash="abc1234",uuid="[^"]+"\} /m,
  );
  assert.match(
    reply.body,
    /^http_requests_total\{path="\/api\/v3\/write_lp",method="POST",method_path="POST \/api\/v3\/write_lp",status="ok"\} 1$/m,
  );
  assert.match(reply.body, /^http_requests_total\{method="GET",status="client_error"\} 1$/m);
  assert.match(reply.body, /^influxdb3_write_lines_total\{db="foo"\} 1$/m);
  assert.match(reply.body, /^influxdb3_write_bytes_total\{db="foo"\} 10$/m);
  assert.match(reply.body, /^http_response_body_size_bytes_bucket\{le="100",/m);
  assert.ok(!reply.body.includes('made-up'));
});

test('the telemetry snapshot exists in test mode only', async () => {
  const without = await (await testServer()).inject({ method: 'GET', url: '/api/v3/test/telemetry_snapshot' });
  assert.deepEqual([without.statusCode, without.body], [404, 'Not found']);
  const { inject } = await testServer({ telemetrySnapshot: () => '{"a":1}' });
  const reply = await inject({ method: 'GET', url: '/api/v3/test/telemetry_snapshot' });
  assert.deepEqual([reply.statusCode, reply.body, reply.headers['content-type']], [200, '{"a":1}', 'application/json']);
});

test('HEAD on health, ping and metrics; 204 for pings of InfluxDB 1 clients', async () => {
  const { inject } = await testServer();
  for (const [url, status] of [
    ['/health', 200],
    ['/api/v1/health', 200],
    ['/metrics', 200],
    ['/ping', 204],
  ] as const) {
    const reply = await inject({ method: 'HEAD', url });
    assert.deepEqual([reply.statusCode, reply.body], [status, ''], url);
  }
  const pings = [
    { url: '/ping', headers: { accept: 'application/x-msgpack' } },
    { url: '/ping', headers: { 'user-agent': 'InfluxDBClient' } },
    { url: '/ping?wait_for_leader=5s', headers: {} },
  ];
  for (const ping of pings) {
    const reply = await inject({ method: 'GET', ...ping });
    assert.deepEqual([reply.statusCode, reply.body], [204, '']);
    assert.match(String(reply.headers['x-influxdb-version']), /./);
  }
});
