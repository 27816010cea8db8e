import type { ColumnSchema } from '../../catalog/schema.ts';
import { type Engine, sqlIdentifier, timeBefore, timeFrom } from '../../duckdb/index.ts';
import type { DatabaseId, TableId } from '../../shared/ids.ts';
import {
  type BufferView,
  bufferColumn,
  type ChunkRows,
  engineType,
  type FieldColumn,
  type Generation,
  type ReadableGeneration,
  type TableBuffer,
} from '../buffer/index.ts';
import { spared } from '../deletes/row-delete.ts';
import { fileColumnNames, type ParquetFileFacts, type ParquetWriter } from '../parquet/parquet-writer.ts';
import { sortedBufferSql, tableScanSql } from '../scan/index.ts';
import type { FilePlanOptions, PlannedFile } from './planned-files.ts';
import { RankedSeries } from './ranked-series.ts';
import { assertRows, countScanRows } from './row-accounts.ts';

/** A Parquet file that a snapshot made. */
export interface PersistedFile extends ParquetFileFacts {
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
  /** Below the node's directory. */
  readonly path: string;
  /** Start of its first chunk; the first of all begins before int64 does. */
  readonly chunkTimeNs: bigint;
  /** May repeat a key of an older file of its chunk. */
  readonly mayOverlap: boolean;
}

/** One table's share of a snapshot, written but not yet published. */
export interface PersistedTable {
  readonly table: TableBuffer;
  readonly generations: readonly Generation[];
  /** Rows of chunks that the snapshot leaves in the buffer. */
  readonly remainder: Generation | undefined;
  readonly files: readonly PersistedFile[];
}

export interface PersistOptions extends FilePlanOptions {
  readonly engine: Engine;
  readonly writer: ParquetWriter;
}

/**
 * Writes the sealed generations of one table: the planned files, and the rest into a new generation. All rows that were taken
 * over from the log are counted before and after; throws `RowsUnaccounted` when some are missing or doubled.
 */
export async function persistTable(
  table: TableBuffer,
  generations: readonly Generation[],
  planned: readonly PlannedFile[],
  options: PersistOptions,
): Promise<PersistedTable> {
  const columns = table.table.columns.slice(); // before the view: it holds all of their tags
  const view = await table.view();
  try {
    const sources = new Set<unknown>(generations);
    const sealed: BufferView = { ...view, generations: view.generations.filter((generation) => sources.has(generation.source)) };
    accountSealed(table, sealed, generations, planned, options);
    const rows = { table, columns, view: sealed };
    const files = await persistFiles(rows, planned, options);
    const remainder = await keepRemainder(rows, options);
    return { table, generations, remainder, files };
  } finally {
    view.release();
  }
}

/** What files are made of. */
interface Rows {
  readonly table: TableBuffer;
  readonly columns: readonly ColumnSchema[];
  /** With the sealed generations only. */
  readonly view: BufferView;
}

/** Every row of the sealed generations goes to one of the planned files or stays. */
function accountSealed(
  { table }: TableBuffer,
  view: BufferView,
  sealed: readonly Generation[],
  planned: readonly PlannedFile[],
  { endMarkerNs }: PersistOptions,
): void {
  const sealedRows = sealed.reduce((sum, generation) => sum + generation.rows, 0);
  let rows = planned.reduce((sum, file) => sum + file.rows, 0);
  for (const { chunks } of view.generations) for (const [start, chunk] of chunks) if (start >= endMarkerNs) rows += chunk.rows;
  assertRows(`table '${table.name}'`, sealedRows, rows);
}

async function persistFiles(rows: Rows, planned: readonly PlannedFile[], options: PersistOptions): Promise<PersistedFile[]> {
  const { table, view } = rows;
  const files: PersistedFile[] = [];
  const isRanked = (plan: PlannedFile): boolean =>
    plan.rows >= RANKED_ROWS_MIN && plan.rows >= table.series.count * ROWS_PER_SERIES_MIN && !hasRepeats(rows, plan);
  const tags = rows.columns.filter((column) => column.type === 'tag');
  const ranks = tags.length > 0 && planned.some(isRanked);
  const ranked = ranks ? await RankedSeries.create(options.engine, tags, view.seriesTable) : undefined;
  try {
    for (const plan of planned) {
      const file = await persistFile(rows, plan, isRanked(plan) ? ranked : undefined, options);
      if (file !== undefined) files.push(file);
    }
  } finally {
    await ranked?.drop();
  }
  return files;
}

