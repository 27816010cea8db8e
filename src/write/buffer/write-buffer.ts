import type { TableSchema } from '../../catalog/schema.ts';
import type { Engine } from '../../duckdb/index.ts';
import { assert } from '../../shared/assert.ts';
import { decodeBatch, type TableSection } from '../batch/index.ts';
import { SeriesIndex } from '../series/index.ts';
import { RecentRows, RecentRowsLimit } from './recent-rows.ts';
import { TableBuffer } from './table-buffer.ts';

const TABLE_IDS_MAX = 2 ** 32;
const DATABASE_IDS_MAX = 2 ** 21;

/**
 * Told of rows as they are applied: synchronous, in order, live and replayed. The section's bytes never change and may be
 * kept; its series ids are those of `series`. Must not throw.
 */
export type AppliedListener = (table: TableSchema, section: TableSection, series: SeriesIndex) => void;

export interface WriteBufferOptions {
  /** Opens the engine on first use. */
  readonly engine: () => Promise<Engine>;
  /** Gen1 duration. */
  readonly chunkDurationNs: bigint;
  /** The table's live schema; undefined when it is gone from the catalog. */
  readonly tableSchema: (databaseId: number, tableId: number) => TableSchema | undefined;
  /** Greatest time in the files that the table had at start; rows at or before it may repeat a key of theirs. */
  readonly fileMaxTimeNs: (databaseId: number, tableId: number) => bigint | undefined;
  /** Rows that may wait outside the engine before writers are slowed. */
  readonly pendingBytesMax: number;
  readonly onError: (message: string, error: unknown) => void;
  readonly onApplied?: AppliedListener;
}

/** Every table's buffered rows: durable, not yet in Parquet, visible to queries. */
export class WriteBuffer {
  readonly #options: WriteBufferOptions;
  readonly #tables = new Map<number, TableBuffer>();
  readonly #series = new Map<number, SeriesIndex>();
  readonly #recent = new RecentRowsLimit();
  #engine: Engine | undefined;
  #names = 0;
  #pendingBytes = 0;
  #draining: Promise<void> | undefined;

  constructor(options: WriteBufferOptions) {
    this.#options = options;
  }

  /** The engine must be open before rows are applied; idempotent. */
  async open(): Promise<Engine> {
    this.#engine ??= await this.#options.engine();
    return this.#engine;
  }

