import { sqlIdentifier } from '../../engine/index.ts';
import { bufferColumn } from '../buffer/index.ts';
import { bufferRowsSql, type TableScan } from './table-scan.ts';

/**
 * The rows of one chunk of a buffer, sorted by tags and time. Series are ranked once by their tags, rows are sorted by two
 * numbers, and the tags join them afterwards: half the work of sorting rows with all their tags. Undefined when that is
 * not possible (no tags, files, keys to merge) or does not pay, because there are as many series as rows.
 *
 * The engine streams the sorted rows through the last join, whose other side is the smaller one; that keeps their order
 * but is no promise of its. A file that is not sorted would be larger, never wrong.
 * @param seriesCount series of the table
 * @param rowCount rows of the chunk
 */
export function sortedBufferSql(scan: TableScan, seriesCount: number, rowCount: number): string | undefined {
  const { buffer, table } = scan;
  if (buffer === undefined || scan.files.length > 0 || buffer.dirtyChunks.size > 0) return undefined;
  if (table.seriesKey.length === 0 || seriesCount * ROWS_PER_SERIES_MIN > rowCount) return undefined;
  const values = scan.columns.filter(({ column }) => column.type !== 'tag').map(({ column }) => ({ column, as: valueName(column.id) }));
  const time = scan.columns.find(({ column }) => column.type === 'time')?.column;
  if (time === undefined) return undefined;
  const rows = bufferRowsSql({ ...scan, columns: values }, 'b.sid');
  const order = table.seriesKey.map((tag) => `${bufferColumn(tag.id)} ASC NULLS FIRST`).join(', ');
  const ranked = `SELECT *, (row_number() OVER (ORDER BY ${order}))::INTEGER AS series_rank FROM ${sqlIdentifier(buffer.seriesTable)}`;
  const names = values.map(({ as }) => `r.${as}`).join(', ');
  const sorted =
    `SELECT k.series_rank, ${names} FROM ${rows} AS r JOIN series AS k ON k.sid = r.ord ` +
    `ORDER BY k.series_rank, r.${valueName(time.id)} ASC NULLS FIRST`;
  const outputs = scan.columns.map(({ column, as }) => {
    const value = column.type === 'tag' ? `k.${bufferColumn(column.id)}` : `o.${valueName(column.id)}`;
    return `${value} AS ${sqlIdentifier(as)}`;
  });
  return (
    `(WITH series AS MATERIALIZED (${ranked}) ` +
    `SELECT ${outputs.join(', ')} FROM (${sorted}) AS o JOIN series AS k ON k.series_rank = o.series_rank)`
  );
}

/** With fewer rows a series, ranking the series takes longer than it spares. */
const ROWS_PER_SERIES_MIN = 2;

function valueName(columnId: number): string {
  return `v${columnId}`;
}
