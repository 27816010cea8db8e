import { sqlString } from '../../duckdb/index.ts';
import type { ColumnId } from '../../shared/ids.ts';

/** More series than this are found faster by a join with their tags. */
const SERIES_MAX = 8;

/** The series of a buffer that a scan needs, and the tag values that told them. */
export interface SeriesChoice {
  readonly ids: readonly number[];
  /** SQL of a tag column's value in rows `b` of these series, by column id. */
  readonly values: ReadonlyMap<number, string>;
}

/**
 * Series whose tags have the only value that is allowed. Undefined when nothing is known of the tags, several values are
 * allowed or the series are too many.
 * @param tagValues allowed values by column id
 * @param idsWith ids of the series with a tag value, undefined = cannot tell
 */
export function chooseSeries(
  tagValues: ReadonlyMap<number, readonly string[]>,
  idsWith: (columnId: ColumnId, value: string) => readonly number[] | undefined,
): SeriesChoice | undefined {
  let ids: readonly number[] | undefined;
  const sql = new Map<number, string>();
  for (const [columnId, values] of tagValues) {
    const [value] = values;
    if (value === undefined) return { ids: [], values: sql };
    if (values.length > 1) continue;
    const found = idsWith(columnId, value);
    if (found === undefined) continue;
    sql.set(columnId, sqlString(value));
    ids = ids === undefined ? found : ids.filter((id) => found.includes(id));
  }
  return ids === undefined || ids.length > SERIES_MAX ? undefined : { ids, values: sql };
}
