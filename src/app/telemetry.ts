import { join } from 'node:path';
import type { Registry } from 'prom-client';
import type { ServeConfig } from '../config/index.ts';
import type { PythonPackages } from '../processing/index.ts';
import type { QueryExecutor } from '../query/index.ts';
import type { RoutePlugin } from '../server/http/index.ts';
import { systemClock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { type ObjectStore, ObjectStoreError } from '../storage/index.ts';
import { telemetryReceiver, telemetryRoutes } from '../telemetry/http.ts';
import { type SettingsPlace, SwitchableTelemetry, TelemetrySettings } from '../telemetry/index.ts';
import { reportSource } from './report-source.ts';
import type { OpenStorage } from './storage.ts';

export type TelemetryParts = Pick<OpenStorage, 'catalog' | 'firstStart' | 'node' | 'store' | 'writes'> & {
  readonly packages: Pick<PythonPackages, 'installed'>;
};

/** Telemetry that counts this server's own writes, queries, files and triggers. Starts nothing. */
export async function openTelemetry(
  config: ServeConfig,
  sources: TelemetryParts,
  version: string,
  logger: Logger,
): Promise<SwitchableTelemetry> {
  const { catalog, firstStart, node, packages, store, writes } = sources;
  const file = (name: string): string | undefined => (store.durable ? join(store.root, 'telemetry', name) : undefined);
  return new SwitchableTelemetry({
    switches: config.telemetry,
    settings: await TelemetrySettings.open(store.bucket === undefined ? file('settings.json') : settingsInBucket(store.bucket.store)),
    firstReport: firstStart ? 'after an hour' : 'at start',
    identity: {
      packageVersion: version,
      storageType: config.store.kind,
      instanceId: node.instanceId,
      clusterUuid: catalog.uuid,
      serveInvocationMethod: config.node.quickStart ? 1n : config.telemetry.invocationMethod,
    },
    sources: { parquetTotals: () => writes.store.parquetTotals, triggerCounts: () => catalog.triggerCounts() },
    logger: logger.child('influxdb3_telemetry'),
    ledgerFile: file('ledger.jsonl'),
    testMode: config.telemetry.testMode,
    installedPackages: () => packages.installed(),
  });
}

/** What a person decided goes with the data, to whichever machine that serves it next. */
function settingsInBucket(objects: ObjectStore): SettingsPlace {
  const key = 'telemetry/settings.json';
  return {
    read: async () => {
      try {
        return Buffer.from(await objects.get(key)).toString('utf8');
      } catch (error) {
        if (error instanceof ObjectStoreError && error.code === 'NOT_FOUND') return undefined;
        throw error;
      }
    },
    replace: (text) => objects.put(key, Buffer.from(text), 'overwrite'),
  };
}

/** The telemetry views, and with `--telemetry-receiver` the endpoint that other servers report to. */
export function telemetryPlugins(
  config: ServeConfig,
  storage: OpenStorage,
  telemetry: SwitchableTelemetry,
  queries: Pick<QueryExecutor, 'internalSql'>,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Registry },
): RoutePlugin[] {
  const reports = config.telemetry.receiver ? { reports: reportSource(storage, queries) } : {};
  const plugins: RoutePlugin[] = [telemetryRoutes({ telemetry, control: telemetry, clock: systemClock, ...reports })];
  if (config.telemetry.receiver) {
    const child = logger.child('influxdb3_telemetry_receiver');
    plugins.push(telemetryReceiver({ writer: storage.writes, clock: systemClock, logger: child, metrics }));
  }
  return plugins;
}
