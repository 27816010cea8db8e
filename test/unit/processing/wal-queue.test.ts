import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WalQueue } from '../../../src/processing/delivery/wal-queue.ts';
import type { WalBatch } from '../../../src/processing/delivery/wal-rows.ts';
import { TRIGGER_LOG_ROWS_MAX, TriggerLog } from '../../../src/processing/trigger-log.ts';
import { newFigures } from '../../../src/processing/triggers/trigger-figures.ts';
import { WalTrigger, type WalTriggerOptions } from '../../../src/processing/triggers/wal-trigger.ts';
import type { Clock } from '../../../src/shared/clock.ts';
import { FakeTime, settle } from '../../support/fake-time.ts';

function batch(bytes: number, rowCount = 1): WalBatch {
  return { tables: [], origin: 'client', bytes, rowCount, queuedMs: 0 };
}

describe('the queue of a trigger on writes', () => {
  it('leaves out what passes its limits, but takes one batch of any size', () => {
    const queue = new WalQueue({ batchesMax: 3, bytesMax: 100 });
    assert.equal(queue.push(batch(500)), true);
    assert.equal(queue.push(batch(1)), false);
    assert.equal(queue.isHalfFull, false, 'one batch of any size is no backlog');
    assert.equal(queue.take().length, 1);
    for (const bytes of [40, 40, 20]) assert.equal(queue.push(batch(bytes)), true);
    assert.equal(queue.push(batch(0)), false, 'three batches are the most');
    assert.deepEqual([queue.length, queue.bytes, queue.isHalfFull], [3, 100, true]);
  });

  it('gives all that waits to one call, oldest first, up to the size of a call', () => {
    const queue = new WalQueue({ batchesMax: 10, bytesMax: 1e9 });
    for (const rows of [60_000, 40_000, 1, 200_000]) queue.push(batch(10, rows));
    assert.deepEqual(
      queue.take().map(({ rowCount }) => rowCount),
      [60_000, 40_000],
    );
    assert.deepEqual(
      queue.take().map(({ rowCount }) => rowCount),
      [1],
    );
    assert.deepEqual(
      queue.take().map(({ rowCount }) => rowCount),
      [200_000],
    );
    assert.deepEqual([queue.take(), queue.bytes], [[], 0]);
  });
});

describe('the log of triggers', () => {
  const clock: Clock = { nowNs: () => 1n, nowMs: () => 0, monotonicMs: () => 0 };

  it('keeps the newest rows, by database', () => {
    const log = new TriggerLog(clock);
    for (let at = 0; at < TRIGGER_LOG_ROWS_MAX * 2 + 5; at++) log.add(at % 2, 't', 'INFO', String(at));
    const rows = log.rows(undefined);
    assert.equal(rows.length, TRIGGER_LOG_ROWS_MAX);
    assert.equal(rows[0]?.text, String(TRIGGER_LOG_ROWS_MAX + 5));
    assert.equal(log.rows(1).length, TRIGGER_LOG_ROWS_MAX / 2);
  });

  it('keeps no more text than it may', () => {
    const log = new TriggerLog(clock, 1000);
    for (let at = 0; at < 100; at++) log.add(0, 't', 'INFO', 'x'.repeat(100));
    assert.equal(log.rows(0).length, 10);
    log.add(0, 't', 'INFO', 'y'.repeat(100_000));
    assert.ok((log.rows(0).at(-1)?.text.length ?? 0) < 70_000);
  });
});

describe('a trigger on writes that is too slow', () => {
  it('is told of before it misses writes, and of those that it missed', async () => {
    const time = new FakeTime();
    const logged: string[] = [];
    const figures = newFigures();
    const runner = {
      stopping: new AbortController().signal,
      log: (level: string, text: string) => logged.push(`${level} ${text}`),
      run: () => new Promise<boolean>(() => undefined),
    };
    const definition = { spec: { kind: 'all_tables' }, runAsync: false };
    const options = { trigger: { database: { id: 1 }, definition }, runner, delivery: { add: () => undefined }, clock: time, figures };
    const trigger = new WalTrigger({ ...options, queueBytesMax: 100 } as unknown as WalTriggerOptions);
    trigger.deliver(batch(10));
    await settle();
    assert.deepEqual([figures.queued, logged], [0, []], 'the first call runs and does not end');
    for (let writes = 0; writes < 4; writes++) trigger.deliver(batch(30));
    await time.advance(60_000);
    trigger.deliver(batch(10));
    assert.deepEqual(logged, [
      'WARN the trigger falls behind: 2 batches (60 bytes) wait for it, and when its queue is full, writes are left out',
      'ERROR wal batch skipped: trigger queue is full (3 batches, 90 bytes); 1 skipped since the last such row',
      'WARN the trigger falls behind: 4 batches (100 bytes) wait for it, and when its queue is full, writes are left out',
    ]);
    assert.deepEqual([figures.skippedBatches, figures.queued, figures.queuedBytes], [1, 4, 100]);
  });
});
