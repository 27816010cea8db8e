import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { wallClockBins } from '../../../../src/query/sql/values/zones.ts';
import { TestEngine } from './support.ts';

let engine: TestEngine;

before(async () => {
  engine = await TestEngine.open();
});

/** An instant shown in Berlin. */
const berlin = (text: string): string => `tz(TIMESTAMP '${text}', 'Europe/Berlin')`;

const MINUTE_NS = 60_000_000_000n;

const STRIDES: Readonly<Record<string, bigint>> = {
  '30 minutes': 30n * MINUTE_NS,
  '1 hour': 60n * MINUTE_NS,
  '2 hours': 120n * MINUTE_NS,
  '1 day': 1440n * MINUTE_NS,
  '7 days': 7n * 1440n * MINUTE_NS,
};

async function values(expressions: Readonly<Record<string, string>>): Promise<void> {
  for (const [expression, wanted] of Object.entries(expressions)) {
    assert.equal(String(await engine.value(expression)), wanted, expression);
  }
}

describe('values with a zone', () => {
  test('are shown by their zone as text, as a date and in texts put together', () =>
    values({
      [`CAST(${berlin('2024-06-30T23:30:00Z')} AS DATE)`]: '2024-07-01',
      [`CAST(${berlin('2024-06-30T23:30:00.5Z')} AS VARCHAR)`]: '2024-07-01T01:30:00.500+02:00',
      [`'at ' || ${berlin('2024-01-01T00:00:00Z')}`]: 'at 2024-01-01T01:00:00+01:00',
      [`concat(${berlin('2024-01-01T00:00:00Z')}, '!')`]: '2024-01-01T01:00:00+01:00!',
      "CAST(tz(TIMESTAMP '2024-01-01T00:00:00Z', 'Europe/London') AS VARCHAR)": '2024-01-01T00:00:00Z',
      "CAST(tz(TIMESTAMP '2024-01-01T00:00:00Z') AS VARCHAR)": '2024-01-01T00:00:00Z',
    }));

  test('a fixed offset is a zone in all its spellings', () =>
    values({
      "CAST(tz(TIMESTAMP '2024-01-01T00:00:00Z', '+05:30') AS VARCHAR)": '2024-01-01T05:30:00+05:30',
      "CAST(tz(TIMESTAMP '2024-01-01T00:00:00Z', '-0330') AS VARCHAR)": '2023-12-31T20:30:00-03:30',
      "CAST(tz(TIMESTAMP '2024-01-01T00:00:00Z', '+08') AS VARCHAR)": '2024-01-01T08:00:00+08:00',
      "CAST(TIMESTAMP '2024-01-01T08:00:00' AT TIME ZONE '+08' AS VARCHAR)": '2024-01-01T08:00:00+08:00',
      "date_part('hour', tz(TIMESTAMP '2024-01-01T00:40:00Z', '+05:30'))": '6',
      "CAST(date_trunc('day', tz(TIMESTAMP '2024-01-01T20:00:00Z', '+05:30')) AS VARCHAR)": '2024-01-02T00:00:00+05:30',
      "CAST(date_bin_wallclock(INTERVAL '1 day', tz(TIMESTAMP '2024-01-01T20:00:00Z', '+05:30')) AS VARCHAR)": '2024-01-02T00:00:00+05:30',
    }));

  test('compare with times without a zone by their own clock, with stored times by the instant', async () => {
    await values({
      [`${berlin('2024-06-30T23:30:00Z')} > '2024-07-01T01:29:59'`]: 'true',
      [`${berlin('2024-06-30T23:30:00Z')} = '2024-06-30T23:30:00Z'`]: 'true',
      [`TIMESTAMP '2024-07-01T01:30:00' = ${berlin('2024-06-30T23:30:00Z')}`]: 'true',
    });
    const first = "SELECT count(*) AS n FROM home WHERE room = 'Kitchen' AND time <";
    // 08:00 and 09:00 UTC are before 10:30 in Berlin
    assert.deepEqual(await engine.column(`${first} '2022-01-01T10:30:00' AT TIME ZONE 'Europe/Berlin'`), [2]);
    assert.deepEqual(await engine.column(`${first} tz('2022-01-01T09:30:00Z', 'Europe/Berlin')`), [2]);
  });

  test('text becomes a time of the zone where it says none', () =>
    values({
      [`CAST(arrow_cast('2024-01-01T00:00:00', 'Timestamp(Nanosecond, Some("-05:00"))') AS VARCHAR)`]: '2024-01-01T00:00:00-05:00',
      [`CAST(arrow_cast('2024-01-01T00:00:00Z', 'Timestamp(Nanosecond, Some("-05:00"))') AS VARCHAR)`]: '2023-12-31T19:00:00-05:00',
      [`CAST(arrow_cast(concat('2024-01-01', ' 00:00:00'), 'Timestamp(Nanosecond, Some("Europe/Berlin"))') AS VARCHAR)`]:
        '2024-01-01T00:00:00+01:00',
    }));

  test('are formatted with their offset; times without a zone have none', async () => {
    await values({
      [`to_char(${berlin('2024-06-30T23:30:00Z')}, '%H:%M %z %:z %%z')`]: '01:30 +0200 +02:00 %z',
      "to_char(tz(TIMESTAMP '2024-06-30T23:30:00Z', '-0330'), 'at %z')": 'at -0330',
      "to_char(tz(TIMESTAMP '2024-06-30T23:30:00Z'), 'at %z')": 'at +0000',
    });
    const { message } = await engine.failure("SELECT to_char(TIMESTAMP '2024-06-30T23:30:00', '%z')");
    assert.match(message, /format string is invalid or not supported: %z/);
  });

  test('days and months go by the clock of the zone, hours by instants', () =>
    values({
      [`CAST(${berlin('2024-03-30T12:00:00Z')} + INTERVAL '1 day' AS VARCHAR)`]: '2024-03-31T13:00:00+02:00',
      [`CAST(${berlin('2024-03-30T12:00:00Z')} + INTERVAL '24 hours' AS VARCHAR)`]: '2024-03-31T14:00:00+02:00',
      [`CAST(${berlin('2024-02-29T12:00:00Z')} + INTERVAL '1 month' AS VARCHAR)`]: '2024-03-29T13:00:00+01:00',
      [`CAST(${berlin('2024-03-30T12:00:00Z')} + INTERVAL '1 month' AS VARCHAR)`]: '2024-04-30T13:00:00+02:00',
      [`CAST(${berlin('2024-03-31T12:00:00Z')} - INTERVAL '1 day 1 nanosecond' AS VARCHAR)`]: '2024-03-30T13:59:59.999999999+01:00',
    }));
});

