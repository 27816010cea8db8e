import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { v1Client } from './v1-support.ts';

let server: TestServer;
const endings: (() => Promise<void>)[] = [];
const suite = { after: (end: () => Promise<void>) => void endings.push(end) };
const { values, write } = v1Client(() => server.url);

const [FIRST, LAST] = ['-9223372036854775806', '9223372036854775806'];

before(async () => {
  server = await startServer(suite, await testDirectory(suite));
  await write({ db: 'd' }, `ends v=1 ${FIRST}\nends v=3 0\nends v=2 ${LAST}`);
  await write({ db: 'd' }, 'huge a=1e308,b=1,g="x" 1\nhuge a=-1e308,b=2,g="x" 2\nhuge a=1.5e308,b=3,g="x" 3');
  await write({ db: 'd' }, 'huge,t=small a=1e-100,b=1 1\nhuge,t=small a=3e-100,b=2 2');
});

after(async () => {
  for (const end of endings.reverse()) await end();
});

const ask = (q: string) => values(q, { db: 'd' });

async function sql(q: string): Promise<Record<string, unknown>[]> {
  const response = await server.sql('d', q);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as Record<string, unknown>[];
}

describe('a row at the least and one at the greatest time', () => {
  const range = `time >= ${FIRST} AND time <= ${LAST}`;

  it('has a bin, which begins with the least time when it would begin before', async () => {
    const [first, rest] = [
      '1677-09-21T00:12:43.145224194Z',
      ['1682-07-09', '1778-05-07', '1874-03-05', '1970-01-01', '2065-10-29', '2161-08-27', '2257-06-25'],
    ];
    const bins = rest.map((day, i) => [`${day}T00:00:00Z`, { 3: 3, 6: 2 }[i] ?? null]);
    assert.deepEqual(await ask(`SELECT mean(v) FROM ends WHERE ${range} GROUP BY time(5000w)`), [[first, 1], ...bins]);
    assert.deepEqual(
      await ask('SELECT mean(v) FROM ends GROUP BY time(5000w)'),
      [[first, 1], ...bins.slice(0, 4)],
      'up to now, from the first row',
    );
    assert.deepEqual(await ask(`SELECT max(v) FROM ends WHERE ${range} GROUP BY time(5000w, 3w) fill(none)`), [
      [first, 1],
      ['1874-03-26T00:00:00Z', 3],
      ['2257-07-16T00:00:00Z', 2],
    ]);
  });

  it('fails no statement of the table', async () => {
    for (const q of [
      'SELECT * FROM ends',
      `SELECT integral(v) FROM ends WHERE ${range} GROUP BY time(5000w)`,
      `SELECT derivative(mean(v)) FROM ends WHERE ${range} GROUP BY time(5000w)`,
      `SELECT derivative(mean(v)) FROM ends WHERE ${range} GROUP BY time(5000w) ORDER BY time DESC`,
      'SELECT elapsed(v) FROM ends',
      `SELECT elapsed(mean(v)) FROM ends WHERE ${range} GROUP BY time(1w) fill(none)`,
      'SELECT mean(m) FROM (SELECT mean(v) AS m FROM ends GROUP BY time(1w) fill(none)) GROUP BY time(2w) fill(none)',
      "SELECT v FROM ends tz('Europe/London')",
    ]) {
      assert.notEqual(await ask(q), undefined, q);
    }
  });

  it('is read, split and shown by SQL', async () => {
    const [row] = await sql(
      "SELECT time::varchar AS t, to_char(time, '%Y-%m-%d %H:%M') AS c, date_part('second', time) AS s, time::date AS d, to_local_time(time) AS l " +
        'FROM ends ORDER BY time LIMIT 1',
    );
    const t = '1677-09-21T00:12:43.145224194';
    assert.deepEqual(row, { t, c: '1677-09-21 00:12', s: 43, d: '1677-09-21', l: t });
  });
});

describe('numbers whose squares no double holds', () => {
  it('have a standard deviation, or an infinite one', async () => {
    assert.deepEqual(await ask("SELECT stddev(a) FROM huge WHERE t = ''"), [['1970-01-01T00:00:00Z', 1.3228756555322954e308]]);
    const [row] = await sql(
      'SELECT stddev(a) AS s, stddev_pop(a) AS p, var_pop(a) AS v, corr(a, b) AS c, corr(b, a) AS r, regr_r2(a, b) AS q, stddev(a * 10) AS i ' +
        'FROM huge WHERE t IS NULL',
    );
    const c = 0.1889822365046136;
    assert.deepEqual(row, { s: 1.3228756555322954e308, p: 1.0801234497346434e308, v: null, c, r: c, q: 0.035714285714285705, i: null });
  });

  it('take nothing from the small ones beside them', async () => {
    const rows = await sql('SELECT t, stddev(a) AS s, corr(a, b) AS c FROM huge GROUP BY t ORDER BY t');
    assert.deepEqual(rows, [
      { t: 'small', s: 1.414213562373095e-100, c: 1 },
      { s: 1.3228756555322954e308, c: 0.1889822365046136 },
    ]);
    const over = await sql('SELECT b, stddev(a) OVER (ORDER BY b) AS s FROM huge WHERE t IS NULL ORDER BY b');
    assert.deepEqual(over, [{ b: 1 }, { b: 2, s: 1.4142135623730951e308 }, { b: 3, s: 1.3228756555322954e308 }]);
  });
});

describe('zones', () => {
  it('show an offset of zero as Z', async () => {
    await write({ db: 'd' }, 'london v=1 1709596800000000000\nlondon v=2 1720000000000000000');
    assert.deepEqual(await ask("SELECT v FROM london tz('Europe/London')"), [
      ['2024-03-05T00:00:00Z', 1],
      ['2024-07-03T10:46:40+01:00', 2],
    ]);
    const rows = await sql("SELECT tz(time, 'Europe/London') AS t FROM london ORDER BY time");
    assert.deepEqual(rows, [{ t: '2024-03-05T00:00:00Z' }, { t: '2024-07-03T10:46:40+01:00' }]);
  });

  it('leave out a day that the zone left out', async () => {
    await write({ db: 'd' }, 'apia v=1 1325152800000000000\napia v=2 1325239200000000000\napia v=3 1325325600000000000');
    const where = "time >= '2011-12-28' AND time < '2012-01-02'";
    const expected = [
      ['2011-12-28T00:00:00-10:00', 0],
      ['2011-12-29T00:00:00-10:00', 1],
      ['2011-12-31T00:00:00+14:00', 1],
      ['2012-01-01T00:00:00+14:00', 1],
    ];
    assert.deepEqual(await ask(`SELECT count(v) FROM apia WHERE ${where} GROUP BY time(1d) tz('Pacific/Apia')`), expected);
    const gapfill = "date_bin_wallclock_gapfill(interval '1 day', tz(time, 'Pacific/Apia')) AS t, count(v) AS n";
    const rows = await sql(`SELECT ${gapfill} FROM apia WHERE time >= '2011-12-28T10:00:00Z' AND time < '2012-01-01T10:00:00Z' GROUP BY 1`);
    assert.deepEqual(
      rows.map(({ t, n }) => [t, n]),
      expected,
    );
  });
});
