import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startServer, testDirectory } from '../support/server.ts';
import { bin, runProgram } from './cli-support.ts';

/** A user without rights, for tests that run as root. */
const NOBODY = 65_534;

/** A TCP server that answers whatever it hears with a text and hangs up. Resolves with its port. */
async function stranger(t: TestContext, says: string): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(says));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A port on which nothing listens, and nothing else can: it is that of a connection to elsewhere. */
async function deafPort(t: TestContext): Promise<number> {
  const socket = connect(await stranger(t, ''), '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket.localPort ?? 0;
}

describe('first errors of a client', () => {
  it('no server: says where nothing answers and how to start one', async (t) => {
    const cwd = await testDirectory(t);
    const origin = `http://127.0.0.1:${await deafPort(t)}`;
    for (const [args, input] of [
      [['query', '-d', 'x', '-H', origin, 'SELECT 1'], ''],
      [['write', '-d', 'x', '-H', origin], 'm v=1'],
      [['show', 'databases', '-H', origin], ''],
    ] as const) {
      const { code, stderr, stdout } = await runProgram(args, { cwd, input });
      assert.deepEqual([code, stdout], [1, '']);
      const hint = `  hint: nothing answers at ${origin}: is the server running? Start it with 'influxdb3 serve', or name another one with --host\n`;
      assert.ok(stderr.endsWith(hint), stderr);
      assert.equal(stderr.trimEnd().split('\n').length, 2, stderr);
    }
  });

  it('a host name that does not exist: says which option to check', async (t) => {
    const cwd = await testDirectory(t);
    const noNames = `
      import dns from 'node:dns';
      import { syncBuiltinESMExports } from 'node:module';
      const fail = (name) => Object.assign(new Error('getaddrinfo ENOTFOUND ' + name), { code: 'ENOTFOUND' });
      dns.lookup = (name, options, done) => process.nextTick(done ?? options, fail(name));
      syncBuiltinESMExports();`;
    const env = { NODE_OPTIONS: `--import data:text/javascript;base64,${Buffer.from(noNames).toString('base64')}` };
    const { code, stderr } = await runProgram(['query', '-d', 'x', '-H', 'http://influx.test:8181', 'SELECT 1'], { cwd, env });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /\n {2}hint: the host name of http:\/\/influx\.test:8181 cannot be found: check --host \(or INFLUXDB3_HOST_URL\)\n$/,
    );
  });

  it('another program on the port: names the address that was asked', async (t) => {
    const cwd = await testDirectory(t);
    const port = await stranger(t, 'SSH-2.0-OpenSSH_9.6\r\n');
    const { code, stderr } = await runProgram(['query', '-d', 'x', '-H', `http://127.0.0.1:${port}`, 'SELECT 1'], { cwd });
    assert.equal(code, 1);
    assert.ok(stderr.startsWith(`Query command failed: failed to send POST http://127.0.0.1:${port}/api/v3/query_sql request: `), stderr);
    assert.match(stderr, /\n {2}hint: what answers at http:\/\/127\.0\.0\.1:\d+ is no HTTP server: check --host .*\n$/);
  });

  it('a missing token and a wrong one get different next steps', async (t) => {
    const cwd = await testDirectory(t);
    const server = await startServer(t, cwd, { bare: true, args: ['--disable-telemetry-upload'] });
    const args = ['show', 'databases', '-H', server.url];
    const missing = await runProgram(args, { cwd });
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /\[401 Unauthorized\]/);
    assert.match(
      missing.stderr,
      /\n {2}hint: give a token with --token or INFLUXDB3_AUTH_TOKEN; the first one is made with 'influxdb3 create token --admin'\n$/,
    );
    const wrong = await runProgram([...args, '--token', 'apiv3_wrong'], { cwd });
    assert.equal(wrong.code, 1);
    assert.match(
      wrong.stderr,
      /\n {2}hint: the token was not accepted: check that it belongs to this server, is complete and has not expired\n$/,
    );
    assert.ok(!wrong.stderr.includes('apiv3_wrong'));
  });

  it('an unknown database: names the ones that look alike, or how to list them', async (t) => {
    const cwd = await testDirectory(t);
    const server = await startServer(t, cwd);
    await server.writeOk('sensors', 'm v=1');
    const near = await runProgram(['query', '-d', 'sensros', '-H', server.url, 'SELECT 1'], { cwd });
    assert.equal(near.code, 1);
    assert.match(near.stderr, /database not found: sensros.*\n {2}hint: did you mean 'sensors'\?\n$/);
    const far = await runProgram(['query', '-d', 'weather', '-H', server.url, 'SELECT 1'], { cwd });
    assert.match(far.stderr, /\n {2}hint: 'influxdb3 show databases' lists the databases; /);
  });
});

describe('first errors of a server', () => {
  it('a data directory of somebody else is one line with the path and the reason', async (t) => {
    const cwd = await testDirectory(t);
    chmodSync(cwd, 0o755);
    const data = join(cwd, 'data');
    mkdirSync(data, { mode: 0o555 });
    const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    const child = spawn(process.execPath, [bin, 'serve', '--node-id', 'n', '--data-dir', data, '--http-bind', '127.0.0.1:0'], {
      cwd,
      env: { PATH: process.env['PATH'] ?? '', HOME: cwd, INFLUXDB3_TELEMETRY_DISABLE_UPLOAD: 'true' },
      stdio: ['ignore', 'ignore', 'pipe'],
      ...user,
    });
    let stderr = '';
    child.stderr?.on('data', (text: Buffer) => {
      stderr += text.toString();
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 1);
    assert.match(stderr, /^Serve command failed: [^\n]*Permission denied \(os error 13\)[^\n]*\n$/);
    assert.ok(stderr.includes(`"${data}"`), stderr);
  });

  it('a port in use: names the port, on Linux the program that has it, and the option', async (t) => {
    const cwd = await testDirectory(t);
    const port = await stranger(t, '');
    const { code, stderr } = await runProgram(['serve', '--node-id', 'n', '--object-store', 'memory', '--http-bind', `127.0.0.1:${port}`], {
      cwd,
    });
    assert.equal(code, 1);
    const holder = process.platform === 'linux' ? ` by \\S+ \\(pid ${process.pid}\\)` : '';
    assert.match(
      stderr,
      new RegExp(`^Serve command failed: Failed to bind address: port ${port} on 127\\.0\\.0\\.1 is in use${holder}; .*--http-bind\n$`),
    );
  });

  it('a directory in use: names the process and the options', async (t) => {
    const cwd = await testDirectory(t);
    const server = await startServer(t, cwd);
    const { code, stderr } = await runProgram(['serve', '--node-id', 'test', '--data-dir', cwd, '--http-bind', '127.0.0.1:0'], { cwd });
    assert.equal(code, 1);
    const holder = `in use by another influxdb3 process (pid ${server.child.pid}); stop it, or choose another --node-id or --data-dir\n`;
    assert.ok(stderr.endsWith(holder), stderr);
    assert.equal(stderr.trimEnd().split('\n').length, 1);
  });
});
