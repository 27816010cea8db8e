import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

/** Statement -> values of its only column. */
const columns: readonly (readonly [string, unknown[]])[] = [
  ['SELECT count(*) FROM home', [26]],
  ['SELECT room FROM home GROUP BY room ORDER BY room', ['Kitchen', 'Living Room']],
  ['SELECT room AS r FROM home GROUP BY r ORDER BY r', ['Kitchen', 'Living Room']],
  ['SELECT room FROM home GROUP BY 1 ORDER BY 1 DESC', ['Living Room', 'Kitchen']],
  ['SELECT max(temp) FROM home GROUP BY ()', [23.3]],
  ['SELECT max(temp) FROM home GROUP BY room, () ORDER BY 1', [22.8, 23.3]],
  ['SELECT max(temp) AS m FROM home GROUP BY room HAVING m > 23', [23.3]],
  ['SELECT room FROM home GROUP BY room HAVING max(temp) > 23', ['Kitchen']],
  ['SELECT room FROM home GROUP BY room ORDER BY max(temp) DESC', ['Kitchen', 'Living Room']],
  ['SELECT DISTINCT room FROM home ORDER BY room DESC', ['Living Room', 'Kitchen']],
  ['SELECT DISTINCT ON (room) temp FROM home ORDER BY room, time DESC', [22.7, 22.2]],
  ['SELECT temp FROM home ORDER BY temp DESC LIMIT 2 OFFSET 1', [23.1, 23]],
  ['SELECT -temp AS n FROM home ORDER BY n LIMIT 1', [-23.3]],
  ['SELECT b.temp FROM home AS a JOIN home AS b ON a.time = b.time ORDER BY temp LIMIT 2', [21, 21]],
  ['SELECT b.temp FROM home AS a JOIN home AS b ON a.time = b.time ORDER BY -temp, a.room LIMIT 1', [23.3]],
  ['SELECT a.room FROM home AS a CROSS JOIN other AS o GROUP BY a.room ORDER BY room DESC', ['Living Room', 'Kitchen']],
  ['SELECT temp AS a FROM home ORDER BY a + 1 DESC LIMIT 1', [23.3]],
  ['SELECT temp FROM home QUALIFY row_number() OVER (PARTITION BY room ORDER BY time DESC) = 1 ORDER BY temp', [22.2, 22.7]],
  ['SELECT count(*) FROM home GROUP BY ROLLUP(room) ORDER BY 1', [13, 13, 26]],
  ['SELECT count(*) FROM home GROUP BY CUBE(room) ORDER BY 1', [13, 13, 26]],
  ['SELECT count(*) FROM home GROUP BY GROUPING SETS ((room), ()) ORDER BY 1', [13, 13, 26]],
  ['SELECT sum(count(*)) OVER () FROM home GROUP BY room LIMIT 1', [26]],
  ['SELECT h.temp FROM home AS h WHERE h.temp > 23.2', [23.3]],
  ['SELECT home.temp FROM iox.home WHERE public.iox.home.temp > 23.2', [23.3]],
  ['SELECT temp FROM public.iox."home" WHERE iox.home.temp > 23.2', [23.3]],
  ['WITH c AS (SELECT room, max(temp) AS m FROM home GROUP BY room) SELECT m FROM c ORDER BY m', [22.8, 23.3]],
  ['WITH c(x) AS (SELECT 1) SELECT a.x + b.x FROM c a, c b', [2]],
  ['WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT y FROM b', [2]],
  ['WITH home AS (SELECT 7 AS temp) SELECT temp FROM home', [7]],
  ['WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 4) SELECT x FROM n ORDER BY x', [1, 2, 3, 4]],
  ['SELECT room FROM other WHERE room IN (SELECT room FROM home)', ['Kitchen']],
  ['SELECT room FROM other WHERE room NOT IN (SELECT room FROM home)', ['Attic']],
  ['SELECT room FROM other o WHERE EXISTS (SELECT 1 FROM home h WHERE h.room = o.room)', ['Kitchen']],
  ['SELECT (SELECT max(temp) FROM home h WHERE h.room = o.room) FROM other o ORDER BY o.room', [null, 23.3]],
  ['SELECT (SELECT 1)', [1]],
  ['SELECT o.room FROM other o LEFT ANTI JOIN home h ON h.room = o.room', ['Attic']],
  ['SELECT o.room FROM other o LEFT SEMI JOIN home h ON h.room = o.room', ['Kitchen']],
  ['SELECT o.room FROM home h RIGHT ANTI JOIN other o ON h.room = o.room', ['Attic']],
  ['SELECT count(*) FROM home, other', [52]],
  ['SELECT count(*) FROM home CROSS JOIN other', [52]],
  ['SELECT count(*) FROM home JOIN other ON home.room = other.room', [13]],
  ['SELECT count(*) FROM other LEFT JOIN home USING (room)', [14]],
  ['SELECT room FROM home RIGHT JOIN other USING (room) GROUP BY room ORDER BY room', ['Attic', 'Kitchen']],
  ['SELECT room FROM home FULL JOIN other USING (room) GROUP BY room ORDER BY room', ['Attic', 'Kitchen', 'Living Room']],
  ['SELECT count(*) FROM home, other o RIGHT JOIN (SELECT 1 AS x UNION ALL SELECT 2) r ON o.size = r.x', [52]],
  ['SELECT reverse(room) AS room FROM home GROUP BY room ORDER BY room', ['mooR gniviL', 'nehctiK']],
  ['SELECT count(*) FROM home NATURAL JOIN other', [1]],
  ['SELECT room FROM home UNION SELECT room FROM other ORDER BY room', ['Attic', 'Kitchen', 'Living Room']],
  ['SELECT 1 UNION ALL SELECT 2.5 ORDER BY 1 DESC', [2.5, 1]],
  ['SELECT 1 AS x UNION ALL SELECT 2 ORDER BY -x', [2, 1]],
  ['SELECT y FROM (SELECT 1 AS x UNION BY NAME SELECT 2 AS y, 1 AS x) AS q ORDER BY y', [2, null]],
  ["SELECT x FROM (SELECT 1 AS x, 'a' AS y UNION ALL BY NAME SELECT 2.5 AS x) AS q ORDER BY x", [1, 2.5]],
  ['SELECT 1 AS x UNION BY NAME SELECT 1 AS x', [1]],
  ['SELECT room FROM home INTERSECT SELECT room FROM other', ['Kitchen']],
  ['SELECT room FROM home EXCEPT SELECT room FROM other', ['Living Room']],
  ['(SELECT 1) UNION ALL (SELECT 2 LIMIT 1) ORDER BY 1', [1, 2]],
  ['SELECT column1 FROM (VALUES (1), (2)) ORDER BY 1', [1, 2]],
  ['SELECT a FROM (VALUES (1, 2.5), (3, 4)) AS v(a, b) WHERE b > 3', [3]],
  ['SELECT value FROM generate_series(1, 5, 2)', [1, 3, 5]],
  ['SELECT x FROM range(1, 3) AS g(x)', [1, 2]],
  [
    "SELECT value FROM generate_series(TIMESTAMP '2022-01-01', TIMESTAMP '2022-01-01T12:00:00', INTERVAL '12 hours')",
    ['2022-01-01 00:00:00', '2022-01-01 12:00:00'],
  ],
  ['SELECT x FROM unnest([1, 2]) AS u(x)', [1, 2]],
  ['SELECT y.q FROM (SELECT 5 AS r) x, LATERAL (SELECT x.r + 1 AS q) y', [6]],
  ['SELECT unnest([1, 2])', [1, 2]],
  ["SELECT z.a.b FROM (SELECT named_struct('b', 1) AS a) z", [1]],
  ['SELECT temp FROM home LIMIT 0', []],
  ['SELECT 1 LIMIT NULL', [1]],
  ['SELECT temp FROM home ORDER BY time, room FETCH FIRST 1 ROWS ONLY', [21]],
];

