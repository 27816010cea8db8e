import type { FieldType } from '../shared/column-type.ts';
import type { DatabaseId, TableId } from '../shared/ids.ts';
import { HOUR_NS, MS_NS } from '../shared/time-units.ts';
import {
  alreadyDeleted,
  alreadyExists,
  cannotDeleteInternal,
  cannotModifyInternal,
  databaseLimitExceeded,
  databaseMissing,
  resourceNotFound,
  tableMissing,
} from './errors.ts';
import type { CatalogLimits } from './limits.ts';
import type { MutableDatabase, MutableTable } from './model.ts';
import { deletedName, INTERNAL_DATABASE, validateDatabaseName } from './names.ts';
import type { CatalogOp } from './ops.ts';
import type { Plan } from './plan.ts';
import type { DatabaseSchema, TableSchema } from './schema.ts';
import { SchemaBatch } from './schema-batch.ts';
import type { CatalogState } from './state.ts';
import { StagedSchema } from './transaction.ts';

/** When the data of something deleted goes. `default` = in 72 hours. */
export type HardDelete =
  | { readonly kind: 'default' }
  | { readonly kind: 'now' }
  | { readonly kind: 'never' }
  | { readonly kind: 'at'; readonly timeNs: bigint };

/** What a table is created with. Tags and fields in order; `time` is added. */
export interface TableDefinition {
  readonly tags: readonly string[];
  readonly fields: readonly { readonly name: string; readonly type: FieldType }[];
}

const HARD_DELETE_DEFAULT_NS = 72n * HOUR_NS;

/**
 * A new database; `retentionNs` undefined = rows are kept for ever. Throws 400 for a bad name, 409 when it is taken, 422
 * at the limit.
 */
export function planCreateDatabase(
  state: CatalogState,
  limits: CatalogLimits,
  name: string,
  retentionNs: bigint | undefined,
): Plan<DatabaseSchema> {
  validateDatabaseName(name);
  if (state.databases.has(name)) throw alreadyExists();
  if (state.liveDatabaseCount >= limits.maxDatabases) throw databaseLimitExceeded(limits.maxDatabases);
  const id = state.nextDatabaseId;
  return { ops: [{ op: 'create_database', id, name, ...retention(retentionNs) }], result: () => state.database(id) };
}

/** Creates the database too when it is missing, in one change. */
export function planCreateTable(
  state: CatalogState,
  limits: CatalogLimits,
  databaseName: string,
  name: string,
  definition: TableDefinition,
): Plan<TableSchema> {
  validateDatabaseName(databaseName);
  const database = state.databases.get(databaseName);
  if (database?.deleted === true) throw alreadyDeleted(databaseName);
  if (database?.tables.has(name) === true) throw alreadyExists();
  if (database === undefined && state.liveDatabaseCount >= limits.maxDatabases) throw databaseLimitExceeded(limits.maxDatabases);
  const staged = new StagedSchema(databaseName, database, state.liveTableCount, limits);
  const tags = definition.tags.map((tag) => ({ name: tag, type: 'tag' as const }));
  staged.stage({ tableName: name, newColumns: [...tags, ...definition.fields] });
  const batch = new SchemaBatch(state, limits);
  batch.merge(staged);
  const databaseId = database?.id ?? state.nextDatabaseId;
  const tableId = database?.nextTableId ?? 0;
  return { ops: batch.ops(), result: () => state.table(databaseId, tableId) };
}

/**
 * Sets the retention period of a database in nanoseconds; undefined = for ever. Throws 404 when it is missing, 409 when
 * it is deleted, 500 for `_internal`.
 */
export function planSetRetention(state: CatalogState, name: string, retentionNs: bigint | undefined): Plan<void> {
  const database = state.databases.get(name);
  if (database === undefined) throw resourceNotFound(name);
  if (name === INTERNAL_DATABASE) throw cannotModifyInternal();
  if (database.deleted) throw alreadyDeleted(name);
  return { ops: [{ op: 'set_database_retention', db: database.id, ...retention(retentionNs) }], result: () => undefined };
}

