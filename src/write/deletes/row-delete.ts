import { sqlString } from '../../duckdb/index.ts';

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
  readonly databaseId: number;
  readonly tableId: number;
}

export interface TagValue {
  readonly columnId: number;
  readonly value: string;
}

/** Ends of the range of times that rows can have, ns since the epoch. */
const TIME_NS_MIN = -(2n ** 63n) + 2n;
const TIME_NS_MAX = 2n ** 63n - 2n;

/** Condition that is true for rows that the delete spares, never null. `column` gives the SQL of a tag. */
export function spared(deleted: RowDelete, time: string, column: (columnId: number) => string): string {
  const conditions: string[] = [];
  // The engine has no timestamps at the very ends of the range; no row is there either.
  if (deleted.startNs > TIME_NS_MIN) conditions.push(`${time} >= make_timestamp_ns(${deleted.startNs})`);
  if (deleted.stopNs < TIME_NS_MAX) conditions.push(`${time} <= make_timestamp_ns(${deleted.stopNs})`);
  for (const { columnId, value } of deleted.tags) {
    conditions.push(value === '' ? `${column(columnId)} IS NULL` : `${column(columnId)} IS NOT DISTINCT FROM ${sqlString(value)}`);
  }
  return conditions.length === 0 ? 'false' : `NOT (${conditions.join(' AND ')})`;
}
