import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

/** Statement -> the last line of what is said of it. */
const typingErrors: readonly (readonly [string, string])[] = [
  ['SELECT tmep FROM home', "Did you mean 'temp'?"],
  ['SELECT temperature FROM home', "Did you mean 'temp'?"],
  ['SELECT temp FROM home WHERE rom = 1', "Did you mean 'room'?"],
  ['SELECT x.temp FROM home', "Did you mean 'home.temp'?"],
  ['SELECT h.tmp FROM home AS h', "Did you mean 'h.temp'?"],
  ['SELECT home.temp FROM home AS h', "Did you mean 'h.temp'?"],
  ['SELECT usge FROM (SELECT 1 AS "Usage") AS q', `Did you mean '"Usage"'?`],
  ['SELECT temp FROM hoem', "Did you mean 'home'?"],
  ['SELECT temp FROM iox.homes', "Did you mean 'home'?"],
  ['SELECT temp FROM home WHERE room = "Living Room"', "Text stands in single quotes: 'Living Room'"],
  ['SELECT * FROM generate_serie(1, 2)', "Did you mean 'generate_series'?"],
  ['SELECT cast(temp AS integr) FROM home', "Did you mean 'integer'?"],
  ['SELECT averge(temp) FROM home', "Did you mean 'avg'?"],
  ['SELECT cuont(temp) FROM home', "Did you mean 'count'?"],
];

/** Names like no other, and names that no one typed wrongly. */
const unlike: readonly string[] = [
  'SELECT nope FROM home',
  'SELECT "Kitchen" FROM home',
  'SELECT "te mp" FROM home',
  'SELECT TEMP2.x FROM home',
  'SELECT * FROM nowhere',
  'SELECT * FROM edge.iox.home',
];

/** Statement -> status and text. */
const refusals: readonly (readonly [string, number, string])[] = [
  ['SELECT 1; SELECT 2', 405, 'This feature is not implemented: The context currently only supports a single SQL statement'],
  ['', 400, 'Error during planning: No SQL statements were provided in the query string'],
  [' ; ;', 400, 'Error during planning: No SQL statements were provided in the query string'],
  ['-- nothing', 400, 'Error during planning: No SQL statements were provided in the query string'],
  ['selec 1', 400, 'SQL error: ParserError("Expected: an SQL statement, found: selec at Line: 1, Column: 1")'],
  ["SELECT 'abc", 400, 'SQL error: TokenizerError("Unterminated string literal at Line: 1, Column: 8")'],
  ['SELECT "abc', 400, 'SQL error: TokenizerError("Expected close delimiter \'\\"\' before EOF. at Line: 1, Column: 8")'],
  ['SELECT 1 /* a', 400, 'SQL error: TokenizerError("Unexpected EOF while in a multi-line comment at Line: 1, Column: 14")'],
  ['SHOW DATABASES', 405, 'This feature is not implemented: Unsupported SQL statement: SHOW DATABASES'],
  ['SHOW SCHEMAS', 405, 'This feature is not implemented: Unsupported SQL statement: SHOW SCHEMAS'],
  ['CREATE TABLE a(b int)', 400, 'Error during planning: DDL not supported: CreateMemoryTable'],
  ['CREATE VIEW a AS SELECT 1', 400, 'Error during planning: DDL not supported: CreateView'],
  ["CREATE EXTERNAL TABLE a STORED AS PARQUET LOCATION 'x'", 400, 'Error during planning: DDL not supported: CreateExternalTable'],
  ['DROP TABLE home', 400, 'Error during planning: DDL not supported: DropTable'],
  ['DROP VIEW home', 400, 'Error during planning: DDL not supported: DropView'],
  ['CREATE SCHEMA x', 400, 'Error during planning: DDL not supported: CreateCatalogSchema'],
  ['INSERT INTO home VALUES (1)', 400, 'Error during planning: DML not supported: Insert Into'],
  ['UPDATE home SET temp = 1', 400, 'Error during planning: DML not supported: Update'],
  ['DELETE FROM home', 400, 'Error during planning: DML not supported: Delete'],
  ["COPY home TO '/tmp/x'", 400, 'Error during planning: DML not supported: COPY'],
  ["COPY (SELECT 1) TO '/tmp/x'", 400, 'Error during planning: DML not supported: COPY'],
  ['SET x = 1', 400, 'Error during planning: Statement not supported: SetVariable'],
  ['SET enable_external_access = true', 400, 'Error during planning: Statement not supported: SetVariable'],
  ['PREPARE a AS SELECT 1', 400, 'Error during planning: Statement not supported: Prepare'],
  ['EXECUTE a', 400, 'Error during planning: Statement not supported: Execute'],
  ['BEGIN', 400, 'Error during planning: Statement not supported: TransactionStart'],
  ["ATTACH 'x' AS y", 405, "This feature is not implemented: Unsupported SQL statement: ATTACH 'x' AS y"],
  ['INSTALL httpfs', 405, 'This feature is not implemented: Unsupported SQL statement: INSTALL httpfs'],
  ['LOAD httpfs', 405, 'This feature is not implemented: Unsupported SQL statement: LOAD httpfs'],
  ['PRAGMA version', 405, 'This feature is not implemented: Unsupported SQL statement: PRAGMA version'],
  ['CALL foo()', 405, 'This feature is not implemented: Unsupported SQL statement: CALL foo()'],
  ["SELECT '1' FROM '/etc/passwd'", 400, "Error during planning: table 'public.iox./etc/passwd' not found"],
  ['SELECT * FROM "x.parquet"', 400, "Error during planning: table 'public.iox.x.parquet' not found"],
  ['SELECT * FROM nope', 400, "Error during planning: table 'public.iox.nope' not found"],
  ['SELECT * FROM edge.iox.numbers', 400, "Error during planning: table 'edge.iox.numbers' not found"],
  ['SELECT * FROM information_schema.nope', 400, "Error during planning: table 'public.information_schema.nope' not found"],
  ['SELECT * FROM queries', 400, "Error during planning: table 'public.iox.queries' not found"],
  ['SELECT nope, $p FROM missing', 400, "Error during planning: table 'public.iox.missing' not found"],
];

