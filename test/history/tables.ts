import type { Operation } from './model.ts';
import type { Shape } from './shapes.ts';
import { type Cell, isCell, ROWS_MAX, STEP_NS, type Stamp } from './values.ts';

/** Where a table or database is. While it is `changing` nobody can say what a question finds. */
export type Standing = 'live' | 'changing' | 'deleted' | 'gone';

/** One life of a database's name: what is made anew after a delete is another database. */
export class Database {
  name: string;
  readonly tables: Table[] = [];
  standing: Standing = 'live';
  /** The name that it has while it is deleted. */
  deletedName: string | undefined;
  /** Rows older than this are not shown, ms. */
  readonly retentionMs: number | undefined;

  constructor(name: string, retentionMs?: number) {
    this.name = name;
    this.retentionMs = retentionMs;
  }
}

/** One life of a table's name. */
export class Table {
  readonly database: Database;
  name: string;
  /** Tables deleted on their own have a name of their own too. */
  deletedName: string | undefined;
  standing: Standing = 'live';
  /** Grows with each change of standing: an answer counts when it is the same before and after. */
  version = 0;
  /** Writers take it. */
  open = true;
  /** A write to it was acknowledged. */
  exists = false;
  /** Writers may use `no_sync`. */
  readonly hasSoftWrites: boolean;
  readonly firstSlot: number;
  /** By writer, then by minute. */
  readonly blocks: Map<number, Block>[] = [];
  /** Fields that writers may use so far; they become more. */
  fieldCount = 5;
  /** Kinds of the further tag that writers may use so far. */
  extraTagCount = 0;
  /** Names of caches that were made and are there. */
  readonly caches = new Set<'last_cache' | 'distinct_cache'>();

  constructor(database: Database, name: string, firstSlot: number, hasSoftWrites = false) {
    this.database = database;
    this.name = name;
    this.firstSlot = firstSlot;
    this.hasSoftWrites = hasSoftWrites;
    database.tables.push(this);
  }

  get isReadable(): boolean {
    return this.standing === 'live' && this.database.standing === 'live';
  }

  /** No request without an answer touched it. */
  get isSettled(): boolean {
    for (const block of this.allBlocks()) if (block.inDoubt) return false;
    return true;
  }

  change(standing: Standing): void {
    this.standing = standing;
    this.version++;
  }

  blocksOf(writer: number): Map<number, Block> {
    let blocks = this.blocks[writer];
    if (blocks === undefined) {
      blocks = new Map();
      this.blocks[writer] = blocks;
    }
    return blocks;
  }

  *allBlocks(): Generator<Block> {
    for (const blocks of this.blocks) if (blocks !== undefined) yield* blocks.values();
  }
}

/** Numbers of operations that a question may have seen of a block. */
export interface States {
  readonly least: number;
  readonly most: number;
}

/** Rows of one writer in one minute of one table. Only its writer touches it, one request after the other. */
export class Block {
  readonly table: Table;
  readonly writer: number;
  readonly slot: number;
  readonly rows: number;
  readonly shape: Shape;
  readonly operations: Operation[] = [];

  constructor(table: Table, writer: number, slot: number, rows: number, shape: Shape) {
    if (rows > ROWS_MAX) throw new Error('a block has no more rows than a minute has steps');
    this.table = table;
    this.writer = writer;
    this.slot = slot;
    this.rows = rows;
    this.shape = shape;
  }

  /** True while nobody can say whether the last request took place. */
  get inDoubt(): boolean {
    const last = this.operations.at(-1)?.request.outcome;
    return last === 'open' || last === 'soft';
  }

  /**
   * How many operations a question may have seen: all that were acknowledged before it was asked, and any prefix of those
   * that were sent before its answer was there.
   */
  states(askedAt: number, answeredAt: number): States {
    let least = 0;
    let most = 0;
    for (const { request } of this.operations) {
      if (request.acknowledgedAt < askedAt) least = most + 1;
      if (request.startedAt >= answeredAt) break;
      most++;
    }
    return { least, most };
  }

  hasRow(state: number, row: number): boolean {
    for (let i = state - 1; i >= 0; i--) {
      const operation = this.operations[i] as Operation;
      if (operation.kind === 'delete') return false;
      if (row >= operation.from && row < operation.to) return true;
    }
    return false;
  }

  /** What the cell was last written by; undefined = null. */
  writtenBy(state: number, row: number, field: number): Operation | undefined {
    for (let i = state - 1; i >= 0; i--) {
      const operation = this.operations[i] as Operation;
      if (operation.kind === 'delete') return undefined;
      if (writes(operation, row, field)) return operation;
    }
    return undefined;
  }

  isCellRight(state: number, row: number, field: number, actual: Cell): boolean {
    const operation = this.writtenBy(state, row, field);
    return operation === undefined ? actual === undefined : isCell(actual, stampOf(operation, row), field);
  }

  /** First and last moment of the rows, ms since the epoch. */
  get spanMs(): { readonly fromMs: number; readonly toMs: number } {
    const fromMs = this.slot * 60_000;
    return { fromMs, toMs: fromMs + Math.ceil((this.rows * STEP_NS) / 1e6) };
  }
}

/** Whether the operation gives this field of this row a value. */
export function writes({ kind, from, to, fields, sparse, number }: Operation, row: number, field: number): boolean {
  if (kind === 'delete' || row < from || row >= to || (fields & (1 << field)) === 0) return false;
  return !sparse || field === 0 || (row * 7 + number + field) % 3 !== 0;
}

/** The value that stays. */
export function stampOf({ block, number }: Operation, row: number): Stamp {
  return { writer: block.writer, operation: number, pass: 1, row };
}
