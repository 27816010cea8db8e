import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

let engine: TestEngine;

before(async () => {
  engine = await TestEngine.open();
});

/** Expression -> value. */
const values: Readonly<Record<string, unknown>> = {
  'array_sort([2, NULL, 1], NULL)': null,
  "array_sort([2, 1], 'DESC', NULL)": null,
  "MAP {'1': 1, 2: 3}": [
    { key: '1', value: '1' },
    { key: '2', value: '3' },
  ],
  'arrow_typeof(CAST(struct(1, 2) AS STRUCT<a INT, b VARCHAR>))': 'Struct("a": nullable Int32, "b": nullable Utf8)',
  "CAST(struct(1, 'x') AS STRUCT<a INT, b VARCHAR>)['b']": 'x',
  "CAST(named_struct('b', 'x', 'a', '7') AS STRUCT<a INT, b VARCHAR>)['a']": 7,
  'CAST(NULL AS STRUCT<a INT>)': null,
  'arrow_typeof(CAST([1, 2, 3] AS INT[3]))': 'FixedSizeList(3 x nullable Int32)',
  "substr('héllo', 9223372036854775807)": '',
  "substr('héllo', 2, 9223372036854775807)": 'éllo',
  "substr('héllo', -9223372036854775808, 0)": '',
  "left('héllo', 9223372036854775807)": 'héllo',
  "right('héllo', -9223372036854775808)": '',
  "overlay('héllo' placing 'x' from 9223372036854775807)": 'x',
  "isnan(sin(CAST('inf' AS DOUBLE)))": true,
  "isnan(cot(CAST('-inf' AS DOUBLE)))": true,
  "CAST([TIMESTAMP '2024-01-01'] AS VARCHAR[])": ['2024-01-01T00:00:00'],
  "CAST([[TIMESTAMP '2024-01-01', NULL]] AS VARCHAR[][])": [['2024-01-01T00:00:00', null]],
  'CAST([1e20] AS VARCHAR[])': ['1e20'],
  'array_length(array_repeat(to_timestamp(-9223372036854775806), 4))': 4,
  "to_date('21311111')": '2131-11-11',
  "CAST('20240229' AS DATE)": '2024-02-29',
  "-CAST('1970-01-01T00:00:01Z' AS TIMESTAMP)": '1969-12-31 23:59:59',
  "INTERVAL '5 day 1' HOUR": { months: 0, days: 5, micros: '3600000000' },
  "generate_series(DATE '2024-01-01', DATE '2024-01-03', NULL::INTERVAL)": null,
  "CASE WHEN false THEN named_struct('a', 1) ELSE named_struct('a', 2.5) END['a']": 2.5,
  'arrow_typeof(avg(CAST(column1 AS DECIMAL(10, 3)))) FROM (VALUES (1)) AS v': 'Decimal128(14, 7)',
};

