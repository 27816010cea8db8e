import type { Clock } from '../../../src/shared/clock.ts';
import type { TelemetrySources } from '../../../src/telemetry/recorder.ts';
import { resolveTelemetry, type TelemetryResolution, type TelemetrySwitches } from '../../../src/telemetry/resolve.ts';
import type { SendOutcome, SendTelemetry } from '../../../src/telemetry/sender.ts';
import type { ServerIdentity } from '../../../src/telemetry/static-facts.ts';
import type { ProcessReading } from '../../../src/telemetry/store.ts';
import { createTelemetry, type Telemetry, type TelemetryDeps } from '../../../src/telemetry/telemetry.ts';
import type { Timers } from '../../../src/telemetry/timers.ts';

/** Wall clock of the tests at their start: 2026-01-02T03:04:05Z. */
export const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

/** Monotonic clock and timers that move only when told. */
export class FakeTime implements Clock, Timers {
  private elapsedMs = 0;
  private pending: { atMs: number; run: () => void }[] = [];
  /** Jump of the wall clock alone. */
  wallJumpMs = 0;
  timersMade = 0;

  nowNs(): bigint {
    return BigInt(this.nowMs()) * 1_000_000n;
  }

  nowMs(): number {
    return START_MS + this.elapsedMs + this.wallJumpMs;
  }

  monotonicMs(): number {
    return 1000 + this.elapsedMs;
  }

  after(delayMs: number, run: () => void): { cancel(): void } {
    const entry = { atMs: this.elapsedMs + delayMs, run };
    this.timersMade += 1;
    this.pending.push(entry);
    return { cancel: () => this.drop(entry) };
  }

  get pendingTimers(): number {
    return this.pending.length;
  }

  /** Moves time, running every timer at its own moment and letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.elapsedMs + ms;
    await settle();
    for (let next = this.nextBefore(end); next !== undefined; next = this.nextBefore(end)) {
      this.elapsedMs = Math.max(this.elapsedMs, next.atMs);
      this.drop(next);
      next.run();
      await settle();
    }
    this.elapsedMs = end;
  }

  /** Moves time as a stalled process sees it: timers run late, all at the end. */
  async stall(ms: number): Promise<void> {
    this.elapsedMs += ms;
    await this.advance(0);
  }

  private nextBefore(endMs: number): { atMs: number; run: () => void } | undefined {
    return this.pending.filter((entry) => entry.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
  }

  private drop(entry: { atMs: number }): void {
    this.pending = this.pending.filter((other) => other !== entry);
  }
}

/** Lets promise chains without input or output run to their end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: object;
}

/** A logger that remembers. */
export function memoryLogger() {
  const lines: LogLine[] = [];
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: object = {}) => {
      lines.push({ level, message, fields });
    };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export const IDENTITY: ServerIdentity = {
  packageVersion: '3.10.0',
  storageType: 'file',
  instanceId: '0c5c3f0e-5d0c-4a5e-9a53-0f3f2c1b7a10',
  clusterUuid: '7b1f5f0a-30fb-4f8e-8a1c-5d1f5a0c9e77',
  serveInvocationMethod: 0n,
};

/** The sources of a full sample report. */
export const SOURCES: TelemetrySources = {
  parquetTotals: () => ({ fileCount: 3, sizeBytes: 6267, rowCount: 9 }),
  triggerCounts: () => ({ walSingle: 1, walAll: 0, schedule: 2, request: 0 }),
};

/** No switch set, a made-up endpoint that nothing may reach. */
export const SWITCHES: TelemetrySwitches = {
  disableFlag: false,
  disableEnv: undefined,
  disableEnvNew: undefined,
  doNotTrack: undefined,
  ci: undefined,
  endpoint: 'https://collector.example',
  endpointExplicit: true,
};

export const ON: TelemetryResolution = resolveTelemetry(SWITCHES);
export const OFF: TelemetryResolution = resolveTelemetry({ ...SWITCHES, disableFlag: true });

export interface Harness {
  readonly telemetry: Telemetry;
  readonly time: FakeTime;
  readonly logger: ReturnType<typeof memoryLogger>;
  /** Bodies given to the sender, in order. */
  readonly posts: string[];
  /** Next readings, in order; undefined = cannot be read. */
  readonly readings: (ProcessReading | undefined)[];
  outcome: SendOutcome | Promise<SendOutcome>;
}

/** Telemetry on fake time with a fake process and a fake network. */
export function harness(overrides: Partial<TelemetryDeps> = {}): Harness {
  const time = new FakeTime();
  const logger = memoryLogger();
  const posts: string[] = [];
  const readings: (ProcessReading | undefined)[] = [];
  const send: SendTelemetry = async (_url, body) => {
    posts.push(Buffer.from(body).toString('utf8'));
    return made.outcome;
  };
  const telemetry = createTelemetry({
    resolution: ON,
    identity: IDENTITY,
    sources: SOURCES,
    logger,
    clock: time,
    timers: time,
    env: {},
    platform: 'linux',
    cores: 4,
    readProcess: async () => {
      const reading = readings.length > 0 ? readings.shift() : { cpuPercent: 0, rssBytes: 0 };
      if (reading === undefined) throw new Error('cannot be read');
      return reading;
    },
    send,
    ...overrides,
  });
  const made: Harness = { telemetry, time, logger, posts, readings, outcome: { kind: 'answered', status: 204 } };
  return made;
}

/** A payload as an object, for looking at single fields. */
export function decode(json: string | Uint8Array | undefined): Record<string, unknown> {
  return JSON.parse(typeof json === 'string' ? json : Buffer.from(json ?? []).toString('utf8')) as Record<string, unknown>;
}
