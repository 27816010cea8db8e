/**
 * What each way of a small write through the HTTP server costs: read by the raw lane, or by `node:http` and fastify.
 * Run: `npm run bench -- http-lanes [--rounds N] [--seconds S] [--directory D]`. Lanes are measured in turn on one server, so that
 * noise of the machine meets all; medians over the rounds are printed. "HTTP alone" is a server that throws the writes away.
 * Numbers are in docs/performance.md, "HTTP lanes".
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { testServer } from '../http/fakes.ts';
import { influxdb3 } from './peers/influxdb3.ts';
import { batchesOf } from './peers/ingest.ts';
import { RunningServer } from './peers/running-server.ts';
import { WriteConnection } from './peers/write-connection.ts';

/** The second has a field that changes nothing about a write, but is not in the raw lane's grammar. */
const LANES = [
  { name: 'raw', fields: '' },
  { name: 'node:http and fastify', fields: 'TE: trailers\r\n' },
] as const;
const CONNECTIONS = [1, 8, 64];
const BATCH_ROWS = 10;
const PATH = '/api/v3/write_lp?db=bench';

/** Clock ticks a second of `/proc/<pid>/stat`. */
const TICKS_PER_SECOND = 100;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    directory: { type: 'string', default: tmpdir() },
    'http-alone': { type: 'boolean', default: false },
  },
});

interface Server {
  readonly url: string;
  cpuSecs(): number | undefined;
}

interface Cost {
  readonly perSec: number;
  /** Processor time of the server, µs a request. */
  readonly cpuMicros: number;
}

async function load(server: Server, connections: number, fields: string, bodies: readonly Buffer[]): Promise<Cost> {
  const open = await Promise.all(Array.from({ length: connections }, () => WriteConnection.open(server.url, PATH, fields)));
  const cpuBefore = server.cpuSecs() ?? Number.NaN;
  const started = performance.now();
  const end = started + Number(options.seconds) * 1000;
  let requests = 0;
  await Promise.all(
    open.map(async (connection) => {
      while (performance.now() < end) await connection.post(bodies[requests++ % bodies.length] as Buffer);
    }),
  );
  const secs = (performance.now() - started) / 1000;
  const cpuMicros = (((server.cpuSecs() ?? Number.NaN) - cpuBefore) * 1e6) / requests;
  for (const connection of open) connection.close();
  return { perSec: requests / secs, cpuMicros };
}

/** Prints a table row for each lane and number of connections. */
async function compareLanes(what: string, server: Server, bodies: readonly Buffer[]): Promise<void> {
  for (const { fields } of LANES) await load(server, 8, fields, bodies); // compiled from here on
  const costs = new Map<string, Cost[]>();
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const connections of CONNECTIONS) {
      for (const { name, fields } of LANES) {
        const key = `| ${what} | ${connections} | ${name}`;
        costs.set(key, [...(costs.get(key) ?? []), await load(server, connections, fields, bodies)]);
      }
    }
  }
  for (const [key, measured] of costs) {
    const perSec = median(measured.map((cost) => cost.perSec));
    console.log(`${key} | ${Math.round(perSec)} | ${median(measured.map((cost) => cost.cpuMicros)).toFixed(1)} |`);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** The process of "HTTP alone": tells its parent the port. */
async function serveHttpAlone(): Promise<void> {
  const outcome = { acceptedLines: BATCH_ROWS, acceptedBytes: 0, lineErrors: [] };
  const { server } = await testServer({ writeService: { write: async () => outcome }, maxBodyBytes: 10_000_000 });
  const { port } = await server.listen('127.0.0.1', 0);
  process.send?.(port);
}

async function withHttpAlone(use: (server: Server) => Promise<void>): Promise<void> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), ['--http-alone']);
  try {
    const [port] = (await once(child, 'message')) as [number];
    await use({ url: `http://127.0.0.1:${port}`, cpuSecs: () => cpuSecsOf(child.pid) });
  } finally {
    child.kill();
  }
}

function cpuSecsOf(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function main(): Promise<void> {
  // Without times: the server gives each row its own, so that no row is written twice.
  const bodies = batchesOf('cpu100', 20_000, BATCH_ROWS).bodies.map((body) => Buffer.from(body.toString().replaceAll(/ \d+$/gm, '')));
  console.log('| server | connections | lane | requests/s | processor time, µs a request |\n| --- | ---: | --- | ---: | ---: |');
  await withHttpAlone((server) => compareLanes('HTTP alone', server, bodies));
  const server = await RunningServer.start(influxdb3('influxdb3', []), mkdtempSync(join(options.directory, 'influxdb3-lanes-')));
  try {
    await compareLanes('whole', server, bodies);
  } finally {
    await server.stop();
  }
}

await (options['http-alone'] ? serveHttpAlone() : main());
