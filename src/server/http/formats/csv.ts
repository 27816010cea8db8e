import type { ResultBatch, ResultColumn } from '../../../query/result.ts';
import { InfluxError } from '../../../shared/errors.ts';
import { type CellStyle, ColumnCells, type WriteCell } from './cells.ts';
import type { ResultEncoder } from './encoder.ts';
import { floatText } from './numbers.ts';
import type { TextSink } from './text-sink.ts';

const [COMMA, QUOTE, LF, CR] = [0x2c, 0x22, 0x0a, 0x0d];

const SHORT_STRING_MAX = 32;
const mustQuote = /[,"\r\n]/;
const notAscii = /[^\0-\x7f]/;

const csvCellStyle: CellStyle = {
  floats: 'display',
  notFinite: undefined,
  quote: '',
  writeString: writeCsvString,
  writeNested: (sink, value) => {
    if (Array.isArray(value)) {
      writeCsvString(sink, `[${value.map((item) => listItem(item)).join(', ')}]`);
      return;
    }
    if (typeof value === 'object') throw nestedInCsv();
    writeCsvString(sink, typeof value === 'number' ? floatText(value, 'display') : String(value));
  },
};

/** Lists of plain values print as `[a, b]`, as the system tables need it (system-tables.md 0.1). */
function listItem(item: unknown): string {
  if (item === null) return '';
  if (typeof item === 'object') throw nestedInCsv();
  return typeof item === 'number' ? floatText(item, 'display') : String(item);
}

/** CSV: header, rows, `\n`, quotes only where needed, null and empty string both empty; no rows = no header (http-api.md 7). */
export class CsvEncoder implements ResultEncoder {
  readonly sink: TextSink;
  readonly #columns: readonly ResultColumn[];
  readonly #cells: readonly ColumnCells[];
  #headerWritten = false;

  constructor(columns: readonly ResultColumn[], sink: TextSink) {
    this.sink = sink;
    this.#columns = columns;
    this.#cells = columns.map((column) => new ColumnCells(sink, column, csvCellStyle));
  }

  batch(batch: ResultBatch): void {
    if (batch.rowCount === 0) return;
    const { sink } = this;
    if (!this.#headerWritten) this.#header();
    const writers = this.#cells.map((cells, index) => {
      const vector = batch.columns[index];
      return vector === undefined ? () => false : cells.writer(vector);
    });
    const count = writers.length;
    for (let row = 0; row < batch.rowCount; row++) {
      const start = sink.length;
      for (let column = 0; column < count; column++) {
        if (column > 0) sink.byte(COMMA);
        (writers[column] as WriteCell)(row);
      }
      // compat: a record that is one empty cell is written as `""`, or readers would take the line for none
      if (sink.length === start) sink.ascii('""');
      sink.byte(LF);
    }
  }

  end(): void {}

  #header(): void {
    this.#headerWritten = true;
    this.#columns.forEach((column, index) => {
      if (index > 0) this.sink.byte(COMMA);
      writeCsvString(this.sink, column.name);
    });
    this.sink.byte(LF);
  }
}

function writeCsvString(sink: TextSink, text: string): void {
  const size = text.length;
  if (size > SHORT_STRING_MAX) {
    writeLongString(sink, text);
    return;
  }
  sink.reserve(size);
  const bytes = sink.bytes;
  let at = sink.length;
  for (let i = 0; i < size; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f || code === COMMA || code === QUOTE || code === LF || code === CR) {
      writeLongString(sink, text);
      return;
    }
    bytes[at++] = code;
  }
  sink.length = at;
}

function writeLongString(sink: TextSink, text: string): void {
  if (mustQuote.test(text)) sink.utf8(`"${text.replaceAll('"', '""')}"`);
  else if (notAscii.test(text)) sink.utf8(text);
  else sink.ascii(text);
}

function nestedInCsv(): InfluxError {
  return new InfluxError({ code: 'CSV_NESTED', message: 'Arrow error: Csv error: Nested type is not supported in CSV', status: 500 });
}
