import type { ColumnType } from '../shared/column-type.ts';
import type { ColumnId, DatabaseId, TableId } from '../shared/ids.ts';

/** One column. Ids start at 0 in creation order, include `time`, and are never used again. */
export interface ColumnSchema {
  readonly id: ColumnId;
  readonly name: string;
  readonly type: ColumnType;
}

/**
 * One table. The object lives as long as the catalog does and grows in place: a committed change appends to
 * `columns` and the maps. Readers that need a stable view copy the array.
 */
export interface TableSchema {
  readonly id: TableId;
  readonly databaseId: DatabaseId;
  readonly name: string;
  /** All columns in id order. */
  readonly columns: readonly ColumnSchema[];
  readonly columnByName: ReadonlyMap<string, ColumnSchema>;
  /** Tag columns in the order of their creation: the series key. */
  readonly seriesKey: readonly ColumnSchema[];
  readonly deleted: boolean;
  /** When the data goes, ns since the epoch; undefined = never or not deleted. */
  readonly hardDeleteTimeNs: bigint | undefined;
  readonly retentionPeriodNs: bigint | undefined;
}

/** One database; same life as `TableSchema`. */
export interface DatabaseSchema {
  readonly id: DatabaseId;
  readonly name: string;
  readonly tables: ReadonlyMap<string, TableSchema>;
  readonly deleted: boolean;
  readonly hardDeleteTimeNs: bigint | undefined;
  readonly retentionPeriodNs: bigint | undefined;
  /**
   * Retention policy that v1 and v2 clients mean when they name none: the rows are in the database `<name>/<policy>`.
   * Undefined = the database itself.
   */
  readonly defaultPolicy: string | undefined;
  /** As a v1 client gave it with the retention policy that this database is; kept to be shown, without effect. */
  readonly shardDurationNs: bigint | undefined;
  /** Same, the replication factor. */
  readonly replicas: number | undefined;
}

/**
 * Schema additions of one write request, collected while its lines are validated. Everything added is
 * visible through `table()` at once, but only to this transaction, until `Catalog.commit` makes it durable.
 * Methods throw `SchemaError` (message = wire text) and then have changed nothing.
 */
export interface SchemaTransaction {
  readonly databaseName: string;
  /** Undefined while the database is only staged for creation. */
  readonly database: DatabaseSchema | undefined;
  /** True when committing would change the catalog. */
  readonly changed: boolean;
  /** The committed or staged table. */
  table(name: string): StagedTable | undefined;
  /** Stages a line's additions in one step: all of them or, on `SchemaError`, none. */
  stage(addition: SchemaAddition): StagedTable;
}

/** What one accepted line adds. `newColumns` are in the order met in the line, `time` last when the table is new. */
export interface SchemaAddition {
  readonly tableName: string;
  readonly newColumns: readonly { readonly name: string; readonly type: ColumnType }[];
}

/** A table as a transaction sees it. */
export interface StagedTable {
  readonly name: string;
  /** Soft-deleted: its name is taken, but nothing can be written to it. */
  readonly deleted: boolean;
  column(name: string): ColumnType | undefined;
}
