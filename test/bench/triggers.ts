/**
 * What triggers on writes cost: ingest of cpu4000 without a trigger and with one that counts rows, the time from the 204 of a lone write to the call
 * of a plugin, and the memory of a Python trigger that waits. All in turn, so that what else the machine does meets all of them.
 * Run: `npm run bench -- triggers [--rounds N] [--secs N]`. Recorded in docs/processing-engine.md, "What it costs".
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { influxdb3 } from './peers/influxdb3.ts';
import { ingestBodies, percentile } from './peers/ingest.ts';
import { RollingBatches } from './peers/rolling-batches.ts';
import { RunningServer } from './peers/running-server.ts';
import { WriteConnection } from './peers/write-connection.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, secs: { type: 'string', default: '5' } } });
const rounds = Number(values.rounds);
const maxMs = Number(values.secs) * 1000;

const BATCH_ROWS = 5000;
const CONNECTIONS = 4;
const ROUND_ROWS = 300_000;

const PYTHON_COUNT = `
def process_writes(influxdb3_local, table_batches, args=None):
    count = influxdb3_local.cache.get("count", 0)
    influxdb3_local.cache.put("count", count + sum(len(batch["rows"]) for batch in table_batches))
`;
const JAVASCRIPT_COUNT = `
let count = 0;
export function processWrites(api, batches) {
  for (const { rows } of batches) count += rows.length;
}
`;

/** Every plugin tells the row's number and the time of its call by the clock that all processes of the machine share. */
const PYTHON_LATENCY = `
import time
def process_writes(influxdb3_local, table_batches, args=None):
    now = time.monotonic_ns()
    influxdb3_local.info("called", table_batches[0]["rows"][0]["n"], now)
`;
const JAVASCRIPT_LATENCY = `
export function processWrites(api, [{ rows }]) {
  const now = process.hrtime.bigint();
  api.info('called', rows[0].n, now);
}
`;

/** How a trigger counts; rows as objects of their own, as plugins usually read them, or without them. */
const WAYS: Readonly<Record<string, { readonly file: string; readonly text: string } | undefined>> = {
  'no trigger': undefined,
  JavaScript: { file: 'count.js', text: JAVASCRIPT_COUNT },
  'JavaScript, without row objects': {
    file: 'few.js',
    text: JAVASCRIPT_COUNT.replace('{ rows }', '{ rowCount }').replace('rows.length', 'rowCount'),
  },
  Python: { file: 'count.py', text: PYTHON_COUNT },
};

const folder = mkdtempSync(join(tmpdir(), 'influxdb3-bench-triggers-'));
const pluginDir = join(folder, 'plugins');
mkdirSync(pluginDir);
let servers = 0;

function startServer(): Promise<RunningServer> {
  return RunningServer.start(influxdb3('influxdb3', ['--plugin-dir', pluginDir]), join(folder, `data-${servers++}`));
}

/** Writes the plugin and creates its trigger on all tables. */
async function addTrigger(server: RunningServer, file: string, text: string): Promise<void> {
  writeFileSync(join(pluginDir, file), text);
  await server.request('POST', '/api/v3/configure/database', JSON.stringify({ db: 'bench' }), { 'content-type': 'application/json' });
  const trigger = { db: 'bench', plugin_filename: file, trigger_name: 't', trigger_specification: 'all_tables' };
  const body = JSON.stringify({ ...trigger, trigger_settings: { run_async: false, error_behavior: 'log' }, disabled: false });
  await server.request('POST', '/api/v3/configure/processing_engine_trigger', body, { 'content-type': 'application/json' });
}

