// Preloaded (docs/testing.md, "Garbage collected all the time"): collects garbage all the time, at most a third of it. What holds only until a
// collection, as a signal that nobody else has or memory of a library, then fails soon.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const PERIOD_MS = 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

/** Every fourth collection is one of young objects only. */
function next(count) {
  const startedMs = performance.now();
  collect(count % 4 === 3);
  setTimeout(next, Math.max(PERIOD_MS, 2 * (performance.now() - startedMs)), count + 1).unref();
}

setTimeout(next, 0, 0).unref();
