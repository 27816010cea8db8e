import { sqlIdentifier, sqlString } from '../../duckdb/index.ts';
import type { RelationColumn } from '../sql/types/contract.ts';

/** A cell of a table that the server makes itself. Lists hold texts or whole numbers; times are nanoseconds. */
export type Cell = string | bigint | number | boolean | null | readonly (string | bigint)[];

/** A table that the server makes itself, in the order of its columns. */
export interface RowSet {
  readonly columns: readonly RelationColumn[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A column that a statement reads: its place in the rows and the name under which it is read. */
export interface PickedColumn {
  readonly column: RelationColumn;
  readonly index: number;
  /** Quoted. */
  readonly name: string;
}

/**
 * The columns that a statement reads, in table order.
 * @param wanted columns that the statement reads
 * @param physical names under which it reads them
 */
export function pickColumns(
  columns: readonly RelationColumn[],
  wanted: ReadonlySet<string>,
  physical: ReadonlyMap<string, string>,
): PickedColumn[] {
  return columns
    .map((column, index) => ({ column, index, name: sqlIdentifier(physical.get(column.name) ?? column.name) }))
    .filter(({ column }) => wanted.has(column.name));
}

/** A parenthesised query that delivers the rows as literals; for small tables. */
export function rowsSource(set: RowSet, picked: readonly PickedColumn[]): string {
  if (picked.length === 0) return `(SELECT 1 FROM range(${set.rows.length}))`;
  if (set.rows.length === 0) {
    return `(SELECT ${picked.map(({ column, name }) => `CAST(NULL AS ${cellType(column)}) AS ${name}`).join(', ')} WHERE false)`;
  }
  const rows = set.rows.map((row, r) => {
    const cells = picked.map(({ column, index }) => {
      const literal = cellLiteral(row[index] as Cell, column);
      return r === 0 ? `CAST(${literal} AS ${cellType(column)})` : literal;
    });
    return `(${cells.join(', ')})`;
  });
  const casts = picked.map(({ column, name }) => `CAST(${name} AS ${cellType(column)}) AS ${name}`);
  const names = picked.map(({ name }) => name).join(', ');
  return `(SELECT ${casts.join(', ')} FROM (VALUES ${rows.join(', ')}) AS v(${names}))`;
}

/** Engine type of a made column. Durations travel as whole nanoseconds. */
export function cellType(column: RelationColumn): string {
  switch (column.type) {
    case 'tag':
    case 'string':
      return 'VARCHAR';
    case 'time':
    case 'time_ms':
    case 'time_s_utc':
      return 'TIMESTAMP_NS';
    case 'float':
      return 'DOUBLE';
    case 'integer':
    case 'duration':
      return 'BIGINT';
    case 'uinteger':
      return 'UBIGINT';
    case 'int32':
      return 'INTEGER';
    case 'uint8':
      return 'UTINYINT';
    case 'uint32':
      return 'UINTEGER';
    case 'boolean':
      return 'BOOLEAN';
    case 'date':
      return 'DATE';
    case 'list_string':
      return 'VARCHAR[]';
    case 'list_uint16':
      return 'USMALLINT[]';
    case 'list_uint64':
      return 'UBIGINT[]';
  }
}

function cellLiteral(cell: Cell, column: RelationColumn): string {
  if (cell === null) return 'NULL';
  if (typeof cell === 'string') return sqlString(cell);
  if (Array.isArray(cell)) {
    const items = cell as readonly (string | bigint)[];
    return `[${items.map((item) => (typeof item === 'string' ? sqlString(item) : String(item))).join(', ')}]`;
  }
  if (typeof cell === 'number') return `CAST(${sqlString(floatText(cell))} AS DOUBLE)`;
  if (typeof cell === 'boolean') return cell ? 'true' : 'false';
  return isTime(column) ? `make_timestamp_ns(${cell as bigint})` : String(cell);
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0.0' : String(value);
}

function isTime(column: RelationColumn): boolean {
  return column.type === 'time' || column.type === 'time_ms' || column.type === 'time_s_utc';
}
