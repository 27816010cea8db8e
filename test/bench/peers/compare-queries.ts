import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, differenceOf } from './answer.ts';
import { PERSIST_EARLY } from './compare-writes.ts';
import { influxdb3 } from './influxdb3.ts';
import { type Batches, batchesOf, ingest, percentile } from './ingest.ts';
import { asSql, FIELDS, QUESTION_NAMES, type Question, question } from './questions.ts';
import type { Runner } from './runner.ts';
import type { RunningServer } from './running-server.ts';

/** First time of the generated data, s. */
const START_SECS = 1_704_067_200;
const SERIES = 100;
const ROWS_PER_HOUR = SERIES * 360;

const SECTION_LAST_CACHE = 'Newest row of each host from a last value cache, median';

/** Longest time for one question of one server, ms. */
const QUESTION_MS_MAX = 3000;

/** The query set over the same rows everywhere; every answer is held against the first server's. */
export async function compareQueries(runner: Runner): Promise<void> {
  const hours = runner.options.quick ? 6 : 12;
  const batches = batchesOf('cpu100', hours * ROWS_PER_HOUR, 1000);
  const answers = new Map<string, Answer>();
  const ours = runner.targets.filter((target) => target.debian === undefined);
  const variants = ours.flatMap(({ name }) => [
    influxdb3(`${name} half on files`, ['--force-snapshot-mem-threshold', String(halfOfBuffer(hours))]),
    influxdb3(`${name} on files`, PERSIST_EARLY),
  ]);
  runner.extraNames.push(...variants.map((target) => target.name));
  for (const target of [...runner.targets, ...variants]) {
    process.stderr.write(`queries: ${target.name}\n`);
    await runner.withServer(target, async (server) => {
      await load(server, batches);
      if (variants.includes(target)) await persisted(server, batches);
      for (const name of QUESTION_NAMES) await askAll(runner, server, name, hours, answers);
      if (target.debian === undefined) await askLastCache(runner, server);
    });
  }
}

/** Megabytes of buffered rows at which a bit more than half of the rows are there. */
function halfOfBuffer(hours: number): number {
  const rowBytes = 12 + 10 * 8;
  return Math.round((hours * ROWS_PER_HOUR * rowBytes * 0.53) / 1e6);
}

/** The newest row of each host from a last value cache, which only we have. */
async function askLastCache({ report }: Runner, server: RunningServer): Promise<void> {
  const measure = report.measure(SECTION_LAST_CACHE, 'lastpoint', 'ms', false);
  const body = { db: 'bench', table: 'cpu', key_columns: ['hostname'] };
  await server.request('POST', '/api/v3/configure/last_cache', JSON.stringify(body), { 'content-type': 'application/json' });
  const rows = Array.from(
    { length: SERIES },
    (_, i) => `cpu,hostname=host_${i} ${FIELDS.map((field, k) => `${field}=${i}${k < 5 ? 'i' : ''}`).join(',')}`,
  );
  await server.request('POST', server.target.writePath(false), rows.join('\n'));
  const q = `SELECT hostname, ${FIELDS.join(', ')} FROM last_cache('cpu')`;
  const times: number[] = [];
  for (let round = 0; round < 60; round++) {
    const started = performance.now();
    const body = await server.request('POST', '/api/v3/query_sql', JSON.stringify({ db: 'bench', q, format: 'json' }));
    times.push(performance.now() - started);
    const { size } = server.target.answer(body, question('lastpoint', round, START_SECS, 1));
    if (size !== SERIES) throw new Error(`${size} rows of ${SERIES} hosts`);
  }
  report.add(measure, server.target.name, percentile(times.slice(1), 0.5));
}

async function load(server: RunningServer, batches: Batches): Promise<void> {
  await ingest(server, batches, { connections: 1, maxMs: 600_000, noSync: false });
  // Peers make rows visible a little after they acknowledge them.
  if (server.target.debian !== undefined) await delay(2000);
}

async function persisted(server: RunningServer, batches: Batches): Promise<void> {
  let bytes = -1;
  for (let seconds = 0; seconds < 30; seconds++) {
    const now = server.diskBytes((path) => path.endsWith('.parquet'));
    if (now === bytes && now > batches.bodies.length) return;
    bytes = now;
    await delay(1500);
  }
}

async function askAll(
  runner: Runner,
  server: RunningServer,
  name: (typeof QUESTION_NAMES)[number],
  hours: number,
  answers: Map<string, Answer>,
): Promise<void> {
  const { report } = runner;
  const measure = report.measure(`Queries over ${SERIES} hosts x ${hours} h, median`, name, 'ms', false);
  const times: number[] = [];
  const check = checker(server, answers);
  const started = performance.now();
  for (let round = 0; round < (runner.options.quick ? 20 : 60); round++) {
    const asked = question(name, round, START_SECS, hours);
    const result = await server.ask(asked);
    if (result === undefined) return;
    times.push(result.ms);
    const difference = check(asked, result.body);
    if (difference !== undefined) {
      measure.agrees.set(server.target.name, false);
      process.stderr.write(`${server.target.name} differs from the first: ${name} ${round}: ${difference}\n`);
    }
    if (round >= 2 && performance.now() - started > QUESTION_MS_MAX) break;
  }
  // The first question pays for what the others find warm.
  report.add(measure, server.target.name, percentile(times.slice(1), 0.5));
}

/**
 * Tells where an answer of the server differs from the first server's. Questions without parameters are the same in every
 * round: looking at the same text again would only take time from the server.
 */
function checker(server: RunningServer, answers: Map<string, Answer>): (asked: Question, body: string) => string | undefined {
  const checked = new Map<string, string>();
  return (asked, body) => {
    const key = asSql(asked);
    if (checked.get(key) === body) return undefined;
    checked.set(key, body);
    const answer = server.target.answer(body, asked);
    const first = answers.get(key);
    if (first === undefined) answers.set(key, answer);
    return first === undefined ? undefined : differenceOf(first, answer);
  };
}