const tableFunctions = [
  'read_csv',
  'read_csv_auto',
  'read_parquet',
  'parquet_scan',
  'read_json',
  'read_json_auto',
  'read_ndjson',
  'read_text',
  'read_blob',
  'glob',
  'sniff_csv',
  'parquet_metadata',
  'parquet_schema',
  'duckdb_settings',
  'duckdb_tables',
  'duckdb_secrets',
  'duckdb_functions',
  'pragma_table_info',
  'pragma_database_size',
  'sqlite_scan',
  'postgres_scan',
  'iceberg_scan',
  'query',
  'query_table',
  'json_execute_serialized_sql',
  'repeat',
  'summary',
  'test_all_types',
  'seq_scan',
  'arrow_scan',
  'which_secret',
];

const scalarFunctions = [
  'getenv',
  'current_setting',
  'set_config',
  'read_text',
  'nextval',
  'currval',
  'txid_current',
  'pg_sleep',
  'sleep',
  'error',
  'list_transform',
  'json_serialize_sql',
  'getvariable',
  'current_database',
  'in_search_path',
  'query',
  'struct_pack',
  'make_timestamp_ns',
  'epoch_ns',
  'columns',
  'write_log',
];

const unparsedSyntax: readonly string[] = [
  'FROM home',
  'SUMMARIZE home',
  'SELECT * FROM home TABLESAMPLE (10)',
  'SELECT TOP 1 * FROM home',
  'SELECT COLUMNS(*) FROM home',
  'SELECT [x for x in [1, 2]]',
  'SELECT array_sort([1], x -> x)',
  'SELECT * FROM home ASOF JOIN other ON true',
  'SELECT * REPLACE (1 AS temp) FROM home',
  'SELECT * RENAME (temp AS t) FROM home',
  'SELECT * FROM home FOR UPDATE',
  'SELECT 1 INTO x',
  'SELECT * FROM home LIMIT 10 BY room',
  'SELECT * FROM home PIVOT (sum(temp) FOR room IN (1))',
  'SELECT * FROM home |> LIMIT 1',
  'EXPORT DATABASE x',
  'VACUUM',
  'CHECKPOINT',
  'USE x',
  'COMMENT ON TABLE home IS NULL',
  'GRANT SELECT ON home TO x',
  'ANALYZE home',
  'MERGE INTO home USING other ON true WHEN MATCHED THEN DELETE',
  'KILL 1',
];

