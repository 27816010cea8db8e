import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

let engine: TestEngine;

before(async () => {
  engine = await TestEngine.open();
});

const BEYOND = '9007199254740993';
/** A table of one row: `i` and `f` cannot be told apart as doubles. */
const FROM = `FROM (VALUES (${BEYOND}, 9007199254740992.0, '${BEYOND}')) AS t(i, f, s)`;

/** Condition on that row -> what it says, as DataFusion compares: everything of one expression in one type. */
const conditions: Readonly<Record<string, boolean>> = {
  [`i BETWEEN 1.5 AND ${BEYOND}`]: true,
  'i BETWEEN 1.5 AND 9007199254740992': true,
  'i NOT BETWEEN 1.5 AND 9007199254740992': false,
  'i BETWEEN 9007199254740994 AND 1e17': false,
  'f BETWEEN 9007199254740993 AND 9007199254740993': true,
  "10 BETWEEN '1' AND 3": true,
  "10 BETWEEN 1 AND '3'": true,
  "2 BETWEEN 10 AND '3'": true,
  "i BETWEEN 1.5 AND 'x'": true,
  'i IN (1.5, 9007199254740992)': true,
  'i NOT IN (1.5, 9007199254740992)': false,
  'i IN (9007199254740992)': false,
  "i IN (1.5, '9007199254740993')": true,
  "i IN (9007199254740993.0, 'x')": false,
  'CASE i WHEN 1.5 THEN false WHEN 9007199254740992 THEN true ELSE false END': true,
  'CASE i WHEN 9007199254740992 THEN false ELSE true END': true,
  "CASE 1 WHEN 1.0 THEN false WHEN '1' THEN true ELSE false END": true,
  "TIMESTAMP '2024-01-01T12:00:00' BETWEEN DATE '2024-01-01' AND '2024-01-01T13:00:00'": true,
};

/** Expression -> value and type. */
const values: Readonly<Record<string, readonly [unknown, string]>> = {
  'coalesce(NULL, i, f)': [9007199254740992, 'Float64'],
  'greatest(i, f)': [9007199254740992, 'Float64'],
  'least(1, 0.5, 2)': [0.5, 'Float64'],
  'nullif(i, f)': [null, 'Float64'],
  'nullif(i, 9007199254740992)': ['9007199254740993', 'Int64'],
  'nullif(2, 1.5)': [2, 'Float64'],
  "nullif(i, '9007199254740993')": [null, 'Int64'],
  "nullif('7', 1)": [7, 'Int64'],
  'CASE WHEN i > 0 THEN i ELSE f END': [9007199254740992, 'Float64'],
  'CASE WHEN i > 0 THEN CAST(18446744073709551615 AS BIGINT UNSIGNED) ELSE i END': ['18446744073709551615', 'Decimal128(20, 0)'],
  'coalesce(CAST(NULL AS BIGINT UNSIGNED), -1)': [-1, 'Decimal128(20, 0)'],
  "ifnull(1, '3')": [1, 'Utf8'],
  "nvl2('x', 1, 2)": [1, 'Utf8'],
};

describe('values of different types in one expression', () => {
  for (const [condition, wanted] of Object.entries(conditions)) {
    test(condition, async () => {
      assert.deepEqual(await engine.rows(`SELECT ${condition} AS x ${FROM}`), [{ x: wanted }]);
    });
  }
  for (const [expression, [value, type]] of Object.entries(values)) {
    test(expression, async () => {
      const rows = await engine.rows(`SELECT ${expression} AS x, arrow_typeof(${expression}) AS t ${FROM}`);
      assert.deepEqual(
        rows.map(({ x, t }) => [typeof value === 'number' ? Number(x) : x, t]),
        [[value, type]],
      );
    });
  }
});
