import { setTimeout as delay } from 'node:timers/promises';
import { influxdb3 } from './influxdb3.ts';
import { batchesOf, ingest, percentile } from './ingest.ts';
import type { Runner } from './runner.ts';
import type { RunningServer } from './running-server.ts';

const START_NS = 1_704_067_200_000_000_000n;
/** Everything that is buffered goes to files as soon as the next write comes. */
const PERSIST_AT_ONCE = ['--force-snapshot-mem-threshold', '1b'];
const CHUNK_NS = 600_000_000_000n;

/** What only our own server is asked: many tables, many files, large results. */
export async function measureScale(runner: Runner): Promise<void> {
  const own = runner.targets.find((target) => target.debian === undefined);
  if (own === undefined) return;
  process.stderr.write(`scale: ${own.name}\n`);
  await tables(runner, own.name);
  await files(runner, own.name);
  await exports(runner, own.name);
}

async function tables(runner: Runner, name: string): Promise<void> {
  const count = runner.options.quick ? 200 : 2000;
  for (const tableCount of [1, count]) {
    await runner.withServer(influxdb3(name, []), async (server) => {
      for (let first = 0; first < tableCount; first += 100) {
        const lines: string[] = [];
        for (let table = first; table < Math.min(first + 100, tableCount); table++) {
          for (let i = 0; i < 10; i++) lines.push(`t${table},k=a v=${i}i ${START_NS + BigInt(i)}`);
        }
        await write(server, lines);
      }
      const label = `count of one table, ${tableCount.toLocaleString('en-US')} table(s) in the database`;
      runner.report.add(runner.report.measure('Scale', label, 'ms', false), name, await medianMs(server, 'SELECT count(*) FROM t0'));
    });
  }
}

async function files(runner: Runner, name: string): Promise<void> {
  const count = runner.options.quick ? 500 : 10_000;
  for (const fileCount of [10, count]) {
    await runner.withServer(influxdb3(name, PERSIST_AT_ONCE), async (server) => {
      const perWrite = 500;
      for (let first = 0; first < fileCount; first += perWrite) {
        const lines: string[] = [];
        for (let chunk = first; chunk < Math.min(first + perWrite, fileCount); chunk++) {
          for (let i = 0; i < 100; i++) lines.push(`t,k=k${i % 10} v=${i}i ${START_NS + BigInt(chunk) * CHUNK_NS + BigInt(i)}`);
        }
        await write(server, lines);
      }
      const found = await settledFiles(server, fileCount);
      const label = `one hour of a table of ${fileCount.toLocaleString('en-US')} chunks`;
      process.stderr.write(`scale: ${found} files\n`);
      const hour = "time >= '2024-01-01T00:10:00Z' AND time < '2024-01-01T01:10:00Z'";
      const statement = `SELECT k, max(v) FROM t WHERE ${hour} GROUP BY k`;
      runner.report.add(runner.report.measure('Scale', label, 'ms', false), name, await medianMs(server, statement));
    });
  }
}

/** Waits until the buffer has gone to files, or nothing changes any more; returns their number. */
async function settledFiles(server: RunningServer, atLeast: number): Promise<number> {
  let found = 0;
  for (let waited = 0; waited < 60 && found < atLeast * 0.9; waited++) {
    await delay(1000);
    const body = await query(server, "SELECT count(*) AS n FROM system.parquet_files WHERE table_name = 't'", 'json');
    found = (JSON.parse(body) as { n: number }[])[0]?.n ?? 0;
    if (found < atLeast * 0.9) await write(server, [`poke v=${waited}i ${START_NS + BigInt(waited)}`]);
  }
  return found;
}

async function exports(runner: Runner, name: string): Promise<void> {
  const { report } = runner;
  const rows = runner.options.quick ? 100_000 : 1_000_000;
  for (const [shape, table] of [
    ['narrow', 'temp'],
    ['cpu100', 'cpu'],
  ] as const) {
    await runner.withServer(influxdb3(name, []), async (server) => {
      await ingest(server, batchesOf(shape, rows, 5000), { connections: 4, maxMs: 600_000, noSync: false });
      for (const format of ['csv', 'jsonl']) {
        const started = performance.now();
        const body = await query(server, `SELECT * FROM ${table}`, format);
        const secs = (performance.now() - started) / 1000;
        const lines = body.split('\n').length - 1;
        if (lines < rows) throw new Error(`${lines} lines of ${rows} rows`);
        report.add(report.measure('Scale', `all ${rows / 1e6} million rows of ${shape} as ${format}`, 'rows/s', true), name, rows / secs);
      }
    });
  }
}

async function write(server: RunningServer, lines: readonly string[]): Promise<void> {
  await server.request('POST', server.target.writePath(false), lines.join('\n'));
}

function query(server: RunningServer, q: string, format: string): Promise<string> {
  return server.request('POST', '/api/v3/query_sql', JSON.stringify({ db: 'bench', q, format }));
}

async function medianMs(server: RunningServer, q: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 60; i++) {
    const started = performance.now();
    await query(server, q, 'json');
    times.push(performance.now() - started);
  }
  return percentile(times.slice(1), 0.5);
}
