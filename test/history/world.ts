import { Fault } from './check.ts';
import { Model, Table } from './model.ts';
import type { RunOptions } from './plan.ts';

/** First minute of the rows: days that are over are merged in the background. */
const DAYS_AGO = 30;

/** Everything that the parts of a run share. They all run in one process and change it between awaits only. */
export class World {
  readonly options: RunOptions;
  readonly model = new Model();
  /** Tables that take rows, oldest first. */
  readonly open: Table[] = [];
  readonly firstSlot = Math.floor(Date.now() / 60_000) - DAYS_AGO * 1440;
  readonly startedMs = Date.now();
  readonly counts = { requests: 0, rows: 0, rowsVerified: 0, cellsVerified: 0, questions: 0, kills: 0, refused: 0, doubtful: 0 };
  /** Things that happened beside the requests, for the report. */
  readonly events: { readonly ms: number; readonly text: string }[] = [];
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
    this.#fault =
      error instanceof Fault ? error : new Fault('unexpected', error instanceof Error ? (error.stack ?? error.message) : String(error));
    this.#failed.abort();
  }

  note(text: string): void {
    this.events.push({ ms: Date.now(), text });
  }

  openTable(database: string, name: string): Table {
    const table = new Table(database, name);
    this.model.tables.push(table);
    this.open.push(table);
    return table;
  }
}
