import { InfluxError } from '../../shared/errors.ts';
import type { WriteService } from '../../write/write-service.ts';
import type { QueryExecutor, StatementRequest } from '../execute/executor.ts';
import type { StatementCatalog } from '../execute/relations.ts';
import type { ResultColumn } from '../result.ts';
import type { CompiledSql } from '../sql/index.ts';
import { type CompiledInfluxql, compileSelect } from './compile/compile.ts';
import { notImplemented } from './compile/errors.ts';
import type { Select } from './compile/ir.ts';
import { compileShow, type ShowStatement } from './compile/show.ts';
import type { GroupKey, InfluxqlChanges, InfluxqlRequest, InfluxqlResult, InfluxqlService } from './contract.ts';
import { databaseSeries, databasesTable, type ListedDatabase, namedSeries, policiesTable, policySeries, queriesTable } from './lists.ts';
import { type MadeSeries, madeTable, NO_SERIES, textColumn } from './made-lists.ts';
import type { ChangeStatement, EmptyList, IntoClause, Statement } from './parse/ast.ts';
import { writeRows } from './select-into.ts';

export interface InfluxqlDependencies {
  readonly executor: Pick<QueryExecutor, 'statement' | 'statementToParquet' | 'describeStatement' | 'running' | 'kill'>;
  /** All databases, deleted ones too, in the order of their creation. */
  readonly databases: () => Iterable<ListedDatabase>;
  /** Absent where nothing can be changed. */
  readonly changes?: InfluxqlChanges;
  /** Takes the rows of SELECT INTO; absent where nothing can be written. */
  readonly writes?: WriteService;
  /** What SHOW DIAGNOSTICS and SHOW STATS list. */
  readonly diagnostics?: () => readonly MadeSeries[];
  readonly statistics?: () => Promise<readonly MadeSeries[]>;
}

/** Statements that read tables. */
type TableStatement = Extract<Statement, { kind: 'select' | 'explain' }> | ShowStatement;

/** Compiles InfluxQL and runs it where SQL runs. */
export class InfluxqlExecutor implements InfluxqlService {
  readonly #deps: InfluxqlDependencies;

  constructor(dependencies: InfluxqlDependencies) {
    this.#deps = dependencies;
  }

  async run(request: InfluxqlRequest): Promise<InfluxqlResult> {
    const { statement } = request;
    switch (statement.kind) {
      case 'select-into':
        return this.#selectInto(statement, request);
      case 'change':
        return this.#change(statement.change, request);
      case 'kill-query':
        return this.#kill(statement.query, request);
      default: {
        const list = await this.#list(request);
        return list ?? this.#read(statement as TableStatement, request);
      }
    }
  }

