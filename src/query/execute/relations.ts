import type { TableSchema } from '../../catalog/schema.ts';
import type { ColumnType } from '../../shared/column-type.ts';
import type { TableReader } from '../scan/sources.ts';
import type { CacheFunctionName, RelationInfo, SqlCompileContext } from '../sql/types/contract.ts';
import type { CacheFunctions, CacheRelation, SystemTables } from '../system-tables/index.ts';

/** The user tables of one database as a compiler sees them. */
export interface StatementCatalog {
  /** Wall clock of the statement. */
  readonly nowNs: bigint;
  /** Names of the live tables, in any order. */
  measurements(): readonly string[];
  measurement(name: string): RelationInfo | undefined;
}

export interface RelationsOptions {
  readonly tables: Pick<TableReader, 'table'>;
  readonly systemTables: Pick<SystemTables, 'relation'>;
  /** Absent = `last_cache(..)` and `distinct_cache(..)` are refused. */
  readonly caches?: CacheFunctions | undefined;
  /** Names of the live tables of a database. */
  readonly tableNames: (database: string) => readonly string[];
}

/**
 * What a name in a statement means: a user table, a system table, or the rows of a cache.
 *
 * Shared by: all statements. Safe because relations are made in one synchronous step and never change; they go with their table.
 */
export class Relations {
  readonly #options: RelationsOptions;
  readonly #byTable = new WeakMap<TableSchema, RelationInfo>();
  readonly #caches = new WeakMap<RelationInfo, CacheRelation>();

  constructor(options: RelationsOptions) {
    this.#options = options;
  }

  /** For compilers that see user tables only. */
  catalogOf(database: string, nowNs: bigint): StatementCatalog {
    return {
      nowNs,
      measurements: () => this.#options.tableNames(database),
      measurement: (name) => this.#relation(database, 'iox', name),
    };
  }

  /** For the SQL compiler. */
  contextOf(database: string): Pick<SqlCompileContext, 'database' | 'relation' | 'tableNames' | 'cacheFunction'> {
    const { caches } = this.#options;
    return {
      database,
      relation: (schema, name) => this.#relation(database, schema, name),
      tableNames: () => this.#options.tableNames(database),
      ...(caches === undefined ? {} : { cacheFunction: (name, args) => this.#cacheRelation(caches.resolve(database, name, args), name) }),
    };
  }

  /** The cache behind a relation that `cacheFunction` made. */
  cacheOf(relation: RelationInfo): CacheRelation | undefined {
    return this.#caches.get(relation);
  }

  #cacheRelation(cache: CacheRelation, name: CacheFunctionName): RelationInfo {
    const relation: RelationInfo = { schema: 'function', name, columns: cache.columns };
    this.#caches.set(relation, cache);
    return relation;
  }

  #relation(database: string, schema: 'iox' | 'system' | 'information_schema', name: string): RelationInfo | undefined {
    if (schema !== 'iox') return this.#options.systemTables.relation(schema, name, database);
    const table = this.#options.tables.table(database, name);
    if (table === undefined) return undefined;
    const known = this.#byTable.get(table);
    // A table has another name once it is deleted, and again once it is brought back.
    if (known !== undefined && known.name === name && known.columns.length === table.columns.length) return known;
    const relation: RelationInfo = { schema: 'iox', name, columns: sortedColumns(table) };
    this.#byTable.set(table, relation);
    return relation;
  }
}

function sortedColumns(table: TableSchema): { name: string; type: ColumnType }[] {
  return table.columns
    .map((column) => ({ name: column.name, type: column.type }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}
