import type { DatabaseSchema, TableSchema } from '../../catalog/schema.ts';
import type { TableDelete, TagValue } from './row-delete.ts';

/** Which rows of a database to delete. */
export interface DeleteRequest {
  /** Both inclusive, ns since the epoch. */
  readonly startNs: bigint;
  readonly stopNs: bigint;
  /** Undefined = all tables. */
  readonly table?: string | undefined;
  /** Rows must have all of these; an empty value stands for rows without the tag. */
  readonly tags: readonly (readonly [key: string, value: string])[];
}

/** The request as it applies to each table; tables in which no row can match are left out. */
export function resolveDeletes(database: DatabaseSchema, request: DeleteRequest): TableDelete[] {
  const { startNs, stopNs } = request;
  const deletes: TableDelete[] = [];
  if (startNs > stopNs) return deletes;
  for (const table of database.tables.values()) {
    if (table.deleted || (request.table !== undefined && table.name !== request.table)) continue;
    const tags = tagsOf(table, request.tags);
    if (tags !== undefined) deletes.push({ databaseId: database.id, tableId: table.id, startNs, stopNs, tags });
  }
  return deletes;
}

/** Undefined = no row of the table has these tags. */
function tagsOf(table: TableSchema, wanted: DeleteRequest['tags']): TagValue[] | undefined {
  const tags: TagValue[] = [];
  for (const [key, value] of wanted) {
    const column = table.columnByName.get(key);
    if (column?.type === 'tag') tags.push({ columnId: column.id, value });
    else if (column !== undefined || value !== '') return undefined;
  }
  return tags;
}
