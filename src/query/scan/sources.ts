import type { TableSchema } from '../../catalog/schema.ts';
import type { BufferMoment, BufferView } from '../../write/buffer/index.ts';
import { type ScanColumn, type ScanFile, tableScanSql } from '../../write/scan/index.ts';
import type { SeriesIndex } from '../../write/series/index.ts';
import type { RelationUse } from '../sql/types/contract.ts';

/** The rows of one table at one moment: live files and buffered rows, taken in the same step. */
export interface TableSnapshot {
  readonly table: TableSchema;
  readonly files: readonly ScanFile[];
  readonly buffer: BufferView | undefined;
  /** Retention: rows before are hidden. */
  readonly cutoffNs: bigint | undefined;
  release(): void;
}

/** A live file as the index knows it. */
export interface StoredFile extends ScanFile {
  /** Never used again for another file. */
  readonly id: number;
}

/** The rows of one table at one moment, without a promise that they stay readable: what is kept beyond the turn are names only. */
export interface TablePeek extends BufferMoment {
  readonly files: readonly StoredFile[];
  /** Undefined = nothing buffered. */
  readonly series: SeriesIndex | undefined;
  /** Retention: rows before are hidden. */
  readonly cutoffNs: bigint | undefined;
}

/** Read access to stored rows; implemented by the write side. */
export interface TableReader {
  readonly chunkDurationNs: bigint;
  /** A table of a live or soft-deleted database; undefined when the catalog has no such table. */
  table(database: string, name: string): TableSchema | undefined;
  /** Files outside the bounds (inclusive ns) may be left out. */
  snapshot(table: TableSchema, minTimeNs: bigint | undefined, maxTimeNs: bigint | undefined): Promise<TableSnapshot>;
  /** The same without making anything readable: for rows that are in memory already. */
  peek(table: TableSchema, minTimeNs: bigint | undefined, maxTimeNs: bigint | undefined): TablePeek;
}

/**
 * The sub-query that stands for one use of a user table.
 * @param physical names under which the statement refers to the columns
 */
export function tableSource(
  use: RelationUse,
  snapshot: TableSnapshot,
  chunkDurationNs: bigint,
  physical: ReadonlyMap<string, string>,
): string {
  const columns: ScanColumn[] = [];
  for (const name of use.columns) {
    const column = snapshot.table.columnByName.get(name);
    if (column !== undefined) columns.push({ column, as: physical.get(name) ?? name });
  }
  return tableScanSql({
    table: snapshot.table,
    columns,
    files: snapshot.files,
    buffer: snapshot.buffer,
    chunkDurationNs,
    minTimeNs: use.minTimeNs,
    maxTimeNs: use.maxTimeNs,
    tagValues: tagValues(use, snapshot.table),
    cutoffNs: snapshot.cutoffNs,
  });
}

function tagValues(use: RelationUse, table: TableSchema): ReadonlyMap<number, readonly string[]> | undefined {
  if (use.tagValues === undefined || use.tagValues.size === 0) return undefined;
  const byId = new Map<number, readonly string[]>();
  for (const [name, values] of use.tagValues) {
    const column = table.columnByName.get(name);
    if (column?.type === 'tag') byId.set(column.id, values);
  }
  return byId;
}
