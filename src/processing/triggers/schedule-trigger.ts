import type { TriggerSpec } from '../../catalog/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import type { CancelTimer, Timers } from '../../shared/timers.ts';
import { parseCron } from '../cron.ts';
import type { RunningTrigger, TriggerIdentity } from './running-trigger.ts';
import type { TriggerFigures } from './trigger-figures.ts';
import type { TriggerRunner } from './trigger-runner.ts';
import { ASYNC_CALLS_MAX } from './wal-trigger.ts';

/** First time strictly after another one, both epoch ms; undefined = never again. */
export type NextTime = (afterMs: number) => number | undefined;

export interface ScheduleTriggerOptions {
  readonly trigger: TriggerIdentity;
  readonly runner: TriggerRunner;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly figures: TriggerFigures;
  readonly timers: Timers;
}

/** Timers go no further; a clock that was set is noticed after this time at the latest. */
const SLEEP_MS_MAX = 60_000;

/** A clock that jumped ahead by more than this skips what it passed. */
const JUMP_MS = 3_600_000;

/** Fires that are late by more than this many are told of, once a minute. */
const LATE_FIRES = 60;
const LATE_LOG_MS = 60_000;

/** Calls a plugin at its times. A fire that is late is made up for; fires of a sync trigger follow each other. */
export class ScheduleTrigger implements RunningTrigger {
  readonly #options: ScheduleTriggerOptions;
  readonly #nextTime: NextTime;
  #nextMs: number | undefined;
  #cancelTimer: CancelTimer = () => undefined;
  #running = 0;
  #lateLoggedMs = Number.NEGATIVE_INFINITY;
  #stopped: Promise<void> | undefined;

  constructor(options: ScheduleTriggerOptions) {
    this.#options = options;
    this.#nextTime = timesOf(options.trigger.definition.spec);
    this.#nextMs = this.#nextTime(options.clock.nowMs());
    this.#wait();
  }

  get definition(): TriggerIdentity['definition'] {
    return this.#options.trigger.definition;
  }

  stop(graceMs: number): Promise<void> {
    this.#cancelTimer();
    this.#nextMs = undefined;
    this.#stopped ??= this.#options.runner.stop(graceMs);
    return this.#stopped;
  }

  #wait(): void {
    const { clock, timers } = this.#options;
    this.#cancelTimer();
    if (this.#nextMs === undefined) return;
    const ms = Math.min(SLEEP_MS_MAX, Math.max(0, this.#nextMs - clock.nowMs()));
    this.#cancelTimer = timers.after(ms, () => this.#fire());
  }

  #fire(): void {
    const { clock, runner } = this.#options;
    const callsMax = this.definition.runAsync ? ASYNC_CALLS_MAX : 1;
    const nowMs = clock.nowMs();
    this.#skipJump(nowMs);
    while (this.#nextMs !== undefined && this.#nextMs <= nowMs && this.#running < callsMax && !runner.stopping.aborted) {
      const timeMs = this.#nextMs;
      this.#nextMs = this.#nextTime(timeMs);
      this.#running++;
      void runner.run({ kind: 'schedule', timeMs }).finally(() => {
        this.#running--;
        if (!runner.stopping.aborted) this.#fire();
      });
    }
    // While all calls are taken, the end of one fires next.
    if (this.#running < callsMax) this.#wait();
  }

  #skipJump(nowMs: number): void {
    const { clock, logger, runner } = this.#options;
    if (this.#nextMs === undefined || nowMs - this.#nextMs <= 0) return;
    const following = this.#nextTime(this.#nextMs);
    if (following === undefined) return;
    const late = (nowMs - this.#nextMs) / Math.max(1, following - this.#nextMs);
    if (this.#running === 0 && nowMs - this.#nextMs > JUMP_MS && late > 1) {
      logger.warn('the clock went ahead, scheduled calls are skipped', { trigger: this.definition.name });
      this.#nextMs = this.#nextTime(nowMs);
      return;
    }
    const monotonicMs = clock.monotonicMs();
    if (late < LATE_FIRES || monotonicMs - this.#lateLoggedMs < LATE_LOG_MS) return;
    this.#lateLoggedMs = monotonicMs;
    runner.log('WARN', `trigger ${this.definition.name} is ${Math.floor(late)} scheduled calls behind`);
  }
}

/** When a schedule fires: `every` at multiples of its period since the epoch, cron at its matches in UTC. */
export function timesOf(spec: TriggerSpec): NextTime {
  if (spec.kind === 'every') {
    const periodMs = spec.secs * 1000 + spec.nanos / 1e6;
    return (afterMs) => (Math.floor(afterMs / periodMs) + 1) * periodMs;
  }
  if (spec.kind !== 'schedule') throw new Error('internal error: a trigger without a schedule was scheduled');
  const cron = parseCron(spec.cron);
  if ('problem' in cron) return () => undefined; // of a catalog that another program wrote
  return (afterMs) => cron.nextAfter(afterMs);
}
