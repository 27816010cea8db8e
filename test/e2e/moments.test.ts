import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';

/** More queries for a longer look: `MOMENT_QUERIES=5000`. */
const QUERIES = Number(process.env['MOMENT_QUERIES'] ?? 120);
const READERS = 3;
const KEYS = 200;
/** No snapshot meanwhile: all of it happens in the buffer. */
const ARGS = ['--wal-snapshot-size', '600'];

/** Every key of a table, in the version of a round. */
const round = (table: string, version: number): string =>
  Array.from({ length: KEYS }, (_, k) => `${table},k=k${k % 20} v=${version}i,w=${version * 1000 + k}i ${1_700_000_000 + k}`).join('\n');

/** Writes until it is told to stop. */
async function writeRounds(server: TestServer, table: string, stopped: () => boolean): Promise<number> {
  let version = 1;
  for (; !stopped(); version++) await server.writeOk('db', round(table, version), '&precision=second');
  return version;
}

async function ask(server: TestServer, queries: number, check: () => Promise<void>): Promise<void> {
  const each = Array.from({ length: READERS }, async () => {
    for (let n = 0; n < queries / READERS; n++) await check();
  });
  await Promise.all(each);
  assert.equal(server.child.exitCode, null);
}

test('no query sees a key twice, or a row of two versions, while keys are overwritten', async (t) => {
  const server = await startServer(t, await testDirectory(t), { args: ARGS });
  let done = false;
  let tables = 0;
  const ready: string[] = [];
  // New tables, as a chunk is only told to hold repeated keys once.
  const writers = Array.from({ length: 2 }, async () => {
    let versions = 0;
    while (!done) {
      const table = `m${tables++}`;
      await server.writeOk('db', round(table, 0), '&precision=second');
      ready.push(table);
      let rounds = 0;
      versions += await writeRounds(server, table, () => done || ++rounds > 4);
    }
    return versions;
  });
  let seen = 0;
  try {
    await until(async () => ready.length > 1 || undefined);
    await ask(server, QUERIES, async () => {
      const table = ready.at(-1 - (seen++ % 2));
      if (table === undefined) return;
      const rows = (await server.rows(
        'db',
        `SELECT k, time, count(*) AS n, min(w) - min(v) * 1000 AS i FROM "${table}" GROUP BY k, time`,
      )) as { k: string; time: string; n: number; i: number }[];
      assert.equal(rows.length, KEYS, table);
      for (const { k, time, n, i } of rows) {
        const number = Date.parse(`${time}Z`) / 1000 - 1_700_000_000;
        assert.deepEqual({ k, n, i }, { k: `k${number % 20}`, n: 1, i: number }, `${table} at ${time}`);
      }
    });
  } finally {
    done = true;
  }
  const versions = (await Promise.all(writers)).reduce((a, b) => a + b, 0);
  t.diagnostic(`${QUERIES} queries beside ${versions} versions of ${tables} tables`);
});

test('no query is refused while fields and tags are added', async (t) => {
  const server = await startServer(t, await testDirectory(t), { args: ARGS });
  await server.writeOk('db', round('m', 0), '&precision=second');
  let done = false;
  let added = 0;
  const writers = Array.from({ length: 2 }, async () => {
    while (!done && added < 900) {
      const name = added++;
      await server.writeOk(
        'db',
        `m,k=k0${name % 4 === 0 ? `,t${name}=x` : ''} f${name}=${name} ${1_700_100_000 + name}`,
        '&precision=second',
      );
    }
  });
  try {
    await ask(server, QUERIES, async () => {
      const rows = await server.rows('db', 'SELECT * FROM m ORDER BY time DESC, k LIMIT 3');
      assert.equal(rows.length, 3);
    });
  } finally {
    done = true;
  }
  await Promise.all(writers);
  const [found] = await server.rows('db', 'SELECT count(*) AS n FROM m');
  assert.deepEqual(found, { n: KEYS + added });
  t.diagnostic(`${QUERIES} queries beside ${added} columns`);
});
