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

  it('has a bin by the clock of a zone, on both sides of UTC', async () => {
    const bins = async (zone: string, rest = ' fill(none)'): Promise<unknown> => {
      const q = `SELECT mean(v) FROM ends WHERE ${range} GROUP BY time(5000w)${rest} tz('${zone}')`;
      return (await values(q, { db: 'd', epoch: 'ns' }))?.map(([, mean]) => mean);
    };
    for (const zone of ['Asia/Tokyo', 'America/New_York', 'Europe/London', 'Pacific/Kiritimati']) {
      assert.deepEqual(await bins(zone), [1, 3, 2], zone);
      assert.equal(((await bins(zone, ' fill(0)')) as unknown[]).filter((mean) => mean !== 0).length, 3, zone);
    }
    const byWeek = await fetch(
      `${server.url}/query?${new URLSearchParams({ db: 'd', epoch: 'ns', q: `SELECT mean(v) FROM ends WHERE ${range} GROUP BY time(1w) fill(none) tz('Asia/Tokyo')` })}`,
    );
    assert.ok((await byWeek.text()).includes(`[[${FIRST},1],`), 'the first bin begins with the least time');
    assert.deepEqual(
      (await ask("SELECT count(v) FROM ends GROUP BY time(5000w) tz('Asia/Tokyo')"))?.reduce((sum, [, count]) => sum + Number(count), 0),
      2,
      'up to now',
    );
    assert.notEqual(await ask(`SELECT integral(v) FROM ends WHERE ${range} GROUP BY time(5000w) tz('Asia/Tokyo')`), undefined);
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

describe('more than a statement can be answered with', () => {
  const error = async (q: string): Promise<string> => {
    const answer = await fetch(`${server.url}/query?${new URLSearchParams({ db: 'd', q })}`);
    return answer.text();
  };

  it('refuses bins without number, with and without a lower bound of time', async () => {
    for (const q of [
      'SELECT mean(v) FROM ends WHERE time >= 0 AND time < 60s GROUP BY time(1ns)',
      'SELECT mean(v) FROM ends GROUP BY time(1s)',
      "SELECT mean(v) FROM ends GROUP BY time(1s), h fill(previous) tz('Asia/Tokyo')",
      'SELECT mean(m) FROM (SELECT mean(v) AS m FROM ends GROUP BY time(1s) fill(0))',
    ]) {
      assert.match(
        await error(q),
        /"error":"GROUP BY time would make more than 10000000 rows for each series; a range of time makes fewer"/,
        q,
      );
    }
    assert.equal((await ask('SELECT mean(v) FROM ends WHERE time < 60s GROUP BY time(1ns) fill(none)'))?.length, 2);
  });

  it('refuses durations that no integer holds', async () => {
    for (const q of [
      'SELECT mean(v) FROM ends GROUP BY time(99999999999999w)',
      'SELECT mean(v) FROM ends WHERE time > now() - 99999999999999w',
      'SELECT derivative(v, 99999999999999w) FROM ends',
    ]) {
      assert.match(await error(q), /"error":"error parsing query: .*overflowed duration 99999999999999w/, q);
    }
  });

  it('takes numbers of rows up to the greatest integer', async () => {
    const most = '9223372036854775807';
    assert.deepEqual((await ask(`SELECT top(v, ${most}) FROM ends`))?.length, 3);
    assert.deepEqual(await ask(`SELECT moving_average(v, ${most}) FROM ends`), undefined);
    assert.deepEqual(await ask(`SELECT v FROM ends LIMIT ${most} OFFSET ${most}`), undefined);
    assert.deepEqual((await ask(`SELECT v FROM ends GROUP BY h LIMIT ${most} SLIMIT ${most}`))?.length, 3);
  });

  it('ends patterns on names that would try for ever, and refuses very long ones', async () => {
    const name = 'a'.repeat(60);
    await write({ db: 'patterns' }, `${name}!,${name}!=1 v=1 1`);
    const asked = async (q: string): Promise<string> => {
      const response = await fetch(`${server.url}/query`, { method: 'POST', body: new URLSearchParams({ db: 'patterns', q }) });
      return response.text();
    };
    for (const q of [
      'SELECT * FROM /(a+)+$/',
      `SELECT /(a|a)*$/ FROM "${name}!"`,
      `SELECT count(*) FROM "${name}!" GROUP BY /(a?){60}$/`,
      'SHOW TAG VALUES WITH KEY =~ /^(([a-z])+.)+[A-Z]$/',
      'DELETE FROM /(a+)+$/',
    ]) {
      assert.match(await asked(q), /"error":"regular expression takes too long: it has a repeat in a repeat"/, q);
    }
    assert.match(
      await asked(`SELECT * FROM /${'a|'.repeat(20_000)}b/`),
      /"error":"regular expression of 40001 characters; names are compared with/,
    );
    assert.match(await asked('DELETE FROM /(/'), /"error":"invalid regular expression/);
    assert.match(await asked('SHOW MEASUREMENTS WITH MEASUREMENT =~ /^(a+)+!$/'), /"values":\[\["a+!"\]\]/, 'what ends is answered');
  });

  it('answers long chains of conditions, and refuses longer ones', async () => {
    const chain = (length: number): string => Array.from({ length }, (_, i) => `h = 'h${i}'`).join(' OR ');
    const asked = async (where: string): Promise<string> => {
      const q = `SELECT v FROM london WHERE ${where}`;
      return (await fetch(`${server.url}/query`, { method: 'POST', body: new URLSearchParams({ db: 'chains', epoch: 'ns', q }) })).text();
    };
    await write({ db: 'chains' }, 'london,h=h1500 v=1 1\nlondon,h=x v=2 2');
    assert.match(await asked(chain(2000)), /"values":\[\[1,1\]\]/);
    assert.match(await asked(chain(6000)), /"error":"error parsing query: .*a statement can have at most 5000 operators/);
    assert.match(
      await asked(`v > ${Array(2000).fill('v').join(' + ')}`),
      /"error":"the expressions of the statement are nested too deeply"/,
    );
    assert.match(await asked(`${'('.repeat(10_000)}v > 1${')'.repeat(10_000)}`), /expression is nested too deeply/);
  });

  it('lets others have their turn between thousands of statements', async () => {
    const ended: string[] = [];
    const all = fetch(`${server.url}/query`, { method: 'POST', body: new URLSearchParams({ q: 'SHOW DATABASES;'.repeat(4000) }) });
    const many = all.then((response) => response.text()).then(() => ended.push('many'));
    await fetch(`${server.url}/ping`).then(() => ended.push('ping'));
    await many;
    assert.deepEqual(ended, ['ping', 'many']);
  });
});
