import { setTimeout as delay } from 'node:timers/promises';
import type { ShapeName } from '../line-protocol-shapes.ts';
import { ingestBodies, percentile } from './ingest.ts';
import { question } from './questions.ts';
import { RollingBatches } from './rolling-batches.ts';
import type { Runner } from './runner.ts';
import type { RunningServer } from './running-server.ts';
import { WriteConnection } from './write-connection.ts';

const BATCH_ROWS = 5000;
const CONNECTIONS = 4;

/** Rows that span less than a round of `RollingBatches`. */
const ROUND_ROWS: Readonly<Record<ShapeName, number>> = {
  cpu100: 90_000,
  cpu4000: 600_000,
  narrow: 900_000,
  wide: 45_000,
  strings: 180_000,
};

/** One minute of large batches of each shape. */
export async function compareSustained(runner: Runner): Promise<void> {
  const { report } = runner;
  const maxMs = runner.options.quick ? 10_000 : 60_000;
  const section = `Sustained load, ${maxMs / 1000} s`;
  for (const shape of runner.options.shapes) {
    const rate = report.measure(section, shape, 'rows/s', true);
    const unsynced = report.measure(section, `${shape}, ours with no_sync=true`, 'rows/s', true);
    for (const target of runner.targets) {
      const ours = target.debian === undefined;
      for (const noSync of ours ? [false, true] : [false]) {
        process.stderr.write(`sustained ${shape}${noSync ? ', no_sync' : ''}: ${target.name}\n`);
        await runner.withServer(target, async (server) => {
          const batches = new RollingBatches(shape, ROUND_ROWS[shape], BATCH_ROWS);
          const result = await ingestBodies(server, batches, { connections: CONNECTIONS, maxMs, noSync });
          if (!noSync) report.add(rate, target.name, result.rowsPerSec);
          if (noSync || !ours) report.add(unsynced, target.name, result.rowsPerSec);
        });
      }
    }
  }
}

/** Memory after ten million rows. */
export async function compareMemory(runner: Runner): Promise<void> {
  const { report } = runner;
  const rows = runner.options.quick ? 1_000_000 : 10_000_000;
  const measures = [5, 15].map((secs) => ({
    secs,
    measure: report.measure('Memory', `resident, ${secs} s after ${rows / 1e6} million rows of cpu100`, 'MB', false),
  }));
  for (const target of runner.targets) {
    process.stderr.write(`memory: ${target.name}\n`);
    await runner.withServer(target, async (server) => {
      const batches = new RollingBatches('cpu100', ROUND_ROWS.cpu100, BATCH_ROWS);
      await ingestBodies(server, batches, { connections: CONNECTIONS, maxMs: 600_000, noSync: false, batchesMax: rows / BATCH_ROWS });
      const loaded = performance.now();
      for (const { secs, measure } of measures) {
        await delay(Math.max(0, loaded + secs * 1000 - performance.now()));
        const bytes = server.residentBytes();
        report.add(measure, target.name, bytes === undefined ? undefined : bytes / 1e6);
      }
    });
  }
}

/** What a server does when nobody asks anything of it, after some rows were written. */
export async function compareIdle(runner: Runner): Promise<void> {
  const { report } = runner;
  const cpu = report.measure('Idle, 20 s', 'processor', '%', false);
  const written = report.measure('Idle, 20 s', 'bytes written', 'bytes', false);
  for (const target of runner.targets) {
    process.stderr.write(`idle: ${target.name}\n`);
    await runner.withServer(target, async (server) => {
      const batches = new RollingBatches('cpu100', ROUND_ROWS.cpu100, 1000);
      await ingestBodies(server, batches, { connections: 1, maxMs: 10_000, noSync: false, batchesMax: 20 });
      await delay(15_000);
      const [cpuBefore, bytesBefore] = [server.cpuSecs(), server.writtenBytes()];
      await delay(20_000);
      const [cpuAfter, bytesAfter] = [server.cpuSecs(), server.writtenBytes()];
      report.add(cpu, target.name, cpuBefore === undefined || cpuAfter === undefined ? undefined : (cpuAfter - cpuBefore) * 5);
      report.add(written, target.name, bytesBefore === undefined || bytesAfter === undefined ? undefined : bytesAfter - bytesBefore);
    });
  }
}

