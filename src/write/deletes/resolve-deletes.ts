import type { DatabaseSchema, TableSchema } from '../../catalog/schema.ts';
import type { TableDelete, TagValue } from './row-delete.ts';

/** Which rows of a database to delete. */
export interface DeleteRequest {
  /** Both inclusive, ns since the epoch. */
  readonly startNs: bigint;
  readonly stopNs: bigint;
  /** Undefined = all tables. */
  readonly table?: string | undefined;
  /** Tables that are left as they are. */
  readonly exceptTables?: readonly string[] | undefined;
  /** Rows must have all of these, or none of those with `not`; an empty value stands for rows without the tag. */
  readonly tags: readonly TagCondition[];
}

/** `not` = any other value, or none. */
export type TagCondition = readonly [key: string, value: string, not?: 'not'];

/** The request as it applies to each table; tables in which no row can match are left out. */
export function resolveDeletes(database: DatabaseSchema, request: DeleteRequest): TableDelete[] {
  const { startNs, stopNs } = request;
  const deletes: TableDelete[] = [];
  if (startNs > stopNs) return deletes;
  for (const table of database.tables.values()) {
    if (table.deleted || (request.table !== undefined && table.name !== request.table)) continue;
    if (request.exceptTables?.includes(table.name) === true) continue;
    const tags = tagsOf(table, request.tags);
    if (tags !== undefined) deletes.push({ databaseId: database.id, tableId: table.id, startNs, stopNs, tags });
  }
  return deletes;
}

/** Undefined = no row of the table has these tags. */
function tagsOf(table: TableSchema, wanted: DeleteRequest['tags']): TagValue[] | undefined {
  const tags: TagValue[] = [];
  for (const [key, value, not] of wanted) {
    const column = table.columnByName.get(key);
    if (column?.type === 'tag') tags.push({ columnId: column.id, value, ...(not === undefined ? {} : { not: true }) });
    else if (column !== undefined || (value !== '') === (not === undefined)) return undefined; // all rows are without the tag
  }
  return tags;
}
