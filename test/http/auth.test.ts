import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { describe, test } from 'node:test';
import { Authenticator, hashToken } from '../../src/auth/index.ts';
import { RecoveryListener } from '../../src/server/index.ts';
import { InfluxError } from '../../src/shared/errors.ts';
import { GATE_PATHS, openedBy } from '../../src/shared/gate-paths.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { deferred } from '../support/deferred.ts';
import { fixedClock, testServer } from './fakes.ts';

function authenticator(enabled: boolean, remoteFirstToken = false): Authenticator {
  const known = hashToken('good');
  return new Authenticator({
    enabled,
    openPaths: openedBy(['ping']),
    remoteFirstToken,
    tokens: { tokenByHash: (hash) => (hash === known ? {} : undefined), hasOperatorToken: () => false },
    clock: fixedClock,
    logger: silentLogger,
  });
}

test('nothing but the open paths answers without a token', async () => {
  const { inject, admin } = await testServer({ authenticator: authenticator(true) });
  for (const url of ['/health', '/metrics', '/nosuch', '/api/v3/test/telemetry_snapshot', '/api/v3/engine/x']) {
    const reply = await inject({ method: 'GET', url });
    assert.deepEqual([reply.statusCode, reply.body], [401, '{"error": "the request was not authenticated"}'], url);
    assert.ok(reply.headers['cluster-uuid']);
  }
  assert.equal((await inject({ method: 'GET', url: '/ping' })).statusCode, 200);
  assert.equal((await inject({ method: 'GET', url: '/nosuch', headers: { authorization: 'Bearer good' } })).statusCode, 404);
  admin.answer = () => ({ id: 0n, name: '_admin', token: 't', hash: 'h', createdAtMs: 0, expiryMs: undefined });
  assert.equal((await inject({ method: 'POST', url: '/api/v3/configure/token/admin' })).statusCode, 201);
  assert.equal((await inject({ method: 'GET', url: '/api/v3/configure/token/admin' })).statusCode, 404);
});

test('the first operator token is made on the machine of the server only, and not through a proxy', async () => {
  const url = '/api/v3/configure/token/admin';
  const made = { id: 0n, name: '_admin', token: 't', hash: 'h', createdAtMs: 0, expiryMs: undefined };
  const local = await testServer({ authenticator: authenticator(true) });
  local.admin.answer = () => made;
  for (const remoteAddress of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1']) {
    assert.equal((await local.inject({ method: 'POST', url, remoteAddress })).statusCode, 201, remoteAddress);
  }
  for (const [remoteAddress, headers] of [
    ['192.0.2.7', {}],
    ['::ffff:192.0.2.7', {}],
    ['2001:db8::1', {}],
    ['127.0.0.1', { 'x-forwarded-for': '127.0.0.1' }],
    ['127.0.0.1', { forwarded: 'for=192.0.2.60' }],
    ['192.0.2.7', { authorization: 'Bearer good' }],
  ] as const) {
    const reply = await local.inject({ method: 'POST', url, remoteAddress, headers });
    assert.equal(reply.statusCode, 403, remoteAddress);
    assert.match(
      reply.body,
      /^\{"error": "the first operator token can only be made on the machine of the server: .*--remote-first-token"\}$/,
    );
  }
  const open = await testServer({ authenticator: authenticator(true, true) });
  open.admin.answer = () => made;
  assert.equal((await open.inject({ method: 'POST', url, remoteAddress: '192.0.2.7' })).statusCode, 201);
});

test('pages and the paths of InfluxDB 1 ask for a password, and only what --disable-authz names is open', async () => {
  const { inject } = await testServer({ authenticator: authenticator(true) });
  for (const entry of [...GATE_PATHS, { path: '/api/v3/query_sql', rule: 'none' }]) {
    const { statusCode, headers } = await inject({ method: 'GET', url: entry.path });
    const open = entry.path === '/ping' || entry.rule === 'first-token' || entry.rule === 'shell';
    assert.equal(statusCode === 401, !open, entry.path);
    const asks = entry.path !== '/ping' && (entry.rule === 'page' || entry.rule === 'token-in-url');
    assert.equal(headers['www-authenticate'], asks ? 'Basic realm="influxdb3"' : undefined, entry.path);
  }
});

