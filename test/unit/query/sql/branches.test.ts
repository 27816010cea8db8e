import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

let engine: TestEngine;

before(async () => {
  engine = await TestEngine.open();
});

describe('constants that cannot be computed', () => {
  for (const [expression, wanted] of [
    ['CASE WHEN false THEN 1 / 0 ELSE 2 END', 2],
    ["CASE 1 WHEN 1 THEN 'one' WHEN 1 / 0 THEN 'none' END", 'one'],
    ["CASE WHEN true THEN 1 ELSE CAST('x' AS BIGINT) END", 1],
    ["coalesce(1, CAST('x' AS BIGINT))", 1],
    ['nvl(1, 1 / 0)', 1],
    ['nvl2(1, 2, 1 / 0)', 2],
  ] as const) {
    test(`do no harm in a branch that is not taken: ${expression}`, async () => {
      assert.equal(await engine.value(expression), wanted);
    });
  }

  test('do no harm beside a condition that decides alone', async () => {
    assert.deepEqual(await engine.column('SELECT count(*) AS n FROM home WHERE temp > 0 OR 1 / 0 = 1'), [26]);
    assert.deepEqual(await engine.column('SELECT temp < 0 AND 1 / 0 = 1 AS x FROM home LIMIT 1'), [false]);
  });

  for (const expression of ['1 / 0', 'CASE WHEN true THEN 1 / 0 ELSE 2 END', 'coalesce(NULL, 1 / 0)', 'false OR 1 / 0 = 1']) {
    test(`fail where they are needed: ${expression}`, async () => {
      assert.deepEqual(await engine.failure(`SELECT ${expression} AS x`), { status: 500, message: 'Arrow error: Divide by zero error' });
    });
  }

  test('a text that is no time is refused wherever it stands', async () => {
    const { message } = await engine.failure("SELECT count(*) FROM home WHERE room = 'none' AND time > 'soon'");
    assert.match(message, /Error parsing timestamp from 'soon'/);
  });
});
