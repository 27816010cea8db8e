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
/** A machine that is slow gets these more until every way was asked. */
const MORE_MINUTES = 3;

test('columns in memory, DuckDB and a model in plain JavaScript give the same answers while data move', {
  timeout: 2 ** 31 - 1,
}, async (t) => {
  const bySeeds = seeds !== Number.POSITIVE_INFINITY;
  // Caches are asked where newest rows come last: in the worlds from the first seeds, not in every one.
  const ways: readonly (keyof Counts)[] = ['byColumns', 'inInfluxql', ...(bySeeds ? [] : (['byCaches'] as const))];
  const totals: Record<string, number> = {};
  let world: World | undefined;
  const count = (way: keyof Counts): number => (totals[way] ?? 0) + (world?.counts[way] ?? 0);
  const began = performance.now();
  const isOver = (): boolean => {
    const passed = (performance.now() - began) / 60_000;
    return !bySeeds && passed >= minutes && (ways.every((way) => count(way) > 0) || passed >= minutes + MORE_MINUTES);
  };
  for (let seed = firstSeed; seed < firstSeed + seeds && !isOver(); seed++) {
    world = new World(seed, await temporaryDirectory(t));
    await world.run(ROUNDS, isOver);
    const { counts } = world;
    world = undefined;
    for (const [name, value] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + value;
  }
  t.diagnostic(JSON.stringify(totals));
  for (const way of ways) assert.ok((totals[way] ?? 0) > 0, `nothing was answered ${way}`);
});
