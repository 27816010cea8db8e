import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Registry } from 'prom-client';
import { FULL_ACCESS } from '../../src/auth/index.ts';
import { InfluxError } from '../../src/shared/errors.ts';
import { until } from '../support/until.ts';
import { fakeAuthenticator, type TestServer, testServer } from './fakes.ts';

const REQUEST_SEEN = 'http.server.request.start';

/** Requests that `node:http` got to see. */
let byNode = 0;
const count = (): void => {
  byNode++;
};
beforeEach(() => {
  byNode = 0;
  subscribe(REQUEST_SEEN, count);
});
afterEach(() => {
  unsubscribe(REQUEST_SEEN, count);
});

interface Listening extends TestServer {
  readonly port: number;
  metrics(): Promise<string>;
}

async function listening(overrides: Parameters<typeof testServer>[0] = {}): Promise<Listening> {
  const registry = new Registry();
  const authenticator = fakeAuthenticator(({ authorization }) => {
    if (authorization === 'malformed') return { allowed: false, status: 400, message: 'malformed "header"' };
    return authorization === undefined ? { allowed: true, access: FULL_ACCESS } : { allowed: false, status: 401, message: 'no' };
  });
  const started = await testServer({ authenticator, metrics: registry, ...overrides });
  started.writes.answer = (write) => {
    const text = write.body.toString();
    if (text === 'bad') {
      const refused = { lineNumber: 2, originalLine: 'x', errorMessage: 'No fields were provided' };
      return { acceptedLines: 1, acceptedBytes: 1, lineErrors: [refused] };
    }
    if (text === 'full') throw new InfluxError({ code: 'WAL_BUFFER_FULL', message: 'write buffer error: full', status: 500 });
    if (text === 'bug') throw new TypeError('a bug');
    return { acceptedLines: 1, acceptedBytes: text.length, lineErrors: [] };
  };
  const { port } = await started.server.listen('127.0.0.1', 0);
  after(() => started.server.close());
  return { ...started, port, metrics: () => registry.metrics() };
}

