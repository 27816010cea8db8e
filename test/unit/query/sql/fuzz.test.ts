import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { InfluxError } from '../../../../src/shared/errors.ts';
import { printed, TestEngine } from './support.ts';

const words = [
  ...'SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT AND OR NOT IN BETWEEN LIKE CASE WHEN THEN ELSE END AS JOIN ON UNION ALL WITH OVER'.split(
    ' ',
  ),
  ...'home other temp room time co * , , ( ) ( ) = < + - / || :: bigint varchar avg count max date_bin now interval'.split(' '),
  "'1 hour'",
  "'2022-01-01'",
  '1',
  '2.5',
  'NULL',
  '"x"',
  ';',
  "'",
  '$p',
  '[',
  ']',
  "E'\\x41'",
];

const number = fc.constantFrom('temp', 'hum', 'co', '1', '2.5', '-3', 'NULL');
const text = fc.constantFrom('room', "'a'", "'5'", 'NULL');
const instant = fc.constantFrom('time', 'now()', "TIMESTAMP '2022-01-01'", "date_bin(INTERVAL '1 hour', time)");
const { numeric } = fc.letrec<{ numeric: string }>((tie) => ({
  numeric: fc.oneof(
    { maxDepth: 4 },
    number,
    fc.tuple(tie('numeric'), fc.constantFrom('+', '-', '*'), tie('numeric')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc
      .tuple(fc.constantFrom('abs', 'round', 'ceil', 'sqrt', 'length'), tie('numeric'))
      .map(([f, a]) => (f === 'length' ? `length(room) + ${a}` : `${f}(${a})`)),
    fc.tuple(tie('numeric'), tie('numeric'), tie('numeric')).map(([a, b, c]) => `CASE WHEN ${a} > ${b} THEN ${c} END`),
    fc.tuple(tie('numeric'), tie('numeric')).map(([a, b]) => `coalesce(${a}, ${b})`),
    tie('numeric').map((a) => `CAST(${a} AS DOUBLE)`),
  ),
}));
const condition = fc.oneof(
  fc.tuple(numeric, fc.constantFrom('=', '<', '>=', 'IS DISTINCT FROM'), numeric).map(([a, op, b]) => `${a} ${op} ${b}`),
  fc.tuple(text, fc.constantFrom('=', '<', 'LIKE', '~'), text).map(([a, op, b]) => `${a} ${op} ${b}`),
  fc.tuple(instant, fc.constantFrom('<', '>='), instant).map(([a, op, b]) => `${a} ${op} ${b}`),
);

describe('the compiler under random input', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  test('throws nothing but catalogue errors', async () => {
    const soup = fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((parts) => `SELECT ${parts.join(' ')}`);
    await fc.assert(
      fc.asyncProperty(fc.oneof(soup, fc.string()), async (statement) => {
        try {
          printed(await engine.compile(statement));
        } catch (error) {
          assert.ok(error instanceof InfluxError, `${statement}: ${String(error)}`);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('well-typed statements run', async () => {
    await fc.assert(
      fc.asyncProperty(numeric, condition, async (expression, where) => {
        await engine.rows(
          `SELECT ${expression} AS x, count(*) AS n, max(${expression}) AS m FROM home WHERE ${where} GROUP BY 1 HAVING count(*) > 0 ORDER BY 1 LIMIT 3`,
        );
        await engine.rows(
          `SELECT ${expression} AS x, sum(${expression}) OVER (PARTITION BY room ORDER BY time) AS s FROM home WHERE ${where}`,
        );
      }),
      { numRuns: 100 },
    );
  });
});
