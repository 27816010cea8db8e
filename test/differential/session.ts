import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HistoryReader, ValueCaches } from '../../src/caches/index.ts';
import { ColumnStore, type DirectAnswer, DirectExecutor, SegmentLoader } from '../../src/query/columns/index.ts';
import { QueryExecutor } from '../../src/query/execute/executor.ts';
import { MemoryWatch } from '../../src/query/execute/memory-watch.ts';
import { InfluxqlExecutor } from '../../src/query/influxql/index.ts';
import { parseInfluxql } from '../../src/query/influxql/parse/index.ts';
import type { SqlRequest } from '../../src/query/query-service.ts';
import type { QueryResult, ResultColumn, ResultVector } from '../../src/query/result.ts';
import { textAt } from '../../src/query/results/result-access.ts';
import { engineSetupStatements } from '../../src/query/sql/index.ts';
import { QueryLog, SystemTables } from '../../src/query/system-tables/index.ts';
import { FairTurns, Lanes } from '../../src/scheduling/index.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { TestWriteStore } from '../support/write-store.ts';
import type { Statement } from './statements.ts';
import { NOW_NS } from './tables.ts';
import type { Cell } from './values.ts';

/** A day after the rows, so that everything is old enough to be compacted. */
const clock: Clock = {
  nowNs: () => NOW_NS,
  nowMs: () => Number(NOW_NS / 1_000_000n),
  monotonicMs: () => performance.now(),
};

const SECONDS_OF_YEARS = 1_000_000_000;

/** Counts what was answered from columns in memory. */
class CountedColumns extends DirectExecutor {
  answered = 0;

  override async run(...args: Parameters<DirectExecutor['run']>): Promise<DirectAnswer | undefined> {
    const answer = await super.run(...args);
    if (answer !== undefined) this.answered++;
    return answer;
  }
}

/** A table of result columns and rows. */
export interface Answer {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface SessionOptions {
  readonly directory: string;
  /** Memory for columns; little of it makes columns leave while they are in use. */
  readonly columnBytesMax: number;
  /** Called between the pieces of a scan and of a load. */
  readonly onPause: () => void;
  /** Failures that nobody waits for. */
  readonly onError: (error: unknown) => void;
}

/** A server's write side with two query sides: one that answers from columns in memory where it can, one that asks DuckDB only. */
export class Session {
  readonly store: TestWriteStore;
  readonly #caches: ValueCaches;
  readonly #columns: CountedColumns;
  readonly #byColumns: QueryExecutor;
  readonly #byDuckDb: QueryExecutor;

