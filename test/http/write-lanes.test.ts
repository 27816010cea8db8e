import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Registry } from 'prom-client';
import { FULL_ACCESS } from '../../src/auth/index.ts';
import { InfluxError } from '../../src/shared/errors.ts';
import { until } from '../support/until.ts';
import { fakeAuthenticator, type TestServer, testServer } from './fakes.ts';

interface Sent {
  readonly method?: 'POST' | 'GET' | 'OPTIONS';
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

/** What the connection adds by itself. */
const OF_CONNECTION = new Set(['date', 'connection', 'keep-alive']);

function plain(headers: IncomingHttpHeaders | Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !OF_CONNECTION.has(name))
      .map(([name, value]) => [name, String(value)]),
  );
}

/** Over fastify: `inject` knows no lane. */
async function overFastify(server: TestServer, sent: Sent): Promise<Answer> {
  const { method = 'POST', url, headers = {}, body } = sent;
  const answer = await server.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
  return { status: answer.statusCode, headers: plain(answer.headers), body: answer.payload };
}

/** Over a connection. */
function lane(port: number, sent: Sent): Promise<Answer> {
  const { method = 'POST', url, headers = {}, body } = sent;
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path: url, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: plain(response.headers), body: Buffer.concat(chunks).toString() }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function refuseNobody(): TestServer['writes']['answer'] {
  return (write) => {
    const text = write.body.toString();
    if (text === 'bad') {
      return {
        acceptedLines: 1,
        acceptedBytes: 1,
        lineErrors: [{ lineNumber: 2, originalLine: 'x', errorMessage: 'No fields were provided' }],
      };
    }
    if (text === 'full') throw new InfluxError({ code: 'WAL_BUFFER_FULL', message: 'write buffer error: full', status: 500 });
    if (text === 'bug') throw new TypeError('a bug');
    return { acceptedLines: 1, acceptedBytes: text.length, lineErrors: [] };
  };
}

const cases: readonly (readonly [name: string, Sent])[] = [
  ['v3 write', { url: '/api/v3/write_lp?db=d', body: 'm f=1' }],
  ['v3 write again, decoded before', { url: '/api/v3/write_lp?db=d', body: 'm f=1' }],
  ['v3 partial write', { url: '/api/v3/write_lp?db=d', body: 'bad' }],
  ['v3 without a query', { url: '/api/v3/write_lp', body: 'm f=1' }],
  ['v3 without a database', { url: '/api/v3/write_lp?precision=ns', body: 'm f=1' }],
  ['v3 bad database name', { url: '/api/v3/write_lp?db=%2Fx', body: 'm f=1' }],
  ['v3 storage failure', { url: '/api/v3/write_lp?db=d', body: 'full' }],
  ['v3 bug', { url: '/api/v3/write_lp?db=d', body: 'bug' }],
  ['v3 empty body', { url: '/api/v3/write_lp?db=d' }],
  ['v3 body over the limit', { url: '/api/v3/write_lp?db=d', body: 'm f=1 '.repeat(300) }],
  ['v3 gzip', { url: '/api/v3/write_lp?db=d', body: gzipSync('m f=1'), headers: { 'content-encoding': 'gzip' } }],
  ['v3 broken gzip', { url: '/api/v3/write_lp?db=d', body: 'm f=1', headers: { 'content-encoding': 'gzip' } }],
  ['v3 unknown encoding', { url: '/api/v3/write_lp?db=d', body: 'm f=1', headers: { 'content-encoding': 'br' } }],
  ['v3 not UTF-8', { url: '/api/v3/write_lp?db=d', body: Buffer.from([0xff]) }],
  ['v3 refused token', { url: '/api/v3/write_lp?db=d', body: 'm f=1', headers: { authorization: 'Bearer wrong' } }],
  ['v3 bad authorization', { url: '/api/v3/write_lp?db=d', body: 'm f=1', headers: { authorization: 'malformed' } }],
  ['v3 GET', { method: 'GET', url: '/api/v3/write_lp?db=d' }],
  ['v3 OPTIONS', { method: 'OPTIONS', url: '/api/v3/write_lp?db=d' }],
  ['v3 with a slash behind', { url: '/api/v3/write_lp/?db=d', body: 'm f=1' }],
  ['v3 with an escape', { url: '/api/v3/write%5Flp?db=d', body: 'm f=1' }],
  ['v1 write', { url: '/write?db=d&rp=week&precision=s', body: 'm f=1' }],
  ['v1 token as parameter', { url: '/write?db=d&p=token', body: 'm f=1' }],
  ['v1 without a database', { url: '/write?precision=s', body: 'm f=1' }],
  ['v1 storage failure', { url: '/write?db=d', body: 'full' }],
  ['v2 write', { url: '/api/v2/write?bucket=d&org=o', body: 'm f=1' }],
  ['v2 without a bucket', { url: '/api/v2/write?org=o', body: 'm f=1' }],
  ['v2 storage failure', { url: '/api/v2/write?bucket=d', body: 'full' }],
  ['v2 bug', { url: '/api/v2/write?bucket=d', body: 'bug' }],
];