const failures: readonly (readonly [string, number, string])[] = [
  ['SELECT nope FROM home', 400, 'Schema error: No field named nope. Valid fields are home.co, home.hum, home.room, home.temp, home.time.'],
  ['SELECT nope FROM home h', 400, 'Schema error: No field named nope. Valid fields are h.co, h.hum, h.room, h.temp, h.time.'],
  ['SELECT nope', 400, 'Schema error: No field named nope.'],
  [
    'SELECT "ROOM" FROM other',
    400,
    'Schema error: No field named "ROOM". Column names are case sensitive. You can use double quotes to refer to the "room" column or set the datafusion.sql_parser.enable_ident_normalization configuration. Valid fields are other.room, other.size, other.time.',
  ],
  [
    'SELECT x FROM "Mixed"',
    400,
    'Schema error: No field named x. Valid fields are "Mixed"."Host", "Mixed"."a b", "Mixed"."ho""st", "Mixed".host, "Mixed".time.',
  ],
  [
    'SELECT temp AS v FROM home ORDER BY nope',
    400,
    'Schema error: No field named nope. Valid fields are v, home.co, home.hum, home.room, home.temp, home.time.',
  ],
  [
    'SELECT temp AS v FROM home WHERE v > 1',
    400,
    'Schema error: No field named v. Valid fields are home.co, home.hum, home.room, home.temp, home.time.',
  ],
  ['SELECT time FROM home a JOIN home b ON a.time = b.time', 400, 'Schema error: Ambiguous reference to unqualified field time'],
  [
    'SELECT DISTINCT room FROM home ORDER BY temp, co',
    400,
    'Error during planning: For SELECT DISTINCT, ORDER BY expressions home.temp, home.co must appear in select list',
  ],
  [
    'SELECT *, max(temp) FROM home',
    400,
    'Error during planning: Column in SELECT must be in GROUP BY or an aggregate function: While expanding wildcard, column "home.co" must appear in the GROUP BY clause or must be part of an aggregate function, currently only "max(home.temp)" appears in the SELECT clause satisfies this requirement',
  ],
  [
    'SELECT 1 LIMIT -1',
    400,
    "Optimizer rule 'eliminate_limit' failed\ncaused by\nError during planning: LIMIT must be >= 0, '-1' was provided",
  ],
  [
    'SELECT 1 OFFSET -1',
    400,
    "Optimizer rule 'eliminate_limit' failed\ncaused by\nError during planning: OFFSET must be >=0, '-1' was provided",
  ],
  [
    'SELECT 1 LIMIT 5 OFFSET -1',
    400,
    "Optimizer rule 'push_down_limit' failed\ncaused by\nError during planning: OFFSET must be >=0, '-1' was provided",
  ],
  ['SELECT 1 LIMIT 1.5', 400, 'type_coercion\ncaused by\nError during planning: Expected LIMIT to be an integer or null, but got Float64'],
  ["SELECT 1 OFFSET 'a'", 400, 'type_coercion\ncaused by\nError during planning: Expected OFFSET to be an integer or null, but got Utf8'],
  ['SELECT 1 LIMIT abc', 400, 'Schema error: No field named abc.'],
  [
    'SELECT 1 UNION SELECT 1, 2',
    400,
    'Error during planning: UNION queries have different number of columns: left has 1 columns whereas right has 2 columns',
  ],
  ['SELECT {}', 400, 'Error during planning: struct requires at least one argument, got 0 instead'],
  ['SELECT * FROM home ORDER BY 9', 400, 'Error during planning: Order by column out of bounds, specified: 9, max: 5'],
];