  private constructor(store: TestWriteStore, caches: ValueCaches, options: SessionOptions) {
    this.store = store;
    this.#caches = caches;
    const lanes = new Lanes({ slots: 3, threads: 2 });
    const pause = async (): Promise<void> => {
      options.onPause();
      await nextTurn();
    };
    const { writes, engine } = store;
    const columns = new ColumnStore({
      loader: new SegmentLoader(async () => engine, lanes, pause, 3000),
      tables: writes,
      bytesMax: options.columnBytesMax,
      onLoadFailed: options.onError,
    });
    this.#columns = new CountedColumns({ tables: writes, store: columns, pause, valuesPerTurn: 2000 });
    this.#byColumns = this.#executor(lanes, this.#columns);
    this.#byDuckDb = this.#executor(lanes, undefined);
    const history = new HistoryReader({ catalog: store.catalog, clock, query: (request) => this.#byDuckDb.internalSql(request) });
    const never = { every: () => () => undefined };
    caches.start(never, { lastEvictionIntervalMs: 1_000_000, distinctEvictionIntervalMs: 1_000_000 }, history);
  }

  static async open(options: SessionOptions): Promise<Session> {
    let caches: ValueCaches | undefined;
    const store = await TestWriteStore.open(options.directory, {
      clock,
      maintenance: { compactionQuietMs: 0 },
      onApplied: (table, section, series) => caches?.apply(table, section, series),
    });
    for (const statement of engineSetupStatements()) await store.engine.run(statement);
    const { catalog } = store;
    caches = new ValueCaches({ catalog, clock, onWarning: (message, fields) => options.onError(`${message} ${JSON.stringify(fields)}`) });
    return new Session(store, caches, options);
  }

  /** Statements that were answered from columns in memory. */
  get answeredByColumns(): number {
    return this.#columns.answered;
  }

  async write(lines: readonly string[]): Promise<void> {
    await this.store.write('db', lines.join('\n'));
  }

  /** One last-value cache and one distinct-value cache of a table, under given names. */
  async addCaches(table: string, keys: readonly string[], count: number): Promise<void> {
    const { catalog } = this.store;
    const last = { name: 'last', keyColumns: keys, valueColumns: undefined, count, ttlSecs: SECONDS_OF_YEARS };
    await catalog.createLastCache('db', table, last);
    if (keys.length === 0) return;
    await catalog.createDistinctCache('db', table, {
      name: 'distinct',
      columns: keys,
      maxCardinality: 100_000,
      maxAgeSecs: SECONDS_OF_YEARS,
    });
  }

  async byColumns(statement: Statement): Promise<Answer> {
    return readAnswer(await run(this.#byColumns, statement));
  }

  /** A SQL request as it is, answered by DuckDB. */
  ask(request: SqlRequest): Promise<QueryResult> {
    return this.#byDuckDb.sql(request);
  }

  /** The same, answered from columns in memory where it can be. */
  askColumns(request: SqlRequest): Promise<QueryResult> {
    return this.#byColumns.sql(request);
  }

  async byDuckDb(statement: Statement): Promise<Answer> {
    return readAnswer(await run(this.#byDuckDb, statement));
  }

  async stop(): Promise<void> {
    this.#caches.stop();
    await this.store.stop();
  }

  #executor(lanes: Lanes, direct: DirectExecutor | undefined): QueryExecutor {
    const { catalog, engine, writes, directory } = this.store;
    return new QueryExecutor({
      engine: async () => engine,
      memory: new MemoryWatch({ limitBytes: Number.MAX_SAFE_INTEGER, residentBytes: () => 0, scriptBytes: () => 0 }),
      lanes,
      fairTurns: new FairTurns(),
      tables: writes,
      direct,
      systemTables: new SystemTables([], () => []),
      caches: this.#caches,
      queryLog: new QueryLog({ entriesMax: 0, clock, randomUuid: randomUUID }),
      databaseExists: (name) => catalog.database(name) !== undefined,
      tableNames: (name) => [...(catalog.database(name)?.tables.values() ?? [])].map((table) => table.name),
      telemetry: { recordWrite: () => undefined, recordQuery: () => undefined },
      clock,
      temporaryDirectory: directory,
      timeoutMs: undefined,
    });
  }
}

async function run(executor: QueryExecutor, { language, text }: Statement): Promise<QueryResult> {
  if (language === 'sql') return executor.sql({ database: 'db', query: text, params: new Map() });
  const influxql = new InfluxqlExecutor({ executor, databases: () => [] });
  const [parsed] = parseInfluxql(text, new Map());
  if (parsed === undefined) throw new Error('no statement');
  return (await influxql.run({ database: 'db', statement: parsed.statement, text })).result;
}

async function readAnswer(result: QueryResult): Promise<Answer> {
  const rows: Cell[][] = [];
  for await (const { rowCount, columns } of result.batches()) {
    for (let row = 0; row < rowCount; row++) rows.push(columns.map((column) => cellAt(column, row)));
  }
  return { columns: result.columns, rows };
}

function cellAt(vector: ResultVector, row: number): Cell {
  switch (vector.kind) {
    case 'string':
    case 'coded':
      return textAt(vector, row);
    case 'null':
      return null;
    case 'float64':
    case 'int64':
    case 'uint64':
    case 'timestamp':
      return isValid(vector.valid, row) ? (vector.data[row] as Cell) : null;
    case 'boolean':
      return isValid(vector.valid, row) ? vector.data[row] === 1 : null;
    default:
      throw new Error(`no statement asks for ${vector.kind}`);
  }
}

function isValid(valid: Uint8Array | undefined, row: number): boolean {
  return valid === undefined || (((valid[row >> 3] as number) >> (row & 7)) & 1) === 1;
}
