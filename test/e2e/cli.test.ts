import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startServer, testDirectory } from '../support/server.ts';
import { bin, runProgram } from './cli-support.ts';

const homeLines = [
  'home,room=Living\\ Room temp=21.1,hum=35.9,co=0i 1641024000',
  'home,room=Kitchen temp=21.0,hum=35.9,co=0i 1641024000',
].join('\n');

function dataUrl(module: string): string {
  return `data:text/javascript;base64,${Buffer.from(module).toString('base64')}`;
}

describe('the program', () => {
  it('prints its version', async (t) => {
    const { code, stdout } = await runProgram(['--version'], { cwd: await testDirectory(t) });
    assert.equal(code, 0);
    assert.match(stdout, /^influxdb3 .+, \d+\.\d+\.\d+.*, revision [0-9a-f]+\n$/);
  });

  it('light commands load neither DuckDB nor the HTTP server', async (t) => {
    const cwd = await testDirectory(t);
    const hook = `
      import { writeSync } from 'node:fs';
      export async function resolve(name, context, next) {
        const found = await next(name, context);
        writeSync(2, 'loaded ' + found.url + '\\n');
        return found;
      }`;
    const register = `import { register } from 'node:module'; register('${dataUrl(hook)}');`;
    const args = ['--import', dataUrl(register), bin, 'query', '-d', 'x', '-H', 'http://127.0.0.1:1', 'q'];
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    const errors: Buffer[] = [];
    child.stderr.on('data', (data: Buffer) => errors.push(data));
    await new Promise((resolve) => child.once('close', resolve));
    const text = Buffer.concat(errors).toString();
    assert.match(text, /client error \(Connect\)/);
    // The source map of a bundled file names what is in it.
    const files = [...text.matchAll(/^loaded file:\/\/(.*\/dist\/bundle\/.*\.js)$/gm)].map((match) => match[1] as string);
    assert.ok(files.length > 2);
    const sources = files.flatMap((file) => (JSON.parse(readFileSync(`${file}.map`, 'utf8')) as { sources: string[] }).sources);
    const packages = sources.map((source) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1]);
    assert.deepEqual([...new Set(packages.filter((name) => name !== undefined))].sort(), ['commander', 'undici']);
    assert.ok(!sources.some((source) => source.includes('src/server/http')));
  });

  it('a closed pipe is no failure', async (t) => {
    const cwd = await testDirectory(t);
    const child = spawn('sh', ['-c', `"${process.execPath}" "${bin}" serve --help-all | head -n 1`], { cwd });
    const output: Buffer[] = [];
    child.stdout.on('data', (data: Buffer) => output.push(data));
    child.stderr.on('data', (data: Buffer) => output.push(data));
    await new Promise((resolve) => child.once('close', resolve));
    assert.match(Buffer.concat(output).toString(), /^Run the InfluxDB 3 Core \(TypeScript\) server\n$/);
  });
});