/** Statement -> rows, as values. */
const rows: Readonly<Record<string, readonly (readonly unknown[])[]>> = {
  'SELECT avg(CAST(v AS DECIMAL(10, 1))) FROM (VALUES (-0.1), (-0.2), (0.2)) AS t(v)': [['-0.03333']],
  'SELECT avg(CAST(v AS DECIMAL(10, 0))) FROM (VALUES (1), (2)) AS t(v)': [['1.5000']],
  'SELECT avg(CAST(v AS DECIMAL(10, 0))) FROM (VALUES (1)) AS t(v) WHERE v > 1': [[null]],
  "SELECT v FROM (VALUES (1)) AS t(v) ORDER BY 'x', NULL, true": [['1']],
  "SELECT 1 AS v UNION SELECT 1 ORDER BY 'x'": [['1']],
  "SELECT array_agg(v ORDER BY 'x') FROM (VALUES (1)) AS t(v)": [[['1']]],
  'SELECT array_replace(l, 1, v) FROM (VALUES ([3, 1], 18446744073709551615)) AS t(l, v)': [[['3', '18446744073709551615']]],
  "SELECT array_sort(l, d, n) FROM (VALUES ([2, NULL, 1], 'desc', 'NULLS LAST'), ([2, NULL, 1], 'ASC', 'NULLS FIRST'), ([1], NULL, 'NULLS LAST')) AS t(l, d, n)":
    [[['2', '1', null]], [[null, '1', '2']], [null]],
  "SELECT array_to_string(l, d) FROM (VALUES ([1, NULL, 2], '-'), ([3], 'x'), ([1, 2], NULL), ([NULL], '+')) AS t(l, d)": [
    ['1-2'],
    ['3'],
    [null],
    [''],
  ],
  'SELECT array_length([[1, 2, 3], [4]], d) FROM (VALUES (1), (2), (3), (NULL)) AS t(d)': [['2'], ['3'], [null], [null]],
  "SELECT generate_series(a, b, s) FROM (VALUES (DATE '2024-01-30', DATE '2024-03-31', INTERVAL '1 month'), (DATE '2024-01-02', DATE '2024-01-01', INTERVAL '-1 day')) AS t(a, b, s)":
    [[['2024-01-30', '2024-02-29', '2024-03-29']], [['2024-01-02', '2024-01-01']]],
  "SELECT regexp_like(s, 'f.*r', f), regexp_count(s, 'O', 1, f) FROM (VALUES ('Foobar', 'i'), ('Foobar', ''), ('foobar', NULL)) AS t(s, f)":
    [
      [true, '2'],
      [false, '0'],
      [true, '0'],
    ],
  "SELECT column1 FROM (VALUES ('1'), (2)) AS v WHERE column1 > 1": [['2']],
  'SELECT unnest(l), unnest(unnest(l)), unnest(unnest(unnest(l))) FROM (SELECT [[[1], [2]], [[1, 3]]] AS l)': [
    [[['1'], ['2']], ['1'], '1'],
    [[['1', '3']], ['2'], null],
    [[['1'], ['2']], ['1', '3'], '2'],
    [[['1', '3']], null, null],
    [[['1'], ['2']], ['1'], '1'],
    [[['1', '3']], ['2'], '3'],
    [[['1'], ['2']], ['1', '3'], null],
    [[['1', '3']], null, null],
  ].map(([a, b, c]) => [a, b, c]),
  "SELECT unnest(unnest(unnest(l)['c1'])), k FROM (SELECT [struct([1], [[3], [4]])] AS l, 'x' AS k) AS t ORDER BY k": [
    ['3', 'x'],
    ['4', 'x'],
  ],
  "SELECT to_timestamp(t, f) FROM (VALUES ('2020-09-08 12/00/00+02:00', '%Y-%m-%d %H/%M/%S%#z'), ('2031-01-19T23:33:25+05:00', '%+'), ('1926632005', '%s'), ('8 Sep 2020 01:02:03.123456', '%d %b %Y %T%.f'), ('09/08/20', '%D'), (NULL, '%s'), ('1', NULL)) AS v(t, f)":
    [
      ['2020-09-08 10:00:00'],
      ['2031-01-19 18:33:25'],
      ['2031-01-19 23:33:25'],
      ['2020-09-08 01:02:03.123456'],
      ['2020-09-08 00:00:00'],
      [null],
      [null],
    ],
  "SELECT to_date(t, f, '%d.%m.%Y') FROM (VALUES ('20200908', '%Y%m%d'), ('07.09.2020', '%Y')) AS v(t, f)": [
    ['2020-09-08'],
    ['2020-09-07'],
  ],
  'SELECT j.a, "a:1" FROM ((SELECT 1 AS a) AS x CROSS JOIN (SELECT 2 AS a) AS y) AS j': [[1, 2]],
  'SELECT u / 0, u % 0, i / 0 FROM t WHERE u IS NULL': [[null, null, null]],
  'SELECT arrow_typeof(unnest([1, NULL]))': [['Int64'], ['Int64']],
};

