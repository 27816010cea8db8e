import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts';
import { sqlIdentifier, sqlString, timeBefore, timeFrom, timeUntil } from '../../duckdb/index.ts';
import { type BufferView, bufferColumn, engineType, type ReadableGeneration, type TablePart } from '../buffer/index.ts';
import { type RowDelete, spared } from '../deletes/row-delete.ts';
import { chunksOf, rangesToMerge, type TimeRange } from './merge-ranges.ts';
import { chooseSeries, type SeriesChoice } from './series-choice.ts';

/** A Parquet file that a scan reads. */
export interface ScanFile {
  /** Path that DuckDB can open. */
  readonly path: string;
  /** Start of its first gen1 chunk, ns. */
  readonly chunkTimeNs: bigint;
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
  readonly rowCount: number;
  /** May repeat a key of an older file that reaches into the same chunk. */
  readonly mayOverlap: boolean;
  /** Deletes that came after its rows. */
  readonly deletes?: readonly RowDelete[] | undefined;
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
  readonly buffer: Omit<BufferView, 'release'> | undefined;
  /** Values that a tag may have in the rows that are needed, by column id; a hint, for buffered rows. */
  readonly tagValues?: ReadonlyMap<number, readonly string[]> | undefined;
  readonly chunkDurationNs: bigint;
  /** Rows outside are not needed (inclusive); a hint, except for `cutoffNs`. */
  readonly minTimeNs: bigint | undefined;
  readonly maxTimeNs: bigint | undefined;
  /** Rows before this time are hidden (retention). */
  readonly cutoffNs: bigint | undefined;
}

/**
 * A parenthesised query that delivers the rows of one table, each key once: the newest non-null value of every field.
 * Chunks that cannot hold a key twice are read as they are; only the others pay for merging.
 */
export function tableScanSql(scan: TableScan): string {
  const files = scan.files.filter((file) => overlaps(scan, file.minTimeNs, file.maxTimeNs));
  const generations = reached(scan);
  const dirty = rangesToMerge(files, generations, scan.buffer?.dirtyChunks ?? new Set(), scan.chunkDurationNs);
  const clean = files.filter((file) => !reaches(scan, file, dirty));
  const dirtyFiles = files.filter((file) => reaches(scan, file, dirty));
  const parts: string[] = [];
  parts.push(...filesSql(scan, scan.columns, clean, undefined, cutoff(scan)));
  // A file may reach beyond the chunks that need merging: the rest of it is read as it is.
  const outside = [...cutoff(scan), ...(dirty.length > 0 ? [`NOT (${rangesSql(dirty)})`] : [])];
  const partly = dirtyFiles.filter((file) => !isInside(scan, file, dirty));
  parts.push(...filesSql(scan, scan.columns, partly, undefined, outside));
  const series =
    generations.length === 0 || scan.buffer === undefined ? undefined : chooseSeries(scan.tagValues ?? new Map(), scan.buffer.seriesWith);
  const source: BufferSource = { scan, series };
  for (const generation of generations) parts.push(...generationSql(source, scan.columns, generation, undefined, outside));
  if (dirty.length > 0) parts.push(mergedSql(source, dirtyFiles, generations, dirty));
  if (parts.length === 0)
    return `(SELECT ${scan.columns.map((c) => `${nullOf(c.column)} AS ${sqlIdentifier(c.as)}`).join(', ') || '1'} WHERE false)`;
  return `(${parts.join(' UNION ALL ')})`;
}

/**
 * A parenthesised query that delivers the buffered rows between the scan's bounds as they are, with duplicates of a key.
 * There must be some.
 * @param order SQL on rows `b` that is delivered as `ord`
 */
export function bufferRowsSql(scan: TableScan, order: string): string {
  const where = cutoff(scan);
  if (scan.minTimeNs !== undefined) where.push(timeFrom(TIME, scan.minTimeNs));
  if (scan.maxTimeNs !== undefined) where.push(timeUntil(TIME, scan.maxTimeNs));
  const sources = reached(scan).flatMap((generation) =>
    generationSql({ scan, series: undefined }, scan.columns, generation, () => order, where),
  );
  return `(${sources.join(' UNION ALL ')})`;
}

/** Generations that hold rows between the scan's bounds. */
function reached(scan: TableScan): ReadableGeneration[] {
  return (scan.buffer?.generations ?? []).filter((generation) =>
    [...generation.chunks.values()].some((chunk) => overlaps(scan, chunk.minTimeNs, chunk.maxTimeNs)),
  );
}

