import { join } from 'node:path';
import type { ColumnSchema } from '../../catalog/schema.ts';
import { type Engine, sqlIdentifier, timeBefore, timeFrom } from '../../duckdb/index.ts';
import {
  type BufferView,
  bufferColumn,
  type ChunkRows,
  engineType,
  type FieldColumn,
  type Generation,
  type TableBuffer,
} from '../buffer/index.ts';
import { spared } from '../deletes/row-delete.ts';
import { fileColumnNames, type ParquetFileFacts, type ParquetWriter } from '../parquet/parquet-writer.ts';
import { sortedBufferSql, type TableScan, tableScanSql } from '../scan/index.ts';
import type { FilePlanOptions, PlannedFile } from './planned-files.ts';
import { RankedSeries } from './ranked-series.ts';

/** A Parquet file that a snapshot made. */
export interface PersistedFile extends ParquetFileFacts {
  readonly databaseId: number;
  readonly tableId: number;
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
  /** The node's directory. */
  readonly root: string;
}

/** Writes the sealed generations of one table: the planned files, and the rest into a new generation. */
export async function persistTable(
  table: TableBuffer,
  generations: readonly Generation[],
  planned: readonly PlannedFile[],
  options: PersistOptions,
): Promise<PersistedTable> {
  const columns = table.table.columns.slice(); // before the view: it holds all of their tags
  const view = await table.view();
  try {
    const sealed: BufferView = { ...view, generations: view.generations.filter((generation) => generations.includes(generation)) };
    const files = await persistFiles({ table, columns, view: sealed }, planned, options);
    const remainder = await keepRemainder(table, generations, view.seriesTable, options);
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

async function persistFiles(rows: Rows, planned: readonly PlannedFile[], options: PersistOptions): Promise<PersistedFile[]> {
  const { table, view } = rows;
  const files: PersistedFile[] = [];
  const isRanked = (plan: PlannedFile): boolean =>
    plan.rows >= RANKED_ROWS_MIN && plan.rows >= table.series.count * ROWS_PER_SERIES_MIN && !hasRepeats(rows, plan);
  const ranks = table.table.seriesKey.length > 0 && planned.some(isRanked);
  const ranked = ranks ? await RankedSeries.create(options.engine, table.table, view.seriesTable) : undefined;
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
  const bounds = `${timeFrom('"time"', plan.fromNs)} AND ${timeBefore('"time"', plan.toNs)}`;
  const facts = await options.writer.write({
    table: table.table,
    columns,
    ...(ranked === undefined
      ? { source: tableScanSql(scan), where: bounds }
      : { source: sortedBufferSql(scan, ranked.engineTable), where: undefined, sorted: true }),
    fromNs: plan.fromNs,
    path: join(options.root, plan.path),
  });
  if (facts === undefined) return undefined;
  const mayOverlap = plan.chunks.some((chunk) => table.isDirty(chunk));
  return { ...facts, databaseId, tableId, path: plan.path, chunkTimeNs: plan.fromNs, mayOverlap };
}

function fileScan({ columns, table, view }: Rows, plan: PlannedFile, options: PersistOptions): TableScan {
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

/** Copies rows of later chunks, in arrival order, so that the sealed engine tables can go. */
async function keepRemainder(
  table: TableBuffer,
  generations: readonly Generation[],
  seriesTable: string,
  options: PersistOptions,
): Promise<Generation | undefined> {
  const chunks = new Map<bigint, ChunkRows>();
  const fields = new Map<number, FieldColumn>();
  let rows = 0;
  let bytes = 0;
  for (const generation of generations) {
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
  const list = [...fields.values()];
  const name = sqlIdentifier(remainder.engineTable);
  const columns = list.map((field) => `, ${bufferColumn(field.id)} ${engineType(field.type)}`).join('');
  await options.engine.run(`CREATE TABLE ${name} (sid INTEGER, time TIMESTAMP_NS${columns})`);
  for (const generation of generations) {
    const held = ['sid', 'time', ...generation.fields.map((field) => bufferColumn(field.id))];
    const tags = generation.deletes.some((deleted) => deleted.tags.length > 0);
    const join = tags ? ` JOIN ${sqlIdentifier(seriesTable)} AS s ON s.sid = b.sid` : '';
    const where = [timeFrom('b.time', options.endMarkerNs)];
    for (const deleted of generation.deletes) where.push(spared(deleted, 'b.time', (id) => `s.${bufferColumn(id)}`));
    const source = `${sqlIdentifier(generation.engineTable)} AS b${join} WHERE ${where.join(' AND ')}`;
    const columns = held.map((column) => `b.${column}`).join(', ');
    // The order of the copy decides which of two rows with the same key is newer; a join may lose it.
    await options.engine.run(`INSERT INTO ${name} (${held.join(', ')}) SELECT ${columns} FROM ${source}${tags ? ' ORDER BY b.rowid' : ''}`);
  }
  remainder.adopt(list, chunks, bytes);
  return remainder;
}

function mergeChunk(chunks: Map<bigint, ChunkRows>, start: bigint, added: ChunkRows): void {
  const known = chunks.get(start);
  if (known === undefined) {
    chunks.set(start, { ...added });
    return;
  }
  known.rows += added.rows;
  if (added.minTimeNs < known.minTimeNs) known.minTimeNs = added.minTimeNs;
  if (added.maxTimeNs > known.maxTimeNs) known.maxTimeNs = added.maxTimeNs;
}
