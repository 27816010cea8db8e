import type { ValueCaches } from '../caches/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { PluginService, TriggerService } from '../processing/index.ts';
import type { AdminService } from './admin-service.ts';
import { cacheAdmin } from './caches.ts';
import { databaseAdmin, tableAdmin } from './databases.ts';
import { type TokenMaker, tokenAdmin } from './tokens.ts';

export type * from './admin-service.ts';
export { type InfluxqlChangeDependencies, influxqlChanges } from './influxql-changes.ts';
export { type DeleteService, rowDeletes } from './row-deletes.ts';
export type { TokenMaker } from './tokens.ts';

export interface AdminDependencies {
  readonly catalog: Catalog;
  readonly caches: Pick<ValueCaches, 'filled'>;
  readonly makeToken: TokenMaker;
  readonly triggers: TriggerService;
  readonly plugins: PluginService;
  /** What `hard_delete_at=default` means, ms from now. */
  readonly hardDeleteDefaultMs: number;
  readonly nowMs: () => number;
}

/** The configure endpoints' operations, carried out on the catalog. */
export function createAdminService(deps: AdminDependencies): AdminService {
  return {
    databases: databaseAdmin(deps),
    tables: tableAdmin(deps),
    caches: cacheAdmin(deps),
    tokens: tokenAdmin(deps),
    triggers: deps.triggers,
    plugins: deps.plugins,
  };
}
