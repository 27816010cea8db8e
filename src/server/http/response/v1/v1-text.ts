import type { ResultVector } from '../../../../query/result.ts';
import type { TextSink } from '../formats/index.ts';
import type { AnswerSink } from './answer-sink.ts';
import { csvCell, type V1CellStyle, V1ColumnCells } from './v1-cells.ts';
import type { V1Column, V1Series, V1SeriesWriter } from './v1-statement.ts';

interface WrittenColumn {
  readonly index: number;
  readonly name: string;
  readonly cells: V1ColumnCells;
}

function written(shown: readonly V1Column[], style: V1CellStyle): readonly WrittenColumn[] {
  return shown.map(({ index, column }) => ({ index, name: column.name, cells: new V1ColumnCells(column, style) }));
}

/** Series as JSON: members of one document, or a document for each slice. */
export class JsonSeriesWriter implements V1SeriesWriter {
  readonly #id: number;
  readonly #chunked: boolean;
  readonly #sink: AnswerSink;
  readonly #cellStyle: V1CellStyle;
  #columns: readonly WrittenColumn[];
  /** Where the document of the slice begins, when each has one. */
  #documentAt = 0;

  constructor(
    id: number,
    shown: readonly V1Column[],
    style: { readonly epochNs: bigint | undefined; readonly chunked: boolean },
    sink: AnswerSink,
  ) {
    this.#id = id;
    this.#chunked = style.chunked;
    this.#sink = sink;
    this.#cellStyle = { epochNs: style.epochNs, csv: false };
    this.#columns = written(shown, this.#cellStyle);
  }

  columns(shown: readonly V1Column[]): void {
    this.#columns = written(shown, this.#cellStyle);
  }

  begin({ name, tags }: V1Series, first: boolean): void {
    const sink = this.#sink;
    this.#documentAt = sink.position;
    if (this.#chunked) sink.ascii(`{"results":[{"statement_id":${this.#id},"series":[`);
    else sink.ascii(first ? ',"series":[' : ',');
    const members = name === '' ? [] : [`"name":${JSON.stringify(name)}`];
    if (tags.length > 0) {
      const texts = tags.map(({ key, value }) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
      members.push(`"tags":{${texts.join(',')}}`);
    }
    members.push(`"columns":${JSON.stringify(this.#columns.map((column) => column.name))}`);
    sink.utf8(`{${members.join(',')},"values":[`);
  }

  row(columns: readonly ResultVector[], row: number, first: boolean): void {
    const sink = this.#sink;
    const start = sink.position;
    sink.ascii(first ? '[' : ',[');
    try {
      this.#columns.forEach((column, i) => {
        if (i > 0) sink.ascii(',');
        column.cells.write(sink, columns[column.index] as ResultVector, row);
      });
    } catch (error) {
      sink.back(start); // what is there stays well-formed
      throw error;
    }
    sink.ascii(']');
  }

  /**
   * The statement failed in the middle of a slice. A document of its own becomes that of the error, as long as nothing of it was sent;
   * else the rows so far stay, and the error stands behind them.
   */
  fail(message: string): void {
    const sink = this.#sink;
    const error = JSON.stringify(message);
    if (this.#chunked && sink.back(this.#documentAt)) sink.utf8(`{"error":${error}}\n`);
    else sink.utf8(`]}],"error":${error}${this.#chunked ? '}]}\n' : ''}`);
  }

  end(seriesGoesOn: boolean, more: boolean): void {
    this.#sink.ascii(this.#chunked && seriesGoesOn ? '],"partial":true}' : ']}');
    if (this.#chunked) this.#sink.ascii(more ? '],"partial":true}]}\n' : ']}]}\n');
    else if (!more) this.#sink.ascii(']');
  }
}

/** Series as CSV, each row with the name and the tags of its series. */
export class CsvSeriesWriter implements V1SeriesWriter {
  readonly #sink: TextSink;
  readonly #style: V1CellStyle;
  #columns: readonly WrittenColumn[];
  #needsHeader = true;
  #series = '';

  constructor(shown: readonly V1Column[], epochNs: bigint | undefined, sink: TextSink) {
    this.#sink = sink;
    this.#style = { epochNs, csv: true };
    this.#columns = written(shown, this.#style);
  }

  columns(shown: readonly V1Column[]): void {
    this.#columns = written(shown, this.#style);
    this.#needsHeader = true;
    this.#sink.ascii('\n');
  }

  begin({ name, tags }: V1Series): void {
    if (this.#needsHeader) this.#sink.utf8(`${['name', 'tags', ...this.#columns.map((column) => csvCell(column.name))].join(',')}\n`);
    this.#needsHeader = false;
    this.#series = `${csvCell(name)},${csvCell(tags.map(({ key, value }) => `${key}=${value}`).join(','))}`;
  }

  row(columns: readonly ResultVector[], row: number): void {
    this.#sink.utf8(this.#series);
    for (const column of this.#columns) {
      this.#sink.ascii(',');
      column.cells.write(this.#sink, columns[column.index] as ResultVector, row);
    }
    this.#sink.ascii('\n');
  }

  end(): void {}
}
