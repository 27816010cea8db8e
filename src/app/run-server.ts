import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Registry } from 'prom-client';
import type { RunningServer, ServerHooks } from '../cli/run-server.ts';
import type { HttpConfig, ServeConfig } from '../config/index.ts';
import { QueryExecutor } from '../query/executor.ts';
import { SystemTables } from '../query/system-tables/index.ts';
import { buildHttpServer, type HttpServer, type TlsSettings } from '../server/http/index.ts';
import { systemClock } from '../shared/clock.ts';
import { StartupError } from '../shared/startup-error.ts';
import { readProductVersion, versionLine } from '../shared/version.ts';
import { registerTelemetryMetrics } from '../telemetry/http.ts';
import { firstStartNotice, resolveTelemetry } from '../telemetry/index.ts';
import { openAdminService, openAuthenticator } from './auth.ts';
import { type OpenStorage, openStorage } from './storage.ts';
import { systemTableProviders, userTables } from './system-tables.ts';
import { openTelemetry, telemetryPlugins } from './telemetry.ts';

/** Builds and starts a server; resolves once it answers. Throws `StartupError`. */
export async function runServer(config: ServeConfig, hooks: ServerHooks): Promise<RunningServer> {
  const clock = systemClock;
  const started = clock.monotonicMs();
  const { logger } = hooks;
  for (const warning of config.warnings) logger.warn(warning.message, warning.fields);
  if (config.inactiveOptions.length > 0) logger.info('options accepted but not used by this build', { options: config.inactiveOptions });
  const product = readProductVersion();
  const processId = randomUUID();
  const storage = await openStorage(config, clock, logger, processId);
  try {
    const resolution = resolveTelemetry(config.telemetry);
    const telemetry = openTelemetry(config, resolution, storage, product.version, logger);
    const authenticator = await openAuthenticator(config, storage.catalog, clock, logger);
    const metrics = new Registry();
    registerTelemetryMetrics(metrics, telemetry);
    const server = await buildHttpServer({
      writeService: storage.writes,
      queryService: queryExecutor(config, storage, telemetry.recorder),
      adminService: openAdminService(config, storage.catalog, clock, (database) => storage.writes.forget(database)),
      authenticator,
      telemetry: telemetry.recorder,
      metrics,
      clock,
      logger,
      clusterUuid: storage.catalog.uuid,
      product: { ...product, processId },
      maxBodyBytes: config.http.maxRequestBytes,
      ...(config.http.tls === undefined ? {} : { tls: await readTls(config.http.tls) }),
      routePlugins: telemetryPlugins(config, storage, telemetry, metrics, logger),
      ...(config.telemetry.testMode ? { telemetrySnapshot: () => telemetry.snapshotJson() } : {}),
    });
    const bound = await bind(server, config.http);
    telemetry.start();
    const url = reachableUrl(bound, config.http);
    hooks.onReady({
      url,
      address: joinAddress(bound),
      dataDir: storage.store.durable ? storage.store.root : undefined,
      nodeId: config.node.id,
      telemetry: { state: resolution.state, reason: resolution.reason },
      authEnabled: config.auth.enabled,
      hasAdminToken: storage.catalog.tokens().length > 0,
      notice: storage.firstStart ? firstStartNotice(resolution) : '',
      startupMs: Math.round(clock.monotonicMs() - started),
      product: versionLine(product),
    });
    // Loading the engine takes longer than all the rest; the first write or query should not have to wait for it.
    setImmediate(
      () => void storage.engine.get().catch((error: unknown) => logger.error('the query engine does not load', { error: String(error) })),
    );
    return runningServer(url, async () => {
      await server.close();
      await telemetry.stop();
      await storage.close();
    });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

function queryExecutor(
  config: ServeConfig,
  storage: OpenStorage,
  telemetry: ConstructorParameters<typeof QueryExecutor>[0]['telemetry'],
): QueryExecutor {
  const { catalog, engine, temporaryDirectory, writes } = storage;
  return new QueryExecutor({
    engine: () => engine.get(),
    tables: writes,
    systemTables: new SystemTables(systemTableProviders(storage), userTables(catalog)),
    databaseExists: (name) => catalog.database(name) !== undefined,
    telemetry,
    clock: systemClock,
    temporaryDirectory,
    timeoutMs: config.query.timeoutMs,
  });
}

function runningServer(url: string, close: () => Promise<void>): RunningServer {
  let resolveClosed: () => void = () => undefined;
  let rejectClosed: (error: unknown) => void = () => undefined;
  const closed = new Promise<void>((resolve, reject) => {
    resolveClosed = resolve;
    rejectClosed = reject;
  });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= close().then(resolveClosed, (error: unknown) => {
      rejectClosed(error);
      throw error;
    });
    return stopping;
  };
  return { url, stop, closed };
}

async function bind(server: HttpServer, http: HttpConfig): Promise<{ host: string; port: number }> {
  try {
    return await server.listen(http.host, http.port);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const detail =
      code === 'EADDRINUSE'
        ? `port ${http.port} on ${http.host} is in use; stop the other program or choose another --http-bind`
        : `${http.host}:${http.port}: ${(error as Error).message}`;
    throw new StartupError(`Serve command failed: Failed to bind address: ${detail}`, { cause: error });
  }
}

async function readTls(tls: NonNullable<HttpConfig['tls']>): Promise<TlsSettings> {
  try {
    return { cert: await readFile(tls.certPath), key: await readFile(tls.keyPath), minVersion: tls.minVersion };
  } catch (error) {
    throw new StartupError(`Serve command failed: cannot read the TLS files: ${(error as Error).message}`, { cause: error });
  }
}

function joinAddress({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An address that a client on this machine can open. */
function reachableUrl({ host, port }: { host: string; port: number }, http: HttpConfig): string {
  const local = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${http.tls === undefined ? 'http' : 'https'}://${joinAddress({ host: local, port })}`;
}
