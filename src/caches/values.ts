import type { ColumnId, SeriesId } from '../shared/ids.ts';
import type { ColumnSection, TableSection } from '../write/batch/index.ts';
import type { SeriesIndex } from '../write/series/index.ts';

/** One cell as the caches keep it. */
export type Value = string | bigint | number | boolean | null;

/** Reads one column's cell of a section's row. */
export type CellReader = (row: number) => Value;

/** Reader for a field column of a section; a column that is not in it has no values. */
export function fieldReader(section: TableSection, columnId: ColumnId): CellReader {
  const column = section.columns.find((candidate) => candidate.columnId === columnId);
  if (column === undefined) return () => null;
  const read = plainReader(column);
  const { valid } = column;
  if (valid === undefined) return read;
  return (row) => (((valid[row >> 3] as number) >> (row & 7)) & 1 ? read(row) : null);
}

function plainReader({ type, data, offsets }: ColumnSection): CellReader {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  switch (type) {
    case 'float':
      return (row) => view.getFloat64(row * 8, true);
    case 'integer':
      return (row) => view.getBigInt64(row * 8, true);
    case 'uinteger':
      return (row) => view.getBigUint64(row * 8, true);
    case 'boolean':
      return (row) => data[row] === 1;
    case 'string': {
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      return (row) => bytes.toString('utf8', offsets?.[row] ?? 0, offsets?.[row + 1] ?? 0);
    }
  }
}

/** Value of a tag in a series; null when the series does not have it. */
export function tagValue(series: SeriesIndex, seriesId: SeriesId, columnId: ColumnId): string | null {
  let found: string | null = null;
  series.forEachTag(seriesId, (id, bytes) => {
    if (id === columnId) found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  });
  return found;
}

/** A text that is the same for the same values only. All lists of one cache have the same types. */
export function keyText(values: readonly Value[]): string {
  let text = '';
  for (const value of values) {
    if (value === null) text += '-';
    else {
      const part = String(value);
      text += `${part.length}:${part}`;
    }
  }
  return text;
}

/** Estimated bytes of kept values. */
export function valueBytes(values: readonly Value[]): number {
  let bytes = 16 + values.length * 8;
  for (const value of values) bytes += typeof value === 'string' ? 24 + value.length * 2 : typeof value === 'bigint' ? 24 : 8;
  return bytes;
}

/** Order of the UTF-8 bytes; null first. */
export function compareValues(a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return codePointRank(left) - codePointRank(right);
  }
  return a.length - b.length;
}

/** Places the halves of characters beyond 16 bits after all others. */
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
