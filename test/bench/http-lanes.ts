/**
 * What each way of a small write through the HTTP server costs: read by the raw lane, or by `node:http` and fastify.
 * Run: `npm run bench -- http-lanes [--rounds N] [--seconds S] [--directory D]`. Lanes are measured in turn on one server, so that
 * noise of the machine meets all; medians over the rounds are printed. Numbers are in docs/performance.md, "HTTP lanes".
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { influxdb3 } from './peers/influxdb3.ts';
import { batchesOf } from './peers/ingest.ts';
import { RunningServer } from './peers/running-server.ts';
import { WriteConnection } from './peers/write-connection.ts';

/** A field that changes nothing about a write, but is not in the raw lane's grammar. */
const LANES = [
  { name: 'raw', fields: '' },
  { name: 'node:http and fastify', fields: 'TE: trailers\r\n' },
] as const;
const CONNECTIONS = [1, 8, 64];
const BATCH_ROWS = 10;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    directory: { type: 'string', default: tmpdir() },
  },
});

interface Cost {
  readonly perSec: number;
  /** Processor time of the server, µs a request. */
  readonly cpuMicros: number;
}

async function load(server: RunningServer, connections: number, fields: string, bodies: readonly Buffer[]): Promise<Cost> {
  const path = server.target.writePath(false);
  const open = await Promise.all(Array.from({ length: connections }, () => WriteConnection.open(server.url, path, fields)));
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

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

// Without times: the server gives each row its own, so that no row is written twice.
const bodies = batchesOf('cpu100', 20_000, BATCH_ROWS).bodies.map((body) => Buffer.from(body.toString().replaceAll(/ \d+$/gm, '')));
const server = await RunningServer.start(influxdb3('influxdb3', []), mkdtempSync(join(options.directory, 'influxdb3-lanes-')));
try {
  for (const { fields } of LANES) await load(server, 8, fields, bodies); // compiled from here on
  const costs = new Map<string, Cost[]>();
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const connections of CONNECTIONS) {
      for (const { name, fields } of LANES) {
        const key = `| ${name} | ${connections}`;
        const cost = await load(server, connections, fields, bodies);
        costs.set(key, [...(costs.get(key) ?? []), cost]);
      }
    }
  }
  console.log('| lane | connections | requests/s | processor time, µs a request |\n| --- | ---: | ---: | ---: |');
  for (const [key, measured] of costs) {
    const perSec = median(measured.map((cost) => cost.perSec));
    console.log(`${key} | ${Math.round(perSec)} | ${median(measured.map((cost) => cost.cpuMicros)).toFixed(1)} |`);
  }
} finally {
  await server.stop();
}
