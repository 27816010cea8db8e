import type { TableSchema } from '../../catalog/schema.ts';
import type { Engine } from '../../duckdb/index.ts';
import { assert } from '../../shared/assert.ts';
import { InfluxError } from '../../shared/errors.ts';
import type { DatabaseId, TableId } from '../../shared/ids.ts';
import { type CancelTimer, nextTurn, pause, type Timers } from '../../shared/timers.ts';
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
  /** Opens DuckDB on first use. */
  readonly engine: () => Promise<Engine>;
  /** Gen1 duration. */
  readonly chunkDurationNs: bigint;
  /** The table's live schema; undefined when it is gone from the catalog. */
  readonly tableSchema: (databaseId: DatabaseId, tableId: TableId) => TableSchema | undefined;
  /** Greatest time in the files that the table had at start; rows at or before it may repeat a key of theirs. */
  readonly fileMaxTimeNs: (databaseId: DatabaseId, tableId: TableId) => bigint | undefined;
  /** Rows that may wait outside DuckDB, bytes. Writers are slowed at twice and refused at four times as much. */
  readonly pendingBytesMax: number;
  /** Told of the first of several failures that follow each other; moves are tried again. */
  readonly onError: (message: string, error: unknown) => void;
  readonly timers: Timers;
  readonly onApplied?: AppliedListener;
}

/** Pending bytes at which writers wait for their rows to be moved, and at which they are refused when that fails; as multiples of the limit. */
const SLOW_SHARE = 2;
const REFUSE_SHARE = 4;

/** Bytes of moved rows that may wait for a flush, over all tables, as a multiple of the limit. */
const UNFLUSHED_SHARE = 2;

/** Pause before a table that DuckDB refused is tried again, at first; it doubles so many times at most. */
const RETRY_PAUSE_MS = 50;
const RETRY_DOUBLINGS_MAX = 5;

/**
 * Every table's buffered rows: durable, not yet in Parquet, visible to queries.
 *
 * Shared by: writes and replay, queries, snapshots, deletes and maintenance. The maps of tables and series change in single
 * synchronous steps. One round of moves runs at a time; it looks at the tables anew after each of them, and a table that fails
 * does not keep the others from being moved. While moves fail they are tried again after growing pauses, by a timer, so that
 * nobody has to wait or ask for it.
 */
export class WriteBuffer {
  readonly #options: WriteBufferOptions;
  readonly #tables = new Map<number, TableBuffer>();
  readonly #series = new Map<number, SeriesIndex>();
  readonly #recent = new RecentRowsLimit();
  #engine: Engine | undefined;
  #names = 0;
  #pendingBytes = 0;
  #unflushedBytes = 0;
  #draining: Promise<void> | undefined;
  /** Tables whose rows DuckDB refused the last time. */
  readonly #failing = new Map<TableBuffer, { readonly failures: number; cancelRetry: CancelTimer | undefined }>();
  #closed = false;

  constructor(options: WriteBufferOptions) {
    this.#options = options;
  }

  /** DuckDB must be open before rows are applied; idempotent. */
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
    if (table.wantsDrain || this.#pendingBytes > this.#options.pendingBytesMax) void this.#drainSoon();
  }

