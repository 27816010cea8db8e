import { CHUNK_ROWS, type Engine } from '../../duckdb/index.ts';
import { nextTurn } from '../../shared/timers.ts';
import type { TableSection } from '../batch/index.ts';
import type { RowDelete } from '../deletes/row-delete.ts';
import { type FieldColumn, GenerationTable, type TablePart } from './generation-table.ts';
import { PendingRows } from './pending-rows.ts';

/** Chunks of rows moved before other work gets a turn. */
const CHUNKS_PER_TURN = 8;

/** Bytes of moved rows that are kept for the next flush at most. */
const FLUSH_BYTES_MAX = 32 * 1024 * 1024;

/** Rows and time range of one gen1 chunk inside a generation. */
export interface ChunkRows {
  readonly rows: number;
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
}

/** Told of what happens to a generation, in the same turn. Must not throw. */
export interface GenerationFollower {
  /** Rows came; the section's bytes never change. */
  added(section: TableSection): void;
  /** The rows live elsewhere from now on. */
  retired(): void;
}

/** What tells generations apart, and tells of their rows. */
export interface GenerationSource {
  /** What it holds now. */
  moment(): GenerationMoment;
  /** Tells of rows that come from now on. Returns what ends it. */
  follow(follower: GenerationFollower): () => void;
}

/** A generation at one moment. Nothing of it ever changes, whatever arrives or is deleted later. */
export interface GenerationMoment {
  readonly source: GenerationSource;
  readonly rows: number;
  /** Estimated memory. */
  readonly bytes: number;
  /** Field columns, in the order in which they came. */
  readonly fields: readonly FieldColumn[];
  /** By gen1 chunk start; the sum of their rows is `rows`. */
  readonly chunks: ReadonlyMap<bigint, ChunkRows>;
  /** Deletes that came after its rows. */
  readonly deletes: readonly RowDelete[];
}

/** A moment whose rows are all in DuckDB tables, which stay until the reader releases it. */
export interface ReadableGeneration extends GenerationMoment {
  /** In the order of the rows; more than one after a failure of DuckDB. */
  readonly parts: readonly TablePart[];
}

/**
 * A run of buffered rows of one table, in arrival order: a DuckDB table (`generation-table.ts`) plus the sections that are
 * not part of it yet. New rows go to the table's youngest generation; a snapshot seals it and later
 * retires it. Row order = row id, so later rows win ties.
 *
 * Shared by: writes (`add`), drains, queries and loads of columns (`moment`, `retain`, `release`), snapshots and deletes. Writes and
 * moments are single synchronous steps on counters that are kept apart from DuckDB; fields, chunks and deletes are replaced,
 * never changed, so that a moment can keep them. Drains queue up behind each other (`#work`), and a row leaves the queue only
 * when the flush that made it part of the table worked. The DuckDB table goes when it is retired and the last reader is done.
 */
export class Generation implements GenerationSource {
  readonly #table: GenerationTable;
  readonly #pending = new PendingRows();
  readonly #onDropFailed: (error: unknown) => void;
  readonly #followers = new Set<GenerationFollower>();
  readonly #fieldIds = new Set<number>();
  #fields: readonly FieldColumn[] = [];
  #chunks = new Map<bigint, ChunkRows>();
  #deletes: readonly RowDelete[] = [];
  #moment: GenerationMoment | undefined;
  #work: Promise<void> = Promise.resolve();
  #readers = 0;
  #sealed = false;
  #retired = false;
  #rows = 0;
  #bytes = 0;

  /** @param onDropFailed told when the DuckDB table could not be dropped: its memory stays taken */
  constructor(engine: Engine, engineTable: string, onDropFailed: (error: unknown) => void) {
    this.#table = new GenerationTable(engine, engineTable);
    this.#onDropFailed = onDropFailed;
  }

  /** Name of the DuckDB table that is open for rows. */
  get engineTable(): string {
    return this.#table.name;
  }

