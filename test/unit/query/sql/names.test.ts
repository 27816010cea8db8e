import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

const hour = 'IntervalMonthDayNano("IntervalMonthDayNano { months: 0, days: 0, nanoseconds: 3600000000000 }")';

/** Expression over `home` (`h` and `t` where named) -> output column name. */
const names: readonly (readonly [string, string])[] = [
  ['temp', 'temp'],
  ['home.temp', 'temp'],
  ['count(*)', 'count(*)'],
  ['COUNT(1)', 'count(Int64(1))'],
  ['avg(temp)', 'avg(home.temp)'],
  ['count(DISTINCT room)', 'count(DISTINCT home.room)'],
  ['sum(temp) FILTER (WHERE temp>1)', 'sum(home.temp) FILTER (WHERE home.temp > Int64(1))'],
  ['temp + 1', 'home.temp + Int64(1)'],
  ['1', 'Int64(1)'],
  ['-1', 'Int64(-1)'],
  ['1.5', 'Float64(1.5)'],
  ['1.0', 'Float64(1)'],
  ['1e-7', 'Float64(0.0000001)'],
  ['1e20', 'Float64(100000000000000000000)'],
  ["'it''s'", 'Utf8("it\'s")'],
  ['true', 'Boolean(true)'],
  ['NULL', 'NULL'],
  ['18446744073709551615', 'UInt64(18446744073709551615)'],
  ['(temp + 1) * 2', 'home.temp + Int64(1) * Int64(2)'],
  ['2 * -temp', 'Int64(2) * (- home.temp)'],
  ['- -temp', '(- (- home.temp))'],
  ['round(temp, 1)', 'round(home.temp,Int64(1))'],
  ['first_value(temp ORDER BY time)', 'first_value(home.temp) ORDER BY [home.time ASC NULLS LAST]'],
  ['STDDEV_SAMP(temp)', 'stddev_samp(home.temp)'],
  ['time::bigint', 'home.time'],
  ['CAST(temp AS VARCHAR)', 'home.temp'],
  ["selector_max(temp,time)['value']", 'selector_max(home.temp,home.time)[value]'],
  ["date_bin(INTERVAL '1 hour', time)", `date_bin(${hour},home.time)`],
  [
    "date_bin(INTERVAL '2 days', time)",
    'date_bin(IntervalMonthDayNano("IntervalMonthDayNano { months: 0, days: 2, nanoseconds: 0 }"),home.time)',
  ],
  [
    "date_bin(INTERVAL '36 hours', time)",
    'date_bin(IntervalMonthDayNano("IntervalMonthDayNano { months: 0, days: 0, nanoseconds: 129600000000000 }"),home.time)',
  ],
  ['CASE WHEN co > 1 THEN temp ELSE hum END', 'CASE WHEN home.co > Int64(1) THEN home.temp ELSE home.hum END'],
  ['temp IS NULL', 'home.temp IS NULL'],
  ['temp BETWEEN 1 AND 2', 'home.temp BETWEEN Int64(1) AND Int64(2)'],
  ['NOT temp > 1', 'NOT home.temp > Int64(1)'],
  ['-temp', '(- home.temp)'],
  [
    'avg(temp) OVER (PARTITION BY room ORDER BY time)',
    'avg(home.temp) PARTITION BY [home.room] ORDER BY [home.time ASC NULLS LAST] RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW',
  ],
  ['count(*) OVER ()', 'count(*) ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING'],
  ['now()', 'now()'],
];

