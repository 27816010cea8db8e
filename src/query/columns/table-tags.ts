import type { TableSchema } from '../../catalog/schema.ts';
import type { ColumnId } from '../../shared/ids.ts';
import type { SeriesIndex } from '../../write/series/index.ts';

/** Code of a tag that a series does not have. */
export const NO_TAG = -1;

/** Series of one table that are followed; beyond it tags cost more memory than they save time. */
export const SERIES_MAX = 50_000;

/** Texts of one tag column, each with a number. */
class Dictionary {
  readonly texts: string[] = [];
  readonly #codes = new Map<string, number>();

  code(text: string): number {
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    const code = this.texts.push(text) - 1;
    this.#codes.set(text, code);
    return code;
  }

  /** `NO_TAG` - 1 when no row has the text. */
  find(text: string): number {
    return this.#codes.get(text) ?? NO_TAG - 1;
  }
}

/**
 * Numbers for the tag values of one table, the same in buffered rows and in files.
 *
 * Shared by: all queries and loads of a table. A text keeps its number for good, and lists of texts only grow. Codes of series
 * are of the moment in which they are asked for, and undefined when there are too many series by then: a query asks for all it
 * needs before its first turn.
 */
export class TableTags {
  readonly #dictionaries = new Map<number, Dictionary>();
  /** By tag column id: the code of each buffered series. */
  readonly #seriesCodes = new Map<number, Int32Array>();
  readonly #tagIds: number[] = [];
  #series: SeriesIndex | undefined;
  #read = 0;

  /** Texts of a tag column by code. */
  texts(columnId: ColumnId): readonly string[] {
    return this.#dictionary(columnId).texts;
  }

  code(columnId: ColumnId, text: string): number {
    return this.#dictionary(columnId).code(text);
  }

  find(columnId: ColumnId, text: string): number {
    return this.#dictionary(columnId).find(text);
  }

  /** Codes of the series that the buffer knows now, by series id; undefined when there are too many. */
  seriesCodes(table: TableSchema, series: SeriesIndex, columnId: ColumnId): Int32Array | undefined {
    if (series.count > SERIES_MAX) return undefined;
    if (series !== this.#series) this.#begin(series);
    for (const { id } of table.seriesKey) if (!this.#seriesCodes.has(id)) this.#addTag(id);
    if (this.#read < series.count) this.#readSeries(series);
    return this.#seriesCodes.get(columnId);
  }

  #begin(series: SeriesIndex): void {
    this.#series = series;
    this.#read = 0;
    this.#tagIds.length = 0;
    this.#seriesCodes.clear();
  }

  /** Series that were read before the column came do not have it. */
  #addTag(id: number): void {
    this.#tagIds.push(id);
    this.#seriesCodes.set(id, new Int32Array(Math.max(1024, this.#read)).fill(NO_TAG));
  }

  #readSeries(series: SeriesIndex): void {
    for (const id of this.#tagIds) {
      const codes = this.#seriesCodes.get(id) as Int32Array;
      if (codes.length >= series.count) continue;
      const grown = new Int32Array(series.count * 2).fill(NO_TAG);
      grown.set(codes);
      this.#seriesCodes.set(id, grown);
    }
    for (; this.#read < series.count; this.#read++) {
      series.forEachTag(this.#read, (columnId, value) => {
        const codes = this.#seriesCodes.get(columnId);
        const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
        if (codes !== undefined) codes[this.#read] = this.code(columnId, text);
      });
    }
  }

  #dictionary(columnId: ColumnId): Dictionary {
    let dictionary = this.#dictionaries.get(columnId);
    if (dictionary === undefined) {
      dictionary = new Dictionary();
      this.#dictionaries.set(columnId, dictionary);
    }
    return dictionary;
  }
}