describe('SELECT', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  for (const [statement, values] of columns) {
    test(statement, async () => {
      assert.deepEqual(await engine.column(statement), values);
    });
  }

  for (const [statement, status, message] of failures) {
    test(`${statement} fails`, async () => {
      assert.deepEqual(await engine.failure(statement), { status, message });
    });
  }

  test('groups by time bins, by position, alias or expression', async () => {
    const expected = [
      { t: '2022-01-01 08:00:00', n: 4 },
      { t: '2022-01-01 10:00:00', n: 2 },
    ];
    const where = "WHERE time < '2022-01-01T11:00:00Z'";
    for (const key of ['1', 't', "date_bin(INTERVAL '2 hours', time)"]) {
      const rows = await engine.rows(
        `SELECT date_bin(INTERVAL '2 hours', time) AS t, count(*) AS n FROM home ${where} GROUP BY ${key} ORDER BY t`,
      );
      assert.deepEqual(rows, expected);
    }
  });

  test('an alias that hides a column wins in ORDER BY, the column wins in GROUP BY', async () => {
    const rows = await engine.rows("SELECT date_bin(INTERVAL '1 day', time) AS time, count(*) AS n FROM home GROUP BY 1 ORDER BY time");
    assert.deepEqual(rows, [{ time: '2022-01-01 00:00:00', n: 26 }]);
  });

  test('reads only the columns that the statement names', async () => {
    const used = async (sql: string): Promise<string[][]> => (await engine.compile(sql)).uses.map((use) => [...use.columns].sort());
    assert.deepEqual(await used("SELECT avg(temp) FROM home WHERE room = 'x' ORDER BY max(hum)"), [['hum', 'room', 'temp']]);
    assert.deepEqual(await used('SELECT count(*) FROM home'), [[]]);
    assert.deepEqual(await used('SELECT * FROM other JOIN home USING (room)'), [
      ['room', 'size', 'time'],
      ['co', 'hum', 'room', 'temp', 'time'],
    ]);
    assert.deepEqual(await used('SELECT x FROM other AS o(x, y, z)'), [['room']]);
  });
});
