import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CalmSources, whenCalm } from '../../../src/scheduling/calm.ts';

/** A server whose main thread is busy for these shares of the looks at it; the last one stays. */
function server(shares: readonly number[]): CalmSources & { readonly elapsedMs: () => number; run(): boolean } {
  let timer: (() => void) | undefined;
  let elapsedMs = 0;
  let looks = -1; // the first call only begins to count
  return {
    busyShare: () => shares[Math.min(looks++, shares.length - 1)] ?? 1,
    timers: {
      after: (delayMs, run) => {
        timer = () => {
          elapsedMs += delayMs;
          run();
        };
        return () => undefined;
      },
    },
    elapsedMs: () => elapsedMs,
    run: () => {
      const due = timer;
      timer = undefined;
      due?.();
      return due !== undefined;
    },
  };
}

function doneAfterMs(shares: readonly number[]): number {
  const busy = server(shares);
  const done: number[] = [];
  whenCalm(() => done.push(busy.elapsedMs()), busy);
  for (let looks = 0; looks < 1000 && busy.run(); looks++);
  assert.equal(done.length, 1, 'the work is done once');
  return done[0] ?? Number.NaN;
}

describe('work for a calm moment', () => {
  it('is done after a first look when the server rests', () => {
    assert.equal(doneAfterMs([0]), 100);
  });

  it('waits for the end of a burst', () => {
    assert.equal(doneAfterMs([0.9, 1, 0.6, 0.1]), 400);
  });

  it('is done in the end by a server that never rests', () => {
    assert.equal(doneAfterMs([1]), 5000);
  });

  it('is never done at once', () => {
    const resting = server([0]);
    let done = false;
    whenCalm(() => {
      done = true;
    }, resting);
    assert.equal(done, false);
  });

  it('watches the real main thread by default, and does not keep the process alive', async () => {
    const calm = new Promise<void>((resolve) => whenCalm(resolve));
    const alive = setTimeout(() => undefined, 30_000);
    await calm;
    clearTimeout(alive);
  });
});
