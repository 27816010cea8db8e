import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

const at = (text: string): string => `TIMESTAMP '${text}'`;

/** Expression -> value. */
const cases: readonly (readonly [string, unknown])[] = [
  [`date_bin(INTERVAL '30 minutes', ${at('2022-01-01T08:44:00')})`, '2022-01-01 08:30:00'],
  [`date_bin(INTERVAL '30 minutes', ${at('2022-01-01T08:44:00')}, '1970-01-01T00:10:00Z')`, '2022-01-01 08:40:00'],
  [`date_bin(INTERVAL '30 minutes', ${at('2022-01-01T08:44:00')}, '2030-01-01T00:10:00Z')`, '2022-01-01 08:40:00'],
  [`date_bin(INTERVAL '15 minutes', ${at('1969-12-31T23:44:00')})`, '1969-12-31 23:30:00'],
  [`date_bin(INTERVAL '100 nanoseconds', ${at('2022-01-01T00:00:00.123456789')})`, '2022-01-01 00:00:00.1234567'],
  [`date_bin(INTERVAL '1 week', ${at('2022-01-01T00:00:00')})`, '2021-12-30 00:00:00'],
  [`date_bin(INTERVAL '1 month', ${at('2022-02-17T05:00:00')})`, '2022-02-01 00:00:00'],
  [`date_bin(INTERVAL '3 months', ${at('1969-12-17T05:00:00')})`, '1969-10-01 00:00:00'],
  [`date_bin(INTERVAL '1 year', ${at('2022-02-17T05:00:00')}, '2000-02-01')`, '2022-02-01 00:00:00'],
  // an origin inside a month: its day and hour count, the day cut to the month's last
  [`date_bin(INTERVAL '1 month', ${at('2022-01-01T01:00:00')}, '1970-12-31T00:15:00Z')`, '2021-12-31 00:15:00'],
  [`date_bin(INTERVAL '1 month', ${at('2022-03-31T00:00:00')}, '1970-12-31T00:15:00Z')`, '2022-02-28 00:15:00'],
  [`date_bin(INTERVAL '1 month', ${at('2000-01-31T00:00:00')}, '2000-02-29T00:00:00Z')`, '2000-01-29 00:00:00'],
  [`date_bin(INTERVAL '3 months', ${at('2022-04-01T00:00:00')}, '2021-05-31T00:04:00Z')`, '2022-02-28 00:04:00'],
  [`date_bin(INTERVAL '3 months', ${at('2022-01-01T00:00:00')}, '2022-05-05T17:56:21Z')`, '2021-11-05 17:56:21'],
  [`date_bin(INTERVAL '1 year', ${at('1960-02-17T05:00:00')}, '2000-02-01T00:00:00.000000001Z')`, '1960-02-01 00:00:00.000000001'],
  [`date_trunc('week', ${at('2022-01-01T08:44:00')})`, '2021-12-27 00:00:00'],
  [`date_trunc('quarter', ${at('2022-05-01T08:44:00')})`, '2022-04-01 00:00:00'],
  [`date_trunc('week', ${at('1969-12-31T23:44:00')})`, '1969-12-29 00:00:00'],
  [`date_trunc('year', ${at('1969-12-31T23:44:00')})`, '1969-01-01 00:00:00'],
  [`date_trunc('month', ${at('1969-11-30T23:44:00.5')})`, '1969-11-01 00:00:00'],
  [`date_trunc('HOUR', ${at('1969-12-31T23:44:00')})`, '1969-12-31 23:00:00'],
  [`date_trunc('microsecond', ${at('2022-01-01T00:00:00.123456789')})`, '2022-01-01 00:00:00.123456'],
  [`date_trunc('nanosecond', ${at('2022-01-01T00:00:00.123456789')})`, '2022-01-01 00:00:00.123456789'],
  [`date_part('millisecond', ${at('2022-01-01T00:00:05.123')})`, 5123],
  [`date_part('microsecond', ${at('2022-01-01T00:00:05.000001')})`, 5_000_001],
  [`EXTRACT(hour FROM ${at('2022-01-01T08:44:00')})`, 8],
  ["EXTRACT(milliseconds FROM INTERVAL '1 minute 2 seconds')", 2000],
  [`EXTRACT(epoch FROM ${at('2022-01-01T00:00:00.5')})`, 1_640_995_200.5],
  [`date_part('dow', ${at('2022-01-02T00:00:00')})`, 0],
  [`date_part('isodow', ${at('2022-01-03T00:00:00')})`, 0],
  [`date_part('week', ${at('2022-01-01T00:00:00')})`, 52],
  [`date_part('quarter', ${at('2022-05-01T00:00:00')})`, 2],
  ['to_timestamp(1)', '1970-01-01 00:00:00.000000001'],
  ['to_timestamp(1.9)', '1970-01-01 00:00:00.000000001'],
  ["to_timestamp('2022-01-01T00:00:00+01:00')", '2021-12-31 23:00:00'],
  ["to_timestamp('01/02/2022', '%d/%m/%Y')", '2022-02-01 00:00:00'],
  ['to_timestamp_micros(1)', '1970-01-01 00:00:00.000001'],
  ['to_timestamp_millis(1500)', '1970-01-01 00:00:01.5'],
  ['to_timestamp_seconds(-1)', '1969-12-31 23:59:59'],
  [`to_timestamp_seconds(${at('2022-01-01T00:00:00.9')})`, '2022-01-01 00:00:00'],
  ["to_unixtime('1969-12-31T23:59:59.5Z')", -1],
  ['from_unixtime(1)', '1970-01-01 00:00:01'],
  ["to_date('2022-01-02')", '2022-01-02'],
  ['to_date(1)', '1970-01-02'],
  ['make_date(2022, 1, 2)', '2022-01-02'],
  [`to_char(${at('2022-01-02T03:04:05.123456789')}, '%Y-%m-%d %H:%M:%S %j %a %b')`, '2022-01-02 03:04:05 002 Sun Jan'],
  [`to_char(${at('2022-01-02T03:04:05.123456789')}, concat('%F %T', '%.3f %% %e'))`, '2022-01-02 03:04:05.123 %  2'],
  [`to_char(${at('2022-01-02T03:04:05.123456789')}, '%F %T.%f')`, '2022-01-02 03:04:05.123456789'],
  [`to_char(${at('2022-01-02T03:04:05.120')}, '%S%.f|%.9f|%f|%3f')`, '05.120|.120000000|120000000|120'],
  [`to_char(${at('2022-01-02T03:04:05')}, concat('%Ss', '%.f'))`, '05s'],
  [`to_char(tz(${at('2022-01-02T03:04:05')}, 'Europe/Paris'), '%+')`, '2022-01-02T04:04:05+01:00'],
  ["to_char(arrow_cast(12344567890000, 'Time64(Nanosecond)'), '%H-%M-%S %f')", '03-25-44 567890000'],
  ["to_char(arrow_cast(123456, 'Duration(Second)'), 'pretty')", '1 days 10 hours 17 mins 36 secs'],
  ["to_char(arrow_cast(123456, 'Duration(Millisecond)'), 'pretty')", '0 days 0 hours 2 mins 3.456 secs'],
  ["to_char(arrow_cast(123456, 'Duration(Second)'), 'iso8601')", 'PT123456S'],
  ["to_timestamp(-1, '%c', '%+', '%s')", '1969-12-31 23:59:59'],
  ["to_timestamp('Sun Jan  2 03:04:05 2022', '%c')", '2022-01-02 03:04:05'],
  ["to_timestamp('2022-01-02T03:04:05.123456789+01:00', '%+')", '2022-01-02 02:04:05.123456789'],
  ["to_timestamp('2022-01-02 03:04:05.123456789 +0100', '%Y-%m-%d %H:%M:%S%.f %z')", '2022-01-02 02:04:05.123456789'],
  ["to_timestamp('2022-01-02 03:04:05 +01', '%Y-%m-%d %H:%M:%S%.f %#z')", '2022-01-02 02:04:05'],
  ["to_date('01-14-2023', '%q', '%m-%d-%Y')", '2023-01-14'],
  ["to_date(192663, '%s')", '2497-06-29'],
  ['CAST(to_timestamp(-9223372036854775806) AS TIME)', '00:12:43.145224194'],
  ['CAST(to_timestamp(9223372036854775806) AS TIME)', '23:47:16.854775806'],
  ["to_char(to_timestamp(-9223372036854775806), '%F %T%.f')", '1677-09-21 00:12:43.145224194'],
  ["to_char(to_timestamp(-9223372036854775806), concat('%F', ' %f'))", '1677-09-21 145224194'],
  ["date_bin(INTERVAL '1 hour', to_timestamp(9223372036854775806))", '2262-04-11 23:00:00'],
  ["date_trunc('year', to_timestamp(9223372036854775806))", '2262-01-01 00:00:00'],
  ['now()', '2022-01-01 20:00:00.123456789'],
  ['now() = current_timestamp', true],
  ['current_date', '2022-01-01'],
  [`tz(${at('2022-01-01T00:00:00')}, 'Europe/Paris')`, '2022-01-01 00:00:00'],
  [`to_local_time(tz(${at('2022-07-01T00:00:00')}, 'Europe/Paris'))`, '2022-07-01 02:00:00'],
  [`${at('2022-07-01T02:00:00')} AT TIME ZONE 'Europe/Paris'`, '2022-07-01 00:00:00'],
  [`date_trunc('day', tz(${at('2022-07-01T23:00:00')}, 'Europe/Paris'))`, '2022-07-01 22:00:00'],
  [`date_bin_wallclock(INTERVAL '1 day', tz(${at('2022-07-01T23:00:00')}, 'Europe/Paris'))`, '2022-07-01 22:00:00'],
  [`date_bin_wallclock(INTERVAL '1 day', ${at('2022-07-01T23:00:00')})`, '2022-07-01 00:00:00'],
  [`date_part('hour', tz(${at('2022-07-01T23:00:00')}, 'Europe/Paris'))`, 1],
];

