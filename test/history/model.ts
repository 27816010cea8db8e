import type { Shape } from './shapes.ts';
import { type Cell, isCell, type Stamp } from './values.ts';

/** What became of a request. `open`: no answer yet, or none came; `soft`: `no_sync`, so a kill may still lose it. */
export type Outcome = 'open' | 'soft' | 'acknowledged' | 'void';

/** One request. Its operations happen together or not at all. */
export interface Request {
  readonly writer: number;
  readonly life: number;
  readonly lane: string;
  readonly startedAt: number;
  readonly startedMs: number;
  /** Tick of the acknowledgement; `Infinity` until then. */
  acknowledgedAt: number;
  answeredMs: number;
  outcome: Outcome;
  status: number;
  readonly operations: Operation[];
}

/** What a request does to one block. */
export interface Operation {
  readonly request: Request;
  readonly block: Block;
  readonly kind: 'write' | 'delete';
  /** Counted by its writer. */
  readonly number: number;
  /** Rows `from` to `to` - 1; a delete takes all. */
  readonly from: number;
  readonly to: number;
  /** Bit `j`: field `j` is written. */
  readonly fields: number;
  /** Fields other than the first are left out of some rows. */
  readonly sparse: boolean;
  /** Each row comes twice in the body, first with values that the second replaces. */
  readonly twice: boolean;
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
  states(askedAt: number, answeredAt: number): { readonly least: number; readonly most: number } {
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
}

/** Whether the operation gives this field of this row a value. */
export function writes({ from, to, fields, sparse, number }: Operation, row: number, field: number): boolean {
  if (row < from || row >= to || (fields & (1 << field)) === 0) return false;
  return !sparse || field === 0 || (row * 7 + number + field) % 3 !== 0;
}

/** The value that stays. */
export function stampOf({ block, number }: Operation, row: number): Stamp {
  return { writer: block.writer, operation: number, pass: 1, row };
}

/** One life of a table's name: what is made anew after a drop is another table. */
export class Table {
  readonly database: string;
  readonly name: string;
  /** By writer, then by minute. */
  readonly blocks: Map<number, Block>[] = [];
  /** Fields that writers may use so far; they become more. */
  fieldCount = 5;
  /** Kinds of the further tag that writers may use so far. */
  extraTagCount = 0;
  rowCount = 0;

  constructor(database: string, name: string) {
    this.database = database;
    this.name = name;
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

/** Everything that was asked of the server and what it said, with an order of all these moments. */
export class Model {
  /** Tables that may be read. */
  readonly tables: Table[] = [];
  /** Requests of which nobody can say yet whether they took place. */
  readonly doubtful = new Set<Request>();
  #tick = 0;

  tick(): number {
    return ++this.#tick;
  }

  begin(writer: number, life: number, lane: string): Request {
    const request: Request = {
      writer,
      life,
      lane,
      startedAt: this.tick(),
      startedMs: Date.now(),
      acknowledgedAt: Number.POSITIVE_INFINITY,
      answeredMs: 0,
      outcome: 'open',
      status: 0,
      operations: [],
    };
    this.doubtful.add(request);
    return request;
  }

  /** The server said that the request is done. */
  acknowledge(request: Request): void {
    request.acknowledgedAt = this.tick();
    request.outcome = 'acknowledged';
    this.doubtful.delete(request);
  }

  /** The request has done nothing and will do nothing. */
  revoke(request: Request): void {
    request.outcome = 'void';
    this.doubtful.delete(request);
    for (const operation of request.operations) {
      const { operations } = operation.block;
      const at = operations.indexOf(operation);
      if (at >= 0) operations.splice(at, 1);
    }
  }
}
