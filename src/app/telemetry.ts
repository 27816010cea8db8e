import { join } from 'node:path';
import type { ServeConfig } from '../config/index.ts';
import type { Logger } from '../shared/logger.ts';
import { createTelemetry, type Telemetry, type TelemetryResolution } from '../telemetry/index.ts';
import type { OpenStorage } from './storage.ts';

/** Telemetry that counts this server's own writes, queries, files and triggers. Starts nothing. */
export function openTelemetry(
  config: ServeConfig,
  resolution: TelemetryResolution,
  storage: OpenStorage,
  version: string,
  logger: Logger,
): Telemetry {
  const { catalog, node, store, writes } = storage;
  return createTelemetry({
    resolution,
    identity: {
      packageVersion: version,
      storageType: config.store.kind,
      instanceId: node.instanceId,
      clusterUuid: catalog.uuid,
      serveInvocationMethod: config.node.quickStart ? 1n : config.telemetry.invocationMethod,
    },
    sources: { parquetTotals: () => writes.parquetTotals, triggerCounts: () => catalog.triggerCounts() },
    logger: logger.child('influxdb3_telemetry'),
    ledgerFile: store.durable ? join(store.root, 'telemetry', 'ledger.jsonl') : undefined,
    testMode: config.telemetry.testMode,
  });
}