  /** Where the rows of a moment are; they must have been drained. */
  readable(moment: GenerationMoment): ReadableGeneration {
    return { ...moment, parts: this.#table.parts(moment.rows, this.#sealed && moment.rows === this.#rows) };
  }

  get rows(): number {
    return this.#rows;
  }

  /** Estimated memory: DuckDB table plus waiting sections. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of sections that still wait to be moved. */
  get pendingBytes(): number {
    return this.#pending.waitingBytes;
  }

  /** Bytes of sections that are kept until the flush that makes them part of the DuckDB table. */
  get unflushedBytes(): number {
    return this.#pending.movedBytes;
  }

  /** True when at least one full chunk is waiting. */
  get wantsDrain(): boolean {
    return this.#pending.waitingRows >= CHUNK_ROWS;
  }

  /** Field columns, in the order of the DuckDB table. */
  get fields(): readonly FieldColumn[] {
    return this.#fields;
  }

  get chunks(): ReadonlyMap<bigint, ChunkRows> {
    return this.#chunks;
  }

  get deletes(): readonly RowDelete[] {
    return this.#deletes;
  }

  moment(): GenerationMoment {
    this.#moment ??= {
      source: this,
      rows: this.#rows,
      bytes: this.#bytes,
      fields: this.#fields,
      chunks: new Map(this.#chunks),
      deletes: this.#deletes,
    };
    return this.#moment;
  }

  /** No rows come any more. */
  seal(): void {
    this.#sealed = true;
    this.#moment = undefined;
  }

  /** Hides rows. The generation must be sealed: rows that come later are not meant. */
  hide(deleted: RowDelete): void {
    this.#deletes = [...this.#deletes, deleted];
    this.#moment = undefined;
  }

  /** Queues the rows of a section. Synchronous; the caller keeps the section's memory untouched from here on. */
  add(section: TableSection): void {
    this.#moment = undefined;
    const fresh = section.columns.filter((column) => !this.#fieldIds.has(column.columnId));
    if (fresh.length > 0) this.#addFields(fresh.map((column) => ({ id: column.columnId, type: column.type })));
    this.#pending.add(section);
    this.#rows += section.rowCount;
    this.#bytes += section.byteLength;
    for (const follower of this.#followers) follower.added(section);
  }

  /** Counts rows of the section added last in their chunk. */
  count(chunk: bigint, rows: number, minTimeNs: bigint, maxTimeNs: bigint): void {
    this.#moment = undefined;
    const known = this.#chunks.get(chunk);
    this.#chunks.set(chunk, {
      rows: rows + (known?.rows ?? 0),
      minTimeNs: known === undefined || minTimeNs < known.minTimeNs ? minTimeNs : known.minTimeNs,
      maxTimeNs: known === undefined || maxTimeNs > known.maxTimeNs ? maxTimeNs : known.maxTimeNs,
    });
  }

  follow(follower: GenerationFollower): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** Adopts rows that are already in the DuckDB table (made by a snapshot), and seals. */
  adopt(fields: readonly FieldColumn[], chunks: ReadonlyMap<bigint, ChunkRows>, bytes: number): void {
    this.#addFields(fields);
    this.#chunks = new Map(chunks);
    for (const chunk of chunks.values()) this.#rows += chunk.rows;
    this.#bytes = bytes;
    this.#table.adopt(this.#fields, this.#rows);
    this.seal();
  }

  /**
   * Moves waiting rows to the DuckDB table: full chunks only, or, with `rows`, until at least that many rows are part of it.
   * Calls queue up behind each other. When it rejects, every row is part of the table or still waits.
   */
  drain(rows?: number): Promise<void> {
    const next = this.#work.then(() => this.#drain(rows));
    this.#work = next.catch(() => undefined);
    return next;
  }

  /** Keeps the DuckDB table alive for a reader. */
  retain(): void {
    this.#readers++;
  }

  release(): void {
    this.#readers--;
    this.#dropWhenUnused();
  }

  /** The rows now live elsewhere: drop the DuckDB table as soon as no reader needs it. */
  retire(): void {
    this.#retired = true;
    for (const follower of [...this.#followers]) follower.retired();
    this.#dropWhenUnused();
  }

  #addFields(fields: readonly FieldColumn[]): void {
    const fresh = fields.filter((field) => !this.#fieldIds.has(field.id));
    for (const field of fresh) this.#fieldIds.add(field.id);
    this.#fields = [...this.#fields, ...fresh];
  }

  async #drain(rows: number | undefined): Promise<void> {
    if (this.#retired && this.#readers === 0) return;
    try {
      await this.#move(rows);
    } catch (error) {
      this.#table.discard();
      this.#pending.rewind();
      throw error;
    }
  }

  async #move(rows: number | undefined): Promise<void> {
    const least = rows === undefined ? CHUNK_ROWS : 1;
    const isEnough = (): boolean =>
      this.#pending.waitingRows < least || (rows !== undefined && this.#table.rows + this.#pending.movedRows >= rows);
    while (!isEnough()) {
      if (!this.#table.isReady(this.#fields)) {
        this.#flush();
        await this.#table.prepare(this.#fields);
        continue; // rows with new fields may have come
      }
      for (let chunks = 0; chunks < CHUNKS_PER_TURN && !isEnough(); chunks++) this.#moveChunk();
      // A long queue must not keep requests waiting.
      if (!isEnough()) await nextTurn();
    }
    if (rows !== undefined && this.#table.rows < rows) this.#flush();
  }

  #moveChunk(): void {
    const parts = this.#pending.next(this.#table.room);
    this.#table.append(parts);
    this.#pending.moved(parts);
    if (this.#table.flushDue || this.#pending.movedBytes >= FLUSH_BYTES_MAX) this.#flush();
  }

  #flush(): void {
    this.#table.flush();
    this.#pending.flushed();
  }

  #dropWhenUnused(): void {
    if (!this.#retired || this.#readers > 0) return;
    const drop = this.#work.then(async () => {
      if (this.#readers > 0 || !this.#table.isThere) return; // the last reader will come here again
      this.#pending.clear();
      await this.#table.drop();
    });
    this.#work = drop.catch((error: unknown) => this.#onDropFailed(error));
  }
}
