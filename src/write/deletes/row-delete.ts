import { sqlString, timeFrom, timeUntil } from '../../duckdb/index.ts';
import type { ColumnId, DatabaseId, TableId } from '../../shared/ids.ts';
import { TIME_NS_MAX, TIME_NS_MIN } from '../../shared/time-range.ts';

/** Which rows of one table a delete takes: all conditions must hold. */
export interface RowDelete {
  /** Both inclusive, ns since the epoch. */
  readonly startNs: bigint;
  readonly stopNs: bigint;
  /** Values that tags have or have not, by column id; an empty value stands for a row without the tag. */
  readonly tags: readonly TagValue[];
}

/** A delete and the table that it is for. */
export interface TableDelete extends RowDelete {
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
}

/** A tag's value, or one that it has not, as a log has it. */
export type StoredTagValue = readonly [columnId: number, value: string] | readonly [columnId: number, value: string, not: true];

/** A tag condition as the log of deletes keeps it: column id, value, and true for 'other than'. */
export function storedTag({ columnId, value, not }: TagValue): StoredTagValue {
  return not === true ? [columnId, value, true] : [columnId, value];
}

export interface TagValue {
  readonly columnId: ColumnId;
  readonly value: string;
  /** True = rows with another value, or without the tag. Absent or false = rows with this one. */
  readonly not?: boolean | undefined;
}

/** Condition that is true for rows that the delete spares, never null. `column` gives the SQL of a tag. */
export function spared(deleted: RowDelete, time: string, column: (columnId: ColumnId) => string): string {
  const conditions: string[] = [];
  if (deleted.startNs > TIME_NS_MIN) conditions.push(timeFrom(time, deleted.startNs));
  if (deleted.stopNs < TIME_NS_MAX) conditions.push(timeUntil(time, deleted.stopNs));
  for (const { columnId, value, not = false } of deleted.tags) {
    const tag = column(columnId);
    if (value === '') conditions.push(`${tag} IS ${not ? 'NOT ' : ''}NULL`);
    else conditions.push(`${tag} IS ${not ? '' : 'NOT '}DISTINCT FROM ${sqlString(value)}`);
  }
  return conditions.length === 0 ? 'false' : `NOT (${conditions.join(' AND ')})`;
}
