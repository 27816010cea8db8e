import type { Block, Database, Table } from './tables.ts';

/** What became of a request. `open`: no answer yet, or none came; `soft`: `no_sync`, so a kill may still lose it. */
export type Outcome = 'open' | 'soft' | 'acknowledged' | 'void';

/** One request. Its operations happen together or not at all; only a delete may be done in part when no answer comes. */
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

/** Everything that was asked of the server and what it said, with an order of all these moments. */
export class Model {
  readonly databases: Database[] = [];
  /** Oldest first, also those that were deleted; those that are gone for good are left out. */
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
    for (const { block } of request.operations) block.table.exists = true;
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
