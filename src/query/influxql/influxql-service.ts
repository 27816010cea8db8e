import { databaseNotFound, InfluxError } from '../../shared/errors.ts';
import { SECOND_NS } from '../../shared/time-units.ts';
import type { QueryExecutor, StatementRequest } from '../execute/executor.ts';
import type { StatementCatalog } from '../execute/relations.ts';
import type { QueryResult, ResultColumn } from '../result.ts';
import { BOOLEAN, madeResult, TEXT } from '../results/index.ts';
import type { CompiledSql } from '../sql/index.ts';
import { type CompiledInfluxql, compileSelect } from './compile/compile.ts';
import { notImplemented } from './compile/errors.ts';
import { printDuration } from './compile/print-expr.ts';
import { compileShow } from './compile/show.ts';
import type { GroupKey, InfluxqlChanges, InfluxqlRequest, InfluxqlResult, InfluxqlService } from './contract.ts';
import type { ChangeStatement, EmptyList, Statement } from './parse/ast.ts';

/** A database as SHOW statements list it. */
export interface ListedDatabase {
  readonly name: string;
  readonly deleted: boolean;
  readonly retentionPeriodNs: bigint | undefined;
}

export interface InfluxqlDependencies {
  readonly executor: Pick<QueryExecutor, 'statement' | 'statementToParquet' | 'describeStatement'>;
  /** All databases, deleted ones too, in the order of their creation. */
  readonly databases: () => Iterable<ListedDatabase>;
  /** Absent where nothing can be changed. */
  readonly changes?: InfluxqlChanges;
}

const NO_SERIES: GroupKey = { measurementColumn: -1, tagColumns: [] };

/** Compiles InfluxQL and runs it where SQL runs. */
export class InfluxqlExecutor implements InfluxqlService {
  readonly #deps: InfluxqlDependencies;

  constructor(dependencies: InfluxqlDependencies) {
    this.#deps = dependencies;
  }

  async run(request: InfluxqlRequest): Promise<InfluxqlResult> {
    const { statement } = request;
    if (statement.kind === 'show-databases') return { result: this.#showDatabases(), groupKey: NO_SERIES };
    if (statement.kind === 'show-retention-policies') return { result: this.#showPolicies(request.database), groupKey: NO_SERIES };
    if (statement.kind === 'refused') throw refusedStatement(statement.message);
    if (statement.kind === 'empty-list') return emptyList(statement.list);
    if (statement.kind === 'change') return this.#change(statement.change, request);
    let groupKey: GroupKey = NO_SERIES;
    const result = await this.#deps.executor.statement(statementRequest(request), (catalog) => {
      const made = compile(statement, catalog);
      if (made.compiled.explain === 'no') groupKey = made.groupKey;
      return made.compiled;
    });
    return { result, groupKey };
  }

  async describe(request: InfluxqlRequest): Promise<{ columns: readonly ResultColumn[]; groupKey: GroupKey }> {
    const { statement } = request;
    if (statement.kind === 'show-databases') return { columns: this.#showDatabases().columns, groupKey: NO_SERIES };
    if (statement.kind === 'show-retention-policies') return { columns: this.#showPolicies(request.database).columns, groupKey: NO_SERIES };
    if (statement.kind === 'change') throw notImplemented(statement.change.what);
    if (statement.kind === 'empty-list') {
      const { result, groupKey } = emptyList(statement.list);
      return { columns: result.columns, groupKey };
    }
    let groupKey: GroupKey = NO_SERIES;
    const { columns } = await this.#deps.executor.describeStatement(statementRequest(request), (catalog) => {
      const made = compile(statement, catalog);
      if (made.compiled.explain === 'no') groupKey = made.groupKey;
      return made.compiled;
    });
    return { columns, groupKey };
  }