async function metric(server: RunningServer, name: string): Promise<number> {
  const found = new RegExp(`^influxdb3_trigger_${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(await server.request('GET', '/metrics'));
  return Number(found?.[1] ?? 0);
}

interface Ingested {
  readonly rate: number;
  readonly cpuMicros: number;
  /** Writes of the run that the trigger did not get, 0 to 1. */
  readonly skipped: number;
}

async function ingestWith(way: string): Promise<Ingested> {
  const server = await startServer();
  try {
    const plugin = WAYS[way];
    if (plugin !== undefined) await addTrigger(server, plugin.file, plugin.text);
    const batches = new RollingBatches('cpu4000', ROUND_ROWS, BATCH_ROWS);
    await ingestBodies(server, batches, { connections: CONNECTIONS, maxMs: 1500, noSync: false }); // the host starts, code gets compiled
    const before = await metric(server, 'batches_skipped_total');
    const { cpuMicrosPerRow, rowsPerSec } = await ingestBodies(server, batches, { connections: CONNECTIONS, maxMs, noSync: false });
    const writes = (rowsPerSec * maxMs) / 1000 / BATCH_ROWS;
    return {
      rate: rowsPerSec,
      cpuMicros: cpuMicrosPerRow ?? Number.NaN,
      skipped: ((await metric(server, 'batches_skipped_total')) - before) / writes,
    };
  } finally {
    await server.stop();
  }
}

const LONE_WRITES = 300;
const LONE_PAUSE_MS = 5;

/** Times from the answer of a lone write to the call of the plugin, ms. */
async function latencies(file: string, text: string): Promise<number[]> {
  const server = await startServer();
  try {
    await addTrigger(server, file, text);
    const connection = await WriteConnection.open(server.url, server.target.writePath(false));
    const answered = new Map<number, bigint>();
    for (let n = 0; n < LONE_WRITES; n++) {
      await connection.post(Buffer.from(`lone n=${n}i ${n + 1}`));
      answered.set(n, process.hrtime.bigint());
      await delay(LONE_PAUSE_MS);
    }
    connection.close();
    const q = "SELECT log_text FROM system.processing_engine_logs WHERE log_text LIKE 'called %'";
    let rows: { readonly log_text: string }[] = [];
    for (let waits = 0; rows.length < LONE_WRITES && waits < 200; waits++) {
      rows = JSON.parse(
        await server.request('POST', '/api/v3/query_sql', JSON.stringify({ db: 'bench', q, format: 'json' })),
      ) as typeof rows;
      await delay(50);
    }
    const calls = rows.map(({ log_text }) => log_text.split(' '));
    // the first calls wait for the start of the host
    return calls
      .filter(([, n]) => Number(n) >= LONE_WRITES / 10)
      .map(([, n, at]) => Number(BigInt(at ?? 0) - (answered.get(Number(n)) ?? 0n)) / 1e6);
  } finally {
    await server.stop();
  }
}

/** Memory of the process of a Python trigger that was called once and waits, MB. */
async function idleMemory(): Promise<{ readonly resident: number; readonly own: number }> {
  const server = await startServer();
  try {
    await addTrigger(server, 'count.py', PYTHON_COUNT);
    await server.request('POST', server.target.writePath(false), 'lone n=1i 1');
    let pid = '';
    for (let waits = 0; pid === '' && waits < 200; waits++) {
      await delay(50);
      if ((await metric(server, 'runs_total')) > 0) pid = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim();
    }
    await delay(1000);
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const megabytes = (name: string): number => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]) * 1024) / 1e6;
    return { resident: megabytes('Rss'), own: megabytes('Private_Clean') + megabytes('Private_Dirty') };
  } finally {
    await server.stop();
  }
}

function median(numbers: readonly number[]): number {
  return percentile(numbers, 0.5);
}

try {
  const results = new Map<string, Ingested[]>(Object.keys(WAYS).map((way) => [way, []]));
  for (let round = 0; round < rounds; round++) {
    for (const way of results.keys()) results.get(way)?.push(await ingestWith(way));
  }
  const base = median((results.get('no trigger') ?? []).map(({ rate }) => rate));
  for (const [way, found] of results) {
    const rate = median(found.map((each) => each.rate));
    const skipped = median(found.map((each) => each.skipped));
    const cpu = median(found.map(({ cpuMicros }) => cpuMicros));
    const parts = [
      `${Math.round(rate).toLocaleString('en-US')} rows/s`,
      `${(rate / base).toFixed(2)}x`,
      `${cpu.toFixed(2)} µs/row in the server`,
    ];
    console.log(
      `cpu4000, ${way}: ${parts.join(', ')}${way === 'no trigger' ? '' : `, ${(skipped * 100).toFixed(0)} % of the writes not delivered`}`,
    );
  }
  for (const [name, file, text] of [
    ['JavaScript', 'latency.js', JAVASCRIPT_LATENCY],
    ['Python', 'latency.py', PYTHON_LATENCY],
  ] as const) {
    const times = await latencies(file, text);
    console.log(
      `from 204 to call, ${name}: median ${median(times).toFixed(2)} ms, p99 ${percentile(times, 0.99).toFixed(2)} ms, ${times.length} writes`,
    );
  }
  const { own, resident } = await idleMemory();
  console.log(`idle Python trigger: ${resident.toFixed(1)} MB resident, ${own.toFixed(1)} MB of them its own`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