describe('times that a clock does not show once', () => {
  const texts = ['2023-03-12T02:30:00 America/Los_Angeles', '2023-11-05T01:30:00 America/Los_Angeles'];
  for (const text of texts) {
    test(`refuses ${text}`, async () => {
      const engine = await TestEngine.open();
      const { message } = await engine.failure(`SELECT TIMESTAMP '${text}'`);
      assert.match(message, /Error parsing timestamp from '.*': error computing timezone offset$/);
      const [local, zone] = text.split(' ');
      assert.match((await engine.failure(`SELECT '${local}' AT TIME ZONE '${zone}'`)).message, /error computing timezone offset$/);
      const moved = await engine.failure(`SELECT TIMESTAMP '${local}' AT TIME ZONE '${zone}'`);
      assert.match(moved.message, /Cannot cast timezone to different timezone$/);
    });
  }

  test('reads the times around them', async () => {
    const engine = await TestEngine.open();
    assert.equal(await engine.value("TIMESTAMP '2023-03-12T01:59:59 America/Los_Angeles'"), '2023-03-12 09:59:59');
    assert.equal(await engine.value("TIMESTAMP '2023-03-12T03:00:00 America/Los_Angeles'"), '2023-03-12 10:00:00');
    assert.equal(await engine.value("TIMESTAMP '2023-11-05T00:59:59 America/Los_Angeles'"), '2023-11-05 07:59:59');
    assert.equal(await engine.value("TIMESTAMP '2023-11-05T02:00:00 America/Los_Angeles'"), '2023-11-05 10:00:00');
    assert.match((await engine.failure("SELECT TIMESTAMP '2023-11-05T02:00:00+42:00'")).message, /Invalid timezone "\+42:00"/);
  });
});

