import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';

let server: TestServer;
const endings: (() => Promise<void>)[] = [];
const suite = { after: (end: () => Promise<void>) => void endings.push(end) };

before(async () => {
  server = await startServer(suite, await testDirectory(suite));
  const lines = ['sp a=1 10', 'sp b=2 20', 'sp a=3,b=4 30', 'sp a=5 40', 'sp,h=x a=6 50', 'sp,h=x b=7,t="q" 60'];
  const falls = [5, 3, 5, 1].map((b, i) => `falls b=${b} ${10 * (i + 1)}`);
  const equal = [10, 20, 30].flatMap((time) => [`eq,h=a f=${time / 10} ${time}000000000`, `eq,h=b f=${time} ${time}000000000`]);
  await server.writeOk('d', [...lines, ...equal, ...falls, 'other v=1 10'].join('\n'), '&precision=nanosecond');
});

after(async () => {
  for (const end of endings.reverse()) await end();
});

type Series = readonly [tag: string, ...rows: unknown[][]];

/** Series of an answer: the value of the group tag, which is empty without one, and the rows. */
async function ask(q: string): Promise<Series[]> {
  const response = await fetch(`${server.url}/query?${new URLSearchParams({ q, db: 'd', epoch: 'ns' })}`);
  const { results } = (await response.json()) as {
    results: { series?: { tags?: { h: string }; values: unknown[][] }[]; error?: string }[];
  };
  assert.equal(results[0]?.error, undefined, q);
  return (results[0]?.series ?? []).map(({ tags, values }) => [tags?.h ?? '', ...values]);
}

const range = 'time >= 0 AND time < 70';
const bins = (range: string, rest = ''): string => `FROM sp WHERE ${range} GROUP BY time(10ns)${rest}`;

// answers of InfluxDB 1.6.7 to the same statements
const CASES: Readonly<Record<string, readonly (readonly [q: string, ...expected: Series[]])[]>> = {
  'LIMIT and OFFSET count rows, whatever fields they have': [
    ['SELECT * FROM sp LIMIT 2', ['', [10, 1, null, null, null], [20, null, 2, null, null]]],
    ['SELECT a, b FROM sp LIMIT 2 OFFSET 1', ['', [20, null, 2], [30, 3, 4]]],
    ['SELECT a + b FROM sp LIMIT 3', ['', [10, null], [20, null], [30, 7]]],
    ['SELECT a, b FROM sp GROUP BY h LIMIT 1', ['', [10, 1, null]], ['x', [50, 6, null]]],
    ['SELECT a, b FROM sp GROUP BY h LIMIT 1 SLIMIT 1 SOFFSET 1', ['x', [50, 6, null]]],
    [`SELECT max(a), b ${bins(range, ' fill(none) LIMIT 2')}`, ['', [10, 1, null], [30, 3, 4]]],
  ],
  'LIMIT and OFFSET count the rows of each aggregate and window for itself': [
    [`SELECT sum(a), sum(b) ${bins(range, ' fill(none) LIMIT 2')}`, ['', [10, 1, null], [20, null, 2], [30, 3, 4]]],
    [`SELECT sum(a) + sum(b), sum(a) ${bins(range, ' fill(none) LIMIT 2')}`, ['', [10, null, 1], [20, null, null], [30, 7, 3]]],
    ['SELECT difference(a) + cumulative_sum(b) FROM sp LIMIT 2', ['', [20, null], [30, 8], [40, null]]],
  ],
  'a window beside an aggregate leaves the bins of the aggregate': [
    [
      `SELECT difference(sum(a)), sum(b) ${bins(range)}`,
      ['', [0, null, null], [10, null, null], [20, null, 2], [30, 2, 4], [40, 2, null], [50, 1, null], [60, null, 7]],
    ],
    [
      `SELECT difference(sum(a)), sum(b) ${bins(range, ' fill(none)')}`,
      ['', [20, null, 2], [30, 2, 4], [40, 2, null], [50, 1, null], [60, null, 7]],
    ],
    [`SELECT difference(sum(a)) + sum(b) ${bins('time >= 20 AND time < 50')}`, ['', [20, null], [30, 6], [40, null]]],
    [
      `SELECT non_negative_difference(sum(b)), sum(b) ${bins('time >= 20 AND time < 70', ' fill(7)')}`,
      ['', [20, 7, 2], [30, 2, 4], [40, 3, 7], [50, 0, 7], [60, 0, 7]],
    ],
  ],
  'only windows that look back see what is before the range': [
    [`SELECT difference(sum(a)), sum(b) ${bins('time >= 25 AND time < 50', ' fill(5)')}`, ['', [20, 0, 5], [30, -2, 4], [40, 2, 5]]],
    [
      `SELECT difference(count(a)), cumulative_sum(sum(b)) ${bins('time >= 30 AND time < 70')}`,
      ['', [30, 1, 4], [40, 0, null], [50, 0, null], [60, -1, 11]],
    ],
  ],
  'series go backwards when time descends': [
    ['SELECT a FROM sp GROUP BY h ORDER BY time DESC', ['x', [50, 6]], ['', [40, 5], [30, 3], [10, 1]]],
    ['SELECT a FROM sp GROUP BY h ORDER BY time DESC LIMIT 1 SLIMIT 1', ['', [40, 5]]],
  ],
  'texts and booleans have a filled value too': [
    ['SELECT last(t) FROM sp WHERE time >= 50 AND time < 70 GROUP BY time(10ns) fill(7)', ['', [50, ''], [60, 'q']]],
  ],
  'a filled bin stays in its series when the group tag is selected': [
    [
      `SELECT max(a), h ${bins('time >= 30 AND time < 70', ', h')}`,
      ['', [30, 3, null], [40, 5, null], [50, null, null], [60, null, null]],
      ['x', [30, null, null], [40, null, null], [50, 6, 'x'], [60, null, null]],
    ],
  ],
  'a subquery has the groups and bins of the statements around it': [
    ['SELECT max(v) FROM (SELECT mean(a) AS v FROM sp) GROUP BY h', ['', [0, 3]], ['x', [0, 6]]],
    [
      `SELECT max(v) FROM (SELECT sum(a) AS v FROM sp WHERE ${range}) WHERE ${range} GROUP BY time(20ns)`,
      ['', [0, 1], [20, 3], [40, 11], [60, null]],
    ],
    [
      'SELECT max(v) FROM (SELECT difference(sum(a)) AS v FROM sp) WHERE time >= 0 AND time < 60 GROUP BY time(20ns)',
      ['', [0, null], [20, 2], [40, 8]],
    ],
    [
      'SELECT count(v), max(v) FROM (SELECT sum(a) AS v FROM sp) WHERE time >= 25 AND time < 60 GROUP BY time(20ns)',
      ['', [20, 1, 3], [40, 1, 11]],
    ],
    ['SELECT v FROM (SELECT mean(a) AS v FROM sp) GROUP BY *', ['', [0, 3.75]]],
  ],
  'a tag that a measurement does not have is empty': [
    ["SELECT v FROM other WHERE h = ''", ['', [10, 1]]],
    ["SELECT v FROM other WHERE h != 'x' AND nothing !~ /x/", ['', [10, 1]]],
    ["SELECT v FROM other WHERE nothing = 'x' OR nothing > 1"],
    ["SHOW TAG VALUES FROM sp WITH KEY = h WHERE nothing = ''", ['', ['h', 'x']]],
  ],
  'distinct values come in the order in which they are first seen': [
    ['SELECT distinct(b) FROM falls', ['', [0, 5], [0, 3], [0, 1]]],
    ['SELECT distinct(b) FROM falls ORDER BY time DESC', ['', [0, 5], [0, 3], [0, 1]]],
    ['SELECT distinct(b) FROM falls LIMIT 1', ['', [0, 5]]],
    ['SELECT distinct(b) FROM falls WHERE time >= 0 AND time < 60 GROUP BY time(30ns)', ['', [0, 5], [0, 3], [30, 5], [30, 1]]],
  ],
  'of values of one time the first is subtracted, not divided by zero': [
    ['SELECT difference(f) FROM eq', ['', [20_000_000_000, 1], [30_000_000_000, 1]]],
    ['SELECT derivative(f) FROM eq', ['', [20_000_000_000, 0.1], [30_000_000_000, 0.1]]],
    ['SELECT difference(v) FROM (SELECT f AS v FROM eq)', ['', [20_000_000_000, 1], [30_000_000_000, 1]]],
    ['SELECT elapsed(f, 1s) FROM eq WHERE time <= 20s', ['', [10_000_000_000, 0], [20_000_000_000, 10], [20_000_000_000, 0]]],
  ],
};

