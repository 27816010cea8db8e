import { strict as assert } from 'node:assert';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { anySignal, unlessAborted } from '../../../src/shared/signals.ts';
import { deferred } from '../../support/deferred.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Combined signals whose sources nobody else has. */
function timeouts(count: number, delayMs: number): AbortSignal[] {
  return Array.from({ length: count }, () => anySignal(new AbortController().signal, AbortSignal.timeout(delayMs)));
}

it('combined signals are aborted by sources that nobody else holds, whenever garbage is collected', async () => {
  const signals = timeouts(50, 300);
  let told = 0;
  for (const signal of signals) signal.addEventListener('abort', () => told++, { once: true });
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    await delay(10); // weak references are kept until the end of a turn
  }
  for (let waits = 0; waits < 600 && told < signals.length; waits++) await delay(50);
  assert.equal(told, signals.length);
  assert.ok(signals.every(({ aborted, reason }) => aborted && (reason as Error).name === 'TimeoutError'));
});

it('combined signals that nobody holds are collected, with their sources', async () => {
  let collected = 0;
  const registry = new FinalizationRegistry(() => collected++);
  const forget = (): void => {
    for (const signal of timeouts(50, 1_000_000)) {
      registry.register(signal, undefined);
      const listener = (): void => assert.fail('not aborted');
      signal.addEventListener('abort', listener, { once: true });
      signal.removeEventListener('abort', listener);
    }
  };
  forget();
  for (let i = 0; i < 100 && collected < 50; i++) {
    collectGarbage();
    await delay(10);
  }
  assert.ok(collected >= 49, `${collected} of 50`); // the last one may still stand in a register
});

it('work that cannot be ended is not waited for longer than its signal allows, and what it gives then is handed on', async () => {
  const work = deferred<string>();
  const late: string[] = [];
  const leaving = new AbortController();
  const waiting = unlessAborted(work.promise, leaving.signal, (value) => late.push(value));
  const gone = unlessAborted(work.promise, AbortSignal.abort(new Error('gone before')), (value) => late.push(value));
  const staying = unlessAborted(work.promise, new AbortController().signal, (value) => late.push(value));
  leaving.abort(new Error('gone'));
  await assert.rejects(waiting, /^Error: gone$/);
  await assert.rejects(gone, /gone before/);
  work.resolve('done');
  assert.equal(await staying, 'done');
  assert.deepEqual(late, ['done', 'done']);
});
