import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

/** Expression -> value. */
type Cases = readonly (readonly [string, unknown])[];

const operators: Cases = [
  ['7 / 2', 3],
  ['-7 / 2', -3],
  ['7 % -2', 1],
  ['-7 % 2', -1],
  ['5 ^ 3', 6],
  ['5 & 3', 1],
  ['5 | 3', 7],
  ['1 << 3', 8],
  ['1.5 / 2', 0.75],
  ['1 / 0.0', 'Infinity'],
  ['9223372036854775807 + 1', '-9223372036854775808'],
  ['-9223372036854775808', '-9223372036854775808'],
  ["'Kitchen' ~ 'Kit'", true],
  ["'Kitchen' ~* 'kit'", true],
  ["'Kitchen' !~ 'kit'", true],
  ["'Kitchen' !~* 'kit'", false],
  ["'a%c' LIKE 'a\\%c'", true],
  ["'abc' LIKE 'a\\%c'", false],
  ["'a_c' LIKE 'a!_c' ESCAPE '!'", true],
  ["'ABC' ILIKE 'a%'", true],
  ["'abc' NOT LIKE 'a_'", true],
  ["'a.c' SIMILAR TO 'a.c'", true],
  ["'a' || 1 || 2.0", 'a12.0'],
  ["'a' || NULL", null],
  ["5 = '5'", true],
  ["5 IN ('5', '6')", true],
  ["'10' BETWEEN 1 AND 3", true],
  ["10 < '1000.00'", true],
  ['NULL IS DISTINCT FROM 1', true],
  ['NULL IS NOT TRUE', true],
  ['(1 > 2) IS FALSE', true],
  ['NULL IS UNKNOWN', true],
  ['NOT NULL', null],
  ['1 BETWEEN 0 AND 2 AND 3 NOT BETWEEN 0 AND 2', true],
  ["X'61' = 'a'", true],
  ['[1, 2, 3][2]', 2],
  ["{a: 1, b: 'x'}['b']", 'x'],
  ["named_struct('k', 7)['k']", 7],
  ["TIMESTAMP '2022-01-01' = '2022-01-01T00:00:00Z'", true],
  ["TIMESTAMP '2022-01-01 00:00:00.000000001' > '2022-01-01T00:00:00Z'", true],
  ["TIMESTAMP '2022-01-02' IN ('2022-01-01', '2022-01-02')", true],
  ['CASE WHEN 1 > 2 THEN 1 ELSE 2.5 END', 2.5],
  ["CASE 3 WHEN 3 THEN 'x' END", 'x'],
];

const casts: Cases = [
  ['2.7::bigint', 2],
  ['(-2.7)::bigint', -2],
  ["'12'::bigint", 12],
  ["'+12'::bigint", 12],
  ["TIMESTAMP '1970-01-01T00:00:00.000000007'::bigint", 7],
  ['5::timestamp', '1970-01-01 00:00:05'],
  ["'2022-01-01 00:00:00.123456789'::timestamp", '2022-01-01 00:00:00.123456789'],
  ["TIMESTAMP '2022-01-01 08:00:00'::varchar", '2022-01-01T08:00:00'],
  ["TIMESTAMP '2022-01-01 08:00:00.5'::varchar", '2022-01-01T08:00:00.500'],
  ["TIMESTAMP '2022-01-01 08:00:00.000001'::varchar", '2022-01-01T08:00:00.000001'],
  ["TIMESTAMP '2022-01-01 08:00:00.000000001'::varchar", '2022-01-01T08:00:00.000000001'],
  ['1e20::varchar', '1e20'],
  ['1e-7::varchar', '1e-7'],
  ['21.0::varchar', '21.0'],
  ['true::varchar', 'true'],
  ["TRY_CAST('x' AS BIGINT)", null],
  ["TRY_CAST('2.5' AS BIGINT)", null],
  ["TRY_CAST('2.5' AS DOUBLE)", 2.5],
  ["TRY_CAST('x' AS TIMESTAMP)", null],
  ['CAST(300 AS BIGINT UNSIGNED)', 300],
  ["'2022-01-01'::date", '2022-01-01'],
  ["'1.5'::double", 1.5],
  ['NULL::bigint', null],
  ["arrow_cast(1, 'Float64')", 1],
  ["arrow_cast(5, 'Timestamp(Nanosecond, None)')", '1970-01-01 00:00:00.000000005'],
  ['arrow_typeof(1)', 'Int64'],
  ['arrow_typeof(1.5)', 'Float64'],
  ['arrow_typeof(7 / 2)', 'Int64'],
  ['arrow_typeof(now())', 'Timestamp(ns, "+00:00")'],
  ["arrow_typeof('a')", 'Utf8'],
  ['arrow_typeof(1::int)', 'Int32'],
  ['arrow_typeof([1])', 'List(nullable Int64)'],
];

