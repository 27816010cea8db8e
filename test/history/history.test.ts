import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runHistory } from './run.ts';

/** Of the run in `npm test`, so that a change is judged by the same clients every time; `npm run history` takes another one each time. */
const SEED = 444_123_497;

/** The run goes on until it has compared so many rows, and the server was killed so often; or until a slow machine has had its time. */
const ROWS_MIN = 300_000;
const KILLS_MIN = 3;
const MINUTES = 0.5;
const MINUTES_MAX = 1.5;

test('a history of many clients, kills and restarts: nothing lost, changed, doubled or invented', async (t) => {
  const seed = Number(process.env['HISTORY_SEED'] ?? SEED);
  const minutes = Number(process.env['HISTORY_MINUTES'] ?? MINUTES);
  const minutesMax = Math.max(minutes, MINUTES_MAX);
  const enough = { minutes, minutesMax, rowsMin: ROWS_MIN, killsMin: KILLS_MIN };
  const { world, text } = await runHistory({ seed, ...enough, writers: 8, readers: 2, rowsPerSecond: 12_000 });
  t.diagnostic(text.slice(0, text.indexOf('\n') >>> 0));
  assert.ok(world.fault === undefined, text);
  assert.ok(world.counts.rowsVerified > 0, text);
});