describe('output column names', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  for (const [expression, name] of names) {
    test(`names ${expression} ${name}`, async () => {
      assert.deepEqual(await engine.names(`SELECT ${expression} FROM home`), [name]);
    });
  }

  test('quotes nothing in the name of an expression over quoted columns', async () => {
    assert.deepEqual(await engine.names('SELECT "a b" * 2 FROM "Mixed" AS t'), ['t.a b * Int64(2)']);
  });

  test('names parameters by their placeholder', async () => {
    const compiled = await engine.compile('SELECT $p, co + $p FROM home', { p: { kind: 'uint64', value: 1n } });
    assert.deepEqual(
      compiled.output.map((column) => column.name),
      ['$p', 'home.co + $p'],
    );
  });

  test('qualifies by alias, CTE and derived table alias, and not at all without one', async () => {
    assert.deepEqual(await engine.names('SELECT avg(temp) FROM home h'), ['avg(h.temp)']);
    assert.deepEqual(await engine.names('WITH c AS (SELECT temp FROM home) SELECT avg(temp) FROM c'), ['avg(c.temp)']);
    assert.deepEqual(await engine.names('SELECT avg(temp) FROM (SELECT temp FROM home) d'), ['avg(d.temp)']);
    assert.deepEqual(await engine.names('SELECT avg(temp) FROM (SELECT temp FROM home)'), ['avg(temp)']);
  });

  test('SELECT * gives the columns in name order with time among them', async () => {
    assert.deepEqual(await engine.names('SELECT * FROM home'), ['co', 'hum', 'room', 'temp', 'time']);
  });

  test('columns that differ in case only keep their names and their values', async () => {
    assert.deepEqual(await engine.rows('SELECT * FROM "Mixed"'), [
      { Host: 'H', 'a b': 1.5, 'ho"st': 'q', host: 'h', time: '1970-01-01 00:00:00' },
    ]);
    assert.deepEqual(await engine.rows('SELECT "Host", HOST FROM "Mixed"'), [{ Host: 'H', host: 'h' }]);
  });

  test('tables that differ in case only are different tables', async () => {
    assert.deepEqual(await engine.rows('SELECT host FROM MIXED'), [{ host: 'lower' }]);
  });

  test('aliases may be any keyword of DuckDB, quoted as a string or bare', async () => {
    assert.deepEqual(await engine.names('SELECT avg(temp) value, max(temp) AS \'a b\', min(temp) time, count(*) AS "select" FROM home'), [
      'value',
      'a b',
      'time',
      'select',
    ]);
  });

  for (const name of ['user', 'session_user', 'current_user', 'current_catalog', 'current_time', 'current_date', 'localtime']) {
    test(`reads a column called ${name} unquoted in any place`, async () => {
      const from = `FROM (VALUES ('b', 1), ('a', 2), ('a', 3)) AS t(${name}, n)`;
      assert.deepEqual(await engine.rows(`SELECT ${name}, max(n) AS n ${from} WHERE ${name} <> 'c' GROUP BY ${name} ORDER BY ${name}`), [
        { [name]: 'a', n: 3 },
        { [name]: 'b', n: 1 },
      ]);
      const window = `row_number() OVER (PARTITION BY ${name} ORDER BY ${name}, n)`;
      assert.deepEqual(
        await engine.column(`SELECT upper(${name}) || CASE WHEN ${name} IN ('a') THEN ${window}::text END AS x ${from} ORDER BY n`),
        [null, 'A1', 'A2'],
      );
      assert.deepEqual(await engine.names(`SELECT ${name}, t.${name} || '!', count(${name.toUpperCase()}) ${from} GROUP BY ${name}`), [
        name,
        `t.${name} || Utf8("!")`,
        `count(t.${name})`,
      ]);
    });
  }

  test('calls a function without brackets where no column has its name', async () => {
    assert.deepEqual(await engine.rows('SELECT current_date, CURRENT_TIMESTAMP = now() AS now'), [
      { 'current_date()': '2022-01-01', now: true },
    ]);
    assert.match((await engine.failure('SELECT session_user')).message, /^Error during planning: Invalid function 'session_user'/);
  });

  test('refuses two output columns of the same name', async () => {
    const text = (first: string, second: string): string =>
      `Error during planning: Projections require unique expression names but the expression "${first}" at position 0 and "${second}" at position 1 have the same name. Consider aliasing ("AS") one of them.`;
    assert.deepEqual(await engine.failure('SELECT temp, temp FROM home'), { status: 400, message: text('home.temp', 'home.temp') });
    assert.deepEqual(await engine.failure('SELECT temp AS a, hum AS a FROM home'), {
      status: 400,
      message: text('home.temp AS a', 'home.hum AS a'),
    });
  });

  test('marks tags as dictionaries, times by zone, differences as durations, and floats', async () => {
    const compiled = await engine.compile("SELECT room, time, now(), tz(time, 'Europe/Paris'), time - time, temp FROM home");
    assert.deepEqual(
      compiled.output.map((column) => column.type),
      [
        { kind: 'string', dictionary: true },
        { kind: 'timestamp', zone: undefined },
        { kind: 'timestamp', zone: '+00:00' },
        { kind: 'timestamp', zone: 'Europe/Paris' },
        { kind: 'duration' },
        { kind: 'float64' },
      ],
    );
  });
});
