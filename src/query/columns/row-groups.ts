import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts';
import type { ColumnId } from '../../shared/ids.ts';
import type { SeriesIndex } from '../../write/series/index.ts';
import type { FileSegment } from './segment.ts';
import { NO_TAG, type TableTags } from './table-tags.ts';

/** Tag values that rows must have. */
export interface TagCondition {
  readonly column: ColumnSchema;
  readonly values: readonly string[];
}

/** Numbers the groups of rows that have the same values of some tags, over all segments of a query. */
export class RowGroups {
  readonly #tags: TableTags;
  readonly #table: TableSchema;
  readonly #series: SeriesIndex | undefined;
  readonly #keys: readonly ColumnSchema[];
  readonly #conditions: readonly { readonly columnId: ColumnId; readonly codes: readonly number[] }[];
  readonly #groups = new Map<number | string, number>();
  /** By key: the code of each group. */
  readonly #codes: number[][];

  constructor(
    table: TableSchema,
    tags: TableTags,
    series: SeriesIndex | undefined,
    keys: readonly ColumnSchema[],
    conditions: readonly TagCondition[],
  ) {
    this.#tags = tags;
    this.#table = table;
    this.#series = series;
    this.#keys = keys;
    this.#codes = keys.map(() => []);
    // Buffered series are numbered first: a value that only they have must be found.
    if (series !== undefined) for (const { column } of conditions) tags.seriesCodes(table, series, column.id);
    this.#conditions = conditions.map(({ column, values }) => ({
      columnId: column.id,
      codes: values.map((value) => tags.find(column.id, value)),
    }));
  }

  get count(): number {
    return this.#keys.length === 0 ? 1 : this.#groups.size;
  }

  /** Text of a group's key; null = the rows do not have the tag. */
  text(group: number, key: number): string | null {
    const code = this.#codes[key]?.[group] ?? NO_TAG;
    return code === NO_TAG ? null : (this.#tags.texts((this.#keys[key] as ColumnSchema).id)[code] ?? null);
  }

  /** The group of each run of a file, -1 = not wanted. */
  ofFile(segment: FileSegment): Int32Array {
    return this.#number(segment.starts.length - 1, (columnId) => segment.codes.get(columnId));
  }

  /** The group of each series of the buffer, -1 = not wanted. */
  ofBuffer(): Int32Array {
    const series = this.#series;
    if (series === undefined) return new Int32Array(0);
    return this.#number(series.count, (columnId) => this.#tags.seriesCodes(this.#table, series, columnId));
  }

  #number(count: number, codesOf: (columnId: ColumnId) => Int32Array | undefined): Int32Array {
    const groups = new Int32Array(count);
    for (const { columnId, codes } of this.#conditions) keepMatching(groups, codesOf(columnId), codes);
    const keys = this.#keys.map(({ id }) => codesOf(id));
    if (keys.length === 0) return groups;
    for (let i = 0; i < count; i++) if (groups[i] === 0) groups[i] = this.#groupOf(keys, i);
    return groups;
  }

  #groupOf(keys: readonly (Int32Array | undefined)[], at: number): number {
    const first = keys[0]?.[at] ?? NO_TAG;
    let key: number | string = first;
    for (let k = 1; k < keys.length; k++) key = `${key},${keys[k]?.[at] ?? NO_TAG}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const group = this.#groups.size;
    this.#groups.set(key, group);
    for (let k = 0; k < keys.length; k++) this.#codes[k]?.push(keys[k]?.[at] ?? NO_TAG);
    return group;
  }
}

/** Marks with -1 what does not have one of the codes. */
function keepMatching(groups: Int32Array, codes: Int32Array | undefined, wanted: readonly number[]): void {
  for (let i = 0; i < groups.length; i++) {
    const code = codes?.[i] ?? NO_TAG;
    if (code === NO_TAG || !wanted.includes(code)) groups[i] = -1;
  }
}
