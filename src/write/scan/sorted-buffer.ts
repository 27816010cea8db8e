import { sqlIdentifier } from '../../duckdb/index.ts';
import type { ColumnId } from '../../shared/ids.ts';
import { bufferColumn } from '../buffer/index.ts';
import { bufferRowsSql, type TableScan } from './table-scan.ts';

/**
 * The buffered rows between the scan's bounds, sorted by tags and time: rows are sorted by the rank of their series and their
 * time, and the tags join them afterwards, which is half the work of sorting rows with all their tags. There must be no
 * files in the scan and no keys to merge.
 *
 * DuckDB streams the sorted rows through the last join, whose other side is the smaller one; that keeps their order
 * inside a row group, but is no promise of its. A file that is not sorted would be larger, never wrong.
 * @param ranked engine table `(sid, series_rank, c<tag column id>...)` of the table's series
 */
export function sortedBufferSql(scan: TableScan, ranked: string): string {
  const values = scan.columns.filter(({ column }) => column.type !== 'tag').map(({ column }) => ({ column, as: valueName(column.id) }));
  const rows = bufferRowsSql({ ...scan, columns: values }, 'b.sid');
  const time = values.find(({ column }) => column.type === 'time');
  const names = values.map(({ as }) => `r.${as}`).join(', ');
  const sorted =
    `SELECT k.series_rank, ${names} FROM ${rows} AS r JOIN ${sqlIdentifier(ranked)} AS k ON k.sid = r.ord ` +
    `ORDER BY k.series_rank, r.${time?.as} ASC NULLS FIRST`;
  const outputs = scan.columns.map(({ column, as }) => {
    const value = column.type === 'tag' ? `k.${bufferColumn(column.id)}` : `o.${valueName(column.id)}`;
    return `${value} AS ${sqlIdentifier(as)}`;
  });
  return `(SELECT ${outputs.join(', ')} FROM (${sorted}) AS o JOIN ${sqlIdentifier(ranked)} AS k ON k.series_rank = o.series_rank)`;
}

function valueName(columnId: ColumnId): string {
  return `v${columnId}`;
}
