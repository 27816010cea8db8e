import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runHistory } from './run.ts';

/** Of the run in `npm test`, so that a change is judged by the same clients every time; `npm run history` takes another one each time. */
const SEED = 444_123_497;

/** What two processors compare in this time many times over; on a busy machine the run goes on until it has. */
const ROWS_MIN = 300_000;

test('a history of many clients, kills and restarts: nothing lost, changed, doubled or invented', async (t) => {
  const seed = Number(process.env['HISTORY_SEED'] ?? SEED);
  const minutes = Number(process.env['HISTORY_MINUTES'] ?? 2);
  const { world, text } = await runHistory({ seed, minutes, rowsMin: ROWS_MIN, writers: 8, readers: 2, rowsPerSecond: 12_000 });
  t.diagnostic(text.slice(0, text.indexOf('\n') >>> 0));
  assert.ok(world.fault === undefined, text);
  assert.ok(world.counts.rowsVerified > 0, text);
});
