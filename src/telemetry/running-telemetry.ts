import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/logger.ts';
import type { Timers } from '../shared/timers.ts';
import { MinuteHistory, type MinuteSample } from './history.ts';
import type { TriggerType } from './invocations.ts';
import { type LedgerEntry, TelemetryLedger } from './ledger.ts';
import { LedgerFile } from './ledger-file.ts';
import { createProcessReader, type ProcessReader } from './process-reader.ts';
import type { TelemetryResolution } from './resolve.ts';
import { type FirstReport, TelemetryScheduler } from './scheduler.ts';
import { createSender, errorCode, type SendOutcome, type SendTelemetry } from './sender.ts';
import type { TelemetryStatus } from './status.ts';
import type { ProcessReading, TelemetryStore } from './store.ts';
import type { Telemetry } from './telemetry.ts';

/** Longest wait for the operating system to tell CPU and memory. */
const READ_TIMEOUT_MS = 5000;

export interface RunningTelemetryDeps {
  readonly resolution: TelemetryResolution;
  readonly store: TelemetryStore;
  readonly logger: Log;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cores: number;
  readonly ledgerFile: string | undefined;
  readonly readProcess: ProcessReader | undefined;
  readonly send: SendTelemetry | undefined;
  readonly firstReport: FirstReport;
}

/** Telemetry that is on: a minute tick, an hourly report, a ledger of the reports. */
export class RunningTelemetry implements Telemetry {
  readonly state = 'on';
  readonly recorder: TelemetryStore;
  private readonly deps: RunningTelemetryDeps;
  private readonly readProcess: ProcessReader;
  private readonly send: SendTelemetry;
  private readonly sent: TelemetryLedger;
  private readonly minutes = new MinuteHistory();
  private readonly scheduler: TelemetryScheduler;
  private readonly aborter = new AbortController();
  private loading: Promise<void> | undefined;
  private attempts = 0;
  private attemptsFailed = 0;
  private bytesSent = 0;
  private samples = 0;
  private samplesFailed = 0;
  private lastOutcome: SendOutcome['kind'] | undefined;

  constructor(deps: RunningTelemetryDeps) {
    this.deps = deps;
    this.recorder = deps.store;
    this.readProcess = deps.readProcess ?? createProcessReader(deps.clock, deps.cores);
    this.send = deps.send ?? createSender({ env: deps.env, timers: deps.timers });
    this.sent = new TelemetryLedger(deps.ledgerFile === undefined ? undefined : new LedgerFile(deps.ledgerFile), deps.logger);
    this.scheduler = new TelemetryScheduler({
      clock: deps.clock,
      timers: deps.timers,
      sample: () => this.sample(),
      send: () => this.report(),
      firstReport: deps.firstReport,
    });
  }

  recordInvocation(database: string, trigger: string, plugin: string, type: TriggerType): void {
    this.deps.store.invocations.record(database, trigger, plugin, type);
  }

  start(): void {
    if (this.loading !== undefined) return;
    this.loading = this.sent.load();
    this.scheduler.start();
  }

  async stop(): Promise<void> {
    this.aborter.abort();
    await this.scheduler.stop();
    await this.loading;
  }

  preview(): Uint8Array {
    return this.deps.store.preview();
  }

  snapshotJson(): string {
    return this.deps.store.snapshotJson();
  }

  history(): readonly MinuteSample[] {
    return this.minutes.list();
  }

  async ledger(): Promise<readonly LedgerEntry[]> {
    await (this.loading ?? this.sent.load());
    return this.sent.list();
  }

  status(): TelemetryStatus {
    const { resolution, clock, ledgerFile } = this.deps;
    const due = this.scheduler.dueInMs();
    const target = resolution.target.kind === 'usable' ? resolution.target.url : null;
    const at = (delayMs: number): string => new Date(clock.nowMs() + delayMs).toISOString();
    const entries = this.sent.list();
    const last = entries.at(-1);
    return {
      state: 'on',
      reason: resolution.reason,
      endpoint: resolution.endpoint,
      sends_to: target,
      next_sample_at: due === undefined ? null : at(due.sample),
      next_report_at: due === undefined || target === null ? null : at(due.send),
      attempts: this.attempts,
      attempts_failed: this.attemptsFailed,
      bytes_sent: this.bytesSent,
      samples: this.samples,
      samples_failed: this.samplesFailed,
      last_attempt: last === undefined ? null : { time: last.time, status: last.status, error: last.error, bytes: last.bytes },
      ledger_entries: entries.length,
      ledger_file: ledgerFile ?? null,
    };
  }

  private async sample(): Promise<void> {
    const reading = await this.readWithin(READ_TIMEOUT_MS);
    this.minutes.add(this.deps.store.tick(reading));
    this.samples += 1;
  }

  private async readWithin(timeoutMs: number): Promise<ProcessReading | undefined> {
    const { signal } = this.aborter;
    let cancel = (): void => undefined;
    const timeout = new Promise<never>((_, reject) => {
      const giveUp = (): void => reject(new Error('no answer from the operating system'));
      const cancelTimer = this.deps.timers.after(timeoutMs, giveUp);
      signal.addEventListener('abort', giveUp);
      cancel = () => {
        cancelTimer();
        signal.removeEventListener('abort', giveUp);
      };
    });
    try {
      return await Promise.race([this.readProcess(), timeout]);
    } catch (error) {
      this.samplesFailed += 1;
      if (this.samplesFailed === 1)
        this.deps.logger.warn('telemetry cannot read the CPU and memory use of this process', { error: errorCode(error) });
      return undefined; // the minute is rolled up without them
    } finally {
      cancel();
    }
  }

  private async report(): Promise<void> {
    await this.loading;
    const body = this.deps.store.takeAndReset();
    const { target } = this.deps.resolution;
    if (target.kind === 'unusable' || this.aborter.signal.aborted) return;
    const { clock, logger } = this.deps;
    this.attempts += 1;
    const id = await this.sent.begin(clock.nowMs(), target.url, body);
    const startedMs = clock.monotonicMs();
    const outcome = await this.attempt(target.url, body);
    const durationMs = clock.monotonicMs() - startedMs;
    if (outcome.kind === 'failed') this.attemptsFailed += 1;
    else this.bytesSent += body.length;
    await this.sent.finish(id, outcome, durationMs);
    logger.debug('telemetry report attempted', { bytes: body.length, durationMs, ...outcome });
    this.noteChange(outcome);
  }

  /** Sending must never hurt the server, whatever an injected sender does. */
  private async attempt(url: string, body: Uint8Array): Promise<SendOutcome> {
    try {
      return await this.send(url, body, this.aborter.signal);
    } catch (error) {
      return { kind: 'failed', error: errorCode(error) };
    }
  }

  private noteChange(outcome: SendOutcome): void {
    if (outcome.kind === this.lastOutcome || this.aborter.signal.aborted) return;
    this.lastOutcome = outcome.kind;
    const fields = { endpoint: this.deps.resolution.endpoint };
    if (outcome.kind === 'answered') this.deps.logger.info('telemetry reports reach the endpoint', { ...fields, status: outcome.status });
    else
      this.deps.logger.info('telemetry reports do not reach the endpoint; the server is not affected', { ...fields, error: outcome.error });
  }
}
