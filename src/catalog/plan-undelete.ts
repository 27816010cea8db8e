import {
  alreadyExists,
  databaseLimitExceeded,
  databaseMissing,
  notDeleted,
  resourceNotFound,
  tableLimitExceeded,
  tableMissing,
} from './errors.ts';
import type { CatalogLimits } from './limits.ts';
import type { MutableDatabase, MutableTable } from './model.ts';
import { nameBeforeDelete, validateDatabaseName } from './names.ts';
import type { CatalogOp } from './ops.ts';
import type { Plan } from './plan.ts';
import type { DatabaseSchema, TableSchema } from './schema.ts';
import type { CatalogState } from './state.ts';

/**
 * Takes a soft delete back: the database gets its old name (or `newName`), and so do the tables that were deleted with
 * it. Caches are gone and triggers stay disabled.
 */
export function planUndeleteDatabase(
  state: CatalogState,
  limits: CatalogLimits,
  name: string,
  newName: string | undefined,
  nowNs: bigint,
): Plan<DatabaseSchema> {
  const database = state.databases.get(name);
  if (database === undefined) throw resourceNotFound(name);
  requireDeleted(database, name, nowNs);
  const restored = newName ?? database.nameBefore ?? nameBeforeDelete(name).before;
  validateDatabaseName(restored);
  if (restored !== name && state.databases.has(restored)) throw alreadyExists();
  if (state.liveDatabaseCount >= limits.maxDatabases) throw databaseLimitExceeded(limits.maxDatabases);
  const ops: CatalogOp[] = [{ op: 'undelete_database', db: database.id, newName: restored }];
  let tables = state.liveTableCount;
  for (const [table, tableName] of tablesOf(database, nowNs)) {
    if (tables >= limits.maxTables) throw tableLimitExceeded(tables, limits.maxTables);
    tables++;
    ops.push({ op: 'undelete_table', db: database.id, table: table.id, newName: tableName });
  }
  return { ops, result: () => state.database(database.id) };
}

/**
 * Tables that were deleted with their database, with the names that they had. Versions that did not note what went with
 * the database are told by the second in both names; a table that was deleted by itself in that second and made anew has
 * the same, so of two that had one name the newer comes back: the other was deleted before.
 */
function tablesOf(database: MutableDatabase, nowNs: bigint): Map<MutableTable, string> {
  const { stamp } = nameBeforeDelete(database.name);
  const byName = new Map<string, MutableTable>();
  for (const table of database.tables.values()) {
    if (!table.deleted || isGoing(table, nowNs)) continue;
    const parsed = nameBeforeDelete(table.name);
    if (!(table.deletedWithDatabase ?? (stamp !== undefined && parsed.stamp === stamp))) continue;
    byName.set(table.nameBefore ?? parsed.before, table); // by creation: the last is the newest
  }
  return new Map([...byName].map(([name, table]) => [table, name]));
}

/** Takes the soft delete of a table back; its database must be live. */
export function planUndeleteTable(
  state: CatalogState,
  limits: CatalogLimits,
  target: { readonly database: string; readonly table: string; readonly newName: string | undefined },
  nowNs: bigint,
): Plan<TableSchema> {
  const database = state.databases.get(target.database);
  if (database === undefined || database.deleted) throw databaseMissing(target.database);
  const table = database.tables.get(target.table);
  if (table === undefined) throw tableMissing(target.table, target.database);
  requireDeleted(table, target.table, nowNs);
  const newName = target.newName ?? table.nameBefore ?? nameBeforeDelete(target.table).before;
  if (newName !== table.name && database.tables.has(newName)) throw alreadyExists();
  if (state.liveTableCount >= limits.maxTables) throw tableLimitExceeded(state.liveTableCount, limits.maxTables);
  return {
    ops: [{ op: 'undelete_table', db: database.id, table: table.id, newName }],
    result: () => state.table(database.id, table.id),
  };
}

function requireDeleted(item: MutableDatabase | MutableTable, name: string, nowNs: bigint): void {
  if (!item.deleted) throw notDeleted(name, 'it is not deleted');
  if (isGoing(item, nowNs)) throw notDeleted(name, 'its data is being removed');
}

function isGoing(item: MutableDatabase | MutableTable, nowNs: bigint): boolean {
  return item.hardDeleteTimeNs !== undefined && item.hardDeleteTimeNs <= nowNs;
}
