import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

let engine: TestEngine;

before(async () => {
  engine = await TestEngine.open();
});

/** Expression -> value that DataFusion has, where DuckDB's own function or cast has another. */
const cases: Readonly<Record<string, unknown>> = {
  'CAST(1704067200 AS TIMESTAMP)': '2024-01-01 00:00:00',
  '1704067200::timestamp': '2024-01-01 00:00:00',
  '1704067200000000000::BIGINT UNSIGNED::TIMESTAMP': '2024-01-01 00:00:00',
  'CAST(1704067200 AS TIMESTAMP(3))': '1970-01-20 17:21:07.2',
  'TRY_CAST(5 AS TIMESTAMP)': '1970-01-01 00:00:00.000000005',
  "'abc' SIMILAR TO 'b'": true,
  "'abc' NOT SIMILAR TO '^b'": true,
  "'abc' SIMILAR TO 'a%'": false,
  "'abc' SIMILAR TO concat('a', '.')": true,
  'trunc(0.83666, 3)': 0.837,
  'trunc(-4.567, 1)': -4.6,
  'trunc(4.567, 0)': 4,
  'trunc(-4.567)': -4,
  'atanh(-1)': '-Infinity',
  'atanh(1)': 'Infinity',
  'arrow_typeof(sqrt(CAST(2 AS FLOAT)))': 'Float32',
  'arrow_typeof(round(CAST(2.5 AS FLOAT), 1))': 'Float32',
  'arrow_typeof(sin(2))': 'Float64',
  "arrow_cast('18:06:30.243620451', 'Time32(Second)')": '18:06:30',
  "arrow_cast('18:06:30.243620451', 'Time64(Microsecond)')": '18:06:30.24362',
  "arrow_cast(arrow_cast('18:06:30.243620451', 'Time64(Nanosecond)'), 'Time32(Millisecond)')": '18:06:30.243',
  'current_time = CAST(now() AS TIME)': true,
  "CAST(INTERVAL '5 YEAR 5 DAY 5 HOUR 5 NANOSECOND' AS VARCHAR)": '60 mons 5 days 5 hours 0.000000005 secs',
  "CAST(-INTERVAL '1 minute 1 ns' AS VARCHAR)": '-1 mins -0.000000001 secs',
  "CAST(INTERVAL '1 ns' * 3 + INTERVAL '1 day' AS VARCHAR)": '1 days 0.000000003 secs',
  "arrow_typeof(INTERVAL '1 ns')": 'Interval(MonthDayNano)',
  "INTERVAL '1 day' < INTERVAL '1 day 1 ns'": true,
  "CAST(CASE WHEN 1 > 2 THEN INTERVAL '1 day' ELSE INTERVAL '1 ns' END AS VARCHAR)": '0.000000001 secs',
  "arrow_cast('2018-11-13T01:02:03.456789', 'Date64')": '2018-11-13 01:02:03.456',
  "arrow_typeof(arrow_cast('2018-11-13', 'Date64'))": 'Date64',
  "arrow_cast(arrow_cast('2018-11-13', 'Date64'), 'Date32')": '2018-11-13',
  "arrow_cast(1.1, 'Float16')": 1.099609375,
  "arrow_cast(2049, 'Float16')": 2048,
  "arrow_cast(65520, 'Float16')": 'Infinity',
  "arrow_typeof(arrow_cast(1, 'Float16'))": 'Float16',
  "arrow_cast(100, 'Decimal256(50, 2)')": '100.00',
  "arrow_typeof(arrow_cast(100, 'Decimal256(50, 2)'))": 'Decimal256(50, 2)',
  "arrow_typeof(arrow_cast(X'000102', 'FixedSizeBinary(3)'))": 'FixedSizeBinary(3)',
  "arrow_cast(X'000102', 'FixedSizeBinary(3)') = X'000102'": true,
  "arrow_typeof(arrow_cast('a', 'LargeBinary'))": 'LargeBinary',
  "arrow_typeof(arrow_cast('a', 'Dictionary(Int8, LargeUtf8)'))": 'Dictionary(Int8, LargeUtf8)',
  "arrow_typeof(coalesce(arrow_cast('a', 'Dictionary(Int32, Utf8)'), arrow_cast('b', 'Dictionary(Int64, LargeUtf8)')))":
    'Dictionary(Int64, LargeUtf8)',
  "encode(X'ABC', 'hex')": '0abc',
  "substr(length => 5, str => 'hello world', start_pos => 7)": 'world',
  "regexp_instr('The quick brown fox', ' (quick) (brown)', 1, 1, 'i', 2)": 11,
  "regexp_instr('abcXabc', 'a(b(c))', 1, 2, '', 2)": 7,
  "regexp_instr('abcXabc', '(a)(b)', 2, 1, '', 1)": 5,
  "regexp_instr('abc', '((b))', 1, 1, '', 2)": 2,
  "regexp_instr('abc', '(?P<x>a)(?:b)(?P<y>c)', 1, 1, '', 2)": 3,
  "regexp_instr('zz', '(a)', 1, 1, '', 1)": 0,
  "regexp_instr('ab', '(a)', 1, 1, '', 2)": 0,
  "array_to_string([CAST(NULL AS VARCHAR)], ',')": '',
  "array_to_string(make_array(), ',')": '',
  'array_to_string([1, 2], NULL)': null,
  'array_distinct([3, 1, NULL, 3, 2])': [null, '1', '2', '3'],
  "array_union(['b', 'a', 'b'], ['d', 'c', 'a'])": ['a', 'b', 'c', 'd'],
  "array_union(['z'], ['b', 'a'])": ['z', 'a', 'b'],
  "array_intersect(['rust', 'arrow', 'c'], ['c', 'arrow'])": ['arrow', 'c'],
  'array_intersect([1, NULL], [NULL, 2])': [null],
  'array_except([3, 1, 3, NULL, 2], [2])': ['3', '1', null],
  'arrow_typeof(CAST(1.25 AS DECIMAL(5, 2)) * CAST(1.25 AS DECIMAL(5, 2)))': 'Decimal128(11, 4)',
  'arrow_typeof(CAST(1.25 AS DECIMAL(5, 2)) / 2)': 'Decimal128(9, 6)',
  'arrow_typeof(CAST(1.25 AS DECIMAL(5, 2)) + 2)': 'Decimal128(23, 2)',
  '[CAST(1.25 AS DECIMAL(5, 2)) * CAST(1.5 AS DECIMAL(5, 2))]': ['1.8750'],
  'CAST(1.23 AS DECIMAL(3, 2)) - 123': '-121.77',
  'CAST(1.23 AS DECIMAL(3, 2)) / 123': '0.010000',
  'CAST(7 AS DECIMAL(3, 0)) % 4': 3,
  'arrow_typeof(coalesce(CAST(2 AS DECIMAL(7, 2)), 0))': 'Decimal128(22, 2)',
  'CAST(CAST(0.1 AS FLOAT) AS VARCHAR)': '0.1',
  "CAST(INTERVAL '1 month 2 days 3 hours 4 minutes 5.000006 seconds' AS VARCHAR)": '1 mons 2 days 3 hours 4 mins 5.000006000 secs',
  "CAST(INTERVAL '-90 minutes' AS VARCHAR)": '-1 hours -30 mins',
  "CAST(INTERVAL '0 days' AS VARCHAR)": '0 secs',
  "concat(INTERVAL '-1.5 seconds')": '-1.500000000 secs',
  "CAST(TIMESTAMP '2024-01-01T01:00:00' - TIMESTAMP '2024-01-01' AS VARCHAR)": 'PT3600S',
  "'' || (TIMESTAMP '2024-01-01' - TIMESTAMP '2024-01-01T00:00:00.011')": '-PT0.011S',
  "CAST(TIMESTAMP '2024-01-01' - TIMESTAMP '2024-01-01' AS VARCHAR)": 'P0D',
  'power(7, 22)': '3909821048582988049',
  'power(-2, 63)': '-9223372036854775808',
  'power(0, 0)': 1,
  'power(-1, 1001)': -1,
  'power(2, 10)': 1024,
  "initcap('ÜNLÜ-x 2ND o''neil')": "Ünlü-X 2nd O'Neil",
  "array_to_string([CAST(0.1 AS FLOAT), 2.0::FLOAT], ',')": '0.1,2',
  'array_except([2, 1], CAST(NULL AS BIGINT[]))': ['2', '1'],
  'array_except(CAST(NULL AS BIGINT[]), [2])': null,
  "overlay('123' placing 'abc' from 4 for 5)": 'abc',
  "overlay('Txxxxas' placing 'hom' from NULL for 4)": null,
  "overlay('Txxxxas' placing 'hom' from 2 for NULL)": null,
  "overlay('Txxxxas' placing 'hom' from 2 for 4)": 'Thomas',
  "overlay('Txxxxas' placing 'hom' from 2)": 'Thomxas',
  "overlay('abcdefg' placing 'qwertyasdfg' from 1 for 7)": 'qwertyasdfg',
  "DATE '1980-01-02' - INTERVAL '1 minute'": '1980-01-02',
  "DATE '1980-01-02' + INTERVAL '25 hours'": '1980-01-03',
  "DATE '1980-01-31' + INTERVAL '1 month'": '1980-02-29',
  "map_extract(MAP {'a': 1}, 'b')": [null],
  "map_extract(MAP {'a': 1}, 'a')": ['1'],
  "extract(epoch FROM INTERVAL '1.5 seconds')": 1.5,
  "extract(millisecond FROM INTERVAL '2 minutes 5.1 seconds')": 5100,
  "extract(us FROM INTERVAL '5.1 seconds')": 5100000,
  "extract(week FROM INTERVAL '15 days')": 2,
  "date_part('msec', TIMESTAMP '2024-01-01T00:00:05.123')": 5123,
};