for (const [what, statements] of Object.entries(CASES)) {
  describe(what, () => {
    for (const [q, ...expected] of statements) it(q, async () => assert.deepEqual(await ask(q), expected));
  });
}

it('the endpoint of v3 limits columns and has the groups of each statement', async () => {
  const v3 = async (q: string): Promise<unknown[]> => {
    const response = await fetch(`${server.url}/api/v3/query_influxql?${new URLSearchParams({ q, db: 'd' })}`);
    return (await response.json()) as unknown[];
  };
  assert.equal((await v3('SELECT a, b FROM sp LIMIT 2')).length, 3);
  assert.equal((await v3(`SELECT difference(sum(a)), sum(b) ${bins(range)}`)).length, 5);
  assert.equal((await v3('SELECT max(v) FROM (SELECT mean(a) AS v FROM sp) GROUP BY h')).length, 1);
  assert.deepEqual(await v3("SELECT v FROM other WHERE h = ''"), []);
});

it('parameters may say their type, as clients of InfluxDB 1 send them', async () => {
  const asked = async (q: string, params: unknown): Promise<string> => {
    const body = new URLSearchParams({ db: 'd', epoch: 'ns', q, params: JSON.stringify(params) });
    return (await fetch(`${server.url}/query`, { method: 'POST', body })).text();
  };
  const rows = /"values":(\[\[.*\]\])\}/;
  for (const [q, params, expected] of [
    ['SELECT a FROM sp WHERE h =~ $h', { h: { regex: '^x' } }, '[[50,6]]'],
    ['SELECT a FROM sp WHERE h = $h', { h: { string: 'x' } }, '[[50,6]]'],
    ['SELECT a FROM sp WHERE a > $n AND a < $m', { n: { integer: '3' }, m: { float: 5.5 } }, '[[40,5]]'],
    ['SELECT sum(a) FROM sp WHERE time >= $from AND time < 60 GROUP BY time($d)', { from: 40, d: { duration: '20ns' } }, '[[40,11]]'],
    ['SELECT sum(a) FROM sp WHERE time >= 40 AND time < 60 GROUP BY time($d)', { d: { duration: 20 } }, '[[40,11]]'],
  ] as const) {
    assert.equal(rows.exec(await asked(q, params))?.[1], expected, q);
  }
  for (const h of [{ string: 1 }, { nothing: 'x' }, { string: 'x', regex: 'x' }, { duration: 'x' }, {}]) {
    assert.match(
      await asked('SELECT a FROM sp WHERE h = $h', { h }),
      /^\{"error":"error decoding query body: JSON objects are not supported/,
    );
  }
});
