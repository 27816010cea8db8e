import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type InfluxDB3, ServerError, type StartOptions, StartupError, startInfluxDB3 } from '../../src/embed/index.ts';
import { testDirectory } from '../support/server.ts';

/** Starts servers that are stopped at the end of the test; ask for it before a directory, which must go last. */
function starter(t: TestContext): (options?: StartOptions) => Promise<InfluxDB3> {
  const servers: InfluxDB3[] = [];
  t.after(async () => {
    for (const server of servers) await server.stop();
  });
  return async (options) => {
    const server = await startInfluxDB3(options);
    servers.push(server);
    return server;
  };
}

describe('startInfluxDB3', () => {
  it('starts empty in memory, writes, queries and ends without a trace', async () => {
    const listenersBefore = process.eventNames().map((name) => [name, process.listenerCount(name)]);
    const server = await startInfluxDB3({ databases: ['test'] });
    assert.equal(server.url, `http://${server.host}:${server.port}`);
    assert.deepEqual([server.host, server.token], ['127.0.0.1', undefined]);
    await server.write('test', ['cpu,host=a usage=0.5,n=9007199254740993i 1000', 'cpu,host=b usage=1 1000'], { precision: 'second' });
    const rows = await server.query('test', 'SELECT host, n, time FROM cpu WHERE usage < $most', { params: { most: 0.75 } });
    assert.deepEqual(rows, [{ host: 'a', n: 9007199254740993n, time: '1970-01-01T00:16:40Z' }]);
    await server.stop();
    await server.stop();
    await assert.rejects(server.write('test', 'cpu usage=1'), { code: 'ECONNREFUSED' });
    assert.deepEqual(
      process.eventNames().map((name) => [name, process.listenerCount(name)]),
      listenersBefore,
    );
  });

  it('refuses options that it does not have, and errors lead to whoever called', async (t) => {
    const start = starter(t);
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ datadir: 'x' }, /^startInfluxDB3 has no option 'datadir'; did you mean 'dataDir'\?$/],
      [{ 'max-databases': 3 }, /^startInfluxDB3 has no option 'max-databases'; it is one of serveOptions: /],
      [{ zzz: 1 }, /^startInfluxDB3 has no option 'zzz' \(there are objectStore, dataDir, /],
    ];
    for (const [options, text] of wrong) {
      await assert.rejects(startInfluxDB3(options), (error: Error) => error instanceof StartupError && text.test(error.message));
    }
    const server = await start();
    const whoAsks = async (): Promise<unknown> => await server.query('none', 'SELECT 1');
    const whoWrites = async (): Promise<void> => await server.write('db', 'nonsense');
    await assert.rejects(
      whoAsks(),
      (error: Error) => error instanceof ServerError && /at async whoAsks .*embed\.test/.test(error.stack ?? ''),
    );
    await assert.rejects(
      whoWrites(),
      (error: Error) => error instanceof ServerError && /at async whoWrites .*embed\.test/.test(error.stack ?? ''),
    );
  });

  it('a forgotten stop does not keep the process alive, unless a port was asked for', async (t) => {
    const directory = await testDirectory(t);
    const module = JSON.stringify(new URL('../../../../dist/bundle/embed.js', import.meta.url).href);
    const program = (options: string): string =>
      `const { startInfluxDB3 } = await import(${module}); const s = await startInfluxDB3(${options}); await s.write('d', 'm v=1'); await fetch(s.url + '/ping'); console.log((await s.query('d', 'SELECT v FROM m')).length);`;
    for (const options of ['{}', `{ dataDir: ${JSON.stringify(directory)} }`, '{ keepAlive: false, port: 0 }']) {
      const found = spawnSync(process.execPath, ['--input-type=module', '-e', program(options)], { encoding: 'utf8', timeout: 60_000 });
      assert.deepEqual([found.status, found.stdout], [0, '1\n'], `${options}: ${found.signal} ${found.stderr}`);
    }
    const kept = spawn(process.execPath, [
      '--input-type=module',
      '-e',
      `${program('{ keepAlive: true }')} setTimeout(() => s.stop(), 500).unref();`,
    ]);
    let ended = false;
    kept.once('exit', () => {
      ended = true;
    });
    await new Promise((resolve) => kept.stdout.once('data', resolve));
    assert.equal(ended, false);
    await new Promise((resolve) => kept.once('close', resolve));
    assert.equal(kept.exitCode, 0);
  });

  it('a stop is waited for while a client still sends, also by a server that does not keep its process alive', async () => {
    const module = JSON.stringify(new URL('../../../../dist/bundle/embed.js', import.meta.url).href);
    const program = `const { startInfluxDB3 } = await import(${module}); const s = await startInfluxDB3({ port: 0, keepAlive: false }); process.send(s.url);
      await new Promise((resolve) => process.once('message', resolve)); process.disconnect();
      const stopped = s.stop(); console.log('stopping'); await stopped; console.log('stopped');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    const [url] = (await once(child, 'message')) as [string];
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname).on('error', () => undefined);
    socket.write('POST /api/v3/write_lp?db=d HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n');
    await once(socket, 'data');
    let said = '';
    child.stdout?.on('data', (data: Buffer) => {
      said += data.toString();
      if (said === 'stopping\n') socket.destroy();
    });
    child.send('stop');
    const [code] = (await once(child, 'close')) as [number | null];
    assert.deepEqual([code, said], [0, 'stopping\nstopped\n']);
  });

  it('several servers in one process know nothing of each other', async () => {
    const servers = await Promise.all(['a', 'b', 'c'].map((name) => startInfluxDB3({ databases: [name] })));
    try {
      await Promise.all(servers.map((server) => server.write('same', `m v=${server.port}i 1`)));
      const rows = await Promise.all(servers.map((server) => server.query<{ v: number }>('same', 'SELECT v FROM m')));
      assert.deepEqual(
        rows,
        servers.map(({ port }) => [{ v: port }]),
      );
      assert.equal(new Set(servers.map(({ port }) => port)).size, 3);
    } finally {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    }
  });

  it('a preset token is needed, and only its hash is stored', async (t) => {
    const start = starter(t);
    const dataDir = await testDirectory(t);
    const server = await start({ dataDir, token: 'my-secret-token', databases: ['test'] });
    assert.equal((await fetch(`${server.url}/api/v3/query_sql?db=test&q=SELECT%201`)).status, 401);
    await server.write('test', 'm v=1');
    assert.deepEqual(await server.query('test', 'SELECT v FROM m'), [{ v: 1 }]);
    await server.stop();
    const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(files.length > 0);
    assert.ok(files.every((entry) => !readFileSync(join(entry.parentPath, entry.name)).includes('my-secret-token')));

    await assert.rejects(startInfluxDB3({ dataDir, token: 'another' }), {
      name: 'StartupError',
      message: 'the data directory already has another operator token; start with that one',
    });
    const again = await start({ dataDir, token: 'my-secret-token', databases: ['test'] });
    assert.deepEqual(await again.query('test', 'SELECT v FROM m'), [{ v: 1 }]);
  });

  it('a refused line is an error with the reason and the status', async (t) => {
    const start = starter(t);
    const server = await start();
    const failure = await server.write('test', 'm v=').catch((error: unknown) => error);
    assert.ok(failure instanceof ServerError);
    assert.equal(failure.status, 400);
    assert.match(failure.message, /^(partial write|parsing failed).*: /);
    await assert.rejects(server.query('nothing', 'SELECT 1'), { name: 'ServerError', status: 404, message: /database not found: nothing/ });
  });

  it('failures of a start are StartupErrors and leave nothing open', async (t) => {
    const start = starter(t);
    const dataDir = await testDirectory(t);
    const busy = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => busy.once('listening', resolve));
    t.after(() => busy.close());
    const { port } = busy.address() as { port: number };
    await assert.rejects(startInfluxDB3({ port }), (error) => error instanceof StartupError && error.message.includes(`port ${port} `));
    await assert.rejects(startInfluxDB3({ databases: ['_bad'] }), { name: 'StartupError', message: /^cannot create database "_bad": / });

    await start({ dataDir });
    await assert.rejects(startInfluxDB3({ dataDir }), { name: 'StartupError', code: 'DATA_DIR_IN_USE' });
    const other = await start({ dataDir, nodeId: 'other' });
    await other.stop();
    assert.ok(existsSync(join(dataDir, 'embedded')) && existsSync(join(dataDir, 'other')));
  });

  it('logs only when asked, to whom was named', async () => {
    const lines: string[] = [];
    const server = await startInfluxDB3({ logLevel: 'info', onLogLine: (line) => lines.push(line) });
    await server.stop();
    assert.ok(lines.length > 0 && lines.every((line) => line.endsWith('\n')));
  });
});
