import assert from 'node:assert/strict';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { proxyOptions } from '../../../src/telemetry/dispatcher.ts';
import { createSender, SEND_TIMEOUT_MS, type SenderDeps, type SendOutcome } from '../../../src/telemetry/sender.ts';
import { FakeTime } from '../../support/fake-time.ts';
import { until } from '../../support/until.ts';
import { SELF_SIGNED_CERT, SELF_SIGNED_KEY } from './self-signed.ts';

const BODY = Buffer.from('{"os":"linux","cores":4}');

interface Running {
  readonly port: number;
  readonly close: () => void;
}

const running: Running[] = [];
after(() => {
  for (const server of running) server.close();
});

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  running.push({ port, close });
  return port;
}

const listenHttp = (handler: RequestListener): Promise<number> => listen(createHttpServer(handler));
const listenHttps = (handler: RequestListener): Promise<number> =>
  listen(createHttpsServer({ cert: SELF_SIGNED_CERT, key: SELF_SIGNED_KEY }, handler));

function send(url: string, deps: Partial<SenderDeps> = {}, signal = new AbortController().signal): Promise<SendOutcome> {
  return createSender({ env: {}, ...deps })(url, BODY, signal);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

describe('sender', () => {
  it('posts the bytes with accept, host and content-length and no other header', async () => {
    const seen: string[] = [];
    const port = await listen(
      createTcpServer((socket) => {
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk.toString('latin1');
          if (!text.endsWith('}')) return;
          seen.push(text);
          socket.end('HTTP/1.1 204 No Content\r\n\r\n');
        });
      }),
    );
    assert.deepEqual(await send(`http://127.0.0.1:${port}/telem`), { kind: 'answered', status: 204 });
    const [head, body] = (seen[0] ?? '').split('\r\n\r\n');
    const [line, ...headers] = (head ?? '').split('\r\n');
    assert.equal(line, 'POST /telem HTTP/1.1');
    assert.deepEqual(headers.sort(), ['accept: */*', `content-length: ${BODY.length}`, `host: 127.0.0.1:${port}`]);
    assert.equal(body, BODY.toString());
  });

  for (const status of [200, 404, 429, 500, 503]) {
    it(`an answer with ${status} counts as sent and is not tried again`, async () => {
      let requests = 0;
      const port = await listenHttp((_request, response) => {
        requests += 1;
        response.writeHead(status).end('x'.repeat(100_000));
      });
      assert.deepEqual(await send(`http://127.0.0.1:${port}/telem`), { kind: 'answered', status });
      assert.equal(requests, 1);
    });
  }

  it('a refused connection fails with its code', async () => {
    const port = await listen(createTcpServer());
    running.at(-1)?.close();
    assert.deepEqual(await send(`http://127.0.0.1:${port}/telem`), { kind: 'failed', error: 'ECONNREFUSED' });
  });

  it('a reset connection fails and is not tried again', async () => {
    let connections = 0;
    const port = await listen(
      createTcpServer((socket) => {
        connections += 1;
        socket.once('data', () => socket.resetAndDestroy());
      }),
    );
    const outcome = await send(`http://127.0.0.1:${port}/telem`);
    assert.equal(outcome.kind, 'failed');
    assert.match(outcome.kind === 'failed' ? outcome.error : '', /^(ECONNRESET|UND_ERR_SOCKET|EPIPE)$/);
    assert.equal(connections, 1);
  });

  it('an endpoint that never answers is given up after ten seconds in total', async () => {
    let requests = 0;
    const time = new FakeTime();
    const port = await listenHttp(() => {
      requests += 1;
    });
    const outcome = send(`http://127.0.0.1:${port}/telem`, { timers: time });
    await until(() => requests === 1);
    await time.advance(SEND_TIMEOUT_MS);
    assert.deepEqual(await outcome, { kind: 'failed', error: 'no answer within 10 s' });
    assert.equal(time.pendingTimers, 0);
  });

  it('an endpoint that sends its answer byte by byte is cut off as well, but its status counts', async () => {
    const port = await listenHttp((_request, response) => {
      response.writeHead(200);
      response.write('a');
    });
    assert.deepEqual(await send(`http://127.0.0.1:${port}/telem`), { kind: 'answered', status: 200 });
  });

  it('stopping the server aborts the attempt', async () => {
    let requests = 0;
    const port = await listenHttp(() => {
      requests += 1;
    });
    const stopping = new AbortController();
    const outcome = send(`http://127.0.0.1:${port}/telem`, {}, stopping.signal);
    await until(() => requests === 1);
    stopping.abort();
    assert.deepEqual(await outcome, { kind: 'failed', error: 'the server is stopping' });
  });

  it('no socket stays open after an attempt', async () => {
    const sockets = new Set<Socket>();
    const server = createHttpServer((_request, response) => response.end());
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    });
    const port = await listen(server);
    await send(`http://127.0.0.1:${port}/telem`);
    await until(() => sockets.size === 0);
    assert.equal(sockets.size, 0);
  });
});

