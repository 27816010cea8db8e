import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Engine, type EngineOptions } from '../../src/duckdb/index.ts';
import { startInfluxDB3 } from '../../src/embed/index.ts';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';

const PROGRAM = resolve(fileURLToPath(import.meta.url), '../../support/mortal-server.js');

function lines(from: number, count: number): string {
  return Array.from({ length: count }, (_, i) => `m,host=h${(from + i) % 7} v=${from + i}i ${from + i}`).join('\n');
}

async function health(server: TestServer): Promise<{ status: number; text: string }> {
  const response = await fetch(`${server.url}/health`);
  return { status: response.status, text: await response.text() };
}

/** Resolves when the server has noticed. */
async function die(server: TestServer): Promise<void> {
  const failures = (): number => server.output.split('the query engine failed; reopening it').length - 1;
  const before = failures();
  server.child.kill('SIGUSR2');
  await until(async () => (failures() > before ? true : undefined));
}

test('when DuckDB dies under load the server says so, comes back by itself and has every acknowledged row once', async (t) => {
  const server = await startServer(t, await testDirectory(t), {
    program: PROGRAM,
    args: ['--wal-snapshot-size', '2', '--wal-flush-interval', '20ms'],
  });
  await server.writeOk('db', lines(0, 5000), '&precision=ns');
  assert.equal(
    (
      await fetch(`${server.url}/api/v3/configure/last_cache`, {
        method: 'POST',
        body: JSON.stringify({ db: 'db', table: 'm', name: 'c', key_columns: ['host'] }),
        headers: { 'content-type': 'application/json' },
      })
    ).status,
    201,
  );
  let next = 5000;
  let acknowledged = 5000;
  let refused = 0;
  let running = true;
  const maybe = new Set<number>();
  const writer = (async () => {
    while (running) {
      const from = next;
      next += 500;
      const response = await server.write('db', lines(from, 500), '&precision=ns');
      const text = await response.text();
      if (response.status === 204) acknowledged += 500;
      else {
        assert.equal(response.status, 503, text);
        assert.equal(text, 'the query engine failed and is being opened again, try again in a moment');
        assert.equal(response.headers.get('retry-after'), '1');
        refused++;
        maybe.add(from);
      }
    }
  })();
  const answers = new Set<number>();
  const reader = (async () => {
    while (running) {
      const response = await server.sql('db', 'SELECT count(v) AS n, count(DISTINCT v) AS d FROM m');
      const text = await response.text();
      answers.add(response.status);
      if (response.status !== 200) assert.equal(response.status, 503, text);
      else assert.match(text, /^\[\{"n":(\d+),"d":\1\}\]$/);
    }
  })();
  for (let death = 0; death < 3; death++) {
    await die(server);
    await until(async () => ((await health(server)).status === 200 ? true : undefined));
    const before = acknowledged;
    await until(async () => (acknowledged > before + 1000 ? true : undefined));
  }
  running = false;
  await Promise.all([writer, reader]);
  assert.ok(answers.has(200));
  const all = await server.rows('db', 'SELECT v, count(*) AS n FROM m GROUP BY v ORDER BY v');
  assert.ok(all.every((row) => row['n'] === 1));
  const found = new Set(all.map((row) => Number(row['v'])));
  for (let from = 0; from < next; from += 500) {
    if (maybe.has(from)) continue;
    for (let v = from; v < from + 500; v++) assert.ok(found.has(v), `row ${v} of ${acknowledged} acknowledged, ${refused} writes refused`);
  }
  assert.ok(found.size >= acknowledged);
  // The cache has the newest row of each key, also of those that came in with the log.
  const cached = await server.rows('db', "SELECT host, v FROM last_cache('m') ORDER BY host");
  const newest = await server.rows('db', 'SELECT host, max(v) AS v FROM m GROUP BY host ORDER BY host');
  assert.deepEqual(cached, newest);
  await server.says(/the query engine was reopened/);
  await server.kill('SIGKILL');
});

test('a server whose DuckDB dies again and again ends with exit code 70 and says why', async (t) => {
  const server = await startServer(t, await testDirectory(t), { program: PROGRAM });
  await server.writeOk('db', lines(0, 10), '&precision=ns');
  for (let death = 0; death < 5; death++) {
    await die(server);
    await until(async () => ((await health(server)).status === 200 ? true : undefined));
    await server.rows('db', 'SELECT count(*) AS n FROM m');
  }
  server.child.kill('SIGUSR2');
  assert.equal(await server.ended, 70);
  assert.match(
    server.output,
    /ERROR .*the server cannot go on: start it again reason="the query engine failed more than 5 times within 10 minutes/,
  );
  assert.match(server.output, /Serve command failed: the query engine failed more than 5 times within 10 minutes/);
});

test('a server inside another program stays, refuses and never ends its process', async (t) => {
  const open = Engine.open.bind(Engine);
  const opened: Engine[] = [];
  t.mock.method(Engine, 'open', async (options: EngineOptions) => {
    const engine = await open(options);
    opened.push(engine);
    return engine;
  });
  const server = await startInfluxDB3();
  t.after(() => server.stop());
  await server.write('db', 'm v=1i 1');
  opened[0]?.noticeFailure(new Error('FATAL Error: the test wants it'));
  await until(async () => {
    const response = await fetch(`${server.url}/health`);
    return response.status === 503 && /are in no log/.test(await response.text()) ? true : undefined;
  });
  await assert.rejects(server.query('db', 'SELECT * FROM m'), { name: 'ServerError', status: 503 });
  await assert.rejects(server.write('db', 'm v=2i 2'), { name: 'ServerError', status: 503 });
  assert.equal(opened.length, 1);
});
