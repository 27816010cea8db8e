import { join } from 'node:path';
import type { TableSchema } from '../../catalog/schema.ts';
import type { Engine } from '../../duckdb/index.ts';
import type { FairTurns, Lanes } from '../../scheduling/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { ColumnType } from '../../shared/column-type.ts';
import { databaseNotFound, InfluxError } from '../../shared/errors.ts';
import { GRPC_STATUS } from '../../shared/grpc-status.ts';
import type { TelemetryRecorder } from '../../telemetry/recorder.ts';
import { type DirectExecutor, DirectResult } from '../columns/index.ts';
import type { QueryService, SqlRequest } from '../query-service.ts';
import type { QueryResult } from '../result.ts';
import { type TableReader, type TableSnapshot, tableSource } from '../scan/sources.ts';
import { isIntegerOverflow, mapEngineError, notImplemented, physicalNames, SqlCompiler, tableNotFound } from '../sql/index.ts';
import type { CacheFunctionName, CompiledSql, RelationInfo, RelationUse } from '../sql/types/contract.ts';
import {
  type CacheFunctions,
  type CacheRelation,
  type LoggedQuery,
  LoggedResult,
  MadeTables,
  type QueryLog,
  type QueryLogEntry,
  type RowSet,
  type SystemTables,
} from '../system-tables/index.ts';
import { EngineFreeAnswers } from './engine-free.ts';
import { fileResult } from './file-result.ts';
import type { MemoryWatch } from './memory-watch.ts';
import { boundsPerTable, laneOf, type Plan, planSize } from './plan.ts';
import { streamQuery } from './stream-query.ts';

export interface QueryExecutorDependencies {
  readonly engine: () => Promise<Engine>;
  readonly memory: MemoryWatch;
  readonly lanes: Lanes;
  /** Turns of this thread. */
  readonly fairTurns: FairTurns;
  readonly tables: TableReader;
  /** Answers plain questions from columns in memory; absent = the engine answers everything. */
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
  /** For results that must be a file first; inside the engine's allowed directories. */
  readonly temporaryDirectory: string;
  /** Undefined = no limit. */
  readonly timeoutMs: number | undefined;
  /** Parquet files that one use of a table may read; undefined = no limit. */
  readonly fileLimit?: number | undefined;
}

/** What a query is besides its language. */
export type StatementRequest = Omit<SqlRequest, 'params'>;

/** The user tables of one database as a compiler sees them. */
export interface StatementCatalog {
  /** Wall clock of the statement. */
  readonly nowNs: bigint;
  /** Names of the live tables, in any order. */
  measurements(): readonly string[];
  measurement(name: string): RelationInfo | undefined;
}

type Compile = (catalog: StatementCatalog) => CompiledSql | Promise<CompiledSql>;

/** How statements become engine SQL. */
interface Compilers {
  readonly plain: Compile;
  /** For a statement that failed because an integer was too large; absent = it fails. */
  readonly wrapping?: Compile;
}

/** Compiles a statement, takes one consistent snapshot of every table in it, runs it and streams the rows. */
export class QueryExecutor implements QueryService {
  readonly #deps: QueryExecutorDependencies;
  readonly #relations = new WeakMap<TableSchema, RelationInfo>();
  readonly #cacheRelations = new WeakMap<RelationInfo, CacheRelation>();
  readonly #madeTables = new MadeTables();
  readonly #compiler = new SqlCompiler();
  readonly #engineFree: EngineFreeAnswers;
  #temporaryFiles = 0;

  constructor(dependencies: QueryExecutorDependencies) {
    this.#deps = dependencies;
    const { direct, tables, fileLimit } = dependencies;
    this.#engineFree = new EngineFreeAnswers({ direct, tables, fileLimit });
  }

  /** Makes ready what the first statement would wait for. */
  warmUp(): Promise<void> {
    return this.#compiler.warmUp();
  }

  sql(request: SqlRequest): Promise<QueryResult> {
    return this.#statement(request, this.#compilers(request));
  }

  /** Runs a statement that `compile` makes from the tables of the database, in whatever language the request is written. */
  statement(request: StatementRequest, compile: Compile): Promise<QueryResult> {
    return this.#statement(request, { plain: compile });
  }

