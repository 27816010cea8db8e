import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { InfluxError } from '../../../../src/shared/errors.ts';
import { TestEngine } from './support.ts';

/** Statements in which `^` stands before the place that is wrong. */
const wrong: readonly string[] = [
  'SELECT temp, ^tmep FROM home',
  'SELECT temp\n  FROM home\n WHERE ^rom = 1',
  'SELECT ^x.temp FROM home',
  'SELECT temp FROM ^hoem',
  'SELECT a.temp FROM home AS a JOIN ^system.nothing AS b ON true',
  'SELECT max(temp) AS m, ^averge(temp) FROM home',
  'SELECT "temp", ^"Temp" FROM home',
  "SELECT '🦊' AS fox, ^nope FROM home",
  "SELECT temp FROM home WHERE room = 'a' AND time > '2022-01-01' AND ^nope = 'b'",
  "SELECT temp FROM home\nWHERE room IN ('Kitchen', 'Living Room') AND\n\t^nope = 'b'",
  "SELECT temp FROM home WHERE ^starts_with(room, 'K', 'x')",
  'SELECT room, max(^nope) FROM home GROUP BY room',
  'SELECT room, max(temp) FROM home GROUP BY ^nope',
  'SELECT room, max(temp) FROM home GROUP BY room HAVING min(^nope) > 1',
  'SELECT room FROM home ORDER BY ^nope',
  'SELECT room, row_number() OVER (PARTITION BY ^nope ORDER BY time) FROM home',
  'SELECT room FROM home WHERE temp > (SELECT avg(^tmp) FROM home)',
  'WITH a AS (SELECT ^nope FROM home) SELECT * FROM a',
  'SELECT * FROM ^generate_serie(1, 2)',
  'SELECT ^rank() FROM home',
  'SELECT room, ^time FROM home GROUP BY room',
  'SELECT 1 FROM home WHERE ^max(temp) > 1',
  'SELECT temp\n FORM ^home x',
  "SELECT temp FROM home WHERE room = ^'abc",
];

describe('positions of errors', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  for (const marked of wrong) {
    test(marked.replaceAll('\n', ' '), async () => {
      const at = marked.indexOf('^');
      const lines = marked.slice(0, at).split('\n');
      const wanted = { line: lines.length, column: [...(lines.at(-1) as string)].length + 1 };
      const text = marked.replace('^', '');
      // The second time the statement is known: its place is the same.
      for (let time = 0; time < 2; time++) {
        await assert.rejects(engine.compile(text), (error: InfluxError) => {
          assert.deepEqual(error.position, wanted, error.message);
          return true;
        });
      }
    });
  }

  test('a statement that has the form of a known one has its own places', async () => {
    await assert.rejects(engine.compile("SELECT nope FROM home WHERE room = 'a' AND temp > 1"));
    for (const room of ['', 'a long name of a room']) {
      const text = `SELECT temp FROM home WHERE room = '${room}' AND nope = 'x'`;
      await assert.rejects(engine.compile(text), (error: InfluxError) => {
        assert.deepEqual(error.position, { line: 1, column: text.indexOf('nope') + 1 });
        return true;
      });
    }
  });

  test('without a place of its own, an error has none', async () => {
    await assert.rejects(engine.compile('SELECT 1; SELECT 2'), (error: InfluxError) => error.position === undefined);
  });
});
