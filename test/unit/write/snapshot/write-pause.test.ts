import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../../src/shared/clock.ts';
import { until } from '../../../support/until.ts';
import { CHUNK_NS, TestWriteStore, temporaryDirectory } from '../../../support/write-store.ts';

/** Timers that the test lets go off, and the clock that they go by. */
class TestTimers {
  #timers: { readonly callback: () => void; readonly atMs: number }[] = [];
  #nowMs = 0;
  readonly clock = { ...systemClock, nowNs: () => systemClock.nowNs(), nowMs: () => systemClock.nowMs(), monotonicMs: () => this.#nowMs };

  readonly start = (callback: () => void, delayMs: number): (() => void) => {
    const timer = { callback, atMs: this.#nowMs + delayMs };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  pass(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter((timer) => timer.atMs <= this.#nowMs);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { callback } of due) callback();
  }
}

/** Some 10 MB of rows of three chunks. */
function lines(first: number): string {
  const fields = Array.from({ length: 100 }, (_, k) => `f${k}=${k}i`).join(',');
  return Array.from({ length: 12_000 }, (_, i) => `m,k=k${i % 7} ${fields} ${BigInt(i % 3) * CHUNK_NS + BigInt(first + i)}`).join('\n');
}

test('what is buffered is persisted when writes pause, and not before', async (t) => {
  const timers = new TestTimers();
  const store = await TestWriteStore.open(await temporaryDirectory(t), { clock: timers.clock, startTimer: timers.start });
  await store.write('db', lines(0));
  await store.write('db', lines(12_000));
  timers.pass(750);
  await store.write('db', 'm,k=k1 f1=1i 24000');
  timers.pass(750); // the timer goes off, but the last write is younger
  await store.rows('db', 'm');
  assert.equal(store.writes.parquetTotals.fileCount, 0);
  timers.pass(750);
  await until(() => store.writes.bufferedBytes === 0);
  assert.equal(store.writes.parquetTotals.fileCount, 3);
  assert.equal(store.writes.parquetTotals.rowCount, 24_001);
  await store.stop();
});

test('little is left in the buffer when writes pause', async (t) => {
  const timers = new TestTimers();
  const store = await TestWriteStore.open(await temporaryDirectory(t), { clock: timers.clock, startTimer: timers.start });
  await store.write(
    'db',
    lines(0)
      .slice(0, 1_000_000)
      .replace(/\n[^\n]*$/, ''),
  );
  for (let i = 0; i < 5; i++) timers.pass(2_000);
  await store.rows('db', 'm');
  assert.equal(store.writes.parquetTotals.fileCount, 0);
  assert.ok(store.writes.bufferedBytes > 0);
  await store.stop();
});

test('rows that a start replays are persisted when nobody writes', async (t) => {
  const first = await TestWriteStore.open(await temporaryDirectory(t));
  await first.write('db', lines(0));
  await first.write('db', lines(12_000));
  const timers = new TestTimers();
  const store = await first.crashed(t, { clock: timers.clock, startTimer: timers.start });
  await first.stop();
  timers.pass(2_000);
  await until(() => store.writes.bufferedBytes === 0);
  assert.equal(store.writes.parquetTotals.rowCount, 24_000);
  await store.stop();
});