const escapes: readonly string[] = [
  "SELECT main.upper('a')",
  "SELECT _df.int_text('1', 'x')",
  'SELECT * FROM main.home',
  'SELECT * FROM memory.main.home',
  'SELECT * FROM s0',
  'SELECT * FROM t0',
  'SELECT s0.temp FROM home',
  'SELECT t0.temp FROM home',
  'SELECT rowid FROM home',
  'SELECT "a"";drop table home" FROM home',
  'SELECT * FROM "home"";drop table home"',
  'SELECT * FROM pg_catalog.pg_tables',
  'SELECT * FROM sqlite_master',
  'SELECT * FROM duckdb_tables',
  'SELECT * FROM system.main.duckdb_tables',
  'SELECT * FROM information_schema.schemata',
];

describe('the gate', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  for (const [statement, status, message] of refusals) {
    test(`refuses ${statement || 'empty text'}`, async () => {
      assert.deepEqual(await engine.failure(statement), { status, message });
    });
  }

  for (const name of tableFunctions) {
    test(`knows no table function ${name}`, async () => {
      const expected = { status: 400, message: `Error during planning: table function '${name}' not found` };
      assert.deepEqual(await engine.failure(`SELECT * FROM ${name}('/etc/passwd')`), expected);
      assert.deepEqual(await engine.failure(`SELECT * FROM home, LATERAL "${name}"('x') AS y`), expected);
    });
  }

  for (const name of scalarFunctions) {
    test(`knows no function ${name}`, async () => {
      const failure = await engine.failure(`SELECT ${name}('threads')`);
      assert.equal(failure.status, 400);
      assert.ok(failure.message.startsWith(`Error during planning: Invalid function '${name}'.\nDid you mean '`), failure.message);
    });
  }

  for (const [statement, hint] of typingErrors) {
    test(`${statement}: ${hint}`, async () => {
      const { message } = await engine.failure(statement);
      assert.equal(message.split('\n').at(-1), hint, message);
    });
  }

  for (const statement of unlike) {
    test(`suggests nothing for ${statement}`, async () => {
      const { message } = await engine.failure(statement);
      assert.ok(!message.includes('\n'), message);
    });
  }

  for (const statement of unparsedSyntax) {
    test(`refuses ${statement}`, async () => {
      const { status, message } = await engine.failure(statement);
      assert.ok(status === 400 || status === 405, message);
      assert.match(message, /^(SQL error: |This feature is not implemented: |Error during planning: )/);
    });
  }

  for (const statement of escapes) {
    test(`does not let through ${statement}`, async () => {
      const { status, message } = await engine.failure(statement);
      assert.equal(status, 400, message);
    });
  }

  test('keeps injected quotes, comments and dollar quotes inside their literals', async () => {
    assert.equal(await engine.value("'a''; DROP TABLE home; --'"), "a'; DROP TABLE home; --");
    assert.equal(await engine.value("$$it's$$"), "it's");
    assert.equal(await engine.value("$x$'; DROP TABLE home$x$"), "'; DROP TABLE home");
    assert.equal(await engine.value("E'\\'; DROP TABLE home; --'"), "'; DROP TABLE home; --");
    assert.equal(await engine.value('/* outer /* inner */ still */ 1'), 1);
    assert.deepEqual(await engine.rows("SELECT * FROM home WHERE room = 'x'' OR 1=1 --'"), []);
    assert.equal(await engine.value('$p', { p: { kind: 'string', value: "'; DROP TABLE home; --" } }), "'; DROP TABLE home; --");
  });

  test('accepts DESCRIBE, EXPLAIN and SHOW of queries only', async () => {
    assert.equal((await engine.compile('EXPLAIN SELECT 1')).explain, 'plan');
    assert.equal((await engine.compile('EXPLAIN ANALYZE SELECT 1')).explain, 'analyze');
    assert.equal((await engine.failure('EXPLAIN DELETE FROM home')).message, 'Error during planning: DML not supported: Delete');
  });
});
