import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { BindValue } from '../../../../src/query/result.ts';
import { nowNs, printed, TestEngine } from './support.ts';

const day = 86_400_000_000_000n;
const jan = (date: number): bigint => 1_640_995_200_000_000_000n + BigInt(date - 1) * day;

type Bounds = readonly [bigint | undefined, bigint | undefined];

/** Statement -> bounds of each table use. */
const cases: readonly (readonly [string, readonly Bounds[]])[] = [
  ["SELECT * FROM home WHERE time >= '2022-01-01' AND time < '2022-01-02'", [[jan(1), jan(2) - 1n]]],
  ["SELECT * FROM home WHERE time > '2022-01-01' AND time <= '2022-01-02' AND temp > 1", [[jan(1) + 1n, jan(2)]]],
  ["SELECT * FROM home WHERE '2022-01-01' <= time", [[jan(1), undefined]]],
  ["SELECT * FROM home WHERE time = '2022-01-01'", [[jan(1), jan(1)]]],
  ["SELECT * FROM home WHERE time BETWEEN '2022-01-01' AND '2022-01-02'", [[jan(1), jan(2)]]],
  ["SELECT * FROM home WHERE time NOT BETWEEN '2022-01-01' AND '2022-01-02'", [[undefined, undefined]]],
  ["SELECT * FROM home WHERE time >= now() - INTERVAL '1 hour'", [[nowNs - 3_600_000_000_000n, undefined]]],
  ["SELECT * FROM home WHERE time >= TIMESTAMP '2022-01-05' - INTERVAL '1 day' * 2", [[jan(3), undefined]]],
  ['SELECT * FROM home WHERE time >= 1640995200::timestamp', [[jan(1), undefined]]],
  ["SELECT * FROM home WHERE time >= date_bin(INTERVAL '1 day', TIMESTAMP '2022-01-01T05:00:00')", [[jan(1), undefined]]],
  [
    "SELECT * FROM home WHERE time >= date_trunc('month', TIMESTAMP '2022-01-20') AND time < to_timestamp('2022-01-02')",
    [[jan(1), jan(2) - 1n]],
  ],
  ["SELECT * FROM home WHERE time = '2022-01-01' OR time BETWEEN '2022-01-03' AND '2022-01-05'", [[jan(1), jan(5)]]],
  ["SELECT * FROM home WHERE time >= '2022-01-01' OR (time < '2022-01-05' AND time > '2022-01-02')", [[jan(1), undefined]]],
  ["SELECT * FROM home WHERE (time > '2022-01-04' AND temp > 1 OR temp > 2) AND time <= '2022-01-05'", [[undefined, jan(5)]]],
  ["SELECT * FROM home WHERE time > '2022-01-01' OR temp > 1", [[undefined, undefined]]],
  ["SELECT * FROM home WHERE NOT (time > '2022-01-01')", [[undefined, undefined]]],
  ["SELECT * FROM home WHERE time + INTERVAL '1 day' > '2022-01-01'", [[undefined, undefined]]],
  ["SELECT * FROM home h WHERE h.time >= '2022-01-01' AND h.time >= '2022-01-03' AND h.time < '2022-01-09'", [[jan(3), jan(9) - 1n]]],
  [
    "SELECT * FROM home JOIN other ON home.room = other.room AND other.time > '2022-01-02' WHERE home.time >= '2022-01-01'",
    [
      [jan(1), undefined],
      [jan(2) + 1n, undefined],
    ],
  ],
  [
    "SELECT * FROM home LEFT JOIN other ON home.time > '2022-01-02' AND other.time > '2022-01-03'",
    [
      [undefined, undefined],
      [jan(3) + 1n, undefined],
    ],
  ],
  [
    "SELECT * FROM home FULL JOIN other ON home.time > '2022-01-02' AND other.time > '2022-01-03'",
    [
      [undefined, undefined],
      [undefined, undefined],
    ],
  ],
  [
    "SELECT * FROM other o LEFT ANTI JOIN home h ON h.time > '2022-01-02' AND o.time > '2022-01-01'",
    [
      [undefined, undefined],
      [jan(2) + 1n, undefined],
    ],
  ],
  ["SELECT * FROM (SELECT time AS x, temp FROM home) WHERE x >= '2022-01-01'", [[jan(1), undefined]]],
  ["WITH c AS (SELECT * FROM home) SELECT * FROM c WHERE time >= '2022-01-01'", [[jan(1), undefined]]],
  ["SELECT * FROM (SELECT time FROM home LIMIT 5) WHERE time >= '2022-01-01'", [[undefined, undefined]]],
  ["SELECT * FROM (SELECT time, row_number() OVER () AS n FROM home) WHERE time >= '2022-01-01'", [[undefined, undefined]]],
  ["SELECT * FROM (SELECT max(time) AS time FROM home) WHERE time >= '2022-01-01'", [[undefined, undefined]]],
  [
    "SELECT * FROM (SELECT time FROM home UNION ALL SELECT time FROM other) WHERE time >= '2022-01-01'",
    [
      [jan(1), undefined],
      [jan(1), undefined],
    ],
  ],
  [
    "WITH c AS (SELECT time FROM home) SELECT * FROM c a JOIN c b ON a.time = b.time WHERE a.time >= '2022-01-01'",
    [[undefined, undefined]],
  ],
  [
    "SELECT * FROM other o WHERE EXISTS (SELECT 1 FROM home h WHERE o.time > '2022-01-01' AND h.time > '2022-01-02')",
    [
      [undefined, undefined],
      [jan(2) + 1n, undefined],
    ],
  ],
];

describe('time bounds of table uses', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  const bounds = async (sql: string, params: Readonly<Record<string, BindValue>> = {}): Promise<Bounds[]> =>
    (await engine.compile(sql, params)).uses.map((use) => [use.minTimeNs, use.maxTimeNs]);

  for (const [statement, expected] of cases) {
    test(statement, async () => {
      assert.deepEqual(await bounds(statement), expected);
    });
  }

  test('come from parameters too', async () => {
    const params = { from: { kind: 'string', value: '2022-01-01T00:00:00Z' } } as const;
    assert.deepEqual(await bounds('SELECT * FROM home WHERE time >= $from', params), [[jan(1), undefined]]);
  });

  test('system tables keep their rows: only the column time cuts', async () => {
    assert.deepEqual(await bounds("SELECT * FROM system.queries WHERE issue_time > '2022-01-01'"), [[undefined, undefined]]);
  });

  test('the printed filter compares the bare column with a constant, so that scans can skip', async () => {
    const sql = printed(await engine.compile("SELECT temp FROM home WHERE time >= '2022-01-01'"));
    assert.match(sql, /WHERE \(t\d+\."time" >= make_timestamp_ns\(1640995200000000000\)\)$/);
  });

  test('a pruned query and a full one agree', async () => {
    assert.deepEqual(
      await engine.column("SELECT count(*) FROM home WHERE time > '2022-01-01T08:00:00Z' AND time <= '2022-01-01T10:00:00Z'"),
      [4],
    );
  });
});
