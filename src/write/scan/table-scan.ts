import { sqlIdentifier, sqlString } from '../../engine/index.ts';
import { type BufferView, bufferColumn, engineType, type Generation } from '../buffer/index.ts';
import type { ColumnSchema, TableSchema } from '../catalog/schema.ts';

/** A Parquet file that a scan reads. */
export interface ScanFile {
  /** Path that the engine can open. */
  readonly path: string;
  /** Gen1 chunk start, ns. */
  readonly chunkTimeNs: bigint;
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
  /** May repeat a key of an older file of its chunk. */
  readonly mayOverlap: boolean;
}

/** One output column of a scan: a catalog column under the name that the outer query uses. */
export interface ScanColumn {
  readonly column: ColumnSchema;
  readonly as: string;
}

export interface TableScan {
  readonly table: TableSchema;
  readonly columns: readonly ScanColumn[];
  /** Oldest first: the order decides which value is newest. */
  readonly files: readonly ScanFile[];
  /** Undefined = nothing buffered. */
  readonly buffer: Pick<BufferView, 'generations' | 'seriesTable' | 'dirtyChunks'> | undefined;
  readonly chunkDurationNs: bigint;
  /** Rows outside are not needed (inclusive); a hint, except for `cutoffNs`. */
  readonly minTimeNs: bigint | undefined;
  readonly maxTimeNs: bigint | undefined;
  /** Rows before this time are hidden (retention). */
  readonly cutoffNs: bigint | undefined;
}

interface TimeRange {
  /** Inclusive. */
  readonly from: bigint;
  /** Exclusive. */
  readonly to: bigint;
}

/**
 * A parenthesised query that delivers the rows of one table, each key once: the newest non-null value of every field
 * (storage spec 9). Chunks that cannot hold a key twice are read as they are; only the others pay for merging.
 */
export function tableScanSql(scan: TableScan): string {
  const files = scan.files.filter((file) => overlaps(scan, file.minTimeNs, file.maxTimeNs));
  const generations = (scan.buffer?.generations ?? []).filter((generation) =>
    [...generation.chunks.values()].some((chunk) => overlaps(scan, chunk.minTimeNs, chunk.maxTimeNs)),
  );
  const dirty = dirtyRanges(scan, files, generations);
  const inDirty = (time: bigint): boolean => dirty.some((range) => time >= range.from && time < range.to);
  const cleanFiles = files.filter((file) => !inDirty(file.chunkTimeNs));
  const dirtyFiles = files.filter((file) => inDirty(file.chunkTimeNs));
  const parts: string[] = [];
  if (cleanFiles.length > 0) parts.push(filesSql(scan, scan.columns, cleanFiles, undefined, cutoff(scan)));
  for (const generation of generations) {
    const where = [...cutoff(scan), ...(dirty.length > 0 ? [`NOT (${rangesSql(dirty)})`] : [])];
    parts.push(generationSql(scan, scan.columns, generation, undefined, where));
  }
  if (dirty.length > 0) parts.push(mergedSql(scan, dirtyFiles, generations, dirty));
  if (parts.length === 0)
    return `(SELECT ${scan.columns.map((c) => `${nullOf(c.column)} AS ${sqlIdentifier(c.as)}`).join(', ') || '1'} WHERE false)`;
  return `(${parts.join(' UNION ALL ')})`;
}

function overlaps(scan: TableScan, minTimeNs: bigint, maxTimeNs: bigint): boolean {
  if (scan.minTimeNs !== undefined && maxTimeNs < scan.minTimeNs) return false;
  if (scan.maxTimeNs !== undefined && minTimeNs > scan.maxTimeNs) return false;
  return scan.cutoffNs === undefined || maxTimeNs >= scan.cutoffNs;
}

/** Time ranges whose chunks need merging, neighbours joined. */
function dirtyRanges(scan: TableScan, files: readonly ScanFile[], generations: readonly Generation[]): TimeRange[] {
  const fileCount = new Map<bigint, number>();
  const starts = new Set<bigint>();
  for (const file of files) fileCount.set(file.chunkTimeNs, (fileCount.get(file.chunkTimeNs) ?? 0) + 1);
  for (const file of files) if (file.mayOverlap && (fileCount.get(file.chunkTimeNs) as number) > 1) starts.add(file.chunkTimeNs);
  for (const chunk of scan.buffer?.dirtyChunks ?? []) {
    if (generations.some((generation) => generation.chunks.has(chunk))) starts.add(chunk);
  }
  const sorted = [...starts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const ranges: { from: bigint; to: bigint }[] = [];
  for (const start of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to === start) last.to = start + scan.chunkDurationNs;
    else ranges.push({ from: start, to: start + scan.chunkDurationNs });
  }
  return ranges.length > RANGES_MAX ? [{ from: (ranges[0] as TimeRange).from, to: (ranges.at(-1) as TimeRange).to }] : ranges;
}

/** Above this many separate ranges one wide range is cheaper to test. */
const RANGES_MAX = 64;

