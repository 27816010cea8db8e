import { Random } from '../fuzz/random.ts';
import { ModelTable, type TestRow } from '../support/model-table.ts';
import { combinedStatement } from './combined-statements.ts';
import { type Condition, textLiteral, timeText } from './conditions.ts';
import { assertResult } from './expectation.ts';
import { Noise } from './noise.ts';
import { cacheKey, cacheStatement, influxqlStatement } from './other-ways.ts';
import { type Answer, Session } from './session.ts';
import { randomStatement, type Statement } from './statements.ts';
import { columnsOf, HOUR_NS, lineOf, randomRows, randomTable, START_NS, type TestTable, tableNames } from './tables.ts';

/** What a run did. */
export interface Counts {
  rows: number;
  deletes: number;
  statements: number;
  /** Statements that columns in memory answered. */
  byColumns: number;
  /** Statements about last-value and distinct-value caches, and in InfluxQL. */
  byCaches: number;
  inInfluxql: number;
  /** Statements that both ways refused, with the same message. */
  refused: number;
  snapshots: number;
  compactions: number;
  restarts: number;
  noiseRows: number;
}

/** One table with the rows that it must show. */
interface Modelled {
  readonly table: TestTable;
  readonly model: ModelTable;
  /** Columns that some row had: the server knows no others. */
  readonly known: Set<string>;
  /** The time after which rows that are not late come. */
  lastNs: bigint;
}

/** A world from a seed: tables, rows, statements; data move from buffer to files while statements run. */
export class World {
  readonly counts: Counts = {
    rows: 0,
    deletes: 0,
    statements: 0,
    byColumns: 0,
    byCaches: 0,
    inInfluxql: 0,
    refused: 0,
    snapshots: 0,
    compactions: 0,
    restarts: 0,
    noiseRows: 0,
  };
  readonly #seed: number;
  readonly #random: Random;
  readonly #directory: string;
  readonly #tables: Modelled[];
  readonly #noise: Noise;
  readonly #errors: unknown[] = [];
  readonly #columnBytesMax: number;
  readonly #deletes: number;
  /** What was done since the last restart, for the message of a failure. */
  readonly #history: string[] = [];
  #session: Session | undefined;
  #moving: Promise<void> = Promise.resolve();

