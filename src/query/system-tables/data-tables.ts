import type { Catalog, TableSchema } from '../../catalog/index.ts';
import { required, view } from './catalog-tables.ts';
import type { Cell, SystemTableProvider } from './index.ts';

/** What a row of `system.parquet_files` shows of a file. Times in ns. */
export interface ListedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly rowCount: number;
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
}

/** `system.parquet_files`: persisted files of one database, each table's newest first. */
export function parquetFilesTable(catalog: Catalog, filesOf: (table: TableSchema) => readonly ListedFile[]): SystemTableProvider {
  return {
    name: 'parquet_files',
    columns: [
      required('table_name', 'string'),
      required('path', 'string'),
      required('size_bytes', 'uinteger'),
      required('row_count', 'uinteger'),
      required('min_time', 'integer'),
      required('max_time', 'integer'),
    ],
    rows(database) {
      const rows: Cell[][] = [];
      for (const table of catalog.database(database)?.tables.values() ?? []) {
        const files = [...filesOf(table)].sort((a, b) => (a.minTimeNs > b.minTimeNs ? -1 : a.minTimeNs < b.minTimeNs ? 1 : 0));
        for (const { path, sizeBytes, rowCount, minTimeNs, maxTimeNs } of files) {
          rows.push([table.name, path, BigInt(sizeBytes), BigInt(rowCount), minTimeNs, maxTimeNs]);
        }
      }
      return rows;
    },
  };
}

/** `system.last_caches` (1.2). */
export function lastCachesTable(catalog: Catalog): SystemTableProvider {
  return {
    name: 'last_caches',
    columns: [
      view('table'),
      view('name'),
      required('key_column_ids', 'list_uint16'),
      { name: 'key_column_names', type: 'list_string', required: true, arrowType: 'List(Utf8View)' },
      { name: 'value_column_ids', type: 'list_uint16' },
      { name: 'value_column_names', type: 'list_string', arrowType: 'List(Utf8View)' },
      required('count', 'uinteger'),
      required('ttl', 'uinteger'),
    ],
    rows: (database) =>
      liveTables(catalog, database).flatMap((table) =>
        [...catalog.lastCaches(table)].map((cache) => {
          // compat: time is always among the values and never shown
          const values = cache.valueColumnIds?.filter((id) => table.columns[id]?.type !== 'time');
          return [
            table.name,
            cache.name,
            cache.keyColumnIds.map(BigInt),
            columnNames(table, cache.keyColumnIds),
            values === undefined ? null : values.map(BigInt),
            values === undefined ? null : columnNames(table, values),
            BigInt(cache.count),
            BigInt(cache.ttlSecs),
          ];
        }),
      ),
  };
}

/** `system.distinct_caches` (1.3). */
export function distinctCachesTable(catalog: Catalog): SystemTableProvider {
  return {
    name: 'distinct_caches',
    columns: [
      view('table'),
      view('name'),
      required('column_ids', 'list_uint16'),
      { name: 'column_names', type: 'list_string', required: true, arrowType: 'List(Utf8View)' },
      required('max_cardinality', 'uinteger'),
      required('max_age_seconds', 'uinteger'),
    ],
    rows: (database) =>
      liveTables(catalog, database).flatMap((table) =>
        [...catalog.distinctCaches(table)].map((cache) => [
          table.name,
          cache.name,
          cache.columnIds.map(BigInt),
          columnNames(table, cache.columnIds),
          BigInt(cache.maxCardinality),
          BigInt(cache.maxAgeSecs),
        ]),
      ),
  };
}

function liveTables(catalog: Catalog, database: string): TableSchema[] {
  return [...(catalog.database(database)?.tables.values() ?? [])].filter((table) => !table.deleted);
}

function columnNames(table: TableSchema, ids: readonly number[]): string[] {
  return ids.map((id) => table.columns[id]?.name ?? '');
}
