import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TriggerDefinition } from '../../../src/catalog/index.ts';
import { ScheduleTrigger, type ScheduleTriggerOptions } from '../../../src/processing/triggers/schedule-trigger.ts';
import { newFigures } from '../../../src/processing/triggers/trigger-figures.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { FakeTime, START_MS } from '../../support/fake-time.ts';

/** A trigger whose calls take as long as the test says. Seconds since the start of the test. */
function schedule(
  time: FakeTime,
  { runAsync = false, callMs = 0 } = {},
): { readonly calls: number[]; most: number; readonly logged: string[]; stop(): void } {
  const seen = { calls: [] as number[], most: 0, logged: [] as string[], stop: (): void => undefined };
  const stopping = new AbortController();
  let running = 0;
  const runner = {
    stopping: stopping.signal,
    log: (_level: string, text: string) => seen.logged.push(text),
    run: async ({ timeMs }: { readonly timeMs: number }): Promise<boolean> => {
      seen.calls.push((timeMs - START_MS) / 1000);
      seen.most = Math.max(seen.most, ++running);
      if (callMs > 0) await new Promise<void>((resolve) => time.after(callMs, resolve));
      running--;
      return false;
    },
    stop: async () => stopping.abort(),
  };
  const definition = { id: 1, name: 't', spec: { kind: 'every', secs: 5, nanos: 0 }, runAsync } as unknown as TriggerDefinition;
  const trigger = new ScheduleTrigger({
    trigger: { database: {}, definition },
    runner,
    clock: time,
    logger: silentLogger,
    figures: newFigures(),
    timers: time,
  } as unknown as ScheduleTriggerOptions);
  seen.stop = () => void trigger.stop(0);
  return seen;
}

describe('a trigger on a schedule', () => {
  it('is called at multiples of its period, whatever the time of its start', async () => {
    const time = new FakeTime();
    await time.advance(3200);
    const seen = schedule(time);
    await time.advance(12_000);
    assert.deepEqual(seen.calls, [5, 10, 15]);
    seen.stop();
    await time.advance(60_000);
    assert.equal(seen.calls.length, 3, 'no calls after its end');
  });

  it('makes up for times that a slow call passed, one after the other', async () => {
    const time = new FakeTime();
    const seen = schedule(time, { callMs: 12_000 });
    await time.advance(40_500);
    assert.deepEqual(seen.calls, [5, 10, 15]);
    assert.equal(seen.most, 1);
    seen.stop();
  });

  it('starts calls beside each other if it may', async () => {
    const time = new FakeTime();
    const seen = schedule(time, { runAsync: true, callMs: 12_000 });
    await time.advance(20_500);
    assert.deepEqual(seen.calls, [5, 10, 15, 20]);
    assert.equal(seen.most, 3);
    seen.stop();
  });

  it('says when it is more than sixty calls behind, and skips what a clock that was set ahead passed', async () => {
    const time = new FakeTime();
    const seen = schedule(time, { callMs: 400_000 });
    await time.advance(5_000);
    await time.advance(400_000);
    assert.deepEqual(seen.calls, [5, 10]);
    assert.deepEqual(seen.logged, ['trigger t is 79 scheduled calls behind']);
    seen.stop();
    const jumped = schedule(time);
    time.wallJumpMs = 5 * 3_600_000;
    await time.advance(60_000);
    assert.ok(jumped.calls.length <= 13, `${jumped.calls.length} calls after a jump over 3600 of them`);
    assert.ok((jumped.calls[0] ?? 0) > 5 * 3600);
    jumped.stop();
  });
});
