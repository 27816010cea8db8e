import type { Clock } from '../shared/clock.ts';
import type { CancelTimer, Timers } from '../shared/timers.ts';

const SAMPLE_PERIOD_MS = 60_000;
const SEND_PERIOD_MS = 3_600_000;

/** A tick handled later than this counts as missed. */
const LATE_MS = 5;

/** A server that has just been installed says nothing before a person could read its notice. */
export type FirstReport = 'at start' | 'after an hour';

export interface TelemetrySchedulerDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Takes one sample; settles within a few seconds, never rejects. */
  readonly sample: () => Promise<void>;
  /** Starts one report; must not throw. The next one starts only when this one has settled. */
  readonly send: () => Promise<void>;
  /** When the first report is due; the others follow hour by hour. */
  readonly firstReport: FirstReport;
}

/** Next deadline on the grid of the first one: missed ticks are skipped, never made up for. All in monotonic ms. */
export function nextDeadline(nowMs: number, deadlineMs: number, periodMs: number): number {
  const lateMs = nowMs - deadlineMs;
  return lateMs <= LATE_MS ? deadlineMs + periodMs : nowMs + periodMs - (lateMs % periodMs);
}

/**
 * Samples every minute, from the start on, and sends every hour, on the monotonic clock. When both are due the
 * sample comes first, so that the sixtieth minute is in the report.
 */
export class TelemetryScheduler {
  private readonly deps: TelemetrySchedulerDeps;
  private cancelTimer: CancelTimer | undefined;
  private sampleAtMs = 0;
  private sendAtMs = 0;
  private sampling: Promise<void> | undefined;
  private sending: Promise<void> | undefined;
  private running = false;

  constructor(deps: TelemetrySchedulerDeps) {
    this.deps = deps;
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.sampleAtMs = this.deps.clock.monotonicMs();
    this.sendAtMs = this.sampleAtMs + (this.deps.firstReport === 'at start' ? 0 : SEND_PERIOD_MS);
    this.wake();
  }

  /** No more ticks. Resolves when work under way has settled. */
  async stop(): Promise<void> {
    this.running = false;
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    await Promise.all([this.sampling, this.sending]);
  }

  /** Milliseconds until the next sample and the next report; undefined when not running. */
  dueInMs(): { sample: number; send: number } | undefined {
    if (!this.running) return undefined;
    const nowMs = this.deps.clock.monotonicMs();
    return { sample: Math.max(0, this.sampleAtMs - nowMs), send: Math.max(0, this.sendAtMs - nowMs) };
  }

  private wake(): void {
    const nowMs = this.deps.clock.monotonicMs();
    const sampleDue = nowMs >= this.sampleAtMs;
    const sendDue = nowMs >= this.sendAtMs;
    if (sampleDue) this.sampleAtMs = nextDeadline(nowMs, this.sampleAtMs, SAMPLE_PERIOD_MS);
    if (sendDue) this.sendAtMs = nextDeadline(nowMs, this.sendAtMs, SEND_PERIOD_MS);
    const delayMs = Math.max(1, Math.min(this.sampleAtMs, this.sendAtMs) - nowMs);
    this.cancelTimer = this.deps.timers.after(delayMs, () => this.wake());
    if (sampleDue && this.sampling === undefined) {
      this.sampling = this.deps.sample().finally(() => {
        this.sampling = undefined;
      });
    }
    if (sendDue && this.sending === undefined) {
      this.sending = this.sendAfter(this.sampling).finally(() => {
        this.sending = undefined;
      });
    }
  }

  private async sendAfter(sampling: Promise<void> | undefined): Promise<void> {
    await sampling;
    if (this.running) await this.deps.send();
  }
}
