import { readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../engine/index.ts';
import { sqlString } from '../engine/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { ColumnType } from '../shared/column-type.ts';
import { databaseNotFound } from '../shared/errors.ts';
import type { TelemetryRecorder } from '../telemetry/recorder.ts';
import type { TableSchema } from '../write/catalog/schema.ts';
import { streamQuery } from './engine/stream-query.ts';
import type { QueryService, SqlRequest } from './query-service.ts';
import type { QueryResult } from './result.ts';
import { type TableReader, type TableSnapshot, tableSource } from './scan/sources.ts';
import type { CompiledSql, RelationInfo } from './sql/contract.ts';
import { compileSql, mapEngineError, physicalNames } from './sql/index.ts';
import { rowsSource, type SystemTables } from './system-tables/index.ts';

export interface QueryExecutorDependencies {
  readonly engine: () => Promise<Engine>;
  readonly tables: TableReader;
  readonly systemTables: SystemTables;
  /** True when the name is a database of the catalog, deleted or not. */
  readonly databaseExists: (name: string) => boolean;
  readonly telemetry: TelemetryRecorder;
  readonly clock: Clock;
  /** For results that must be a file first; inside the engine's allowed directories. */
  readonly temporaryDirectory: string;
  /** Undefined = no limit. */
  readonly timeoutMs: number | undefined;
}

/** Compiles a statement, takes one consistent snapshot of every table in it, runs it and streams the rows. */
export class QueryExecutor implements QueryService {
  readonly #deps: QueryExecutorDependencies;
  readonly #relations = new WeakMap<TableSchema, RelationInfo>();
  #temporaryFiles = 0;

  constructor(dependencies: QueryExecutorDependencies) {
    this.#deps = dependencies;
  }

  async sql(request: SqlRequest): Promise<QueryResult> {
    const compiled = await this.#compile(request);
    const engine = await this.#deps.engine();
    const plan = await this.#plan(compiled, request.database);
    try {
      this.#deps.telemetry.recordQuery();
      return await streamQuery({
        engine,
        sql: plan.sql,
        output: compiled.output,
        explain: compiled.explain,
        signal: withTimeout(request.signal, this.#deps.timeoutMs),
        mapError: mapEngineError,
        onEnd: plan.release,
      });
    } catch (error) {
      plan.release();
      throw mapEngineError(error);
    }
  }

  async sqlToParquet(request: SqlRequest): Promise<Uint8Array> {
    const compiled = await this.#compile(request);
    const engine = await this.#deps.engine();
    const plan = await this.#plan(compiled, request.database);
    const path = join(this.#deps.temporaryDirectory, `result-${process.pid}-${this.#temporaryFiles++}.parquet`);
    const connection = await engine.acquire();
    const interrupt = (): void => connection.interrupt();
    request.signal?.addEventListener('abort', interrupt, { once: true });
    try {
      this.#deps.telemetry.recordQuery();
      await connection.run(`COPY (${plan.sql}) TO ${sqlString(path)} (FORMAT parquet, COMPRESSION zstd)`);
      return await readFile(path);
    } catch (error) {
      throw mapEngineError(error);
    } finally {
      request.signal?.removeEventListener('abort', interrupt);
      engine.release(connection);
      plan.release();
      await unlink(path).catch(() => undefined); // absent when the query failed
    }
  }

  async #compile(request: SqlRequest): Promise<CompiledSql> {
    if (!this.#deps.databaseExists(request.database)) throw databaseNotFound(request.database);
    return compileSql(request.query, {
      database: request.database,
      nowNs: this.#deps.clock.nowNs(),
      params: request.params,
      relation: (schema, name) => this.#relation(request.database, schema, name),
    });
  }

  #relation(database: string, schema: RelationInfo['schema'], name: string): RelationInfo | undefined {
    if (schema !== 'iox') return this.#deps.systemTables.relation(schema, name, database);
    const table = this.#deps.tables.table(database, name);
    if (table === undefined) return undefined;
    const known = this.#relations.get(table);
    if (known !== undefined && known.columns.length === table.columns.length) return known;
    const relation: RelationInfo = { schema: 'iox', name, columns: sortedColumns(table) };
    this.#relations.set(table, relation);
    return relation;
  }

  /** One snapshot per table, however often the statement uses it. */
  async #plan(compiled: CompiledSql, database: string): Promise<{ sql: string; release: () => void }> {
    const { tables, systemTables } = this.#deps;
    const snapshots = new Map<string, TableSnapshot>();
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      for (const snapshot of snapshots.values()) snapshot.release();
    };
    try {
      const sources: string[] = [];
      const bounds = boundsPerTable(compiled);
      for (const use of compiled.uses) {
        const { schema, name, columns } = use.relation;
        const physical = physicalNames(columns.map((column) => column.name));
        if (schema !== 'iox') {
          sources.push(rowsSource(await systemTables.rows(schema, name, database), use.columns, physical));
          continue;
        }
        let snapshot = snapshots.get(name);
        if (snapshot === undefined) {
          const table = tables.table(database, name);
          if (table === undefined) throw new Error('internal error: a table vanished while its query was planned');
          snapshot = await tables.snapshot(table, bounds.get(name)?.min, bounds.get(name)?.max);
          snapshots.set(name, snapshot);
        }
        sources.push(tableSource(use, snapshot, tables.chunkDurationNs, physical));
      }
      return { sql: compiled.print((index) => sources[index] as string), release };
    } catch (error) {
      release();
      throw error;
    }
  }
}

/** Widest time bounds over all uses of each table. */
function boundsPerTable(compiled: CompiledSql): Map<string, { min: bigint | undefined; max: bigint | undefined }> {
  const bounds = new Map<string, { min: bigint | undefined; max: bigint | undefined }>();
  for (const use of compiled.uses) {
    if (use.relation.schema !== 'iox') continue;
    const known = bounds.get(use.relation.name);
    if (known === undefined) {
      bounds.set(use.relation.name, { min: use.minTimeNs, max: use.maxTimeNs });
      continue;
    }
    known.min = known.min === undefined || use.minTimeNs === undefined ? undefined : known.min < use.minTimeNs ? known.min : use.minTimeNs;
    known.max = known.max === undefined || use.maxTimeNs === undefined ? undefined : known.max > use.maxTimeNs ? known.max : use.maxTimeNs;
  }
  return bounds;
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
