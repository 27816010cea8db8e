import { assert } from '../../shared/assert.ts';
import { BOOLEAN, type ColumnBuilder, FLOAT, STRING } from './column-builder.ts';
import { HIGH, LOW } from './int64.ts';
import type { Line, LineField } from './line-syntax.ts';
import { putTagHeader } from './series-key.ts';
import type { TableBuilder } from './table-builder.ts';
import type { TableSet } from './table-set.ts';

/** Appends lines of the slow path to the columns; they fit the committed schema. */
export class RowWriter {
  readonly #tables: TableSet;

  constructor(tables: TableSet) {
    this.#tables = tables;
  }

  /** Appends one line as a row. */
  write(line: Line, timeNs: bigint): void {
    const table = this.#tables.at(this.#tables.slotOf(line.measurement));
    assert(table !== undefined, 'a line without schema additions has a committed table');
    const row = table.rowCount;
    for (const field of line.fields) {
      const column = table.column(field.key);
      assert(column !== undefined, 'a checked field has a committed column');
      assert(column.prepare(row), 'a checked field is in its line once');
      put(column, row, field);
      column.filled = row + 1;
    }
    const series = canonicalSeries(line, table);
    const id = table.series.intern(series, 0, series.length);
    table.commitRow(id, Number(BigInt.asIntN(32, timeNs >> 32n)), Number(BigInt.asIntN(32, timeNs)));
  }
}

function put(column: ColumnBuilder, row: number, field: LineField): void {
  switch (field.type) {
    case 'float':
      assert(column.kind === FLOAT, 'float column');
      column.floats[row] = field.value;
      return;
    case 'string':
      assert(column.kind === STRING, 'string column');
      column.putString(row, field.value);
      return;
    case 'boolean':
      assert(column.kind === BOOLEAN, 'boolean column');
      column.bytes[row] = field.value ? 1 : 0;
      return;
    default:
      column.words[row * 2 + LOW] = Number(BigInt.asIntN(32, field.value));
      column.words[row * 2 + HIGH] = Number(BigInt.asIntN(32, field.value >> 32n));
  }
}

function canonicalSeries(line: Line, table: TableBuilder): Uint8Array {
  const tags = line.tags.map((tag) => {
    const column = table.column(tag.key);
    assert(column !== undefined, 'a checked tag has a column');
    return { id: column.column.id, value: tag.value };
  });
  tags.sort((a, b) => a.id - b.id);
  const bytes = new Uint8Array(tags.reduce((total, { value }) => total + 6 + value.length, 0));
  let at = 0;
  for (const { id, value } of tags) {
    at = putTagHeader(bytes, at, id, value.length);
    bytes.set(value, at);
    at += value.length;
  }
  return bytes;
}
