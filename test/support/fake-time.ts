import type { Clock } from '../../src/shared/clock.ts';
import type { CancelTimer, Timers } from '../../src/shared/timers.ts';

/** Wall clock of the tests at their start: 2026-01-02T03:04:05Z. */
export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

interface Entry {
  atMs: number;
  readonly run: () => void;
  readonly periodMs?: number;
}

/** Clock and timers that move only when told. */
export class FakeTime implements Clock, Timers {
  #elapsedMs = 0;
  #pending: Entry[] = [];
  /** Jump of the wall clock alone. */
  wallJumpMs = 0;
  timersMade = 0;

  nowNs(): bigint {
    return BigInt(this.nowMs()) * 1_000_000n;
  }

  nowMs(): number {
    return START_MS + this.#elapsedMs + this.wallJumpMs;
  }

  monotonicMs(): number {
    return 1000 + this.#elapsedMs;
  }

  after(delayMs: number, run: () => void): CancelTimer {
    return this.#start({ atMs: this.#elapsedMs + delayMs, run });
  }

  every(periodMs: number, run: () => void): CancelTimer {
    return this.#start({ atMs: this.#elapsedMs + periodMs, run, periodMs });
  }

  get pendingTimers(): number {
    return this.#pending.length;
  }

  /** Moves time, running every timer at its own moment and letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsedMs + ms;
    await settle();
    for (let next = this.#nextBefore(end); next !== undefined; next = this.#nextBefore(end)) {
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
      this.#run(next);
      await settle();
    }
    this.#elapsedMs = end;
  }

  /** Moves time and runs, in one step, the timers that are due then. */
  pass(ms: number): void {
    this.#elapsedMs += ms;
    for (const entry of [...this.#pending]) if (entry.atMs <= this.#elapsedMs) this.#run(entry);
  }

  /** Moves the clock only, as when the event loop is late with its timers. */
  advanceClock(ms: number): void {
    this.#elapsedMs += ms;
  }

  /** Moves time as a stalled process sees it: timers run late, all at the end. */
  async stall(ms: number): Promise<void> {
    this.#elapsedMs += ms;
    await this.advance(0);
  }

  #start(entry: Entry): CancelTimer {
    this.timersMade += 1;
    this.#pending.push(entry);
    return () => this.#drop(entry);
  }

  #run(entry: Entry): void {
    if (entry.periodMs === undefined) this.#drop(entry);
    else entry.atMs += entry.periodMs;
    entry.run();
  }

  #nextBefore(endMs: number): Entry | undefined {
    return this.#pending.filter((entry) => entry.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
  }

  #drop(entry: Entry): void {
    this.#pending = this.#pending.filter((other) => other !== entry);
  }
}

/** Lets promise chains without input or output run to their end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
