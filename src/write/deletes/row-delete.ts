import { sqlString, timeFrom, timeUntil } from '../../duckdb/index.ts';
import type { ColumnId, DatabaseId, TableId } from '../../shared/ids.ts';
import { TIME_NS_MAX, TIME_NS_MIN } from '../../shared/time-range.ts';

/** Which rows of one table a delete takes: all conditions must hold. */
export interface RowDelete {
  /** Both inclusive, ns since the epoch. */
  readonly startNs: bigint;
  readonly stopNs: bigint;
  /** Tag values by column id; an empty value stands for a row without the tag. */
  readonly tags: readonly TagValue[];
}

/** A delete and the table that it is for. */
export interface TableDelete extends RowDelete {
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
}

export interface TagValue {
  readonly columnId: ColumnId;
  readonly value: string;
}

/** Condition that is true for rows that the delete spares, never null. `column` gives the SQL of a tag. */
export function spared(deleted: RowDelete, time: string, column: (columnId: ColumnId) => string): string {
  const conditions: string[] = [];
  if (deleted.startNs > TIME_NS_MIN) conditions.push(timeFrom(time, deleted.startNs));
  if (deleted.stopNs < TIME_NS_MAX) conditions.push(timeUntil(time, deleted.stopNs));
  for (const { columnId, value } of deleted.tags) {
    conditions.push(value === '' ? `${column(columnId)} IS NULL` : `${column(columnId)} IS NOT DISTINCT FROM ${sqlString(value)}`);
  }
  return conditions.length === 0 ? 'false' : `NOT (${conditions.join(' AND ')})`;
}
