import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Agent, request } from 'undici';
import { sharedServer, startGuarded } from './support.ts';

const shared = sharedServer();

describe('plain HTTP clients', () => {
  test('every header form that is allowed, on writes and queries', async () => {
    const { server, token } = shared();
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    const write = (path: string, headers: Record<string, string>): Promise<number> =>
      fetch(server.url + path, { method: 'POST', body: 'm v=1 1700000000000000000', headers }).then((response) => response.status);
    const v3 = '/api/v3/write_lp?db=db';
    const cases: [path: string, headers: Record<string, string>, status: number][] = [
      [v3, {}, 401],
      [v3, { authorization: `Bearer ${token}` }, 204],
      [v3, { authorization: `Token ${token}` }, 204],
      [v3, { authorization: basic(`x:${token}`) }, 204],
      ['/write?db=db', { authorization: basic(`:${token}`) }, 204],
      [v3, { authorization: basic(`a:b:${token}`) }, 400],
      [v3, { authorization: `bearer ${token}` }, 204],
      [v3, { authorization: 'Bearer' }, 400],
      [v3, { authorization: `Bearer ${token} x` }, 400],
      [v3, { auth: `Bearer ${token}` }, 401],
      [`/write?db=db&u=any&p=${token}`, {}, 204],
      [`/write?db=db&p=bad`, { authorization: `Bearer ${token}` }, 401],
      [`${v3}&p=${token}`, {}, 401],
    ];
    for (const [path, headers, status] of cases) {
      assert.equal(
        await write(path, headers),
        status,
        `${path.replace(token, '<token>')} ${JSON.stringify(headers).replace(token, '<token>')}`,
      );
    }
    const query = await fetch(`${server.url}/api/v3/query_sql?db=db&q=SELECT+v+FROM+m`, {
      headers: { authorization: basic(`x:${token}`) },
    });
    assert.deepEqual([query.status, await query.text()], [200, '[{"v":1.0}]']);
  });

  test('named tokens come and go, the operator token is replaced at once', async (t) => {
    const { server, token } = await startGuarded(t);
    const call = async (method: string, path: string, bearer: string, body?: object): Promise<[number, string]> => {
      const headers: Record<string, string> = { authorization: `Bearer ${bearer}` };
      if (body !== undefined) headers['content-type'] = 'application/json';
      const text = body === undefined ? null : JSON.stringify(body);
      const response = await fetch(`${server.url}/api/v3/configure/token${path}`, { method, headers, body: text });
      return [response.status, await response.text()];
    };
    const health = (bearer: string): Promise<number> =>
      fetch(`${server.url}/health`, { headers: { authorization: `Bearer ${bearer}` } }).then((response) => response.status);
    const [status, text] = await call('POST', '/named_admin', token, { token_name: 'a' });
    const named = JSON.parse(text) as { id: number; name: string; token: string; expiry: string | null };
    assert.deepEqual([status, named.name, named.expiry, named.token.length], [201, 'a', null, 92]);
    assert.equal(await health(named.token), 200);
    assert.deepEqual(await call('POST', '/named_admin', token, { token_name: 'a' }), [409, 'token name already exists, a']);
    const expired = JSON.parse((await call('POST', '/named_admin', token, { token_name: 'gone', expiry_secs: 0 }))[1]) as { token: string };
    assert.equal(await health(expired.token), 401);
    assert.deepEqual(await call('DELETE', '?token_name=_admin', token), [405, 'cannot delete operator token']);
    assert.deepEqual(await call('DELETE', '?token_name=nope', token), [404, 'the requested resource was not found: nope']);
    assert.equal((await call('DELETE', '?token_name=a', named.token))[0], 200);
    assert.equal(await health(named.token), 401);
    const [again, fresh] = await call('POST', '/admin/regenerate', token);
    const operator = JSON.parse(fresh) as { id: number; name: string; token: string };
    assert.deepEqual([again, operator.id, operator.name], [201, 0, '_admin']);
    assert.deepEqual([await health(token), await health(operator.token)], [401, 200]);
    assert.equal((await call('POST', '/admin', operator.token))[0], 409);
  });

  test('chunked, compressed, pipelined and kept-alive requests of undici', async (t) => {
    const { server, token, rows } = shared();
    const dispatcher = new Agent({ connections: 1, pipelining: 4 });
    t.after(() => dispatcher.close());
    const headers = { authorization: `Bearer ${token}` };
    const send = async (body: Buffer | AsyncIterable<string>, extra: Record<string, string> = {}): Promise<number> => {
      const response = await request(`${server.url}/api/v3/write_lp?db=undici&precision=ns`, {
        method: 'POST',
        dispatcher,
        headers: { ...headers, ...extra },
        body: Buffer.isBuffer(body) ? body : (body as AsyncIterable<string> & never),
      });
      await response.body.dump();
      return response.statusCode;
    };
    async function* pieces(): AsyncGenerator<string> {
      for (let i = 1; i <= 100; i++) yield* [`m,kind=chunked v=${i}i `, `${i}\n`];
    }
    const gzip = gzipSync('m,kind=gzip v=1i 1\n');
    const statuses = await Promise.all([
      send(pieces()),
      send(Buffer.concat([gzip, gzipSync('m,kind=gzip v=2i 2\n'), gzipSync('')]), { 'content-encoding': 'gzip' }),
      send(Buffer.from('m,kind=plain v=1i 1')),
    ]);
    assert.deepEqual(statuses, [204, 204, 204]);
    assert.deepEqual(await rows('undici', 'SELECT kind, count(*) AS n FROM m GROUP BY kind ORDER BY kind'), [
      { kind: 'chunked', n: 100 },
      { kind: 'gzip', n: 2 },
      { kind: 'plain', n: 1 },
    ]);
  });
});
