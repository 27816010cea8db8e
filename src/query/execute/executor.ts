import type { Engine } from '../../duckdb/index.ts';
import type { FairTurns, Lanes } from '../../scheduling/index.ts';
import type { Clock } from '../../shared/clock.ts';
import { databaseNotFound } from '../../shared/errors.ts';
import { anySignal, unlessAborted } from '../../shared/signals.ts';
import type { TelemetryRecorder } from '../../telemetry/recorder.ts';
import { type DirectExecutor, DirectResult } from '../columns/index.ts';
import { queryCancelled } from '../query-cancelled.ts';
import type { QueryService, SqlRequest, StatementDescription } from '../query-service.ts';
import type { QueryResult } from '../result.ts';
import type { TableReader } from '../scan/sources.ts';
import { isOverflow, SqlCompiler } from '../sql/index.ts';
import type { CompiledSql, SqlCompileContext } from '../sql/types/contract.ts';
import {
  type CacheFunctions,
  type LoggedQuery,
  LoggedResult,
  type QueryLog,
  type QueryLogEntry,
  type SystemTables,
} from '../system-tables/index.ts';
import { Answers, requireFileResult } from './answers.ts';
import { EngineFreeAnswers } from './engine-free.ts';
import type { MemoryWatch } from './memory-watch.ts';
import { type Plan, Planner } from './plan.ts';
import { Relations, type StatementCatalog } from './relations.ts';

export interface QueryExecutorDependencies {
  readonly engine: () => Promise<Engine>;
  readonly memory: MemoryWatch;
  readonly lanes: Lanes;
  /** Turns of this thread. */
  readonly fairTurns: FairTurns;
  readonly tables: TableReader;
  /** Answers plain statements from columns in memory; absent = DuckDB answers everything. */
  readonly direct?: DirectExecutor | undefined;
  readonly systemTables: SystemTables;
  /** Absent = `last_cache(..)` and `distinct_cache(..)` are refused. */
  readonly caches?: CacheFunctions;
  readonly queryLog: QueryLog;
  /** True when the name is a database of the catalog, deleted or not. */
  readonly databaseExists: (name: string) => boolean;
  /** Names of the live tables of a database. */
  readonly tableNames: (database: string) => readonly string[];
  readonly telemetry: TelemetryRecorder;
  readonly clock: Clock;
  /** For results that must be a file first; one of DuckDB's allowed directories. */
  readonly temporaryDirectory: string;
  /** Undefined = no limit. */
  readonly timeoutMs: number | undefined;
  /** Parquet files that one use of a table may read; undefined = no limit. */
  readonly fileLimit?: number | undefined;
}

/** What a query is besides its language. */
export type StatementRequest = Omit<SqlRequest, 'params'>;

type Compile = (catalog: StatementCatalog) => CompiledSql | Promise<CompiledSql>;

/** How statements become DuckDB SQL. */
interface Compilers {
  readonly plain: Compile;
  /** For a statement that failed because an integer was too large; absent = it fails. */
  readonly wrapping?: Compile;
}

/**
 * The one way in for queries of every language and protocol: each is counted for telemetry, logged, ended at its time limit,
 * compiled against the names of its database (`relations.ts`), planned over one moment of its tables (`plan.ts`) and
 * answered (`engine-free.ts`, `answers.ts`).
 */
export class QueryExecutor implements QueryService {
  readonly #deps: QueryExecutorDependencies;
  readonly #compiler = new SqlCompiler();
  readonly #relations: Relations;
  readonly #planner: Planner;
  readonly #answers: Answers;
  readonly #engineFree: EngineFreeAnswers;

  constructor(dependencies: QueryExecutorDependencies) {
    this.#deps = dependencies;
    const { direct, tables, fileLimit } = dependencies;
    this.#relations = new Relations(dependencies);
    this.#planner = new Planner({ ...dependencies, relations: this.#relations, fileLimit });
    this.#answers = new Answers(dependencies);
    this.#engineFree = new EngineFreeAnswers({ direct, tables, fileLimit });
  }

