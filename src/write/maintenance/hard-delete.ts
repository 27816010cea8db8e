import type { Catalog } from '../../catalog/index.ts';
import type { DatabaseSchema, TableSchema } from '../../catalog/schema.ts';
import type { Clock } from '../../shared/clock.ts';
import type { DatabaseId } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import type { WriteBuffer } from '../buffer/index.ts';
import type { FileIndexStore } from '../file-index/file-index-store.ts';
import type { FileChanges } from './file-changes.ts';

export interface HardDeleteOptions {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly log: Log;
  readonly buffer: WriteBuffer;
  readonly files: FileIndexStore;
  readonly changes: FileChanges;
  /** How long the catalog entry outlives the data. */
  readonly graceMs: number;
  /** Runs a task while no snapshot does. */
  readonly exclusive: <T>(task: () => Promise<T>) => Promise<T>;
  /** Forgets the texts of series of a database. */
  readonly forget: (databaseId: DatabaseId) => void;
}

/** Removes the data of tables and databases whose hard-delete time has come, and later their catalog entries. */
export class HardDelete {
  readonly #options: HardDeleteOptions;

  constructor(options: HardDeleteOptions) {
    this.#options = options;
  }

  /** Idempotent: what a crash left undone is done by the next run. */
  async run(): Promise<void> {
    const { catalog } = this.#options;
    const nowNs = this.#options.clock.nowNs();
    const isDue = (timeNs: bigint | undefined): boolean => timeNs !== undefined && timeNs <= nowNs;
    for (const database of [...catalog.databases()]) {
      const whole = database.deleted && isDue(database.hardDeleteTimeNs);
      const due = [...database.tables.values()].filter((table) => whole || (table.deleted && isDue(table.hardDeleteTimeNs)));
      for (const table of due) await this.#dropData(table);
      for (const table of due) if (!whole && this.#graceIsOver(table.hardDeleteTimeNs, nowNs)) await this.#dropTable(table);
      if (whole && this.#graceIsOver(database.hardDeleteTimeNs, nowNs)) await this.#dropDatabase(database);
    }
  }

  #graceIsOver(timeNs: bigint | undefined, nowNs: bigint): boolean {
    return timeNs !== undefined && timeNs + BigInt(this.#options.graceMs) * 1_000_000n <= nowNs;
  }

  async #dropData(table: TableSchema): Promise<void> {
    const { buffer, changes, exclusive, files, forget, log } = this.#options;
    const { databaseId, id } = table;
    let bufferedRows = 0;
    if (buffer.holds(databaseId, id)) {
      // A snapshot under way would bring the rows back.
      await exclusive(async () => {
        bufferedRows = buffer.table(databaseId, id)?.rows ?? 0;
        forget(databaseId);
        await buffer.dropTable(databaseId, id);
      });
    }
    await changes.dropAside({ databaseId, tableId: id });
    const removed = await changes.remove(files.index.filesFor(databaseId, id));
    if (removed.length === 0 && bufferedRows === 0) return;
    const bytes = removed.reduce((sum, file) => sum + file.sizeBytes, 0);
    log.info('data of a deleted table removed', {
      database_id: databaseId,
      table_id: id,
      files: removed.length,
      bytes,
      buffered_rows: bufferedRows,
    });
  }

  /** The entry goes only after the data: an id without an entry could not be told from one that was lost. */
  async #dropTable(table: TableSchema): Promise<void> {
    await this.#options.exclusive(async () => {
      if (this.#hasData(table)) return;
      await this.#options.catalog.dropTable(table.databaseId, table.id);
    });
  }

  async #dropDatabase(database: DatabaseSchema): Promise<void> {
    await this.#options.exclusive(async () => {
      if ([...database.tables.values()].some((table) => this.#hasData(table))) return;
      await this.#options.catalog.dropDatabase(database.id);
    });
  }

  #hasData({ databaseId, id }: TableSchema): boolean {
    const { buffer, files } = this.#options;
    return files.index.filesFor(databaseId, id).length > 0 || (buffer.table(databaseId, id)?.rows ?? 0) > 0;
  }
}