function post(target: string, body: string | Buffer, fields = ''): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`POST ${target} HTTP/1.1\r\nHost: a\r\n${fields}Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
}

/** A connection that reads answers one at a time, as they are on the wire. */
class Client {
  readonly socket: Socket;
  #received = '';
  #wake: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
    this.socket.on('close', () => this.#wake());
    this.socket.on('error', () => undefined); // tests look at what was received
    after(() => this.socket.destroy());
  }

  async answer(): Promise<string> {
    for (;;) {
      const end = endOfAnswer(this.#received);
      if (end !== undefined) {
        const answer = this.#received.slice(0, end);
        this.#received = this.#received.slice(end);
        return answer;
      }
      if (this.socket.closed) return this.#received;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  ask(...pieces: readonly (string | Buffer)[]): Promise<string> {
    for (const piece of pieces) this.socket.write(piece);
    return this.answer();
  }
}

function endOfAnswer(text: string): number | undefined {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return undefined;
  const end = head + 4 + Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0);
  return end <= text.length ? end : undefined;
}

function withoutDate(answer: string): string {
  return answer.replace(/Date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/, 'Date: -\r\n');
}

/** Changes nothing about an answer, but is not raw. */
const NOT_RAW = 'TE: trailers\r\n';

const V3 = '/api/v3/write_lp?db=d';
const cases: readonly (readonly [name: string, target: string, body: string | Buffer, fields?: string])[] = [
  ['v3 write', V3, 'm f=1'],
  ['v3 partial write', V3, 'bad'],
  ['v3 without a query', '/api/v3/write_lp', 'm f=1'],
  ['v3 bad database name', '/api/v3/write_lp?db=%2Fx', 'm f=1'],
  ['v3 storage failure', V3, 'full'],
  ['v3 bug', V3, 'bug'],
  ['v3 empty body', V3, ''],
  ['v3 body over the limit', V3, 'm f=1 '.repeat(300)],
  ['v3 gzip', V3, gzipSync('m f=1'), 'Content-Encoding: gzip\r\n'],
  ['v3 gzip over the limit', V3, gzipSync('m f=1 '.repeat(300)), 'Content-Encoding: gzip\r\n'],
  ['v3 broken gzip', V3, 'm f=1', 'Content-Encoding: gzip\r\n'],
  ['v3 identity', V3, 'm f=1', 'Content-Encoding: identity\r\n'],
  ['v3 unknown encoding', V3, 'm f=1', 'Content-Encoding: br\r\n'],
  ['v3 not UTF-8', V3, Buffer.from([0xff])],
  ['v3 refused token', V3, 'm f=1', 'Authorization: Bearer wrong\r\n'],
  ['v3 bad authorization', V3, 'm f=1', 'authorization: malformed\r\n'],
  ['v1 write', '/write?db=d&rp=week&precision=s', 'm f=1'],
  ['v1 without a database', '/write?precision=s', 'm f=1'],
  ['v1 storage failure', '/write?db=d', 'full'],
  ['v2 write', '/api/v2/write?bucket=d&org=o', 'm f=1'],
  ['v2 without a bucket', '/api/v2/write?org=o', 'm f=1'],
  ['v2 bug', '/api/v2/write?bucket=d', 'bug'],
];

describe('raw lane', () => {
  test('answers the same bytes as node:http and fastify, hands on the same writes and counts the same', async () => {
    const [raw, node] = [await listening(), await listening()];
    const [one, other] = [new Client(raw.port), new Client(node.port)];
    for (const [name, target, body, fields = ''] of cases) {
      const before = byNode;
      const answer = await one.ask(post(target, body, fields));
      assert.equal(byNode, before, `${name}: not taken by the lane`);
      assert.equal(withoutDate(answer), withoutDate(await other.ask(post(target, body, fields + NOT_RAW))), name);
      assert.match(answer, /Date: /);
    }
    assert.equal(byNode, cases.length);
    assert.deepEqual(raw.writes.requests, node.writes.requests);
    assert.deepEqual(raw.telemetry.writes, node.telemetry.writes);
    // Responses of node:http are counted when they are closed.
    await until(async () => {
      assert.deepEqual((await raw.metrics()).split('\n'), (await node.metrics()).split('\n'));
      return true;
    });
  });

  test('a body that follows its head, in pieces', async () => {
    const { port, writes } = await listening();
    const client = new Client(port);
    const sent = post(V3, 'm f=1 1\nm f=2 2');
    for (let round = 0; round < 3; round++) {
      client.socket.write(sent.subarray(0, sent.length - 15));
      for (const byte of sent.subarray(sent.length - 15)) {
        client.socket.write(Buffer.from([byte]));
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.match(await client.answer(), /^HTTP\/1\.1 204 /);
    }
    assert.deepEqual([writes.requests.length, byNode], [3, 0]);
    assert.ok(writes.requests.every((write) => write.body.toString() === 'm f=1 1\nm f=2 2'));
  });

  test('a head in pieces, and everything after it, is read by node:http', async () => {
    const { port, writes } = await listening();
    const client = new Client(port);
    for (const byte of post(V3, 'm f=1')) {
      client.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(await client.answer(), /^HTTP\/1\.1 204 /);
    assert.match(await client.ask(post(V3, 'm f=2')), /^HTTP\/1\.1 204 /);
    assert.deepEqual([writes.requests.map((write) => write.body.toString()), byNode], [['m f=1', 'm f=2'], 2]);
  });

  test('other requests on the same connection', async () => {
    const { port, writes } = await listening();
    const client = new Client(port);
    const health = 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n';
    assert.match(await client.ask(post(V3, 'm f=1')), /^HTTP\/1\.1 204 /);
    assert.match(await client.ask(health), /OK$/);
    assert.match(await client.ask(post(V3, 'm f=2')), /^HTTP\/1\.1 204 /);
    assert.match(await client.ask(post('/api/v3/query_sql', '{}')), /^HTTP\/1\.1 400 /);
    assert.match(await client.ask(health), /OK$/);
    assert.deepEqual([writes.requests.length, byNode], [2, 4]);
    assert.match(await new Client(port).ask('POST /write?db=d HTTP/1.1\r\nContent-Length: 0\r\n\r\n'), /^HTTP\/1\.1 400 /);
  });

  test('what comes before an answer waits for it, and goes to node:http', async () => {
    const { port, writes } = await listening();
    const { asked, finish } = writes.hold();
    const client = new Client(port);
    client.socket.write(post(V3, 'm f=1'));
    await asked;
    client.socket.write(post(V3, 'm f=2'));
    const second = post(V3, 'm f=3');
    client.socket.write(second.subarray(0, 30));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(writes.requests.length, 1);
    finish();
    client.socket.write(second.subarray(30));
    for (let i = 0; i < 3; i++) assert.match(await client.answer(), /^HTTP\/1\.1 204 /);
    assert.deepEqual([writes.requests.map((write) => write.body.toString()), byNode], [['m f=1', 'm f=2', 'm f=3'], 2]);
  });

  test('bytes that wait for an answer, and those behind them, reach `node:http` in their order', async () => {
    const { port, writes } = await listening({ maxBodyBytes: 1024 * 1024 });
    const digest = (body: Uint8Array): string => createHash('sha1').update(body).digest('hex');
    const bodies = Array.from({ length: 8 }, (_, i) =>
      Buffer.from(Array.from({ length: 5_000 + i * 9_000 }, (_, n) => `${i}.${n}`).join(' ')),
    );
    for (let round = 0; round < 10; round++) {
      const { asked, finish } = writes.hold();
      const client = new Client(port);
      client.socket.write(post(V3, 'm f=1'));
      await asked;
      for (const body of bodies) client.socket.write(post(V3, body));
      // Until the server takes no more: it owes an answer.
      for (let left = -1; left !== client.socket.writableLength; await new Promise((turn) => setTimeout(turn, 5)))
        left = client.socket.writableLength;
      const found: string[] = [];
      writes.answer = async ({ body }) => {
        found.push(digest(body));
        await new Promise(setImmediate);
        return { acceptedLines: 1, acceptedBytes: body.length, lineErrors: [] };
      };
      finish();
      for (let i = 0; i <= bodies.length; i++) assert.match(await client.answer(), /^HTTP\/1\.1 204 /);
      assert.deepEqual(found, bodies.map(digest), `round ${round}`);
      client.socket.destroy();
    }
  });

  test('a client that leaves before its answer, or in the middle of its body, is counted and stops nothing', async () => {
    const { port, writes, metrics } = await listening();
    const { asked, finish } = writes.hold();
    const leaving = new Client(port);
    leaving.socket.write(post(V3, 'm f=1'));
    await asked;
    leaving.socket.resetAndDestroy();
    const half = new Client(port);
    half.socket.write(post(V3, 'm f=1').subarray(0, -2));
    await once(half.socket, 'connect');
    half.socket.end();
    await once(half.socket, 'close');
    const counted = async (): Promise<boolean> => /http_requests_total\{[^}]*status="aborted"\} 2/.test(await metrics());
    while (!(await counted())) await new Promise((resolve) => setImmediate(resolve));
    finish();
    assert.match(await new Client(port).ask(post(V3, 'm f=1')), /^HTTP\/1\.1 204 /);
    assert.match(await metrics(), /http_requests_total\{[^}]*status="ok"\} 1/);
  });

  test('an idle connection is closed, one whose body never comes too', async () => {
    const { port } = await listening({ limits: { keepAliveTimeoutMs: 50, requestTimeoutMs: 100, headersTimeoutMs: 50 } });
    const idle = new Client(port);
    assert.match(await idle.ask(post(V3, 'm f=1')), /^HTTP\/1\.1 204 /);
    const half = new Client(port);
    half.socket.write(post(V3, 'm f=1').subarray(0, -2));
    await Promise.all([once(idle.socket, 'close'), once(half.socket, 'close')]);
    assert.equal(byNode, 1);
  });

  test('a stop ends idle connections at once, and says so on the others', async () => {
    const { port, server, writes } = await listening();
    const idle = new Client(port);
    const half = new Client(port);
    await half.ask(post(V3, 'm f=1'));
    const pieces = post(V3, 'm f=2');
    half.socket.write(pieces.subarray(0, -2));
    await idle.ask(post(V3, 'm f=1'));
    const { asked, finish } = writes.hold();
    const busy = new Client(port);
    busy.socket.write(post(V3, 'm f=1'));
    await asked;
    const closed = server.close();
    await once(idle.socket, 'close');
    finish();
    half.socket.write(pieces.subarray(-2));
    for (const client of [busy, half])
      assert.match(await client.answer(), /^HTTP\/1\.1 204 (?=.*\r\nconnection: close\r\n)(?!.*keep-alive)/is);
    await Promise.all([closed, once(busy.socket, 'close'), once(half.socket, 'close')]);
  });
});
