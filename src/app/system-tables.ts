import type { RelationColumn } from '../query/sql/contract.ts';
import type { SystemTableProvider } from '../query/system-tables/index.ts';
import type { Catalog, TableSchema } from '../write/catalog/index.ts';
import type { OpenStorage } from './storage.ts';

/** The `system` schema, from the server's own state. */
export function systemTableProviders(storage: OpenStorage): SystemTableProvider[] {
  return [parquetFiles(storage)];
}

/** User tables for the information schema; columns sorted by name. */
export function userTables(catalog: Catalog): (database: string) => Iterable<{ name: string; columns: readonly RelationColumn[] }> {
  return function* (database) {
    for (const table of catalog.database(database)?.tables.values() ?? []) yield { name: table.name, columns: sortedColumns(table) };
  };
}

function parquetFiles({ catalog, writes }: OpenStorage): SystemTableProvider {
  return {
    name: 'parquet_files',
    columns: [
      { name: 'table_name', type: 'string' },
      { name: 'path', type: 'string' },
      { name: 'size_bytes', type: 'uinteger' },
      { name: 'row_count', type: 'uinteger' },
      { name: 'min_time', type: 'integer' },
      { name: 'max_time', type: 'integer' },
    ],
    rows(database) {
      const tables = [...(catalog.database(database)?.tables.values() ?? [])];
      return tables.flatMap((table) =>
        writes
          .parquetFiles(table)
          .map((file) => [table.name, file.path, BigInt(file.sizeBytes), BigInt(file.rowCount), file.minTimeNs, file.maxTimeNs]),
      );
    },
  };
}

function sortedColumns(table: TableSchema): RelationColumn[] {
  return table.columns.map(({ name, type }) => ({ name, type })).sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}