  async toParquet(request: InfluxqlRequest): Promise<Uint8Array> {
    const { statement } = request;
    if (statement.kind === 'show-databases' || statement.kind === 'show-retention-policies' || statement.kind === 'empty-list') {
      throw notImplemented('Parquet for SHOW DATABASES and SHOW RETENTION POLICIES');
    }
    return this.#deps.executor.statementToParquet(statementRequest(request), (catalog): CompiledSql => {
      const { compiled } = compile(statement, catalog);
      return { ...compiled, print: (source) => withNames(compiled.print(source), compiled.output) };
    });
  }

  async #change(change: ChangeStatement, { database, mayChange }: InfluxqlRequest): Promise<InfluxqlResult> {
    const { changes } = this.#deps;
    if (mayChange !== true || changes === undefined) throw notImplemented(change.what);
    await changes.run(change, database);
    return { result: madeResult([]), groupKey: NO_SERIES };
  }

  /** Live ones first, then by name. */
  #showDatabases(): QueryResult {
    const all = [...this.#deps.databases()].sort((a, b) => Number(a.deleted) - Number(b.deleted) || (a.name < b.name ? -1 : 1));
    return madeResult([
      { name: 'iox::database', type: TEXT, values: all.map(({ name }) => name) },
      { name: 'deleted', type: BOOLEAN, values: all.map(({ deleted }) => deleted) },
    ]);
  }

  #showPolicies(database: string | undefined): QueryResult {
    const live = [...this.#deps.databases()].filter((each) => !each.deleted && (database === undefined || inDatabase(each.name, database)));
    if (database !== undefined && live.length === 0) throw databaseNotFound(database);
    live.sort((a, b) => (a.name < b.name ? -1 : 1));
    const parts = live.map(({ name }) => (name.includes('/') ? name.split(/\/(.*)/s) : [name, 'autogen']));
    return madeResult([
      { name: 'iox::database', type: TEXT, values: parts.map(([base]) => base ?? '') },
      { name: 'name', type: TEXT, values: parts.map(([, policy]) => policy ?? 'autogen') },
      { name: 'duration', type: TEXT, values: live.map(({ retentionPeriodNs }) => policyDuration(retentionPeriodNs)) },
    ]);
  }
}

function statementRequest({ database, text, signal, traceId }: InfluxqlRequest): StatementRequest {
  return {
    database: database ?? '',
    query: text,
    kind: 'influxql',
    ...(signal === undefined ? {} : { signal }),
    ...(traceId === undefined ? {} : { traceId }),
  };
}

function compile(statement: Statement, catalog: StatementCatalog): CompiledInfluxql {
  switch (statement.kind) {
    case 'select':
      return compileSelect(statement.select, catalog, 'no');
    case 'explain':
      return compileSelect(statement.select, catalog, statement.analyze ? 'analyze' : 'plan');
    case 'refused':
      throw refusedStatement(statement.message);
    case 'change':
      throw notImplemented(statement.change.what);
    case 'empty-list':
    case 'show-databases':
    case 'show-retention-policies':
      throw new Error('internal error: such a statement has no table');
    default:
      return compileShow(statement, catalog);
  }
}

/** The statement with the names that clients see, for results that are a file. */
function withNames(sql: string, output: CompiledSql['output']): string {
  const names = output.map(({ name }) => `"${name.replaceAll('"', '""')}"`).join(', ');
  return `SELECT * FROM (${sql}) AS r(${names})`;
}

/** compat: `720h0m0s`; leading units are left out while they are zero. */
function policyDuration(ns: bigint | undefined): string {
  if (ns === undefined) return '0s';
  const seconds = ns / SECOND_NS;
  const [hours, minutes, rest] = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n];
  if (hours > 0n) return `${hours}h${minutes}m${rest}s`;
  if (minutes > 0n) return `${minutes}m${rest}s`;
  return rest > 0n ? `${rest}s` : printDuration(ns);
}

function refusedStatement(message: string): InfluxError {
  return new InfluxError({ code: 'INFLUXQL_STATEMENT', message, status: 400 });
}

/** A policy `rp` of a database `db` is the database `db/rp`. */
function inDatabase(name: string, database: string): boolean {
  return name === database || name.startsWith(`${database}/`);
}

function emptyList(list: EmptyList): InfluxqlResult {
  return { result: madeResult(list.columns.map((name) => ({ name, type: TEXT, values: [] }))), groupKey: NO_SERIES, emptyList: list };
}
