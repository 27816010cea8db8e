import { sqlString } from '../../engine/index.ts';

/** More series than this are found by a join with their tags. */
const SERIES_MAX = 64;

/** The series of a buffer that a scan needs, and the tag values that told them. */
export interface SeriesChoice {
  readonly ids: readonly number[];
  /** SQL of a tag column's value in rows `b` of these series, by column id. */
  readonly values: ReadonlyMap<number, string>;
}

/**
 * Series whose tags have one of the values. Undefined when nothing is known of the tags or the series are too many.
 * @param tagValues allowed values by column id
 * @param idsWith ids of the series with a tag value, undefined = cannot tell
 */
export function chooseSeries(
  tagValues: ReadonlyMap<number, readonly string[]>,
  idsWith: (columnId: number, value: string) => readonly number[] | undefined,
): SeriesChoice | undefined {
  let ids: readonly number[] | undefined;
  const texts = new Map<number, Map<number, string>>();
  for (const [columnId, values] of tagValues) {
    const textOf = new Map<number, string>();
    for (const value of values) {
      const found = idsWith(columnId, value);
      if (found === undefined) return undefined;
      for (const id of found) textOf.set(id, value);
    }
    texts.set(columnId, textOf);
    ids = ids === undefined ? [...textOf.keys()] : ids.filter((id) => textOf.has(id));
  }
  if (ids === undefined || ids.length > SERIES_MAX) return undefined;
  const chosen = ids;
  return { ids: chosen, values: new Map([...texts].map(([columnId, textOf]) => [columnId, valueSql(chosen, textOf)])) };
}

function valueSql(ids: readonly number[], textOf: ReadonlyMap<number, string>): string {
  const values = new Set(ids.map((id) => textOf.get(id) ?? ''));
  const [only] = values;
  if (values.size <= 1) return sqlString(only ?? '');
  return `CASE b.sid ${ids.map((id) => `WHEN ${id} THEN ${sqlString(textOf.get(id) ?? '')}`).join(' ')} END`;
}
