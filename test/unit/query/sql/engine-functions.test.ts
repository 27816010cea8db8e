// Runs alone: takes seconds.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InfluxError } from '../../../../src/shared/errors.ts';
import { printed, TestEngine } from './support.ts';

/** Functions of DuckDB with effects, that printed statements may call all the same: they touch nothing outside. */
const harmless = new Set(['random', 'uuid', 'error']);

/** Sources that printed statements may read from. */
const sources = new Set(['range', 'generate_series', 'unnest', 'repeat', 'repeat_row']);

interface EngineFunction {
  readonly name: string;
  readonly type: string;
  readonly effects: boolean;
}

/** Names of all functions in a tree that DuckDB made of a statement, by kind of place. */
function calledIn(node: unknown, found: { scalar: Set<string>; source: Set<string> }, inSource = false): void {
  if (Array.isArray(node)) {
    for (const item of node) calledIn(item, found, inSource);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const record = node as Record<string, unknown>;
  const isSource = inSource || record['type'] === 'TABLE_FUNCTION';
  if (typeof record['function_name'] === 'string') (isSource ? found.source : found.scalar).add(record['function_name'].toLowerCase());
  for (const [key, value] of Object.entries(record)) calledIn(value, found, isSource && key === 'function');
}

describe('functions of DuckDB', () => {
  test('none that reads files, settings or other data can be reached, whatever it is called', async () => {
    const engine = await TestEngine.open();
    const listed = await engine.engineRows(
      'SELECT DISTINCT function_name AS name, function_type AS type, coalesce(has_side_effects, false) AS effects FROM duckdb_functions()',
    );
    const functions = listed as unknown as EngineFunction[];
    assert.ok(functions.length > 500, `the engine lists its functions: ${functions.length}`);
    const forbidden = new Set(
      functions.filter(({ type, effects, name }) => (effects || type === 'pragma') && !harmless.has(name)).map(({ name }) => name),
    );
    const names = [...new Set(functions.map(({ name }) => name))].filter((name) => /^[a-z_]\w*$/i.test(name));
    const passed: string[] = [];
    for (const name of names) {
      for (const args of ['', "'/etc/passwd'", "'a', 'b'", '1', '1, 2']) {
        const statements = [`SELECT ${name}(${args})`];
        if (args === '' || args.startsWith("'/")) statements.push(`SELECT * FROM ${name}(${args})`, `SELECT "${name}"(${args})`);
        for (const statement of statements) {
          const sql = await engine.compile(statement).then(printed, (error: unknown) => {
            assert.ok(error instanceof InfluxError, `${statement}: ${String(error)}`);
            return undefined;
          });
          if (sql === undefined) continue;
          const [row] = await engine.engineRows(`SELECT json_serialize_sql($$${sql}$$)::VARCHAR AS tree`);
          const tree = JSON.parse(String(row?.['tree'])) as { error: boolean; statements: unknown[] };
          assert.equal(tree.error, false, `only SELECT is printed: ${sql}`);
          assert.equal(tree.statements.length, 1, sql);
          const called = { scalar: new Set<string>(), source: new Set<string>() };
          calledIn(tree.statements, called);
          passed.push(name);
          for (const scalar of called.scalar) assert.ok(!forbidden.has(scalar), `${statement} calls ${scalar}: ${sql}`);
          for (const source of called.source) assert.ok(sources.has(source), `${statement} reads from ${source}: ${sql}`);
        }
      }
    }
    assert.ok(passed.includes('abs') && passed.includes('md5'), 'ordinary functions are there');
    for (const name of [
      'read_csv',
      'read_parquet',
      'read_text',
      'glob',
      'getenv',
      'current_setting',
      'duckdb_settings',
      'query',
      'query_table',
      'sniff_csv',
      'nextval',
      'pragma_table_info',
      'json_execute_serialized_sql',
    ]) {
      assert.ok(!passed.includes(name), name);
    }
  });
});
