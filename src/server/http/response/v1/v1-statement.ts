import type { GroupKey, InfluxqlResult } from '../../../../query/influxql/contract.ts';
import type { ResultBatch, ResultColumn, ResultVector } from '../../../../query/result.ts';
import { isSameText, textAt } from '../../../../query/results/index.ts';

/** One series: a measurement with its group tags, by name. */
export interface V1Series {
  readonly name: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
}

/** A column that is shown; the others are the name and the tags of the series. */
export interface V1Column {
  /** In the batches. */
  readonly index: number;
  readonly column: ResultColumn;
}

/** Writes the series of one statement in some format. */
export interface V1SeriesWriter {
  /** The columns of the series that follow. */
  columns(shown: readonly V1Column[]): void;
  /** A slice of a series begins; `first` = the first one of the statement. */
  begin(series: V1Series, first: boolean): void;
  /** `first` = the first row of its slice. */
  row(columns: readonly ResultVector[], row: number, first: boolean): void;
  /** The slice ends. `seriesGoesOn` = in the next one; `more` = there are more slices. */
  end(seriesGoesOn: boolean, more: boolean): void;
}

/** Cuts the rows of one statement into series, and those into slices. */
export class V1Statement {
  readonly #writer: V1SeriesWriter;
  readonly #rowsMax: number;
  #key: GroupKey;
  #tagKeys: GroupKey['tagColumns'];
  /** The columns of the next row, when they are others than before. */
  #nextColumns: readonly V1Column[] | undefined;
  #series: readonly (string | null)[] | undefined;
  #rows = 0;

  /** `chunkRows`: rows of one slice; undefined or 0 = each series is one. */
  constructor(groupKey: GroupKey, chunkRows: number | undefined, writer: V1SeriesWriter) {
    this.#writer = writer;
    this.#key = groupKey;
    this.#rowsMax = chunkRows || Number.POSITIVE_INFINITY;
    this.#tagKeys = byName(groupKey);
  }

  /** Series with other columns follow. */
  next(groupKey: GroupKey, shown: readonly V1Column[]): void {
    this.#key = groupKey;
    this.#tagKeys = byName(groupKey);
    this.#nextColumns = shown;
  }

  /** True once a row was written. */
  get hasRows(): boolean {
    return this.#series !== undefined;
  }

  batch(batch: ResultBatch): void {
    const { columns } = batch;
    const keys = [this.#key.measurementColumn, ...this.#tagKeys.map((tag) => tag.columnIndex)].flatMap((index) => columns[index] ?? []);
    for (let row = 0; row < batch.rowCount; row++) {
      const goesOn = row > 0 && keys.every((key) => isSameText(key, row, row - 1));
      this.#row(columns, row, goesOn ? undefined : this.#seriesOf(columns, row));
    }
  }

  /** After the last row. `empty`: the name of the series to show when there was none. */
  end(empty?: string): void {
    if (!this.hasRows && empty !== undefined) {
      this.#series = [empty];
      this.#writer.begin({ name: empty, tags: [] }, true);
    }
    if (this.hasRows) this.#writer.end(false, false);
  }

  /** `series` undefined = that of the row before. */
  #row(columns: readonly ResultVector[], row: number, series: readonly (string | null)[] | undefined): void {
    const first = this.#series === undefined;
    const changed = first || this.#nextColumns !== undefined || series?.some((value, i) => value !== this.#series?.[i]) === true;
    if (changed || this.#rows >= this.#rowsMax) {
      if (!first) this.#writer.end(!changed, true);
      if (this.#nextColumns !== undefined) this.#writer.columns(this.#nextColumns);
      this.#nextColumns = undefined;
      this.#series = series ?? this.#series;
      this.#rows = 0;
      const [name, ...tags] = this.#series ?? [];
      this.#writer.begin({ name: name ?? '', tags: this.#tagKeys.map(({ key }, i) => ({ key, value: tags[i] ?? '' })) }, first);
    }
    this.#writer.row(columns, row, this.#rows === 0);
    this.#rows++;
  }

  /** Measurement, then the group tags by name. */
  #seriesOf(columns: readonly ResultVector[], row: number): (string | null)[] {
    const values = [textAt(columns[this.#key.measurementColumn], row)];
    for (const { columnIndex } of this.#tagKeys) values.push(textAt(columns[columnIndex], row));
    return values;
  }
}

function byName({ tagColumns }: GroupKey): GroupKey['tagColumns'] {
  return [...tagColumns].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

/** The columns of a result that clients see as such. */
export function shownColumns({ result, groupKey }: InfluxqlResult): readonly V1Column[] {
  const hidden = new Set([
    groupKey.measurementColumn,
    ...groupKey.tagColumns.filter((tag) => !tag.projected).map((tag) => tag.columnIndex),
  ]);
  return result.columns.flatMap((column, index) => (hidden.has(index) ? [] : [{ index, column }]));
}
