import type { ResultBatch, ResultColumn, ResultType, ResultVector } from '../../../../query/result.ts';
import { isNullAt } from '../../../../query/results/index.ts';
import { InfluxError } from '../../../../shared/errors.ts';
import { appendPlain, marksOf } from './byte-texts.ts';
import { type CellStyle, ColumnCells, type WriteCell } from './cells.ts';
import type { ResultEncoder } from './encoder.ts';
import { prettyCellStyle } from './pretty.ts';
import type { TextSink } from './text-sink.ts';

const [COMMA, QUOTE, LF, CR] = [0x2c, 0x22, 0x0a, 0x0d];

/** Bytes of UTF-8 that a cell is quoted for. */
const quoted = marksOf((byte) => byte === COMMA || byte === QUOTE || byte === LF || byte === CR);

const csvCellStyle: CellStyle = { ...prettyCellStyle, writeText: writeCsvText };

/** Lists of plain values print as `[a, b]`; no other nested type has a form in CSV. */
class CsvColumn {
  readonly #sink: TextSink;
  readonly #cells: ColumnCells;
  readonly #isNested: boolean;
  readonly #isRefused: boolean;

  constructor(sink: TextSink, { type }: ResultColumn) {
    this.#sink = sink;
    this.#isNested = isNested(type);
    this.#isRefused = this.#isNested && type.kind !== 'list';
    this.#cells = new ColumnCells(sink, type, this.#isNested ? prettyCellStyle : csvCellStyle);
  }

  writer(vector: ResultVector): WriteCell {
    const write = this.#cells.writer(vector);
    if (!this.#isNested) return write;
    const sink = this.#sink;
    return (row) => {
      const start = sink.length;
      if (!write(row)) return false;
      if (this.#isRefused || hasNestedItem(vector, row)) throw nestedInCsv();
      const text = Buffer.from(sink.bytes.subarray(start, sink.length));
      sink.length = start;
      writeCsvText(sink, text, 0, text.length);
      return true;
    };
  }
}

function isNested({ kind }: ResultType): boolean {
  return kind === 'list' || kind === 'struct' || kind === 'map';
}

function hasNestedItem(vector: ResultVector, row: number): boolean {
  if (vector.kind !== 'list') return false;
  const { item, offsets } = vector;
  if (item.kind !== 'list' && item.kind !== 'struct' && item.kind !== 'map') return false;
  for (let at = offsets[row] as number; at < (offsets[row + 1] as number); at++) if (!isNullAt(item, at)) return true;
  return false;
}

/** CSV: header, rows, `\n`, quotes only where needed, null and empty string both empty; no rows = no header. */
export class CsvEncoder implements ResultEncoder {
  readonly sink: TextSink;
  readonly #columns: readonly ResultColumn[];
  readonly #cells: readonly CsvColumn[];
  #headerWritten = false;

  constructor(columns: readonly ResultColumn[], sink: TextSink) {
    this.sink = sink;
    this.#columns = columns;
    this.#cells = columns.map((column) => new CsvColumn(sink, column));
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
      const name = Buffer.from(column.name);
      writeCsvText(this.sink, name, 0, name.length);
    });
    this.sink.byte(LF);
  }
}

/** Writes a text as a CSV cell: in quotes only where a comma, a quote or a line end asks for them. */
export function writeCsvText(sink: TextSink, bytes: Uint8Array, start: number, end: number): void {
  if (appendPlain(sink, bytes, start, end, quoted)) return;
  sink.reserve((end - start) * 2 + 2);
  const target = sink.bytes;
  let at = sink.length;
  target[at++] = QUOTE;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) target[at++] = QUOTE;
    target[at++] = byte;
  }
  target[at++] = QUOTE;
  sink.length = at;
}

function nestedInCsv(): InfluxError {
  return new InfluxError({ code: 'CSV_NESTED', message: 'Arrow error: Csv error: Nested type is not supported in CSV', status: 500 });
}
