import type { ResultBatch, ResultColumn, ResultVector } from '../../../../query/result.ts';
import { ColumnCells, type WriteCell } from './cells.ts';
import type { ResultEncoder } from './encoder.ts';
import { jsonCellStyle } from './json-values.ts';
import { SeriesCells } from './series-cells.ts';
import type { TextSink } from './text-sink.ts';

const [OPEN, CLOSE, NEWLINE, COMMA, OPEN_LIST] = [0x7b, 0x7d, 0x0a, 0x2c, 0x5b];

/** Writes members of one row, each with a comma before it; nothing where a value is null. */
type WriteMembers = (row: number) => void;

/** JSON: one array of row objects; JSON lines: one object per line. Null members are left out. */
export class JsonEncoder implements ResultEncoder {
  readonly sink: TextSink;
  readonly #lines: boolean;
  readonly #columns: readonly JsonColumn[];
  #rowsWritten = false;

  constructor(columns: readonly ResultColumn[], sink: TextSink, shape: 'array' | 'lines') {
    this.sink = sink;
    this.#lines = shape === 'lines';
    this.#columns = columns.map((column) => ({
      key: new Uint8Array(Buffer.from(`,${JSON.stringify(column.name)}:`)),
      cells: new ColumnCells(sink, column.type, jsonCellStyle),
      series: new SeriesCells(sink),
    }));
  }

  batch(batch: ResultBatch): void {
    const { sink } = this;
    const writers = this.#writers(batch);
    const count = writers.length;
    for (let row = 0; row < batch.rowCount; row++) {
      if (!this.#lines) sink.byte(this.#rowsWritten ? COMMA : OPEN_LIST);
      this.#rowsWritten = true;
      const start = sink.length;
      for (let i = 0; i < count; i++) (writers[i] as WriteMembers)(row);
      // The bracket takes the place of the first comma.
      if (sink.length === start) sink.byte(OPEN);
      else sink.bytes[start] = OPEN;
      sink.byte(CLOSE);
      if (this.#lines) sink.byte(NEWLINE);
    }
  }

  end(): void {
    if (!this.#lines) this.sink.ascii(this.#rowsWritten ? ']' : '[]');
  }

  #writers({ columns, series }: ResultBatch): WriteMembers[] {
    const writers: WriteMembers[] = [];
    for (let from = 0; from < columns.length; ) {
      let end = from + 1;
      while (series !== undefined && isCoded(columns[from]) && isCoded(columns[end])) end++;
      const members = columns.slice(from, end).map((vector, i) => this.#member(from + i, vector));
      const [first] = members as [WriteMembers];
      if (series === undefined || members.length === 1) writers.push(first);
      else {
        writers.push(
          this.#column(from).series.writer(series, (row) => {
            for (const member of members) member(row);
          }),
        );
      }
      from = end;
    }
    return writers;
  }

  #member(index: number, vector: ResultVector): WriteMembers {
    const { key, cells } = this.#column(index);
    return withKey(this.sink, key, cells.writer(vector));
  }

  #column(index: number): JsonColumn {
    const column = this.#columns[index];
    if (column === undefined) throw new Error('internal error: batch has more columns than its result');
    return column;
  }
}

interface JsonColumn {
  /** `,"name":` */
  readonly key: Uint8Array;
  readonly cells: ColumnCells;
  /** For the run of coded columns that begins here. */
  readonly series: SeriesCells;
}

function isCoded(vector: ResultVector | undefined): boolean {
  return vector?.kind === 'coded';
}

function withKey(sink: TextSink, key: Uint8Array, write: WriteCell): WriteMembers {
  const size = key.length;
  return (row) => {
    const start = sink.length;
    if (start + size > sink.bytes.length) sink.reserve(size);
    const bytes = sink.bytes;
    let at = start;
    for (let i = 0; i < size; i++) bytes[at++] = key[i] as number;
    sink.length = at;
    if (!write(row)) sink.length = start;
  };
}
