import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../../src/shared/clock.ts';
import { createProcessReader } from '../../../src/telemetry/process-reader.ts';
import { FakeTime } from '../../support/fake-time.ts';

/** What the kernel rounds two readings by. */
const TICKS_MS = 40;

describe('reading this process', () => {
  it('CPU is time used over time passed, 0 at first, 100 for one busy core, capped at 100 x cores', async () => {
    const time = new FakeTime();
    const cpuMs = [500, 30_500, 30_500, 230_500, 230_400];
    const read = createProcessReader(time, 2, async () => ({ ctime: cpuMs.shift() ?? 0, memory: 1 }));
    const shown: number[] = [];
    for (let index = 0; index < 5; index += 1) {
      shown.push((await read()).cpuPercent);
      await time.advance(60_000);
    }
    assert.deepEqual(shown, [0, 50, 0, 200, 0]);
  });

  it('pidusage tells the real CPU and memory of this very process', async () => {
    const read = createProcessReader(systemClock, 64);
    const moments: { readonly wallMs: number; readonly cpuMs: number }[] = [];
    const cpuMs = (): number => {
      const { system, user } = process.cpuUsage();
      return (user + system) / 1000;
    };
    const look = (): void => void moments.push({ wallMs: performance.now(), cpuMs: cpuMs() });
    look();
    assert.equal((await read()).cpuPercent, 0);
    look();
    let sum = 0;
    for (const end = cpuMs() + 300; cpuMs() < end; ) sum += Math.sqrt(sum + 1);
    assert.ok(sum > 0);
    look();
    const second = await read();
    look();
    // The readings lie between the first two and the last two moments, however long the machine did something else.
    const span = (from: number, to: number, of: 'wallMs' | 'cpuMs'): number => (moments[to]?.[of] ?? 0) - (moments[from]?.[of] ?? 0);
    const least = ((span(1, 2, 'cpuMs') - TICKS_MS) / span(0, 3, 'wallMs')) * 100;
    const most = ((span(0, 3, 'cpuMs') + TICKS_MS) / span(1, 2, 'wallMs')) * 100;
    assert.ok(least > 0 && second.cpuPercent >= least && second.cpuPercent <= most, `${second.cpuPercent} in ${least} to ${most}`);
    const rss = process.memoryUsage.rss();
    assert.ok(Math.abs(second.rssBytes - rss) < rss * 0.3, `${second.rssBytes} against ${rss}`);
  });
});
