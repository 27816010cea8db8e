import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

let engine: TestEngine;

before(async () => {
  engine = await TestEngine.open();
});

/** What took the square of the input, or a power of it, within one step of DuckDB, which nothing can interrupt: each would last for minutes. */
const LONG: Readonly<Record<string, unknown>> = {
  "repeat('a', 20000) LIKE '%a%a%a%a%a%a%b'": false,
  "repeat('a', 20000) LIKE '%a_%a_%a_%a_%b'": false,
  "repeat('a', 20000) NOT ILIKE '%A_%A%A%A%A%b'": true,
  "repeat('a', 20000) LIKE (SELECT '%a%a%a%a%a%a%b')": false,
  "repeat('a', 20000) ILIKE (SELECT '%A%a%a%a%a%a%b')": false,
  'array_length(array_except(range(0, 90000), range(30000, 120000)))': 30000,
  'array_length(array_intersect(range(0, 90000), range(30000, 120000)))': 60000,
  'array_length(array_union(range(0, 90000), range(30000, 120000)))': 120000,
  'array_length(array_remove_n(range(0, 90000), 5, 6))': 89999,
  'array_length(array_replace_n(range(0, 90000), 5, 6, 7))': 90000,
  "length(initcap(repeat('ab ', 100000)))": 300000,
  "length(reverse(repeat('é', 300000)))": 300000,
  "array_length(string_to_array(repeat('é', 300000), NULL))": 300000,
  "length(array_to_string(range(0, 90000), d)) AS n FROM (SELECT ', ' AS d) AS t": 618888,
};

describe('what takes time in proportion to what it reads', () => {
  for (const [expression, wanted] of Object.entries(LONG)) {
    test(expression, async () => {
      assert.deepEqual(Object.values((await engine.rows(`SELECT ${expression}`))[0] ?? {}), [wanted]);
    });
  }

  test('levenshtein says how much it would compare', async () => {
    const { message } = await engine.failure("SELECT levenshtein(repeat(concat('a', room), 2000), repeat('b', 2000)) FROM home");
    assert.equal(message, 'Resources exhausted: levenshtein would compare more than 1000000');
    assert.equal(await engine.value("levenshtein('kitten', 'sitting')"), 3);
  });
});

/** Text, pattern, escape character -> LIKE, ILIKE. */
const LIKES: readonly (readonly [string | null, string | null, boolean | null, boolean | null])[] = [
  ['abc', 'abc', true, true],
  ['abc', 'ABC', false, true],
  ['abc', 'a%', true, true],
  ['abc', '%C', false, true],
  ['abc', '%b%', true, true],
  ['abc', 'a_c', true, true],
  ['aéc', 'a_c', true, true],
  ['a\nc', 'a%c', true, true],
  ['a\nc', 'a_c', true, true],
  ['a.c', 'a.c', true, true],
  ['abc', 'a.c', false, false],
  ['a+(b)[c]', '%+(_)[%', true, true],
  ['a%c', 'a\\%c', true, true],
  ['abc', 'a\\%c', false, false],
  ['a_c', 'a\\_%', true, true],
  ['a\\c', 'a\\\\c', true, true],
  ['a\\', 'a\\', true, true],
  ['a\\', '%a%\\', true, true],
  ['', '', true, true],
  ['', '%', true, true],
  ['', '_', false, false],
  ['abc', '', false, false],
  ['aXbXc', 'a%X%c', true, true],
  ['aXbXc', 'a%X%d', false, false],
  [null, 'a%', null, null],
  ['a', null, null, null],
];

test('LIKE and ILIKE mean the same by a constant and by a column', async () => {
  const literal = (text: string | null): string => (text === null ? 'NULL' : `'${text.replaceAll("'", "''")}'`);
  for (const [text, pattern, like, ilike] of LIKES) {
    const [row] = await engine.rows(
      `SELECT s LIKE ${literal(pattern)} AS a, s ILIKE ${literal(pattern)} AS b, s LIKE p AS c, s ILIKE p AS d, s NOT LIKE p AS e FROM (SELECT CAST(${literal(text)} AS VARCHAR) AS s, CAST((SELECT ${literal(pattern)}) AS VARCHAR) AS p)`,
    );
    assert.deepEqual(row, { a: like, b: ilike, c: like, d: ilike, e: like === null ? null : !like }, `${text} LIKE ${pattern}`);
  }
});

test('lists as sets keep NULL and bring both sides to one type', async () => {
  const values: Readonly<Record<string, unknown>> = {
    'array_except([1, 2, NULL, 2, 3], [2, 5])': ['1', null, '3'],
    'array_except([1, 2], [2.5, 2])': [1],
    'array_except(NULL, [1])': null,
    'array_distinct(CAST((SELECT NULL) AS BIGINT[]))': null,
    'array_except([1, 1], NULL)': ['1'],
    'array_intersect([1, NULL, 2, 2], [NULL, 2, 7])': [null, '2'],
    'array_union([3, 1, NULL], [NULL, 4, 1])': [null, '1', '3', '4'],
    'array_distinct([2, NULL, 1, NULL, 2])': [null, '1', '2'],
    'array_remove_n([1, 1, 2, 1], 1, 2)': ['2', '1'],
    'array_remove_n([1, 2], 1, 0)': ['1', '2'],
    'array_replace_n([1, 1, 2, 1], 1, 9, 2)': ['9', '9', '2', '1'],
    'array_positions([1, NULL, 1], NULL)': ['2'],
  };
  for (const [expression, wanted] of Object.entries(values)) assert.deepEqual(await engine.value(expression), wanted, expression);
});
