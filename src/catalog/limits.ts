/** Limits of databases, tables and columns (docs/configuration.md). Soft-deleted databases and tables do not count. */
export interface CatalogLimits {
  /** Without `_internal`. */
  readonly maxDatabases: number;
  /** Of all databases together. */
  readonly maxTables: number;
  /** Tags and fields of one table, without `time`. */
  readonly maxColumnsPerTable: number;
}

export const defaultCatalogLimits: CatalogLimits = { maxDatabases: 1000, maxTables: 10_000, maxColumnsPerTable: 1000 };
