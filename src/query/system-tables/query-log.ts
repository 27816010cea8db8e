import type { Clock } from '../../shared/clock.ts';
import { InfluxError } from '../../shared/errors.ts';
import { GRPC_STATUS } from '../../shared/grpc-status.ts';
import { isTimeout } from '../query-cancelled.ts';
import type { QueryStatistics } from '../result.ts';
import type { Cell } from './rows-source.ts';
import type { SystemTableProvider } from './system-tables.ts';

/** Language and door through which a query came. */
export type QueryKind = 'sql' | 'influxql' | 'flightsql';

/** How far a query got. */
export type QueryPhase = 'received' | 'logically_planned' | 'physically_planned' | 'execution_permit' | 'success' | 'fail' | 'cancel';

/** Characters kept of one statement, so that a full log has a bounded size. */
export const LOGGED_TEXT_CHARS_MAX = 64 * 1024;

export interface QueryLogOptions {
  /** `--query-log-size`; 0 keeps nothing. */
  readonly entriesMax: number;
  readonly clock: Clock;
  /** UUIDv4 maker. */
  readonly randomUuid: () => string;
}

export interface LoggedQuery {
  readonly kind: QueryKind;
  readonly text: string;
  readonly database: string;
  /** When it aborts, the query is not wanted any more. */
  readonly signal?: AbortSignal | undefined;
  /** Lower-case hex. */
  readonly traceId?: string | undefined;
}

/** A query that runs. */
export interface LoggedRunning {
  /** Counts from 1 at each start of the server. */
  readonly number: number;
  readonly text: string;
  readonly database: string;
  readonly runningMs: number;
  readonly killed: boolean;
}

/** The newest queries of this server, oldest first, and all that run. In memory only. */
export class QueryLog {
  readonly #options: QueryLogOptions;
  readonly #entries: QueryLogEntry[] = [];
  readonly #running = new Map<number, QueryLogEntry>();
  /** Place of the oldest entry once the log is full. */
  #oldest = 0;
  #lastNumber = 0;

  constructor(options: QueryLogOptions) {
    this.#options = options;
  }

