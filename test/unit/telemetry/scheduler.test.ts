import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemTimers } from '../../../src/shared/timers.ts';
import { nextDeadline } from '../../../src/telemetry/scheduler.ts';
import type { SendOutcome } from '../../../src/telemetry/sender.ts';
import { deferred } from '../../support/deferred.ts';
import { settle } from '../../support/fake-time.ts';
import { decode, harness } from './support.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

describe('schedule', () => {
  it('a tick handled late skips what it missed and stays on the grid', () => {
    assert.equal(nextDeadline(60_000, 60_000, 60_000), 120_000);
    assert.equal(nextDeadline(60_005, 60_000, 60_000), 120_000);
    assert.equal(nextDeadline(60_006, 60_000, 60_000), 120_000);
    assert.equal(nextDeadline(135_000, 60_000, 60_000), 180_000);
    assert.equal(nextDeadline(119_999, 60_000, 60_000), 120_000);
  });

  it('a stalled process does not sample in a burst afterwards', async () => {
    const { telemetry, time } = harness();
    telemetry.start();
    await time.advance(0);
    await time.stall(135_000);
    assert.equal(telemetry.status().samples, 2);
    await time.advance(45_000);
    assert.equal(telemetry.status().samples, 3);
    await telemetry.stop();
  });

  it('the sample of the same moment comes before the report', async () => {
    const h = harness();
    h.readings.push({ cpuPercent: 0, rssBytes: 99 * 1_048_576 });
    h.telemetry.start();
    await settle();
    assert.equal(decode(h.posts[0])['memory_used_mb_max_1m'], 99);
    h.telemetry.recorder.recordWrite(1, 1);
    await h.time.advance(HOUR_MS);
    assert.equal(decode(h.posts[1])['write_requests_sum_1h'], 1);
    assert.equal(h.telemetry.status().samples, 61);
    await h.telemetry.stop();
  });

  it('sends right at the start and then once an hour', async () => {
    const { telemetry, time, posts } = harness();
    telemetry.recorder.recordWrite(1, 1);
    telemetry.recorder.recordQuery();
    telemetry.start();
    telemetry.start();
    await settle();
    assert.equal(posts.length, 1);
    assert.equal(decode(posts[0])['cpu_utilization_percent_max_1m'], 0);
    await time.advance(3 * HOUR_MS);
    assert.equal(posts.length, 4);
    await telemetry.stop();
  });

  it('a jump of the wall clock neither triggers nor delays anything', async () => {
    const { telemetry, time, posts } = harness();
    telemetry.start();
    await settle();
    time.wallJumpMs = 10 * HOUR_MS;
    await time.advance(59 * MINUTE_MS);
    time.wallJumpMs = -10 * HOUR_MS;
    assert.equal(posts.length, 1);
    await time.advance(MINUTE_MS);
    assert.equal(posts.length, 2);
    await telemetry.stop();
  });

  it('a report that hangs past an hour makes the next one skip', async () => {
    const h = harness();
    h.telemetry.start();
    await settle();
    const answer = deferred<SendOutcome>();
    h.outcome = answer.promise;
    await h.time.advance(2 * HOUR_MS + MINUTE_MS);
    assert.equal(h.posts.length, 2);
    h.outcome = { kind: 'answered', status: 204 };
    answer.resolve({ kind: 'answered', status: 204 });
    await h.time.advance(HOUR_MS);
    assert.equal(h.posts.length, 3);
    await h.telemetry.stop();
  });

  it('a reading that never comes is given up after five seconds and the report still leaves', async () => {
    const h = harness({ readProcess: () => new Promise(() => undefined) });
    h.telemetry.start();
    await h.time.advance(4999);
    assert.equal(h.posts.length, 0);
    await h.time.advance(1);
    assert.equal(h.posts.length, 1);
    await h.telemetry.stop();
  });

  it('nothing is sent at shutdown, no timer is left, and stopping twice is fine', async () => {
    const { telemetry, time, posts } = harness();
    telemetry.start();
    await settle();
    telemetry.recorder.recordWrite(5, 5);
    await time.advance(MINUTE_MS);
    await telemetry.stop();
    await telemetry.stop();
    assert.equal(posts.length, 1);
    assert.equal(time.pendingTimers, 0);
    await time.advance(2 * HOUR_MS);
    assert.equal(posts.length, 1);
  });

  it('stopping aborts a report under way and does not wait for an answer', async () => {
    let aborted = false;
    const { telemetry } = harness({
      send: (_url, _body, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve({ kind: 'failed', error: 'the server is stopping' });
          });
        }),
    });
    telemetry.start();
    await settle();
    await telemetry.stop();
    assert.equal(aborted, true);
  });

  it('timers of the system do not keep the process alive', () => {
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const cancel = systemTimers.after(60_000, () => undefined);
    const during = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    cancel();
    assert.equal(during, before);
  });
});
