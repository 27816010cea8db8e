import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';

/** More rounds for a longer look: `KILL_ROUNDS=100`. */
const ROUNDS = Number(process.env['KILL_ROUNDS'] ?? 4);
const CLIENTS = 4;
const ROWS_PER_WRITE = 20;

/** Many small files, a snapshot every few writes. */
const RESTLESS = ['--wal-flush-interval', '5ms', '--wal-snapshot-size', '4', '--snapshotted-wal-files-to-keep', '0'];

/** Writes batches until the server is gone; returns the numbers of the first rows of acknowledged batches. */
async function writeUntilDead(server: TestServer, next: () => number, acknowledged: Set<number>): Promise<void> {
  for (;;) {
    const first = next();
    const lines = Array.from({ length: ROWS_PER_WRITE }, (_, i) => `m,k=k${i % 3} v=${first + i}i ${(first + i) * 1_000}`);
    try {
      const response = await server.write('db', lines.join('\n'), '&precision=millisecond');
      await response.arrayBuffer();
      if (response.status !== 204) return;
    } catch {
      return; // the server was killed: this batch is in doubt
    }
    acknowledged.add(first);
  }
}

test('kill -9 at random moments: every acknowledged row is there once, and batches are whole', async (t) => {
  const directory = await testDirectory(t);
  const acknowledged = new Set<number>();
  let batches = 0;
  const next = (): number => batches++ * ROWS_PER_WRITE;
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startServer(t, directory, { args: RESTLESS });
    if (round > 0) await verify(server, acknowledged, `round ${round}`);
    const before = acknowledged.size;
    const clients = Array.from({ length: CLIENTS }, () => writeUntilDead(server, next, acknowledged));
    const enough = 5 + Math.floor(Math.random() * 60);
    while (acknowledged.size < before + enough && server.child.exitCode === null) await new Promise(setImmediate);
    await server.kill('SIGKILL');
    await Promise.all(clients);
  }
  const server = await startServer(t, directory, { args: RESTLESS });
  await verify(server, acknowledged, 'at the end');
  t.diagnostic(`${ROUNDS} kills, ${acknowledged.size * ROWS_PER_WRITE} rows acknowledged, 0 lost`);
});

async function verify(server: TestServer, acknowledged: ReadonlySet<number>, when: string): Promise<void> {
  const rows = await server.rows('db', 'SELECT v, count(*) AS n FROM m GROUP BY v');
  const perBatch = new Map<number, number>();
  for (const { v, n } of rows as { v: number; n: number }[]) {
    assert.equal(n, 1, `${when}: row ${v} is there ${n} times`);
    const first = v - (v % ROWS_PER_WRITE);
    perBatch.set(first, (perBatch.get(first) ?? 0) + 1);
  }
  for (const [first, count] of perBatch) assert.equal(count, ROWS_PER_WRITE, `${when}: batch ${first} is cut`);
  const lost = [...acknowledged].filter((first) => !perBatch.has(first));
  assert.deepEqual(lost, [], `${when}: acknowledged batches that are gone`);
}

async function filesBelow(directory: string, ending: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(directory, name));
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] as number) ^ 0x40;
  await writeFile(path, bytes);
}

for (const [where, at] of [
  ['footer', -2],
  ['first page', 20],
] as const) {
  test(`a byte flipped in the ${where} of a Parquet file fails the queries that need it with its name, and nothing else`, async (t) => {
    await damagedFile(t, at);
  });
}

async function damagedFile(t: TestContext, at: number): Promise<void> {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory, { args: RESTLESS });
  for (let i = 0; i < 8; i++) await server.writeOk('db', `m v=${i}i ${i * 86_400}\nok v=${i}i ${i * 86_400}`, '&precision=second');
  let tick = 8;
  // How many writes share a WAL file depends on the machine: go on until both snapshots were due.
  const files = await until(async () => {
    await server.writeOk('db', `tick v=1i ${tick++ * 86_400}`, '&precision=second');
    const found = await server.rows('db', "SELECT path FROM system.parquet_files WHERE table_name = 'm' ORDER BY min_time");
    return found.length >= 2 ? found : undefined;
  });
  await server.kill('SIGKILL');
  const damaged = join(directory, String(files[0]?.['path']));
  await flip(damaged, at);
  const again = await startServer(t, directory, { args: RESTLESS });
  const response = await again.sql('db', 'SELECT sum(v) FROM m');
  const text = await response.text();
  assert.equal(response.status, 500, text);
  assert.ok(text.includes(damaged.slice(damaged.indexOf('dbs/'))), text);
  assert.deepEqual(await again.rows('db', 'SELECT count(*) AS n FROM ok'), [{ n: 8 }]);
  assert.deepEqual(await again.rows('db', "SELECT count(*) AS n FROM m WHERE time >= '1970-01-05T00:00:00Z'"), [{ n: 4 }]);
  await again.writeOk('db', 'm v=1i 100000', '&precision=second');
}

test('an empty last WAL file and a damaged end of the one before it cost nothing that was acknowledged before', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory);
  for (let i = 0; i < 5; i++) await server.writeOk('db', `m v=${i}i ${i}`);
  await server.kill('SIGKILL');
  const wal = (await filesBelow(join(directory, 'test', 'wal'), '.wal')).at(-1) as string;
  const number = Number(/(\d+)\.wal$/.exec(wal)?.[1]) + 1;
  await writeFile(join(directory, 'test', 'wal', `${String(number).padStart(11, '0')}.wal`), '');
  const again = await startServer(t, directory);
  assert.deepEqual(await again.rows('db', 'SELECT count(*) AS n FROM m'), [{ n: 5 }]);
  await again.writeOk('db', 'm v=5i 5');
  await again.kill('SIGKILL');
  const third = await startServer(t, directory);
  assert.deepEqual(await third.rows('db', 'SELECT count(*) AS n FROM m'), [{ n: 6 }]);
});

test('a damaged snapshot info is set aside and named in the log, and the server starts', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory, { args: RESTLESS });
  let written = 0;
  // How many writes share a WAL file depends on the machine: go on until a snapshot was due.
  const infos = await until(async () => {
    await server.writeOk('db', `m v=${written}i ${written++ * 3_600}`, '&precision=second');
    const found = await filesBelow(join(directory, 'test', 'snapshots'), '.info.json');
    return found.length > 0 ? found : undefined;
  });
  await server.kill('SIGKILL');
  await flip(infos[0] as string, 60);
  const again = await startServer(t, directory, { args: RESTLESS });
  await again.says(/unreadable snapshot info moved aside/);
  await again.writeOk('db', `m v=9i ${written * 3_600}`, '&precision=second');
});

/** Polls until the probe gives a value; the runner's own time-out ends a test that never gets there. */