/** Rows per source that the order of rows inside it may number. */
const ROWS_PER_SOURCE = 1n << 40n;

function mergedSql(scan: TableScan, files: readonly ScanFile[], generations: readonly Generation[], ranges: readonly TimeRange[]): string {
  const keys = [...scan.table.seriesKey, ...scan.table.columns.filter((column) => column.type === 'time')];
  const fields = scan.columns.filter(({ column }) => column.type !== 'tag' && column.type !== 'time').map(({ column }) => column);
  const inner: ScanColumn[] = [...keys, ...fields].map((column) => ({ column, as: mergeName(column) }));
  const where = [...cutoff(scan), `(${rangesSql(ranges)})`];
  const sources: string[] = [];
  if (files.length > 0) sources.push(filesSql(scan, inner, files, `file_index::BIGINT * ${ROWS_PER_SOURCE}`, cutoff(scan)));
  generations.forEach((generation, i) => {
    sources.push(generationSql(scan, inner, generation, `${BigInt(files.length + i) * ROWS_PER_SOURCE} + b.rowid`, where));
  });
  const outputs = scan.columns.map(({ column, as }) => {
    const name = mergeName(column);
    const value = column.type === 'tag' || column.type === 'time' ? name : `arg_max(${name}, ord) FILTER (WHERE ${name} IS NOT NULL)`;
    return `${value} AS ${sqlIdentifier(as)}`;
  });
  return `SELECT ${outputs.join(', ') || '1'} FROM (${sources.join(' UNION ALL ')}) GROUP BY ${keys.map(mergeName).join(', ')}`;
}

function filesSql(
  scan: TableScan,
  columns: readonly ScanColumn[],
  files: readonly ScanFile[],
  order: string | undefined,
  where: readonly string[],
): string {
  const time = timeColumn(scan.table);
  const read = new Map([...columns.map(({ column }): [number, ColumnSchema] => [column.id, column]), [time.id, time]]);
  const schema = [...read.values()]
    .map((column) => `${column.id}: {name: '${bufferColumn(column.id)}', type: '${parquetSqlType(column)}', default_value: NULL}`)
    .join(', ');
  const paths = files.map((file) => sqlString(file.path)).join(', ');
  const outputs = columns.map(({ column, as }) => `${bufferColumn(column.id)} AS ${sqlIdentifier(as)}`);
  if (order !== undefined) outputs.push(`${order} AS ord`);
  const conditions = where.map((condition) => condition.replaceAll(TIME, bufferColumn(time.id)));
  return `SELECT ${outputs.join(', ') || '1'} FROM read_parquet([${paths}], schema=MAP {${schema}})${whereSql(conditions)}`;
}

function generationSql(
  scan: TableScan,
  columns: readonly ScanColumn[],
  generation: Generation,
  order: string | undefined,
  where: readonly string[],
): string {
  const held = new Set(generation.fields.map((field) => field.id));
  let tags = false;
  const outputs = columns.map(({ column, as }) => {
    let value: string;
    if (column.type === 'time') value = 'b.time';
    else if (column.type === 'tag') {
      tags = true;
      value = `s.${bufferColumn(column.id)}`;
    } else value = held.has(column.id) ? `b.${bufferColumn(column.id)}` : nullOf(column);
    return `${value} AS ${sqlIdentifier(as)}`;
  });
  if (order !== undefined) outputs.push(`${order} AS ord`);
  const join = tags ? ` JOIN ${sqlIdentifier(scan.buffer?.seriesTable ?? '')} AS s ON s.sid = b.sid` : '';
  const conditions = where.map((condition) => condition.replaceAll(TIME, 'b.time'));
  return `SELECT ${outputs.join(', ') || '1'} FROM ${sqlIdentifier(generation.engineTable)} AS b${join}${whereSql(conditions)}`;
}

/** Stands for the time column in conditions until a source gives it its own name. */
const TIME = '$time$';

function cutoff(scan: TableScan): string[] {
  return scan.cutoffNs === undefined ? [] : [`${TIME} >= make_timestamp_ns(${scan.cutoffNs})`];
}

function rangesSql(ranges: readonly TimeRange[]): string {
  return ranges.map((range) => `(${TIME} >= make_timestamp_ns(${range.from}) AND ${TIME} < make_timestamp_ns(${range.to}))`).join(' OR ');
}

function whereSql(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
}

function mergeName(column: ColumnSchema): string {
  return `m${column.id}`;
}

function timeColumn(table: TableSchema): ColumnSchema {
  const time = table.columnByName.get('time');
  if (time === undefined) throw new Error(`internal error: table ${table.id} has no time column`);
  return time;
}

function nullOf(column: ColumnSchema): string {
  return `CAST(NULL AS ${parquetSqlType(column)})`;
}

/** Engine type of a column inside Parquet files and query sources. */
export function parquetSqlType(column: ColumnSchema): string {
  if (column.type === 'time') return 'TIMESTAMP_NS';
  if (column.type === 'tag') return 'VARCHAR';
  return engineType(column.type).toUpperCase();
}