  async describe(request: InfluxqlRequest): Promise<{ columns: readonly ResultColumn[]; groupKey: GroupKey }> {
    const { statement } = request;
    const refusal = refusalOf(statement);
    if (refusal !== undefined) throw refusal;
    const list = await this.#list(request);
    if (list !== undefined) return { columns: list.result.columns, groupKey: list.groupKey };
    let groupKey: GroupKey = NO_SERIES;
    const { columns } = await this.#deps.executor.describeStatement(statementRequest(request), (catalog) => {
      const made = compile(statement as TableStatement, catalog, request);
      if (made.compiled.explain === 'no') groupKey = made.groupKey;
      return made.compiled;
    });
    return { columns, groupKey };
  }

  async toParquet(request: InfluxqlRequest): Promise<Uint8Array> {
    const { statement } = request;
    const refusal = refusalOf(statement);
    if (refusal !== undefined) throw refusal;
    if ((await this.#list(request)) !== undefined) throw notImplemented('Parquet for SHOW DATABASES and SHOW RETENTION POLICIES');
    return this.#deps.executor.statementToParquet(statementRequest(request), (catalog): CompiledSql => {
      const { compiled } = compile(statement as TableStatement, catalog, request);
      return { ...compiled, print: (source) => withNames(compiled.print(source), compiled.output) };
    });
  }

  async #read(statement: TableStatement, request: InfluxqlRequest): Promise<InfluxqlResult> {
    let groupKey: GroupKey = NO_SERIES;
    try {
      const result = await this.#deps.executor.statement(statementRequest(request), (catalog) => {
        const made = compile(statement, catalog, request);
        if (made.compiled.explain === 'no') groupKey = made.groupKey;
        return made.compiled;
      });
      return { result, groupKey };
    } catch (error) {
      const { asV1, database = '' } = request;
      const missing = asV1 === true && error instanceof InfluxError && error.code === 'DATABASE_NOT_FOUND';
      throw (missing ? this.#missingPolicy(database, request) : undefined) ?? error;
    }
  }

  /** What a v1 client hears when `db/rp` is not there but `db` is; undefined = `db` is missing too, or is all that was named. */
  #missingPolicy(database: string, request: InfluxqlRequest): InfluxError | undefined {
    const slash = database.indexOf('/');
    if (slash < 0 || !isThere(this.#visible(request), database.slice(0, slash))) return undefined;
    return refusedStatement(`retention policy not found: ${database.slice(slash + 1)}`);
  }

  async #change(change: ChangeStatement, { database, mayChange, allPolicies }: InfluxqlRequest): Promise<InfluxqlResult> {
    const { changes } = this.#deps;
    if (mayChange !== true || changes === undefined) throw notImplemented(change.what);
    await changes.run(change, { database, allPolicies: allPolicies === true });
    return madeTable([]);
  }

  async #kill(query: bigint, { mayChange }: InfluxqlRequest): Promise<InfluxqlResult> {
    if (mayChange !== true) throw notImplemented('KILL QUERY');
    if (!this.#deps.executor.kill(Number(query))) throw refusedStatement(`no such query id: ${query}`);
    return madeTable([]);
  }

  async #selectInto({ select, into }: { select: Select; into: IntoClause }, request: InfluxqlRequest): Promise<InfluxqlResult> {
    const { databases, writes } = this.#deps;
    const { intoDatabase, mayChange } = request;
    if (mayChange !== true || writes === undefined || intoDatabase === undefined) throw notImplemented('INTO');
    if (!isThere(databases(), intoDatabase)) {
      throw this.#missingPolicy(intoDatabase, request) ?? refusedStatement(`database not found: ${intoDatabase}`);
    }
    const rows = await this.#read({ kind: 'select', select }, request);
    return writeRows(rows, { database: intoDatabase, measurement: into.measurement }, writes);
  }

  #visible({ isVisible }: InfluxqlRequest): Iterable<ListedDatabase> {
    const all = this.#deps.databases();
    return isVisible === undefined ? all : [...all].filter(({ name }) => isVisible(name));
  }

  /** What the server knows by itself; undefined = the statement reads tables. */
  async #list(request: InfluxqlRequest): Promise<InfluxqlResult | undefined> {
    const { statement, database, asV1 = false } = request;
    const { diagnostics, executor, statistics } = this.#deps;
    const { isVisible = () => true } = request;
    switch (statement.kind) {
      case 'show-databases':
        return asV1 ? databaseSeries(this.#visible(request)) : databasesTable(this.#visible(request));
      case 'show-retention-policies':
        return asV1 ? policySeries(this.#visible(request), database) : policiesTable(this.#visible(request), database);
      case 'show-queries':
        return queriesTable(executor.running().filter((query) => isVisible(query.database)));
      case 'show-diagnostics':
        if (!asV1 || diagnostics === undefined) throw notImplemented('SHOW DIAGNOSTICS');
        return namedSeries(diagnostics(), statement.of);
      case 'show-stats':
        if (!asV1 || statistics === undefined) throw notImplemented('SHOW STATS');
        return namedSeries(await statistics(), statement.of);
      case 'empty-list':
        return emptyList(statement.list);
      case 'refused':
        throw refusedStatement(statement.message);
      default:
        return undefined;
    }
  }
}

function isThere(databases: Iterable<ListedDatabase>, wanted: string): boolean {
  for (const { name, deleted } of databases) if (name === wanted && !deleted) return true;
  return false;
}

/** Why a statement can only be run; undefined = it can be described and written to a file too. */
function refusalOf(statement: Statement): InfluxError | undefined {
  if (statement.kind === 'change') return notImplemented(statement.change.what);
  if (statement.kind === 'kill-query') return notImplemented('KILL QUERY');
  return statement.kind === 'select-into' ? notImplemented('INTO') : undefined;
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

function compile(statement: TableStatement, catalog: StatementCatalog, { asV1 = false }: InfluxqlRequest): CompiledInfluxql {
  switch (statement.kind) {
    case 'select':
      return compileSelect(statement.select, catalog, { explain: 'no', asV1 });
    case 'explain':
      return compileSelect(statement.select, catalog, { explain: statement.analyze ? 'analyze' : 'plan', asV1 });
    default:
      return compileShow(statement, catalog, asV1);
  }
}

/** The statement with the names that clients see, for results that are a file. */
function withNames(sql: string, output: CompiledSql['output']): string {
  const names = output.map(({ name }) => `"${name.replaceAll('"', '""')}"`).join(', ');
  return `SELECT * FROM (${sql}) AS r(${names})`;
}

function refusedStatement(message: string): InfluxError {
  return new InfluxError({ code: 'INFLUXQL_STATEMENT', message, status: 400 });
}

function emptyList(list: EmptyList): InfluxqlResult {
  return { ...madeTable(list.columns.map((name) => textColumn(name, []))), emptyList: list };
}
