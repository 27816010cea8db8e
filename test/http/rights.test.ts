import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessOf, FULL_ACCESS } from '../../src/auth/index.ts';
import { narrowed, ROUTE_RIGHTS } from '../../src/server/rights.ts';
import { parsePermission } from '../../src/shared/token-permissions.ts';
import { fakeAuthenticator, testServer } from './fakes.ts';

test('a route that the table of rights does not have cannot be registered', async () => {
  for (const [method, url] of [
    ['GET', '/api/v3/new'],
    ['PATCH', '/health'],
    ['GET', '/constructor'],
  ] as const) {
    const plugin = (app: { route(options: object): unknown }): void => void app.route({ method, url, handler: async () => 'x' });
    await assert.rejects(testServer({ routePlugins: [plugin] }), {
      message: `internal error: src/server/rights.ts does not say what '${method} ${url}' needs`,
    });
  }
});

test('a route has no more than the right of its entry, whoever asks', () => {
  for (const [route, right] of Object.entries(ROUTE_RIGHTS)) {
    const left = narrowed(FULL_ACCESS, right);
    const told = `${route}: ${right}`;
    if (['nothing', 'write'].includes(right)) assert.ok(!left.mayRead('a'), told);
    if (['nothing', 'read', 'visible'].includes(right)) assert.ok(!left.mayWrite('a'), told);
    if (['nothing', 'read', 'visible', 'write'].includes(right)) assert.ok(!left.isAdmin, told);
    if (['read', 'visible'].includes(right)) assert.ok(left.mayRead('a'), told);
    if (right === 'write') assert.ok(left.mayWrite('a'), told);
  }
});

test('a write that is not allowed is refused before its body is read, an administrative one before it is looked at', async () => {
  const limited = accessOf([parsePermission('db:a:write')]);
  const { inject, writes, admin } = await testServer({ authenticator: fakeAuthenticator(() => ({ allowed: true, access: limited })) });
  const tooLarge = 'm v=1\n'.repeat(1000);
  for (const url of ['/api/v3/write_lp?db=b', '/write?db=b', '/api/v2/write?bucket=b']) {
    const reply = await inject({ method: 'POST', url, payload: tooLarge });
    assert.equal(reply.statusCode, 403, url);
    assert.match(reply.body, /the token may not write the database 'b', it needs the permission db:b:write/);
    assert.equal((await inject({ method: 'POST', url: url.replace(/b$/, 'a'), payload: tooLarge })).statusCode, 413, url);
    assert.equal((await inject({ method: 'POST', url: url.replace(/b$/, 'a'), payload: 'm v=1' })).statusCode, 204, url);
  }
  assert.deepEqual(
    writes.requests.map(({ database }) => database),
    ['a', 'a', 'a'],
  );
  assert.equal((await inject({ method: 'DELETE', url: '/api/v3/configure/database?db=a' })).statusCode, 403);
  assert.deepEqual(admin.calls, []);
});

test('troubles on /health are for those who may see them', async () => {
  const health = async (...permissions: string[]): Promise<string> => {
    const access = permissions.length === 0 ? FULL_ACCESS : accessOf(permissions.map(parsePermission));
    const { inject } = await testServer({
      authenticator: fakeAuthenticator(() => ({ allowed: true, access })),
      troubles: () => ['table secret was set aside'],
    });
    return (await inject({ method: 'GET', url: '/health' })).body;
  };
  assert.equal(await health(), 'OK\ntable secret was set aside');
  assert.equal(await health('system:health:read'), 'OK\ntable secret was set aside');
  assert.equal(await health('db:*:read', 'system:metrics:read'), 'OK');
});