function overlaps(scan: TableScan, minTimeNs: bigint, maxTimeNs: bigint): boolean {
  if (scan.minTimeNs !== undefined && maxTimeNs < scan.minTimeNs) return false;
  if (scan.maxTimeNs !== undefined && minTimeNs > scan.maxTimeNs) return false;
  return scan.cutoffNs === undefined || maxTimeNs >= scan.cutoffNs;
}

function reaches(scan: TableScan, file: ScanFile, ranges: readonly TimeRange[]): boolean {
  const chunks = chunksOf(file, scan.chunkDurationNs);
  return ranges.some((range) => chunks.from < range.to && chunks.to > range.from);
}

function isInside(scan: TableScan, file: ScanFile, ranges: readonly TimeRange[]): boolean {
  const chunks = chunksOf(file, scan.chunkDurationNs);
  return ranges.some((range) => chunks.from >= range.from && chunks.to <= range.to);
}

/** Rows per source that the order of rows inside it may number. */
const ROWS_PER_SOURCE = 1n << 40n;

/** What buffered rows are read of. */
interface BufferSource {
  readonly scan: TableScan;
  /** Undefined = all series. */
  readonly series: SeriesChoice | undefined;
}

/**
 * One row a key, with the newest value of each field: arg_max passes over nulls by itself. A FILTER that said so would make DuckDB
 * allocate a chunk of all columns for each of them, which takes minutes and gigabytes for a few hundred fields.
 */
function mergedSql(
  buffered: BufferSource,
  files: readonly ScanFile[],
  generations: readonly ReadableGeneration[],
  ranges: readonly TimeRange[],
): string {
  const { scan } = buffered;
  const keys = [...scan.table.seriesKey, ...scan.table.columns.filter((column) => column.type === 'time')];
  const fields = scan.columns.filter(({ column }) => column.type !== 'tag' && column.type !== 'time').map(({ column }) => column);
  const inner: ScanColumn[] = [...keys, ...fields].map((column) => ({ column, as: mergeName(column) }));
  const where = [...cutoff(scan), `(${rangesSql(ranges)})`];
  const sources: string[] = [];
  const order = (first: number): string => `(file_index + ${first})::BIGINT * ${ROWS_PER_SOURCE}`;
  sources.push(...filesSql(scan, inner, files, order, where));
  generations.forEach((generation, i) => {
    const first = BigInt(files.length + i) * ROWS_PER_SOURCE;
    sources.push(...generationSql(buffered, inner, generation, (row) => `${first + BigInt(row)} + b.rowid`, where));
  });
  const outputs = scan.columns.map(({ column, as }) => {
    const name = mergeName(column);
    const value = column.type === 'tag' || column.type === 'time' ? name : `arg_max(${name}, ord)`;
    return `${value} AS ${sqlIdentifier(as)}`;
  });
  return `SELECT ${outputs.join(', ') || '1'} FROM (${sources.join(' UNION ALL ')}) GROUP BY ${keys.map(mergeName).join(', ')}`;
}

/**
 * Queries over files, in their order; neighbours without deletes of their own share one.
 * @param order SQL of the order number, given the number of the query's first file
 */
function filesSql(
  scan: TableScan,
  columns: readonly ScanColumn[],
  files: readonly ScanFile[],
  order: ((first: number) => string) | undefined,
  where: readonly string[],
): string[] {
  const queries: string[] = [];
  for (let first = 0; first < files.length; ) {
    const deletes = files[first]?.deletes;
    let end = first + 1;
    while (end < files.length && sameDeletes(deletes, files[end]?.deletes)) end++;
    queries.push(fileRunSql(scan, columns, files.slice(first, end), order?.(first), where));
    first = end;
  }
  return queries;
}

function sameDeletes(a: readonly RowDelete[] | undefined, b: readonly RowDelete[] | undefined): boolean {
  if ((a?.length ?? 0) !== (b?.length ?? 0)) return false;
  return (a ?? []).every((deleted, i) => deleted === b?.[i]);
}

function fileRunSql(
  scan: TableScan,
  columns: readonly ScanColumn[],
  files: readonly ScanFile[],
  order: string | undefined,
  where: readonly string[],
): string {
  const time = timeColumn(scan.table);
  const deletes = files[0]?.deletes ?? [];
  const read = new Map([...columns.map(({ column }): [number, ColumnSchema] => [column.id, column]), [time.id, time]]);
  for (const tag of deletes.flatMap((deleted) => deleted.tags)) {
    const column = scan.table.columns[tag.columnId];
    if (column !== undefined) read.set(column.id, column);
  }
  const outputs = columns.map(({ column, as }) => `${bufferColumn(column.id)} AS ${sqlIdentifier(as)}`);
  if (order !== undefined) outputs.push(`${order} AS ord`);
  const conditions = where.map((condition) => condition.replaceAll(TIME, bufferColumn(time.id)));
  for (const deleted of deletes) conditions.push(spared(deleted, bufferColumn(time.id), bufferColumn));
  return `SELECT ${outputs.join(', ') || '1'} FROM ${readParquet(read.values(), files)}${whereSql(conditions)}`;
}

