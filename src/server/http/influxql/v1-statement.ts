import type { GroupKey, InfluxqlResult } from '../../../query/influxql/contract.ts';
import type { ResultBatch, ResultColumn, ResultVector } from '../../../query/result.ts';
import type { TextSink } from '../formats/index.ts';
import { csvCell, type V1CellStyle, V1ColumnCells } from './v1-cells.ts';

/** How the rows of one statement are cut and written. */
export interface V1Style extends V1CellStyle {
  /** Rows of one chunk; undefined = one document for everything. 0 = a chunk for each series. */
  readonly chunkRows: number | undefined;
}

interface ShownColumn {
  readonly index: number;
  readonly name: string;
  readonly cells: V1ColumnCells;
}

/** Text of the rows of one statement, series by series (http-api.md 8). */
export class V1Statement {
  readonly #id: number;
  readonly #style: V1Style;
  readonly #sink: TextSink;
  readonly #key: GroupKey;
  readonly #shown: readonly ShownColumn[];
  readonly #tagKeys: readonly { readonly key: string; readonly columnIndex: number }[];
  #series: readonly (string | null)[] | undefined;
  #seriesCsv = '';
  #rows = 0;

  constructor(id: number, { result, groupKey }: InfluxqlResult, style: V1Style, sink: TextSink) {
    this.#id = id;
    this.#style = style;
    this.#sink = sink;
    this.#key = groupKey;
    const hidden = new Set([
      groupKey.measurementColumn,
      ...groupKey.tagColumns.filter((tag) => !tag.projected).map((tag) => tag.columnIndex),
    ]);
    this.#shown = result.columns.flatMap((column: ResultColumn, index) =>
      hidden.has(index) ? [] : [{ index, name: column.name, cells: new V1ColumnCells(column, style) }],
    );
    this.#tagKeys = [...groupKey.tagColumns].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  /** True once a row was written. */
  get hasRows(): boolean {
    return this.#series !== undefined;
  }

  batch(batch: ResultBatch): void {
    for (let row = 0; row < batch.rowCount; row++) this.#row(batch.columns, row);
  }

  /** After the last row. */
  end(): void {
    if (this.hasRows && !this.#style.csv) this.#endSlice(false, false);
  }

  #row(columns: readonly ResultVector[], row: number): void {
    const values = this.#seriesOf(columns, row);
    const changed = this.#series === undefined || values.some((value, i) => value !== this.#series?.[i]);
    const full = this.#style.chunkRows !== undefined && this.#style.chunkRows > 0 && this.#rows >= this.#style.chunkRows;
    const first = this.#series === undefined;
    if (changed || full) {
      if (!first && !this.#style.csv) this.#endSlice(!changed, true);
      this.#series = values;
      this.#rows = 0;
      if (this.#style.csv) this.#beginCsv(first);
      else this.#beginSlice(first);
    }
    if (this.#style.csv) this.#csvRow(columns, row);
    else this.#jsonRow(columns, row);
    this.#rows++;
  }

  /** Measurement, then the group tags by name. */
  #seriesOf(columns: readonly ResultVector[], row: number): (string | null)[] {
    const values = [textAt(columns[this.#key.measurementColumn], row)];
    for (const { columnIndex } of this.#tagKeys) values.push(textAt(columns[columnIndex], row));
    return values;
  }

  #beginSlice(first: boolean): void {
    const sink = this.#sink;
    if (this.#style.chunkRows !== undefined) sink.ascii(`{"results":[{"statement_id":${this.#id},"series":[`);
    else sink.ascii(first ? ',"series":[' : ',');
    const [name, ...tags] = this.#series as readonly (string | null)[];
    const members = [`"name":${JSON.stringify(name ?? '')}`];
    if (tags.length > 0) {
      const texts = this.#tagKeys.map(({ key }, i) => `${JSON.stringify(key)}:${JSON.stringify(tags[i] ?? '')}`);
      members.push(`"tags":{${texts.join(',')}}`);
    }
    members.push(`"columns":${JSON.stringify(this.#shown.map((column) => column.name))}`);
    sink.utf8(`{${members.join(',')},"values":[`);
  }

  #endSlice(seriesGoesOn: boolean, more: boolean): void {
    const chunked = this.#style.chunkRows !== undefined;
    this.#sink.ascii(chunked && seriesGoesOn ? '],"partial":true}' : ']}');
    if (chunked) this.#sink.ascii(more ? '],"partial":true}]}' : ']}]}');
    else if (!more) this.#sink.ascii(']');
  }

  #jsonRow(columns: readonly ResultVector[], row: number): void {
    const sink = this.#sink;
    sink.ascii(this.#rows === 0 ? '[' : ',[');
    this.#shown.forEach((column, i) => {
      if (i > 0) sink.ascii(',');
      column.cells.write(sink, columns[column.index] as ResultVector, row);
    });
    sink.ascii(']');
  }

  #beginCsv(first: boolean): void {
    if (first) this.#sink.utf8(`${['name', 'tags', ...this.#shown.map((column) => csvCell(column.name))].join(',')}\n`);
    const [name, ...tags] = this.#series as readonly (string | null)[];
    const pairs = this.#tagKeys.map(({ key }, i) => `${key}=${tags[i] ?? ''}`).join(',');
    this.#seriesCsv = `${csvCell(name ?? '')},${csvCell(pairs)}`;
  }

  #csvRow(columns: readonly ResultVector[], row: number): void {
    this.#sink.utf8(this.#seriesCsv);
    for (const column of this.#shown) {
      this.#sink.ascii(',');
      column.cells.write(this.#sink, columns[column.index] as ResultVector, row);
    }
    this.#sink.ascii('\n');
  }
}

function textAt(vector: ResultVector | undefined, row: number): string | null {
  return vector?.kind === 'string' ? vector.text(row) : null;
}