describe('nights in which the clock is set', () => {
  const bins = (stride: string, ...times: readonly string[]): Promise<unknown[]> =>
    engine.column(
      `SELECT CAST(date_bin_wallclock(INTERVAL '${stride}', tz(x, 'Europe/Berlin')) AS VARCHAR) FROM (VALUES ${times.map((time) => `(TIMESTAMP '${time}Z')`).join(', ')}) AS v(x)`,
    );

  test('in autumn both hours have their own bin, longer bins begin at the earlier one', async () => {
    const night = ['2024-10-26T23:30:00', '2024-10-27T00:30:00', '2024-10-27T01:30:00', '2024-10-27T02:30:00'];
    assert.deepEqual(await bins('1 hour', ...night), [
      '2024-10-27T01:00:00+02:00',
      '2024-10-27T02:00:00+02:00',
      '2024-10-27T02:00:00+01:00',
      '2024-10-27T03:00:00+01:00',
    ]);
    assert.deepEqual(await bins('2 hours', ...night), [
      '2024-10-27T00:00:00+02:00',
      '2024-10-27T02:00:00+02:00',
      '2024-10-27T02:00:00+02:00',
      '2024-10-27T02:00:00+02:00',
    ]);
    assert.deepEqual(await bins('1 day', '2024-10-27T12:00:00'), ['2024-10-27T00:00:00+02:00']);
  });

  test('in spring the hour that is missing has no bin', async () => {
    const night = ['2024-03-31T00:30:00', '2024-03-31T01:30:00', '2024-03-31T02:30:00'];
    assert.deepEqual(await bins('1 hour', ...night), [
      '2024-03-31T01:00:00+01:00',
      '2024-03-31T03:00:00+02:00',
      '2024-03-31T04:00:00+02:00',
    ]);
    assert.deepEqual(await bins('1 day', '2024-03-31T12:30:00'), ['2024-03-31T00:00:00+01:00']);
  });

  for (const zone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/Sao_Paulo']) {
    test(`bins of ${zone} follow each other, contain their start, and gap filling makes the same`, async () => {
      for (const stride of Object.keys(STRIDES)) {
        for (const [from, to] of [
          ['2024-03-30T20:00:00', '2024-04-01T06:00:00'],
          ['2018-11-03T12:00:00', '2018-11-05T00:00:00'],
          ['2024-10-26T18:00:00', '2024-10-28T12:00:00'],
          ['2024-11-02T12:00:00', '2024-11-04T06:00:00'],
        ] as const) {
          await checkBins(zone, stride, from, to);
        }
      }
    });
  }

  test('gap filling has the bins of every instant, and no others, where bins are short or fit no hour', async () => {
    const [from, to] = ['2024-10-26T21:00:00', '2024-10-27T06:00:00'];
    for (const minutes of [1, 20, 50]) {
      const stride = `INTERVAL '${minutes} minutes'`;
      const instants = `SELECT tz(value, 'Europe/Berlin') AS x FROM generate_series(TIMESTAMP '${from}', TIMESTAMP '${to}', INTERVAL '1 minute')`;
      const bins = await engine.rows(`SELECT DISTINCT date_bin_wallclock(${stride}, x)::bigint AS b FROM (${instants}) AS i ORDER BY b`);
      assert.deepEqual(
        await gridOf('Europe/Berlin', BigInt(minutes) * MINUTE_NS, from, to),
        bins.map(({ b }) => String(b)),
        `${minutes} minutes`,
      );
    }
  });

  test('gap filling by a zone that is an offset counts from its midnight', async () => {
    const source = "(SELECT tz(time, '+05:30') AS x, temp FROM home) AS h";
    const rows = await engine.rows(
      `SELECT CAST(date_bin_wallclock_gapfill(INTERVAL '1 hour', x) AS VARCHAR) AS b, count(temp) AS n FROM ${source} WHERE x >= '2022-01-01T08:00:00Z' AND x < '2022-01-01T09:00:00Z' GROUP BY date_bin_wallclock_gapfill(INTERVAL '1 hour', x)`,
    );
    assert.deepEqual(
      rows.map(({ b, n }) => [b, Number(n)]),
      [
        ['2022-01-01T13:00:00+05:30', 2],
        ['2022-01-01T14:00:00+05:30', 0],
      ],
    );
  });

  async function gridOf(zone: string, strideNs: bigint, from: string, to: string): Promise<string[]> {
    const bounds = `(SELECT epoch_ns(TIMESTAMP_NS '${from}') AS lo, epoch_ns(TIMESTAMP_NS '${to}') AS hi)`;
    const rows = await engine.engineRows(`SELECT b FROM ${wallClockBins(zone, bounds, strideNs, 0n)} ORDER BY b`);
    return rows.map((row) => String(row['b']));
  }

  async function checkBins(zone: string, stride: string, from: string, to: string): Promise<void> {
    const label = `${zone} ${stride} ${from}`;
    const instants = `SELECT tz(value, '${zone}') AS x FROM generate_series(TIMESTAMP '${from}', TIMESTAMP '${to}', INTERVAL '15 minutes')`;
    const rows = await engine.rows(
      `SELECT x::bigint AS x, date_bin_wallclock(INTERVAL '${stride}', x)::bigint AS b, date_bin_wallclock(INTERVAL '${stride}', date_bin_wallclock(INTERVAL '${stride}', x))::bigint AS again FROM (${instants}) AS i ORDER BY x`,
    );
    let last = -Infinity;
    for (const { x, b, again } of rows) {
      assert.ok(Number(b) <= Number(x), `${label}: the bin of ${x} begins later`);
      assert.equal(again, b, `${label}: a start is in its own bin`);
      assert.ok(Number(b) >= last, `${label}: bins go back`);
      last = Number(b);
    }
    const wanted = [...new Set(rows.map(({ b }) => String(b)))];
    assert.deepEqual(await gridOf(zone, STRIDES[stride] ?? 0n, from, to), wanted, label);
  }
});

