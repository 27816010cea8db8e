import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

describe('what output columns say of the stored columns that they are', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  /** `name:kind` of the output columns; `!` = never null, `-` = computed. */
  async function stored(sql: string): Promise<string> {
    const { output } = await engine.compile(sql);
    return output.map((column) => `${column.name}:${column.stored ?? '-'}${column.required === true ? '!' : ''}`).join(' ');
  }

  test('selection, wildcards and aliases keep it, expressions do not', async () => {
    assert.equal(await stored('SELECT time, room AS r, temp, temp + 1 AS more FROM home'), 'time:time! r:tag temp:float more:-');
    assert.match(await stored('SELECT * FROM home'), /room:tag.* temp:float time:time!/);
    assert.equal(
      await stored("SELECT CAST(temp AS DOUBLE) AS temp, room || '' AS room, date_trunc('day', time) AS time FROM home"),
      'temp:- room:- time:-',
    );
  });

  test('groups keep it for their keys, and lose for sets of keys that nothing is null', async () => {
    assert.equal(await stored('SELECT room, max(temp) AS m FROM home GROUP BY room'), 'room:tag m:-');
    assert.equal(await stored('SELECT time FROM home GROUP BY time'), 'time:time!');
    assert.equal(await stored('SELECT time, count(*) AS n FROM home GROUP BY ROLLUP (time)'), 'time:time n:-');
    assert.equal(
      await stored(
        "SELECT date_bin_gapfill(INTERVAL '1 hour', time) AS t, room, avg(temp) AS m FROM home WHERE time > '2022-01-01' AND time < '2022-01-02' GROUP BY t, room",
      ),
      't:- room:tag m:-',
    );
  });

  test('derived tables, WITH and ORDER BY pass it on', async () => {
    assert.equal(await stored('SELECT r, t FROM (SELECT room AS r, time AS t FROM home) AS q ORDER BY r LIMIT 1'), 'r:tag t:time!');
    assert.equal(
      await stored('WITH q AS (SELECT room, temp FROM home) SELECT a.room, b.temp FROM q AS a JOIN q AS b ON a.room = b.room'),
      'room:tag temp:float',
    );
    assert.equal(await stored('SELECT DISTINCT room FROM home'), 'room:tag');
  });

  test('joins keep it; on the side that may have no partner, time may be null', async () => {
    const joined = (join: string): Promise<string> =>
      stored(`SELECT a.time AS t, b.time AS u, b.room FROM home AS a ${join} JOIN home AS b ON a.room = b.room`);
    assert.equal(await joined('INNER'), 't:time! u:time! room:tag');
    assert.equal(await joined('LEFT'), 't:time! u:time room:tag');
    assert.equal(await joined('RIGHT'), 't:time u:time! room:tag');
    assert.equal(await joined('FULL'), 't:time u:time room:tag');
    assert.equal(await stored('SELECT time FROM home AS a JOIN home AS b USING (time)'), 'time:time!');
    assert.equal(await stored('SELECT time FROM home AS a FULL JOIN home AS b USING (time)'), 'time:-');
  });

  test('unions keep what both sides are', async () => {
    assert.equal(await stored('SELECT time, room FROM home UNION ALL SELECT time, room FROM home'), 'time:time! room:tag');
    assert.equal(await stored("SELECT time, room FROM home UNION ALL SELECT now(), 'x'"), 'time:- room:-');
  });

  test('system tables have no stored columns', async () => {
    assert.equal(await stored('SELECT table_name FROM information_schema.tables'), 'table_name:-');
  });
});
