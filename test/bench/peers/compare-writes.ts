import { setTimeout as delay } from 'node:timers/promises';
import type { ShapeName } from '../line-protocol-shapes.ts';
import { influxdb3 } from './influxdb3.ts';
import { batchesOf, ingest } from './ingest.ts';
import type { Runner } from './runner.ts';

/** Rows generated per shape: enough for the longest run of the fastest server, at most some 200 MB. */
const ROWS: Readonly<Record<ShapeName, number>> = { cpu100: 600_000, cpu4000: 600_000, narrow: 3_000_000, wide: 60_000, strings: 900_000 };
const BATCH_ROWS = 5000;
const CONNECTIONS = 4;

/** Peers begin to compact some seconds after the last write. */
const PEER_SETTLE_MS = 15_000;

/** Time to the first healthy answer on an empty directory, and the memory of a server that does nothing. */
export async function compareStarts(runner: Runner): Promise<void> {
  const start = runner.report.measure('Start', 'start to first answer, empty directory', 'ms', false);
  const idle = runner.report.measure('Start', 'idle memory', 'MB', false);
  await runner.eachInTurn('start', async (server) => {
    runner.report.add(start, server.target.name, server.startMs);
    await delay(1000);
    const bytes = server.residentBytes();
    runner.report.add(idle, server.target.name, bytes === undefined ? undefined : bytes / 1e6);
  });
}

/** Large batches over a few connections, all shapes. */
export async function compareIngest(runner: Runner): Promise<void> {
  const { report } = runner;
  const maxMs = runner.options.quick ? 1500 : 3000;
  for (const shape of runner.options.shapes) {
    const batches = batchesOf(shape, runner.options.quick ? ROWS[shape] / 2 : ROWS[shape], BATCH_ROWS);
    const section = `Ingest, batches of ${BATCH_ROWS} rows, ${CONNECTIONS} connections`;
    const rate = report.measure(section, shape, 'rows/s', true);
    const unsynced = report.measure(section, `${shape}, ours with no_sync=true`, 'rows/s', true);
    const cpu = report.measure(section, `${shape}, server processor time`, 'µs/row', false);
    await runner.eachInTurn(`ingest ${shape}`, async (server) => {
      const result = await ingest(server, batches, { connections: CONNECTIONS, maxMs, noSync: false });
      report.add(rate, server.target.name, result.rowsPerSec);
      report.add(cpu, server.target.name, result.cpuMicrosPerRow);
      if (server.target.debian !== undefined) report.add(unsynced, server.target.name, result.rowsPerSec);
    });
    await runner.eachInTurn(
      `ingest ${shape}, no_sync`,
      async (server) => {
        const result = await ingest(server, batches, { connections: CONNECTIONS, maxMs, noSync: true });
        report.add(unsynced, server.target.name, result.rowsPerSec);
      },
      runner.targets.filter((target) => target.debian === undefined),
    );
  }
}

/** Batches of ten rows over eight connections. */
export async function compareSmallWrites(runner: Runner): Promise<void> {
  const { report } = runner;
  const batches = batchesOf('cpu100', 200_000, 10);
  const rate = report.measure('Small writes', 'batches of 10 rows, 8 connections', 'requests/s', true);
  const tail = report.measure('Small writes', 'batches of 10 rows, 8 connections, p99', 'ms', false);
  await runner.eachInTurn('small writes', async (server) => {
    const result = await ingest(server, batches, { connections: 8, maxMs: runner.options.quick ? 1500 : 3000, noSync: false });
    report.add(rate, server.target.name, result.requestsPerSec);
    report.add(tail, server.target.name, result.p99Ms);
  });
}

/** One connection that writes a row at a time. */
export async function compareLoneWrites(runner: Runner): Promise<void> {
  const { report } = runner;
  const batches = batchesOf('cpu100', 20_000, 1);
  const median = report.measure('Small writes', 'lone write of 1 row, median', 'ms', false);
  const tail = report.measure('Small writes', 'lone write of 1 row, p99', 'ms', false);
  await runner.eachInTurn('lone writes', async (server) => {
    const result = await ingest(server, batches, { connections: 1, maxMs: 1500, noSync: false });
    report.add(median, server.target.name, result.p50Ms);
    report.add(tail, server.target.name, result.p99Ms);
  });
}

/** Bytes a row once everything is persisted. Ours is told to persist early; peers get time to compact. */
export async function compareDisk(runner: Runner): Promise<void> {
  const { report } = runner;
  const shapes: readonly ShapeName[] = runner.options.quick ? ['cpu100'] : runner.options.shapes;
  for (const shape of shapes) {
    const batches = batchesOf(shape, runner.options.quick ? 200_000 : ROWS[shape] / 2, BATCH_ROWS);
    const rows = batches.bodies.length * BATCH_ROWS;
    const measure = report.measure('Disk, after everything is persisted', shape, 'bytes/row', false);
    const memory = report.measure('Memory after the load', shape, 'MB', false);
    for (const target of runner.targets) {
      process.stderr.write(`disk ${shape}: ${target.name}\n`);
      const ours = target.debian === undefined;
      await runner.withServer(ours ? influxdb3(target.name, PERSIST_EARLY) : target, async (server) => {
        await ingest(server, batches, { connections: CONNECTIONS, maxMs: 600_000, noSync: false });
        const resident = server.residentBytes();
        report.add(memory, target.name, resident === undefined ? undefined : resident / 1e6);
        if (ours)
          report.add(
            measure,
            target.name,
            (await settledBytes(() => server.diskBytes((path) => path.endsWith('.parquet')), OWN_QUIET_SECS)) / rows,
          );
        else {
          await delay(PEER_SETTLE_MS);
          report.add(measure, target.name, (await settledBytes(() => server.diskBytes(), 8)) / rows);
        }
      });
    }
  }
}

/** Options that make our server persist a load of the benchmark's size at once. */
export const PERSIST_EARLY: readonly string[] = ['--force-snapshot-mem-threshold', '1'];

/** We compact what nobody has added to for a minute. */
const OWN_QUIET_SECS = 80;

/** Waits until the size has not changed for some seconds. */
async function settledBytes(size: () => number, quietSecs: number): Promise<number> {
  let last = size();
  for (let waited = 0, quiet = 0; waited < 240 && quiet < quietSecs; waited++) {
    await delay(1000);
    const now = size();
    quiet = now === last ? quiet + 1 : 0;
    last = now;
  }
  return last;
}
