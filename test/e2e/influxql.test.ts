import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';

/** Two rooms, each hour from 08:00 to 20:00 of one day. */
const HOME = readFileSync(new URL('../../../../test/corpus/line-protocol/home-sensor-data.lp', import.meta.url), 'utf8');
const DAY = '2024-07-21T';

interface Series {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

interface Answer {
  readonly series?: readonly Series[];
  readonly error?: string;
}

async function ask(server: TestServer, q: string, db = 'foo'): Promise<Answer> {
  const response = await fetch(`${server.url}/query?${new URLSearchParams({ db, q })}`);
  assert.equal(response.status, 200);
  const { results } = (await response.json()) as { results: Answer[] };
  assert.equal(results.length, 1);
  return results[0] as Answer;
}

/** Sums of floats depend on the order of the rows in their last digits. */
function text(value: unknown): string {
  return String(typeof value === 'number' ? Number(value.toPrecision(9)) : value);
}

/** `tags | columns | rows` of each series; a time of the day of the data without its date. */
async function rows(server: TestServer, q: string): Promise<string[]> {
  const { series, error } = await ask(server, q);
  assert.equal(error, undefined, q);
  return (series ?? []).map(({ tags, columns, values }) => {
    const texts = values.map((row) => row.map((value) => text(value).replace(DAY, '').replace(':00Z', '')).join(' '));
    return `${Object.values(tags ?? {}).join(',')}|${columns.join(' ')}|${texts.join(', ')}`;
  });
}

const RANGE = (from: string, to: string): string => `time >= '${DAY}${from}Z' AND time < '${DAY}${to}Z'`;

/** Expected rows follow from the data by the rules of the sections named. */
const CASES: readonly (readonly [section: string, query: string, expected: readonly string[]])[] = [
  ['4 wildcard', 'SELECT * FROM home LIMIT 1', ['|time co hum room temp|08:00 0 35.9 Kitchen 21']],
  [
    '4 GROUP BY * leaves tags out',
    'SELECT * FROM home GROUP BY * LIMIT 1',
    ['Kitchen|time co hum temp|08:00 0 35.9 21', 'Living Room|time co hum temp|08:00 0 35.9 21.1'],
  ],
  ['4 regular expression', "SELECT /^[ht]/ FROM home WHERE room = 'Kitchen' LIMIT 1", ['|time hum temp|08:00 35.9 21']],
  ['4 names', 'SELECT max(temp)-min(temp), max(temp)*2, max(temp) FROM home', ['|time max_min max max_1|1970-01-01T00:00 2.3 46.6 23.3']],
  ['4 count(*)', 'SELECT count(*) FROM home', ['|time count_co count_hum count_temp|1970-01-01T00:00 26 26 26']],
  ['4 unknown column and tags alone', 'SELECT foo FROM home', []],
  ['4 tags alone', 'SELECT room FROM home', []],
  ['4 unknown group tag', 'SELECT mean(temp) FROM home GROUP BY t3', ['|time mean|1970-01-01T00:00 22.3961538']],
  ['4 time with an alias', "SELECT time AS ts, temp FROM home WHERE room = 'Kitchen' LIMIT 1", ['|ts temp|08:00 21']],
  [
    '5 tag conditions',
    "SELECT temp FROM home WHERE room <> '' AND hum > 36.2 GROUP BY room LIMIT 2",
    ['Kitchen|time temp|13:00 22.8, 14:00 22.8', 'Living Room|time temp|19:00 22.5, 20:00 22.2'],
  ],
  ['5 regular expression on a tag', 'SELECT temp FROM home WHERE room =~ /Kit/ LIMIT 1', ['|time temp|08:00 21']],
  ['5 incompatible comparison is false', "SELECT temp FROM home WHERE temp > 'a'", []],
  [
    '5 integers divide like floats, by zero is 0',
    "SELECT co/4, co/0 FROM home WHERE co = 7 AND room = 'Kitchen'",
    ['|time co co_1|16:00 1.75 0'],
  ],
  [
    '5 casts',
    "SELECT temp::integer, co::float, temp::string FROM home WHERE room = 'Kitchen' LIMIT 2 OFFSET 1",
    ['|time temp co temp_1|09:00 23 0 null, 10:00 22 0 null'],
  ],
  ['3 time under OR is intersected', `SELECT temp FROM home WHERE room = 'Kitchen' AND (temp > 100 OR time >= '${DAY}20:00:00Z')`, []],
  [
    '6 aggregate',
    'SELECT mean(temp),count(co) FROM home GROUP BY room',
    ['Kitchen|time mean count|1970-01-01T00:00 22.6230769 13', 'Living Room|time mean count|1970-01-01T00:00 22.1692308 13'],
  ],
  ['6 no row for an empty group', `SELECT mean(temp) FROM home WHERE time > '2030-01-01'`, []],
  ['6 time is the lower bound', `SELECT count(temp) FROM home WHERE ${RANGE('10:30:00', '12:00:00')}`, ['|time count|10:30 2']],
  [
    '6 selector with another column',
    'SELECT max(temp), hum FROM home GROUP BY room',
    ['Kitchen|time max hum|18:00 23.3 36.9', 'Living Room|time max hum|18:00 22.8 36.2'],
  ],
  ['6 several selectors', "SELECT first(temp), last(temp) FROM home WHERE room = 'Kitchen'", ['|time first last|1970-01-01T00:00 21 22.7']],
  [
    '6.1 LIMIT and OFFSET, descending',
    "SELECT temp FROM home WHERE room = 'Kitchen' ORDER BY time DESC LIMIT 2 OFFSET 1",
    ['|time temp|19:00 23.1, 18:00 23.3'],
  ],
  ['6.1 LIMIT 0', 'SELECT temp FROM home LIMIT 0', []],
  [
    '6.2 FILL(null) and count',
    `SELECT mean(temp),count(temp) FROM home WHERE ${RANGE('06:00:00', '10:00:00')} GROUP BY time(2h),room`,
    ['Kitchen|time mean count|06:00 null 0, 08:00 22 2', 'Living Room|time mean count|06:00 null 0, 08:00 21.25 2'],
  ],
  [
    '6.2 FILL(none)',
    `SELECT mean(temp) FROM home WHERE ${RANGE('06:00:00', '10:00:00')} GROUP BY time(2h) FILL(none)`,
    ['|time mean|08:00 21.625'],
  ],
  [
    '6.2 FILL(number)',
    `SELECT count(temp),mean(co) FROM home WHERE ${RANGE('20:00:00', '23:00:00')} GROUP BY time(1h) FILL(7)`,
    ['|time count mean|20:00 2 21.5, 21:00 7 7, 22:00 7 7'],
  ],
  [
    '6.2 FILL(previous)',
    `SELECT last(temp),hum FROM home WHERE ${RANGE('19:30:00', '22:00:00')} AND room = 'Kitchen' GROUP BY time(1h) FILL(previous)`,
    ['|time last hum|19:00 null null, 20:00 22.7 36.5, 21:00 22.7 36.5'],
  ],
  [
    '6.2 FILL(linear)',
    `SELECT mean(temp) FROM home WHERE ${RANGE('18:00:00', '19:01:00')} AND room = 'Kitchen' GROUP BY time(30m) FILL(linear)`,
    ['|time mean|18:00 23.3, 18:30 23.2, 19:00 23.1'],
  ],
  [
    '6.3 window over aggregate',
    `SELECT derivative(mean(temp)) FROM home WHERE ${RANGE('08:00:00', '14:00:00')} GROUP BY time(2h)`,
    ['|time derivative|10:00 0.65, 12:00 0.2'],
  ],
  [
    '6.3 the bin before the range counts',
    `SELECT difference(count(co)) FROM home WHERE ${RANGE('08:00:00', '10:00:00')} GROUP BY time(1h)`,
    ['|time difference|08:00 2, 09:00 0'],
  ],
  [
    '7 offset',
    `SELECT mean(temp) FROM home WHERE ${RANGE('08:00:00', '10:00:00')} GROUP BY time(2h, 30m)`,
    ['|time mean|06:30 21.05, 08:30 22.2'],
  ],
  [
    '7 zone',
    `SELECT count(temp) FROM home WHERE ${RANGE('00:00:00', '23:59:59')} GROUP BY time(1d) FILL(none) TZ('America/Sao_Paulo')`,
    ['|time count|00:00:00-03:00 26'],
  ],
  [
    '8 statistics',
    'SELECT median(co), stddev(temp), spread(co), mode(co), sum(co) FROM home',
    ['|time median stddev spread mode sum|1970-01-01T00:00 1 0.555323883 26 0 137'],
  ],
  [
    '8 integral by bins',
    `SELECT integral(temp, 1h) FROM home WHERE room = 'Kitchen' AND ${RANGE('00:00:00', '23:59:59')} GROUP BY time(6h)`,
    ['|time integral|06:00 89.85, 12:00 136.3, 18:00 46.1'],
  ],
  [
    '6.2 integral beside others is not filled by lines',
    `SELECT integral(temp, 1h), max(temp) FROM home WHERE room = 'Kitchen' AND ${RANGE('08:00:00', '10:00:00')} GROUP BY time(30m) FILL(linear)`,
    ['|time integral max|08:00 10.75 21, 08:30 null 22, 09:00 11.25 23, 09:30 null null'],
  ],
  ['8 integral', "SELECT integral(temp, 1h) FROM home WHERE room = 'Kitchen'", ['|time integral|1970-01-01T00:00 272.25']],
  ['8 top and bottom', 'SELECT top(temp,3) FROM home', ['|time top|09:00 23, 18:00 23.3, 19:00 23.1']],
  ['8 top by tag', 'SELECT top(temp,room,2),hum FROM home', ['|time top room hum|18:00 23.3 Kitchen 36.9, 18:00 22.8 Living Room 36.2']],
  [
    '8 bottom per group',
    'SELECT bottom(temp,2) FROM home GROUP BY room',
    ['Kitchen|time bottom|08:00 21, 11:00 22.4', 'Living Room|time bottom|08:00 21.1, 09:00 21.4'],
  ],
  ['8 percentile as selector', "SELECT percentile(temp,50) FROM home WHERE room = 'Kitchen'", ['|time percentile|17:00 22.7']],
  ['8 percentile 100 is the greatest value', 'SELECT percentile(temp,100) FROM home', ['|time percentile|18:00 23.3']],
  [
    '8 distinct',
    "SELECT distinct(co) FROM home WHERE room = 'Living Room' AND co < 3",
    ['|time distinct|1970-01-01T00:00 0, 1970-01-01T00:00 1'],
  ],
  [
    '8 difference drops the first row',
    "SELECT difference(co) FROM home WHERE room = 'Kitchen' AND co > 3",
    ['|time difference|17:00 2, 18:00 9, 19:00 4, 20:00 4'],
  ],
  [
    '8 moving_average',
    "SELECT moving_average(co,2) FROM home WHERE room = 'Kitchen' AND co > 3",
    ['|time moving_average|17:00 8, 18:00 13.5, 19:00 20, 20:00 24'],
  ],
  [
    '8 cumulative_sum',
    "SELECT cumulative_sum(co) FROM home WHERE room = 'Kitchen' AND co > 3",
    ['|time cumulative_sum|16:00 7, 17:00 16, 18:00 34, 19:00 56, 20:00 82'],
  ],
  ['8 elapsed', "SELECT elapsed(temp,1h) FROM home WHERE room = 'Kitchen' LIMIT 2", ['|time elapsed|09:00 1, 10:00 1']],
  ['8 math around a selector', 'SELECT abs(max(temp)) FROM home', ['|time abs|18:00 23.3']],
  ['8 date_part', "SELECT temp FROM home WHERE date_part('hour', time) = 9 AND room = 'Kitchen'", ['|time temp|09:00 23']],
  ['11.14 subquery', 'SELECT max(mean) FROM (SELECT mean(temp) FROM home GROUP BY room)', ['|time max|1970-01-01T00:00 22.6230769']],
  ['10 SHOW MEASUREMENTS', 'SHOW MEASUREMENTS', ['|name|home, m2']],
  ['10 SHOW MEASUREMENTS with a condition', "SHOW MEASUREMENTS WHERE room = 'Kitchen' AND time > 0", ['|name|home']],
  ['10 SHOW TAG KEYS', 'SHOW TAG KEYS FROM home', ['|tagKey|room']],
  ['10 SHOW FIELD KEYS', 'SHOW FIELD KEYS FROM home OFFSET 1', ['|fieldKey fieldType|hum float, temp float']],
  ['10 SHOW TAG VALUES looks at all times', 'SHOW TAG VALUES FROM home WITH KEY = room', ['|key value|room Kitchen, room Living Room']],
  ['10 SHOW TAG VALUES', 'SHOW TAG VALUES FROM home WITH KEY = room WHERE time > 0', ['|key value|room Kitchen, room Living Room']],
  [
    '11.15 several measurements',
    "SELECT temp FROM home, m2 WHERE time >= '2024-07-21T20:00:00Z' AND room <> 'Living Room'",
    ['|time temp|20:00 22.7', '|time temp|20:30 5'],
  ],
];

const REFUSALS: readonly (readonly [query: string, error: string])[] = [
  ['SELECT mean(temp), hum FROM home', `mixing aggregate and non-aggregate columns is not supported`],
  ['SELECT max(temp), min(temp), hum FROM home', `mixing multiple selector functions with tags or fields is not supported`],
  ['SELECT temp FROM home GROUP BY time(1h)', `GROUP BY requires at least one aggregate function`],
  ['SELECT distinct(temp), mean(hum) FROM home', `aggregate function distinct() cannot be combined with other functions or fields`],
  ['SELECT top(temp) FROM home', `invalid number of arguments for top, expected at least 2, got 1`],
  ['SELECT top(temp,2.5) FROM home', `expected integer as last argument for top, got Literal(Float(2.5))`],
  ['SELECT top(temp,0) FROM home', `limit (0) for top must be greater than 0`],
  ['SELECT moving_average(temp,1) FROM home', `moving_average window must be greater than 1, got 1`],
  ['SELECT difference(mean(temp)) FROM home', `difference aggregate requires a GROUP BY interval`],
  ['SELECT difference(temp) FROM home GROUP BY time(1h)', `aggregate function required inside the call to difference`],
  ['SELECT 1 FROM home', `field must contain at least one variable`],
  ['SELECT foo(temp) FROM home', `unsupported function foo()`],
  ['SELECT temp FROM home FILL(none)', `FILL(none) must be used with an aggregate or selector function`],
  ['SELECT sample(temp,2) FROM home', 'This feature is not implemented: sample selector function'],
  ['CREATE DATABASE x', 'CREATE DATABASE changes data, please use a POST request'],
  ['DROP MEASUREMENT home', 'DROP MEASUREMENT changes data, please use a POST request'],
  ['SELECT temp FROM home WHERE time != 1', 'invalid time comparison operator: !='],
  ["SELECT temp FROM home WHERE time > 'x'", "invalid expression \"time > 'x'\": 'x' is not a valid timestamp"],
  ['SELECT temp FROM home LIMIT 9223372036854775808', 'limit out of range'],
];

describe('InfluxQL on the real server', () => {
  let server: TestServer;

  const endings: (() => Promise<void>)[] = [];
  const suite = { after: (end: () => Promise<void>) => void endings.push(end) };

  before(async () => {
    server = await startServer(suite, await testDirectory(suite), { args: ['--wal-flush-interval', '1ms', '--wal-snapshot-size', '1'] });
    await server.writeOk('foo', HOME, '&precision=second');
    await server.writeOk('foo', 'm2,room=x temp=5i 1721593800', '&precision=second');
  });

  after(async () => {
    for (const end of endings.reverse()) await end();
  });

  for (const [section, query, expected] of CASES) {
    it(`influxql ${section}: ${query}`, async () => assert.deepEqual(await rows(server, query), expected));
  }

  for (const [query, error] of REFUSALS) {
    it(`refuses ${query}`, async () => assert.deepEqual((await ask(server, query)).error, error));
  }

  it('an unknown database is an error of the statement', async () => {
    const response = await fetch(`${server.url}/query?db=nope&q=${encodeURIComponent('SELECT * FROM m')}`);
    assert.deepEqual(
      [response.status, await response.text()],
      [200, '{"results":[{"statement_id":0,"error":"database not found: nope"}]}'],
    );
  });

  it('epoch gives whole times, floats keep their fraction only where they have one', async () => {
    const q = "SELECT time, room, temp FROM home WHERE room = 'Kitchen' LIMIT 2";
    const response = await fetch(`${server.url}/query?db=foo&epoch=s&q=${encodeURIComponent(q)}`);
    assert.equal(
      await response.text(),
      '{"results":[{"statement_id":0,"series":[{"name":"home","columns":["time","room","temp"],"values":[[1721548800,"Kitchen",21],[1721552400,"Kitchen",23]]}]}]}',
    );
  });

  it('the v3 endpoint answers rows with their measurement, in every format', async () => {
    const q = 'SELECT max(temp), hum FROM home GROUP BY room LIMIT 1';
    const request = (format: string): Promise<Response> =>
      fetch(`${server.url}/api/v3/query_influxql`, { method: 'POST', body: JSON.stringify({ db: 'foo', q, format }) });
    assert.deepEqual(await (await request('json')).json(), [
      { 'iox::measurement': 'home', time: '2024-07-21T18:00:00', room: 'Kitchen', max: 23.3, hum: 36.9 },
      { 'iox::measurement': 'home', time: '2024-07-21T18:00:00', room: 'Living Room', max: 22.8, hum: 36.2 },
    ]);
    assert.match(
      await (await request('csv')).text(),
      /^iox::measurement,time,room,max,hum\nhome,2024-07-21T18:00:00,Kitchen,23\.3,36\.9\n/,
    );
    const file = Buffer.from(await (await request('parquet')).arrayBuffer());
    assert.equal(file.toString('latin1', 0, 4), 'PAR1');
    const show = await fetch(`${server.url}/api/v3/query_influxql?q=SHOW+DATABASES`);
    assert.deepEqual(await show.json(), [
      { 'iox::database': '_internal', deleted: false },
      { 'iox::database': 'foo', deleted: false },
    ]);
    const refused = await fetch(`${server.url}/api/v3/query_influxql?db=foo&q=DROP+MEASUREMENT+x`);
    assert.deepEqual([refused.status, await refused.text()], [405, 'This feature is not implemented: DROP MEASUREMENT']);
  });

  it('statements are in the query log under their language', async () => {
    await ask(server, 'SELECT count(co) FROM home');
    const logged = await server.rows(
      '_internal',
      "SELECT query_type, query_text FROM system.queries WHERE query_text = 'SELECT count(co) FROM home'",
    );
    assert.deepEqual(logged[0], { query_type: 'influxql', query_text: 'SELECT count(co) FROM home' });
  });

  it('an area is cut at the end of the bin of its first point, and what is beyond counts for the second', async () => {
    await server.writeOk('bar', 'm,k=a v=0 0\nm,k=a v=15 15\nm,k=a v=35 35\nm,k=a w=1 12', '&precision=second');
    await server.writeOk('bar', 'n v=10i 0\nn v=20i 15', '&precision=second');
    const q = (from: string): string => `SELECT integral(v) FROM ${from} WHERE time >= 0 AND time < 40s GROUP BY time(10s), k`;
    const answer = await ask(server, q('m'), 'bar');
    assert.deepEqual(
      answer.series?.map(({ tags, values }) => [tags, values.map(([time, value]) => `${String(time).slice(17, 19)} ${value}`)]),
      [[{ k: 'a' }, ['00 50', '10 150', '30 412.5']]],
    );
    const { series } = await ask(server, q('n'), 'bar');
    assert.deepEqual(
      series?.[0]?.values.map(([, value]) => Number(Number(value).toFixed(6))),
      [133.333333, 91.666667],
    );
  });
});
