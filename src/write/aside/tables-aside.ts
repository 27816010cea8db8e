/**
 * Shared by: snapshots, which set tables aside and take them back, writes, which are refused beyond a bound, hard deletes,
 * and health and metrics, which look. Safe because the list that counts is the one of the newest snapshot info, which the
 * one queue of file changes replaces; what is kept here beside it (reasons) is read and changed in synchronous steps.
 */

import type { TableSchema } from '../../catalog/index.ts';
import { InfluxError } from '../../shared/errors.ts';
import type { DatabaseId, TableId, WalFileNumber } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import type { WriteBuffer } from '../buffer/index.ts';
import type { FileIndexStore } from '../file-index/file-index-store.ts';
import type { TableAside } from '../file-index/snapshot-info.ts';
import type { Wal } from '../wal/index.ts';
import type { AsideLog, TableIds } from './aside-log.ts';

export interface TablesAsideOptions {
  readonly buffer: WriteBuffer;
  readonly files: FileIndexStore;
  readonly log: Log;
  readonly asideLog: AsideLog;
  /** Buffered bytes of a table that is set aside from which on its writes are refused. */
  readonly bytesMax: number;
  readonly tableSchema: (databaseId: DatabaseId, tableId: TableId) => TableSchema | undefined;
}

/** A table that cannot be written to files. */
export interface SetAsideTable extends TableIds {
  /** Undefined = it is no longer in the catalog. */
  readonly table: TableSchema | undefined;
  readonly bytes: number;
  /** Why it could not be written the last time; undefined = not tried since the start. */
  readonly reason: string | undefined;
}

/** A change of the list, for the snapshot info that makes it durable. */
export interface AsideChange {
  readonly tablesAside: readonly TableAside[];
  /** Call it in the step in which the change becomes visible. */
  readonly done: () => void;
  /** Side logs that nothing names after the change. */
  readonly needless: readonly string[];
}

/** What a snapshot did with the tables that failed, now or before. */
export interface AsideOutcome {
  /** Log file up to which the snapshot has all rows. */
  readonly frozenWalFile: WalFileNumber;
  /** Copied to side logs, with the reason why they could not be written. */
  readonly failed: readonly { readonly copied: TableAside; readonly reason: string }[];
  /** All their rows are in files now. */
  readonly persisted: readonly TableIds[];
}

/** Tables that are set aside: rows readable in the buffer, durable in side logs, and tried again by each snapshot. */
export class TablesAside {
  readonly #options: TablesAsideOptions;
  /** By key, with the reason of the last failure since the start. */
  readonly #tables = new Map<string, TableIds & { readonly reason: string | undefined }>();

  /** Takes over what the newest snapshot info says. */
  constructor(options: TablesAsideOptions) {
    this.#options = options;
    for (const { databaseId, files, tableId } of options.files.tablesAside) {
      if (files.length > 0) this.#tables.set(keyOf(databaseId, tableId), { databaseId, tableId, reason: undefined });
    }
  }