/** With fewer rows a file, ranking the series takes longer than it spares. */
const RANKED_ROWS_MIN = 5000;

/** The same for rows a series. */
const ROWS_PER_SERIES_MIN = 2;

function hasRepeats({ view }: Rows, { chunks }: PlannedFile): boolean {
  return chunks.some((chunk) => view.dirtyChunks.has(chunk));
}

async function persistFile(
  rows: Rows,
  plan: PlannedFile,
  ranked: RankedSeries | undefined,
  options: PersistOptions,
): Promise<PersistedFile | undefined> {
  const { columns, table } = rows;
  const { databaseId, id: tableId } = table.table;
  const scan = fileScan(rows, plan, options);
  const expected = await expectedRows(rows, plan, options);
  const bounds = `${timeFrom('"time"', plan.fromNs)} AND ${timeBefore('"time"', plan.toNs)}`;
  const facts = await options.writer.write({
    table: table.table,
    columns,
    ...(ranked === undefined
      ? { source: tableScanSql(scan), where: bounds }
      : { source: sortedBufferSql(scan, ranked.engineTable), where: undefined, sorted: true }),
    fromNs: plan.fromNs,
    path: plan.path,
  });
  assertRows(`file ${plan.path} of table '${table.table.name}'`, expected, facts?.rowCount ?? 0);
  if (facts === undefined) return undefined;
  const mayOverlap = plan.chunks.some((chunk) => table.isDirty(chunk));
  return { ...facts, databaseId, tableId, path: plan.path, chunkTimeNs: plan.fromNs, mayOverlap };
}

/** Rows that the file must have: those that were taken over, less what deletes hide and repeats merge. */
async function expectedRows(rows: Rows, plan: PlannedFile, options: PersistOptions): Promise<number> {
  const merges = hasRepeats(rows, plan);
  const deletes = rows.view.generations.some((generation) => generation.deletes.length > 0);
  if (!merges && !deletes) return plan.rows;
  const { arrived, spared, keys } = await countScanRows(options.engine, fileScan(rows, plan, options));
  assertRows(`buffered rows for ${plan.path} of table '${rows.table.table.name}'`, plan.rows, arrived);
  return merges ? keys : spared;
}

function fileScan({ columns, table, view }: Rows, plan: PlannedFile, options: PersistOptions) {
  const names = fileColumnNames(columns);
  return {
    table: table.table,
    columns: columns.map((column) => ({ column, as: names.get(column.id) as string })),
    files: [],
    buffer: { ...view, dirtyChunks: new Set(plan.chunks.filter((chunk) => view.dirtyChunks.has(chunk))) },
    chunkDurationNs: options.chunkDurationNs,
    minTimeNs: plan.fromNs,
    maxTimeNs: plan.toNs - 1n,
    cutoffNs: undefined,
  };
}

/** Copies rows of later chunks, in arrival order, so that the sealed tables can go. */
async function keepRemainder({ table, view }: Rows, options: PersistOptions): Promise<Generation | undefined> {
  const chunks = new Map<bigint, ChunkRows>();
  const fields = new Map<number, FieldColumn>();
  let rows = 0;
  let bytes = 0;
  for (const generation of view.generations) {
    for (const field of generation.fields) fields.set(field.id, field);
    for (const [start, chunk] of generation.chunks) {
      if (start < options.endMarkerNs) continue;
      mergeChunk(chunks, start, chunk);
      rows += chunk.rows;
      bytes += Math.ceil((generation.bytes / generation.rows) * chunk.rows);
    }
  }
  if (rows === 0) return undefined;
  const remainder = table.newGeneration();
  const name = sqlIdentifier(remainder.engineTable);
  try {
    const list = [...fields.values()];
    const columns = list.map((field) => `, ${bufferColumn(field.id)} ${engineType(field.type)}`).join('');
    await options.engine.run(`CREATE TABLE ${name} (sid INTEGER, time TIMESTAMP_NS${columns})`);
    for (const generation of view.generations) {
      for (const sql of copySql(generation, name, view.seriesTable, options.endMarkerNs)) await options.engine.run(sql);
    }
    const kept = await accountRemainder(table, view, { name, rows, chunks }, options);
    if (kept.size > 0) {
      remainder.adopt(list, kept, bytes);
      return remainder;
    }
    await options.engine.run(`DROP TABLE ${name}`);
    return undefined;
  } catch (error) {
    await options.engine.run(`DROP TABLE IF EXISTS ${name}`).catch(() => undefined); // the first failure is the one to report
    throw error;
  }
}

