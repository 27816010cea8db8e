import type { Catalog, CatalogChange, CatalogOp, DistinctCacheDefinition, LastCacheDefinition, TableSchema } from '../catalog/index.ts';
import type { ColumnId } from '../shared/ids.ts';
import type { CacheAdmin } from './admin-service.ts';
import type { AdminDependencies } from './index.ts';

const DEFAULT_COUNT = 1;
const DEFAULT_TTL_SECS = 4 * 3600;
const DEFAULT_MAX_CARDINALITY = 100_000;
const DEFAULT_MAX_AGE_SECS = 24 * 3600;

/** Creates and deletes caches; a new one is filled from stored data before the answer goes out. */
export function cacheAdmin({ catalog, caches }: Pick<AdminDependencies, 'catalog' | 'caches'>): CacheAdmin {
  return {
    async createLast(request) {
      const { database, table, name, keyColumns, valueColumns } = request;
      const { result: definition, change } = await withChange(
        catalog,
        () =>
          catalog.createLastCache(database, table, {
            name,
            keyColumns,
            valueColumns,
            count: wholeNumber(request.count, DEFAULT_COUNT),
            ttlSecs: wholeNumber(request.ttlSecs, DEFAULT_TTL_SECS),
          }),
        (op, created) => op.op === 'create_last_cache' && op.cache === created,
      );
      const target = tableOf(catalog, change);
      await caches.filled('last', target, definition.id);
      return batch(catalog, change, target, lastCacheOp(target, table, definition));
    },
    async createDistinct(request) {
      const { database, table, name, columns } = request;
      const { result: definition, change } = await withChange(
        catalog,
        () =>
          catalog.createDistinctCache(database, table, {
            name,
            columns,
            maxCardinality: wholeNumber(request.maxCardinality, DEFAULT_MAX_CARDINALITY),
            maxAgeSecs: wholeNumber(request.maxAgeSecs, DEFAULT_MAX_AGE_SECS),
          }),
        (op, created) => op.op === 'create_distinct_cache' && op.cache === created,
      );
      const target = tableOf(catalog, change);
      await caches.filled('distinct', target, definition.id);
      return batch(catalog, change, target, distinctCacheOp(target, table, definition));
    },
    deleteLast: ({ database, table, name }) => catalog.deleteLastCache(database, table, name),
    deleteDistinct: ({ database, table, name }) => catalog.deleteDistinctCache(database, table, name),
  };
}

/** Runs a change and finds what the catalog logged for it. */
async function withChange<T>(
  catalog: Catalog,
  run: () => Promise<T>,
  isOf: (op: CatalogOp, result: T) => boolean,
): Promise<{ result: T; change: CatalogChange }> {
  const changes: CatalogChange[] = [];
  const end = catalog.onChange((change) => changes.push(change));
  try {
    const result = await run();
    const change = changes.find(({ ops }) => ops.some((op) => isOf(op, result)));
    if (change === undefined) throw new Error('internal error: the catalog did not tell of a cache that it created');
    return { result, change };
  } finally {
    end();
  }
}

function tableOf(catalog: Catalog, change: CatalogChange): TableSchema {
  for (const op of change.ops) {
    if (op.op !== 'create_last_cache' && op.op !== 'create_distinct_cache') continue;
    const table = catalog.tableById(op.db, op.table);
    if (table !== undefined) return table;
  }
  throw new Error('internal error: a cache was created on a table that does not exist');
}

/** The catalog batch that clients of InfluxDB 3 Core get. */
function batch(catalog: Catalog, change: CatalogChange, table: TableSchema, op: unknown): unknown {
  const database = {
    time_ns: change.timeNs,
    database_id: table.databaseId,
    database_name: catalog.databaseById(table.databaseId)?.name ?? '',
    ops: [op],
  };
  return { catalog_batch: { Database: database }, sequence_number: change.sequence };
}

function lastCacheOp(table: TableSchema, tableName: string, cache: LastCacheDefinition): unknown {
  const { count, id, keyColumnIds, name, ttlSecs, valueColumnIds } = cache;
  return {
    CreateLastCache: {
      table_id: table.id,
      table: tableName,
      id,
      node_spec: 'all',
      name,
      key_columns: keyColumnIds.map((column) => columnId(table, column)),
      value_columns:
        valueColumnIds === undefined
          ? 'all_non_key_columns'
          : { explicit: { columns: valueColumnIds.map((column) => columnId(table, column)) } },
      count,
      ttl: ttlSecs,
    },
  };
}

function distinctCacheOp(table: TableSchema, tableName: string, cache: DistinctCacheDefinition): unknown {
  return {
    CreateDistinctCache: {
      table_id: table.id,
      table_name: tableName,
      node_spec: 'all',
      cache_id: cache.id,
      cache_name: cache.name,
      column_ids: cache.columnIds.map((column) => columnId(table, column)),
      max_cardinality: cache.maxCardinality,
      max_age_seconds: cache.maxAgeSecs,
      source: { type: 'User' },
    },
  };
}

/** Tags and fields are counted apart, fields within their one family. */
function columnId(table: TableSchema, id: ColumnId): unknown {
  const type = table.columns[id]?.type;
  if (type === 'time') return 'timestamp';
  const before = table.columns.slice(0, id);
  if (type === 'tag') return { tag: before.filter((column) => column.type === 'tag').length };
  return { field: [0, before.filter((column) => column.type !== 'tag' && column.type !== 'time').length] };
}

/** Numbers that JavaScript cannot count exactly become the greatest that it can. */
function wholeNumber(value: bigint | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}