  async #statement(request: StatementRequest, compilers: Compilers): Promise<QueryResult> {
    this.#requireDatabase(request.database);
    const entry = this.#deps.queryLog.begin(loggedQuery(request));
    await this.#deps.fairTurns.take();
    const result = await this.#logged(entry, request.signal, () => this.#stream(request, compilers, entry));
    return new LoggedResult(result, entry, request.signal);
  }

  /** A query of the server itself: neither counted nor in the query log. */
  async internalSql(request: SqlRequest): Promise<QueryResult> {
    this.#requireDatabase(request.database);
    return this.#stream(request, this.#compilers(request), undefined);
  }

  sqlToParquet(request: SqlRequest): Promise<Uint8Array> {
    return this.#toParquet(request, this.#compilers(request));
  }

  /** As `statement`, as one complete Parquet file. */
  statementToParquet(request: StatementRequest, compile: Compile): Promise<Uint8Array> {
    return this.#toParquet(request, { plain: compile });
  }

  async #toParquet(request: StatementRequest, compilers: Compilers): Promise<Uint8Array> {
    this.#requireDatabase(request.database);
    const entry = this.#deps.queryLog.begin(loggedQuery(request));
    const file = await this.#logged(entry, request.signal, () => this.#file(request, compilers, entry));
    entry.succeed();
    return file;
  }

  #stream(request: StatementRequest, compilers: Compilers, entry: QueryLogEntry | undefined): Promise<QueryResult> {
    return this.#run(request, compilers, entry, (compiled) => this.#streamed(request, compiled, entry));
  }

  #file(request: StatementRequest, compilers: Compilers, entry: QueryLogEntry): Promise<Uint8Array> {
    return this.#run(request, compilers, entry, (compiled) => this.#written(request, compiled, entry));
  }

  /**
   * Compiles and runs. compat: integers wrap; the engine fails, which costs nothing as long as no integer is too large.
   * What fails for it before its first rows were handed over is run once more in the slow form that wraps.
   */
  async #run<T>(
    request: StatementRequest,
    { plain, wrapping }: Compilers,
    entry: QueryLogEntry | undefined,
    run: (compiled: CompiledSql) => Promise<T>,
  ): Promise<T> {
    const catalog = this.#catalogOf(request.database);
    const compiled = await plain(catalog);
    entry?.compiled();
    try {
      return await run(compiled);
    } catch (error) {
      if (wrapping === undefined || !isIntegerOverflow(error)) throw error;
    }
    return run(await wrapping(catalog));
  }

  async #streamed(request: StatementRequest, compiled: CompiledSql, entry: QueryLogEntry | undefined): Promise<QueryResult> {
    const free = await this.#engineFree.answer(compiled, request.database, (relation) => this.#cacheRelations.get(relation));
    if (free !== undefined) {
      this.#planned(free, entry);
      return new DirectResult(free.columns, free.batches);
    }
    const engine = await this.#deps.engine();
    const plan = await this.#plan(engine, compiled, request.database);
    try {
      this.#planned(plan, entry);
      return await streamQuery({
        engine,
        memory: this.#deps.memory,
        lane: this.#deps.lanes.query(laneOf(compiled, plan)),
        sql: plan.sql,
        output: compiled.output,
        explain: compiled.explain,
        small: compiled.small === true,
        collect: compiled.unordered === true && plan.scannedRows <= COLLECTED_SCAN_ROWS_MAX,
        signal: withTimeout(request.signal, this.#deps.timeoutMs),
        mapError: (error) => engine.failure ?? mapEngineError(error),
        onEnd: plan.release,
      });
    } catch (error) {
      plan.release();
      throw engine.failure ?? mapEngineError(error);
    }
  }

  /** Tells the query log and, the first time, telemetry. */
  #planned(plan: Pick<Plan, 'partitions' | 'parquetFiles'>, entry: QueryLogEntry | undefined): void {
    if (entry === undefined) return;
    if (!entry.isPlanned) this.#deps.telemetry.recordQuery();
    entry.planned(plan);
    entry.permitted();
  }

  async #written(request: StatementRequest, compiled: CompiledSql, entry: QueryLogEntry): Promise<Uint8Array> {
    const digested = compiled.output.find((column) => column.digest !== undefined);
    if (digested !== undefined) throw notImplemented(`${digested.digest?.algorithm} of a value that is not a constant, in a Parquet file`);
    const engine = await this.#deps.engine();
    const plan = await this.#plan(engine, compiled, request.database);
    this.#planned(plan, entry);
    return fileResult({
      engine,
      memory: this.#deps.memory,
      lane: this.#deps.lanes.query(laneOf(compiled, plan)),
      sql: plan.sql,
      explain: compiled.explain,
      path: join(this.#deps.temporaryDirectory, `result-${process.pid}-${this.#temporaryFiles++}.parquet`),
      signal: withTimeout(request.signal, this.#deps.timeoutMs),
      mapError: (error) => engine.failure ?? mapEngineError(error),
      onEnd: plan.release,
    });
  }

  /** Ends the entry of a query that fails before its result exists. */
  async #logged<T>(entry: QueryLogEntry, signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (signal?.aborted === true) entry.cancel();
      else entry.fail();
      throw error;
    }
  }

  #catalogOf(database: string): StatementCatalog {
    return {
      nowNs: this.#deps.clock.nowNs(),
      measurements: () => this.#deps.tableNames(database),
      measurement: (name) => this.#relation(database, 'iox', name),
    };
  }

  #requireDatabase(database: string): void {
    if (!this.#deps.databaseExists(database)) throw databaseNotFound(database);
  }

  #compilers(request: SqlRequest): Compilers {
    return { plain: ({ nowNs }) => this.#compile(request, nowNs, false), wrapping: ({ nowNs }) => this.#compile(request, nowNs, true) };
  }

  #compile(request: SqlRequest, nowNs: bigint, wrapsIntegers: boolean): Promise<CompiledSql> {
    const { database } = request;
    const { caches } = this.#deps;
    return this.#compiler.compile(request.query, {
      database,
      nowNs,
      wrapsIntegers,
      params: request.params,
      relation: (schema, name) => this.#relation(database, schema, name),
      ...(caches === undefined ? {} : { cacheFunction: (name, args) => this.#cacheRelation(caches.resolve(database, name, args), name) }),
    });
  }

  #cacheRelation(cache: CacheRelation, name: CacheFunctionName): RelationInfo {
    const relation: RelationInfo = { schema: 'function', name, columns: cache.columns };
    this.#cacheRelations.set(relation, cache);
    return relation;
  }

  #relation(database: string, schema: 'iox' | 'system' | 'information_schema', name: string): RelationInfo | undefined {
    if (schema !== 'iox') return this.#deps.systemTables.relation(schema, name, database);
    const table = this.#deps.tables.table(database, name);
    if (table === undefined) return undefined;
    const known = this.#relations.get(table);
    // a table has another name once it is deleted, and again once it is undeleted
    if (known !== undefined && known.name === name && known.columns.length === table.columns.length) return known;
    const relation: RelationInfo = { schema: 'iox', name, columns: sortedColumns(table) };
    this.#relations.set(table, relation);
    return relation;
  }

  /** One snapshot per table, however often the statement uses it; all of them are taken before anything is read. */
  async #plan(engine: Engine, compiled: CompiledSql, database: string): Promise<Plan> {
    const { tables } = this.#deps;
    const snapshots = new Map<string, TableSnapshot>();
    const releases: (() => void)[] = [];
    const release = (): void => {
      for (const done of releases.splice(0)) done();
    };
    try {
      const made = await this.#madeRows(compiled, database);
      const sources: string[] = [];
      const bounds = boundsPerTable(compiled);
      for (const use of compiled.uses) {
        const { schema, name, columns } = use.relation;
        const physical = physicalNames(columns.map((column) => column.name));
        if (schema !== 'iox') {
          const rows = made.get(use);
          if (rows === undefined) throw new Error('internal error: a made table has no rows');
          const source = await this.#madeTables.source(engine, rows, use.columns, physical);
          releases.push(source.release);
          sources.push(source.sql);
          continue;
        }
        let snapshot = snapshots.get(name);
        if (snapshot === undefined) {
          const table = tables.table(database, name);
          if (table === undefined) throw tableNotFound([name]); // deleted since the statement was compiled
          snapshot = await tables.snapshot(table, bounds.get(name)?.min, bounds.get(name)?.max);
          snapshots.set(name, snapshot);
          releases.push(snapshot.release.bind(snapshot));
          this.#checkFileLimit(snapshot.files.length);
        }
        sources.push(tableSource(use, snapshot, tables.chunkDurationNs, physical));
      }
      return { sql: compiled.print((index) => sources[index] as string), release, ...planSize(snapshots.values()) };
    } catch (error) {
      release();
      throw error;
    }
  }

  #checkFileLimit(files: number): void {
    const { fileLimit } = this.#deps;
    if (fileLimit === undefined || files <= fileLimit) return;
    const message = `External error: Query would scan ${files} Parquet files, exceeding the file limit. Narrow the time range, or raise --query-file-limit (${fileLimit} now).`;
    throw new InfluxError({ code: 'QUERY_FILE_LIMIT', message, status: 500, grpc: GRPC_STATUS.RESOURCE_EXHAUSTED });
  }

  /** Rows of every use of a table that the server makes itself; equal tables share one reading. */
  async #madeRows(compiled: CompiledSql, database: string): Promise<Map<RelationUse, RowSet>> {
    const reading = new Map<string, Promise<RowSet>>();
    const rowsOf = (use: RelationUse): Promise<RowSet> | undefined => {
      const { relation, columns } = use;
      const { schema, name } = relation;
      if (schema === 'iox') return undefined;
      if (schema === 'function') {
        return this.#cacheRelations
          .get(relation)
          ?.rows(columns)
          .then((rows) => ({ columns: relation.columns, rows }));
      }
      const key = `${schema}.${name}`;
      const known = reading.get(key) ?? this.#deps.systemTables.rows(schema, name, database);
      reading.set(key, known);
      return known;
    };
    const all = compiled.uses.map(async (use) => [use, await rowsOf(use)] as const);
    const made = new Map<RelationUse, RowSet>();
    for (const [use, rows] of await Promise.all(all)) if (rows !== undefined) made.set(use, rows);
    return made;
  }
}

/** Statements that read more rows than this stay streams, so that their first rows come soon. */
const COLLECTED_SCAN_ROWS_MAX = 5_000_000;

function loggedQuery({ kind, query, loggedText, traceId }: StatementRequest): LoggedQuery {
  return { kind: kind ?? 'sql', text: loggedText ?? query, traceId };
}

function sortedColumns(table: TableSchema): { name: string; type: ColumnType }[] {
  return table.columns
    .map((column) => ({ name: column.name, type: column.type }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

function withTimeout(signal: AbortSignal | undefined, timeoutMs: number | undefined): AbortSignal | undefined {
  if (timeoutMs === undefined) return signal;
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
}
