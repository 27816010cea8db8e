import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

let engine: TestEngine;

before(async () => {
  engine = await TestEngine.open();
});

/** Expression -> value: forms that DataFusion understands and DuckDB writes in another way. */
const cases: Readonly<Record<string, unknown>> = {
  "'abc' ~~ 'a%'": true,
  "'ABC' ~~* 'a%'": true,
  "'abc' !~~ 'b%'": true,
  "'ABC' !~~* 'a%'": false,
  '2 = ANY([1, 2])': true,
  "'c' = ANY(['a', 'b'])": false,
  '[1, 2, 3] @> [1, 3]': true,
  '[1, 4] <@ [1, 2, 3]': false,
  "'\\' LIKE '\\'": true,
  "'a\\' LIKE 'a\\'": true,
  "'ab' LIKE 'a\\'": false,
  "CASE WHEN 2 THEN 'number' END": 'number',
  "CASE WHEN 'false' THEN 1 ELSE 2 END": 2,
  '[1, 2, 3, 4, 5][1:5:2]': ['1', '3', '5'],
  '[1, 2, 3][2:3:2]': ['2'],
  'array_concat([[1, 2]], [3])': [['1', '2'], ['3']],
  'array_concat([1], [[2]], [[[3]]])': [[['1']], [['2']], [['3']]],
  '0 || [1] || [[2]]': [['0', '1'], ['2']],
  'array_distance([[1, 1]], [[1, 2]])': 1,
  'array_distance([1, NULL], [1, 2])': null,
  'array_element(NULL, 1)': null,
  "arrow_cast('1', 'List(Int64)')": ['1'],
  "arrow_cast('2000-01-01T00:00:00', 'Timestamp(Nanosecond, Some( \"+08:00\" ))')": '1999-12-31 16:00:00',
  "arrow_cast(5, 'Dictionary(Int32, Int8)')": 5,
  "arrow_cast('a', 'Dictionary(UInt16, Utf8)')": 'a',
  'CAST(CAST(7.5 AS DECIMAL(5, 2)) AS TIMESTAMP)': '1970-01-01 00:00:00.000000007',
  'substr(NULL, 3, -4)': null,
  "regexp_replace('a', NULL, 'b')": null,
  "regexp_match('a', NULL)": null,
  "regexp_count('a', 'a', 1, NULL)": 0,
};

describe('forms that DataFusion understands', () => {
  for (const [expression, wanted] of Object.entries(cases)) {
    test(expression, async () => {
      assert.deepEqual(await engine.value(expression), wanted);
    });
  }

  test('matches patterns of a column that end in a backslash', async () => {
    const rows = "FROM (VALUES ('a\\', 'a\\'), ('a\\', 'a\\\\'), ('a', 'a\\')) AS t(s, p)";
    assert.deepEqual(await engine.column(`SELECT s LIKE p ${rows}`), [true, true, false]);
  });

  test('reads long chains of operators in time', async () => {
    const chain = Array.from({ length: 200 }, (_, i) => `n + ${i} > 0`).join(' AND ');
    assert.deepEqual(await engine.column(`SELECT ${chain} AS x FROM (VALUES (1)) AS t(n)`), [true]);
  });

  test('computes LIMIT and OFFSET', async () => {
    const rows = 'FROM (VALUES (1), (2), (3), (4)) AS t(n) ORDER BY n';
    assert.deepEqual(await engine.column(`SELECT n ${rows} LIMIT abs(-4) + -1 * 2 OFFSET CASE WHEN 1 < 2 THEN 1 ELSE 0 END`), [2, 3]);
    assert.deepEqual(await engine.column("SELECT temp FROM home LIMIT 1 + length('a') - 2"), []);
    assert.equal((await engine.failure('SELECT 1 LIMIT (SELECT 1)')).status, 400);
  });

  test('names a join in brackets, and joins without a condition', async () => {
    const [a, b] = ['(SELECT 1 AS x, 2 AS y) AS a', '(SELECT 1 AS x, 3 AS z) AS b'];
    assert.deepEqual(await engine.rows(`SELECT q.y, q.z FROM (${a} JOIN ${b} ON a.x = b.x) AS q`), [{ y: 2, z: 3 }]);
    assert.deepEqual(await engine.rows(`SELECT a.y, b.z FROM ${a} JOIN ${b}`), [{ y: 2, z: 3 }]);
    assert.deepEqual(await engine.rows(`SELECT a.y, b.z FROM ${a} LEFT JOIN (SELECT 3 AS z WHERE false) AS b`), [{ y: 2, z: null }]);
  });

  test('makes series of times by months and of dates by days or hours', async () => {
    assert.deepEqual(await engine.column("SELECT * FROM range(TIMESTAMP '2023-01-01', TIMESTAMP '2023-04-01', INTERVAL '1 month')"), [
      '2023-01-01 00:00:00',
      '2023-02-01 00:00:00',
      '2023-03-01 00:00:00',
    ]);
    assert.deepEqual(await engine.column("SELECT value FROM generate_series(DATE '1992-01-01', DATE '1992-01-02', INTERVAL '12 hours')"), [
      '1992-01-01 00:00:00',
      '1992-01-01 12:00:00',
      '1992-01-02 00:00:00',
    ]);
    assert.deepEqual(await engine.column("SELECT * FROM range(DATE '1992-09-01', NULL::DATE, INTERVAL '1 month')"), []);
    const away = await engine.failure("SELECT * FROM range(TIMESTAMP '2023-01-03', TIMESTAMP '2023-01-01', INTERVAL '1 day')");
    assert.match(away.message, /Start is bigger than end/);
  });

  test('groups by the items of lists', async () => {
    const from = 'FROM (VALUES ([1, 2], 10), ([2], 20), ([3], 30)) AS t(l, n)';
    const wanted = [
      { u: 1, s: 10 },
      { u: 2, s: 30 },
    ];
    for (const key of ['u', '1', 'unnest(l)']) {
      assert.deepEqual(await engine.rows(`SELECT unnest(l) AS u, sum(t.n) AS s ${from} WHERE n < 30 GROUP BY ${key} ORDER BY u`), wanted);
    }
    assert.deepEqual(await engine.column(`SELECT unnest(l), count(*) ${from} GROUP BY unnest(l) ORDER BY unnest(l) DESC`), [3, 2, 1]);
    assert.deepEqual(await engine.names(`SELECT unnest(l), count(*) ${from} GROUP BY unnest(l)`), ['UNNEST(t.l)', 'count(*)']);
  });

  test('unnests lists side by side, lists in lists, and structs', async () => {
    assert.deepEqual(await engine.rows("SELECT * FROM unnest([1, 2], ['a']) AS t(n, s)"), [
      { n: 1, s: 'a' },
      { n: 2, s: null },
    ]);
    assert.deepEqual(await engine.rows('SELECT * FROM unnest(struct(1, 2)) AS t(a, b)'), [{ a: 1, b: 2 }]);
    assert.deepEqual(await engine.column('SELECT unnest(unnest([[1], [2, 3]])) AS n'), [1, 2, 3]);
    assert.deepEqual(await engine.rows("SELECT unnest(named_struct('a', n, 'b', 'x')), n FROM (VALUES (7)) AS t(n)"), [
      {
        '__unnest_placeholder(named_struct(Utf8("a"),t.n,Utf8("b"),Utf8("x"))).a': 7,
        '__unnest_placeholder(named_struct(Utf8("a"),t.n,Utf8("b"),Utf8("x"))).b': 'x',
        n: 7,
      },
    ]);
  });
});
