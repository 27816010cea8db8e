export { Catalog, type CatalogOptions } from './catalog.ts';
export { CATALOG_SNAPSHOT_KEY } from './catalog-store.ts';
export type {
  DistinctCacheDefinition,
  LastCacheDefinition,
  NodeRecord,
  ResourceTokenRecord,
  TokenRecord,
  TriggerDefinition,
  TriggerErrorBehavior,
  TriggerSpec,
} from './definitions.ts';
export { SchemaError } from './errors.ts';
export { type CatalogLimits, defaultCatalogLimits } from './limits.ts';
export { INTERNAL_DATABASE, validateDatabaseName } from './names.ts';
export type { CatalogChange, CatalogOp, ColumnEntry } from './ops.ts';
export type { NewDistinctCache, NewLastCache } from './plan-caches.ts';
export type { HardDelete, PolicyShards, TableDefinition } from './plan-databases.ts';
export type { NodeRegistration } from './plan-nodes.ts';
export { type NewToken, OPERATOR_TOKEN } from './plan-tokens.ts';
export type { NewTrigger, TriggerCounts } from './plan-triggers.ts';
export { isOwnPolicy, namesNoPolicy, newPolicyDatabase, type PolicyDatabase, policyDatabases, usualShardDurationNs } from './policies.ts';
export { type ReadCatalog, readCatalog } from './read-catalog.ts';
export type { ColumnSchema, DatabaseSchema, SchemaAddition, SchemaTransaction, StagedTable, TableSchema } from './schema.ts';
export { type CatalogSnapshotFile, readCatalogSnapshot, type SnapshotSelection, selectFromSnapshot } from './snapshot-file.ts';
