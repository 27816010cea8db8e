import type { ColumnType } from '../shared/column-type.ts';
import type { DistinctCacheDefinition, LastCacheDefinition } from './definitions.ts';
import {
  alreadyExists,
  cardinalityZero,
  invalidConfiguration,
  invalidDistinctCacheColumn,
  invalidLastCacheColumn,
  lastCacheSizeZero,
  resourceNotFound,
} from './errors.ts';
import type { MutableTable } from './model.ts';
import { liveTable, type Plan } from './plan.ts';
import type { ColumnSchema } from './schema.ts';
import type { CatalogState } from './state.ts';

/** Request for a last-value cache; undefined members take the defaults of docs/api.md. */
export interface NewLastCache {
  readonly name: string | undefined;
  readonly keyColumns: readonly string[] | undefined;
  readonly valueColumns: readonly string[] | undefined;
  readonly count: number;
  readonly ttlSecs: number;
}

/** Request for a distinct-value cache. */
export interface NewDistinctCache {
  readonly name: string | undefined;
  readonly columns: readonly string[];
  readonly maxCardinality: number;
  readonly maxAgeSecs: number;
}

const LAST_KEY_TYPES: ReadonlySet<ColumnType> = new Set(['tag', 'string', 'integer', 'uinteger', 'boolean']);
const DISTINCT_TYPES: ReadonlySet<ColumnType> = new Set(['tag', 'string']);

/**
 * A last-value cache; without columns in the request, all tags are its key and all other columns its values. Throws 400
 * for a column that is missing or of a wrong type or a size of 0, 404 without the table, 409 when the name is taken.
 */
export function planCreateLastCache(
  state: CatalogState,
  databaseName: string,
  tableName: string,
  request: NewLastCache,
): Plan<LastCacheDefinition> {
  const table = liveTable(state, databaseName, tableName);
  if (request.count < 1) throw lastCacheSizeZero();
  const keys = request.keyColumns?.map((name) => columnNamed(table, name, 'key column')) ?? table.seriesKey;
  if (keys.some((column) => !LAST_KEY_TYPES.has(column.type))) throw invalidLastCacheColumn();
  const values = request.valueColumns?.map((name) => columnNamed(table, name, 'value column').id);
  const time = table.columnByName.get('time');
  if (values !== undefined && time !== undefined && !values.includes(time.id)) values.push(time.id);
  const name = request.name ?? defaultName(table, keys, 'last_cache');
  if (table.lastCaches.has(name)) throw alreadyExists();
  const cache: LastCacheDefinition = {
    id: table.nextLastCacheId,
    name,
    keyColumnIds: keys.map((column) => column.id),
    valueColumnIds: values,
    count: request.count,
    ttlSecs: request.ttlSecs,
  };
  return { ops: [{ op: 'create_last_cache', db: table.databaseId, table: table.id, cache }], result: () => cache };
}

/**
 * A distinct-value cache of the columns in their order. Throws 400 for no columns, a missing one, one that is neither
 * tag nor string, or a cardinality of 0; 404 without the table, 409 when the name is taken.
 */
export function planCreateDistinctCache(
  state: CatalogState,
  databaseName: string,
  tableName: string,
  request: NewDistinctCache,
): Plan<DistinctCacheDefinition> {
  const table = liveTable(state, databaseName, tableName);
  if (request.maxCardinality < 1) throw cardinalityZero();
  if (request.columns.length === 0) throw invalidConfiguration('no columns provided when creating distinct cache');
  const columns = request.columns.map((name) => columnNamed(table, name, 'column'));
  if (columns.some((column) => !DISTINCT_TYPES.has(column.type))) throw invalidDistinctCacheColumn();
  const name = request.name ?? defaultName(table, columns, 'distinct_cache');
  if (table.distinctCaches.has(name)) throw alreadyExists();
  const cache: DistinctCacheDefinition = {
    id: table.nextDistinctCacheId,
    name,
    columnIds: columns.map((column) => column.id),
    maxCardinality: request.maxCardinality,
    maxAgeSecs: request.maxAgeSecs,
  };
  return { ops: [{ op: 'create_distinct_cache', db: table.databaseId, table: table.id, cache }], result: () => cache };
}

/** Removes a last-value cache. Throws 404 when database, table or cache is missing. */
export function planDeleteLastCache(state: CatalogState, databaseName: string, tableName: string, name: string): Plan<void> {
  const table = liveTable(state, databaseName, tableName);
  const cache = table.lastCaches.get(name);
  if (cache === undefined) throw resourceNotFound(name);
  return { ops: [{ op: 'drop_last_cache', db: table.databaseId, table: table.id, id: cache.id }], result: () => undefined };
}

/** Removes a distinct-value cache. Throws 404 when database, table or cache is missing. */
export function planDeleteDistinctCache(state: CatalogState, databaseName: string, tableName: string, name: string): Plan<void> {
  const table = liveTable(state, databaseName, tableName);
  const cache = table.distinctCaches.get(name);
  if (cache === undefined) throw resourceNotFound(name);
  return { ops: [{ op: 'drop_distinct_cache', db: table.databaseId, table: table.id, id: cache.id }], result: () => undefined };
}

function columnNamed(table: MutableTable, name: string, role: string): ColumnSchema {
  const column = table.columnByName.get(name);
  if (column === undefined) throw invalidConfiguration(`invalid ${role} provided: ${name}`);
  return column;
}

function defaultName(table: MutableTable, columns: readonly ColumnSchema[], ending: string): string {
  return [table.name, ...columns.map((column) => column.name), ending].join('_');
}
