import type { TableSchema } from '../../catalog/schema.ts';
import type { DatabaseId, TableId, WalFileNumber } from '../../shared/ids.ts';
import { StorageStartupError } from '../../storage/index.ts';
import { decodeBatch, decodeDeleteRecord, forEachDefinition, type TableSection } from '../batch/index.ts';
import type { WriteBuffer } from '../buffer/index.ts';
import type { PersistedRange, TableAside } from '../snapshot/index.ts';
import { sectionRows } from './section-rows.ts';

/** What of the catalog a replay needs. */
export interface ReplayTables {
  tableById(databaseId: DatabaseId, tableId: TableId): TableSchema | undefined;
  /** False = the ids were never given out. */
  gaveOut(databaseId: DatabaseId, tableId: TableId): boolean;
}

export interface ReplayStats {
  rows: number;
  /** Rows that a snapshot already holds. */
  skippedRows: number;
  /** Rows of tables that are no longer in the catalog. */
  droppedRows: number;
}

/**
 * Brings logged batches back into the buffer at start. Series ids in a WAL file mean something inside that file only:
 * they are mapped to the process's own.
 */
export class Replay {
  readonly stats: ReplayStats = { rows: 0, skippedRows: 0, droppedRows: 0 };
  readonly #buffer: WriteBuffer;
  readonly #tables: ReplayTables;
  readonly #persisted: readonly PersistedRange[];
  /** By table: records of log files up to this one are not taken from the log. */
  readonly #asideUpTo: ReadonlyMap<string, number>;
  #fileNumber = -1;
  #seriesIds = new Map<string, Map<number, number>>();

  constructor(buffer: WriteBuffer, tables: ReplayTables, persisted: readonly PersistedRange[], tablesAside: readonly TableAside[] = []) {
    this.#buffer = buffer;
    this.#tables = tables;
    this.#persisted = persisted;
    this.#asideUpTo = new Map(tablesAside.map(({ databaseId, tableId, upToFileNumber }) => [`${databaseId}/${tableId}`, upToFileNumber]));
  }

  /** A record of a side log, which holds one table. They come before those of the log, each table's in log order. */
  asideRecord(sourceNumber: number, body: Uint8Array): void {
    this.#begin(sourceNumber);
    const deletes = decodeDeleteRecord(body);
    for (const deleted of deletes ?? []) this.#buffer.table(deleted.databaseId, deleted.tableId)?.hide(deleted);
    if (deletes !== undefined) return;
    for (const section of decodeBatch(body)) {
      const schema = this.#schemaOf(section);
      if (schema === undefined) {
        this.stats.droppedRows += section.rowCount;
        continue;
      }
      this.#mapSeries(schema, section);
      this.stats.rows += section.rowCount;
      this.#buffer.applySection(section);
    }
  }

  /** Records must come in log order. Throws a plain Error when a record contradicts the ones before it. */
  record(fileNumber: WalFileNumber, body: Uint8Array): void {
    this.#begin(fileNumber);
    const deletes = decodeDeleteRecord(body);
    if (deletes !== undefined) {
      for (const deleted of deletes) {
        if (!this.#isAside(fileNumber, deleted)) this.#buffer.table(deleted.databaseId, deleted.tableId)?.hide(deleted);
      }
      return;
    }
    for (const section of decodeBatch(body)) this.#section(fileNumber, section);
  }

  /** Undefined = the table is gone. Throws `StorageStartupError` when the catalog never had it: then it lost changes. */
  #schemaOf({ columns, databaseId, tableId }: TableSection): TableSchema | undefined {
    const schema = this.#tables.tableById(databaseId, tableId);
    const known =
      schema === undefined ? this.#tables.gaveOut(databaseId, tableId) : columns.every(({ columnId }) => columnId < schema.columns.length);
    if (known) return schema;
    throw new StorageStartupError(
      'CATALOG_CORRUPT',
      `WAL file ${this.#fileNumber} has rows of table id ${tableId} of database id ${databaseId} that the catalog does not know: the last changes of the catalog are missing; ` +
        'restore the catalog directory from a backup, or move this and all later WAL files away to start without their rows',
    );
  }

  /** Series ids mean something inside one log file only. */
  #begin(fileNumber: WalFileNumber): void {
    if (fileNumber === this.#fileNumber) return;
    this.#fileNumber = fileNumber;
    this.#seriesIds = new Map();
  }

  #isAside(fileNumber: WalFileNumber, { databaseId, tableId }: { readonly databaseId: DatabaseId; readonly tableId: TableId }): boolean {
    return this.#asideUpTo.size > 0 && fileNumber <= (this.#asideUpTo.get(`${databaseId}/${tableId}`) ?? -1);
  }

  #section(fileNumber: WalFileNumber, section: TableSection): void {
    if (this.#isAside(fileNumber, section)) {
      this.stats.skippedRows += section.rowCount;
      return;
    }
    const schema = this.#schemaOf(section);
    if (schema === undefined) {
      this.stats.droppedRows += section.rowCount;
      return;
    }
    this.#mapSeries(schema, section);
    const marker = this.#marker(fileNumber);
    if (marker !== undefined && section.maxTimeNs < marker) {
      this.stats.skippedRows += section.rowCount;
      return;
    }
    const kept = marker === undefined || section.minTimeNs >= marker ? section : sectionRows(section, (timeNs) => timeNs >= marker);
    this.stats.skippedRows += section.rowCount - kept.rowCount;
    this.stats.rows += kept.rowCount;
    this.#buffer.applySection(kept);
  }

  #mapSeries(schema: TableSchema, section: TableSection): void {
    const key = `${section.databaseId}/${section.tableId}`;
    let ids = this.#seriesIds.get(key);
    if (ids === undefined) {
      ids = new Map();
      this.#seriesIds.set(key, ids);
    }
    const series = this.#buffer.series(schema);
    const known = ids;
    forEachDefinition(section.definitions, (seriesId, bytes, start, end) => known.set(seriesId, series.intern(bytes, start, end)));
    for (let row = 0; row < section.rowCount; row++) {
      const id = ids.get(section.seriesIds[row] as number);
      if (id === undefined) throw new Error(`WAL record uses series ${section.seriesIds[row]} of table ${key} before it is defined`);
      section.seriesIds[row] = id;
    }
  }

  /** Rows of this file before the marker are in Parquet already. */
  #marker(fileNumber: WalFileNumber): bigint | undefined {
    let marker: bigint | undefined;
    for (const range of this.#persisted) {
      if (fileNumber <= range.lastWalFileNumber && (marker === undefined || range.endMarkerNs > marker)) marker = range.endMarkerNs;
    }
    return marker;
  }
}
