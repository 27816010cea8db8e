import type { Engine } from '../../engine/index.ts';
import { errorText, type Log } from '../../storage/index.ts';
import type { Generation, TableBuffer, WriteBuffer } from '../buffer/index.ts';
import type { ParquetWriter } from '../parquet/parquet-writer.ts';
import { type PersistedFile, type PersistedTable, type PersistOptions, persistTable, plannedPaths } from './persist-table.ts';

/** What a snapshot is to persist; made when a WAL period closes. */
export interface SnapshotOrder {
  /** Chunks that start before this are persisted. */
  readonly endMarkerNs: bigint;
  /** Last WAL file whose rows are all persisted by this snapshot. */
  readonly lastCoveredWalFile: number;
  /** Last WAL file whose rows may be in the sealed generations. */
  readonly frozenWalFile: number;
}

export interface SnapshotterDependencies {
  readonly engine: Engine;
  readonly writer: ParquetWriter;
  readonly buffer: WriteBuffer;
  /** The node's directory. */
  readonly root: string;
  readonly chunkDurationNs: bigint;
  readonly log: Log;
  /** Notes the paths that are about to be written, so that a start after a crash can remove what was not published. */
  readonly announce: (paths: readonly string[]) => Promise<void>;
  /** Makes a table's new files visible. Synchronous: it happens in one step with the swap of the buffer. */
  readonly publish: (files: readonly PersistedFile[]) => void;
  /** Number of live files of a chunk. */
  readonly fileCount: (databaseId: number, tableId: number, chunkTimeNs: bigint) => number;
  /** Writes the snapshot info; from then on the covered WAL files are not needed. */
  readonly complete: (order: SnapshotOrder, files: readonly PersistedFile[]) => Promise<void>;
  /** Waits before a failed step is tried again; rejects when the server stops. */
  readonly pause: () => Promise<void>;
}

/** Moves buffered rows into Parquet files, one snapshot at a time. */
export class Snapshotter {
  readonly #deps: SnapshotterDependencies;
  #running: Promise<void> | undefined;

  constructor(dependencies: SnapshotterDependencies) {
    this.#deps = dependencies;
  }

  get running(): Promise<void> | undefined {
    return this.#running;
  }

  /**
   * Seals what is buffered now and persists it in the background. Call it in the same step in which the last row of
   * `frozenWalFile` reached the buffer. Not while another snapshot runs.
   */
  start(order: SnapshotOrder): Promise<void> {
    if (this.#running !== undefined) throw new Error('internal error: a snapshot is running');
    const sealed = [...this.#deps.buffer.tables()].filter((table) => table.rows > 0).map((table) => ({ table, generations: table.seal() }));
    this.#running = this.#run(order, sealed).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(order: SnapshotOrder, sealed: readonly { table: TableBuffer; generations: readonly Generation[] }[]): Promise<void> {
    const { chunkDurationNs, engine, log, root, writer } = this.#deps;
    const options: PersistOptions = {
      engine,
      writer,
      root,
      chunkDurationNs,
      endMarkerNs: order.endMarkerNs,
      walFileNumber: order.lastCoveredWalFile,
    };
    const started = performance.now();
    const due = sealed.filter(({ generations }) => generations.some((generation) => hasChunkBefore(generation, order.endMarkerNs)));
    await this.#retry('announcing a snapshot failed', () =>
      this.#deps.announce(due.flatMap(({ table, generations }) => plannedPaths(table, generations, options))),
    );
    const files: PersistedFile[] = [];
    for (const { table, generations } of due) {
      const persisted = await this.#retry('writing Parquet files failed', () => persistTable(table, generations, options));
      this.#publish(persisted);
      files.push(...persisted.files);
    }
    await this.#retry('writing the snapshot info failed', () => this.#deps.complete(order, files));
    const rows = files.reduce((sum, file) => sum + file.rowCount, 0);
    const elapsedMs = Math.round(performance.now() - started);
    log.info({ files: files.length, rows, wal_file_number: order.lastCoveredWalFile, elapsed_ms: elapsedMs }, 'snapshot persisted');
  }

  /** The one step in which readers change from buffered rows to files. */
  #publish(persisted: PersistedTable): void {
    const { table, generations, remainder, files } = persisted;
    this.#deps.publish(files);
    const left = new Set<bigint>();
    table.replace(generations, remainder, []);
    for (const chunk of table.bufferedChunks()) left.add(chunk);
    const { databaseId, id } = table.table;
    const clean = files
      .map((file) => file.chunkTimeNs)
      .filter((chunk) => !left.has(chunk) && this.#deps.fileCount(databaseId, id, chunk) === 1);
    table.replace([], undefined, clean);
  }

  /** Rows stay in the buffer and in the WAL until the step works: nothing is lost, the disk only has to come back. */
  async #retry<T>(message: string, step: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await step();
      } catch (error) {
        if (attempt === 1) this.#deps.log.error({ error: errorText(error) }, `${message}; retrying every second`);
        await this.#deps.pause();
      }
    }
  }
}

function hasChunkBefore(generation: Generation, endMarkerNs: bigint): boolean {
  for (const start of generation.chunks.keys()) if (start < endMarkerNs) return true;
  return false;
}
