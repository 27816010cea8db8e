/** A real engine with the guide's `home` table, and ways to run statements through the compiler. */
import assert from 'node:assert/strict';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { BindValue } from '../../../../src/query/result.ts';
import {
  type CompiledSql,
  engineSetupStatements,
  mapEngineError,
  physicalNames,
  type RelationColumn,
  type RelationInfo,
  SqlCompiler,
} from '../../../../src/query/sql/index.ts';
import { InfluxError } from '../../../../src/shared/errors.ts';

export const nowNs = 1_641_067_200_123_456_789n;

type Row = Record<string, unknown>;

interface TestTable {
  readonly info: RelationInfo;
  readonly create: readonly string[];
}

const engineTypes: Readonly<Record<RelationColumn['type'], string>> = {
  time: 'TIMESTAMP_NS',
  tag: 'VARCHAR',
  string: 'VARCHAR',
  float: 'DOUBLE',
  integer: 'BIGINT',
  uinteger: 'UBIGINT',
  boolean: 'BOOLEAN',
  duration: 'BIGINT',
  int32: 'INTEGER',
  uint8: 'UBIGINT',
  uint32: 'UBIGINT',
  time_ms: 'TIMESTAMP_NS',
  time_s_utc: 'TIMESTAMP_NS',
  list_uint16: 'USMALLINT[]',
  date: 'DATE',
  list_string: 'VARCHAR[]',
  list_uint64: 'UBIGINT[]',
};

function relation(
  schema: RelationInfo['schema'],
  name: string,
  columns: Readonly<Record<string, RelationColumn['type']>>,
  rows: string[],
): TestTable {
  const sorted = Object.keys(columns).sort();
  const list = sorted.map((column): RelationColumn => ({ name: column, type: columns[column] as RelationColumn['type'] }));
  const physical = physicalNames(sorted);
  const definition = list.map((column) => `"${physical.get(column.name)?.replaceAll('"', '""')}" ${engineTypes[column.type]}`).join(', ');
  const insert = rows.length > 0 ? [`INSERT INTO "${schema}__${tableId(name)}" VALUES ${rows.join(', ')}`] : [];
  return { info: { schema, name, columns: list }, create: [`CREATE TABLE "${schema}__${tableId(name)}" (${definition})`, ...insert] };
}

/** Distinct engine names for table names that differ in case only. */
function tableId(name: string): string {
  return Buffer.from(name).toString('hex');
}

const homeRows: string[] = [];
const kitchen = [21, 23, 22.7, 22.4, 22.5, 22.8, 22.8, 22.7, 22.4, 22.7, 23.3, 23.1, 22.7];
const kitchenHum = [35.9, 36.2, 36.1, 36, 36, 36.5, 36.3, 36.2, 36, 36, 36.9, 36.6, 36.5];
const kitchenCo = [0, 0, 0, 0, 0, 1, 1, 3, 7, 9, 18, 22, 26];
const living = [21.1, 21.4, 21.8, 22.2, 22.2, 22.4, 22.3, 22.3, 22.4, 22.6, 22.8, 22.5, 22.2];
const livingHum = [35.9, 35.9, 36, 36, 35.9, 36, 36.1, 36.1, 36, 35.9, 36.2, 36.3, 36.4];
const livingCo = [0, 0, 0, 0, 0, 0, 0, 1, 4, 5, 9, 14, 17];
for (let hour = 0; hour < 13; hour++) {
  const time = `make_timestamp_ns(${1_641_024_000_000_000_000n + BigInt(hour) * 3_600_000_000_000n})`;
  homeRows.push(`(${livingCo[hour]}, ${livingHum[hour]}, 'Living Room', ${living[hour]}, ${time})`);
  homeRows.push(`(${kitchenCo[hour]}, ${kitchenHum[hour]}, 'Kitchen', ${kitchen[hour]}, ${time})`);
}

const tables: readonly TestTable[] = [
  relation('iox', 'home', { co: 'integer', hum: 'float', room: 'tag', temp: 'float', time: 'time' }, homeRows),
  relation('iox', 't', { b: 'boolean', f: 'float', i: 'integer', rack: 'tag', s: 'string', time: 'time', u: 'uinteger' }, [
    "(true, 1.5, 7, '1', 'abc', make_timestamp_ns(1), 5)",
    "(false, -2.7, -7, '10', 'Äb%c', make_timestamp_ns(-960000000000), 6)",
    '(NULL, NULL, NULL, NULL, NULL, make_timestamp_ns(3), NULL)',
  ]),
  relation('iox', 'Mixed', { Host: 'tag', host: 'tag', 'a b': 'float', 'ho"st': 'tag', time: 'time' }, [
    "('H', 1.5, 'q', 'h', make_timestamp_ns(0))",
  ]),
  relation('iox', 'mixed', { host: 'tag', time: 'time' }, ["('lower', make_timestamp_ns(0))"]),
  relation('iox', 'other', { room: 'tag', size: 'integer', time: 'time' }, [
    "('Kitchen', 12, make_timestamp_ns(1641024000000000000))",
    "('Attic', 3, make_timestamp_ns(5))",
  ]),
  relation('system', 'queries', { id: 'string', issue_time: 'time', end2end_duration: 'duration' }, [
    "(5000000, 'q1', make_timestamp_ns(10))",
  ]),
  relation(
    'information_schema',
    'tables',
    { table_catalog: 'string', table_name: 'string', table_schema: 'string', table_type: 'string' },
    ["('public', 'home', 'iox', 'BASE TABLE')"],
  ),
  relation('information_schema', 'df_settings', { description: 'string', name: 'string', value: 'string' }, [
    "('d', 'datafusion.x', '1')",
    "('z', 'datafusion.execution.time_zone', '+00:00')",
  ]),
];