const stringTimes: readonly (readonly [string, string])[] = [
  ['abc', 'timestamp must contain at least 10 characters'],
  ['2022-13-01', 'error parsing date'],
  ['2022-02-30', 'error parsing date'],
  ['2022-01-01X00:00:00', 'invalid timestamp separator'],
  ['2022-01-01T08:00Z', 'error parsing time'],
  ['2022-01-01T25:00:00', 'error parsing time'],
];

describe('time functions', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  for (const [expression, value] of cases) {
    test(`${expression} is ${String(value)}`, async () => {
      assert.deepEqual(await engine.value(expression), value);
    });
  }

  for (const [text, reason] of stringTimes) {
    test(`refuses the timestamp '${text}': ${reason}`, async () => {
      assert.deepEqual(await engine.failure(`SELECT time FROM home WHERE time > '${text}'`), {
        status: 500,
        message: `Optimizer rule 'simplify_expressions' failed\ncaused by\nArrow error: Parser error: Error parsing timestamp from '${text}': ${reason}`,
      });
    });
  }

  test('bins columns as it bins constants, before 1970 too', async () => {
    assert.deepEqual(await engine.column("SELECT date_bin(INTERVAL '15 minutes', time) FROM t ORDER BY 1 LIMIT 1"), [
      '1969-12-31 23:30:00',
    ]);
    assert.deepEqual(await engine.column("SELECT date_bin(INTERVAL '1 hour', time, '2050-01-01T00:10:00Z') FROM t ORDER BY 1 LIMIT 1"), [
      '1969-12-31 23:10:00',
    ]);
    for (const [part, start] of [
      ['week', '2021-12-27'],
      ['month', '2022-01-01'],
      ['year', '2022-01-01'],
    ]) {
      assert.deepEqual(await engine.column(`SELECT date_trunc('${part}', time) FROM home LIMIT 1`), [`${start} 00:00:00`]);
    }
  });

  test('says of what begins before all time that it does', async () => {
    for (const call of ["date_bin(INTERVAL '1 hour', x)", "date_trunc('month', x)", "date_trunc('week', x)"]) {
      assert.deepEqual(await engine.failure(`SELECT ${call.replace('x', 'to_timestamp(-9223372036854775806)')}`), {
        status: 500,
        message:
          'Execution error: Timestamp -9223372036854775806 out of range: its bin begins before 1677-09-21T00:12:43.145224194, the least time',
      });
      const column =
        "(SELECT time - INTERVAL '1 hour' AS x FROM t UNION ALL SELECT to_timestamp(-9223372036854775806 + i - i) FROM t) AS q";
      const { status, message } = await engine.failure(`SELECT ${call} FROM ${column}`);
      assert.equal(status, 500);
      assert.match(message, /^Arrow error: /);
    }
  });

  test('names the text and the formats that do not fit', async () => {
    assert.deepEqual(await engine.failure("SELECT to_timestamp('x', '%c', '%s')"), {
      status: 500,
      message: "Execution error: Error parsing timestamp from 'x' using formats '%c', '%s'",
    });
    assert.deepEqual(await engine.failure("SELECT to_timestamp('x', '%Q')"), {
      status: 500,
      message: 'Execution error: The format string is invalid or not supported: %Q',
    });
  });

  test('refuses strides that are zero or mixed', async () => {
    assert.deepEqual(await engine.failure("SELECT date_bin(INTERVAL '0 seconds', time) FROM home"), {
      status: 500,
      message: 'Execution error: DATE_BIN stride must be non-zero',
    });
    assert.deepEqual(await engine.failure("SELECT date_bin(INTERVAL '1 month 1 day', time) FROM home"), {
      status: 405,
      message: 'This feature is not implemented: DATE_BIN stride does not support combination of month, day and nanosecond intervals',
    });
  });

  test('refuses unknown zones and out-of-range times', async () => {
    assert.equal(
      (await engine.failure("SELECT tz(time, 'x') FROM home")).message,
      'Error during planning: TZ requires a valid timezone string, got "x"',
    );
    assert.match(
      (await engine.failure("SELECT '9999-01-01'::timestamp")).message,
      /Cast error: Overflow converting 9999-01-01 00:00:00 to Nanosecond/,
    );
  });

  test('parts of durations are the whole duration in their unit', async () => {
    const span = 'max(time) - min(time)';
    const rows = await engine.rows(
      `SELECT date_part('epoch', ${span}) AS e, extract(hour FROM ${span}) AS h, extract(minute FROM ${span}) AS m, date_part('day', ${span}) AS d FROM home`,
    );
    assert.deepEqual(rows, [{ e: 43_200, h: 12, m: 720, d: 0 }]);
    assert.equal(
      (await engine.failure(`SELECT date_part('year', ${span}) FROM home`)).message,
      "Execution error: Date part 'year' not supported",
    );
  });
});
