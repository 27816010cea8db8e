import { mkdirSync } from 'node:fs';
import type { ServeConfig } from '../config/index.ts';
import {
  DEFAULT_PLUGIN_REPO,
  PluginAdmin,
  PluginCodeReader,
  PluginFiles,
  ProcessingEngine,
  PythonEnvironment,
  PythonPackages,
  registerTriggerMetrics,
  TriggerAdmin,
} from '../processing/index.ts';
import type { QueryService } from '../query/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Registry } from '../shared/prometheus.ts';
import { StartupError } from '../shared/startup-error.ts';
import { systemTimers } from '../shared/timers.ts';
import type { Telemetry } from '../telemetry/index.ts';
import type { WriteService } from '../write/index.ts';
import type { OpenStorage } from './storage.ts';

export interface ProcessingParts {
  readonly storage: Pick<OpenStorage, 'catalog' | 'writes'>;
  readonly writes: WriteService;
  readonly queries: QueryService;
  readonly telemetry: Pick<Telemetry, 'recordInvocation'>;
  readonly python: PythonParts;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Python of plugins; `python` is undefined while the processing engine is off. */
export interface PythonParts {
  readonly python: PythonEnvironment | undefined;
  readonly packages: PythonPackages;
}

/** Starts nothing. */
export function openPython(config: ServeConfig, clock: Clock, logger: Logger): PythonParts {
  const { packageInstallAllowed, pluginDir, pluginPython, virtualEnvLocation } = config.processing;
  const python =
    pluginDir === undefined
      ? undefined
      : new PythonEnvironment({ pluginDir, location: virtualEnvLocation, python: pluginPython, env: process.env });
  const child = logger.child('influxdb3_processing_engine');
  return { python, packages: new PythonPackages({ python, allowed: packageInstallAllowed, logger: child, clock }) };
}

export interface OpenProcessing {
  readonly engine: ProcessingEngine;
  readonly triggers: TriggerAdmin;
  readonly plugins: PluginAdmin;
  /** Mends what a crash has left in the plugin directory. */
  readonly recoverFiles: () => Promise<void>;
}

/** The processing engine over this server's writes and queries. Starts nothing. Throws `StartupError`. */
export function openProcessing(config: ServeConfig, parts: ProcessingParts): OpenProcessing {
  const { clock, metrics, queries, storage, telemetry, writes } = parts;
  const { packages, python } = parts.python;
  const { invocationTimeoutMs, memoryLimitBytes, pluginDir, pluginRepo, queueBytesMax, triggerKinds } = config.processing;
  const logger = parts.logger.child('influxdb3_processing_engine');
  if (pluginDir !== undefined) createPluginDir(pluginDir);
  const code = new PluginCodeReader({
    directory: pluginDir,
    fetchRemote: async (path) =>
      (await import('../processing/plugins/remote-plugins.ts')).fetchPlugin(pluginRepo ?? DEFAULT_PLUGIN_REPO, path),
  });
  const engine = new ProcessingEngine({
    catalog: storage.catalog,
    onDurable: (listener) => storage.writes.onDurable(listener),
    seriesOf: (table) => storage.writes.seriesOf(table),
    writes,
    queries,
    code,
    python,
    clock,
    logger,
    limits: { invocationTimeoutMs, memoryLimitBytes, queueBytesMax },
    kinds: triggerKinds,
    timers: systemTimers,
    onInvocation: (database, trigger, plugin, type) => telemetry.recordInvocation(database, trigger, plugin, type),
  });
  registerTriggerMetrics(metrics, () => engine.figures());
  const files = new PluginFiles({ directory: pluginDir, catalog: storage.catalog });
  const plugins = new PluginAdmin({ files, packages, dryRuns: engine.dryRuns });
  const triggers = new TriggerAdmin({ catalog: storage.catalog, code, kinds: triggerKinds, logger });
  return { engine, plugins, triggers, recoverFiles: () => files.recover() };
}

function createPluginDir(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new StartupError(`Serve command failed: cannot create the plugin directory: ${(error as Error).message}`, { cause: error });
  }
}
