import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { printed, TestEngine } from './support.ts';

describe('catalog statements', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  test('SHOW TABLES reads information_schema.tables', async () => {
    const expected = [{ table_catalog: 'public', table_schema: 'iox', table_name: 'home', table_type: 'BASE TABLE' }];
    assert.deepEqual(await engine.rows('SHOW TABLES'), expected);
  });

  test('SHOW COLUMNS and DESCRIBE print Arrow types and only time is not nullable', async () => {
    const columns = [
      ['co', 'Int64', 'YES'],
      ['hum', 'Float64', 'YES'],
      ['room', 'Dictionary(Int32, Utf8)', 'YES'],
      ['temp', 'Float64', 'YES'],
      ['time', 'Timestamp(ns)', 'NO'],
    ] as const;
    const described = columns.map(([column_name, data_type, is_nullable]) => ({ column_name, data_type, is_nullable }));
    const place = { table_catalog: 'public', table_schema: 'iox', table_name: 'home' };
    assert.deepEqual(await engine.rows('DESCRIBE home'), described);
    assert.deepEqual(await engine.rows('DESC iox.home'), described);
    for (const statement of ['SHOW COLUMNS FROM home', 'SHOW COLUMNS IN public.iox.home']) {
      assert.deepEqual(
        await engine.rows(statement),
        described.map((column) => ({ ...place, ...column })),
      );
    }
  });

  test('unknown tables are refused', async () => {
    for (const statement of ['DESCRIBE nope', 'SHOW COLUMNS FROM nope']) {
      assert.deepEqual(await engine.failure(statement), {
        status: 400,
        message: "Error during planning: table 'public.iox.nope' not found",
      });
    }
  });

  test('DESCRIBE SELECT describes the output', async () => {
    assert.deepEqual(await engine.rows('DESCRIBE SELECT 1 AS a, room FROM home'), [
      { column_name: 'a', data_type: 'Int64', is_nullable: 'YES' },
      { column_name: 'room', data_type: 'Dictionary(Int32, Utf8)', is_nullable: 'YES' },
    ]);
  });

  test('EXPLAIN prints the query and says how to explain it', async () => {
    const compiled = await engine.compile('EXPLAIN ANALYZE SELECT temp FROM home');
    assert.equal(compiled.explain, 'analyze');
    assert.deepEqual(
      compiled.output.map((column) => column.name),
      ['plan_type', 'plan'],
    );
    assert.equal(printed(compiled), printed(await engine.compile('SELECT temp FROM home')));
  });

  test('SHOW ALL and SHOW name read the settings', async () => {
    const zone = { name: 'datafusion.execution.time_zone', value: '+00:00' };
    assert.deepEqual(await engine.rows('SHOW ALL'), [zone, { name: 'datafusion.x', value: 1 }]);
    assert.deepEqual(await engine.rows('SHOW datafusion.execution.time_zone'), [zone]);
    assert.deepEqual(await engine.rows('SHOW TIMEZONE'), [zone]);
    assert.deepEqual(await engine.rows('SHOW TIME ZONE VERBOSE'), [{ ...zone, description: 'z' }]);
  });

  test('SHOW of anything else is refused by name', async () => {
    for (const name of ['measurements', 'datafusion.nope', 'tag.keys']) {
      assert.deepEqual(await engine.failure(`SHOW ${name.toUpperCase().replace('.', ' ')}`), {
        status: 400,
        message: `Error during planning: '${name.replace('datafusion ', 'datafusion.')}' is not a variable which can be viewed with 'SHOW'`,
      });
    }
  });

  test('system tables need their schema', async () => {
    assert.deepEqual(await engine.column('SELECT id FROM public.system."queries"'), ['q1']);
    assert.deepEqual(await engine.column('SELECT id FROM SYSTEM.QUERIES'), ['q1']);
  });

  test('SHOW TABLES with a filter is refused', async () => {
    assert.equal((await engine.failure("SHOW TABLES LIKE 'x'")).status, 405);
  });
});
