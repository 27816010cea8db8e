import type { FastifyInstance } from 'fastify';
import { GuardedDeletes, GuardedEngine, GuardedInfluxql, GuardedQueries, GuardedWrites } from '../../guarded-services.ts';
import type { HttpDependencies } from '../dependencies.ts';
import type { HttpMetrics } from '../metrics/http-metrics.ts';
import { BodyMemory } from '../request/body-memory.ts';
import type { WriteEndpoint } from '../request/write-endpoint.ts';
import { youngCollector } from '../request/young-collector.ts';
import type { ErrorLog } from '../response/error-log.ts';
import { registerCaches } from './caches.ts';
import { registerDatabases } from './databases.ts';
import { registerDeleteV2 } from './delete-v2.ts';
import { registerEngine } from './engine.ts';
import { registerHealth } from './health.ts';
import { registerPlugins } from './plugins.ts';
import { registerQueryInfluxql } from './query-influxql.ts';
import { registerQueryRoutes } from './query-sql.ts';
import { registerQueryV1 } from './query-v1.ts';
import { registerQueryV2 } from './query-v2.ts';
import { registerTables } from './tables.ts';
import { registerTokens } from './tokens.ts';
import { registerTriggers } from './triggers.ts';
import { registerV2Info } from './v2-info.ts';
import { writeV1 } from './write-v1.ts';
import { writeV2 } from './write-v2.ts';
import { writeV3 } from './write-v3.ts';

export type RouteDependencies = HttpDependencies & { readonly httpMetrics: HttpMetrics; readonly errorLog: ErrorLog };

/** What answers `POST` to the write endpoints, by path, on every lane. */
export function writeEndpoints(deps: RouteDependencies): ReadonlyMap<string, WriteEndpoint> {
  const { policyDatabase, maxBodyBytes, errorLog } = deps;
  const bodyMemory = new BodyMemory(youngCollector());
  const write = { writes: new GuardedWrites(deps.writeService), policyDatabase, maxBodyBytes, bodyMemory, errorLog };
  return new Map([
    ['/api/v3/write_lp', writeV3(write)],
    ['/write', writeV1(write, deps.product.version)],
    ['/api/v2/write', writeV2(write)],
  ]);
}

/** Registers every endpoint of the route table. */
export function registerRoutes(app: FastifyInstance, deps: RouteDependencies, writes: ReadonlyMap<string, WriteEndpoint>): void {
  const { maxBodyBytes, errorLog } = deps;
  for (const [path, { answer }] of writes) app.post(path, answer);
  const { policyDatabase } = deps;
  const influxql = new GuardedInfluxql(deps.influxqlService);
  registerDeleteV2(app, { deletes: new GuardedDeletes(deps.deleteService), policyDatabase, maxBodyBytes, errorLog });
  registerQueryRoutes(app, { queries: new GuardedQueries(deps.queryService), maxBodyBytes });
  registerQueryInfluxql(app, { influxql, maxBodyBytes });
  registerQueryV1(app, { influxql, policyDatabase, maxBodyBytes, errorLog }, deps.product.version);
  registerQueryV2(app, { influxql, policyDatabase, maxBodyBytes, errorLog });
  registerAdmin(app, deps);
  registerV2Info(app, {
    databases: deps.adminService.databases,
    maxBodyBytes,
    errorLog,
    version: deps.product.version,
    unavailable: deps.unavailable,
  });
  registerHealth(app, {
    clock: deps.clock,
    metricsRegistry: deps.metrics,
    product: deps.product,
    telemetrySnapshot: deps.telemetrySnapshot,
    unavailable: deps.unavailable,
    troubles: deps.troubles,
  });
}

function registerAdmin(app: FastifyInstance, deps: RouteDependencies): void {
  const { adminService, maxBodyBytes } = deps;
  registerDatabases(app, { databases: adminService.databases, maxBodyBytes });
  registerTables(app, { tables: adminService.tables, maxBodyBytes });
  registerCaches(app, { caches: adminService.caches, maxBodyBytes });
  registerTokens(app, { tokens: adminService.tokens, maxBodyBytes });
  registerTriggers(app, { triggers: adminService.triggers, maxBodyBytes });
  registerPlugins(app, { plugins: adminService.plugins, maxBodyBytes });
  registerEngine(app, { engine: new GuardedEngine(deps.engineService), maxBodyBytes });
}