async function pair(): Promise<{
  readonly inside: TestServer;
  readonly outside: TestServer;
  readonly port: number;
  counts: () => Promise<string[]>;
}> {
  const authenticator = fakeAuthenticator(({ authorization }) => {
    if (authorization === 'malformed') return { allowed: false, status: 400, message: 'malformed "header"' };
    return authorization === undefined ? { allowed: true, access: FULL_ACCESS } : { allowed: false, status: 401, message: 'no' };
  });
  const registries = [new Registry(), new Registry()] as const;
  const inside = await testServer({ authenticator, metrics: registries[0] });
  const outside = await testServer({ authenticator, metrics: registries[1] });
  inside.writes.answer = refuseNobody();
  outside.writes.answer = refuseNobody();
  const { port } = await outside.server.listen('127.0.0.1', 0);
  after(() => Promise.all([inside.server.close(), outside.server.close()]));
  return { inside, outside, port, counts: () => Promise.all(registries.map((registry) => registry.metrics())) };
}

describe('writes over a connection and over fastify', () => {
  test('the raw lane answers as fastify does, and counts the same', async () => {
    const { inside, outside, port, counts } = await pair();
    for (const [name, sent] of cases) {
      assert.deepEqual(await lane(port, sent), await overFastify(inside, sent), name);
    }
    assert.deepEqual(outside.writes.requests, inside.writes.requests);
    assert.deepEqual(outside.telemetry.writes, inside.telemetry.writes);
    // Responses are counted when they are closed.
    await until(async () => {
      const [a, b] = await counts();
      assert.match(
        a ?? '',
        /http_requests_total\{path="\/api\/v3\/write_lp",method="POST",method_path="POST \/api\/v3\/write_lp",status="ok"\}/,
      );
      assert.deepEqual(b?.split('\n'), a?.split('\n'));
      return true;
    });
  });

  test('a client that leaves in the middle of its body is counted and stops nothing', async () => {
    const { outside, port, counts } = await pair();
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    await new Promise((sent) => socket.write('POST /api/v3/write_lp?db=d HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nm f=', sent));
    socket.destroy();
    assert.equal((await lane(port, { url: '/api/v3/write_lp?db=d', body: 'm f=1' })).status, 204);
    assert.equal(outside.writes.requests.length, 1);
    await until(async () => /http_requests_total\{[^}]*status="aborted"\} 1/.test((await counts())[1] ?? ''));
  });

  test('pipelined writes are answered in order', async () => {
    const { port } = await pair();
    const socket = connect(port, '127.0.0.1');
    const one = (body: string): string => `POST /api/v3/write_lp?db=d HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    socket.write(one('m f=1') + one('bad') + one('m f=1'));
    let received = '';
    for await (const chunk of socket) {
      received += String(chunk);
      if (received.split('HTTP/1.1 204').length === 3) break;
    }
    assert.deepEqual(received.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 204', 'HTTP/1.1 400', 'HTTP/1.1 204']);
  });

  test('a failing gate is an error answer, as with fastify', async () => {
    const authenticator = fakeAuthenticator(() => {
      throw new Error('a bug');
    });
    const { server, inject } = await testServer({ authenticator });
    const { port } = await server.listen('127.0.0.1', 0);
    after(() => server.close());
    const sent = { url: '/api/v3/write_lp?db=d', body: 'm f=1' };
    const answer = await lane(port, sent);
    assert.equal(answer.status, 500);
    const inside = await inject({ method: 'POST', url: sent.url, payload: sent.body });
    assert.deepEqual([answer.status, answer.body], [inside.statusCode, inside.payload]);
  });

  test('a stop waits for an open write and ends its connection', async () => {
    const { server, writes } = await testServer();
    const { asked, finish } = writes.hold();
    const { port } = await server.listen('127.0.0.1', 0);
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /api/v3/write_lp?db=d HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nm f=1');
    await asked;
    const closed = server.close();
    finish();
    let received = '';
    for await (const chunk of socket) received += String(chunk);
    await closed;
    assert.match(received, /^HTTP\/1\.1 204 /);
  });

  test('a token in the query string is looked at with every write', async () => {
    let allowed = true;
    const { server, writes } = await testServer({
      authenticator: fakeAuthenticator(() =>
        allowed ? { allowed: true, access: FULL_ACCESS } : { allowed: false, status: 401, message: 'no' },
      ),
    });
    const { port } = await server.listen('127.0.0.1', 0);
    after(() => server.close());
    const sent = { url: '/write?db=d&p=token', body: 'm f=1' };
    assert.equal((await lane(port, sent)).status, 204);
    allowed = false;
    assert.equal((await lane(port, sent)).status, 401);
    assert.equal(writes.requests.length, 1);
  });
});