/** @param policy a policy whose database `<name>/<policy>` is there; undefined = the database itself */
export function planSetDefaultPolicy(state: CatalogState, name: string, policy: string | undefined): Plan<void> {
  const database = state.databases.get(name);
  if (database === undefined) throw resourceNotFound(name);
  if (name === INTERNAL_DATABASE) throw cannotModifyInternal();
  if (database.deleted) throw alreadyDeleted(name);
  if (policy !== undefined && state.databases.get(`${name}/${policy}`)?.deleted !== false) throw resourceNotFound(`${name}/${policy}`);
  if (database.defaultPolicy === policy) return { ops: [], result: () => undefined };
  return { ops: [{ op: 'set_default_policy', db: database.id, ...(policy === undefined ? {} : { policy }) }], result: () => undefined };
}

/** What a v1 client says about shards and replicas of a retention policy; undefined = nothing. */
export interface PolicyShards {
  readonly shardDurationNs: bigint | undefined;
  readonly replicas: number | undefined;
}

/** Keeps it with the database that is the policy. */
export function planSetPolicyShards(state: CatalogState, name: string, { shardDurationNs, replicas }: PolicyShards): Plan<void> {
  const database = state.databases.get(name);
  if (database === undefined) throw resourceNotFound(name);
  if (name === INTERNAL_DATABASE) throw cannotModifyInternal();
  if (database.deleted) throw alreadyDeleted(name);
  if (database.shardDurationNs === shardDurationNs && database.replicas === replicas) return { ops: [], result: () => undefined };
  const op: CatalogOp = {
    op: 'set_policy_shards',
    db: database.id,
    ...(shardDurationNs === undefined ? {} : { shardDurationNs: shardDurationNs.toString() }),
    ...(replicas === undefined ? {} : { replicas }),
  };
  return { ops: [op], result: () => undefined };
}

/** Sets the retention period of a table in nanoseconds; undefined = that of its database. Throws as `planDeleteTable` does. */
export function planSetTableRetention(
  state: CatalogState,
  databaseName: string,
  name: string,
  retentionNs: bigint | undefined,
): Plan<void> {
  const table = modifiableTable(state, databaseName, name);
  return {
    ops: [{ op: 'set_table_retention', db: table.databaseId, table: table.id, ...retention(retentionNs) }],
    result: () => undefined,
  };
}

/**
 * Deletes a database: it gets a name with the time of its delete, its tables go with it, its rows when `hardDelete`
 * says. A database that is deleted gets another time for its rows. Throws 404 when it is missing, 409 when nothing would
 * change, 500 for `_internal`.
 */
export function planDeleteDatabase(state: CatalogState, name: string, hardDelete: HardDelete, nowNs: bigint): Plan<DatabaseSchema> {
  const database = state.databases.get(name);
  if (database === undefined) throw resourceNotFound(name);
  if (name === INTERNAL_DATABASE) throw cannotDeleteInternal();
  const hardDeleteNs = resolveHardDelete(hardDelete, nowNs);
  if (database.deleted) return planReschedule(state, database, hardDelete, hardDeleteNs);
  const newName = deletedName(name, database.id, epochMs(nowNs), (taken) => state.databases.has(taken));
  const ops: CatalogOp[] = [];
  for (const trigger of database.triggers.values()) {
    if (!trigger.disabled) ops.push({ op: 'put_trigger', db: database.id, trigger: { ...trigger, disabled: true } });
  }
  const names = new Set(database.tables.keys());
  for (const table of database.tables.values()) {
    if (!table.deleted) ops.push(deleteTableStep(table, { names, hardDeleteNs, nowNs, withDatabase: true }));
  }
  ops.push({ op: 'delete_database', db: database.id, newName, ...hardDeleteTime(hardDeleteNs) });
  return { ops, result: () => state.database(database.id) };
}

/**
 * Deletes a table as `planDeleteDatabase` does a database. Throws 404 when database or table is missing, 409 when it is
 * deleted and nothing would change, 500 for `_internal`.
 */