/** Columns are found by field id; what a file lacks is null. */
function readParquet(columns: Iterable<ColumnSchema>, files: readonly ScanFile[]): string {
  const schema = Array.from(
    columns,
    (column) => `${column.id}: {name: '${bufferColumn(column.id)}', type: '${parquetSqlType(column)}', default_value: NULL}`,
  );
  const paths = files.map((file) => sqlString(file.path));
  return `read_parquet([${paths.join(', ')}], schema=MAP {${schema.join(', ')}})`;
}

/** A query for columns of files as they are stored, under their names of buffer tables, file after file in the order of their rows. */
export function fileColumnsSql(
  table: TableSchema,
  columns: readonly ColumnSchema[],
  files: readonly ScanFile[],
  also: readonly string[] = [],
): string {
  // The reader wants a column of the file even where only numbers of rows are asked for.
  const read = new Map([...columns, timeColumn(table)].map((column): [number, ColumnSchema] => [column.id, column]));
  const outputs = [...also, ...columns.map((column) => bufferColumn(column.id))];
  return `SELECT ${outputs.join(', ')} FROM ${readParquet(read.values(), files)}`;
}

/**
 * A query for each table that holds rows of the generation.
 * @param order SQL of the order number, given the number of the table's first row
 */
function generationSql(
  { scan, series }: BufferSource,
  columns: readonly ScanColumn[],
  generation: ReadableGeneration,
  order: ((firstRow: number) => string) | undefined,
  where: readonly string[],
): string[] {
  const conditions = where.map((condition) => condition.replaceAll(TIME, 'b.time'));
  if (series !== undefined) conditions.push(series.ids.length === 0 ? 'false' : `b.sid IN (${series.ids.join(', ')})`);
  for (const deleted of generation.deletes) conditions.push(spared(deleted, 'b.time', (id) => `s.${bufferColumn(id)}`));
  return generation.parts.map((part) => {
    const { outputs, tags } = partOutputs(scan, series, columns, part);
    if (order !== undefined) outputs.push(`${order(part.firstRow)} AS ord`);
    const joins = tags || generation.deletes.some((deleted) => deleted.tags.length > 0);
    const join = joins ? ` JOIN ${sqlIdentifier(scan.buffer?.seriesTable ?? '')} AS s ON s.sid = b.sid` : '';
    const limits = part.isOpen ? [`b.rowid < ${part.rows}`] : [];
    return `SELECT ${outputs.join(', ') || '1'} FROM ${sqlIdentifier(part.engineTable)} AS b${join}${whereSql([...limits, ...conditions])}`;
  });
}

/** SQL of the columns; `tags` = some come from the table of tag values. */
function partOutputs(
  scan: TableScan,
  series: SeriesChoice | undefined,
  columns: readonly ScanColumn[],
  part: TablePart,
): { readonly outputs: string[]; readonly tags: boolean } {
  const held = new Set(part.fields.map((field) => field.id));
  let tags = false;
  const outputs = columns.map(({ column, as }) => {
    let value: string;
    if (column.type === 'time') value = 'b.time';
    else if (column.type === 'tag') {
      const chosen = series?.values.get(column.id);
      const isHeld = scan.buffer?.seriesColumns.has(column.id) === true;
      tags ||= chosen === undefined && isHeld;
      value = chosen ?? (isHeld ? `s.${bufferColumn(column.id)}` : nullOf(column));
    } else value = held.has(column.id) ? `b.${bufferColumn(column.id)}` : nullOf(column);
    return `${value} AS ${sqlIdentifier(as)}`;
  });
  return { outputs, tags };
}

/** Stands for the time column in conditions until a source gives it its own name. */
const TIME = '$time$';

function cutoff(scan: TableScan): string[] {
  return scan.cutoffNs === undefined ? [] : [timeFrom(TIME, scan.cutoffNs)];
}

function rangesSql(ranges: readonly TimeRange[]): string {
  return ranges.map((range) => `(${timeFrom(TIME, range.from)} AND ${timeBefore(TIME, range.to)})`).join(' OR ');
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
function parquetSqlType(column: ColumnSchema): string {
  if (column.type === 'time') return 'TIMESTAMP_NS';
  if (column.type === 'tag') return 'VARCHAR';
  return engineType(column.type).toUpperCase();
}