  constructor(seed: number, directory: string) {
    this.#seed = seed;
    this.#directory = directory;
    this.#random = new Random(seed);
    const random = this.#random;
    this.#tables = tableNames(random, 1 + random.below(3)).map((name) => ({
      table: randomTable(random, name, random.chance(0.25)),
      model: new ModelTable(),
      known: new Set<string>(),
      lastNs: START_NS,
    }));
    this.#deletes = random.pick([0, 0, 0, 0, 0.2]);
    this.#columnBytesMax = random.pick([150_000, 1_000_000, 200_000_000]);
    this.#noise = new Noise(
      new Random(seed + 1),
      this.#tables.map(({ table }) => table),
    );
  }

  /** Rounds of writes, moves and statements until `isOver` says so between two of them. Throws with the seed and what led there. */
  async run(rounds: number, isOver: () => boolean): Promise<void> {
    const random = this.#random;
    try {
      await this.#open();
      for (const modelled of this.#tables) await this.#writeRows(modelled, [firstRow(random, modelled.table)]);
      for (const { table } of this.#tables) {
        const key = cacheKey(table);
        if (key !== undefined) await this.#running.addCaches(table.name, [key.name], 1);
      }
      for (const modelled of this.#tables) await this.#askEachWay(modelled);
      for (let round = 0; round < rounds && !isOver(); round++) await this.#round(round, isOver);
    } catch (error) {
      const recent = this.#history.slice(-12).map((line) => `  ${line}`);
      throw new Error(`seed ${this.#seed}: ${(error as Error).message}\nlast steps:\n${recent.join('\n')}\n${this.#tableTexts()}`, {
        cause: error,
      });
    } finally {
      await this.#session?.stop();
    }
  }

  async #open(): Promise<void> {
    this.#session = await Session.open({
      directory: this.#directory,
      columnBytesMax: this.#columnBytesMax,
      onPause: () => this.#noise.meanwhile(),
      onError: (error) => this.#errors.push(error),
    });
    this.#noise.use(this.#session);
  }

  get #running(): Session {
    if (this.#session === undefined) throw new Error('the session is not open');
    return this.#session;
  }

  async #round(round: number, isOver: () => boolean): Promise<void> {
    const random = this.#random;
    for (let i = random.below(4) + (round === 0 ? 2 : 0); i > 0; i--) await this.#write(random.pick(this.#tables));
    if (random.chance(this.#deletes)) await this.#delete(random.pick(this.#tables));
    if (random.chance(0.05)) await this.#restart();
    const noisy = random.chance(0.6);
    if (noisy) this.#noise.start();
    this.#moving = random.chance(0.6) ? this.#move() : Promise.resolve();
    for (let i = 5 + random.below(20); i > 0 && !isOver(); i--) await this.#ask(random.pick(this.#tables), noisy);
    await this.#moving;
    await this.#quiet();
    if (this.#errors.length > 0) throw new Error(`something failed in the background: ${String(this.#errors[0])}`);
  }

  /** Rows of other writers are rows like others once those have stopped. */
  async #quiet(): Promise<void> {
    for (const { table, row } of await this.#noise.stop()) {
      const modelled = this.#tables.find((each) => each.table === table);
      if (modelled !== undefined) take(modelled, row);
      this.counts.noiseRows++;
    }
  }

  async #write(modelled: Modelled): Promise<void> {
    const random = this.#random;
    const count = random.pick([1, 3, 20, 200, 200, 1500]);
    const rows = randomRows(random, modelled.table, count, [...modelled.model.rows()].slice(-300), modelled.lastNs);
    await this.#writeRows(modelled, rows);
    this.#history.push(`write ${count} rows to ${modelled.table.name}`);
  }

  async #writeRows(modelled: Modelled, rows: readonly TestRow[]): Promise<void> {
    const { table } = modelled;
    for (const { timeNs } of rows) if (timeNs > modelled.lastNs && timeNs < LATEST_NS) modelled.lastNs = timeNs;
    await this.#running.write(rows.map((row) => lineOf(table, row)));
    for (const row of rows) take(modelled, row);
    this.counts.rows += rows.length;
  }

  async #delete({ table, model }: Modelled): Promise<void> {
    if (table.monotone) return;
    const random = this.#random;
    const rows = [...model.rows()];
    if (rows.length === 0) return;
    const [a, b] = [random.pick(rows).timeNs, random.pick(rows).timeNs];
    const [startNs, stopNs] = a < b ? [a, b] : [b, a];
    const tags = table.tags
      .filter(() => random.chance(0.5))
      .map(({ name }): [string, string] => [name, random.pick(rows).tags[name] ?? '']);
    await this.#running.store.writes.deleteRows('db', { startNs, stopNs, table: table.name, tags });
    model.delete((row) => row.timeNs >= startNs && row.timeNs <= stopNs && tags.every(([name, value]) => (row.tags[name] ?? '') === value));
    this.counts.deletes++;
    this.#history.push(`delete from ${table.name} ${timeText(startNs)} to ${timeText(stopNs)} ${JSON.stringify(tags)}`);
  }

  async #restart(): Promise<void> {
    this.counts.byColumns += this.#running.answeredByColumns;
    await this.#running.stop();
    this.#session = undefined;
    await this.#open();
    this.counts.restarts++;
    this.#history.push('restart');
  }

  /** Runs beside the statements. */
  async #move(): Promise<void> {
    const { writes } = this.#running.store;
    if (this.#random.chance(0.7)) {
      this.counts.snapshots++;
      this.#history.push('snapshot');
      await writes.snapshotNow();
    }
    if (this.counts.snapshots % 3 === 0) {
      this.counts.compactions++;
      this.#history.push('compaction');
      await writes.maintainNow();
    }
  }

  async #ask({ table, model, known }: Modelled, noisy: boolean): Promise<void> {
    const rows = [...model.rows()];
    if (known.size === 0) return;
    await this.#answer(this.#statement(withColumns(table, known), noisy), rows);
  }

  /** One statement about the caches, where the table has some, and one in InfluxQL. */
  async #askEachWay({ table, model, known }: Modelled): Promise<void> {
    for (const statement of [this.#cacheStatement(withColumns(table, known)), this.#influxqlStatement(withColumns(table, known))]) {
      if (statement !== undefined) await this.#answer(statement, [...model.rows()]);
    }
  }

  async #answer(statement: Statement, rows: readonly TestRow[]): Promise<void> {
    const session = this.#running;
    const before = session.answeredByColumns;
    const [columns, duckDb] = await Promise.all([settled(session.byColumns(statement)), settled(session.byDuckDb(statement))]);
    this.counts.statements++;
    if (session.answeredByColumns > before) this.counts.byColumns++;
    const by = session.answeredByColumns > before ? 'columns in memory' : 'DuckDB, after a look at the columns';
    try {
      compare(statement, rows, columns, duckDb, by);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await this.#askedAgain(statement, rows)}`, { cause: error });
    }
  }

  /** Rows of other writers are left out by conditions, which caches do not have. */
  #statement(table: TestTable, noisy: boolean): Statement {
    const random = this.#random;
    const other =
      noisy || random.chance(0.8) ? undefined : random.chance(0.4) ? this.#cacheStatement(table) : this.#influxqlStatement(table);
    if (other !== undefined) return other;
    const meant = noisy ? this.#noise.without(table, random) : undefined;
    return random.chance(0.2) ? combinedStatement(random, table, meant) : randomStatement(random, table, meant);
  }

  #cacheStatement(table: TestTable): Statement | undefined {
    const key = cacheKey(table);
    // Deleted rows stay in caches.
    if (key === undefined || this.#deletes > 0) return undefined;
    this.counts.byCaches++;
    return cacheStatement(this.#random, table, key);
  }

  #influxqlStatement(table: TestTable): Statement | undefined {
    const statement = influxqlStatement(this.#random, table);
    if (statement !== undefined) this.counts.inInfluxql++;
    return statement;
  }

  /** Whether the answers are right once nothing moves: then the rows are there, and what was wrong was the moment. */
  async #askedAgain(statement: Statement, rows: readonly TestRow[]): Promise<string> {
    await this.#moving;
    const session = this.#running;
    const [columns, duckDb] = await Promise.all([settled(session.byColumns(statement)), settled(session.byDuckDb(statement))]);
    try {
      compare(statement, rows, columns, duckDb, 'columns');
      return 'asked again when nothing moves: right';
    } catch (error) {
      return `asked again when nothing moves: ${(error as Error).message}`;
    }
  }

  #tableTexts(): string {
    return this.#tables
      .map(({ table, model }) => {
        const columns = columnsOf(table).map(({ name, type }) => `${textLiteral(name)} ${type}`);
        const rows = [...model.rows()].slice(0, 3).map((row) => `    ${lineOf(table, row)}`);
        return `table ${textLiteral(table.name)}${table.monotone ? ' (monotone)' : ''}: ${columns.join(', ')}\n${rows.join('\n')}`;
      })
      .join('\n');
  }
}

