import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { after, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { QueryResult, ResultBatch } from '../../src/query/result.ts';
import { textVector } from '../../src/query/results/index.ts';
import { rawExchange } from '../support/raw-exchange.ts';
import { type TestServer, testServer } from './fakes.ts';
import { testCertificate, testKey } from './tls-fixture.ts';

interface Listening extends TestServer {
  readonly port: number;
}

async function listening(overrides: Parameters<typeof testServer>[0] = {}): Promise<Listening> {
  const started = await testServer(overrides);
  const { port } = await started.server.listen('127.0.0.1', 0);
  after(() => started.server.close());
  return { ...started, port };
}

function send(
  port: number,
  options: { method?: string; path: string; body?: string | Buffer; agent?: Agent; headers?: Record<string, string> },
) {
  return new Promise<{ status: number; body: string; response: IncomingMessage }>((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), response }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}

/** Nothing but the server itself closes a connection. */
const HOURS = { headersTimeoutMs: 3_600_000, requestTimeoutMs: 3_600_000, keepAliveTimeoutMs: 3_600_000, drainTimeoutMs: 3_600_000 };

/** A result that never ends until it is cancelled. */
function endless(state: { cancelled: boolean }): QueryResult {
  const batch: ResultBatch = { rowCount: 2048, columns: [textVector(new Array<string>(2048).fill('x'.repeat(50)))] };
  return {
    columns: [{ name: 'a', type: { kind: 'string', dictionary: false } }],
    async *batches() {
      while (!state.cancelled) {
        yield batch;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    cancel: () => {
      state.cancelled = true;
    },
  };
}

describe('one port', () => {
  test('HTTP/1.1 with keep-alive', async () => {
    const { port } = await listening();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 3; i++) assert.equal((await send(port, { path: '/health', agent })).body, 'OK');
    agent.destroy();
  });

  test('bytes that arrive one by one, pipelined and HTTP/1.0 requests', async () => {
    const { port } = await listening();
    const one = await rawExchange(port, [...'POST /ping HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n'], /Core"?.*\}$/s);
    assert.match(one, /^HTTP\/1\.1 200 OK\r\n/);
    const get = 'GET /health HTTP/1.1\r\nhost: x\r\n\r\n';
    const two = await rawExchange(port, [get + get], /OK.*OK$/s);
    assert.equal(two.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
    const old = await rawExchange(port, ['GET /health HTTP/1.0\r\n\r\n'], /\r\n\r\nOK$/);
    assert.match(old, /200 OK/);
  });

  test('cleartext HTTP/2 speaks REST, and gRPC without a ticket gets status 3', async () => {
    const { port, writes } = await listening({ maxBodyBytes: 3_000_000 });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const body = Buffer.alloc(2_000_000, 'a');
    const write = session.request({ ':method': 'POST', ':path': '/api/v3/write_lp?db=foo' });
    write.end(body);
    const [headers] = (await once(write, 'response')) as [Record<string, unknown>];
    write.resume();
    assert.equal(headers[':status'], 204);
    assert.equal(writes.requests[0]?.body.length, body.length);
    const grpc = session.request({
      ':method': 'POST',
      ':path': '/arrow.flight.protocol.FlightService/DoGet',
      'content-type': 'application/grpc',
    });
    grpc.end(Buffer.alloc(5));
    const [refusal] = (await once(grpc, 'response')) as [Record<string, unknown>];
    grpc.resume();
    assert.deepEqual([refusal[':status'], refusal['grpc-status'], refusal['cluster-uuid']], [200, '3', undefined]);
    session.close();
    await once(session, 'close');
  });

  test('a body in many chunks, with and without a declared length', async () => {
    const { port, writes } = await listening({ maxBodyBytes: 10_000_000 });
    const body = Buffer.alloc(1_800_000, 'cpu,host=a v=1 1\n');
    assert.equal((await send(port, { method: 'POST', path: '/api/v3/write_lp?db=foo', body })).status, 204);
    const headers = { 'transfer-encoding': 'chunked' };
    assert.equal((await send(port, { method: 'POST', path: '/api/v3/write_lp?db=foo', body, headers })).status, 204);
    assert.ok(writes.requests.every((write) => Buffer.compare(write.body, body) === 0));
  });

  test('reading stops at the limit', async () => {
    const { port } = await listening();
    const head = 'POST /api/v3/write_lp?db=foo HTTP/1.1\r\nhost: x\r\n';
    const declared = await rawExchange(port, [`${head}content-length: 999999999\r\n\r\nabc`], /exceeded$/);
    assert.match(declared, /^HTTP\/1\.1 413 .*max request size \(1000 bytes\) exceeded$/s);
    const chunk = `400\r\n${'x'.repeat(1024)}\r\n`;
    const endlessBody = await rawExchange(port, [`${head}transfer-encoding: chunked\r\n\r\n`, chunk], /exceeded$/);
    assert.match(endlessBody, /^HTTP\/1\.1 413 /);
  });

  test('a client that sends on gets its 413, and is cut off after 64 MiB', async () => {
    const { port } = await listening();
    const agent = new Agent({ keepAlive: true });
    const path = '/api/v3/write_lp?db=foo';
    const refused = await send(port, { method: 'POST', path, body: Buffer.alloc(5_000_000, 'a'), agent });
    assert.deepEqual([refused.status, refused.body], [413, 'max request size (1000 bytes) exceeded']);
    assert.equal((await send(port, { path: '/health', agent })).status, 200);
    agent.destroy();
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 999999999\r\n\r\n`);
    const piece = Buffer.alloc(1_000_000, 'a');
    const feed = (): void => {
      while (!socket.destroyed && socket.write(piece));
    };
    socket.on('drain', feed);
    feed();
    socket.resume();
    await new Promise<void>((resolve) => socket.on('close', () => resolve()));
    assert.ok(socket.bytesWritten > 64 * 1024 * 1024 && socket.bytesWritten < 200_000_000);
  });

  test('a broken request line is a plain 400, too many headers 431', async () => {
    const { port } = await listening({ limits: { headerBytesMax: 2048 } });
    assert.match(await rawExchange(port, ['NONSENSE\r\n\r\n'], /\r\n\r\n/), /^HTTP\/1\.1 400 /);
    const large = `GET /health HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(4096)}\r\n\r\n`;
    assert.match(await rawExchange(port, [large], /\r\n\r\n/), /^HTTP\/1\.1 431 /);
  });
});

describe('TLS', () => {
  const tls = { cert: testCertificate, key: testKey, minVersion: 'TLSv1.2' } as const;

  test('ALPN chooses HTTP/2 or HTTP/1.1 on the same port; without ALPN it is HTTP/1.1', async () => {
    const { port } = await listening({ tls });
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: testCertificate });
    const stream = session.request({ ':path': '/health' });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    stream.resume();
    assert.equal(headers[':status'], 200);
    session.close();
    for (const ALPNProtocols of [['http/1.1'], undefined]) {
      const socket = connectTls({
        port,
        host: '127.0.0.1',
        ca: testCertificate,
        ...(ALPNProtocols === undefined ? {} : { ALPNProtocols }),
      });
      socket.write('GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk as Buffer);
      assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 200 OK\r\n.*OK$/s);
    }
  });

  test('plain text is not spoken, and only that connection is dropped', async () => {
    const { port } = await listening({ tls });
    await assert.rejects(send(port, { path: '/health' }), { code: 'ECONNRESET' });
    const socket = connectTls({ port, host: '127.0.0.1', ca: testCertificate });
    await once(socket, 'secureConnect');
    socket.destroy();
  });

  test('the lowest version is enforced', async () => {
    const { port } = await listening({ tls: { ...tls, minVersion: 'TLSv1.3' } });
    const socket = connectTls({ port, host: '127.0.0.1', ca: testCertificate, maxVersion: 'TLSv1.2' });
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    assert.match(error.message, /alert|version|handshake/i);
  });

  test('open handshakes and idle sessions do not delay a stop', { timeout: 300_000 }, async () => {
    const { server, port } = await listening({ tls, limits: HOURS });
    const silent = connect(port, '127.0.0.1');
    await once(silent, 'connect');
    const idle = connectTls({ port, host: '127.0.0.1', ca: testCertificate });
    idle.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(idle, 'data');
    await server.close();
    silent.destroy();
    idle.destroy();
  });
});

describe('slow clients', () => {
  const limits = { headersTimeoutMs: 50, requestTimeoutMs: 100, keepAliveTimeoutMs: 50 };

  async function untilClosed(port: number, text: string): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
    });
    socket.write(text);
    await once(socket, 'close');
    return received;
  }

  test('a client that sends nothing, half a preface, half a head or half a body is dropped', async () => {
    const { port } = await listening({ limits });
    assert.equal(await untilClosed(port, ''), '');
    assert.equal(await untilClosed(port, 'PRI * HT'), '');
    assert.match(await untilClosed(port, 'GET /health HTTP/1.1\r\nhost:'), /^HTTP\/1\.1 408 /);
    const halfBody = 'POST /api/v3/write_lp?db=foo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc';
    assert.match(await untilClosed(port, halfBody), /^(?:$|HTTP\/1\.1 408 )/);
  });

  test('a client that sent what cannot be read and keeps its end open is cut off', async () => {
    const { server, port } = await listening({ limits: { ...limits, drainTimeoutMs: 600_000 } });
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined); // may be reset
    socket.write('what\r\n\r\n');
    socket.resume();
    await once(socket, 'end');
    await server.close(); // waits for all connections
    socket.destroy();
  });

  test('a client that never finishes its TLS handshake is dropped', async () => {
    const { port } = await listening({ limits, tls: { cert: testCertificate, key: testKey, minVersion: 'TLSv1.2' } });
    assert.equal(await untilClosed(port, ''), '');
    assert.equal(await untilClosed(port, '\x16\x03\x01'), '');
  });

  test('an idle connection is closed, HTTP/2 too', async () => {
    // A request that is slow to arrive on a busy machine is not what this is about.
    const { port } = await listening({ limits: { ...limits, headersTimeoutMs: 60_000, requestTimeoutMs: 60_000 } });
    assert.match(await untilClosed(port, 'GET /health HTTP/1.1\r\nhost: x\r\n\r\n'), /OK$/);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await once(session, 'close');
    assert.ok(session.destroyed);
  });
});

describe('streaming', () => {
  test('a long result streams; a client that leaves cancels the query', async () => {
    const state = { cancelled: false };
    const { port, queries } = await listening();
    queries.answer = () => endless(state);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /api/v3/query_sql?db=foo&q=x&format=csv HTTP/1.1\r\nhost: x\r\n\r\n');
    const [first] = (await once(socket, 'data')) as [Buffer];
    assert.match(first.toString(), /^HTTP\/1\.1 200 OK\r\n.*transfer-encoding: chunked/is);
    socket.destroy();
    while (!state.cancelled) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(queries.requests[0]?.signal?.aborted);
  });

  test('the same over HTTP/2', async () => {
    const state = { cancelled: false };
    const { port, queries } = await listening();
    queries.answer = () => endless(state);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = session.request({ ':path': '/api/v3/query_sql?db=foo&q=x&format=csv' });
    await once(stream, 'data');
    stream.close();
    while (!state.cancelled) await new Promise((resolve) => setImmediate(resolve));
    session.destroy();
  });

  test('a failure after the first piece cuts the connection, and resets an HTTP/2 stream with an error', async () => {
    const { port, queries } = await listening();
    queries.answer = () => {
      const source = endless({ cancelled: false });
      return {
        ...source,
        async *batches() {
          let count = 0;
          for await (const batch of source.batches()) {
            if (++count > 3) throw new Error('late');
            yield batch;
          }
        },
      };
    };
    const path = '/api/v3/query_sql?db=foo&q=x&format=jsonl';
    await assert.rejects(send(port, { path }), { code: 'ECONNRESET' });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = session.request({ ':path': path }).resume();
    await assert.rejects(once(stream, 'close'), { code: 'ERR_HTTP2_STREAM_ERROR' });
    session.close();
    assert.equal((await send(port, { path: '/health' })).status, 200);
  });

  test('a whole long result arrives complete', async () => {
    const { port, queries } = await listening();
    const rows = 200_000;
    queries.answer = () => ({
      columns: [{ name: 'n', type: { kind: 'int32' } }],
      async *batches() {
        for (let at = 0; at < rows; at += 2000) {
          yield {
            rowCount: 2000,
            columns: [{ kind: 'int32' as const, data: Int32Array.from({ length: 2000 }, (_u, i) => at + i), valid: undefined }],
          };
        }
      },
      cancel: () => {},
    });
    const { body } = await send(port, { path: '/api/v3/query_sql?db=foo&q=x&format=csv' });
    const lines = body.trimEnd().split('\n');
    assert.equal(lines.length, rows + 1);
    assert.ok(lines.slice(1).every((line, index) => line === String(index)));
  });
});

describe('stopping', () => {
  test('idle, silent and HTTP/2 connections do not delay it', { timeout: 300_000 }, async () => {
    const { server, port } = await listening({ limits: HOURS });
    const agent = new Agent({ keepAlive: true });
    await send(port, { path: '/health', agent });
    const silent = connect(port, '127.0.0.1');
    await once(silent, 'connect');
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    await once(session, 'remoteSettings');
    await server.close();
    await server.close();
    agent.destroy();
    silent.destroy();
    session.destroy();
    await assert.rejects(send(port, { path: '/health' }), { code: 'ECONNREFUSED' });
  });

  test('an open request finishes first', async () => {
    const { server, port, writes } = await listening();
    const { asked, finish } = writes.hold();
    const agent = new Agent({ keepAlive: true });
    const reply = send(port, { method: 'POST', path: '/api/v3/write_lp?db=foo', body: 'x', agent });
    await asked;
    const closed = server.close();
    finish();
    assert.equal((await reply).status, 204);
    await closed;
    agent.destroy();
  });

  test('what does not finish in time is cut', async () => {
    const { server, port, writes } = await listening({ limits: { drainTimeoutMs: 20 } });
    const { asked } = writes.hold();
    const reply = assert.rejects(send(port, { method: 'POST', path: '/api/v3/write_lp?db=foo', body: 'x' }), { code: 'ECONNRESET' });
    await asked;
    await server.close();
    await reply;
  });
});
