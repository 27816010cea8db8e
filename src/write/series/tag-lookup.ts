import type { ColumnId } from '../../shared/ids.ts';
import type { SeriesIndex } from './series-index.ts';

/** Series up to which a tag column is looked up by value; for more, reading all of them once would hold other work up. */
const SERIES_MAX = 50_000;

interface ColumnLookup {
  /** Series read so far. */
  read: number;
  readonly idsByValue: Map<string, number[]>;
}

/** Which series of a table have a tag value. Filled per column when it is first asked for, then with new series only. */
export class TagLookup {
  readonly #series: SeriesIndex;
  readonly #columns = new Map<number, ColumnLookup>();

  constructor(series: SeriesIndex) {
    this.#series = series;
  }

  /** Ids of the series, ascending; undefined when there are too many series to tell. The list must not be changed. */
  idsWith(columnId: ColumnId, value: string): readonly number[] | undefined {
    if (this.#series.count > SERIES_MAX) return undefined;
    return this.#upToDate(columnId).idsByValue.get(value) ?? [];
  }

  #upToDate(columnId: ColumnId): ColumnLookup {
    const lookup = this.#columns.get(columnId) ?? { read: 0, idsByValue: new Map<string, number[]>() };
    this.#columns.set(columnId, lookup);
    for (; lookup.read < this.#series.count; lookup.read++) {
      const id = lookup.read;
      this.#series.forEachTag(id, (tagId, bytes) => {
        if (tagId !== columnId) return;
        const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
        const ids = lookup.idsByValue.get(text);
        if (ids === undefined) lookup.idsByValue.set(text, [id]);
        else ids.push(id);
      });
    }
    return lookup;
  }
}
