import type { ResultBatch, ResultColumn } from '../../../../query/result.ts';
import { displayWidth } from '../../../../shared/display-width.ts';
import { appendBytes } from './byte-texts.ts';
import { type CellStyle, ColumnCells } from './cells.ts';
import type { ResultEncoder } from './encoder.ts';
import { TextSink } from './text-sink.ts';

/** How cells are written for people: `[1, 2]`, `{a: 1}`, texts without quotes. */
export const prettyCellStyle: CellStyle = {
  floats: 'display',
  notFinite: undefined,
  quote: '',
  writeText: appendBytes,
  nested: { separator: ', ', colon: ': ', nullText: '', skipsNullMembers: false, quotesNames: false },
};

/** One grid cell: its lines. */
type Cell = readonly string[];

/** ASCII grid: built whole, because widths need every row. No newline at the end. */
export class PrettyEncoder implements ResultEncoder {
  readonly sink: TextSink;
  readonly #cellSink = new TextSink(1024);
  readonly #columns: readonly ResultColumn[];
  readonly #cells: readonly ColumnCells[];
  readonly #rows: Cell[][] = [];

  constructor(columns: readonly ResultColumn[], sink: TextSink) {
    this.sink = sink;
    this.#columns = columns;
    this.#cells = columns.map((column) => new ColumnCells(this.#cellSink, column.type, prettyCellStyle));
  }

  batch(batch: ResultBatch): void {
    const sink = this.#cellSink;
    const writers = this.#cells.map((cells, index) => {
      const vector = batch.columns[index];
      return vector === undefined ? () => false : cells.writer(vector);
    });
    for (let row = 0; row < batch.rowCount; row++) {
      const cells = writers.map((write) => {
        sink.length = 0;
        write(row);
        return sink.bytes.toString('utf8', 0, sink.length).split('\n');
      });
      this.#rows.push(cells);
    }
  }

  end(): void {
    if (this.#rows.length === 0) {
      this.sink.ascii('++\n++');
      return;
    }
    const header = this.#columns.map((column) => column.name.split('\n'));
    const widths = header.map((cell, index) => this.#rows.reduce((width, row) => Math.max(width, cellWidth(row[index])), cellWidth(cell)));
    const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
    this.sink.utf8(`${rule}\n`);
    this.#writeRow(header, widths);
    this.sink.utf8(`${rule}\n`);
    for (const row of this.#rows) this.#writeRow(row, widths);
    this.sink.utf8(rule);
  }

  #writeRow(cells: readonly Cell[], widths: readonly number[]): void {
    const height = Math.max(...cells.map((cell) => cell.length));
    for (let line = 0; line < height; line++) {
      const texts = widths.map((width, index) => {
        const text = cells[index]?.[line] ?? '';
        return ` ${text}${' '.repeat(width - displayWidth(text))} `;
      });
      this.sink.utf8(`|${texts.join('|')}|\n`);
    }
  }
}

function cellWidth(cell: Cell | undefined): number {
  return (cell ?? []).reduce((width, line) => Math.max(width, displayWidth(line)), 0);
}
