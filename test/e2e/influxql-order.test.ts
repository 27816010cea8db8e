import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';

let server: TestServer;
const endings: (() => Promise<void>)[] = [];
const suite = { after: (end: () => Promise<void>) => void endings.push(end) };

before(async () => {
  server = await startServer(suite, await testDirectory(suite));
  // series in another order than that of their tags
  const hosts = ['c', 'a', 'd', 'b'];
  const lines = hosts.flatMap((host, i) => [10, 20].map((time) => `m,host=${host} f=${i},s="${host}",same=1 ${time}`));
  await server.writeOk('db', lines.join('\n'), '&precision=nanosecond');
  const cpu = Array.from({ length: 60 }, (_, i) => ['a', 'b'].map((host) => `cpu,host=${host} usage=${i} ${i * 10}`)).flat();
  await server.writeOk('db', cpu.join('\n'), '&precision=second');
});

after(async () => {
  for (const end of endings.reverse()) await end();
});

/** Rows of all series, one after the other. */
async function rows(q: string): Promise<unknown[][]> {
  const response = await fetch(`${server.url}/query?${new URLSearchParams({ q, db: 'db', epoch: 'ns' })}`);
  const { results } = (await response.json()) as { results: { series?: { values: unknown[][] }[]; error?: string }[] };
  assert.equal(results[0]?.error, undefined);
  return (results[0]?.series ?? []).flatMap(({ values }) => values);
}

it('series without a group tag come first, as in InfluxDB 1; last on the endpoint of v3', async () => {
  await server.writeOk('db', 'part v=1 10\npart,t=a v=2 10\npart,t=b v=3 10', '&precision=nanosecond');
  const q = 'SELECT v FROM part GROUP BY t';
  assert.deepEqual(
    (await rows(q)).map(([, v]) => v),
    [1, 2, 3],
  );
  assert.deepEqual(
    (await rows(`${q} SLIMIT 1`)).map(([, v]) => v),
    [1],
  );
  const v3 = await fetch(`${server.url}/api/v3/query_influxql?${new URLSearchParams({ q, db: 'db' })}`);
  assert.deepEqual(
    ((await v3.json()) as { v: number }[]).map(({ v }) => v),
    [2, 3, 1],
  );
});

it('rows of a subquery keep the tags of their series', async () => {
  const inner = '(SELECT v AS a FROM part)';
  assert.deepEqual(await rows(`SELECT sum(a) FROM ${inner} GROUP BY t`), [
    [0, 1],
    [0, 2],
    [0, 3],
  ]);
  assert.deepEqual(await rows(`SELECT a FROM ${inner} WHERE t = 'b'`), [[10, 3]]);
  assert.deepEqual(await rows(`SELECT * FROM ${inner} WHERE t = 'b'`), [[10, 3]], 'they stand in no wildcard');
});

// answers of InfluxDB 1.6.7 to the same statements
const CASES: readonly (readonly [what: string, q: string, expected: unknown])[] = [
  ['ascending, in the order of the series', 'SELECT s FROM m', [10, 20].flatMap((t) => ['a', 'b', 'c', 'd'].map((s) => [t, s]))],
  ['descending, backwards', 'SELECT s FROM m ORDER BY time DESC', [20, 10].flatMap((t) => ['d', 'c', 'b', 'a'].map((s) => [t, s]))],
  [
    'limits count in that order',
    'SELECT s FROM m LIMIT 2 OFFSET 1',
    [
      [10, 'b'],
      [10, 'c'],
    ],
  ],
  [
    'limits count backwards too',
    'SELECT s FROM m ORDER BY time DESC LIMIT 2',
    [
      [20, 'd'],
      [20, 'c'],
    ],
  ],
  ['first chooses the greatest value of the first time', 'SELECT first(f), s FROM m', [[10, 3, 'b']]],
  ['last chooses the last series of the last time', 'SELECT last(f), s FROM m', [[20, 2, 'd']]],
  ['percentile of equal values', 'SELECT percentile(same, 50), s FROM m', [[10, 1, 'd']]],
  ['max of equal values', 'SELECT max(same), s FROM m', [[10, 1, 'a']]],
  [
    'top of equal values',
    'SELECT top(same, 2), s FROM m',
    [
      [10, 1, 'a'],
      [10, 1, 'b'],
    ],
  ],
  [
    'rows of a subquery, whose tags are not shown',
    'SELECT a FROM (SELECT f AS a FROM m) WHERE time < 20 LIMIT 3',
    [1, 3, 0].map((f) => [10, f]),
  ],
  ['series are limited, not rows', 'SELECT s FROM m GROUP BY host SLIMIT 1 SOFFSET 2', [10, 20].map((t) => [t, 'c'])],
];

for (const [what, q, expected] of CASES) {
  it(`rows of equal times: ${what}`, async () => assert.deepEqual(await rows(q), expected));
}