  /** Makes ready what the first statement would wait for. */
  warmUp(): Promise<void> {
    return this.#compiler.warmUp();
  }

  sql(request: SqlRequest): Promise<QueryResult> {
    return this.#statement(request, this.#compilers(request));
  }

  /** Queries that have not ended, oldest first. */
  running(): ReturnType<QueryLog['running']> {
    return this.#deps.queryLog.running();
  }

  /** Ends a query by its number. False when none with it runs. */
  kill(number: number): boolean {
    return this.#deps.queryLog.kill(number);
  }

  /** Runs a statement that `compile` makes from the tables of the database, in whatever language the request is written. */
  statement(request: StatementRequest, compile: Compile): Promise<QueryResult> {
    return this.#statement(request, { plain: compile });
  }

  sqlToParquet(request: SqlRequest): Promise<Uint8Array> {
    return this.#toParquet(request, this.#compilers(request));
  }

  describe(request: SqlRequest): Promise<StatementDescription> {
    return this.describeStatement(request, ({ nowNs }) => this.#compile(request, { nowNs, describesOnly: true }));
  }

  /** As `describe`, for a statement in whatever language. */
  async describeStatement(request: StatementRequest, compile: Compile): Promise<StatementDescription> {
    this.#requireDatabase(request.database);
    const signal = withTimeout(request.signal, this.#deps.timeoutMs);
    await this.#deps.fairTurns.take();
    const compiled = await compile(this.#relations.catalogOf(request.database, this.#deps.clock.nowNs()));
    const { engine, plan } = await this.#planned({ ...request, signal }, compiled, undefined);
    try {
      return await this.#answers.describe(engine, compiled, plan, { text: request.query, signal });
    } finally {
      plan.release();
    }
  }

  /** As `statement`, as one complete Parquet file. */
  statementToParquet(request: StatementRequest, compile: Compile): Promise<Uint8Array> {
    return this.#toParquet(request, { plain: compile });
  }

  /** A query of the server itself: neither counted nor in the query log. */
  async internalSql(request: SqlRequest): Promise<QueryResult> {
    this.#requireDatabase(request.database);
    return this.#stream({ ...request, signal: withTimeout(request.signal, this.#deps.timeoutMs) }, this.#compilers(request), undefined);
  }

  async #statement(request: StatementRequest, compilers: Compilers): Promise<QueryResult> {
    this.#requireDatabase(request.database);
    const entry = this.#begin(request);
    await this.#deps.fairTurns.take();
    const { signal } = entry;
    const result = await this.#logged(entry, () => this.#stream({ ...request, signal }, compilers, entry));
    return new LoggedResult(result, entry);
  }

  async #toParquet(request: StatementRequest, compilers: Compilers): Promise<Uint8Array> {
    this.#requireDatabase(request.database);
    const entry = this.#begin(request);
    const { signal } = entry;
    const limited = { ...request, signal };
    const file = await this.#logged(entry, () =>
      this.#run(limited, compilers, entry, async (compiled) => {
        requireFileResult(compiled);
        const { engine, plan } = await this.#planned(limited, compiled, entry);
        return this.#answers.parquet(engine, compiled, plan, signal);
      }),
    );
    entry.succeed();
    return file;
  }

  #stream(request: StatementRequest, compilers: Compilers, entry: QueryLogEntry | undefined): Promise<QueryResult> {
    const { signal } = request;
    return this.#run(request, compilers, entry, async (compiled) => {
      const answering = this.#engineFree.answer(compiled, request.database, (relation) => this.#relations.cacheOf(relation), signal);
      const free = await wanted(answering, signal);
      if (free !== undefined) {
        this.#count(request, free, entry);
        return new DirectResult(free.columns, free.batches);
      }
      const { engine, plan } = await this.#planned(request, compiled, entry);
      request.onPlanned?.(async () => (await this.#answers.describe(engine, compiled, plan, { text: request.query, signal })).columns);
      return this.#answers.stream(engine, compiled, plan, signal);
    });
  }

  /**
   * Compiles and runs. compat: integers wrap; DuckDB fails, which costs nothing as long as no integer is too large.
   * What fails for it before its first rows were handed over is run once more in the slow form that wraps.
   */
  async #run<T>(
    request: StatementRequest,
    { plain, wrapping }: Compilers,
    entry: QueryLogEntry | undefined,
    run: (compiled: CompiledSql) => Promise<T>,
  ): Promise<T> {
    // It may have waited for its turn for longer than it is wanted, and nothing ends a compilation.
    requireWanted(request.signal);
    const catalog = this.#relations.catalogOf(request.database, this.#deps.clock.nowNs());
    const compiled = await plain(catalog);
    requireWanted(request.signal);
    entry?.compiled();
    try {
      return await run(compiled);
    } catch (error) {
      if (wrapping === undefined || !isOverflow(error)) throw error;
    }
    return run(await wrapping(catalog));
  }

  async #planned(
    request: StatementRequest,
    compiled: CompiledSql,
    entry: QueryLogEntry | undefined,
  ): Promise<{ readonly engine: Engine; readonly plan: Plan }> {
    const planning = this.#deps.engine().then(async (engine) => ({ engine, plan: await this.#planner.plan(engine, compiled, request) }));
    const planned = await wanted(planning, request.signal, ({ plan }) => plan.release());
    this.#count(request, planned.plan, entry);
    return planned;
  }

  #begin(request: StatementRequest): QueryLogEntry {
    return this.#deps.queryLog.begin({ ...loggedQuery(request), signal: withTimeout(request.signal, this.#deps.timeoutMs) });
  }

  /** Tells the query log and, the first time, telemetry. */
  #count({ origin }: StatementRequest, plan: Pick<Plan, 'partitions' | 'parquetFiles'>, entry: QueryLogEntry | undefined): void {
    if (entry === undefined) return;
    if (!entry.isPlanned && origin !== 'plugin') this.#deps.telemetry.recordQuery();
    entry.planned(plan);
    entry.permitted();
  }

  /** Ends the entry of a query that fails before its result exists. */
  async #logged<T>(entry: QueryLogEntry, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (entry.signal.aborted) entry.abandon();
      else entry.fail();
      throw error;
    }
  }

  #requireDatabase(database: string): void {
    if (!this.#deps.databaseExists(database)) throw databaseNotFound(database);
  }

  #compilers(request: SqlRequest): Compilers {
    return {
      plain: ({ nowNs }) => this.#compile(request, { nowNs }),
      wrapping: ({ nowNs }) => this.#compile(request, { nowNs, wrapsIntegers: true }),
    };
  }

  #compile(request: SqlRequest, way: Pick<SqlCompileContext, 'nowNs' | 'wrapsIntegers' | 'describesOnly'>): Promise<CompiledSql> {
    const context = this.#relations.contextOf(request.database);
    return this.#compiler.compile(request.query, { ...context, ...way, params: request.params });
  }
}

function loggedQuery({ database, kind, query, loggedText, signal, traceId }: StatementRequest): LoggedQuery {
  return { kind: kind ?? 'sql', text: loggedText ?? query, database, signal, traceId };
}

function requireWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw queryCancelled(signal);
}

/** Does not wait longer for what cannot be ended than the query is wanted: files may have to come from a bucket that does not answer. */
function wanted<T>(work: Promise<T>, signal: AbortSignal | undefined, late?: (value: T) => void): Promise<T> {
  return unlessAborted(work, signal, late).catch((error: unknown) => {
    throw signal?.aborted === true ? queryCancelled(signal) : error;
  });
}

function withTimeout(signal: AbortSignal | undefined, timeoutMs: number | undefined): AbortSignal | undefined {
  if (timeoutMs === undefined) return signal;
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? timeout : anySignal(signal, timeout);
}
