import { join } from 'node:path';
import type { Registry } from 'prom-client';
import type { ServeConfig } from '../config/index.ts';
import type { PythonPackages } from '../processing/index.ts';
import type { RoutePlugin } from '../server/http/index.ts';
import { systemClock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { telemetryReceiver, telemetryRoutes } from '../telemetry/http.ts';
import { createTelemetry, type Telemetry, type TelemetryResolution } from '../telemetry/index.ts';
import type { OpenStorage } from './storage.ts';

export type TelemetryParts = Pick<OpenStorage, 'catalog' | 'node' | 'store' | 'writes'> & {
  readonly packages: Pick<PythonPackages, 'installed'>;
};

/** Telemetry that counts this server's own writes, queries, files and triggers. Starts nothing. */
export function openTelemetry(
  config: ServeConfig,
  resolution: TelemetryResolution,
  sources: TelemetryParts,
  version: string,
  logger: Logger,
): Telemetry {
  const { catalog, node, packages, store, writes } = sources;
  return createTelemetry({
    resolution,
    identity: {
      packageVersion: version,
      storageType: config.store.kind,
      instanceId: node.instanceId,
      clusterUuid: catalog.uuid,
      serveInvocationMethod: config.node.quickStart ? 1n : config.telemetry.invocationMethod,
    },
    sources: { parquetTotals: () => writes.store.parquetTotals, triggerCounts: () => catalog.triggerCounts() },
    logger: logger.child('influxdb3_telemetry'),
    ledgerFile: store.durable ? join(store.root, 'telemetry', 'ledger.jsonl') : undefined,
    testMode: config.telemetry.testMode,
    installedPackages: () => packages.installed(),
  });
}

/** The telemetry views, and with `--telemetry-receiver` the endpoint that other servers report to. */
export function telemetryPlugins(
  config: ServeConfig,
  storage: OpenStorage,
  telemetry: Telemetry,
  metrics: Registry,
  logger: Logger,
): RoutePlugin[] {
  const plugins: RoutePlugin[] = [telemetryRoutes({ telemetry })];
  if (config.telemetry.receiver) {
    const child = logger.child('influxdb3_telemetry_receiver');
    plugins.push(telemetryReceiver({ writer: storage.writes, clock: systemClock, logger: child, metrics }));
  }
  return plugins;
}
