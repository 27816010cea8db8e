import { sqlIdentifier, sqlString } from '../../engine/index.ts';
import type { RelationColumn } from '../sql/contract.ts';

/** A cell of a table that the server makes itself. Lists hold texts or whole numbers. */
export type Cell = string | bigint | number | boolean | null | readonly (string | bigint)[];

/** A table that the server makes itself, in the order of its columns. */
export interface RowSet {
  readonly columns: readonly RelationColumn[];
  readonly rows: readonly (readonly Cell[])[];
}

/**
 * A parenthesised query that delivers the rows.
 * @param wanted columns that the statement reads
 * @param physical names under which it reads them
 */
export function rowsSource(set: RowSet, wanted: ReadonlySet<string>, physical: ReadonlyMap<string, string>): string {
  const picked = set.columns.map((column, index) => ({ column, index })).filter(({ column }) => wanted.has(column.name));
  const names = picked.map(({ column }) => sqlIdentifier(physical.get(column.name) ?? column.name));
  if (picked.length === 0) return `(SELECT 1 FROM range(${set.rows.length}))`;
  if (set.rows.length === 0) {
    return `(SELECT ${picked.map(({ column }, i) => `CAST(NULL AS ${cellType(column)}) AS ${names[i]}`).join(', ')} WHERE false)`;
  }
  const types = picked.map(({ column }) => cellType(column));
  const rows = set.rows.map((row, r) => {
    const cells = picked.map(({ column, index }, i) => {
      const literal = cellLiteral(row[index] as Cell, column);
      return r === 0 ? `CAST(${literal} AS ${types[i]})` : literal;
    });
    return `(${cells.join(', ')})`;
  });
  const casts = names.map((name, i) => `CAST(${name} AS ${types[i]}) AS ${name}`);
  return `(SELECT ${casts.join(', ')} FROM (VALUES ${rows.join(', ')}) AS v(${names.join(', ')}))`;
}

/** Engine type of a made column. Durations travel as whole nanoseconds. */
function cellType(column: RelationColumn): string {
  switch (column.type) {
    case 'tag':
    case 'string':
      return 'VARCHAR';
    case 'time':
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
    case 'boolean':
      return 'BOOLEAN';
    case 'date':
      return 'DATE';
    case 'list_string':
      return 'VARCHAR[]';
    case 'list_uint64':
      return 'UBIGINT[]';
  }
}

function cellLiteral(cell: Cell, column: RelationColumn): string {
  if (cell === null) return 'NULL';
  if (typeof cell === 'string') return sqlString(cell);
  if (Array.isArray(cell))
    return `[${(cell as readonly (string | bigint)[]).map((item) => (typeof item === 'string' ? sqlString(item) : String(item))).join(', ')}]`;
  if (typeof cell === 'number') return Number.isFinite(cell) ? `CAST(${sqlString(String(cell))} AS DOUBLE)` : `CAST('nan' AS DOUBLE)`;
  if (typeof cell === 'boolean') return cell ? 'true' : 'false';
  return column.type === 'time' ? `make_timestamp_ns(${cell as bigint})` : String(cell);
}