/** Statements that copy the later rows of a generation. */
function copySql(generation: ReadableGeneration, into: string, seriesTable: string, fromNs: bigint): string[] {
  const tags = generation.deletes.some((deleted) => deleted.tags.length > 0);
  const join = tags ? ` JOIN ${sqlIdentifier(seriesTable)} AS s ON s.sid = b.sid` : '';
  const where = [timeFrom('b.time', fromNs)];
  for (const deleted of generation.deletes) where.push(spared(deleted, 'b.time', (id) => `s.${bufferColumn(id)}`));
  // The order of the copy decides which of two rows with the same key is newer; a join may lose it.
  const order = tags ? ' ORDER BY b.rowid' : '';
  return generation.parts.map((part) => {
    const held = ['sid', 'time', ...part.fields.map((field) => bufferColumn(field.id))];
    const conditions = [...where, ...(part.isOpen ? [`b.rowid < ${part.rows}`] : [])];
    const source = `${sqlIdentifier(part.engineTable)} AS b${join} WHERE ${conditions.join(' AND ')}`;
    return `INSERT INTO ${into} (${held.join(', ')}) SELECT ${held.map((column) => `b.${column}`).join(', ')} FROM ${source}${order}`;
  });
}

/** Rows by chunk in the copy. Without deletes it must have all rows of the chunks that stay. */
async function accountRemainder(
  table: TableBuffer,
  view: BufferView,
  copy: { readonly name: string; readonly rows: number; readonly chunks: ReadonlyMap<bigint, ChunkRows> },
  { chunkDurationNs, endMarkerNs, engine }: PersistOptions,
): Promise<ReadonlyMap<bigint, ChunkRows>> {
  const what = `rows of table '${table.table.name}' that stay in the buffer`;
  const count = async (from: string): Promise<number> => Number((await queryRows(engine, `SELECT count(*) FROM ${from}`))[0]?.[0]);
  const deletes = view.generations.some((generation) => generation.deletes.length > 0);
  if (!deletes) {
    assertRows(what, copy.rows, await count(copy.name));
    return copy.chunks;
  }
  const kept = view.generations
    .flatMap(({ parts }) => parts)
    .map(({ engineTable, rows }) => {
      const source = `${sqlIdentifier(engineTable)} WHERE rowid < ${rows} AND ${timeFrom('time', endMarkerNs)}`;
      return `(SELECT count(*) FROM ${source})`;
    });
  assertRows(what, copy.rows, Number((await queryRows(engine, `SELECT ${kept.join(' + ')}`))[0]?.[0]));
  const ns = 'epoch_ns(time)::HUGEINT';
  const start = `(${ns} - (${ns} % ${chunkDurationNs} + ${chunkDurationNs}) % ${chunkDurationNs})`;
  const chunks = new Map<bigint, ChunkRows>();
  const found = await queryRows(
    engine,
    `SELECT ${start}, count(*), epoch_ns(min(time)), epoch_ns(max(time)) FROM ${copy.name} GROUP BY ALL`,
  );
  for (const [chunk, rows, minTimeNs, maxTimeNs] of found as [bigint, bigint, bigint, bigint][]) {
    chunks.set(chunk, { rows: Number(rows), minTimeNs, maxTimeNs });
  }
  return chunks;
}

async function queryRows(engine: Engine, sql: string): Promise<unknown[][]> {
  const connection = await engine.acquire();
  try {
    return (await connection.runAndReadAll(sql)).getRows();
  } finally {
    engine.release(connection);
  }
}

function mergeChunk(chunks: Map<bigint, ChunkRows>, start: bigint, added: ChunkRows): void {
  const known = chunks.get(start);
  chunks.set(start, {
    rows: added.rows + (known?.rows ?? 0),
    minTimeNs: known !== undefined && known.minTimeNs < added.minTimeNs ? known.minTimeNs : added.minTimeNs,
    maxTimeNs: known !== undefined && known.maxTimeNs > added.maxTimeNs ? known.maxTimeNs : added.maxTimeNs,
  });
}
