import type { TelemetrySources } from '../../../src/telemetry/recorder.ts';
import { resolveTelemetry, type TelemetryResolution, type TelemetrySwitches } from '../../../src/telemetry/resolve.ts';
import type { SendOutcome, SendTelemetry } from '../../../src/telemetry/sender.ts';
import type { ServerIdentity } from '../../../src/telemetry/static-facts.ts';
import type { ProcessReading } from '../../../src/telemetry/store.ts';
import { createTelemetry, type Telemetry, type TelemetryDeps } from '../../../src/telemetry/telemetry.ts';
import { FakeTime } from '../../support/fake-time.ts';

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
