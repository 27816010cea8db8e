import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

let engine: TestEngine;

before(async () => {
  engine = await TestEngine.open();
});

/** Expression -> value, as DataFusion has it. */
const cases: Readonly<Record<string, unknown>> = {
  "substr('alphabet', CAST(NULL AS INT))": null,
  "substr('alphabet', 3, CAST(NULL AS INT))": null,
  "find_in_set(NULL, 'a,b')": null,
  "find_in_set('c', 'a,b')": 0,
  "substring_index('arrow.apache.org', NULL, 1)": null,
  "substring_index('arrow.apache.org', '', 1)": '',
  'initcap(NULL)': null,
  "reverse('lo\u0077\u0308ks')": 'sk\u0308wol',
  "regexp_count(NULL, 'a')": 0,
  'nanvl(2, NULL)': null,
  'factorial(NULL)': null,
  "string_to_array('abc', '')": ['abc'],
  "string_to_array('abc', NULL)": ['a', 'b', 'c'],
  'array_append(NULL, 1)': ['1'],
  'array_append(make_array(), 4)': ['4'],
  'array_prepend(4, NULL)': ['4'],
  'array_concat(CAST(NULL AS BIGINT[]), CAST(NULL AS BIGINT[]))': null,
  'array_concat(make_array(), [2, 3])': ['2', '3'],
  'array_union(NULL, [1, 1, 2])': ['1', '2'],
  'array_intersect(NULL, [1])': [],
  "array_to_string([1.0, 2.5, NULL], '|')": '1|2.5',
  "array_to_string([[1, 2], NULL, [3]], '+', '-')": '1+2+-+3',
  "arrays_overlap(['a', NULL], ['b', NULL])": true,
  'cardinality(make_array())': null,
  'array_dims(make_array())': null,
  'array_ndims(NULL)': null,
  "make_array(1.0, '2', NULL)": [1, 2, null],
  "coalesce(NULL, 1, '3')": 1,
  'array_position([1, 2, 1], 1, 2)': 3,
  'array_slice([1, 2, 3, 4, 5], 1, 5, 2)': ['1', '3', '5'],
  "regexp_replace('foobarbaz', 'b(..)', 'X\\1Y', 'g')": 'fooXarYXazY',
  "regexp_instr('ABCABCABCABC', 'Abc', 1, 2, 'i')": 4,
  "regexp_instr('hello', 'x')": 0,
  "regexp_instr('aXbXc', 'X', 3)": 4,
  'NULL <=> NULL': true,
  "to_char(TIMESTAMP '2024-03-05T09:00:00', '%e|%k|%q|%C|%s|%P')": ' 5| 9|1|20|1709629200|am',
  "to_char(TIMESTAMP '2024-03-05T09:00:00', '%c')": 'Tue Mar  5 09:00:00 2024',
  "arrow_typeof(arrow_cast([1, 2], 'LargeList(Int64)'))": 'LargeList(nullable Int64)',
  "arrow_typeof(arrow_cast([1, 2], 'FixedSizeList(2, Int64)'))": 'FixedSizeList(2 x nullable Int64)',
  "arrow_typeof(arrow_cast('a', 'Utf8View'))": 'Utf8View',
  "arrow_cast('08:09:10.123456789', 'Time64(Nanosecond)')": '08:09:10.123456789',
  "date_part('millisecond', arrow_cast('08:09:10.123', 'Time32(Millisecond)'))": 10123,
  "arrow_cast(5, 'Duration(Second)') = INTERVAL '5 seconds'": true,
  "arrow_cast(concat('2024-01-01', ' 00:00:00.123456789'), 'Timestamp(Millisecond, None)')": '2024-01-01 00:00:00.123',
};

describe('functions at their edges', () => {
  for (const [expression, wanted] of Object.entries(cases)) {
    test(`${expression} is ${JSON.stringify(wanted)}`, async () => {
      assert.deepEqual(await engine.value(expression), wanted);
    });
  }

  test('a list of the wrong length is none of a fixed size', async () => {
    const { message } = await engine.failure("SELECT arrow_cast([1, 2, 3], 'FixedSizeList(2, Int64)')");
    assert.match(message, /Cannot cast to FixedSizeList\(2\): value at index 0 has length 3/);
  });

  test('an interval finer than microseconds moves times', async () => {
    assert.equal(await engine.value("TIMESTAMP '2024-01-31T00:00:00' + INTERVAL '1 month 5 nanoseconds'"), '2024-02-29 00:00:00.000000005');
  });
});

describe('statistics', () => {
  const over = (aggregate: string, ...values: readonly string[]): Promise<unknown[]> =>
    engine.column(`SELECT ${aggregate} FROM (VALUES ${values.map((value) => `(${value})`).join(', ')}) AS t(v)`);

  test('the median of integers is exact beyond 2^53, and cut between two', async () => {
    assert.deepEqual(await over('median(v)', '9223372036854775807', '9223372036854775805'), ['9223372036854775806']);
    assert.deepEqual(await over('median(v)', '9007199254740993', '1', '9007199254740995'), ['9007199254740993']);
    assert.deepEqual(await over('median(v)', '-3', '-6'), [-4]);
    assert.deepEqual(await over('median(DISTINCT v)', '1', '1', '1', '9'), [5]);
    assert.deepEqual(await over('median(v) FILTER (WHERE v > 1)', '1', '7', '9', '100'), [9]);
  });

  test('percentile_cont is a double between the values, from the end when the order descends', async () => {
    assert.deepEqual(await over('percentile_cont(0.25) WITHIN GROUP (ORDER BY v)', '1', '2', '3', '4'), [1.75]);
    assert.deepEqual(await over('percentile_cont(0.25) WITHIN GROUP (ORDER BY v DESC)', '1', '2', '3', '4'), [3.25]);
  });

  test('what does not vary correlates with nothing', async () => {
    assert.deepEqual(await over('corr(v, v)', '1.5'), [null]);
    assert.deepEqual(await over('regr_slope(v, 1)', '1', '2'), [null]);
  });
});
