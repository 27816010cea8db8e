import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { printed, TestEngine } from './support.ts';

const last = 'row_number() OVER (PARTITION BY room ORDER BY time DESC) AS rn';

describe('newest row of each group', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  async function isNarrowed(text: string): Promise<boolean> {
    return printed(await engine.compile(text)).includes(' IS NOT DISTINCT FROM ');
  }

  const narrowed: readonly (readonly [string, unknown[]])[] = [
    [`SELECT temp FROM (SELECT *, ${last} FROM home) AS x WHERE rn = 1 ORDER BY temp`, [22.2, 22.7]],
    [`SELECT temp FROM (SELECT *, ${last} FROM home) WHERE 1 = rn ORDER BY temp`, [22.2, 22.7]],
    [`SELECT x.temp FROM (SELECT temp, ${last} FROM home) AS x WHERE x.rn <= 1 AND x.temp > 22.5`, [22.7]],
    [`SELECT temp FROM (SELECT h.temp, ${last} FROM home AS h) AS x WHERE rn < 2 ORDER BY temp`, [22.2, 22.7]],
    [`SELECT temp FROM (SELECT home.temp, ${last} FROM iox.home) AS x WHERE rn = 1 ORDER BY temp`, [22.2, 22.7]],
    [`SELECT temp FROM (SELECT *, ${last.replace(' DESC', '')} FROM home) AS x WHERE rn = 1 ORDER BY temp`, [21, 21.1]],
    [`SELECT temp FROM (SELECT *, ${last.replace('row_number', 'rank')} FROM home) AS x WHERE rn = 1 ORDER BY temp`, [22.2, 22.7]],
    [`SELECT temp FROM (SELECT *, ${last} FROM home WHERE time < '2022-01-01T09:30:00Z') AS x WHERE rn = 1 ORDER BY temp`, [21.4, 23]],
    [`SELECT temp FROM (SELECT *, ${last} FROM home WHERE co < 5 AND room = 'Kitchen') AS x WHERE rn = 1`, [22.7]],
  ];
  for (const [text, expected] of narrowed) {
    test(text, async () => {
      assert.ok(await isNarrowed(text));
      assert.deepEqual(await engine.column(text), expected);
    });
  }

  const untouched: readonly (readonly [string, unknown[]])[] = [
    [`SELECT temp FROM (SELECT *, ${last} FROM home) AS x WHERE rn = 2 ORDER BY temp`, [22.5, 23.1]],
    [`SELECT temp FROM (SELECT *, ${last} FROM home) AS x WHERE rn = 1 OR co = 18 ORDER BY temp`, [22.2, 22.7, 23.3]],
    [`SELECT n FROM (SELECT count(*) OVER () AS n, ${last} FROM home) AS x WHERE rn = 1`, [26, 26]],
    [`SELECT temp FROM (SELECT *, ${last.replace('time', 'temp')} FROM home) AS x WHERE rn = 1 ORDER BY temp`, [22.8, 23.3]],
    [`SELECT temp FROM (SELECT public.iox.home.temp, ${last} FROM home) AS x WHERE rn = 1 ORDER BY temp`, [22.2, 22.7]],
    [`SELECT co FROM (SELECT co, ${last} FROM home WHERE co IN (SELECT 1)) AS x WHERE rn = 1`, [1, 1]],
    [`WITH home AS (SELECT 'a' AS room, 7 AS temp, now() AS time) SELECT temp FROM (SELECT *, ${last} FROM home) AS x WHERE rn = 1`, [7]],
    [`SELECT temp FROM (SELECT *, ${last} FROM home LIMIT 100) AS x WHERE rn = 1 ORDER BY temp`, [22.2, 22.7]],
  ];
  for (const [text, expected] of untouched) {
    test(`as it is: ${text}`, async () => {
      assert.ok(!(await isNarrowed(text)));
      assert.deepEqual(await engine.column(text), expected);
    });
  }

  test('the columns of * keep their order and types', async () => {
    const whole = await engine.compile(`SELECT * FROM (SELECT *, ${last} FROM home) AS x WHERE rn = 2`);
    const first = await engine.compile(`SELECT * FROM (SELECT *, ${last} FROM home) AS x WHERE rn = 1`);
    assert.deepEqual(first.output, whole.output);
  });

  test('a group without a value is a group of its own', async () => {
    const text = `SELECT count(*) AS n FROM (SELECT i, row_number() OVER (PARTITION BY s ORDER BY time DESC) AS rn FROM t) AS x WHERE rn = 1`;
    const all = await engine.column('SELECT count(*) FROM (SELECT DISTINCT s FROM t)');
    assert.ok(await isNarrowed(text));
    assert.deepEqual(await engine.column(text), all);
  });

  test('a wrong name in it is refused with the usual words', async () => {
    const text = `SELECT * FROM (SELECT nope, ${last} FROM home) AS x WHERE rn = 1`;
    assert.match((await engine.failure(text)).message, /No field named nope\. Valid fields are /);
  });
});
