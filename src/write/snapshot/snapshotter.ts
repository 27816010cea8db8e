import type { Engine } from '../../duckdb/index.ts';
import { errorText, type Log } from '../../storage/index.ts';
import type { Generation, TableBuffer, WriteBuffer } from '../buffer/index.ts';
import type { ParquetWriter } from '../parquet/parquet-writer.ts';
import { type PersistedFile, type PersistedTable, type PersistOptions, persistTable } from './persist-table.ts';
import { plannedFiles } from './planned-files.ts';
import { RowsUnaccounted } from './row-accounts.ts';

/** What a snapshot is to persist. */
export interface SnapshotOrder {
  /** Chunks that start before this are persisted. */
  readonly endMarkerNs: bigint;
  /** Last WAL file whose rows are all persisted by this snapshot. */
  readonly lastCoveredWalFile: number;
}

export interface SnapshotterDependencies {
  readonly engine: Engine;
  readonly writer: ParquetWriter;
  readonly buffer: WriteBuffer;
  /** The node's directory. */
  readonly root: string;
  readonly chunkDurationNs: bigint;
  readonly log: Log;
  /** Notes the paths that are about to be written, so that a start after a crash can remove what no info lists. */
  readonly announce: (paths: readonly string[]) => Promise<void>;
  /**
   * Makes the snapshot durable (from then on the covered WAL files are not needed), then visible. `swap` runs in the
   * same step in which readers see the files.
   */
  readonly commit: (files: readonly PersistedFile[], swap: () => void) => Promise<void>;
  /** Number of live files that reach into a chunk. */
  readonly fileCount: (databaseId: number, tableId: number, chunkTimeNs: bigint) => number;
  /** Waits before a failed step is tried again; rejects when the server stops. */
  readonly pause: () => Promise<void>;
}

/** One table's share of the buffer when the snapshot began. */
export interface SealedTable {
  readonly table: TableBuffer;
  readonly generations: readonly Generation[];
}

/** Ends the open generations of all tables. Call it in the same step in which the last row of the period was applied. */
export function sealBuffer(buffer: WriteBuffer): SealedTable[] {
  return [...buffer.tables()].filter((table) => table.rows > 0).map((table) => ({ table, generations: table.seal() }));
}

/**
 * Persists sealed rows: Parquet files, then the snapshot info, then the one step in which readers change from buffered
 * rows to files. A step that fails is retried; the rows stay in the buffer and in the WAL until it works.
 */
export async function runSnapshot(order: SnapshotOrder, sealed: readonly SealedTable[], deps: SnapshotterDependencies): Promise<void> {
  const { chunkDurationNs, engine, log, root, writer } = deps;
  const options: PersistOptions = {
    engine,
    writer,
    root,
    chunkDurationNs,
    endMarkerNs: order.endMarkerNs,
    walFileNumber: order.lastCoveredWalFile,
  };
  const started = performance.now();
  const due = sealed
    .map(({ table, generations }) => {
      const planned = plannedFiles(table.table, generations, table.peek().dirtyChunks, options);
      return { table, generations, planned };
    })
    .filter(({ planned }) => planned.length > 0);
  const paths = due.flatMap(({ planned }) => planned.map(({ path }) => path));
  await retried(deps, 'announcing a snapshot failed', () => deps.announce(paths));
  const persisted: PersistedTable[] = [];
  try {
    for (const { table, generations, planned } of due) {
      persisted.push(await retried(deps, 'writing Parquet files failed', () => persistTable(table, generations, planned, options)));
    }
  } catch (error) {
    for (const { remainder } of persisted) remainder?.retire(); // nobody will read the copies
    throw error;
  }
  const files = persisted.flatMap((table) => table.files);
  await deps.commit(files, () => {
    for (const table of persisted) swap(table, deps);
  });
  const rows = files.reduce((sum, file) => sum + file.rowCount, 0);
  const elapsedMs = Math.round(performance.now() - started);
  log.info({ files: files.length, rows, wal_file_number: order.lastCoveredWalFile, elapsed_ms: elapsedMs }, 'snapshot persisted');
}

/** Takes persisted rows out of the buffer; chunks that are now one file and nothing else cannot hold a key twice. */
function swap({ table, generations, remainder, files }: PersistedTable, deps: SnapshotterDependencies): void {
  table.replace(generations, remainder);
  const buffered = table.bufferedChunks();
  const { databaseId, id } = table.table;
  for (const { chunkTimeNs } of files) {
    if (!buffered.has(chunkTimeNs) && deps.fileCount(databaseId, id, chunkTimeNs) === 1) table.markClean(chunkTimeNs);
  }
}

async function retried<T>(deps: SnapshotterDependencies, message: string, step: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await step();
    } catch (error) {
      if (error instanceof RowsUnaccounted) throw error; // to count again does not help
      if (attempt === 1) deps.log.error({ error: errorText(error) }, `${message}; retrying every second`);
      await deps.pause();
    }
  }
}
