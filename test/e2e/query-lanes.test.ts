import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from 'undici';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';

const HEAVY_QUERIES = 40;

/** Would run for hours: 27,000,000,000 combinations of three rows. */
const ENDLESS = 'SELECT count(*) AS n FROM m a CROSS JOIN m b CROSS JOIN m c WHERE a.v + b.v + c.v = -1';

async function withRows(server: TestServer): Promise<void> {
  await server.writeOk('db', Array.from({ length: 3000 }, (_, i) => `m,host=h${i % 10} v=${i}i,s="x${i}" ${i + 1}`).join('\n'));
}

test('short questions are answered while forty endless ones run and wait', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await withRows(server);
  const leaving = new AbortController();
  let settled = 0;
  const endless = Array.from({ length: HEAVY_QUERIES }, async () => {
    const body = JSON.stringify({ db: 'db', q: ENDLESS, format: 'json' });
    const patient = { method: 'POST', body, signal: leaving.signal, headersTimeout: 0 } as const; // `fetch` gives up after five minutes
    await request(`${server.url}/api/v3/query_sql`, patient).catch(() => undefined); // they are left
    settled++;
  });
  await until(async () => {
    const running = await server.rows('db', "SELECT count(*) AS n FROM system.queries WHERE running AND query_text LIKE '%CROSS JOIN%'");
    return Number(running[0]?.['n']) >= HEAVY_QUERIES ? true : undefined;
  });
  for (let i = 0; i < 8; i++) {
    assert.deepEqual(await server.rows('db', `SELECT upper(s) AS u FROM m WHERE s LIKE 'x${i}' ORDER BY v`), [{ u: `X${i}` }]);
    assert.equal(
      (await server.rows('db', 'SHOW TABLES')).some((row) => row['table_name'] === 'm'),
      true,
    );
    await server.writeOk('db', `m,host=late v=1i,s="late" ${1000 + i}`);
  }
  assert.equal(settled, 0);
  leaving.abort();
  await Promise.all(endless);
  // Those that ran are ended, those that waited have left the queue: a long question has its turn at once.
  assert.deepEqual(await server.rows('db', "SELECT count(*) AS n FROM m a CROSS JOIN m b WHERE a.host = 'h1' AND b.v < -1"), [{ n: 0 }]);
});

test('the time that a question waits for its turn counts', async (t) => {
  const server = await startServer(t, await testDirectory(t), { args: ['--query-timeout', '3s'] });
  await withRows(server);
  const answers = await Promise.all(Array.from({ length: 10 }, () => server.sql('db', ENDLESS)));
  for (const answer of answers) {
    assert.equal(answer.status, 500);
    assert.equal(await answer.text(), 'query error: the query ran longer than the server allows');
  }
});
