import { alreadyDeleted, databaseMissing, tableMissing } from './errors.ts';
import type { MutableDatabase, MutableTable } from './model.ts';
import type { CatalogOp } from './ops.ts';
import type { CatalogState } from './state.ts';

/**
 * Planners turn one request into steps. They only read the state, run while nobody else can change it, and throw
 * `InfluxError` when the request cannot be done: then nothing happened.
 */
export interface Plan<T> {
  readonly ops: readonly CatalogOp[];
  /** Read after the steps were applied. */
  readonly result: () => T;
}

/** A database that sub-resources may be added to. Throws 404 or 409. */
export function liveDatabase(state: CatalogState, name: string): MutableDatabase {
  const database = state.databases.get(name);
  if (database === undefined) throw databaseMissing(name);
  if (database.deleted) throw alreadyDeleted(name);
  return database;
}

/** A table that sub-resources may be added to. Throws 404 or 409. */
export function liveTable(state: CatalogState, databaseName: string, name: string): MutableTable {
  const table = liveDatabase(state, databaseName).tables.get(name);
  if (table === undefined) throw tableMissing(name, databaseName);
  if (table.deleted) throw alreadyDeleted(name);
  return table;
}
