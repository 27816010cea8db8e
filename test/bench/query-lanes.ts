/**
 * How long short queries take beside forty heavy ones, which are sent again as soon as they are answered: 2,000,000 rows, heavy
 * ones group and count distinct texts. Run: `node .build/all/test/bench/query-lanes.js [seconds] [program]`; the program is
 * another build's `bin/influxdb3.js`. Recorded in docs/performance.md, "More, measured by hand".
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TestServer } from '../support/server.ts';

const HEAVY_CLIENTS = 40;
const BATCHES = 100;
const BATCH_ROWS = 20_000;
const PAUSE_MS = 20;

const heavy = 'SELECT host, count(DISTINCT text || CAST(v AS VARCHAR)) AS n, max(w) FROM m GROUP BY host ORDER BY n DESC LIMIT 5';
const short = [
  "SELECT host, s, v FROM small WHERE s LIKE 'x1%' ORDER BY v DESC",
  'SELECT upper(s) AS u, v FROM small LIMIT 3',
  "SELECT * FROM m WHERE host = 'h7' AND text = 't507' LIMIT 2",
  'SHOW TABLES',
];

async function fill(server: TestServer): Promise<void> {
  for (let batch = 0; batch < BATCHES; batch++) {
    const lines = Array.from({ length: BATCH_ROWS }, (_, i) => {
      const n = batch * BATCH_ROWS + i;
      return `m,host=h${n % 500} v=${n}i,w=${(n * 7919) % 10007}.5,text="t${n % 1000}" ${1_700_000_000_000n + BigInt(n)}`;
    });
    await server.writeOk('db', lines.join('\n'), '&precision=ms');
  }
  await server.writeOk('db', Array.from({ length: 100 }, (_, i) => `small,host=h${i} v=${i}i,s="x${i}" ${i + 1}`).join('\n'));
}

async function timed(server: TestServer, sql: string): Promise<number> {
  const started = performance.now();
  await server.rows('db', sql);
  return performance.now() - started;
}

async function measure(server: TestServer, seconds: number): Promise<void> {
  await fill(server);
  console.log(`alone: heavy ${(await timed(server, heavy)).toFixed(0)} ms`);
  for (const sql of short) console.log(`alone: ${(await timed(server, sql)).toFixed(1)} ms  ${sql}`);
  const endMs = performance.now() + seconds * 1000;
  let answered = 0;
  const clients = Array.from({ length: HEAVY_CLIENTS }, async () => {
    while (performance.now() < endMs) {
      await server.rows('db', heavy);
      if (performance.now() < endMs) answered++;
    }
  });
  clients.forEach((client) => {
    client.catch(() => undefined); // the server is killed under the last ones
  });
  const times: number[] = [];
  for (let i = 0; performance.now() < endMs; i++) {
    times.push(await timed(server, short[i % short.length] as string));
    await delay(PAUSE_MS);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(0);
  console.log(
    `beside ${HEAVY_CLIENTS} heavy: ${times.length} short, median ${at(0.5)} ms, p99 ${at(0.99)}, max ${at(1)}; ${answered} heavy`,
  );
}

const [seconds, program] = process.argv.slice(2);
const directory = await mkdtemp(join(tmpdir(), 'influxdb3-lanes-'));
const server = await TestServer.start(directory, program === undefined ? {} : { program });
try {
  await measure(server, Number(seconds ?? 20));
} finally {
  await server.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
}