/** Statement -> the beginning of the error. */
const refusals: Readonly<Record<string, string>> = {
  "SELECT MAP {'a': 1, 2: 3}": "Arrow error: Cast error: Cannot cast string 'a' to value of Int64 type",
  "SELECT MAP {'a': [1], 'b': ['x']}":
    'type_coercion\ncaused by\nError during planning: Cannot infer a common type of lists of Int64 and Utf8',
  "SELECT * FROM (VALUES (1), ('foo')) AS t": "Arrow error: Cast error: Cannot cast string 'foo' to value of Int64 type",
  "SELECT 'a' AS a UNION ALL SELECT true AS a":
    "Error during planning: Incompatible inputs for Union: Previous inputs were of type Utf8, but got incompatible type Boolean on column 'a'",
  'SELECT * EXCLUDE (temp, temp) FROM home': 'Error during planning: EXCLUDE or EXCEPT contains duplicate column names',
  "SELECT ('x', 'y') = ('x', 'y', 'z')":
    'type_coercion\ncaused by\nError during planning: Cannot infer common argument type for comparison operation Struct',
  "SELECT temp FROM home WHERE temp ~ 'z'":
    'type_coercion\ncaused by\nError during planning: Cannot infer common argument type for regex operation Float64 ~ Utf8',
  "SELECT INTERVAL '5 day' HOUR": 'Arrow error: Parser error: Invalid input syntax for type interval: "5 day HOUR"',
  "SELECT substr('')": 'Error during planning: Substring without for/from is not valid',
  'SELECT unnest(struct(1, 2)) AS x': 'Error during planning: unnest on struct can only be applied at the root level of select expression',
  'SELECT CAST(struct(1, 2) AS STRUCT<a INT>)': 'Error during planning: Cannot cast a struct of 2 members to one of 1',
  'SELECT CAST([1, 2] AS INT[3])': 'Arrow error: Cast error: Cannot cast to FixedSizeList(3)',
  "SELECT generate_series(DATE '2024-01-01', DATE '2024-01-02', s) FROM (VALUES (INTERVAL '0 days')) AS t(s)":
    "Execution error: step can't be 0",
  "SELECT generate_series(a, a + INTERVAL '9000 days', s) FROM (VALUES (TIMESTAMP '2024-01-01', INTERVAL '1 second')) AS t(a, s)":
    'Resources exhausted: generate_series would make more than',
  "SELECT to_timestamp('x', f) FROM (VALUES ('%Y')) AS t(f)": "Execution error: Error parsing timestamp from 'x' using format '%Y'",
  "SELECT to_timestamp('2020', f) FROM (VALUES ('%Y%q')) AS t(f)": 'Execution error: The format string is invalid or not supported: %Y%q',
  "SELECT regexp_like('a', 'b', f) FROM (VALUES ('q')) AS t(f)": 'Execution error: unsupported regular expression flags "q"',
  'SELECT CAST(f AS DECIMAL(3, 1)) FROM (VALUES (1e20)) AS t(f)':
    'Arrow error: Cast error: Cannot cast to Decimal128(3, 1). Overflowing on',
  "SELECT CAST(s AS DECIMAL(3, 1)) FROM (VALUES ('x')) AS t(s)":
    "Arrow error: Cast error: Cannot cast string 'x' to value of Decimal128(3, 1) type",
  "SELECT CAST(s AS TIME) FROM (VALUES ('x')) AS t(s)": "Arrow error: Cast error: Cannot cast string 'x' to value of Time64(ns) type",
  'SELECT make_date(2024, m, 1) FROM (VALUES (13)) AS t(m)': "Execution error: Month value '13' is out of range",
  'SELECT make_date(2023, 2, d) FROM (VALUES (29)) AS t(d)': 'Execution error: Unable to parse date from 2023, 2, 29',
  "SELECT map([k], [1]) FROM (VALUES (NULL), ('a')) AS t(k)": 'Execution error: map key cannot be null',
  'SELECT map([k, 1], [1, 2]) FROM (VALUES (1)) AS t(k)': 'Execution error: map key must be unique',
  'SELECT array_slice([1, 2], 1, 2, s) FROM (VALUES (0)) AS t(s)': 'Execution error: array_slice got invalid stride: 0',
  'SELECT array_position([[1]], 1)': "Error during planning: Failed to coerce arguments to satisfy a call to 'array_position' function",
  'SELECT array_intersect(NULL, 1)': 'Error during planning: array_intersect does not support type',
  "SELECT to_timestamp('x', 'y', (SELECT 'z'))": 'Error during planning: a subquery is not supported in this argument',
  "SELECT DATE 'x'":
    "Optimizer rule 'simplify_expressions' failed\ncaused by\nArrow error: Cast error: Cannot cast string 'x' to value of Date32 type",
  "SELECT CASE WHEN true THEN named_struct('a', 1, 'b', 2) ELSE named_struct('b', 1, 'a', 2) END": 'type_coercion\n',
};

describe('values as DataFusion gives them', () => {
  for (const [expression, wanted] of Object.entries(values)) {
    test(expression, async () => {
      const [row] = await engine.rows(`SELECT ${expression}`);
      assert.deepEqual(Object.values(row ?? {}), [wanted]);
    });
  }
  for (const [statement, wanted] of Object.entries(rows)) {
    test(statement, async () => {
      assert.deepEqual(
        (await engine.rows(statement)).map((row) => Object.values(row)),
        wanted.map((row) => row.map((value) => (typeof value === 'string' && /^\d$/.test(value) ? Number(value) : value))),
      );
    });
  }
  test('times of several zones in VALUES are shown in the last one', async () => {
    for (const [a, b] of [
      ['UTC', 'America/Los_Angeles'],
      ['America/Los_Angeles', 'UTC'],
    ]) {
      const statement = `SELECT arrow_typeof(column1) FROM (VALUES ('2024-01-01T00:00:00' AT TIME ZONE '${a}'), ('2024-01-02T00:00:00' AT TIME ZONE '${b}')) AS v LIMIT 1`;
      assert.deepEqual(await engine.column(statement), [`Timestamp(ns, "${b}")`]);
    }
  });
});

describe('what DataFusion refuses is refused', () => {
  for (const [statement, wanted] of Object.entries(refusals)) {
    test(statement, async () => {
      const { message } = await engine.failure(statement);
      assert.equal(message.slice(0, wanted.length), wanted);
    });
  }
});
