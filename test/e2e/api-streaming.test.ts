import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';

const SIDE = 1733;
/** Each row of the table with each: just over three million rows. */
const ROWS = SIDE * SIDE;
const CROSS = 'SELECT a.v AS x, b.v AS y, a.host AS host FROM m AS a CROSS JOIN m AS b';
const GROWTH_BYTES_MAX = 150 * 1024 * 1024;

async function filled(t: { after(fn: () => Promise<void>): void }): Promise<TestServer> {
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk('db', Array.from({ length: SIDE }, (_, i) => `m,host=h${i % 7} v=${i}i ${i}`).join('\n'), '&precision=ns');
  return server;
}

/** Opens a query whose answer nobody reads yet. */
function open(server: TestServer, q: string, format: string): Promise<IncomingMessage> {
  const url = `${server.url}/api/v3/query_sql?db=db&format=${format}&q=${encodeURIComponent(q)}`;
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, resolve).on('error', reject);
  });
}

/** Resident memory of the server in bytes. */
function residentBytes(server: TestServer): number {
  const status = readFileSync(`/proc/${server.child.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

for (const format of ['csv', 'jsonl']) {
  test(`three million rows as ${format} arrive whole and do not grow the server`, async (t) => {
    const server = await filled(t);
    // A first long answer brings the server to its working size.
    for await (const _ of await open(server, `${CROSS} LIMIT 300000`, format)) void _;
    const before = residentBytes(server);
    let lines = 0;
    let peak = before;
    let chunks = 0;
    for await (const chunk of await open(server, CROSS, format)) {
      for (const byte of chunk as Buffer) if (byte === 0x0a) lines++;
      if (++chunks % 200 === 0) peak = Math.max(peak, residentBytes(server));
    }
    assert.equal(lines, format === 'csv' ? ROWS + 1 : ROWS);
    assert.ok(peak - before < GROWTH_BYTES_MAX, `grew by ${Math.round((peak - before) / 1e6)} MB`);
  });
}

test('slow readers do not delay others; those that leave end their queries', async (t) => {
  const server = await filled(t);
  const slow = await Promise.all(Array.from({ length: 3 }, () => open(server, CROSS, 'csv')));
  assert.deepEqual(await server.rows('db', 'SELECT count(*) AS n FROM m'), [{ n: SIDE }]);
  await server.writeOk('db', 'other v=1i 1', '&precision=ns');
  const running = "SELECT count(*) AS n FROM system.queries WHERE running AND query_text LIKE '%CROSS JOIN m AS b'";
  assert.deepEqual(await server.rows('db', running), [{ n: 3 }]);
  for (const response of slow) response.destroy();
  let left = 3;
  while (left > 0) left = Number((await server.rows('db', running))[0]?.['n']);
  assert.deepEqual(await server.rows('db', "SELECT DISTINCT phase FROM system.queries WHERE query_text LIKE '%CROSS JOIN m AS b'"), [
    { phase: 'cancel' },
  ]);
});
