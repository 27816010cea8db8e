/**
 * This server and its peers on the same work, in turn, in one run.
 * Run: `npm run bench -- compare [--quick] [--only start,ingest,..] [--targets a,b] [--rounds N] [--shapes cpu100,..]`; the tasks are below.
 * Peers are InfluxDB 1.6 and VictoriaMetrics from Debian; what is not installed and cannot be is left out.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureDebianPackage } from '../tooling/ensure-debian-package.ts';
import { SHAPE_NAMES } from './line-protocol-shapes.ts';
import { compareDashboards, compareGrowth, compareIdle, compareMemory, compareSustained } from './peers/compare-load.ts';
import { compareQueries } from './peers/compare-queries.ts';
import { compareDisk, compareIngest, compareLoneWrites, compareSmallWrites, compareStarts } from './peers/compare-writes.ts';
import { influxdb1 } from './peers/influxdb1.ts';
import { influxdb3 } from './peers/influxdb3.ts';
import { measureScale } from './peers/own-scale.ts';
import { Report } from './peers/report.ts';
import { Runner } from './peers/runner.ts';
import type { Target } from './peers/target.ts';
import { victoriaMetrics } from './peers/victoria.ts';

const TASKS = {
  start: compareStarts,
  ingest: compareIngest,
  small: compareSmallWrites,
  lone: compareLoneWrites,
  queries: compareQueries,
  dashboards: compareDashboards,
  sustained: compareSustained,
  memory: compareMemory,
  growth: compareGrowth,
  scale: measureScale,
  idle: compareIdle,
  disk: compareDisk,
};
const OURS = 'influxdb3';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(TASKS).join(',') },
    targets: { type: 'string', default: 'influxdb3,influxdb1,victoria' },
    rounds: { type: 'string' },
    shapes: { type: 'string', default: SHAPE_NAMES.join(',') },
    directory: { type: 'string', default: tmpdir() },
  },
});

const known: Readonly<Record<string, Target>> = { influxdb3: influxdb3(OURS, []), influxdb1, victoria: victoriaMetrics };
const targets: Target[] = [];
for (const name of options.targets.split(',')) {
  const target = known[name];
  if (target === undefined) throw new Error(`no such target: ${name}; there are ${Object.keys(known).join(', ')}`);
  const found = target.debian === undefined ? undefined : ensureDebianPackage(target.debian.program, target.debian.packageName);
  if (found?.kind === 'missing') process.stderr.write(`left out: ${target.name}: ${found.reason}\n`);
  else targets.push(target);
}

const directory = mkdtempSync(join(options.directory, 'influxdb3-bench-'));
const report = new Report(OURS);
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3));
const shapes = SHAPE_NAMES.filter((name) => options.shapes.split(',').includes(name));
const runner = new Runner(targets, report, directory, { rounds, quick: options.quick, shapes });
const wanted = options.only.split(',');
const unknown = wanted.filter((name) => !Object.hasOwn(TASKS, name));
if (unknown.length > 0) throw new Error(`no such task: ${unknown.join(', ')}; there are ${Object.keys(TASKS).join(', ')}`);
try {
  for (const [name, task] of Object.entries(TASKS)) if (wanted.includes(name)) await task(runner);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
const [cpu] = cpus();
const shown = [...targets.map((target) => target.name), ...runner.extraNames];
process.stdout.write(`Node.js ${process.versions.node}, ${cpus().length} x ${cpu?.model ?? 'unknown'}, ${rounds} round(s), medians.\n`);
process.stdout.write('Ratio = ours / theirs.\n\n');
for (const { name, durability } of targets) process.stdout.write(`- ${name}: ${durability}\n`);
process.stdout.write(`\n${report.markdown(shown)}`);
