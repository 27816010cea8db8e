import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

/** The windows that InfluxDB adds to SQL. */
describe('windows over consecutive values', () => {
  let engine: TestEngine;
  const values = 'VALUES (1, 10, 1.5), (2, NULL, 2.5), (4, 16, 0.5), (5, 15, 3.5)';
  const source = `(SELECT to_timestamp_seconds(column1) AS time, column2 AS v, column3 AS f FROM (${values}) AS q) AS s`;

  before(async () => {
    engine = await TestEngine.open();
  });

  const cases: readonly (readonly [string, readonly unknown[]])[] = [
    ['difference(v)', [null, null, 6, -1]],
    ['difference(f)', [null, 1, -2, 3]],
    ['non_negative_difference(v)', [null, null, 6, null]],
    ['non_negative_difference(f)', [null, 1, null, 3]],
    ['derivative(v, time)', [null, null, 2, -1]],
    ["derivative(v, time, INTERVAL '1 minute')", [null, null, 120, -60]],
    ["derivative(f, time, INTERVAL '500 milliseconds')", [null, 0.5, -0.5, 1.5]],
    ['non_negative_derivative(v, time)', [null, null, 2, null]],
    ["non_negative_derivative(f, time, INTERVAL '1 day')", [null, 86_400, null, 259_200]],
    ["difference(arrow_cast(v, 'UInt64'))", [null, null, 6, '18446744073709551615']],
    ["non_negative_difference(arrow_cast(v, 'UInt64'))", [null, null, 6, null]],
  ];
  for (const [call, expected] of cases) {
    test(`${call} skips nulls and starts with null`, async () => {
      assert.deepEqual(await engine.column(`SELECT ${call} OVER (ORDER BY time) AS x FROM ${source} ORDER BY time`), expected);
    });
  }

  test('partitions, named windows, groups and the other direction', async () => {
    const parted = 'SELECT difference(co) OVER (PARTITION BY room ORDER BY time) AS x FROM home WHERE co > 12 ORDER BY room, time';
    assert.deepEqual(await engine.column(parted), [null, 4, 4, null, 3]);
    const named =
      "SELECT difference(co) OVER w AS x FROM home WHERE room = 'Kitchen' AND co > 12 WINDOW w AS (ORDER BY time DESC) ORDER BY time";
    assert.deepEqual(await engine.column(named), [-4, -4, null]);
    const grouped =
      "SELECT difference(max(co)) OVER (ORDER BY date_bin(INTERVAL '6 hours', time)) AS x FROM home GROUP BY date_bin(INTERVAL '6 hours', time) ORDER BY date_bin(INTERVAL '6 hours', time)";
    assert.deepEqual(await engine.column(grouped), [null, 9, 17]);
    assert.deepEqual(
      await engine.column('SELECT x FROM (SELECT derivative(temp, time) OVER (ORDER BY time) AS x FROM home LIMIT 1) AS q'),
      [null],
    );
  });

  test('types are those of the value, rates are floats', async () => {
    const of = (call: string): Promise<unknown[]> => engine.column(`SELECT arrow_typeof(${call} OVER (ORDER BY time)) AS x FROM t LIMIT 1`);
    assert.deepEqual(await of('difference(i)'), ['Int64']);
    assert.deepEqual(await of('difference(u)'), ['UInt64']);
    assert.deepEqual(await of('derivative(i, time)'), ['Float64']);
  });

  const refusals: readonly (readonly [string, number, RegExp])[] = [
    ['SELECT difference(co) FROM home', 400, /^Error during planning: Window function difference requires an OVER clause$/],
    [
      'SELECT difference(room) OVER (ORDER BY time) FROM home',
      400,
      /^Error during planning: difference does not support type 'Dictionary\(Int32, Utf8\)'$/,
    ],
    ['SELECT difference(co, co) OVER (ORDER BY time) FROM home', 400, /function requires 1 argument, got 2/],
    ['SELECT derivative(co) OVER (ORDER BY time) FROM home', 400, /function requires 2 to 3 arguments, got 1/],
    ['SELECT derivative(co, co) OVER (ORDER BY time) FROM home', 400, /second argument must be a timestamp, but got Int64$/],
    ["SELECT derivative(co, time, INTERVAL '1 month') OVER (ORDER BY time) FROM home", 400, /a positive interval without months$/],
    ["SELECT derivative(co, time, INTERVAL '0 seconds') OVER (ORDER BY time) FROM home", 400, /a positive interval without months$/],
    ['SELECT difference(DISTINCT co) OVER (ORDER BY time) FROM home', 400, /takes neither/],
    ['SELECT co FROM home WHERE difference(co) OVER (ORDER BY time) > 1', 400, /Window functions are not allowed in WHERE/],
  ];
  for (const [statement, status, message] of refusals) {
    test(`refuses ${statement}`, async () => {
      const failure = await engine.failure(statement);
      assert.match(failure.message, message);
      assert.equal(failure.status, status);
    });
  }
});
