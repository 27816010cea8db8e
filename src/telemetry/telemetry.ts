import type { Clock } from '../shared/clock.ts';
import { systemClock } from '../shared/clock.ts';
import type { Log } from '../shared/logger.ts';
import { systemTimers, type Timers } from '../shared/timers.ts';
import type { MinuteSample } from './history.ts';
import type { TriggerType } from './invocations.ts';
import { type LedgerEntry, readLedgerFile } from './ledger.ts';
import type { ProcessReader } from './process-reader.ts';
import type { TelemetryRecorder, TelemetrySources } from './recorder.ts';
import type { TelemetryResolution } from './resolve.ts';
import { RunningTelemetry } from './running-telemetry.ts';
import type { FirstReport } from './scheduler.ts';
import { errorCode, type SendTelemetry } from './sender.ts';
import { collectStaticFacts, type ServerIdentity, usableCores } from './static-facts.ts';
import type { TelemetryStatus } from './status.ts';
import { TelemetryStore } from './store.ts';

/** Usage telemetry of one server. Off = does nothing at all: no timer, no socket, no reading, no counter. */
export interface Telemetry {
  readonly state: 'on' | 'off';
  readonly recorder: TelemetryRecorder;
  /** Counts one delivery to a plugin, before the plugin runs. Names stay on this machine. */
  recordInvocation(database: string, trigger: string, plugin: string, type: TriggerType): void;
  /** Begins sampling and sending. Call after the server listens. Idempotent. */
  start(): void;
  /** No more ticks, no last report; waits for work under way, which it aborts. Idempotent. */
  stop(): Promise<void>;
  /** The bytes that would be posted now. Changes nothing. Empty when off. */
  preview(): Uint8Array;
  /** Payload with names, for the hidden test endpoint. Empty text when there are no counters. */
  snapshotJson(): string;
  status(): TelemetryStatus;
  /** Minutes of the last day, oldest first. */
  history(): readonly MinuteSample[];
  /** Attempts, oldest first, earlier runs included. */
  ledger(): Promise<readonly LedgerEntry[]>;
}

export interface TelemetryDeps {
  readonly resolution: TelemetryResolution;
  readonly identity: ServerIdentity;
  readonly sources: TelemetrySources;
  readonly logger: Log;
  /** `<data-dir>/<node-id>/telemetry/ledger.jsonl`; undefined keeps the ledger in memory. */
  readonly ledgerFile?: string | undefined;
  /** `--test-mode`: counters run in memory even when telemetry is off. */
  readonly testMode?: boolean;
  readonly installedPackages?: () => readonly string[];
  /** Process environment, for the proxy variables. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly readProcess?: ProcessReader;
  readonly send?: SendTelemetry;
  /** At the start, unless told otherwise. */
  readonly firstReport?: FirstReport;
  readonly platform?: string;
  readonly cores?: number;
}

/** Builds telemetry as resolved. Starts nothing. */
export function createTelemetry(deps: TelemetryDeps): Telemetry {
  const { resolution, logger } = deps;
  for (const warning of resolution.warnings) logger.warn(warning);
  if (resolution.state === 'off') {
    logger.debug('Initializing TelemetryStore with upload disabled.');
    return createIdleTelemetry(deps, deps.testMode === true ? createStore(deps) : undefined);
  }
  logger.debug(`Initializing TelemetryStore with upload enabled for ${resolution.endpoint}.`);
  if (resolution.target.kind === 'unusable') logger.error('telemetry cannot be sent', { reason: resolution.target.problem });
  const cores = deps.cores ?? usableCores();
  return new RunningTelemetry({
    resolution,
    store: createStore({ ...deps, cores }),
    logger,
    cores,
    clock: deps.clock ?? systemClock,
    timers: deps.timers ?? systemTimers,
    env: deps.env ?? process.env,
    ledgerFile: deps.ledgerFile,
    readProcess: deps.readProcess,
    send: deps.send,
    firstReport: deps.firstReport ?? 'at start',
  });
}

function createStore(deps: TelemetryDeps): TelemetryStore {
  const host = { platform: deps.platform ?? process.platform, cores: deps.cores ?? usableCores() };
  let sourceErrors = 0;
  return new TelemetryStore({
    facts: collectStaticFacts(deps.identity, host),
    sources: deps.sources,
    clock: deps.clock ?? systemClock,
    installedPackages: deps.installedPackages,
    onSourceError: (error) => {
      sourceErrors += 1;
      if (sourceErrors === 1) deps.logger.warn('a telemetry source failed; its figures are sent as 0', { error: errorCode(error) });
    },
  });
}

const SILENT_RECORDER: TelemetryRecorder = { recordWrite: () => undefined, recordQuery: () => undefined };

/** Telemetry that is off. With a store (test mode) events are counted in memory and nothing else happens. */
function createIdleTelemetry(deps: TelemetryDeps, store: TelemetryStore | undefined): Telemetry {
  const { resolution, ledgerFile } = deps;
  return {
    state: 'off',
    recorder: store ?? SILENT_RECORDER,
    recordInvocation: (database, trigger, plugin, type) => store?.invocations.record(database, trigger, plugin, type),
    start: () => undefined,
    stop: () => Promise.resolve(),
    preview: () => new Uint8Array(0),
    snapshotJson: () => store?.snapshotJson() ?? '',
    status: () => ({
      state: 'off',
      reason: resolution.reason,
      endpoint: resolution.endpoint,
      sends_to: null,
      next_sample_at: null,
      next_report_at: null,
      attempts: 0,
      attempts_failed: 0,
      bytes_sent: 0,
      samples: 0,
      samples_failed: 0,
      last_attempt: null,
      ledger_entries: 0,
      ledger_file: ledgerFile ?? null,
    }),
    history: () => [],
    // Reports of earlier runs stay visible after telemetry was switched off; the file is read when somebody asks.
    ledger: () => (ledgerFile === undefined ? Promise.resolve([]) : readLedgerFile(ledgerFile)),
  };
}