  /** The series of a table; created on first use, alive as long as the table. */
  series(table: TableSchema): SeriesIndex {
    const key = tableKey(table.databaseId, table.id);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = new SeriesIndex({ floorNs: this.#options.fileMaxTimeNs(table.databaseId, table.id) });
      this.#series.set(key, series);
    }
    return series;
  }

  /** Takes a durable batch over (live path: series ids are the process's own). Sections of vanished tables are dropped. */
  apply(batch: Uint8Array): void {
    for (const section of decodeBatch(batch)) this.applySection(section);
  }

  applySection(section: TableSection): void {
    const schema = this.#options.tableSchema(section.databaseId, section.tableId);
    if (schema === undefined) return;
    const table = this.#table(schema);
    table.apply(section);
    this.#pendingBytes += section.byteLength;
    this.#options.onApplied?.(schema, section, table.series);
    if (table.wantsDrain || this.#pendingBytes > this.#options.pendingBytesMax) this.#drainSoon();
  }

  /** Resolves when the rows waiting outside the engine are below their limit. */
  async ready(): Promise<void> {
    while (this.#pendingBytes > this.#options.pendingBytesMax * 2) {
      if (this.#engine?.failure !== undefined) throw this.#engine.failure; // they would wait for ever
      this.#drainSoon();
      await this.#draining;
    }
  }

  /** Undefined when the table has no buffered rows. */
  table(databaseId: number, tableId: number): TableBuffer | undefined {
    return this.#tables.get(tableKey(databaseId, tableId));
  }

  tables(): Iterable<TableBuffer> {
    return this.#tables.values();
  }

  /** Estimated bytes of all buffered rows. */
  get bytes(): number {
    let bytes = 0;
    for (const table of this.#tables.values()) bytes += table.bytes;
    return bytes;
  }

  /** Gen1 chunks with buffered rows, of all tables: as many files would hold them. */
  get chunkCount(): number {
    let count = 0;
    for (const table of this.#tables.values()) count += table.bufferedChunks().size;
    return count;
  }

  /** Tables with buffered rows. */
  get filledTables(): number {
    let count = 0;
    for (const table of this.#tables.values()) if (table.rows > 0) count++;
    return count;
  }

  get rows(): number {
    let rows = 0;
    for (const table of this.#tables.values()) rows += table.rows;
    return rows;
  }

  /** Whether rows or series of a table are in memory. */
  holds(databaseId: number, tableId: number): boolean {
    const key = tableKey(databaseId, tableId);
    return this.#tables.has(key) || this.#series.has(key);
  }

  /** Whether ids of this index are those of the table's buffered rows. False after the table's data was dropped. */
  ownsSeries(databaseId: number, tableId: number, series: SeriesIndex): boolean {
    return this.#series.get(tableKey(databaseId, tableId)) === series;
  }

  /** Number of series in memory, of all tables. */
  get seriesCount(): number {
    let count = 0;
    for (const series of this.#series.values()) count += series.count;
    return count;
  }

  /** Tables with at least so many series in memory. */
  tablesWithSeries(seriesMin: number): { readonly databaseId: number; readonly tableId: number; readonly series: SeriesIndex }[] {
    const found = [];
    for (const [key, series] of this.#series) {
      if (series.count < seriesMin) continue;
      found.push({ databaseId: Math.floor(key / TABLE_IDS_MAX), tableId: key % TABLE_IDS_MAX, series });
    }
    return found;
  }

  /** Whether no row of the table is in memory or on its way there, so that its series may be forgotten. */
  isAtRest(databaseId: number, tableId: number): boolean {
    const key = tableKey(databaseId, tableId);
    return (this.#tables.get(key)?.rows ?? 0) === 0 && this.#series.get(key)?.isHeld !== true;
  }

  /**
   * Forgets the series of a table at rest, with all that is known by their ids: as after a restart, rows up to the newest in
   * the table's files may repeat one of theirs. False: the table is not at rest, and nothing was done. No snapshot may run.
   */
  async forgetSeries(databaseId: number, tableId: number): Promise<boolean> {
    if (!this.isAtRest(databaseId, tableId)) return false;
    await this.dropTable(databaseId, tableId);
    return true;
  }

  /** Drops the rows of a deleted table. */
  async dropTable(databaseId: number, tableId: number): Promise<void> {
    const key = tableKey(databaseId, tableId);
    const table = this.#tables.get(key);
    this.#tables.delete(key);
    this.#series.delete(key);
    await table?.drop();
  }

  #table(schema: TableSchema): TableBuffer {
    const key = tableKey(schema.databaseId, schema.id);
    let table = this.#tables.get(key);
    if (table === undefined) {
      if (this.#engine === undefined) throw new Error('internal error: write buffer is not open');
      const nextName = (kind: string): string => `${kind}_${schema.databaseId}_${schema.id}_${this.#names++}`;
      const recent = new RecentRows(this.#recent, this.#options.fileMaxTimeNs(schema.databaseId, schema.id));
      table = new TableBuffer(this.#engine, schema, this.series(schema), this.#options.chunkDurationNs, recent, nextName);
      this.#tables.set(key, table);
    }
    return table;
  }

  #drainSoon(): void {
    this.#draining ??= this.#drainAll().finally(() => {
      this.#draining = undefined;
    });
  }

  async #drainAll(): Promise<void> {
    await new Promise(setImmediate);
    const everything = this.#pendingBytes > this.#options.pendingBytesMax;
    try {
      for (const table of this.#tables.values()) {
        if (everything && table.pendingBytes > 0 && !table.wantsDrain) (await table.view()).release();
        else if (table.wantsDrain) await table.drain();
      }
    } catch (error) {
      this.#options.onError('moving rows into the query engine failed', error);
    }
    let pending = 0;
    for (const table of this.#tables.values()) pending += table.pendingBytes;
    this.#pendingBytes = pending;
  }
}

/** Both ids in one number; a table id has 32 bits. */
function tableKey(databaseId: number, tableId: number): number {
  assert(databaseId < DATABASE_IDS_MAX, 'database id is too large');
  return databaseId * TABLE_IDS_MAX + tableId;
}
