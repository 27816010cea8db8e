import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';
import { bin, runProgram } from './cli-support.ts';

/** Of the project; tests are built to `.build/all/test/e2e`. */
const root = join(import.meta.dirname, '..', '..', '..', '..');

const READY = /^influxdb3 ready url=(http:\/\/127\.0\.0\.1:\d+) pid=(\d+)$/m;

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly stderr: () => string;
  /** Resolves once standard error has the text. */
  says(text: string): Promise<void>;
  /** Resolves with the exit code, or the name of the signal that ended the process. */
  readonly ended: Promise<number | string>;
}

/** Runs `influxdb3` with just these arguments; resolves at the readiness line. */
async function start(t: TestContext, home: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Started> {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, INFLUXDB3_TELEMETRY_DISABLE_UPLOAD: 'true', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | string>((done) => child.once('close', (code, signal) => done(code ?? String(signal))));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let stderr = '';
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const says = async (text: string | RegExp): Promise<void> => {
    while (stderr.search(text) === -1) {
      const data = new Promise((resolve) => child.stderr?.once('data', resolve));
      const state = await Promise.race([data.then(() => 'said' as const), ended]);
      if (state !== 'said') throw new Error(`ended with ${state} and said only:\n${stderr}`);
    }
  };
  await says(READY);
  return { child, url: READY.exec(stderr)?.[1] ?? '', stderr: () => stderr, says, ended };
}

const QUIET = ['serve', '--node-id', 'n', '--object-store', 'memory', '--http-bind', '127.0.0.1:0', '--without-auth'];

async function endsOn(server: Started, signal: NodeJS.Signals): Promise<number | string> {
  server.child.kill(signal);
  return server.ended;
}

describe('scripted starts', () => {
  it('port 0, address file, ready file and readiness line all name one address', async (t) => {
    const cwd = await testDirectory(t);
    const [address, ready] = [join(cwd, 'address'), join(cwd, 'ready')];
    const server = await start(t, cwd, [...QUIET, '--tcp-listener-file-path', address, '--ready-file', ready]);
    assert.equal(`http://${readFileSync(address, 'utf8')}`, server.url);
    assert.equal(readFileSync(ready, 'utf8'), `${server.url}\n`);
    assert.equal(READY.exec(server.stderr())?.[2], String(server.child.pid));
    assert.ok(server.stderr().endsWith(`pid=${server.child.pid}\n`));
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
    assert.equal(await endsOn(server, 'SIGTERM'), 0);
    assert.deepEqual([existsSync(address), existsSync(ready)], [true, false]);
  });

  it('eight servers at once all become ready and end with code 0', async (t) => {
    const cwd = await testDirectory(t);
    const servers = await Promise.all(Array.from({ length: 8 }, () => start(t, cwd, QUIET)));
    assert.equal(new Set(servers.map(({ url }) => url)).size, 8);
    const health = await Promise.all(servers.map(async ({ url }) => (await fetch(`${url}/health`)).status));
    assert.deepEqual(health, new Array(8).fill(200));
    const codes = await Promise.all(servers.map((server) => endsOn(server, 'SIGTERM')));
    assert.deepEqual(codes, new Array(8).fill(0));
  });

  it('needs no options: node and directory are made from the host and the home', async (t) => {
    const cwd = await testDirectory(t);
    const server = await start(t, cwd, ['--http-bind', '127.0.0.1:0']);
    const node = `${hostname()}-node`;
    assert.match(server.stderr(), new RegExp(`^Using auto-generated node id: ${node}\\. `));
    assert.deepEqual(readdirSync(join(cwd, '.influxdb3')), [node]);
    assert.equal((await fetch(`${server.url}/ping`)).status, 401);
    assert.equal(await endsOn(server, 'SIGTERM'), 0);
    const moved = await start(t, cwd, ['--http-bind', '127.0.0.1:0', '--node-id', 'new host']);
    const notice = `NOTICE: node new host is new and empty. The data directory has data of node ${node}, which this server does not show`;
    assert.ok(moved.stderr().includes(notice), moved.stderr());
    assert.equal(await endsOn(moved, 'SIGTERM'), 0);
    const again = await start(t, cwd, ['--http-bind', '127.0.0.1:0', '--node-id', 'new host']);
    assert.ok(!again.stderr().includes('NOTICE: node'), again.stderr());
  });

  it('tells systemd when it answers', async (t) => {
    const home = await testDirectory(t);
    mkdirSync(join(home, 'bin'));
    writeFileSync(join(home, 'bin', 'systemd-notify'), `#!/bin/sh\necho "$NOTIFY_SOCKET $*" > ${join(home, 'told')}\n`, { mode: 0o755 });
    const env = { NOTIFY_SOCKET: '/run/here', PATH: `${join(home, 'bin')}:${process.env['PATH']}` };
    const args = ['serve', '--data-dir', home, '--node-id', 'n', '--http-bind', '127.0.0.1:0', '--without-auth'];
    const server = await start(t, home, args, env);
    await until(() => existsSync(join(home, 'told')) && readFileSync(join(home, 'told'), 'utf8') !== '');
    assert.equal(readFileSync(join(home, 'told'), 'utf8'), `/run/here --ready --pid=${server.child.pid} --status=answers requests\n`);
  });

  it('serve --check prints what a start would use, starts nothing and makes no node directory', async (t) => {
    const cwd = await testDirectory(t);
    const found = await runProgram(['serve', '--check', '--data-dir', join(cwd, 'data'), '--http-bind', '127.0.0.1:8999'], { cwd });
    assert.equal(found.code, 0);
    assert.match(found.stdout, /^configuration is valid\n/);
    assert.ok(found.stdout.includes('http://127.0.0.1:8999') && found.stdout.includes(join(cwd, 'data')));
    assert.deepEqual(
      readdirSync(cwd, { recursive: true }).filter((name) => String(name).includes('node')),
      [],
    );
    const wrong = await runProgram(['serve', '--check', '--http-bind', 'nowhere'], { cwd });
    assert.equal(wrong.code, 2);
  });
});

describe('ends of a server', () => {
  it('Ctrl-C under `npm start` ends it cleanly, though npm and the terminal both send the signal', async (t) => {
    const home = await testDirectory(t);
    const npm = spawn('npm', ['start', '--', ...QUIET.slice(1)], {
      cwd: root,
      env: { PATH: process.env['PATH'] ?? '', HOME: home, INFLUXDB3_TELEMETRY_DISABLE_UPLOAD: 'true' },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    const group = -(npm.pid ?? 0);
    const ended = new Promise<number | string>((done) => npm.once('close', (code, signal) => done(code ?? String(signal))));
    let stderr = '';
    await new Promise<void>((resolve, reject) => {
      npm.stderr.on('data', (data: Buffer) => {
        stderr += data.toString();
        if (READY.test(stderr)) resolve();
      });
      void ended.then((code) => reject(new Error(`npm ended with ${code}:\n${stderr}`)));
    });
    process.kill(group, 'SIGINT');
    assert.equal(await ended, 0, stderr);
    assert.ok(!stderr.includes('Second signal'), stderr);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`an idle server ends with code 0 on ${signal}`, async (t) => {
      const server = await start(t, await testDirectory(t), QUIET);
      assert.equal(await endsOn(server, signal), 0);
    });
  }

  for (const [signal, code] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const]) {
    it(`a ${signal} a second after the first ends a server that waits for a request at once, with code ${code}`, async (t) => {
      const server = await start(t, await testDirectory(t), [...QUIET, '--log-destination', 'stderr']);
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      t.after(() => socket.destroy());
      socket.on('error', () => undefined);
      const continues = new Promise((resolve) => socket.once('data', resolve));
      socket.write('POST /api/v3/write_lp?db=x HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n');
      await continues;
      server.child.kill(signal);
      await server.says('shutdown requested');
      // One that comes within a second of the first changes nothing; the first after that ends it.
      const again = setInterval(() => server.child.kill(signal), 50);
      assert.equal(await server.ended.finally(() => clearInterval(again)), code);
      assert.match(server.stderr(), new RegExp(`Second signal \\(${signal}\\): ending at once; `));
    });
  }

  it('options that cannot be understood are code 2, a start that fails is code 1, each in one line with a way out', async (t) => {
    const cwd = await testDirectory(t);
    const unknown = await runProgram(['serve', '--data-dri', 'x'], { cwd });
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /--data-dri.*\n\n {2}tip: .*--data-dir/);
    const store = await runProgram(['serve', '--node-id', 'n', '--object-store', 's3'], { cwd });
    assert.equal(store.code, 1);
    assert.match(store.stderr, /^Serve command failed: .*Missing bucket name\n$/);
  });
});