describe('the least and the greatest times that rows can have', () => {
  const least = (zone: string): string => `tz(to_timestamp(-9223372036854775805), '${zone}')`;
  const greatest = (zone: string): string => `tz(to_timestamp(9223372036854775806), '${zone}')`;

  test('are shown by the clock of zones on both sides of Greenwich', () =>
    values({
      [`CAST(${greatest('Asia/Tokyo')} AS VARCHAR)`]: '2262-04-12T08:47:16.854775806+09:00',
      [`CAST(${greatest('+05:30')} AS VARCHAR)`]: '2262-04-12T05:17:16.854775806+05:30',
      [`concat(${least('America/New_York')})`]: '1677-09-20T19:16:41.145224195-04:56',
      [`CAST(${greatest('Asia/Tokyo')} AS DATE)`]: '2262-04-12',
      [`CAST(${least('-08:00')} AS DATE)`]: '1677-09-20',
      [`CAST(CAST(${greatest('Asia/Tokyo')} AS TIME) AS VARCHAR)`]: '08:47:16.854775806',
      [`to_char(${greatest('Asia/Tokyo')}, '%F %T%.f %z')`]: '2262-04-12 08:47:16.854775806 +0900',
      [`to_char(${least('America/New_York')}, '%d %H %f %s %q')`]: '20 19 145224195 -9223372037 3',
      [`extract(day FROM ${greatest('Asia/Tokyo')})`]: '12',
      [`extract(microsecond FROM ${greatest('+05:30')})`]: '16854775',
      [`extract(hour FROM ${least('America/New_York')})`]: '19',
    }));

  test('have their bins by the clock of the zone, as far as those begin after the least time', async () => {
    await values({
      [`CAST(date_trunc('day', ${greatest('Asia/Tokyo')}) AS VARCHAR)`]: '2262-04-12T00:00:00+09:00',
      [`CAST(date_trunc('hour', ${greatest('+05:30')}) AS VARCHAR)`]: '2262-04-12T05:00:00+05:30',
      [`CAST(date_trunc('year', ${greatest('Asia/Tokyo')}) AS VARCHAR)`]: '2262-01-01T00:00:00+09:00',
      [`CAST(date_bin_wallclock(INTERVAL '1 day', ${greatest('+05:30')}) AS VARCHAR)`]: '2262-04-12T00:00:00+05:30',
      [`CAST(${greatest('Asia/Tokyo')} - INTERVAL '1 day' AS VARCHAR)`]: '2262-04-11T08:47:16.854775806+09:00',
      [`CAST(${least('America/New_York')} + INTERVAL '1 month' AS VARCHAR)`]: '1677-10-20T19:16:41.145224195-04:56',
    });
    assert.match((await engine.failure(`SELECT date_trunc('day', ${least('Asia/Tokyo')})`)).message, /Overflow|out of range/);
  });
});

describe('to_char with a column of formats', () => {
  const of = (format: string, zone: string): string => `to_char(tz(TIMESTAMP '2024-01-02T03:04:05.5Z', '${zone}'), (SELECT '${format}'))`;

  test('shows the zone, and all that a constant format shows', () =>
    values({
      [of('%H:%M %z', 'Asia/Tokyo')]: '12:04 +0900',
      [of('%H:%M %:z %Z', '+05:30')]: '08:34 +05:30 +05:30',
      [of('%e|%k|%s|%c|%%Y', 'UTC')]: ' 2| 3|1704164645|Tue Jan  2 03:04:05 2024|%Y',
      [of('%+', 'UTC')]: '2024-01-02T03:04:05.500+00:00',
    }));

  test('refuses what cannot be shown', async () => {
    for (const format of ['%z', '%Z', '%Q']) {
      const statement = `SELECT to_char(TIMESTAMP '2024-01-02', column1) FROM (VALUES ('${format}')) AS v`;
      assert.deepEqual(await engine.failure(statement), {
        status: 500,
        message: `Execution error: The format string is invalid or not supported: ${format}`,
      });
    }
  });
});

test('dates go further than timestamps', () =>
  values({
    "CAST(DATE '3000-02-28' + INTERVAL '1 day' AS VARCHAR)": '3000-03-01',
    "extract(year FROM DATE '1500-06-01')": '1500',
    "to_char(DATE '3000-01-02', '%d.%m.%Y')": '02.01.3000',
    "CAST(CAST('2024-3-5' AS DATE) AS VARCHAR)": '2024-03-05',
    "DATE '0001-01-01' < DATE '9999-12-31'": 'true',
  }));