describe('client commands against the real server', () => {
  it('write, query in every format, and failures with a next step', async (t) => {
    const cwd = await testDirectory(t);
    const server = await startServer(t, cwd);
    const run = (args: readonly string[], input = '') => runProgram(args, { cwd, input, env: { INFLUXDB3_HOST_URL: server.url } });
    assert.equal((await run(['healthcheck'])).stdout, 'OK\n');

    const written = await run(['write', '-d', 'sensors', '-p', 's'], homeLines);
    assert.deepEqual([written.code, written.stdout], [0, ''], written.stderr);
    assert.match(written.stderr, / 1 request .* 2 lines /);

    const query = 'SELECT room, temp FROM home ORDER BY room';
    const pretty = await run(['query', '-d', 'sensors', query]);
    assert.equal(
      pretty.stdout,
      '+-------------+------+\n| room        | temp |\n+-------------+------+\n| Kitchen     | 21.0 |\n| Living Room | 21.1 |\n+-------------+------+\n',
    );
    const json = await run(['query', '-d', 'sensors', '--format', 'json'], query);
    assert.deepEqual(JSON.parse(json.stdout), [
      { room: 'Kitchen', temp: 21 },
      { room: 'Living Room', temp: 21.1 },
    ]);
    const file = join(cwd, 'out.parquet');
    assert.equal((await run(['query', '-d', 'sensors', '--format', 'parquet', '-o', file, query])).code, 0);
    assert.equal(readFileSync(file).subarray(0, 4).toString(), 'PAR1');

    const wrong = await run(['query', '-d', 'sensor', query]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^Query command failed: server responded with error \[404 Not Found\]: .*database not found: sensor/);
    assert.match(wrong.stderr, /\n {2}hint: /);
    assert.match((await run(['telemetry', 'status'])).stdout, /^telemetry +off: /);
    assert.match((await run(['telemetry', 'schema'])).stdout, /^\{\n {2}"/);
    const bad = await run(['write', '-d', 'sensors', 'home temp=']);
    assert.equal(bad.code, 1);
    assert.match(bad.stderr, /Write command failed: 1 of 1 rows was not stored\n {2}line 1: No fields were provided: home temp=\n/);
  });
});

describe('tokens from the first one on', () => {
  it('numbers a bad line by the file, tells the first ones and how many, and what was stored', async (t) => {
    const cwd = await testDirectory(t);
    const server = await startServer(t, cwd);
    const lines = Array.from({ length: 5000 }, (_, i) => (i % 100 === 50 ? '# comment' : `m,t=${i % 7} v=${i} ${i}`));
    const bad = [4500, ...Array.from({ length: 40 }, (_, i) => 4601 + i)];
    for (const number of bad) lines[number - 1] = `m,t=x v=oops${number}`;
    const args = ['write', '-q', '-d', 'db', '-p', 'ns', '-H', server.url, '--max-request-size', '10000'];
    const whole = await runProgram([...args, '--accept-partial'], { cwd, input: lines.join('\n') });
    assert.equal(whole.code, 1);
    const [head, first, ...rest] = whole.stderr.trimEnd().split('\n');
    assert.equal(head, 'Write command failed: 41 of 4950 rows were not stored');
    assert.match(first ?? '', /^ {2}line 4500: .*: m,t=x v=oops4500$/);
    assert.equal(rest.filter((row) => row.startsWith('  line 46')).length, 9);
    assert.deepEqual(rest.slice(9, 11), ['  and 31 more', '  stored: 4909 rows of lines 1 to 5000']);
    assert.deepEqual(await server.rows('db', 'SELECT count(v) AS n FROM m'), [{ n: 4909 }]);
    const once = await runProgram([...args, '--max-concurrent-requests', '1'], { cwd, input: lines.join('\n') });
    assert.match(
      once.stderr,
      /^Write command failed: 1 of \d+ rows was not stored\n {2}line 4500: .*\n {2}stored: \d+ rows of lines 1 to 4[56]\d\d\n/,
    );
    const zero = await runProgram(['create', 'database', 'kept', '--retention-period', '0', '-H', server.url], { cwd });
    assert.equal(zero.code, 0, zero.stderr);
    const kept = await server.rows('_internal', "SELECT retention_period_ns AS ns FROM system.databases WHERE database_name = 'kept'");
    assert.deepEqual(kept, [{}]); // null: for ever
  });

  it('makes the operator token, refuses strangers with a hint, makes and deletes a named one', async (t) => {
    const cwd = await testDirectory(t);
    const server = await startServer(t, cwd, { bare: true, args: ['--disable-telemetry-upload'] });
    const base = { INFLUXDB3_HOST_URL: server.url };
    const made = await runProgram(['create', 'token', '--admin', '--format', 'json'], { cwd, env: base });
    const { token } = JSON.parse(made.stdout) as { token: string };
    assert.match(token, /^apiv3_/);
    const stranger = await runProgram(['create', 'database', 'x'], { cwd, env: base });
    assert.equal(stranger.code, 1);
    assert.match(stranger.stderr, /\[401 Unauthorized\].*\n {2}hint: give a token/);

    const env = { ...base, INFLUXDB3_AUTH_TOKEN: token };
    const again = await runProgram(['create', 'token', '--admin'], { cwd, env });
    assert.deepEqual([again.code, again.stdout], [1, '']);
    assert.match(again.stderr, /^Create command failed: token name already exists, _admin\n {2}hint: /);
    assert.equal((await runProgram(['create', 'database', 'x'], { cwd, env })).stdout, 'Database "x" created successfully\n');
    assert.equal(
      (await runProgram(['update', 'database', '-d', 'x', '-r', '90m'], { cwd, env })).stdout,
      'Database "x" updated successfully\n',
    );
    const retention = await runProgram(['show', 'retention', '--format', 'csv'], { cwd, env });
    assert.equal(retention.stdout, 'database_name,retention_period\n_internal,7d\nx,90m\n\n');
    const system = await runProgram(['show', 'system', '-d', 'x', 'table', 'meow'], { cwd, env });
    assert.match(
      system.stderr,
      /^Show command failed: system table 'meow' not found: please use a valid system table name: \[".*"queries"/,
    );
    const listed = await runProgram(['show', 'databases', '--format', 'csv'], { cwd, env });
    assert.equal(listed.stdout, 'iox::database\n_internal\nx\n\n');
    await runProgram(['create', 'token', '--admin', '--name', 'ci'], { cwd, env });
    const deleted = await runProgram(['delete', 'token', '--token-name', 'ci'], { cwd, env, input: 'yes\n' });
    assert.equal(deleted.stdout, 'Token "ci" deleted successfully\n');
    assert.ok(!server.output.includes(token));
  });

  it('a token file made without a server is accepted by one', async (t) => {
    const cwd = await testDirectory(t);
    const file = join(cwd, 'admin.json');
    await runProgram(['create', 'token', '--admin', '--offline', '--output-file', file], { cwd });
    const { token } = JSON.parse(readFileSync(file, 'utf8')) as { token: string };
    const server = await startServer(t, cwd, { bare: true, args: ['--disable-telemetry-upload', '--admin-token-file', file] });
    const env = { INFLUXDB3_HOST_URL: server.url, INFLUXDB3_AUTH_TOKEN: token };
    assert.equal((await runProgram(['create', 'database', 'x'], { cwd, env })).stdout, 'Database "x" created successfully\n');
  });
});

describe('serve', () => {
  it('announces its address in files, and ends cleanly on SIGTERM', async (t) => {
    const cwd = await testDirectory(t);
    const ready = join(cwd, 'ready');
    const server = await startServer(t, cwd, { args: ['--ready-file', ready] });
    assert.equal(readFileSync(ready, 'utf8'), `${server.url}\n`);
    assert.equal(await server.kill('SIGTERM'), 0);
    assert.equal(existsSync(ready), false);
    assert.ok(server.output.includes(`influxdb3 ready url=${server.url} pid=${server.child.pid}\n`));
    assert.match(server.output, /telemetry {2}off: /);
  });

  it('a second start on the same address file fails', async (t) => {
    const cwd = await testDirectory(t);
    const address = join(cwd, 'address');
    writeFileSync(address, '');
    const args = [
      'serve',
      '--node-id',
      'n',
      '--data-dir',
      join(cwd, 'd'),
      '--http-bind',
      '127.0.0.1:0',
      '--tcp-listener-file-path',
      address,
    ];
    const { code, stderr } = await runProgram(args, { cwd });
    assert.equal(code, 1);
    assert.match(stderr, /Serve command failed: Server error: io error: File exists \(os error 17\)\n$/);
  });

  it('a busy port and a locked data directory are one clear line each', async (t) => {
    const cwd = await testDirectory(t);
    const server = await startServer(t, cwd);
    const busy = await runProgram(['serve', '--node-id', 'b', '--data-dir', join(cwd, 'b'), '--http-bind', server.url.slice(7)], { cwd });
    assert.equal(busy.code, 1);
    assert.match(busy.stderr, /^Serve command failed: Failed to bind address: port \d+ on 127\.0\.0\.1 is in use.*; .*\n$/);
    const locked = await runProgram(['serve', '--node-id', 'test', '--data-dir', cwd, '--http-bind', '127.0.0.1:0'], { cwd });
    assert.equal(locked.code, 1);
    assert.match(locked.stderr, /^Serve command failed: .* in use by another influxdb3 process .*\n$/);
  });

  it('a data directory that cannot be made is one clear line', async (t) => {
    const cwd = await testDirectory(t);
    writeFileSync(join(cwd, 'file'), '');
    const { code, stderr } = await runProgram(['serve', '--node-id', 'n', '--data-dir', join(cwd, 'file', 'd')], { cwd });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^Serve command failed: Cannot parse object store config: Unable to create database directory ".*": Not a directory \(os error 20\)\n$/,
    );
  });

  it('bare influxdb3 is a quick start', async (t) => {
    const cwd = await testDirectory(t);
    const address = join(cwd, 'address');
    const child = spawn(process.execPath, [bin], {
      cwd,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: cwd,
        INFLUXDB3_HTTP_BIND_ADDR: '127.0.0.1:0',
        INFLUXDB3_TCP_LISTINER_FILE_PATH: address,
        INFLUXDB3_TELEMETRY_DISABLE_UPLOAD: 'true',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    t.after(() => child.kill('SIGKILL'));
    let stderr = '';
    await new Promise<void>((resolve) => {
      child.stderr.on('data', (data: Buffer) => {
        stderr += data.toString();
        if (stderr.includes('influxdb3 ready')) resolve();
      });
    });
    assert.ok(
      stderr.startsWith(`Using auto-generated node id: ${hostname()}-node. For production deployments, explicitly set --node-id\n`),
    );
    assert.ok(existsSync(join(cwd, '.influxdb3', `${hostname()}-node`)));
    const ping = await fetch(`http://${readFileSync(address, 'utf8')}/ping`);
    assert.equal(ping.status, 401);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    assert.equal(await gone, 0);
  });

  it('reads .env, and the real environment wins', async (t) => {
    const cwd = await testDirectory(t);
    const below = join(cwd, 'below');
    mkdirSync(below);
    writeFileSync(join(cwd, '.env'), 'INFLUXDB3_NODE_ID=from-file\nINFLUXDB3_OBJECT_STORE=memory\n');
    const plain = await runProgram(['serve', '--check'], { cwd: below });
    assert.match(plain.stdout, /node {7}from-file\n/);
    const real = await runProgram(['serve', '--check'], { cwd: below, env: { INFLUXDB3_NODE_ID: 'real' } });
    assert.match(real.stdout, /node {7}real\n/);
  });
});