  /** Notes the arrival of a query. The entry follows it from then on. */
  begin(query: LoggedQuery): QueryLogEntry {
    const { clock, entriesMax, randomUuid } = this.#options;
    const number = ++this.#lastNumber;
    const entry = new QueryLogEntry(query, clock, randomUuid(), () => this.#running.delete(number));
    this.#running.set(number, entry);
    if (this.#entries.length < entriesMax) {
      this.#entries.push(entry);
    } else if (entriesMax > 0) {
      this.#entries[this.#oldest] = entry;
      this.#oldest = (this.#oldest + 1) % entriesMax;
    }
    return entry;
  }

  /** How many queries have not ended. */
  get runningCount(): number {
    return this.#running.size;
  }

  /** Queries that have not ended, oldest first. */
  running(): readonly LoggedRunning[] {
    return [...this.#running].map(([number, entry]) => ({ number, ...entry.runningState() }));
  }

  /** Ends a query that runs; its client hears QUERY_KILLED. False when there is none with the number. */
  kill(number: number): boolean {
    const entry = this.#running.get(number);
    entry?.kill();
    return entry !== undefined;
  }

  /** Oldest first. */
  entries(): readonly QueryLogEntry[] {
    return [...this.#entries.slice(this.#oldest), ...this.#entries.slice(0, this.#oldest)];
  }
}

/** One query on its way through the server. The first final phase stays. */
export class QueryLogEntry {
  readonly #id: string;
  readonly #query: LoggedQuery;
  readonly #clock: Clock;
  readonly #issueTimeNs: bigint;
  readonly #issuedMs: number;
  #phase: QueryPhase = 'received';
  #partitions: number | undefined;
  #files: number | undefined;
  #plannedMs: number | undefined;
  #permittedMs: number | undefined;
  #endedMs: number | undefined;
  readonly #wanted = new AbortController();
  readonly #onEnd: () => void;
  readonly #leave = (): void => this.#wanted.abort(this.#query.signal?.reason);

  constructor(query: LoggedQuery, clock: Clock, id: string, onEnd: () => void) {
    const { text, signal } = query;
    this.#onEnd = onEnd;
    this.#query = text.length > LOGGED_TEXT_CHARS_MAX ? { ...query, text: text.slice(0, LOGGED_TEXT_CHARS_MAX) } : query;
    this.#clock = clock;
    this.#id = id;
    this.#issueTimeNs = clock.nowNs();
    this.#issuedMs = clock.monotonicMs();
    if (signal?.aborted === true) this.#leave();
    else signal?.addEventListener('abort', this.#leave, { once: true });
  }

  /** Aborts when the client leaves, when the query is killed, and at its time limit if the query has one. */
  get signal(): AbortSignal {
    return this.#wanted.signal;
  }

  kill(): void {
    this.#wanted.abort(queryKilled());
  }

  runningState(): Omit<LoggedRunning, 'number'> {
    const { database, text } = this.#query;
    return { database, text, runningMs: this.#clock.monotonicMs() - this.#issuedMs, killed: this.#wanted.signal.aborted };
  }

  get phase(): QueryPhase {
    return this.#phase;
  }

  /** True from the first call of `planned` on. */
  get isPlanned(): boolean {
    return this.#plannedMs !== undefined;
  }

  get database(): string {
    return this.#query.database;
  }

  /** The statement was understood. */
  compiled(): void {
    if (!this.#final) this.#phase = 'logically_planned';
  }

  /** What will be read is known. `partitions` = time chunks with files. */
  planned(plan: { readonly partitions: number; readonly parquetFiles: number }): void {
    if (this.#final) return;
    this.#phase = 'physically_planned';
    this.#partitions = plan.partitions;
    this.#files = plan.parquetFiles;
    this.#plannedMs = this.#clock.monotonicMs();
  }

  /** Nothing stands between the query and DuckDB any more. */
  permitted(): void {
    if (this.#final) return;
    this.#phase = 'execution_permit';
    this.#permittedMs = this.#clock.monotonicMs();
  }

  /** The last row was handed over. */
  succeed(): void {
    this.#end('success');
  }

  fail(): void {
    this.#end('fail');
  }

  /** Its signal was aborted: it took too long, was killed, or nobody waits for it. */
  abandon(): void {
    this.#end(isTimeout(this.signal) ? 'fail' : 'cancel');
  }

  /** The client went away or the result was dropped before its end. */
  cancel(): void {
    this.#end('cancel');
  }

  statistics(): QueryStatistics {
    const secs = (fromMs: number | undefined, toMs: number | undefined): number | undefined =>
      fromMs === undefined || toMs === undefined ? undefined : (toMs - fromMs) / 1000;
    return {
      planningSecs: secs(this.#issuedMs, this.#plannedMs),
      queueSecs: secs(this.#plannedMs, this.#permittedMs),
      executionSecs: secs(this.#permittedMs, this.#endedMs ?? this.#clock.monotonicMs()),
      partitions: this.#partitions,
      parquetFiles: this.#files,
    };
  }

  /** In the order of `QUERIES_COLUMNS`. */
  cells(): readonly Cell[] {
    const { kind, text, traceId } = this.#query;
    const running = !this.#final;
    return [
      this.#id,
      this.#phase,
      this.#issueTimeNs,
      kind,
      text,
      this.#partitions === undefined ? null : BigInt(this.#partitions),
      this.#files === undefined ? null : BigInt(this.#files),
      span(this.#issuedMs, this.#plannedMs),
      span(this.#plannedMs, this.#permittedMs),
      span(this.#permittedMs, this.#endedMs),
      span(this.#issuedMs, this.#endedMs),
      running ? null : 0n,
      running ? null : 0n,
      this.#phase === 'success',
      running,
      this.#phase === 'cancel',
      traceId ?? null,
    ];
  }

  get #final(): boolean {
    return this.#endedMs !== undefined;
  }

  #end(phase: 'success' | 'fail' | 'cancel'): void {
    if (this.#final) return;
    this.#phase = phase;
    this.#endedMs = this.#clock.monotonicMs();
    this.#query.signal?.removeEventListener('abort', this.#leave);
    this.#onEnd();
  }
}

function queryKilled(): InfluxError {
  const message = 'query error: the query was ended by KILL QUERY';
  return new InfluxError({ code: 'QUERY_KILLED', message, status: 500, grpc: GRPC_STATUS.CANCELLED });
}

/** Nanoseconds between two readings of the monotonic clock; null while one of them is missing. */
function span(fromMs: number | undefined, toMs: number | undefined): bigint | null {
  return fromMs === undefined || toMs === undefined ? null : BigInt(Math.round((toMs - fromMs) * 1e6));
}

/** `system.queries`: one log for the whole server, the same in every database. */
export function queriesTable(log: QueryLog): SystemTableProvider {
  return {
    name: 'queries',
    columns: QUERIES_COLUMNS,
    rows(database, viewer) {
      const entries = log.entries().filter((entry) => viewer?.ownQueriesOnly !== true || entry.database === database);
      return entries.map((entry) => entry.cells());
    },
  };
}

const QUERIES_COLUMNS: SystemTableProvider['columns'] = [
  { name: 'id', type: 'string', required: true },
  { name: 'phase', type: 'string', required: true },
  { name: 'issue_time', type: 'time', required: true },
  { name: 'query_type', type: 'string', required: true },
  { name: 'query_text', type: 'string', required: true },
  { name: 'partitions', type: 'integer' },
  { name: 'parquet_files', type: 'integer' },
  { name: 'plan_duration', type: 'duration' },
  { name: 'permit_duration', type: 'duration' },
  { name: 'execute_duration', type: 'duration' },
  { name: 'end2end_duration', type: 'duration' },
  { name: 'compute_duration', type: 'duration' },
  { name: 'max_memory', type: 'integer' },
  { name: 'success', type: 'boolean', required: true },
  { name: 'running', type: 'boolean', required: true },
  { name: 'cancelled', type: 'boolean', required: true },
  { name: 'trace_id', type: 'string' },
];
