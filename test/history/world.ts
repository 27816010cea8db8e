import { Fault } from './check.ts';
import { Model } from './model.ts';
import type { RunOptions } from './plan.ts';
import type { Table } from './tables.ts';

/** Everything that the parts of a run share. They all run in one process and change it between awaits only. */
export class World {
  readonly options: RunOptions;
  readonly model = new Model();
  readonly startedMs = Date.now();
  readonly counts = {
    requests: 0,
    acknowledged: 0,
    rows: 0,
    rowsVerified: 0,
    cellsVerified: 0,
    questions: 0,
    /** Answers that could not be compared, because the table was deleted or brought back meanwhile. */
    uncompared: 0,
    lives: 0,
    kills: 0,
    refused: 0,
    doubtful: 0,
    drops: 0,
    undeletes: 0,
    rowDeletes: 0,
    /** Rows that a trigger copied. */
    copied: 0,
  };
  /** Things that happened beside the requests, for the report. */
  readonly events: { readonly ms: number; readonly text: string }[] = [];
  /** Heavy queries leave the server of this life too little memory now and then. */
  shortOfMemory = false;
  readonly #failed = new AbortController();
  #fault: Fault | undefined;

  constructor(options: RunOptions) {
    this.options = options;
  }

  get fault(): Fault | undefined {
    return this.#fault;
  }

  /** Aborted at the first fault. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Keeps the first fault; what follows may only be its echo. */
  fail(error: unknown): void {
    if (this.#fault !== undefined) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#fault = error instanceof Fault ? error : new Fault('unexpected', text);
    this.#failed.abort();
  }

  note(text: string): void {
    this.events.push({ ms: Date.now(), text });
    this.options.onNote?.(text);
  }

  /** Tables that take rows, oldest first. */
  openTables(): Table[] {
    return this.model.tables.filter((table) => table.open && table.isReadable);
  }

  /** Tables that answer, oldest first. */
  readableTables(): Table[] {
    return this.model.tables.filter((table) => table.isReadable && table.blocks.length > 0);
  }
}
