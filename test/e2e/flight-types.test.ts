import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Table, tableFromIPC } from 'apache-arrow';
import { sharedFlight } from '../support/flight-server.ts';
import { askCommand, command } from '../support/flight-sql-client.ts';
import { AGGREGATES, EXPRESSIONS, WINDOWS } from '../support/sql-expressions.ts';

const shared = sharedFlight({ database: 'db' });

/** By Flight SQL; what GetFlightInfo says is held against what DoGet sends. */
function flight(query: string): Promise<Table> {
  return askCommand(shared.client, command('CommandStatementQuery', [[1, query]]));
}

/** The Arrow stream over HTTP, whose types and values `arrow-stream.test.ts` holds against `arrow_typeof` and JSON. */
async function http(q: string): Promise<Table> {
  const headers = { accept: 'application/vnd.apache.arrow.stream' };
  const response = await fetch(`${shared.server.url}/api/v3/query_sql?${new URLSearchParams({ db: 'db', q })}`, { headers });
  const bytes = new Uint8Array(await response.arrayBuffer());
  assert.equal(response.status, 200, `${q}: ${Buffer.from(bytes)}`);
  return tableFromIPC(bytes);
}

function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
  if ('toArray' in value && Symbol.iterator in value) return Array.from(value as Iterable<unknown>, plain);
  return Object.entries(value).map(([name, member]) => [name, plain(member)]);
}

function values(table: Table, column: number): unknown[] {
  return Array.from(table.getChildAt(column) ?? [], plain);
}

/** Not the same from one moment to the next. */
const MOVING = 'now()';

const ENDS =
  "SELECT to_timestamp(-9223372036854775806) AS a, to_timestamp(9223372036854775806) AS b, CAST('inf' AS DOUBLE) AS c, CAST('-inf' AS FLOAT) AS d, CAST('nan' AS DOUBLE) AS e, 18446744073709551615 AS f, -9223372036854775808 AS g, [CAST('inf' AS DOUBLE)] AS h";

it('what is not finite, and both ends of times and integers, have the bits that the Arrow stream has', async () => {
  const [byFlight, byHttp] = [await flight(ENDS), await http(ENDS)];
  byHttp.schema.fields.forEach(({ name }, at) => {
    const bits = (table: Table): unknown =>
      table.getChildAt(at)?.data.map(({ values: data, children }) => [data, children.map((child) => child.values)]);
    assert.deepEqual(bits(byFlight), bits(byHttp), name);
  });
  assert.deepEqual(Array.from(byHttp.getChild('b')?.data[0]?.values as BigInt64Array), [9223372036854775806n]);
  assert.equal(byHttp.getChild('c')?.get(0), Number.POSITIVE_INFINITY);
});

/** Expressions that are asked for together. */
const TOGETHER = 24;

function groupsOf(expressions: readonly string[]): readonly (readonly string[])[] {
  const still = expressions.filter((expression) => expression !== MOVING && !expression.startsWith('grouping'));
  return Array.from({ length: Math.ceil(still.length / TOGETHER) }, (_, i) => still.slice(i * TOGETHER, (i + 1) * TOGETHER));
}

async function compared(query: string): Promise<Table> {
  const [sent, expected] = [await flight(query), await http(query)];
  assert.equal(String(sent.schema), String(expected.schema), query);
  for (const [i, { name }] of sent.schema.fields.entries()) assert.deepEqual(values(sent, i), values(expected, i), `${name} of ${query}`);
  const none = await flight(`SELECT * FROM (${query}) AS t LIMIT 0`);
  assert.deepEqual([none.numRows, String(none.schema)], [0, String(sent.schema)], query);
  return sent;
}

describe('every type over Flight SQL', () => {
  for (const [what, expressions, from] of [
    ['expressions', EXPRESSIONS, ' FROM m ORDER BY time'],
    ['aggregates', AGGREGATES, ' FROM m'],
    ['window functions', WINDOWS, ' FROM m ORDER BY time'],
  ] as const) {
    it(`${what}: described as they are sent, with the values of the Arrow stream, and without rows`, async () => {
      for (const group of groupsOf(expressions)) await compared(`SELECT ${group.map((each, i) => `${each} AS x${i}`).join(', ')}${from}`);
    });
  }

  it('null has every type', async () => {
    for (const group of groupsOf(EXPRESSIONS)) {
      const items = group.map((each, i) => `${each} AS x${i}, CASE WHEN i > 0 THEN ${each} END AS y${i}`);
      const table = await compared(`SELECT ${items.join(', ')} FROM m ORDER BY time`);
      for (const [i, expression] of group.entries()) {
        const [value, same, none] = [values(table, i * 2)[0], ...values(table, i * 2 + 1)];
        assert.deepEqual([same, none], [value, null], expression);
      }
    }
  });

  it('times of day, durations and intervals are what JSON says', async () => {
    const hour = 3_600_000_000_000;
    const cases: [expression: string, json: string, arrow: unknown][] = [
      ["TIME '01:02:03.5'", '01:02:03.500', 3_723_500_000_000n],
      ["time - TIMESTAMP '2022-01-01T00:00:00'", 'PT0.123456789S', 123_456_789n],
      ["INTERVAL '1 month 2 days 3 hours'", '1 mons 2 days 3 hours', [1, 2, (3 * hour) | 0, Math.floor((3 * hour) / 2 ** 32)]],
      ["INTERVAL '-1 day'", '-1 days', [0, -1, 0, 0]],
      ["INTERVAL '1 year 2 months'", '14 mons', [14, 0, 0, 0]],
      ["INTERVAL '1 month 2 days 3 nanoseconds'", '1 mons 2 days 0.000000003 secs', [1, 2, 3, 0]],
      ["INTERVAL '-1 nanosecond' + CASE WHEN f > 0 THEN INTERVAL '1 day' END", '1 days -0.000000001 secs', [0, 1, -1, -1]],
    ];
    for (const [expression, json, arrow] of cases) {
      const query = `SELECT ${expression} AS x FROM m ORDER BY time LIMIT 1`;
      assert.deepEqual(await shared.server.rows('db', query), [{ x: json }], query);
      const [value] = values(await flight(query), 0);
      assert.deepEqual(ArrayBuffer.isView(value) ? Array.from(value as Int32Array) : value, arrow, query);
    }
  });
});
