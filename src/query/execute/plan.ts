import type { Engine } from '../../duckdb/index.ts';
import type { LaneName } from '../../scheduling/index.ts';
import { InfluxError } from '../../shared/errors.ts';
import { GRPC_STATUS } from '../../shared/grpc-status.ts';
import type { SqlRequest } from '../query-service.ts';
import { type TableReader, type TableSnapshot, tableSource } from '../scan/sources.ts';
import { physicalNames, tableNotFound } from '../sql/index.ts';
import type { CompiledSql, RelationUse } from '../sql/types/contract.ts';
import { MadeTables, type RowSet, type SystemTables } from '../system-tables/index.ts';
import type { Relations } from './relations.ts';

/** A statement ready to run. */
export interface Plan {
  readonly sql: string;
  readonly partitions: number;
  readonly parquetFiles: number;
  /** Rows of the files and buffers. */
  readonly scannedRows: number;
  /** Idempotent. */
  readonly release: () => void;
}

export interface PlannerOptions {
  readonly tables: TableReader;
  readonly systemTables: Pick<SystemTables, 'rows'>;
  readonly relations: Pick<Relations, 'cacheOf'>;
  /** Parquet files that one use of a table may read; undefined = no limit. */
  readonly fileLimit: number | undefined;
}

/** For whom a plan is made. */
type PlanFor = Pick<SqlRequest, 'database' | 'ownQueriesOnly'>;

/**
 * Turns compiled statements into DuckDB SQL over files and buffered rows.
 *
 * Shared by: all statements. Safe because each plan holds snapshots of its own, which it releases once.
 */
export class Planner {
  readonly #options: PlannerOptions;
  readonly #madeTables = new MadeTables();

  constructor(options: PlannerOptions) {
    this.#options = options;
  }

  /** Takes one snapshot of every table, all in one step; it stays until `release`. Throws `InfluxError`; nothing is held then. */
  async plan(engine: Engine, compiled: CompiledSql, { database, ownQueriesOnly }: PlanFor): Promise<Plan> {
    const releases: (() => void)[] = [];
    const release = (): void => {
      for (const done of releases.splice(0)) done();
    };
    try {
      const made = await this.#madeRows(compiled, { database, ownQueriesOnly });
      const snapshots = await this.#snapshots(compiled, database, releases);
      const sources: string[] = [];
      for (const use of compiled.uses) {
        const { schema, name, columns } = use.relation;
        const physical = physicalNames(columns.map((column) => column.name));
        const snapshot = snapshots.get(name);
        if (schema === 'iox') {
          if (snapshot === undefined) throw new Error('internal error: a table has no snapshot');
          sources.push(tableSource(use, snapshot, this.#options.tables.chunkDurationNs, physical));
          continue;
        }
        const rows = made.get(use);
        if (rows === undefined) throw new Error('internal error: a made table has no rows');
        const source = await this.#madeTables.source(engine, rows, use.columns, physical);
        releases.push(source.release);
        sources.push(source.sql);
      }
      return { sql: compiled.print((index) => sources[index] as string), release, ...planSize(snapshots.values()) };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** One snapshot per table, however often the statement uses it, all begun in the same turn: they show the same moment. */
  async #snapshots(compiled: CompiledSql, database: string, releases: (() => void)[]): Promise<Map<string, TableSnapshot>> {
    const { tables } = this.#options;
    const bounds = [...boundsPerTable(compiled)].map(([name, range]) => {
      const table = tables.table(database, name);
      if (table === undefined) throw tableNotFound([name]); // deleted since the statement was compiled
      return { name, table, range };
    });
    const begun = bounds.map(({ table, range }) => tables.snapshot(table, range.min, range.max));
    const snapshots = new Map<string, TableSnapshot>();
    let failure: { readonly error: unknown } | undefined;
    for (const [i, settled] of (await Promise.allSettled(begun)).entries()) {
      if (settled.status === 'rejected') {
        failure ??= { error: settled.reason };
        continue;
      }
      releases.push(settled.value.release.bind(settled.value));
      snapshots.set(bounds[i]?.name ?? '', settled.value);
    }
    if (failure !== undefined) throw failure.error;
    for (const { files } of snapshots.values()) this.#checkFileLimit(files.length);
    return snapshots;
  }

  #checkFileLimit(files: number): void {
    const { fileLimit } = this.#options;
    if (fileLimit === undefined || files <= fileLimit) return;
    const message = `External error: Query would scan ${files} Parquet files, exceeding the file limit. Narrow the time range, or raise --query-file-limit (${fileLimit} now).`;
    throw new InfluxError({ code: 'QUERY_FILE_LIMIT', message, status: 500, grpc: GRPC_STATUS.RESOURCE_EXHAUSTED });
  }

  /** Rows of every use of a table that the server makes itself; equal tables share one reading. */
  async #madeRows(compiled: CompiledSql, { database, ownQueriesOnly }: PlanFor): Promise<Map<RelationUse, RowSet>> {
    const reading = new Map<string, Promise<RowSet>>();
    const rowsOf = (use: RelationUse): Promise<RowSet> | undefined => {
      const { relation, columns } = use;
      const { schema, name } = relation;
      if (schema === 'iox') return undefined;
      if (schema === 'function') {
        return this.#options.relations
          .cacheOf(relation)
          ?.rows(columns)
          .then((rows) => ({ columns: relation.columns, rows }));
      }
      const key = `${schema}.${name}`;
      const known = reading.get(key) ?? this.#options.systemTables.rows(schema, name, database, { ownQueriesOnly });
      reading.set(key, known);
      return known;
    };
    const all = compiled.uses.map(async (use) => [use, await rowsOf(use)] as const);
    const made = new Map<RelationUse, RowSet>();
    for (const [use, rows] of await Promise.all(all)) if (rows !== undefined) made.set(use, rows);
    return made;
  }
}

/** Files that the plan reads and the time chunks that they are of. */
function planSize(snapshots: Iterable<TableSnapshot>): { partitions: number; parquetFiles: number; scannedRows: number } {
  let partitions = 0;
  let scannedRows = 0;
  let parquetFiles = 0;
  for (const { buffer, files } of snapshots) {
    for (const { rowCount } of files) scannedRows += rowCount;
    for (const { rows } of buffer?.generations ?? []) scannedRows += rows;
    partitions += new Set(files.map((file) => file.chunkTimeNs)).size;
    parquetFiles += files.length;
  }
  return { partitions, parquetFiles, scannedRows };
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

/** Statements that read one table, and no more rows than this, are light until they prove otherwise. */
const LIGHT_SCAN_ROWS_MAX = 300_000;

/** Statements that read so many rows are heavy from the start, unless few of the rows may be all they need. */
const HEAVY_SCAN_ROWS_MIN = 20_000_000;

/** Where a statement waits for DuckDB. */
export function laneOf({ small, uses }: CompiledSql, { scannedRows }: Plan): LaneName {
  if (uses.length === 1 && scannedRows <= LIGHT_SCAN_ROWS_MAX) return 'light';
  return scannedRows >= HEAVY_SCAN_ROWS_MIN && small !== true ? 'heavy' : 'short';
}