test('every endpoint refuses in shape auth, v2 and v1 too', async () => {
  const { inject } = await testServer({ authenticator: authenticator(true) });
  for (const [method, url] of [
    ['POST', '/api/v2/write?bucket=b'],
    ['POST', '/write?db=b&p=bad'],
    ['GET', '/query?q=x'],
  ] as const) {
    const reply = await inject({ method, url, headers: { authorization: 'Bearer bad' } });
    assert.deepEqual([reply.statusCode, reply.body], [401, '{"error": "the request was not authenticated"}']);
    const version = url.startsWith('/api/') ? undefined : '3.10.0-ts.1';
    assert.equal(reply.headers['x-influxdb-version'], version, url);
  }
  const malformed = await inject({ method: 'POST', url: '/api/v2/write?bucket=b', headers: { authorization: 'Digest good' } });
  assert.equal(malformed.statusCode, 400);
  assert.match(malformed.body, /^\{"error": "Authorization header was malformed, /);
});

test('without authentication', async () => {
  const { inject } = await testServer({ authenticator: authenticator(false) });
  for (const [method, url] of [
    ['POST', '/api/v3/configure/token/admin'],
    ['POST', '/api/v3/configure/token/admin/regenerate'],
    ['POST', '/api/v3/configure/token/named_admin'],
    ['DELETE', '/api/v3/configure/token'],
  ] as const) {
    const reply = await inject({ method, url });
    assert.deepEqual([reply.statusCode, reply.body], [405, 'endpoint disabled, started without auth']);
  }
  const write = (authorization?: string) =>
    inject({ method: 'POST', url: '/api/v3/write_lp?db=a', payload: 'x', headers: authorization === undefined ? {} : { authorization } });
  assert.deepEqual(
    [(await write()).statusCode, (await write('Bearer junk')).statusCode, (await write('Digest junk')).statusCode],
    [204, 204, 400],
  );
});

describe('recovery listener', () => {
  async function call(port: number, method: string, path: string): Promise<{ status: number; body: string; headers: object }> {
    const outgoing = request({ host: '127.0.0.1', port, method, path, agent: false });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), headers: response.headers };
  }

  test('regenerates once, then the socket is closed', async () => {
    let fail = true;
    const listener = new RecoveryListener({
      regenerate: async () => {
        if (fail) throw new InfluxError({ code: 'X', message: 'missing admin token, cannot update', status: 500 });
        return { id: 0n, name: '_admin', token: 'apiv3_x', hash: 'ff', createdAtMs: 0, expiryMs: undefined };
      },
      tls: undefined,
      clock: fixedClock,
      logger: silentLogger,
    });
    const { port } = await listener.listen('127.0.0.1', 0);
    const path = '/api/v3/configure/token/admin/regenerate';
    for (const [method, url] of [
      ['GET', '/'],
      ['GET', path],
      ['POST', '/api/v3/configure/token/admin'],
    ] as const) {
      const reply = await call(port, method, url);
      assert.deepEqual([reply.status, reply.body], [404, 'not found']);
    }
    const failed = await call(port, 'POST', path);
    assert.deepEqual([failed.status, failed.body], [500, 'missing admin token, cannot update']);
    fail = false;
    const done = await call(port, 'POST', path);
    assert.equal(done.status, 201);
    assert.equal(done.body, '{"id":0,"name":"_admin","token":"apiv3_x","hash":"ff","created_at":"1970-01-01T00:00:00Z","expiry":null}');
    assert.ok(!('content-type' in done.headers) && !('cluster-uuid' in done.headers));
    await listener.close();
    await assert.rejects(call(port, 'POST', path), { code: 'ECONNREFUSED' });
  });

  test('closes too when the client leaves before its answer', async () => {
    const asked = deferred();
    const work = deferred();
    const listener = new RecoveryListener({
      regenerate: async () => {
        asked.resolve();
        await work.promise;
        return { id: 0n, name: '_admin', token: 'apiv3_x', hash: 'ff', createdAtMs: 0, expiryMs: undefined };
      },
      tls: undefined,
      clock: fixedClock,
      logger: silentLogger,
    });
    const { port } = await listener.listen('127.0.0.1', 0);
    const path = '/api/v3/configure/token/admin/regenerate';
    const outgoing = request({ host: '127.0.0.1', port, method: 'POST', path, agent: false });
    outgoing.on('error', () => undefined);
    outgoing.end();
    await asked.promise;
    outgoing.destroy();
    assert.equal((await call(port, 'POST', path)).status, 404);
    work.resolve();
    const code = (error: NodeJS.ErrnoException): string | undefined => error.code;
    while ((await call(port, 'GET', '/').then(() => undefined, code)) !== 'ECONNREFUSED') await new Promise(setImmediate);
  });
});