export function planDeleteTable(
  state: CatalogState,
  databaseName: string,
  name: string,
  hardDelete: HardDelete,
  nowNs: bigint,
): Plan<TableSchema> {
  const table = modifiableTable(state, databaseName, name);
  const names = new Set(state.database(table.databaseId).tables.keys());
  const step = deleteTableStep(table, { names, hardDeleteNs: resolveHardDelete(hardDelete, nowNs), nowNs, withDatabase: false });
  return { ops: [step], result: () => state.table(table.databaseId, table.id) };
}

/** Removes a database whose data is gone. Nothing to do when it already left. */
export function planDropDatabase(state: CatalogState, id: DatabaseId): Plan<void> {
  const database = state.databaseById.get(id);
  if (database?.name === INTERNAL_DATABASE) throw cannotDeleteInternal();
  return { ops: database === undefined ? [] : [{ op: 'drop_database', db: id }], result: () => undefined };
}

/** Removes a table whose data is gone. Nothing to do when it already left. */
export function planDropTable(state: CatalogState, databaseId: DatabaseId, id: TableId): Plan<void> {
  const known = state.databaseById.get(databaseId)?.tableById.has(id) === true;
  return { ops: known ? [{ op: 'drop_table', db: databaseId, table: id }] : [], result: () => undefined };
}

function planReschedule(
  state: CatalogState,
  database: MutableDatabase,
  hardDelete: HardDelete,
  hardDeleteNs: bigint | undefined,
): Plan<DatabaseSchema> {
  // compat: repeating a delete without a time is refused although 72 hours from now is another moment
  if (hardDelete.kind === 'default' || hardDeleteNs === database.hardDeleteTimeNs) throw alreadyDeleted(database.name);
  return {
    ops: [{ op: 'delete_database', db: database.id, newName: database.name, ...hardDeleteTime(hardDeleteNs) }],
    result: () => state.database(database.id),
  };
}

function modifiableTable(state: CatalogState, databaseName: string, name: string): MutableTable {
  const database = state.databases.get(databaseName);
  if (database === undefined) throw databaseMissing(databaseName);
  if (databaseName === INTERNAL_DATABASE) throw cannotModifyInternal();
  const table = database.tables.get(name);
  if (table === undefined) throw tableMissing(name, databaseName);
  if (table.deleted) throw alreadyDeleted(name);
  return table;
}

interface TableDeletion {
  /** Of the database's tables, with those that the same change gives. */
  readonly names: Set<string>;
  readonly hardDeleteNs: bigint | undefined;
  readonly nowNs: bigint;
  readonly withDatabase: boolean;
}

function deleteTableStep(table: MutableTable, { names, hardDeleteNs, nowNs, withDatabase }: TableDeletion): CatalogOp {
  const newName = deletedName(table.name, table.id, epochMs(nowNs), (taken) => names.has(taken));
  names.add(newName);
  return { op: 'delete_table', db: table.databaseId, table: table.id, newName, ...hardDeleteTime(hardDeleteNs), withDatabase };
}

/** Undefined = never. A moment in the past counts as now. */
function resolveHardDelete(hardDelete: HardDelete, nowNs: bigint): bigint | undefined {
  if (hardDelete.kind === 'never') return undefined;
  if (hardDelete.kind === 'now') return nowNs;
  if (hardDelete.kind === 'default') return nowNs + HARD_DELETE_DEFAULT_NS;
  return hardDelete.timeNs < nowNs ? nowNs : hardDelete.timeNs;
}

/** A period of zero is for ever, as in InfluxDB 1 and 2: nobody means a table that forgets every row at once. */
function retention(ns: bigint | undefined): { retentionNs?: string } {
  return ns === undefined || ns === 0n ? {} : { retentionNs: ns.toString() };
}

function hardDeleteTime(ns: bigint | undefined): { hardDeleteNs?: string } {
  return ns === undefined ? {} : { hardDeleteNs: ns.toString() };
}

function epochMs(ns: bigint): number {
  return Number(ns / MS_NS);
}