describe('values that DataFusion has', () => {
  for (const [expression, wanted] of Object.entries(cases)) {
    test(expression, async () => {
      assert.deepEqual(await engine.value(expression), wanted);
    });
  }

  test('moves dates by intervals of a column in whole days', async () => {
    const from =
      "FROM (VALUES (INTERVAL '1 month', 1), (INTERVAL '1 day', 2), (INTERVAL '1 minute', 3), (INTERVAL '-49 hours', 4)) AS t(i, n)";
    assert.deepEqual(await engine.column(`SELECT DATE '1980-01-01' - i ${from} ORDER BY n`), [
      '1979-12-01',
      '1979-12-31',
      '1980-01-01',
      '1980-01-03',
    ]);
  });

  test('moves times and dates by intervals of a column that have nanoseconds', async () => {
    const from = "FROM (VALUES (INTERVAL '1 month 3 ns', 1), (INTERVAL '1 day', 2), (NULL, 3)) AS t(i, n)";
    assert.deepEqual(
      await engine.rows(
        `SELECT TIMESTAMP '2024-01-31' + i AS a, TIMESTAMP '2024-01-31' - i AS b, DATE '2024-01-31' + i AS c, extract(day FROM i) AS d, CAST(-i AS VARCHAR) AS e ${from} ORDER BY n`,
      ),
      [
        { a: '2024-02-29 00:00:00.000000003', b: '2023-12-30 23:59:59.999999997', c: '2024-02-29', d: 0, e: '-1 mons -0.000000003 secs' },
        { a: '2024-02-01 00:00:00', b: '2024-01-30 00:00:00', c: '2024-02-01', d: 1, e: '-1 days' },
        { a: null, b: null, c: null, d: null, e: null },
      ],
    );
    assert.deepEqual(await engine.column(`SELECT CAST(max(i) AS VARCHAR) ${from}`), ['1 mons 0.000000003 secs']);
  });

  test('divides NULL by zero without an error', async () => {
    const from = 'FROM (VALUES (NULL, 0), (7, 2)) AS t(a, b)';
    assert.deepEqual(await engine.column(`SELECT a / b ${from}`), [null, 3]);
    assert.deepEqual(await engine.column(`SELECT a % b ${from}`), [null, 1]);
    assert.deepEqual(await engine.column(`SELECT a / 0 ${from} WHERE a IS NULL`), [null]);
    assert.equal((await engine.failure(`SELECT a / 0 ${from}`)).message, 'Arrow error: Divide by zero error');
    assert.equal((await engine.failure(`SELECT 1 / b ${from}`)).message, 'Arrow error: Divide by zero error');
  });

  test('cuts a mean of durations to whole units', async () => {
    const from = 'FROM (VALUES (1), (2), (2)) AS t(n)';
    assert.deepEqual(
      await engine.rows(`SELECT avg(arrow_cast(n, 'Duration(Second)')) AS s, avg(arrow_cast(n, 'Duration(Nanosecond)')) AS ns ${from}`),
      [{ s: 1_000_000_000, ns: 1 }],
    );
  });

  test('counts places of nth_value from the end when they are negative', async () => {
    const from = 'FROM (VALUES (1, 10), (2, NULL), (3, 30)) AS t(n, v) ORDER BY n';
    const frame = '(ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)';
    assert.deepEqual(await engine.column(`SELECT nth_value(v, -2) OVER ${frame} ${from}`), [null, 10, null]);
    assert.deepEqual(await engine.column(`SELECT nth_value(v, -2) IGNORE NULLS OVER ${frame} ${from}`), [null, null, 10]);
    assert.deepEqual(await engine.column(`SELECT nth_value(v, -1 ORDER BY n) FROM (${`SELECT * ${from}`}) AS u`), [30]);
    assert.equal(
      (await engine.failure(`SELECT nth_value(v, 0) OVER () ${from}`)).message,
      'Execution error: nth_value expects n to be non-zero',
    );
  });

  test('counts rows without arguments, and rows in which no argument is NULL', async () => {
    const from = 'FROM (VALUES (1, 10), (2, NULL), (NULL, 30)) AS t(a, b)';
    assert.deepEqual(await engine.rows(`SELECT count() AS n, count(a, b) AS ab ${from}`), [{ n: 3, ab: 1 }]);
    assert.deepEqual(await engine.names(`SELECT count(), count(a, b) ${from}`), ['count()', 'count(t.a,t.b)']);
    assert.equal((await engine.failure(`SELECT count(DISTINCT a, b) ${from}`)).status, 405);
  });

  test('keeps the offset of an hour that comes twice', async () => {
    const times = "(VALUES (TIMESTAMP '2024-10-27T00:30:00'), (TIMESTAMP '2024-10-27T01:30:00')) AS t(u)";
    assert.deepEqual(await engine.column(`SELECT date_trunc('hour', tz(u, 'Europe/Berlin'))::text FROM ${times} ORDER BY u`), [
      '2024-10-27T02:00:00+02:00',
      '2024-10-27T02:00:00+01:00',
    ]);
  });

  test('refuses powers of integers that are none', async () => {
    assert.equal((await engine.failure('SELECT power(3, 64)')).status, 500);
    assert.match(
      (await engine.failure('SELECT power(2, -1)')).message,
      /^Execution error: Can't use negative exponents: -1 in integer computation, please use Float\.$/,
    );
  });

  test('refuses parts that an interval does not have', async () => {
    for (const part of ['quarter', 'doy', 'century']) {
      const { message } = await engine.failure(`SELECT date_part('${part}', INTERVAL '1 day')`);
      assert.equal(message, `Execution error: Date part '${part}' not supported`);
    }
  });
});