describe('https', () => {
  it('a self-signed certificate is refused, and the environment cannot change that', async () => {
    let requests = 0;
    const port = await listenHttps((_request, response) => {
      requests += 1;
      response.end();
    });
    const saved = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      assert.deepEqual(await send(`https://localhost:${port}/telem`), { kind: 'failed', error: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    } finally {
      if (saved === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = saved;
    }
    assert.equal(requests, 0);
  });

  it('a trusted certificate is accepted', async () => {
    const port = await listenHttps((_request, response) => response.writeHead(202).end());
    assert.deepEqual(await send(`https://localhost:${port}/telem`, { extraCa: SELF_SIGNED_CERT }), { kind: 'answered', status: 202 });
  });

  it('a redirect that keeps the POST is followed on the same https host, with the same body', async () => {
    const seen: string[] = [];
    const port = await listenHttps(async (request, response) => {
      seen.push(`${request.method} ${request.url} ${await bodyOf(request)}`);
      if (request.url === '/telem') response.writeHead(308, { location: '/v2/telem' }).end();
      else response.writeHead(204).end();
    });
    assert.deepEqual(await send(`https://localhost:${port}/telem`, { extraCa: SELF_SIGNED_CERT }), { kind: 'answered', status: 204 });
    assert.deepEqual(seen, [`POST /telem ${BODY}`, `POST /v2/telem ${BODY}`]);
  });

  it('redirects to another host, to http, or as GET are not followed', async () => {
    let others = 0;
    const other = await listenHttp((_request, response) => {
      others += 1;
      response.end();
    });
    const cases: [number, string][] = [
      [307, `http://localhost:${other}/telem`],
      [307, `https://127.0.0.1:${other}/telem`],
      [301, '/elsewhere'],
      [302, '/elsewhere'],
      [303, '/elsewhere'],
      [308, 'http://['],
    ];
    for (const [status, location] of cases) {
      let requests = 0;
      const port = await listenHttps((_request, response) => {
        requests += 1;
        response.writeHead(status, { location }).end();
      });
      assert.deepEqual(
        await send(`https://localhost:${port}/telem`, { extraCa: SELF_SIGNED_CERT }),
        { kind: 'answered', status },
        location,
      );
      assert.equal(requests, 1);
    }
    assert.equal(others, 0);
  });

  it('a loop of redirects ends', async () => {
    let requests = 0;
    const port = await listenHttps((_request, response) => {
      requests += 1;
      response.writeHead(307, { location: '/telem' }).end();
    });
    assert.deepEqual(await send(`https://localhost:${port}/telem`, { extraCa: SELF_SIGNED_CERT }), { kind: 'answered', status: 307 });
    assert.equal(requests, 4);
  });

  it('plain http is never redirected', async () => {
    let requests = 0;
    const port = await listenHttp((_request, response) => {
      requests += 1;
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    assert.deepEqual(await send(`http://127.0.0.1:${port}/telem`), { kind: 'answered', status: 307 });
    assert.equal(requests, 1);
  });
});

describe('proxies', () => {
  async function listenProxy(seen: string[]): Promise<number> {
    const proxy = createHttpServer((_request, response) => response.writeHead(405).end());
    proxy.on('connect', (request: IncomingMessage, client: Socket) => {
      seen.push(`CONNECT ${request.url}`);
      const [, port] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on('error', () => client.destroy());
      client.on('error', () => upstream.destroy());
    });
    return listen(proxy);
  }

  for (const variable of ['https_proxy', 'HTTPS_PROXY']) {
    it(`${variable} is honoured: the proxy sees CONNECT and nothing of the report`, async () => {
      const seen: string[] = [];
      const proxy = await listenProxy(seen);
      const headers: string[][] = [];
      const port = await listenHttps((request, response) => {
        headers.push(Object.keys(request.headers).sort());
        response.writeHead(204).end();
      });
      const outcome = await send(`https://localhost:${port}/telem`, {
        env: { [variable]: `http://127.0.0.1:${proxy}` },
        extraCa: SELF_SIGNED_CERT,
      });
      assert.deepEqual(outcome, { kind: 'answered', status: 204 });
      assert.deepEqual(seen, [`CONNECT localhost:${port}`]);
      assert.deepEqual(headers, [['accept', 'content-length', 'host']]);
    });
  }

  it('a self-signed certificate is refused through a proxy too', async () => {
    const seen: string[] = [];
    const proxy = await listenProxy(seen);
    const port = await listenHttps((_request, response) => response.end());
    const outcome = await send(`https://localhost:${port}/telem`, { env: { https_proxy: `http://127.0.0.1:${proxy}` } });
    assert.equal(outcome.kind, 'failed');
    assert.deepEqual(seen, [`CONNECT localhost:${port}`]);
  });

  it('http_proxy on this machine is honoured for an endpoint on this machine, unless no_proxy says otherwise', async () => {
    const seen: string[] = [];
    const proxy = await listenProxy(seen);
    const port = await listenHttp((_request, response) => response.writeHead(204).end());
    const env = { http_proxy: `http://127.0.0.1:${proxy}` };
    assert.deepEqual(await send(`http://127.0.0.1:${port}/telem`, { env }), { kind: 'answered', status: 204 });
    assert.deepEqual(seen, [`CONNECT 127.0.0.1:${port}`]);
    assert.deepEqual(await send(`http://127.0.0.1:${port}/telem`, { env: { ...env, no_proxy: '127.0.0.1' } }), {
      kind: 'answered',
      status: 204,
    });
    assert.equal(seen.length, 1);
  });

  it('plain http never goes through a proxy elsewhere, so figures do not cross a network unencrypted', () => {
    const env = { http_proxy: 'http://proxy.example:3128', https_proxy: 'http://proxy.example:3128' };
    assert.equal(proxyOptions(new URL('http://127.0.0.1:1/telem'), env).httpProxy, '');
    assert.equal(proxyOptions(new URL('https://h/telem'), env).httpsProxy, 'http://proxy.example:3128');
  });
});
