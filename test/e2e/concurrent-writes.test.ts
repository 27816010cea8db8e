import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { InfluxDB, Point, setLogger } from '@influxdata/influxdb-client';
import { sharedServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

/** The client's own log would only fill the test output. */
setLogger({ error: () => {}, warn: () => {} });

/** The client's own ten seconds are few on a busy machine. */
const PATIENCE_MS = 120_000;

const zip = promisify(gzip);
const CLIENTS = 8;
const shared = sharedServer();

interface StoredRow {
  readonly client: string;
  readonly v: number;
  readonly s: string;
}

/** The rows of one client: every value follows from client and number. */
function linesOf(table: string, client: number, rows: number): string {
  return Array.from(
    { length: rows },
    (_, n) => `${table},client=c${client} v=${client * 100_000 + n}i,s="c${client}-${n}" ${n + 1}\n`,
  ).join('');
}

async function send(server: TestServer, db: string, lines: string, zipped: boolean): Promise<number> {
  const body = zipped ? await zip(lines) : lines;
  const headers = zipped ? { 'content-encoding': 'gzip' } : {};
  const response = await fetch(`${server.url}/api/v3/write_lp?db=${db}&precision=nanosecond`, { method: 'POST', headers, body });
  await response.arrayBuffer();
  return response.status;
}

/** All rows of a table are those of the clients, value by value. */
async function checkRows(server: TestServer, db: string, table: string, rows: number): Promise<void> {
  const found = (await server.rows(db, `SELECT client, v, s FROM ${table}`)) as unknown as StoredRow[];
  const texts = new Set(found.map(({ client, v, s }) => `${client} ${v} ${s}`));
  for (let client = 0; client < CLIENTS; client++) {
    for (let n = 0; n < rows; n++)
      assert.ok(texts.has(`c${client} ${client * 100_000 + n} c${client}-${n}`), `${table}: c${client}-${n} is missing`);
  }
  assert.equal(found.length, CLIENTS * rows, table);
}

for (const zipped of [false, true]) {
  test(`the first lines of a table from eight clients at once are all stored as sent${zipped ? ', zipped' : ''}`, async () => {
    const server = await shared();
    const names = zipped ? 'zipped' : 'plain';
    await server.writeOk(names, 'begun v=1i 1\n');
    const sizes = [1, 10, 300, 2000];
    for (const [round, rows] of sizes.entries()) {
      for (const db of [names, `${names}${round}`]) {
        const table = `t${round}`;
        const statuses = await Promise.all(
          Array.from({ length: CLIENTS }, (_, client) => send(server, db, linesOf(table, client, rows), zipped)),
        );
        assert.deepEqual(new Set(statuses), new Set([204]));
        await checkRows(server, db, table, rows);
      }
    }
  });
}

test('5,000 points of the v2 client in zipped batches of 1,000 are all stored, each with its own value', async () => {
  const server = await shared();
  for (let round = 0; round < 3; round++) {
    const bucket = `points${round}`;
    const answers: string[] = [];
    await server.writeOk(bucket, 'begun v=1i 1\n');
    const api = new InfluxDB({ url: server.url, token: 'any', timeout: PATIENCE_MS }).getWriteApi('org', bucket, 'ns', {
      batchSize: 1000,
      maxRetries: 0,
      flushInterval: 0,
      gzipThreshold: 1000,
      writeSuccess: () => void answers.push('stored'),
      writeFailed: async (error) => void answers.push(error.message),
    });
    for (let i = 0; i < 5000; i++) {
      api.writePoint(
        new Point('m')
          .tag('sensor', `s${i % 50}`)
          .intField('v', i)
          .stringField('s', `text ${i}`)
          .timestamp(String(1_700_000_000_000_000_000n + BigInt(i))),
      );
    }
    await api.close();
    await until(async () => (answers.length === 5 ? answers : undefined)); // `close` does not wait for batches that are on their way
    assert.deepEqual(answers, ['stored', 'stored', 'stored', 'stored', 'stored']);
    const [sums] = await server.rows(bucket, 'SELECT COUNT(*) AS n, SUM(v) AS total, COUNT(DISTINCT s) AS texts FROM m');
    assert.deepEqual(sums, { n: 5000, total: (4999 * 5000) / 2, texts: 5000 });
    const wrong = await server.rows(
      bucket,
      "SELECT v FROM m WHERE s <> CONCAT('text ', CAST(v AS VARCHAR)) OR sensor <> CONCAT('s', CAST(v % 50 AS VARCHAR))",
    );
    assert.deepEqual(wrong, []);
  }
});

test('a body that is refused as too sparse changes no row of the next write', async () => {
  const server = await shared();
  const columns = 900;
  const known = Array.from({ length: 300 }, (_, i) => `other,host=h${i} v=${i}i ${i + 1}\n`).join('');
  await server.writeOk('db', `wide,host=a ${Array.from({ length: columns }, (_, i) => `f${i}=0i`).join(',')} 1\n${known}`);
  const many = Array.from({ length: 60_000 }, () => 'wide,host=a f0=1i\n').join('');
  const waiting = Array.from({ length: 50 }, (_, i) => `other,host=refused${i} v=7i 1\n`).join('');
  const spread = Array.from({ length: columns }, (_, i) => `wide,host=a f${i}=1i\n`).join('');
  for (let round = 0; round < 2; round++) {
    const refused = await server.write('db', many + waiting + spread);
    assert.equal(refused.status, 413, await refused.text());
    await server.writeOk('db', known.replaceAll('v=', 'w='));
    const rows = await server.rows('db', 'SELECT host, v, w FROM other ORDER BY v');
    assert.deepEqual(
      rows,
      Array.from({ length: 300 }, (_, i) => ({ host: `h${i}`, v: i, w: i })),
    );
  }
});
