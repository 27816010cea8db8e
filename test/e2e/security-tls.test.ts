import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect as connectTls, type SecureVersion } from 'node:tls';
import { testCertificate, testKey } from '../http/tls-fixture.ts';
import { startServer, testDirectory } from '../support/server.ts';
import { runProgram } from './cli-support.ts';
import { ask, outputOf, post, serve, tlsArgs, tlsFiles } from './security-support.ts';

/** TLS version that a client of just these versions ends up with. Rejects with the refusal. */
async function negotiated(url: string, minVersion: SecureVersion, maxVersion: SecureVersion): Promise<string | null> {
  const socket = connectTls({ port: Number(new URL(url).port), host: '127.0.0.1', ca: testCertificate, minVersion, maxVersion });
  try {
    await once(socket, 'secureConnect');
    return socket.getProtocol();
  } finally {
    socket.destroy();
  }
}

describe('TLS', () => {
  it('answers https to clients that know the certificate: HTTP/1.1, HTTP/2 and the command line', async (t) => {
    const dir = await testDirectory(t);
    const files = await tlsFiles(t);
    const server = await startServer(t, dir, { args: tlsArgs(files) });
    const url = server.url.replace('http:', 'https:');
    await server.says(`influxdb3 ready url=${url} `);
    assert.equal((await post(`${url}/api/v3/write_lp?db=d`, { body: 'm v=1 1' })).status, 204);
    assert.equal((await ask(`${url}/api/v3/query_sql?db=d&q=SELECT+v+FROM+m`)).text, '[{"v":1.0}]');

    const session = connectHttp2(url, { ca: testCertificate });
    const stream = session.request({ ':path': '/health' });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    assert.equal(headers[':status'], 200);
    session.destroy();

    const query = ['query', '-H', url, '-d', 'd', '--format', 'json', 'SELECT v FROM m'];
    assert.equal((await runProgram([...query, '--tls-ca', files.cert], { cwd: dir })).stdout, '[{"v":1.0}]\n');
    const untrusting = await runProgram(query, { cwd: dir });
    assert.deepEqual([untrusting.code, untrusting.stdout], [1, '']);
    assert.match(untrusting.stderr, /\n {2}hint: the certificate of https:.* is not trusted here: name its root with --tls-ca/);
  });

  it('plain http gets not one byte; the log and the command line say what is wrong, and the server lives', async (t) => {
    const dir = await testDirectory(t);
    const server = await startServer(t, dir, { args: tlsArgs(await tlsFiles(t)) });
    for (let attempt = 0; attempt < 5; attempt++) {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      const received: Buffer[] = [];
      socket.on('data', (data: Buffer) => received.push(data));
      socket.on('error', () => undefined);
      socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n');
      await new Promise((resolve) => socket.once('close', resolve));
      assert.equal(Buffer.concat(received).toString(), '');
    }
    const { code, stderr } = await runProgram(['query', '-H', server.url, '-d', 'd', 'SELECT 1'], { cwd: dir });
    assert.equal(code, 1);
    assert.match(stderr, /\n {2}hint: http:.* closed the connection: if the server uses TLS, its address begins with https:\/\/\n/);
    assert.equal((await ask(`${server.url.replace('http:', 'https:')}/health`)).status, 200);
    const lines = (await outputOf(server)).split('\n').filter((line) => line.includes('TLS handshake failed'));
    assert.equal(lines.length, 1, lines.join('\n'));
    assert.match(lines[0] as string, /ERROR .*TLS handshake failed: plain http request, but this server speaks https only/);
  });

  it('--tls-minimum-version tls-1.3 refuses a TLS 1.2 client', async (t) => {
    const files = tlsArgs(await tlsFiles(t));
    const server = await startServer(t, await testDirectory(t), { args: [...files, '--tls-minimum-version', 'tls-1.3'] });
    await assert.rejects(negotiated(server.url, 'TLSv1.2', 'TLSv1.2'), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    assert.equal(await negotiated(server.url, 'TLSv1.2', 'TLSv1.3'), 'TLSv1.3');
    assert.match(await outputOf(server), / ERROR .*TLS handshake failed: unsupported protocol/);
  });

  it('TLS 1.2 is the oldest version otherwise', async (t) => {
    const server = await startServer(t, await testDirectory(t), { args: tlsArgs(await tlsFiles(t)) });
    assert.equal(await negotiated(server.url, 'TLSv1.2', 'TLSv1.2'), 'TLSv1.2');
    assert.equal(await negotiated(server.url, 'TLSv1.3', 'TLSv1.3'), 'TLSv1.3');
    const old = connectTls({
      port: Number(new URL(server.url).port),
      host: '127.0.0.1',
      ca: testCertificate,
      ciphers: 'ALL@SECLEVEL=0',
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
    });
    const [error] = (await once(old, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });

  it('files that cannot serve stop the start, with a word on the reason and none on the key', async (t) => {
    const cwd = await testDirectory(t);
    const files = await tlsFiles(t);
    const junk = join(cwd, 'junk.pem');
    writeFileSync(junk, 'nothing');
    const pair = 'Serve command failed: the TLS files are not a PEM certificate and its key: ';
    for (const [args, message] of [
      [['--tls-cert', files.cert], 'Serve command failed: tls requires both a cert and a key file to be passed in to work'],
      [['--tls-key', files.key], 'Serve command failed: tls requires both a cert and a key file to be passed in to work'],
      [tlsArgs({ ...files, cert: join(cwd, 'none') }), 'Serve command failed: cannot read the TLS files: ENOENT'],
      [tlsArgs({ ...files, cert: junk }), pair],
      [tlsArgs({ ...files, key: junk }), pair],
      [tlsArgs({ cert: files.key, key: files.cert }), pair],
    ] as const) {
      const { code, stdout, stderr } = await serve(cwd, args);
      assert.equal(code, 1);
      assert.ok(stderr.includes(message), stderr);
      assert.ok(!`${stdout}${stderr}`.includes(testKey.split('\n')[1] as string));
    }
  });
});