function take({ model, known }: Modelled, row: TestRow): void {
  model.write(row);
  for (const name of [...Object.keys(row.tags), ...Object.keys(row.fields)]) known.add(name);
}

/** A row with the tag by which rows of other writers are told apart: statements may name it from now on. */
function firstRow(random: Random, table: TestTable): TestRow {
  const [row] = randomRows(random, { ...table, late: 0 }, 1, [], START_NS) as [TestRow];
  const [tag] = table.tags;
  return tag === undefined ? row : { ...row, tags: { ...row.tags, [tag.name]: 'first' } };
}

function withColumns(table: TestTable, known: ReadonlySet<string>): TestTable {
  const isKnown = ({ name }: { readonly name: string }): boolean => known.has(name);
  return { ...table, tags: table.tags.filter(isKnown), fields: table.fields.filter(isKnown) };
}

/** Throws when one of the answers is not what the statement means. */
function compare(statement: Statement, rows: readonly TestRow[], columns: Outcome, duckDb: Outcome, by: string): void {
  const context = `${statement.language}: ${statement.text}`;
  if ('error' in duckDb || 'error' in columns) {
    throw new Error(`${context}\ncolumns: ${outcomeText(columns)}\nDuckDB: ${outcomeText(duckDb)}`);
  }
  const types = ({ columns: list }: Answer): string => JSON.stringify(list);
  if (types(columns.answer) !== types(duckDb.answer)) {
    throw new Error(`${context}\ntypes differ: columns ${types(columns.answer)}\nDuckDB  ${types(duckDb.answer)}`);
  }
  const expected = statement.expected(rows);
  for (const [name, { answer }] of [
    [by, columns],
    ['DuckDB', duckDb],
  ] as const) {
    try {
      assertResult(answer.rows, expected);
    } catch (error) {
      throw new Error(`${context}\nanswered by ${name}: ${(error as Error).message}`);
    }
  }
}

/** Rows of the first era end before. */
const LATEST_NS = START_NS + 20n * 24n * HOUR_NS;

type Outcome = { readonly answer: Answer } | { readonly error: unknown };

async function settled(answer: Promise<Answer>): Promise<Outcome> {
  return answer.then(
    (found) => ({ answer: found }),
    (error: unknown) => ({ error }),
  );
}

function outcomeText(outcome: Outcome): string {
  return 'error' in outcome ? String((outcome.error as Error).stack ?? outcome.error) : `${outcome.answer.rows.length} rows`;
}

export type { Condition };
