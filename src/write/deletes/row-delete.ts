import { sqlString } from '../../engine/index.ts';

/** Which rows of one table a delete takes: all conditions must hold. */
export interface RowDelete {
  /** Both inclusive, ns since the epoch. */
  readonly startNs: bigint;
  readonly stopNs: bigint;
  /** Tag values by column id; an empty value stands for a row without the tag. */
  readonly tags: readonly TagValue[];
}

export interface TagValue {
  readonly columnId: number;
  readonly value: string;
}

/** Condition that is true for rows that the delete spares, never null. `column` gives the SQL of a tag. */
export function spared(deleted: RowDelete, time: string, column: (columnId: number) => string): string {
  const conditions = [`${time} >= make_timestamp_ns(${deleted.startNs})`, `${time} <= make_timestamp_ns(${deleted.stopNs})`];
  for (const { columnId, value } of deleted.tags) {
    conditions.push(value === '' ? `${column(columnId)} IS NULL` : `${column(columnId)} IS NOT DISTINCT FROM ${sqlString(value)}`);
  }
  return `NOT (${conditions.join(' AND ')})`;
}
