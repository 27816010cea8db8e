import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../../src/shared/clock.ts';
import { createProcessReader } from '../../../src/telemetry/process-reader.ts';
import { FakeTime } from '../../support/fake-time.ts';

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
    assert.equal((await read()).cpuPercent, 0);
    const startedMs = performance.now();
    const cpuBefore = process.cpuUsage();
    let sum = 0;
    while (performance.now() - startedMs < 400) sum += Math.sqrt(sum + 1);
    const second = await read();
    const cpu = process.cpuUsage(cpuBefore);
    const elapsedMs = performance.now() - startedMs;
    const expected = ((cpu.user + cpu.system) / 1000 / elapsedMs) * 100;
    assert.ok(sum > 0);
    assert.ok(Math.abs(second.cpuPercent - expected) < 35, `${second.cpuPercent} against ${expected}`);
    const rss = process.memoryUsage.rss();
    assert.ok(Math.abs(second.rssBytes - rss) < rss * 0.3, `${second.rssBytes} against ${rss}`);
  });
});