  /**
   * Resolves when rows may come: when those that wait outside DuckDB are not too many. While DuckDB refuses them some more are
   * taken, then it throws `BUFFER_FULL`: the client may try again.
   */
  async ready(): Promise<void> {
    const { pendingBytesMax } = this.#options;
    while (this.#pendingBytes > pendingBytesMax * SLOW_SHARE && !this.#closed) {
      if (this.#engine?.failure !== undefined) throw this.#engine.failure; // they would wait for ever
      const stuckBytes = this.#stuckBytes();
      if (stuckBytes > pendingBytesMax * REFUSE_SHARE) throw bufferFull();
      if (this.#pendingBytes - stuckBytes <= pendingBytesMax * SLOW_SHARE) return;
      await this.#drainSoon();
    }
  }

  /** The same for rows that cannot be refused: waits until they may come. */
  async whenReady(): Promise<void> {
    const { pendingBytesMax } = this.#options;
    while (this.#pendingBytes > pendingBytesMax * SLOW_SHARE && !this.#closed) {
      if (this.#engine?.failure !== undefined) throw this.#engine.failure;
      if (this.#stuckBytes() > 0) await pause(this.#options.timers, RETRY_PAUSE_MS);
      await this.#drainSoon();
    }
  }

  /** Ends retries. */
  close(): void {
    this.#closed = true;
    for (const table of this.#failing.values()) table.cancelRetry?.();
    this.#failing.clear();
  }

  /** Undefined when the table has no buffered rows. */
  table(databaseId: DatabaseId, tableId: TableId): TableBuffer | undefined {
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
  holds(databaseId: DatabaseId, tableId: TableId): boolean {
    const key = tableKey(databaseId, tableId);
    return this.#tables.has(key) || this.#series.has(key);
  }

  /** Whether ids of this index are those of the table's buffered rows. False after the table's data was dropped. */
  ownsSeries(databaseId: DatabaseId, tableId: TableId, series: SeriesIndex): boolean {
    return this.#series.get(tableKey(databaseId, tableId)) === series;
  }

  /** Number of series in memory, of all tables. */
  get seriesCount(): number {
    let count = 0;
    for (const series of this.#series.values()) count += series.count;
    return count;
  }

  /** Tables with at least so many series in memory. */
  tablesWithSeries(seriesMin: number): { readonly databaseId: DatabaseId; readonly tableId: TableId; readonly series: SeriesIndex }[] {
    const found = [];
    for (const [key, series] of this.#series) {
      if (series.count < seriesMin) continue;
      found.push({ databaseId: Math.floor(key / TABLE_IDS_MAX), tableId: key % TABLE_IDS_MAX, series });
    }
    return found;
  }

  /** Whether no row of the table is in memory or on its way there, so that its series may be forgotten. */
  isAtRest(databaseId: DatabaseId, tableId: TableId): boolean {
    const key = tableKey(databaseId, tableId);
    return (this.#tables.get(key)?.rows ?? 0) === 0 && this.#series.get(key)?.isHeld !== true;
  }

  /**
   * Forgets the series of a table at rest, with all that is known by their ids: as after a restart, rows up to the newest in
   * the table's files may repeat one of theirs. False: the table is not at rest, and nothing was done. No snapshot may run.
   */
  async forgetSeries(databaseId: DatabaseId, tableId: TableId): Promise<boolean> {
    if (!this.isAtRest(databaseId, tableId)) return false;
    await this.dropTable(databaseId, tableId);
    return true;
  }

  /** Drops the rows of a deleted table. */
  async dropTable(databaseId: DatabaseId, tableId: TableId): Promise<void> {
    const key = tableKey(databaseId, tableId);
    const table = this.#tables.get(key);
    this.#tables.delete(key);
    this.#series.delete(key);
    if (table === undefined) return;
    this.#failing.get(table)?.cancelRetry?.();
    this.#failing.delete(table);
    await table.drop();
  }

  #table(schema: TableSchema): TableBuffer {
    const key = tableKey(schema.databaseId, schema.id);
    let table = this.#tables.get(key);
    if (table === undefined) {
      if (this.#engine === undefined) throw new Error('internal error: write buffer is not open');
      const { chunkDurationNs, fileMaxTimeNs, onError } = this.#options;
      table = new TableBuffer({
        engine: this.#engine,
        table: schema,
        series: this.series(schema),
        chunkDurationNs,
        recent: new RecentRows(this.#recent, fileMaxTimeNs(schema.databaseId, schema.id)),
        nextName: (kind) => `${kind}_${schema.databaseId}_${schema.id}_${this.#names++}`,
        onError,
      });
      this.#tables.set(key, table);
    }
    return table;
  }

  /** The end of the round of moves that runs or begins now. Never rejects. */
  #drainSoon(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#draining ??= this.#drainAll().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #drainAll(): Promise<void> {
    await nextTurn();
    for (const table of this.#tables.values()) {
      if (this.#failing.get(table)?.cancelRetry !== undefined) continue;
      const how = this.#dueMoves(table);
      try {
        if (how !== undefined) await table.drain(how);
        this.#failing.delete(table);
      } catch (error) {
        this.#retryLater(table, error);
      }
    }
    this.#pendingBytes = 0;
    this.#unflushedBytes = 0;
    for (const table of this.#tables.values()) {
      this.#pendingBytes += table.pendingBytes;
      this.#unflushedBytes += table.unflushedBytes;
    }
  }

  #dueMoves(table: TableBuffer): 'chunks' | 'everything' | undefined {
    const { pendingBytesMax } = this.#options;
    if (this.#unflushedBytes > pendingBytesMax * UNFLUSHED_SHARE && table.unflushedBytes > 0) return 'everything';
    if (table.wantsDrain) return 'chunks';
    return this.#pendingBytes > pendingBytesMax && table.pendingBytes > 0 ? 'everything' : undefined;
  }

  #retryLater(table: TableBuffer, error: unknown): void {
    if (this.#closed || this.#tables.get(tableKey(table.table.databaseId, table.table.id)) !== table) return;
    const { onError, timers } = this.#options;
    if (this.#failing.size === 0) onError('moving rows into DuckDB failed; it is tried again', error);
    const failures = (this.#failing.get(table)?.failures ?? 0) + 1;
    const failing: { readonly failures: number; cancelRetry: CancelTimer | undefined } = { failures, cancelRetry: undefined };
    failing.cancelRetry = timers.after(RETRY_PAUSE_MS * 2 ** Math.min(failures - 1, RETRY_DOUBLINGS_MAX), () => {
      failing.cancelRetry = undefined;
      void this.#drainSoon();
    });
    this.#failing.set(table, failing);
  }

  /** Bytes that wait for DuckDB to take them again. */
  #stuckBytes(): number {
    let bytes = 0;
    for (const table of this.#failing.keys()) bytes += table.pendingBytes;
    return bytes;
  }
}

/** DuckDB refuses rows for want of memory. What was acknowledged is in the log; the client may send the write again. */
function bufferFull(): InfluxError {
  return new InfluxError({
    code: 'BUFFER_FULL',
    message: 'write buffer error: too many rows wait for memory of the query engine; try again',
    status: 503,
  });
}

/** Both ids in one number; a table id has 32 bits. */
function tableKey(databaseId: DatabaseId, tableId: TableId): number {
  assert(databaseId < DATABASE_IDS_MAX, 'database id is too large');
  return databaseId * TABLE_IDS_MAX + tableId;
}
