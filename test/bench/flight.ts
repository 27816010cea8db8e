/**
 * Results over Arrow Flight beside the text formats of the same server: a million rows of two shapes (rows a second, and the server's
 * processor time a row) from a server that has just taken them in and from one that was started on them, the time until the first
 * rows of a short query are there, and the server's memory while ten million rows go to a reader that is slow.
 * Run: `npm run bench -- flight [--rows N] [--rounds N]`. Recorded in docs/performance.md, "Arrow Flight".
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { flightRequest, readFlight, readHttp1 } from './peers/byte-readers.ts';
import { influxdb3 } from './peers/influxdb3.ts';
import { batchesOf, ingest, percentile } from './peers/ingest.ts';
import { RunningServer } from './peers/running-server.ts';

const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '5' } } });
const rows = Number(values.rows);
const rounds = Number(values.rounds);

/** Ways to get a result; all answer to clients that look at no byte. */
const WAYS = ['csv', 'jsonl', 'arrow', 'flight'] as const;
type Way = (typeof WAYS)[number];

const ACCEPT: Readonly<Record<string, string>> = { arrow: 'application/vnd.apache.arrow.stream' };

/** Reads a result to its end; bytes. */
function read(server: RunningServer, way: Way, sql: string): Promise<number> {
  if (way === 'flight') return readFlight(server.url, { database: 'bench', sql_query: sql });
  const accept = ACCEPT[way];
  const body = JSON.stringify({ db: 'bench', q: sql, ...(accept === undefined ? { format: way } : {}) });
  return readHttp1(server.url, '/api/v3/query_sql', body, accept === undefined ? {} : { accept });
}

interface Cost {
  readonly rate: number;
  readonly nanos: number;
}

async function cost(server: RunningServer, way: Way, sql: string): Promise<Cost> {
  await settled(server);
  const [cpu, began] = [server.cpuSecs() ?? 0, performance.now()];
  const bytes = await read(server, way, sql);
  const secs = (performance.now() - began) / 1000;
  if (bytes < rows * 8) throw new Error(`${way}: ${bytes} bytes for ${rows} rows`);
  return { rate: rows / secs, nanos: (((server.cpuSecs() ?? 0) - cpu) * 1e9) / rows };
}

const CALM_MS = 300;
const CALM_WAITS_MAX = 200;

/** Waits until the server has nothing to do, a minute at most: snapshots and compaction come after a load, collections after a result. */
async function settled(server: RunningServer): Promise<void> {
  for (let calm = 0, waits = 0; calm < 3 && waits < CALM_WAITS_MAX; waits++) {
    const before = server.cpuSecs() ?? 0;
    await delay(CALM_MS);
    calm = (server.cpuSecs() ?? 0) - before <= 0.01 ? calm + 1 : 0;
  }
}

function median(costs: readonly Cost[], of: keyof Cost): number {
  return percentile(
    costs.map((each) => each[of]),
    0.5,
  );
}

/** Ways in turn, round for round, so that what else the machine does meets all of them. */
async function large(server: RunningServer, shape: string, table: string): Promise<void> {
  const sql = `SELECT * FROM ${table}`;
  const costs = new Map<Way, Cost[]>(WAYS.map((way) => [way, []]));
  for (const way of WAYS) await read(server, way, sql);
  for (let round = 0; round < rounds; round++) {
    for (const way of WAYS) costs.get(way)?.push(await cost(server, way, sql));
  }
  const csv = costs.get('csv') ?? [];
  for (const [way, found] of costs) {
    const [rate, nanos] = [median(found, 'rate'), median(found, 'nanos')];
    const ratios = `${(rate / median(csv, 'rate')).toFixed(2)}x the rate and ${(nanos / median(csv, 'nanos')).toFixed(2)}x the processor time of CSV`;
    console.log(`${shape} ${way}: ${Math.round(rate).toLocaleString('en-US')} rows/s, ${Math.round(nanos)} ns a row; ${ratios}`);
  }
}

const SHORT_ROUNDS = 600;

/** Time to the first record batch of a short query beside the time to its JSON, in turn. */
async function short(server: RunningServer, name: string, sql: string): Promise<void> {
  const session = connect(server.url);
  const times: Record<'json' | 'flight', number[]> = { json: [], flight: [] };
  for (let i = 0; i < SHORT_ROUNDS; i++) {
    const began = performance.now();
    await server.request('POST', '/api/v3/query_sql', JSON.stringify({ db: 'bench', q: sql, format: 'json' }));
    const answered = performance.now();
    await flightRequest(session, { database: 'bench', sql_query: sql }, { firstBatch: true });
    if (i < SHORT_ROUNDS / 3) continue; // code that is not compiled yet
    times.json.push(answered - began);
    times.flight.push(performance.now() - answered);
  }
  session.close();
  const [json, flight] = [percentile(times.json, 0.5), percentile(times.flight, 0.5)];
  const more = (flight - json).toFixed(2);
  console.log(`${name}: JSON after ${json.toFixed(2)} ms, first batch after ${flight.toFixed(2)} ms (${more} ms later), medians`);
}

const SLOW_ROWS = 10_000_000;
const SLOW_CHUNKS = 50;
const SLOW_PAUSE_MS = 5;

async function slowReader(server: RunningServer): Promise<void> {
  const resident = (): number => (server.residentBytes() ?? 0) / 2 ** 20;
  const before = resident();
  let peak = before;
  let chunks = 0;
  const session = connect(server.url);
  const sql = `SELECT a.value * 1.5 AS v, a.value AS i FROM generate_series(1, ${SLOW_ROWS}) AS a`;
  const onData = async (): Promise<void> => {
    if (++chunks % SLOW_CHUNKS !== 0) return;
    peak = Math.max(peak, resident());
    await delay(SLOW_PAUSE_MS);
  };
  const bytes = await flightRequest(session, { database: 'bench', sql_query: sql }, { onData });
  session.close();
  const read = `${Math.round(bytes / 2 ** 20)} MB of ten million rows to a slow reader`;
  console.log(`${read}: server memory ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most`);
}

/** Shapes of line protocol, and the tables that they are written to. */
const SHAPES = [
  ['narrow', 'temp'],
  ['cpu100', 'cpu'],
] as const;

const directory = mkdtempSync(join(tmpdir(), 'flight-bench-'));
let server = await RunningServer.start(influxdb3('influxdb3', []), join(directory, 'server'));
try {
  for (const [shape, table] of SHAPES) {
    await ingest(server, batchesOf(shape, rows, 5000), { connections: 4, maxMs: 600_000, noSync: false });
    await large(server, shape, table);
  }
  const first = "'2024-01-01T00:01:00Z'";
  await short(server, 'short query, columns in memory', `SELECT sensor, max(value) FROM temp WHERE time < ${first} GROUP BY sensor`);
  await short(server, 'short query, DuckDB', `SELECT sensor, value FROM temp WHERE time < ${first} AND sensor LIKE 's1%' ORDER BY value`);
  await slowReader(server);
  server = await server.startedAnew();
  for (const [shape, table] of SHAPES) await large(server, `started anew, ${shape}`, table);
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