/** Time to the acknowledgement of paced writes, without and with four dashboards that ask all the time. */
export async function compareDashboards(runner: Runner): Promise<void> {
  const { report } = runner;
  const section = 'Writes of 100 rows, 50 a second, and four dashboards';
  const alone = report.measure(section, 'p99 without dashboards', 'ms', false);
  const beside = report.measure(section, 'p99 with dashboards', 'ms', false);
  const asked = report.measure(section, 'questions answered', '1/s', true);
  for (const target of runner.targets) {
    process.stderr.write(`dashboards: ${target.name}\n`);
    await runner.withServer(target, async (server) => {
      const load = new RollingBatches('cpu100', ROUND_ROWS.cpu100, BATCH_ROWS);
      await ingestBodies(server, load, { connections: 1, maxMs: 60_000, noSync: false, batchesMax: ROUND_ROWS.cpu100 / BATCH_ROWS });
      const paced = new RollingBatches('narrow', 300_000, 100);
      const secs = runner.options.quick ? 5 : 15;
      await writePaced(server, paced, 2);
      report.add(alone, target.name, percentile(await writePaced(server, paced, secs), 0.99));
      const stop = new AbortController();
      const dashboards = Array.from({ length: 4 }, (_, i) => pollDashboard(server, i, stop.signal));
      const times = await writePaced(server, paced, secs);
      stop.abort();
      const questions = (await Promise.all(dashboards)).reduce((sum, count) => sum + count, 0);
      report.add(beside, target.name, percentile(times, 0.99));
      report.add(asked, target.name, questions / secs);
    });
  }
}

const START_SECS = 1_704_067_200;

/** Four panels every quarter of a second, one after the other. Returns how many were answered. */
async function pollDashboard(server: RunningServer, number: number, stop: AbortSignal): Promise<number> {
  let answered = 0;
  for (let round = number; !stop.aborted; round += 4) {
    const due = performance.now() + 250;
    for (const name of ['single-groupby-1-1-1', 'single-groupby-5-8-1', 'double-groupby-1', 'count'] as const) {
      if (stop.aborted) break;
      if ((await server.ask(question(name, round, START_SECS, 2))) !== undefined) answered++;
    }
    await delay(Math.max(0, due - performance.now()));
  }
  return answered;
}

/** 50 writes a second for `secs`, each at its time or as soon after it as the one before is acknowledged. */
async function writePaced(server: RunningServer, batches: RollingBatches, secs: number): Promise<number[]> {
  const connection = await WriteConnection.open(server.url, server.target.writePath(false));
  const times: number[] = [];
  const started = performance.now();
  for (let i = 0; i < secs * 50; i++) {
    const due = started + i * 20;
    if (performance.now() < due) await delay(due - performance.now());
    const sent = performance.now();
    await connection.post(batches.next());
    times.push(performance.now() - sent);
  }
  connection.close();
  return times;
}

/** How the rate of ingest and the time of a query change as series, tables and files grow. */
export async function compareGrowth(runner: Runner): Promise<void> {
  const { report } = runner;
  const million = runner.options.quick ? 100_000 : 1_000_000;
  const few = report.measure('Growth', '4,000 series', 'rows/s', true);
  const first = report.measure('Growth', `${million.toLocaleString('en-US')} series, each for the first time`, 'rows/s', true);
  const again = report.measure('Growth', `${million.toLocaleString('en-US')} series, known`, 'rows/s', true);
  for (const target of runner.targets) {
    process.stderr.write(`growth: ${target.name}\n`);
    for (const [series, measures] of [
      [4000, [few]],
      [million, [first, again]],
    ] as const) {
      await runner.withServer(target, async (server) => {
        let round = 0;
        for (const measure of measures) {
          const bodies = seriesBodies(series, million, round++);
          const result = await ingestBodies(
            server,
            { rowsPerBatch: BATCH_ROWS, next: () => bodies.shift() as Buffer },
            {
              connections: CONNECTIONS,
              maxMs: 600_000,
              noSync: false,
              batchesMax: bodies.length,
            },
          );
          report.add(measure, target.name, result.rowsPerSec);
        }
      });
    }
  }
}

/** `rows` rows over `series` series with two tags. */
function seriesBodies(series: number, rows: number, round: number): Buffer[] {
  const bodies: Buffer[] = [];
  for (let start = 0; start < rows; start += BATCH_ROWS) {
    const lines: string[] = [];
    for (let row = start; row < start + BATCH_ROWS; row++) {
      const id = row % series;
      const time = START_SECS + round * 100_000 + Math.floor(row / series) * 10;
      lines.push(`device,id=device_${id},region=region_${id % 10} value=${(row * 7919) % 1000}.5 ${time}000000000\n`);
    }
    bodies.push(Buffer.from(lines.join('')));
  }
  return bodies;
}
