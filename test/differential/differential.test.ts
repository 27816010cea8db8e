import assert from 'node:assert/strict';
import { test } from 'node:test';
import { temporaryDirectory } from '../support/write-store.ts';
import { type Counts, World } from './run.ts';

/** How long worlds are made; less than half a minute by default. */
const minutes = Number(process.env['DIFF_MINUTES'] ?? '0.4');
const firstSeed = Number(process.env['DIFF_SEED'] ?? '1');
/** With a number: worlds from that many seeds, however long it takes. */
const seeds = process.env['DIFF_SEEDS'] === undefined ? Number.POSITIVE_INFINITY : Number(process.env['DIFF_SEEDS']);
const ROUNDS = 8;

test('columns in memory, DuckDB and a model in plain JavaScript give the same answers while data move', {
  timeout: 2 ** 31 - 1,
}, async (t) => {
  const until = performance.now() + (seeds === Number.POSITIVE_INFINITY ? minutes * 60_000 : Number.POSITIVE_INFINITY);
  const isOver = (): boolean => performance.now() >= until;
  const totals: Record<string, number> = {};
  for (let seed = firstSeed; seed < firstSeed + seeds && !isOver(); seed++) {
    const world = new World(seed, await temporaryDirectory(t));
    await world.run(ROUNDS, isOver);
    for (const [name, count] of Object.entries(world.counts)) totals[name] = (totals[name] ?? 0) + count;
  }
  t.diagnostic(JSON.stringify(totals));
  // Caches are asked where newest rows come last: in the worlds from the first seeds, not in every one.
  const ways: readonly (keyof Counts)[] = [
    'byColumns',
    'inInfluxql',
    ...(seeds === Number.POSITIVE_INFINITY ? (['byCaches'] as const) : []),
  ];
  for (const way of ways) assert.ok((totals[way] ?? 0) > 0, `nothing was answered ${way}`);
});
