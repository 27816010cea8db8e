import type { ResultBatch, ResultColumn } from '../../../query/result.ts';
import { ColumnCells } from './cells.ts';
import type { ResultEncoder } from './encoder.ts';
import { jsonCellStyle } from './json-values.ts';
import type { TextSink } from './text-sink.ts';

const [OPEN, CLOSE, NEWLINE] = [0x7b, 0x7d, 0x0a];

/** JSON: one array of row objects; JSON lines: one object per line (http-api.md 7). Null members are left out. */
export class JsonEncoder implements ResultEncoder {
  readonly sink: TextSink;
  readonly #lines: boolean;
  /** `,"name":` of each column. */
  readonly #keys: readonly Uint8Array[];
  readonly #cells: readonly ColumnCells[];
  #rowsWritten = false;

  constructor(columns: readonly ResultColumn[], sink: TextSink, shape: 'array' | 'lines') {
    this.sink = sink;
    this.#lines = shape === 'lines';
    this.#keys = columns.map((column) => new Uint8Array(Buffer.from(`,${JSON.stringify(column.name)}:`)));
    this.#cells = columns.map((column) => new ColumnCells(sink, column, jsonCellStyle));
  }

  batch(batch: ResultBatch): void {
    const { sink } = this;
    const writers = batch.columns.map((vector, index) => this.#cell(index).writer(vector));
    const keys = this.#keys;
    const count = writers.length;
    for (let row = 0; row < batch.rowCount; row++) {
      if (!this.#lines) sink.ascii(this.#rowsWritten ? ',' : '[');
      this.#rowsWritten = true;
      sink.byte(OPEN);
      let first = true;
      for (let column = 0; column < count; column++) {
        const mark = sink.length;
        writeKey(sink, keys[column] as Uint8Array, first ? 1 : 0);
        if ((writers[column] as (row: number) => boolean)(row)) first = false;
        else sink.length = mark;
      }
      sink.byte(CLOSE);
      if (this.#lines) sink.byte(NEWLINE);
    }
  }

  end(): void {
    if (!this.#lines) this.sink.ascii(this.#rowsWritten ? ']' : '[]');
  }

  #cell(index: number): ColumnCells {
    const cell = this.#cells[index];
    if (cell === undefined) throw new Error('internal error: batch has more columns than its result');
    return cell;
  }
}

function writeKey(sink: TextSink, key: Uint8Array, from: number): void {
  const size = key.length;
  if (sink.length + size > sink.bytes.length) sink.reserve(size);
  const bytes = sink.bytes;
  let at = sink.length;
  for (let i = from; i < size; i++) bytes[at++] = key[i] as number;
  sink.length = at;
}
