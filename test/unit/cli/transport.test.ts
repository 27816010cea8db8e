import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { testCertificate, testKey } from '../../http/tls-fixture.ts';
import { cli, withFake } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
after(() => rmSync(folder, { recursive: true }));

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}

describe('TLS of the client', () => {
  const server = createTlsServer({ cert: testCertificate, key: testKey, maxVersion: 'TLSv1.2' }, (_request, response) =>
    response.end('yes'),
  );
  let url = '';
  before(async () => {
    url = `https://127.0.0.1:${await listen(server)}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const ask = (...options: string[]) => cli(['query', '-H', url, '-d', 'x', ...options, 'q']);

  it('an unknown certificate is refused, and the hint says what to do', async () => {
    const { code, stdout, stderr } = await ask();
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /client error \(Connect\)\n {2}hint: the certificate of https:.* is not trusted here: name its root with --tls-ca <file>, or use --tls-no-verify/,
    );
  });

  it('--tls-ca trusts it, as PEM and as DER; a TLS 1.2 server is good enough', async () => {
    const pem = join(folder, 'ca.crt');
    const der = join(folder, 'ca.der');
    writeFileSync(pem, testCertificate);
    writeFileSync(der, Buffer.from(testCertificate.replace(/-----[A-Z ]+-----/g, ''), 'base64'));
    assert.equal((await ask('--tls-ca', pem)).stdout, 'yes\n');
    assert.equal((await ask('--tls-ca', der)).stdout, 'yes\n');
  });

  it('a file without a certificate', async () => {
    const file = join(folder, 'empty.pem');
    writeFileSync(file, 'nothing');
    assert.match(
      (await ask('--tls-ca', file)).stderr,
      /^Query command failed: failed to build an http client: no PEM certificate in the file\n/,
    );
  });

  it('--tls-no-verify accepts anything', async () => {
    assert.equal((await ask('--tls-no-verify')).stdout, 'yes\n');
  });
});

describe('proxies of the client', () => {
  it('are taken from the environment, except for hosts in NO_PROXY', async () => {
    const tunnels: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request: IncomingMessage, socket: Duplex) => {
      tunnels.push(request.url ?? '');
      const [host = '', port = ''] = (request.url ?? '').split(':');
      const target = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
      target.on('error', () => socket.destroy());
      socket.on('error', () => target.destroy());
    });
    const address = `http://127.0.0.1:${await listen(proxy)}`;
    try {
      await withFake(
        () => ({ body: 'yes' }),
        async (fake) => {
          const args = ['query', '-H', fake.url, '-d', 'x', 'q'];
          assert.equal((await cli(args, { env: { http_proxy: address } })).stdout, 'yes\n');
          assert.deepEqual(tunnels, [fake.url.slice('http://'.length)]);
          assert.equal((await cli(args, { env: { http_proxy: address, NO_PROXY: '127.0.0.1' } })).stdout, 'yes\n');
          assert.equal(tunnels.length, 1);
        },
      );
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  });
});

describe('a connection that breaks in the middle of a result', () => {
  it('is an error, not a short result', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.socket?.destroy());
    });
    const url = `http://127.0.0.1:${await listen(server)}`;
    try {
      const { code, stdout, stderr } = await cli(['query', '-H', url, '-d', 'x', 'q']);
      assert.deepEqual([code, stdout], [1, 'half']);
      assert.match(
        stderr,
        /^Query command failed: failed to send POST .* request: client error \(Connect\)\n {2}hint: .* closed the connection/,
      );
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
