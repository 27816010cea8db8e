import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

const range = "time >= '2022-01-01T08:00:00Z' AND time <= '2022-01-01T10:00:00Z'";

describe('gap filling', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  test('makes a row for each bin of each series, series first, then time', async () => {
    const rows = await engine.rows(
      `SELECT date_bin_gapfill(INTERVAL '30 minutes', time) AS _time, room, avg(temp) AS v, count(*) AS n FROM home WHERE ${range} GROUP BY _time, room`,
    );
    assert.deepEqual(rows, [
      { _time: '2022-01-01 08:00:00', room: 'Kitchen', v: 21, n: 1 },
      { _time: '2022-01-01 08:30:00', room: 'Kitchen', v: null, n: 0 },
      { _time: '2022-01-01 09:00:00', room: 'Kitchen', v: 23, n: 1 },
      { _time: '2022-01-01 09:30:00', room: 'Kitchen', v: null, n: 0 },
      { _time: '2022-01-01 10:00:00', room: 'Kitchen', v: 22.7, n: 1 },
      { _time: '2022-01-01 08:00:00', room: 'Living Room', v: 21.1, n: 1 },
      { _time: '2022-01-01 08:30:00', room: 'Living Room', v: null, n: 0 },
      { _time: '2022-01-01 09:00:00', room: 'Living Room', v: 21.4, n: 1 },
      { _time: '2022-01-01 09:30:00', room: 'Living Room', v: null, n: 0 },
      { _time: '2022-01-01 10:00:00', room: 'Living Room', v: 21.8, n: 1 },
    ]);
  });

  test('locf repeats the last value', async () => {
    const rows = await engine.column(
      `SELECT locf(avg(temp)) FROM (SELECT * FROM home WHERE room = 'Kitchen') AS k WHERE ${range} GROUP BY date_bin_gapfill(INTERVAL '30 minutes', time)`,
    );
    assert.deepEqual(rows, [21, 21, 23, 23, 22.7]);
  });

  test('shows an aggregate beside its fills of any kind', async () => {
    const rows = await engine.rows(
      `SELECT date_bin_gapfill(INTERVAL '30 minutes', time) AS t, avg(temp) AS v, locf(avg(temp)) AS l, interpolate(avg(temp)) AS i, count(temp) AS n, locf(count(temp)) AS ln FROM home WHERE ${range} AND room = 'Kitchen' GROUP BY t`,
    );
    assert.deepEqual(
      rows.map(({ v, l, i, n, ln }) => [v, l, i, n, ln]),
      [
        [21, 21, 21, 1, 1],
        [null, 21, 22, 0, 1],
        [23, 23, 23, 1, 1],
        [null, 23, 22.85, 0, 1],
        [22.7, 22.7, 22.7, 1, 1],
      ],
    );
  });

  test('interpolate draws straight lines: 21.6 and 22.85 at 09:30', async () => {
    const rows = await engine.rows(
      `SELECT date_bin_gapfill(INTERVAL '30 minutes', time) AS t, room, interpolate(avg(temp)) AS v FROM home WHERE ${range} GROUP BY 1, room ORDER BY t, room`,
    );
    assert.deepEqual(
      rows.filter((row) => row['t'] === '2022-01-01 09:30:00').map((row) => row['v']),
      [22.85, 21.6],
    );
  });

  test('interpolate cuts integers and works on selector members', async () => {
    const rows = await engine.rows(
      `SELECT date_bin_gapfill(INTERVAL '30 minutes', time) AS t, interpolate(max(co)) AS c, interpolate(selector_max(temp, time)['value']) AS v FROM home WHERE time BETWEEN '2022-01-01T13:00:00Z' AND '2022-01-01T16:00:00Z' GROUP BY 1 ORDER BY t`,
    );
    assert.deepEqual(
      rows.map((row) => row['c']),
      [1, 1, 1, 2, 3, 5, 7],
    );
    assert.equal(rows[1]?.['v'], 22.8);
  });

  test('leading and trailing gaps stay empty', async () => {
    const rows = await engine.rows(
      "SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, locf(avg(temp)) AS l, interpolate(avg(hum)) AS i FROM home WHERE room = 'Kitchen' AND time >= '2022-01-01T07:00:00Z' AND time < '2022-01-01T09:00:00Z' GROUP BY 1",
    );
    assert.deepEqual(rows, [
      { t: '2022-01-01 07:00:00', l: null, i: null },
      { t: '2022-01-01 08:00:00', l: 21, i: 35.9 },
    ]);
  });

  test('no row at all gives no row', async () => {
    const rows = await engine.rows(
      "SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, count(*) FROM home WHERE time >= '2000-01-01' AND time < '2000-01-02' GROUP BY 1",
    );
    assert.deepEqual(rows, []);
  });

  test('takes an origin', async () => {
    const rows = await engine.column(
      `SELECT date_bin_gapfill(INTERVAL '1 hour', time, '1970-01-01T00:10:00Z') AS t FROM home WHERE ${range} GROUP BY 1 ORDER BY t`,
    );
    assert.deepEqual(rows, ['2022-01-01 07:10:00', '2022-01-01 08:10:00', '2022-01-01 09:10:00']);
  });

  const bin = "date_bin_gapfill(INTERVAL '1 hour', time)";
  const failures: readonly (readonly [string, string])[] = [
    [`SELECT ${bin} FROM home GROUP BY 1`, 'Error during planning: gap-filling query is missing both upper and lower time bounds'],
    [
      `SELECT ${bin} FROM home WHERE time > '2022-01-01' GROUP BY 1`,
      'Error during planning: gap-filling query is missing upper time bound',
    ],
    [
      `SELECT ${bin} FROM home WHERE time < '2022-01-01' GROUP BY 1`,
      'Error during planning: gap-filling query is missing lower time bound',
    ],
    [`SELECT ${bin} FROM home`, 'Error during planning: date_bin_gapfill may only be used as a GROUP BY expression'],
    ['SELECT locf(temp) FROM home', 'Error during planning: locf may only be used in the SELECT list of a gap-filling query'],
    ['SELECT interpolate(temp) FROM home', 'Error during planning: interpolate may only be used in the SELECT list of a gap-filling query'],
    [
      `SELECT ${bin}, locf(temp) FROM home WHERE ${range} GROUP BY 1`,
      'Error during planning: locf must be called on an aggregate column in a gap-filling query',
    ],
    [
      `SELECT count(*) FROM home WHERE ${range} GROUP BY ${bin}, date_bin_gapfill(INTERVAL '2 hours', time)`,
      'Error during planning: DATE_BIN_GAPFILL specified more than once',
    ],
    [
      `SELECT count(*) FROM home WHERE ${range} GROUP BY ${bin}::bigint`,
      'Error during planning: DATE_BIN_GAPFILL must be a top-level expression in the GROUP BY clause when gap filling. It cannot be part of another expression or cast',
    ],
    [
      `SELECT count(*) FROM home WHERE ${range} GROUP BY date_bin_gapfill(INTERVAL '1 hour', time + INTERVAL '1 hour')`,
      'Error during planning: DATE_BIN_GAPFILL requires a column as the source argument',
    ],
    [
      `SELECT count(*) FROM home WHERE ${range} GROUP BY date_bin_gapfill(INTERVAL '1 month', time)`,
      'Execution error: gap filling does not support month intervals',
    ],
    [
      "SELECT count(*) FROM home WHERE time >= '1970-01-01' AND time < '2022-01-01' GROUP BY date_bin_gapfill(INTERVAL '1 ms', time)",
      'Execution error: gap filling would make more than 10000000 rows for each series',
    ],
  ];
  for (const [statement, message] of failures) {
    test(`${message} (${statement.length})`, async () => {
      assert.equal((await engine.failure(statement)).message, message);
    });
  }
});
