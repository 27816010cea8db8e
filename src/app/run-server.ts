import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { type AdminService, influxqlChanges, rowDeletes } from '../admin/index.ts';
import { policyDatabases } from '../catalog/index.ts';
import type { TableSchema } from '../catalog/schema.ts';
import { type HttpConfig, osReason, type ServeConfig, type SocketAddress } from '../config/index.ts';
import { explorerRoutes, openExplorer } from '../explorer/index.ts';
import type { ProcessingEngine } from '../processing/index.ts';
import {
  ColumnStore,
  DirectExecutor,
  InfluxqlExecutor,
  MemoryWatch,
  QueryExecutor,
  QueryLog,
  SegmentLoader,
  SystemTables,
} from '../query/index.ts';
import { FairTurns, type Lanes, queryLanes, WritesUnderWay, whenCalm } from '../scheduling/index.ts';
import { buildHttpServer, type HttpServer, RecoveryListener, type TlsSettings } from '../server/http/index.ts';
import { systemClock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { writeNewFile } from '../shared/new-file.ts';
import { Registry } from '../shared/prometheus.ts';
import { readGauges } from '../shared/read-metrics.ts';
import { StartupError } from '../shared/startup-error.ts';
import { readProductVersion, versionLine } from '../shared/version.ts';
import { registerTelemetryMetrics } from '../telemetry/http.ts';
import { firstStartNotice, type Telemetry } from '../telemetry/index.ts';
import { WriteDoor, WriteMetrics } from '../write/index.ts';
import { openAdminService, openAuthenticator } from './auth.ts';
import { openBackups } from './backups.ts';
import { columnCacheBytes, engineThreads, processMemoryMax, residentBytes, scriptBytes, totalMemoryBytes } from './budget.ts';
import { startCaches } from './caches.ts';
import type { RunningServer, ServerHooks } from './contract.ts';
import { diagnostics, statistics } from './diagnostics.ts';
import { OpenParts } from './open-parts.ts';
import { portHolder } from './port-holder.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { openProcessing, openPython } from './processing.ts';
import { type ServerSeed, seedCatalog } from './seed.ts';
import { StartLog } from './start-log.ts';
import { type OpenStorage, openStorage } from './storage.ts';
import { registerBucketMetrics, registerColumnMetrics, registerStorageMetrics, registerValueCacheMetrics } from './storage-metrics.ts';
import { storageTroubles } from './storage-troubles.ts';
import { systemTableProviders, userTables } from './system-tables.ts';
import { openTelemetry, telemetryPlugins } from './telemetry.ts';

/** Builds and starts a server; resolves once it answers. Throws `StartupError`; nothing is left open then. */
export async function runServer(config: ServeConfig, hooks: ServerHooks, seed: ServerSeed = {}): Promise<RunningServer> {
  const parts = new OpenParts();
  try {
    return await startServer(config, hooks, seed, parts);
  } catch (error) {
    await parts.close();
    throw error;
  }
}

async function startServer(config: ServeConfig, hooks: ServerHooks, seed: ServerSeed, parts: OpenParts): Promise<RunningServer> {
  const clock = systemClock;
  const started = clock.monotonicMs();
  const { logger } = hooks;
  for (const warning of config.warnings) logger.warn(warning.message, warning.fields);
  if (config.inactiveOptions.length > 0) logger.info('options accepted but not used by this build', { options: config.inactiveOptions });
  const product = readProductVersion();
  const processId = randomUUID();
  const log = new StartLog(logger);
  log.starting(config, product, processId);
  const storage = await openStorage(config, clock, logger, processId);
  parts.add(() => storage.close());
  await seedCatalog(storage.catalog, seed);
  log.storageOpened(config, storage);
  const python = openPython(config, clock, logger);
  const telemetry = await openTelemetry(config, { ...storage, packages: python.packages }, product.version, logger);
  parts.add(() => telemetry.stop());
  const tls = config.http.tls === undefined ? undefined : await readTls(config.http.tls);
  const metrics = new Registry();
  registerTelemetryMetrics(metrics, telemetry);
  registerStorageMetrics(metrics, storage.writes, clock);
  registerValueCacheMetrics(metrics, storage.caches);
  registerProcessMetrics(metrics, storage.store.durable ? storage.store.root : undefined);
  if (storage.store.bucket !== undefined) registerBucketMetrics(metrics, storage.store.bucket);
  const writeDoor = new WriteDoor({ store: storage.writes, telemetry: telemetry.recorder, metrics: new WriteMetrics(metrics) });
  const writeService = new WritesUnderWay(writeDoor);
  const fairTurns = new FairTurns(writeService);
  let pluginLogs: ProcessingEngine['logRows'] = () => [];
  const executor = queryExecutor(config, storage, {
    telemetry,
    fairTurns,
    metrics,
    logger,
    pluginLogs: (database) => pluginLogs(database),
  });
  startCaches(storage, config, clock, executor);
  warmUpQueries(storage, executor, logger);
  const processing = openProcessing(config, {
    storage,
    writes: writeService,
    queries: executor,
    telemetry,
    python,
    metrics,
    clock,
    logger,
  });
  pluginLogs = (database) => processing.engine.logRows(database);
  const adminService = openAdminService(config, storage, processing, clock);
  const deleteService = rowDeletes(storage);
  const changes = influxqlChanges({ catalog: storage.catalog, admin: adminService, deletes: deleteService, nowNs: () => clock.nowNs() });
  const explorer = openExplorer();
  const server = await buildHttpServer({
    writeService,
    deleteService,
    queryService: executor,
    influxqlService: new InfluxqlExecutor({
      executor,
      databases: () => storage.catalog.databases(),
      changes,
      writes: writeService,
      diagnostics: () => diagnostics({ catalog: storage.catalog, product, clock }),
      statistics: () => statistics(metrics),
    }),
    adminService,
    policyDatabase: policyDatabases((name) => storage.catalog.database(name)),
    engineService: processing.engine,
    authenticator: await openAuthenticator(config, storage.catalog, clock, logger),
    metrics,
    clock,
    logger,
    clusterUuid: storage.catalog.uuid,
    product: { ...product, processId },
    maxBodyBytes: config.http.maxRequestBytes,
    ...(tls === undefined ? {} : { tls }),
    loginPage: () => explorer.shell(),
    keepsAlive: hooks.keepsAlive ?? true,
    routePlugins: [
      ...telemetryPlugins(config, storage, telemetry, executor, { metrics, logger }),
      explorerRoutes(explorer),
      openBackups(config, storage, product.version, logger, parts),
    ],
    unavailable: () => unavailable(storage.writes),
    troubles: () => storageTroubles(storage),
    ...(config.telemetry.testMode ? { telemetrySnapshot: () => telemetry.snapshotJson() } : {}),
  });
  parts.add(() => server.close());
  parts.add(async () => storage.writes.beginStop()); // first of all: the server waits for its writers next
  await processing.recoverFiles();
  processing.engine.start();
  parts.add(() => processing.engine.stop());
  const bound = await bind(server, config.http, '--http-bind');
  await openRecovery(config, adminService, tls, logger, parts);
  const url = reachableUrl(bound, config.http);
  const startupMs = Math.round(clock.monotonicMs() - started);
  log.ready(startupMs, joinAddress(bound));
  hooks.onReady({
    url,
    address: joinAddress(bound),
    dataDir: dataPlace(storage),
    nodeId: config.node.id,
    telemetry: { state: telemetry.state, reason: telemetry.status().reason },
    authEnabled: config.auth.enabled,
    hasAdminToken: storage.catalog.tokens().some(({ permissions }) => permissions === undefined),
    remoteFirstToken: config.auth.remoteFirstToken,
    otherNodes: storage.otherNodes,
    notice: storage.firstStart ? firstStartNotice(telemetry.resolution) : '',
    startupMs,
    product: versionLine(product),
  });
  telemetry.start();
  if (hasTables(storage)) warmUp(storage, logger);
  return runningServer(url, storage.writes, async () => {
    const stopping = clock.monotonicMs();
    await parts.close();
    log.stopped(clock.monotonicMs() - stopping);
  });
}

/** What a person is told of where the data is; undefined = nowhere that lasts. */
function dataPlace({ store }: Pick<OpenStorage, 'store'>): string | undefined {
  if (store.bucket !== undefined) return `${store.objects.locate('catalog').replace(/\/catalog$/, '')} (files cached in ${store.root})`;
  return store.durable ? store.root : undefined;
}

/** Whether DuckDB is loaded at once: a server with data will be queried. An empty one stays 40 MB smaller until the first write, which then takes longer. */
function hasTables({ catalog }: Pick<OpenStorage, 'catalog'>): boolean {
  return [...catalog.databases()].some(({ tables }) => tables.size > 0);
}

/** Loads DuckDB right after the start, which takes longer than all the rest of it, before a request needs it. */
function warmUp({ engine }: Pick<OpenStorage, 'engine'>, logger: Logger): void {
  setImmediate(() => void engine.get().catch((error: unknown) => logger.error('the query engine does not load', { error: String(error) })));
}

/** Loads the SQL parser once DuckDB is open and the server has little to do: who writes will soon query. */
function warmUpQueries({ engine }: Pick<OpenStorage, 'engine'>, executor: QueryExecutor, logger: Logger): void {
  const warm = (): void =>
    void executor.warmUp().catch((error: unknown) => logger.error('the SQL parser does not load', { error: String(error) }));
  engine.onOpen(() => whenCalm(warm));
}

/** `--admin-token-recovery-http-bind`: a second socket that makes a new operator token, once. */
async function openRecovery(
  config: ServeConfig,
  admin: AdminService,
  tls: TlsSettings | undefined,
  logger: Logger,
  parts: OpenParts,
): Promise<void> {
  const { recovery } = config.auth;
  if (recovery === undefined) return;
  const listener = new RecoveryListener({ regenerate: () => admin.tokens.regenerateOperator(), tls, logger });
  parts.add(() => listener.close());
  const bound = await bind(listener, recovery, '--admin-token-recovery-http-bind');
  const { recoveryTcpListenerFile } = config.tooling;
  if (recoveryTcpListenerFile === undefined) return;
  try {
    writeNewFile(recoveryTcpListenerFile, joinAddress(bound));
  } catch (error) {
    throw new StartupError(`Server error: io error: ${osReason(error)}`, { cause: error });
  }
}

function queryExecutor(
  config: ServeConfig,
  storage: OpenStorage,
  { telemetry, fairTurns, metrics, logger, pluginLogs }: ExecutorParts,
): QueryExecutor {
  const { catalog, engine, temporaryDirectory, writes } = storage;
  const queryLog = new QueryLog({ entriesMax: config.query.logEntries, clock: systemClock, randomUuid: randomUUID });
  readGauges(metrics)('influxdb3_queries_running', 'queries that are being answered', () => queryLog.runningCount);
  const { pluginDir } = config.processing;
  const lanes = queryLanes(process.env['UV_THREADPOOL_SIZE'], engineThreads(config.query));
  const providers = systemTableProviders({ storage, queryLog, telemetry, authEnabled: config.auth.enabled, pluginDir, pluginLogs });
  return new QueryExecutor({
    engine: () => engine.get(),
    memory: new MemoryWatch({ limitBytes: processMemoryMax(), residentBytes, scriptBytes }),
    lanes,
    fairTurns,
    tables: writes,
    direct: directExecutor(config, storage, { lanes, fairTurns, metrics, logger }),
    systemTables: new SystemTables(providers, userTables(catalog)),
    caches: storage.caches,
    queryLog,
    databaseExists: (name) => catalog.database(name) !== undefined,
    tableNames: (name) => liveTables(catalog.database(name)?.tables.values() ?? []),
    telemetry: telemetry.recorder,
    clock: systemClock,
    temporaryDirectory,
    timeoutMs: config.query.timeoutMs,
    fileLimit: config.query.fileLimit,
  });
}

interface ExecutorParts {
  readonly telemetry: Telemetry;
  readonly fairTurns: FairTurns;
  readonly metrics: Registry;
  readonly logger: Logger;
  readonly pluginLogs: ProcessingEngine['logRows'];
}

type DirectParts = Omit<ExecutorParts, 'telemetry' | 'pluginLogs'> & { readonly lanes: Lanes };

/** Undefined with `--disable-parquet-mem-cache`. */
function directExecutor(
  config: ServeConfig,
  { engine, writes }: OpenStorage,
  { lanes, fairTurns, metrics, logger }: DirectParts,
): DirectExecutor | undefined {
  const bytesMax = columnCacheBytes(config.query, totalMemoryBytes());
  if (bytesMax === 0) return undefined;
  const pause = (): Promise<void> => fairTurns.take();
  const loader = new SegmentLoader(() => engine.get(), lanes, pause);
  const onLoadFailed = (error: unknown): void => logger.warn('columns were not loaded into memory', { error: String(error) });
  const store = new ColumnStore({ loader, tables: writes, bytesMax, onLoadFailed });
  registerColumnMetrics(metrics, store);
  writes.onReopened(() => store.clear());
  return new DirectExecutor({ tables: writes, store, pause });
}

function liveTables(tables: Iterable<TableSchema>): string[] {
  return [...tables].filter((table) => !table.deleted).map((table) => table.name);
}

function runningServer(url: string, writes: OpenStorage['writes'], close: () => Promise<void>): RunningServer {
  const failed = new Promise<StartupError>((resolve) => {
    writes.onLost((reason) => resolve(new StartupError(reason, { exitCode: EXIT_CODE_LOST })));
  });
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
  return { url, stop, closed, failed };
}

/** Of a process whose server cannot go on (docs/cli.md, Exit codes): `EX_SOFTWARE` of sysexits. */
const EXIT_CODE_LOST = 70;

/** What `/health` says while nothing can be read or written. */
function unavailable({ state }: OpenStorage['writes']): string | undefined {
  if (state.kind === 'open') return undefined;
  return state.kind === 'lost' ? `unavailable: ${state.reason}` : 'unavailable: the query engine failed and is being opened again';
}

async function bind(server: Pick<HttpServer, 'listen'>, http: SocketAddress, flag: string): Promise<{ host: string; port: number }> {
  try {
    return await server.listen(http.host, http.port);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const detail = code === 'EADDRINUSE' ? portInUse(http, flag) : `${http.host}:${http.port}: ${(error as Error).message}`;
    throw new StartupError(`Serve command failed: Failed to bind address: ${detail}`, { cause: error });
  }
}

function portInUse({ host, port }: SocketAddress, flag: string): string {
  const holder = portHolder(port);
  const by = holder === undefined ? '' : ` by ${holder}`;
  return `port ${port} on ${host} is in use${by}; stop the other program or choose another ${flag}`;
}

async function readTls(tls: NonNullable<HttpConfig['tls']>): Promise<TlsSettings> {
  let settings: TlsSettings;
  try {
    settings = { cert: await readFile(tls.certPath), key: await readFile(tls.keyPath), minVersion: tls.minVersion };
  } catch (error) {
    throw new StartupError(`Serve command failed: cannot read the TLS files: ${(error as Error).message}`, { cause: error });
  }
  try {
    createSecureContext(settings);
  } catch (error) {
    throw new StartupError(`Serve command failed: the TLS files are not a PEM certificate and its key: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return settings;
}

function joinAddress({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An address that a client on this machine can open. */
function reachableUrl({ host, port }: { host: string; port: number }, http: HttpConfig): string {
  const local = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${http.tls === undefined ? 'http' : 'https'}://${joinAddress({ host: local, port })}`;
}