  get list(): readonly SetAsideTable[] {
    return [...this.#tables.values()].map(({ databaseId, reason, tableId }) => ({
      databaseId,
      tableId,
      reason,
      table: this.#options.tableSchema(databaseId, tableId),
      bytes: this.#options.buffer.table(databaseId, tableId)?.bytes ?? 0,
    }));
  }

  get count(): number {
    return this.#tables.size;
  }

  has(databaseId: DatabaseId, tableId: TableId): boolean {
    return this.#tables.size > 0 && this.#tables.has(keyOf(databaseId, tableId));
  }

  /** Copies what the log has of tables, from where their side logs end (see `AsideLog.copy`). */
  copy(wal: Wal, tables: readonly TableIds[], upTo: number): Promise<TableAside[]> {
    const { asideLog, files } = this.#options;
    const begins = tables.map(({ databaseId, tableId }) => {
      const known = files.tablesAside.find((entry) => entry.databaseId === databaseId && entry.tableId === tableId);
      return { databaseId, tableId, after: Math.max(files.walFileNumber, known?.upToFileNumber ?? 0) };
    });
    return asideLog.copy(wal, begins, upTo);
  }

  /** Removes side logs that a durable change left needless. Never rejects. */
  remove(needless: readonly string[]): Promise<void> {
    return this.#options.asideLog.remove(needless);
  }

  /** The list after a snapshot. */
  changeAfter({ failed, frozenWalFile, persisted }: AsideOutcome): AsideChange {
    const entries = this.#entries();
    for (const { copied } of failed) {
      const before = entries.get(keyOf(copied.databaseId, copied.tableId));
      entries.set(keyOf(copied.databaseId, copied.tableId), { ...copied, files: [...(before?.files ?? []), ...copied.files] });
    }
    const needless: string[] = [];
    const healed = persisted.filter(({ databaseId, tableId }) => this.has(databaseId, tableId));
    for (const { databaseId, tableId } of healed) {
      needless.push(...(entries.get(keyOf(databaseId, tableId))?.files ?? []));
      entries.set(keyOf(databaseId, tableId), { databaseId, tableId, upToFileNumber: frozenWalFile, files: [] });
    }
    return {
      tablesAside: [...entries.values()],
      done: () => {
        for (const { copied, reason } of failed) this.#setAside(copied, reason);
        for (const table of healed) this.#forget(table, 'a table that was set aside is in files again');
      },
      needless,
    };
  }

  /** The list without a table whose rows are gone. Undefined = it is not in it. */
  changeWithout(table: TableIds): AsideChange | undefined {
    if (!this.has(table.databaseId, table.tableId)) return undefined;
    const entries = this.#entries();
    const entry = entries.get(keyOf(table.databaseId, table.tableId));
    if (entry !== undefined) entries.set(keyOf(table.databaseId, table.tableId), { ...entry, files: [] });
    return {
      tablesAside: [...entries.values()],
      done: () => this.#forget(table, 'a table that was set aside is gone'),
      needless: entry?.files ?? [],
    };
  }

  /** Why rows of a table are not taken; undefined = they are. */
  refusal(table: TableSchema): InfluxError | undefined {
    if (!this.has(table.databaseId, table.id)) return undefined;
    const bytes = this.#options.buffer.table(table.databaseId, table.id)?.bytes ?? 0;
    return bytes < this.#options.bytesMax ? undefined : tableSetAside(table.name, this.#options.bytesMax);
  }

  #entries(): Map<string, TableAside> {
    return new Map(this.#options.files.tablesAside.map((entry) => [keyOf(entry.databaseId, entry.tableId), entry]));
  }

  #setAside({ databaseId, tableId }: TableIds, reason: string): void {
    const known = this.has(databaseId, tableId);
    this.#tables.set(keyOf(databaseId, tableId), { databaseId, tableId, reason });
    if (known) return;
    const bytes = this.#options.buffer.table(databaseId, tableId)?.bytes ?? 0;
    this.#options.log.error(
      'a table cannot be written to files and is set aside: its rows stay in memory and in a log of their own, all else goes on',
      { database_id: databaseId, table_id: tableId, bytes, error: reason },
    );
  }

  #forget({ databaseId, tableId }: TableIds, message: string): void {
    this.#tables.delete(keyOf(databaseId, tableId));
    this.#options.log.info(message, { database_id: databaseId, table_id: tableId });
  }
}

function keyOf(databaseId: DatabaseId, tableId: TableId): string {
  return `${databaseId}/${tableId}`;
}

/** The table cannot be written to files, and what waits for that is as much as may wait. */
function tableSetAside(name: string, bytesMax: number): InfluxError {
  const message =
    `write buffer error: table '${name}' cannot be written to files and has more than ${bytesMax} bytes in memory; ` +
    'the log of the server says why. Other tables are not affected';
  return new InfluxError({ code: 'TABLE_SET_ASIDE', message, status: 503 });
}