it('series of a subquery are limited in the order of their tags', async () => {
  const inner = 'SELECT mean(f) AS a FROM m GROUP BY host';
  const sums = async (limits: string): Promise<unknown> => (await rows(`SELECT sum(a) FROM (${inner} ${limits})`))[0]?.[1];
  assert.deepEqual(await sums('SLIMIT 1'), 1);
  assert.deepEqual(await sums('SLIMIT 2 SOFFSET 1'), 3 + 0);
  assert.deepEqual(await sums('SOFFSET 3'), 2);
  assert.deepEqual(await rows(`SELECT a FROM (SELECT f AS a FROM m SLIMIT 1)`), await rows('SELECT f FROM m'));
  assert.deepEqual(await rows(`SELECT a FROM (SELECT f AS a FROM m SOFFSET 1)`), []);
});

it('integers above 2^53 keep their digits as parameters, in a JSON body too', async () => {
  await server.writeOk('db', 'large v=9007199254740993i 1\nlarge v=9007199254740992i 2', '&precision=nanosecond');
  const q = 'SELECT v FROM large WHERE v = $n';
  const params = '{"n":9007199254740993}';
  for (const [headers, body] of [
    [{ 'content-type': 'application/json' }, `{"db":"db","epoch":"ns","q":"${q}","params":${params}}`],
    [{}, new URLSearchParams({ db: 'db', epoch: 'ns', q, params })],
  ] as const) {
    const response = await fetch(`${server.url}/query`, { method: 'POST', headers, body });
    assert.match(await response.text(), /"values":\[\[1,9007199254740993\]\]/);
  }
});

it('time in conditions is read in any letter case', async () => {
  assert.equal((await rows('SELECT s FROM m WHERE TIME > 10')).length, 4);
  assert.equal((await rows('SELECT s FROM m WHERE Time > 10 AND tImE < 20')).length, 0);
});

it('the median of great integers is exact', async () => {
  await server.writeOk(
    'db',
    'big v=9007199254740993i 1\nbig v=9007199254740993i 2\nbig v=-9223372036854775808i 3',
    '&precision=nanosecond',
  );
  const median = async (where: string): Promise<string> => {
    const q = `SELECT median(v) FROM big WHERE ${where}`;
    return (await fetch(`${server.url}/query?${new URLSearchParams({ q, db: 'db', epoch: 'ns' })}`)).text();
  };
  assert.match(await median('time <= 2'), /,9007199254740993\]/);
  assert.match(await median('time <= 3'), /,9007199254740993\]/);
  assert.match(await median('time = 3'), /,-9223372036854775808\]/);
  assert.match(await median('time >= 2'), /,-4607182418800017407\]/);
});

it('bins of a statement inside another one, both filled', async () => {
  const range = 'time >= 0 AND time < 300s';
  for (const fill of ['fill(0)', 'fill(none)', 'fill(previous)', 'fill(null)']) {
    const q = `SELECT mean(a) FROM (SELECT mean(usage) AS a FROM cpu WHERE ${range} GROUP BY time(30s), host ${fill}) WHERE ${range} GROUP BY time(1m)`;
    assert.deepEqual(
      await rows(q),
      [2.5, 8.5, 14.5, 20.5, 26.5].map((mean, i) => [i * 60_000_000_000, mean]),
      fill,
    );
  }
});

// answers of InfluxDB 1.6.7 to the same statements
it('counts of a field that a series does not have are nothing on /query, and 0 on the endpoint of v3', async () => {
  await server.writeOk('db', 'few,host=a x=1,n=1 10\nfew,host=a x=2 70\nfew,host=b n=3 10\nfew,host=b n=4 190', '&precision=second');
  const s = 1_000_000_000;
  assert.deepEqual(await rows('SELECT count(x), sum(n) FROM few GROUP BY host'), [
    [0, 2, 1],
    [0, null, 7],
  ]);
  const bins = 'WHERE time >= 0 AND time < 240s GROUP BY time(1m)';
  assert.deepEqual(await rows(`SELECT count(x), sum(n) FROM few ${bins}, host`), [
    [0, 1, 1],
    [60 * s, 1, null],
    [120 * s, 0, null],
    [180 * s, 0, null],
    [0, null, 3],
    [60 * s, null, null],
    [120 * s, null, null],
    [180 * s, null, 4],
  ]);
  assert.deepEqual(
    (await rows(`SELECT count(x), sum(n) FROM few ${bins}, host fill(7)`)).map(([, count]) => count),
    [1, 1, 7, 7, 7, 7, 7, 7],
  );
  const inside = `SELECT count(c) FROM (SELECT count(x) AS c FROM few ${bins} fill(null))`;
  assert.deepEqual(await rows(inside), [[0, 2]]);
  const v3 = async (q: string): Promise<unknown[]> => {
    const response = await fetch(`${server.url}/api/v3/query_influxql?${new URLSearchParams({ q, db: 'db' })}`);
    return ((await response.json()) as { count: unknown }[]).map(({ count }) => count);
  };
  assert.deepEqual(await v3('SELECT count(x), sum(n) FROM few GROUP BY host'), [2, 0]);
  assert.deepEqual(await v3(inside), [4]);
});

it('the last of equal times of a subquery is the greatest value', async () => {
  const sums = 'SELECT sum(f) AS a FROM m WHERE time >= 0 AND time < 60s GROUP BY host';
  assert.deepEqual(await rows(`SELECT last(a) FROM (${sums})`), [[0, 6]]);
  assert.deepEqual(await rows('SELECT last(f) FROM m'), [[20, 2]], 'of stored rows, that of the last series');
});