/** Expression -> text of the 500 or 400. */
const failures: readonly (readonly [string, number, string])[] = [
  ['1 / 0', 500, 'Arrow error: Divide by zero error'],
  ['1 % 0', 500, 'Arrow error: Divide by zero error'],
  ['co / (co - co)', 500, 'Arrow error: Divide by zero error'],
  ["'2.7'::bigint", 500, "Arrow error: Cast error: Cannot cast string '2.7' to value of Int64 type"],
  ['room::bigint', 500, "Arrow error: Cast error: Cannot cast string 'Living Room' to value of Int64 type"],
  ['room::double', 500, "Arrow error: Cast error: Cannot cast string 'Living Room' to value of Float64 type"],
  [
    'time >= 5',
    400,
    'type_coercion\ncaused by\nError during planning: Cannot infer common argument type for comparison operation Timestamp(ns) >= Int64',
  ],
  [
    'time <> 5',
    400,
    'type_coercion\ncaused by\nError during planning: Cannot infer common argument type for comparison operation Timestamp(ns) != Int64',
  ],
  [
    "time IN (5, 'a')",
    400,
    'type_coercion\ncaused by\nError during planning: Can not find compatible types to compare Timestamp(ns) with [Int64, Utf8]',
  ],
  ['-CAST(1 AS BIGINT UNSIGNED)', 400, 'Error during planning: Negation only supports numeric, interval and timestamp types'],
];

describe('expressions', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  for (const [expression, value] of [...operators, ...casts]) {
    test(`${expression} is ${String(value)}`, async () => {
      assert.deepEqual(await engine.value(expression), value);
    });
  }

  for (const [expression, status, message] of failures) {
    test(`${expression} fails`, async () => {
      assert.deepEqual(await engine.failure(`SELECT ${expression} AS x FROM home ORDER BY time, room DESC`), { status, message });
    });
  }

  test('integer columns divide as integers, floats as floats', async () => {
    const rows = await engine.rows(
      "SELECT co / 4 AS i, co % 3 AS m, temp / 0 AS f FROM home WHERE room = 'Kitchen' ORDER BY time DESC LIMIT 1",
    );
    assert.deepEqual(rows, [{ i: 6, m: 2, f: 'Infinity' }]);
  });

  test('aggregates keep float division: avg(temp)/2 is not an integer', async () => {
    assert.deepEqual(await engine.column('SELECT avg(temp) / 2 FROM home'), [11.198076923076924]);
    assert.deepEqual(await engine.column('SELECT sum(co) / count(co) FROM home'), [5]);
  });

  test('a tag compared with numbers compares as text', async () => {
    assert.deepEqual(await engine.column('SELECT rack FROM t WHERE rack BETWEEN 1 AND 3 ORDER BY rack'), [1, 10]);
    assert.deepEqual(await engine.column("SELECT i FROM t WHERE i < '1000.00'"), [-7]);
  });

  test('nulls sort last when ascending and first when descending', async () => {
    assert.deepEqual(await engine.column('SELECT rack FROM t ORDER BY rack'), [1, 10, null]);
    assert.deepEqual(await engine.column('SELECT rack FROM t ORDER BY rack DESC'), [null, 10, 1]);
    assert.deepEqual(await engine.column('SELECT rack FROM t ORDER BY rack NULLS FIRST'), [null, 1, 10]);
  });

  test('timestamps keep nanoseconds through interval arithmetic', async () => {
    assert.equal(await engine.value("TIMESTAMP '2022-01-01 08:00:00.123456789' - INTERVAL '1 month'"), '2021-12-01 08:00:00.123456789');
    assert.equal(await engine.value("TIMESTAMP '2022-03-31' - INTERVAL '1 month'"), '2022-02-28 00:00:00');
    assert.deepEqual(await engine.column("SELECT time + INTERVAL '1 month 1 nanosecond' FROM t WHERE i = 7"), [
      '1970-02-01 00:00:00.000000002',
    ]);
    assert.deepEqual(await engine.column("SELECT time - INTERVAL '1 nanosecond' FROM t WHERE i = -7"), ['1969-12-31 23:43:59.999999999']);
    assert.deepEqual(await engine.column("SELECT max(time) + INTERVAL '1 hour' FROM home"), ['2022-01-01 21:00:00']);
  });

  test('differences of times are nanoseconds and compare with intervals', async () => {
    assert.deepEqual(await engine.column('SELECT max(time) - min(time) FROM home'), [43_200_000_000_000]);
    assert.deepEqual(await engine.column("SELECT id FROM system.queries WHERE end2end_duration < INTERVAL '10 milliseconds'"), ['q1']);
    assert.deepEqual(await engine.column("SELECT id FROM system.queries WHERE end2end_duration > INTERVAL '10 milliseconds'"), []);
  });

  test('WHERE needs a condition', async () => {
    assert.deepEqual(await engine.failure('SELECT * FROM home WHERE 1'), {
      status: 400,
      message: "Error during planning: Cannot create filter with non-boolean predicate 'Int64(1)' returning Int64",
    });
  });
});
