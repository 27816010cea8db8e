import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

/** Expression -> value. */
const cases: readonly (readonly [string, unknown])[] = [
  ['acos(2)', 'NaN'],
  ['asin(1)', Math.asin(1)],
  ['sqrt(-1)', 'NaN'],
  ['sqrt(4)', 2],
  ['ln(0)', '-Infinity'],
  ['log(2, 8)', 3],
  ['log(100)', 2],
  ['log2(8)', 3],
  ['atanh(2)', 'NaN'],
  ['power(2, 3)', 8],
  ['pow(2.0, 0.5)', Math.SQRT2],
  ['round(2.5)', 3],
  ['round(-2.5)', -3],
  ['round(1.234, 2)', 1.23],
  ['trunc(2.7)', 2],
  ['abs(-3)', 3],
  ['ceil(1)', 1],
  ['floor(-1.5)', -2],
  ['factorial(5)', 120],
  ['gcd(4, 6)', 2],
  ['cbrt(27)', 3],
  ['signum(-2.5)', -1],
  ['nanvl(0.0 / 0.0, 2)', 2],
  ['isnan(0.0 / 0.0)', true],
  ['iszero(0)', true],
  ['cot(0)', 'Infinity'],
  ["lpad('a', 3)", '  a'],
  ["rpad('a', 3, 'x')", 'axx'],
  ["substr('abc', -1, 3)", 'a'],
  ["substr('abc', 2)", 'bc'],
  ["substring('abc' FROM 2 FOR 1)", 'b'],
  ["split_part('a.b.c', '.', 2)", 'b'],
  ["upper('ß')", 'SS'],
  ["initcap('hello wORLD')", 'Hello World'],
  ["btrim(' a ')", 'a'],
  ["trim(BOTH 'x' FROM 'xax')", 'a'],
  ["trim(LEADING 'x' FROM 'xax')", 'ax'],
  ["position('b' IN 'abc')", 2],
  ["overlay('abcdef' PLACING 'XX' FROM 2 FOR 3)", 'aXXef'],
  ["overlay('abcdef' PLACING 'XX' FROM 2)", 'aXXdef'],
  ["concat('a', 1, NULL, true)", 'a1true'],
  ["concat_ws('-', 'a', 'b')", 'a-b'],
  ["left('abc', 2)", 'ab'],
  ["right('abc', 2)", 'bc'],
  ['to_hex(255)', 'ff'],
  ["length('Äb')", 2],
  ["octet_length('Äb')", 3],
  ["find_in_set('b', 'a,b')", 2],
  ["substr_index('a.b.c', '.', 2)", 'a.b'],
  ["substr_index('a.b.c', '.', -1)", 'c'],
  ["encode('a', 'base64')", 'YQ'],
  ["encode('z', 'hex')", '7a'],
  ["decode('YQ', 'base64') = 'a'", true],
  ["md5('a')", '0cc175b9c0f1b6a831c399e269772661'],
  ["encode(sha224('a'), 'hex')", 'abd37534c7d9a2efb9465de931cd7055ffdb8879563ae98078d6d6d5'],
  [
    "encode(sha512('a'), 'hex')",
    '1f40fc92da241694750979ee6cf582f2d5d7d28e18335de05abc54d0560e0f5302860c652bf08d560252aa5e74210546f369fbbbce8c12cfc7957b2652fe9a75',
  ],
  ["encode(digest('a', 'sha256'), 'hex')", 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
  ["encode(digest('a', 'blake2s'), 'hex')", '4a0d129873403037c2cd9b9048203687f6233fb6738956e0349bd4320fec3e90'],
  ["encode(sha256('a'), 'hex')", 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
  ["translate('abc', 'ab', 'xy')", 'xyc'],
  ["levenshtein('kitten', 'sitting')", 3],
  ["regexp_like('abc', 'B', 'i')", true],
  ["regexp_replace('abc', '(b)', '<$1>')", 'a<b>c'],
  ["regexp_replace('aaa', 'a', 'b')", 'baa'],
  ["regexp_replace('aaa', 'a', 'b', 'g')", 'bbb'],
  ["regexp_match('foobar', '(foo)(bar)')", ['foo', 'bar']],
  ["regexp_match('foobar', 'o+')", ['oo']],
  ["regexp_match('foobar', 'x')", null],
  ["regexp_count('abcabc', 'b')", 2],
  ["regexp_count('abcabc', 'b', 3)", 1],
  ['coalesce(NULL, 1)', 1],
  ['nullif(1, 1)', null],
  ['nvl(NULL, 2)', 2],
  ['nvl2(NULL, 2, 3)', 3],
  ['greatest(1, NULL, 2)', 2],
  ['least(1.5, 2)', 1.5],
  ['array_distinct([3, 1, 3])', ['1', '3']],
  ['array_union([3, 1], [1, 2])', ['1', '3', '2']],
  ['array_except([1, 2], [2])', ['1']],
  ['array_intersect([1, 2], [2])', ['2']],
  ['array_has([1, 2], 2)', true],
  ['array_position([1, 2], 2)', 2],
  ['array_remove([1, 2, 1], 1)', ['2', '1']],
  ['array_replace_all([1, 2, 1], 1, 5)', ['5', '2', '5']],
  ["array_to_string([1, NULL, 2], '-')", '1-2'],
  ["string_to_array('a,b', ',')", ['a', 'b']],
  ["array_sort([1, NULL, 2], 'DESC', 'NULLS LAST')", ['2', '1', null]],
  ['array_length([1, 2])', 2],
  ['array_length([[1, 2, 3], [4, 5, 6]], 2)', 3],
  ['array_length([[1, 2, 3], [4, 5, 6]], 1)', 2],
  ['list_length([1], 2)', null],
  ['array_length(NULL)', null],
  ['array_dims([1, 2, 3])', ['3']],
  ['list_dims([[1, 2], [3, 4], [5, 6]])', ['3', '2']],
  ['array_dims([[[1]], [[2]]])', ['2', '1', '1']],
  ['array_dims(NULL)', null],
  ['arrow_typeof(array_dims([1]))', 'List(nullable UInt64)'],
  ['range(3)', ['0', '1', '2']],
  ['range(2, 5)', ['2', '3', '4']],
  ['range(5, 0, -2)', ['5', '3', '1']],
  ['range(5, 2)', []],
  ['range(1, NULL)', null],
  ['generate_series(3)', ['0', '1', '2', '3']],
  ['generate_series(1, 5, 2)', ['1', '3', '5']],
  ['arrow_typeof(range(3))', 'List(nullable Int64)'],
  [
    "range(TIMESTAMP '2022-01-01T00:00:00.000000001', TIMESTAMP '2022-01-01T02:00:00', INTERVAL '1 hour')",
    ['2022-01-01 00:00:00.000000001', '2022-01-01 01:00:00.000000001'],
  ],
  ["generate_series(DATE '2022-01-01', DATE '2022-01-03', INTERVAL '1 day')", ['2022-01-01', '2022-01-02', '2022-01-03']],
  ['flatten([[[1], [2]], [[3]]])', [['1'], ['2'], ['3']]],
  ['cardinality(MAP {1: 2})', 1],
  ['cardinality([1, 2, 3])', 3],
  ['cardinality([[1, 2], [3]])', 3],
  ['CASE WHEN true THEN struct(1) ELSE NULL END', { c0: '1' }],
  ["nvl2(1, MAP {'a': 1}, NULL)['a']", 1],
  ["array_repeat('x', '2')", ['x', 'x']],
  ["array_to_string([1, NULL], '-', 7)", '1-7'],
  ["MAP {'a': 1}['a']", 1],
  ["struct(1, 'a')", { c0: '1', c1: 'a' }],
  ["named_struct('a', 1)", { a: '1' }],
];

describe('functions', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  for (const [expression, value] of cases) {
    test(`${expression} is ${JSON.stringify(value)}`, async () => {
      assert.deepEqual(await engine.value(expression), value);
    });
  }

  test('functions take columns where they take constants', async () => {
    const rows = await engine.rows(
      "SELECT upper(room) AS u, sqrt(temp) > 4 AS s, lpad(room, 3) AS l FROM home WHERE room = 'Kitchen' LIMIT 1",
    );
    assert.deepEqual(rows, [{ u: 'KITCHEN', s: true, l: 'Kit' }]);
  });

  test('lists that functions make of columns', async () => {
    const made = 'array_length(generate_series(co, co + 2)) AS n, generate_series(co, co + 2) AS l, array_dims([[co, co]]) AS d';
    const rows = await engine.rows(`SELECT ${made} FROM home WHERE room = 'Kitchen' ORDER BY time DESC LIMIT 2`);
    assert.deepEqual(rows, [
      { n: 3, l: ['26', '27', '28'], d: ['1', '2'] },
      { n: 3, l: ['22', '23', '24'], d: ['1', '2'] },
    ]);
  });

  test('a list that counts in steps of nothing says so, one in months goes by the calendar', async () => {
    assert.deepEqual(await engine.failure('SELECT range(1, 2, 0)'), {
      status: 500,
      message: "Execution error: step can't be 0 for function range(start [, stop, step])",
    });
    const months = "range(TIMESTAMP '2022-01-31T00:00:00', TIMESTAMP '2022-04-30T00:00:00', INTERVAL '1 month')";
    assert.deepEqual(await engine.value(months), [
      '2022-01-31 00:00:00',
      '2022-02-28 00:00:00',
      '2022-03-28 00:00:00',
      '2022-04-28 00:00:00',
    ]);
    assert.equal((await engine.failure("SELECT range('a')")).status, 400);
    assert.equal((await engine.failure('SELECT array_dims(1)')).status, 400);
  });
  const failures: readonly (readonly [string, number, string])[] = [
    ['SELECT CAST(1e300 AS BIGINT)', 500, "Arrow error: Cast error: Can't cast value 1e300 to type Int64"],
    ['SELECT CAST(f * 1e300 AS BIGINT UNSIGNED) FROM t', 500, "Arrow error: Cast error: Can't cast value 1.5e300 to type UInt64"],
    ['SELECT CAST(i AS BIGINT UNSIGNED) FROM t WHERE i < 0', 500, "Arrow error: Cast error: Can't cast value -7 to type UInt64"],
    ['SELECT CAST(s AS BOOLEAN) FROM t', 500, "Arrow error: Cast error: Cannot cast string 'abc' to value of Boolean type"],
    ['SELECT CAST(room AS DATE) FROM home', 500, "Arrow error: Cast error: Cannot cast string 'Living Room' to value of Date32 type"],
    [
      'SELECT CAST(room AS TIMESTAMP) FROM home',
      500,
      "Arrow error: Parser error: Error parsing timestamp from 'Living Room': error parsing date",
    ],
    ["SELECT regexp_like(s, '(') FROM t", 500, 'Arrow error: External error: Regular expression did not compile: missing ): ('],
    ["SELECT s ~ '[' FROM t", 500, 'Arrow error: External error: Regular expression did not compile: missing ]: ['],
    [
      "SELECT regexp_replace(s, '*', '') FROM t",
      500,
      'Arrow error: External error: Regular expression did not compile: no argument for repetition operator: *',
    ],
    ["SELECT decode(s, 'hex') FROM t", 500, 'Execution error: Failed to decode value using hex: Invalid character or length'],
    ["SELECT decode('zz', 'hex') FROM t", 500, 'Execution error: Failed to decode value using hex: Invalid character or length'],
    ["SELECT decode('!', 'base64') FROM t", 500, 'Execution error: Failed to decode value using base64: Invalid symbol or length'],
    ['SELECT empty(co) FROM home', 400, "Error during planning: empty does not support type 'Int64'"],
    ['SELECT array_pop_back(room) FROM home', 400, "Error during planning: array_pop_back does not support type 'Dictionary(Int32, Utf8)'"],
    ['SELECT array_prepend(1, 2)', 400, "Error during planning: array_prepend does not support type 'Int64'"],
    ['SELECT cardinality(temp) FROM home', 400, "Error during planning: cardinality does not support type 'Float64'"],
    [
      'SELECT array_append([1], [2])',
      400,
      'Error during planning: Cannot concatenate lists of types List(nullable Int64) and List(nullable List(nullable Int64))',
    ],
    ['SELECT to_date(b) FROM t', 400, 'Error during planning: Unsupported CAST from Boolean to Date32'],
    [
      'SELECT from_unixtime(time) FROM home',
      500,
      'Arrow error: Arithmetic overflow: Overflow happened on: 1641024000000000000 * 1000000000',
    ],
    ['SELECT count(DISTINCT *) FROM home', 400, 'Error during planning: count(DISTINCT *) is not supported'],
    ['SELECT chr(-1)', 500, 'Execution error: invalid Unicode scalar value: -1'],
  ];
  for (const [statement, status, message] of failures) {
    test(`${statement} fails as in the reference`, async () => {
      assert.deepEqual(await engine.failure(statement), { status, message });
    });
  }

  test('suggests a name for an unknown function', async () => {
    assert.deepEqual(await engine.failure('SELECT flor(1.5)'), {
      status: 400,
      message: "Error during planning: Invalid function 'flor'.\nDid you mean 'floor'?",
    });
  });

  test('raises the reference text for negative lengths and positions', async () => {
    assert.deepEqual(await engine.failure("SELECT split_part('a', ',', 0)"), {
      status: 500,
      message: 'Execution error: field position must not be zero',
    });
    assert.match((await engine.failure("SELECT substr('a', 1, -1)")).message, /negative substring length not allowed/);
  });

  test('what would make very much of little is refused before it is made', async () => {
    const refused = { status: 500, message: /^Resources exhausted: / };
    for (const expression of [
      "repeat('x', 3000000000)",
      "repeat(repeat('x', 1000000), 1000000)",
      "lpad('x', 2000000000, 'y')",
      "rpad('x', 2000000000)",
      "replace(repeat('x', 1000000), 'x', repeat('y', 1000000))",
      'array_repeat(1, 3000000000)',
      'range(3000000000)',
      'generate_series(0, 100000)',
      'range(9223372036854775807, -9223372036854775807, -1)',
      'range(-9223372036854775807, 9223372036854775807)',
      "range(TIMESTAMP '2020-01-01T00:00:00', TIMESTAMP '2021-01-01T00:00:00', INTERVAL '1 second')",
      "array_repeat(array_repeat(repeat('x', 1000), 1000), 1000)",
      'array_resize([1], 2000000000)',
      'array_resize([1], 2000000000, 7)',
    ]) {
      const { status, message } = await engine.failure(`SELECT ${expression} AS x`);
      assert.equal(status, refused.status, expression);
      assert.match(message, refused.message, expression);
    }
    assert.equal(await engine.value("length(repeat('ab', 500000))"), 1_000_000);
    assert.equal(await engine.value('array_length(array_repeat(7, 100000))'), 100000);
    assert.equal(await engine.value('array_length(range(100000))'), 100000);
    assert.equal(await engine.value('array_length(generate_series(1, 100000))'), 100000);
  });

  test('what would make much for each row is refused earlier: DuckDB works on 2048 rows before it looks whether it should stop', async () => {
    for (const expression of [
      'repeat(room, 20000)',
      "lpad(room, 100000, 'y')",
      'rpad(room, 100000)',
      "regexp_replace(room, '.', repeat('y', 1000000), 'g')",
      "replace(room, 'o', repeat('y', 1000000))",
      'array_repeat(room, 20000)',
      'range(co, 20000)',
      'generate_series(co, 20000)',
      'array_resize([co], co + 20000)',
    ]) {
      const { status, message } = await engine.failure(`SELECT ${expression} AS x FROM home`);
      assert.equal(status, 500, expression);
      assert.match(message, /^Resources exhausted: /, expression);
    }
    const made = ['length(repeat(room, 100))', "length(regexp_replace(room, '.', 'ab', 'g'))", 'array_length(range(co, co + 10))'];
    for (const [i, expression] of made.entries()) {
      const rows = await engine.rows(`SELECT DISTINCT ${expression} AS x FROM home WHERE room = 'Kitchen'`);
      assert.deepEqual(
        rows.map((row) => Number(row['x'])),
        [[700], [14], [10]][i],
        expression,
      );
    }
  });

  test('aggregates keep the types of the reference', async () => {
    const rows = await engine.rows(
      'SELECT arrow_typeof(sum(co)) AS s, arrow_typeof(sum(temp)) AS f, arrow_typeof(median(co)) AS m, arrow_typeof(count(*)) AS c, arrow_typeof(max(time)) AS t FROM home',
    );
    assert.deepEqual(rows, [{ s: 'Int64', f: 'Float64', m: 'Int64', c: 'Int64', t: 'Timestamp(ns)' }]);
    assert.deepEqual(await engine.column('SELECT sum(co) + NULL FROM home'), [null]);
    assert.deepEqual(await engine.rows('SELECT median(x) AS m FROM (VALUES (3), (6)) AS v(x)'), [{ m: 4 }]);
    assert.deepEqual(await engine.rows('SELECT sum(co) AS s, sum(u) AS u FROM home, t'), [{ s: 411, u: 286 }]);
  });

  test('aggregates take DISTINCT, FILTER and ORDER BY', async () => {
    const rows = await engine.rows(
      "SELECT count(DISTINCT room) AS d, count(*) FILTER (WHERE temp > 22) AS f, string_agg(DISTINCT room, '|' ORDER BY room DESC) AS s, first_value(temp ORDER BY time, room) AS a, last_value(temp ORDER BY time, room) AS z, nth_value(temp, 2 ORDER BY time, room) AS n FROM home",
    );
    assert.deepEqual(rows, [{ d: 2, f: 22, s: 'Living Room|Kitchen', a: 21, z: 22.2, n: 21.1 }]);
  });

  test('statistics and percentiles', async () => {
    const rows = await engine.rows(
      'SELECT stddev(x) AS a, var_pop(x) AS b, approx_percentile_cont(x, 0.5) AS c, approx_percentile_cont(0.5) WITHIN GROUP (ORDER BY x) AS d, approx_median(x) AS e, approx_distinct(x) AS f, corr(x, x) AS g FROM (VALUES (1.0), (2.0), (3.0)) AS v(x)',
    );
    assert.deepEqual(rows, [{ a: 1, b: 2 / 3, c: 2, d: 2, e: 2, f: 3, g: 1 }]);
  });

  test('approx_percentile_cont_with_weight counts every value as often as its weight says', async () => {
    const of = (p: number, more = ''): string =>
      `approx_percentile_cont_with_weight(column1, column2, ${p}) ${more} AS p${Math.round(p * 100)}`;
    const values = 'FROM (VALUES (1, 1), (2, 1), (3, 8), (NULL, 5), (9, 0))';
    assert.deepEqual(await engine.rows(`SELECT ${of(0.1)}, ${of(0.2)}, ${of(0.5)}, ${of(1)} ${values}`), [
      { p10: 1, p20: 2, p50: 3, p100: 3 },
    ]);
    assert.deepEqual(await engine.rows(`SELECT ${of(0.5, 'FILTER (WHERE column1 < 3)')} ${values}`), [{ p50: 1 }]);
    assert.deepEqual(await engine.rows(`SELECT ${of(0.5, 'FILTER (WHERE column1 > 100)')} ${values}`), [{ p50: null }]);
  });

  test('selectors give value and time, whole or by member', async () => {
    const rows = await engine.rows(
      "SELECT room, selector_max(temp, time)['value'] AS v, selector_max(temp, time)['time'] AS t, selector_first(temp, time) AS f, selector_last(temp, time)['time'] AS l, selector_min(temp, time, hum)['other_1'] AS o FROM home GROUP BY room ORDER BY room",
    );
    assert.deepEqual(rows, [
      {
        room: 'Kitchen',
        v: 23.3,
        t: '2022-01-01 18:00:00',
        f: { value: 21, time: '2022-01-01 08:00:00' },
        l: '2022-01-01 20:00:00',
        o: 35.9,
      },
      {
        room: 'Living Room',
        v: 22.8,
        t: '2022-01-01 18:00:00',
        f: { value: 21.1, time: '2022-01-01 08:00:00' },
        l: '2022-01-01 20:00:00',
        o: 35.9,
      },
    ]);
  });

  test('selector_min and selector_max take the earliest time of equal values', async () => {
    const rows = await engine.rows(
      "SELECT selector_max(temp, time)['time'] AS a, selector_min(temp, time)['time'] AS b FROM home WHERE temp IN (22.7, 22.4)",
    );
    assert.deepEqual(rows, [{ a: '2022-01-01 10:00:00', b: '2022-01-01 11:00:00' }]);
  });

  test('selectors check their arguments', async () => {
    assert.deepEqual(await engine.failure('SELECT selector_first(temp) FROM home'), {
      status: 400,
      message: 'Error during planning: selector_first requires at least 2 arguments, got 1',
    });
    assert.deepEqual(await engine.failure('SELECT selector_first(temp, s) FROM t, home'), {
      status: 400,
      message: 'Error during planning: selector_first second argument must be a timestamp, but got Utf8',
    });
  });

  test('window functions', async () => {
    const rows = await engine.rows(
      "SELECT row_number() OVER w AS n, lag(temp) OVER w AS l, lead(temp, 1, 0) OVER w AS d, first_value(temp) OVER w AS f, sum(co) OVER w AS s, rank() OVER (ORDER BY co) AS r, ntile(2) OVER w AS h FROM home WHERE room = 'Kitchen' AND time < '2022-01-01T10:00:00Z' WINDOW w AS (PARTITION BY room ORDER BY time) ORDER BY n",
    );
    assert.deepEqual(rows, [
      { n: 1, l: null, d: 23, f: 21, s: 0, r: 1, h: 1 },
      { n: 2, l: 21, d: 0, f: 21, s: 0, r: 1, h: 2 },
    ]);
  });

  test('window frames by rows and by time', async () => {
    const sql = (frame: string): string =>
      `SELECT sum(co) OVER (ORDER BY time ${frame}) FROM home WHERE room = 'Kitchen' ORDER BY time DESC LIMIT 1`;
    assert.deepEqual(await engine.column(sql('ROWS BETWEEN 1 PRECEDING AND CURRENT ROW')), [48]);
    assert.deepEqual(await engine.column(sql("RANGE BETWEEN INTERVAL '2 hours' PRECEDING AND CURRENT ROW")), [66]);
    assert.deepEqual(await engine.column(sql('ROWS UNBOUNDED PRECEDING')), [87]);
  });

  test('IGNORE NULLS looks past nulls', async () => {
    assert.deepEqual(await engine.column('SELECT last_value(i) IGNORE NULLS OVER (ORDER BY time) FROM t ORDER BY time DESC LIMIT 1'), [7]);
  });
});