const settings = [
  "SET timezone='UTC'",
  "SET default_null_order='nulls_last_on_asc_first_on_desc'",
  'SET threads=1',
  "SET memory_limit='500MB'",
  'SET autoinstall_known_extensions=false',
  'SET autoload_known_extensions=false',
];

/** DuckDB under test. */
export class TestEngine {
  readonly compiler = new SqlCompiler();
  readonly #connection: DuckDBConnection;

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  static async open(): Promise<TestEngine> {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const create = tables.flatMap((table) => table.create);
    const lock = ['SET enable_external_access=false', 'SET lock_configuration=true'];
    for (const sql of [...settings, ...engineSetupStatements(), ...create, ...lock]) await connection.run(sql);
    return new TestEngine(connection);
  }

  compile(text: string, params: Readonly<Record<string, BindValue>> = {}): Promise<CompiledSql> {
    return this.compiler.compile(text, {
      database: 'db',
      nowNs,
      params: new Map(Object.entries(params)),
      relation: (schema, name) => tables.find((table) => table.info.schema === schema && table.info.name === name)?.info,
      tableNames: () => tables.filter(({ info }) => info.schema === 'iox').map(({ info }) => info.name),
    });
  }

  /** Rows as objects keyed by client-visible names; big integers as text, times as DuckDB prints them. */
  async rows(text: string, params: Readonly<Record<string, BindValue>> = {}): Promise<Row[]> {
    const compiled = await this.compile(text, params);
    const sql = printed(compiled);
    await this.#requireOneSelect(sql);
    try {
      const reader = await this.#connection.runAndReadAll(sql);
      if (compiled.explain === 'no') assert.equal(reader.columnCount, compiled.output.length, 'the compiler knows every output column');
      return reader
        .getRowsJson()
        .map((row) => Object.fromEntries(compiled.output.map((column, index) => [column.name, plain(row[index])])));
    } catch (error) {
      const mapped = mapEngineError(error);
      mapped.stack = `${mapped.stack}\n${sql}`;
      throw mapped;
    }
  }

  /** Defence in depth: what the compiler prints must be exactly one SELECT for DuckDB's own parser. */
  async #requireOneSelect(sql: string): Promise<void> {
    const reader = await this.#connection.runAndReadAll('SELECT json_serialize_sql(CAST($1 AS VARCHAR))', [sql]);
    const parsed = JSON.parse(String(reader.getRows()[0]?.[0])) as { error: boolean; error_message?: string; statements?: unknown[] };
    assert.equal(parsed.error, false, `not a SELECT: ${parsed.error_message}\n${sql}`);
    assert.equal(parsed.statements?.length, 1, `not one statement:\n${sql}`);
  }

  /** Rows of a statement in DuckDB's own language. */
  async engineRows(sql: string): Promise<Row[]> {
    return (await this.#connection.runAndReadAll(sql)).getRowObjectsJson() as Row[];
  }

  /** The only value of a `SELECT expression`. */
  async value(expression: string, params: Readonly<Record<string, BindValue>> = {}): Promise<unknown> {
    const rows = await this.rows(`SELECT ${expression} AS x`, params);
    assert.equal(rows.length, 1);
    return rows[0]?.['x'];
  }

  /** Values of the only column. */
  async column(text: string, params: Readonly<Record<string, BindValue>> = {}): Promise<unknown[]> {
    return (await this.rows(text, params)).map((row) => Object.values(row)[0]);
  }

  /** Names of the output columns. */
  async names(text: string): Promise<string[]> {
    return (await this.compile(text)).output.map((column) => column.name);
  }

  /** The failure of a statement, compiled and run. */
  async failure(text: string, params: Readonly<Record<string, BindValue>> = {}): Promise<{ status: number; message: string }> {
    try {
      await this.rows(text, params);
    } catch (error) {
      assert.ok(error instanceof InfluxError, `not a catalogue error: ${String(error)}`);
      return { status: error.status, message: error.message };
    }
    throw new assert.AssertionError({ message: `no failure: ${text}` });
  }
}

/** The statement with its sources in place. */
export function printed(compiled: CompiledSql): string {
  return compiled.print((index) => {
    const { relation: info } = compiled.uses[index] as CompiledSql['uses'][number];
    return `(SELECT * FROM "${info.schema}__${tableId(info.name)}")`;
  });
}

function plain(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
}
