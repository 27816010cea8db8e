import { join } from 'node:path';
import { type Engine, sqlIdentifier } from '../../engine/index.ts';
import {
  type BufferView,
  bufferColumn,
  type ChunkRows,
  engineType,
  type FieldColumn,
  type Generation,
  type TableBuffer,
} from '../buffer/index.ts';
import type { ColumnSchema } from '../catalog/schema.ts';
import { spared } from '../deletes/row-delete.ts';
import { parquetFilePath } from '../parquet/file-path.ts';
import { fileColumnName, type ParquetFileFacts, type ParquetWriter } from '../parquet/parquet-writer.ts';
import { sortedBufferSql, type TableScan, tableScanSql } from '../scan/index.ts';

/** A Parquet file that a snapshot made. */
export interface PersistedFile extends ParquetFileFacts {
  readonly databaseId: number;
  readonly tableId: number;
  /** Below the node's directory. */
  readonly path: string;
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

export interface PersistOptions {
  readonly engine: Engine;
  readonly writer: ParquetWriter;
  /** The node's directory. */
  readonly root: string;
  readonly chunkDurationNs: bigint;
  /** Chunks that start before this are written. */
  readonly endMarkerNs: bigint;
  /** Number in the names of the files. */
  readonly walFileNumber: number;
}

/** Gen1 chunks of a table that a snapshot with this end marker writes, ascending. */
export function chunksToPersist(generations: readonly Generation[], endMarkerNs: bigint): bigint[] {
  const chunks = new Set<bigint>();
  for (const generation of generations) for (const start of generation.chunks.keys()) if (start < endMarkerNs) chunks.add(start);
  return [...chunks].sort((a, b) => (a < b ? -1 : 1));
}

/** Paths, below the node's directory, of the files that `persistTable` may write. */
export function plannedPaths(table: TableBuffer, generations: readonly Generation[], options: PersistOptions): string[] {
  const { databaseId, id } = table.table;
  return chunksToPersist(generations, options.endMarkerNs).map((chunk) => parquetFilePath(databaseId, id, chunk, options.walFileNumber));
}

/** Writes the sealed generations of one table: a file per chunk before the end marker, the rest into a new generation. */
export async function persistTable(
  table: TableBuffer,
  generations: readonly Generation[],
  options: PersistOptions,
): Promise<PersistedTable> {
  const columns = table.table.columns.slice(); // before the view: it holds all of their tags
  const view = await table.view();
  try {
    const sealed: BufferView = { ...view, generations: view.generations.filter((generation) => generations.includes(generation)) };
    const files: PersistedFile[] = [];
    for (const chunk of chunksToPersist(generations, options.endMarkerNs)) {
      const file = await persistChunk({ table, columns, view: sealed, chunk }, options);
      if (file !== undefined) files.push(file);
    }
    const remainder = await keepRemainder(table, generations, view.seriesTable, options);
    return { table, generations, remainder, files };
  } finally {
    view.release();
  }
}

/** One chunk that is about to become a file. */
interface ChunkJob {
  readonly table: TableBuffer;
  readonly columns: readonly ColumnSchema[];
  /** With the sealed generations only. */
  readonly view: BufferView;
  readonly chunk: bigint;
}

async function persistChunk(job: ChunkJob, options: PersistOptions): Promise<PersistedFile | undefined> {
  const { chunk, columns, table } = job;
  const end = chunk + options.chunkDurationNs;
  const { databaseId, id: tableId } = table.table;
  const path = parquetFilePath(databaseId, tableId, chunk, options.walFileNumber);
  const scan = chunkScan(job, options);
  const sorted = sortedBufferSql(scan, table.series.count, chunkRows(job));
  const facts = await options.writer.write({
    table: table.table,
    columns,
    source: sorted ?? tableScanSql(scan),
    where: sorted === undefined ? `"time" >= make_timestamp_ns(${chunk}) AND "time" < make_timestamp_ns(${end})` : undefined,
    sorted: sorted !== undefined,
    path: join(options.root, path),
  });
  return facts === undefined ? undefined : { ...facts, databaseId, tableId, path, chunkTimeNs: chunk, mayOverlap: table.isDirty(chunk) };
}

function chunkRows({ chunk, view }: ChunkJob): number {
  return view.generations.reduce((sum, generation) => sum + (generation.chunks.get(chunk)?.rows ?? 0), 0);
}

function chunkScan({ chunk, columns, table, view }: ChunkJob, options: PersistOptions): TableScan {
  return {
    table: table.table,
    columns: columns.map((column) => ({ column, as: fileColumnName(columns, column) })),
    files: [],
    buffer: { ...view, dirtyChunks: view.dirtyChunks.has(chunk) ? new Set([chunk]) : new Set() },
    chunkDurationNs: options.chunkDurationNs,
    minTimeNs: chunk,
    maxTimeNs: chunk + options.chunkDurationNs - 1n,
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
    const where = [`b.time >= make_timestamp_ns(${options.endMarkerNs})`];
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
