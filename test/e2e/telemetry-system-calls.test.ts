import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { usedDirectories } from '../support/server.ts';
import { until } from '../support/until.ts';
import { ensureDebianPackage } from '../tooling/ensure-debian-package.ts';

const BIN = resolve(fileURLToPath(import.meta.url), '../../../../../bin/influxdb3.js');
const program = ensureDebianPackage('strace', 'strace');
const note = program.kind === 'missing' ? ` (skipped: ${program.reason})` : '';

const usedDirectory = usedDirectories();

/** What the kernel saw of one short life of a server: start, a write, a query, shutdown. */
async function systemCalls(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ready?: () => boolean,
): Promise<string[]> {
  if (program.kind === 'missing') throw new Error(program.reason);
  const directory = await usedDirectory(t);
  const trace = join(directory, 'trace');
  const listener = join(directory, 'listener');
  const serve = ['serve', '--node-id', 'test', '--data-dir', directory, '--http-bind', '127.0.0.1:0', '--without-auth'];
  const child = spawn(
    program.path,
    ['-f', '-qq', '-s', '200', '-o', trace, '-e', 'trace=connect,sendto,sendmsg,sendmmsg,execve,openat', process.execPath, BIN]
      .concat(serve)
      .concat(['--tcp-listener-file-path', listener, ...args]),
    { env: { PATH: process.env['PATH'] ?? '', HOME: directory, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  }
  const pid = (): number => Number(/^influxdb3 ready url=\S+ pid=(\d+)$/m.exec(output)?.[1] ?? 0);
  try {
    await until(() => pid() > 0 && existsSync(listener) && readFileSync(listener, 'utf8') !== '');
    const url = `http://${readFileSync(listener, 'utf8')}`;
    const write = await fetch(`${url}/api/v3/write_lp?db=db`, { method: 'POST', body: 'm v=1' });
    assert.equal(write.status, 204, await write.text());
    const query = await fetch(`${url}/api/v3/query_sql?db=db&q=${encodeURIComponent('SELECT v FROM m')}`);
    assert.equal(query.status, 200, await query.text());
    if (ready !== undefined) await until(ready);
  } finally {
    if (pid() > 0) process.kill(pid(), 'SIGTERM');
    else child.kill('SIGKILL');
    await ended;
  }
  return readFileSync(trace, 'utf8').split('\n');
}

/** Calls that reach for another address: connections, and datagrams (name lookups) with a target. */
const outgoing = (calls: readonly string[]): string[] =>
  calls.filter((call) => /(connect|sendto|sendmsg|sendmmsg)\(.*sa_family=AF_(INET|INET6|UNIX)/.test(call));

/** What pidusage does to read this process. */
const readings = (calls: readonly string[]): string[] =>
  calls.filter((call) => /openat\(.*"\/proc\/(\d+|self)\/stat"|execve\(.*getconf/.test(call));

/** What every name lookup reads first. (Node reads resolv.conf and nsswitch.conf whenever its dns module is loaded, looked up or not.) */
const lookups = (calls: readonly string[]): string[] => calls.filter((call) => /openat\(.*"\/etc\/hosts"/.test(call));

async function collector(t: TestContext) {
  let reports = 0;
  const server = createServer((request, response) => {
    reports += 1;
    request.resume();
    response.writeHead(204).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}/`, reports: () => reports };
}

describe(`system calls${note}`, { skip: program.kind === 'missing' }, () => {
  it('with telemetry on the one connection goes to the endpoint, and this process is read', async (t) => {
    const endpoint = await collector(t);
    const calls = await systemCalls(t, ['--telemetry-endpoint', endpoint.url], {}, () => endpoint.reports() === 1);
    const attempts = outgoing(calls);
    assert.equal(attempts.length, 1, attempts.join('\n'));
    assert.match(attempts[0] ?? '', new RegExp(`connect\\(.*htons\\(${endpoint.port}\\).*"127\\.0\\.0\\.1"`));
    assert.ok(readings(calls).length > 0);
  });

  const switches: [string, string[], Record<string, string>][] = [
    ['--disable-telemetry-upload', ['--disable-telemetry-upload'], {}],
    ['INFLUXDB3_TELEMETRY_DISABLE_UPLOAD', [], { INFLUXDB3_TELEMETRY_DISABLE_UPLOAD: 'true' }],
    ['INFLUXDB3_DISABLE_TELEMETRY_UPLOAD', [], { INFLUXDB3_DISABLE_TELEMETRY_UPLOAD: '1' }],
    ['DO_NOT_TRACK', [], { DO_NOT_TRACK: '1' }],
    ['a value that is neither true nor false', [], { INFLUXDB3_TELEMETRY_DISABLE_UPLOAD: 'ture' }],
  ];
  for (const [name, args, env] of switches) {
    it(`${name}: no connection, no name lookup, no reading of CPU or memory`, async (t) => {
      const endpoint = await collector(t);
      const calls = await systemCalls(t, [...args, '--telemetry-endpoint', endpoint.url], env);
      assert.deepEqual(outgoing(calls), []);
      assert.deepEqual(lookups(calls), []);
      assert.deepEqual(readings(calls), []);
      assert.equal(endpoint.reports(), 0);
    });
  }

  it('CI without an endpoint: no connection, no name lookup, no reading of CPU or memory', async (t) => {
    const calls = await systemCalls(t, [], { CI: 'true' });
    assert.deepEqual([...outgoing(calls), ...lookups(calls), ...readings(calls)], []);
  });
});
