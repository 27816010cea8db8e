import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SqlParser } from '../../../../src/query/sql/parse/parser.ts';
import { StatementTemplate, splitLiterals } from '../../../../src/query/sql/parse/template.ts';
import { InfluxError } from '../../../../src/shared/errors.ts';

/** Pairs that differ in literals only. */
const PAIRS: readonly (readonly [string, string])[] = [
  ["SELECT * FROM cpu WHERE host = 'a' AND time >= '2024-01-01T00:00:00Z'", "SELECT * FROM cpu WHERE host = 'b' AND time >= 'yesterday'"],
  ["SELECT max(v) FROM t WHERE host IN ('a', 'b', 'c')", "SELECT max(v) FROM t WHERE host IN ('c', '', 'literal 1')"],
  [
    "SELECT date_bin(INTERVAL '1 minute', time, '1970-01-01T00:00:00Z') AS m FROM t GROUP BY m",
    "SELECT date_bin(INTERVAL '1 minute', time, '2024-01-01T00:00:00Z') AS m FROM t GROUP BY m",
  ],
  ["SELECT 'x' AS a, v = 'x' FROM t WHERE k <> 'y' OR k != 'z'", "SELECT 'x' AS a, v = 'q' FROM t WHERE k <> 'r' OR k != 's'"],
  ["WITH w AS (SELECT 1 AS n, 'p' AS k) SELECT * FROM w WHERE k='p'", "WITH w AS (SELECT 1 AS n, 'q' AS k) SELECT * FROM w WHERE k='r'"],
  [
    "SELECT sum(v) OVER w FROM t WHERE k > 'a' WINDOW w AS (PARTITION BY k = 'b' ORDER BY time)",
    "SELECT sum(v) OVER w FROM t WHERE k > 'c' WINDOW w AS (PARTITION BY k = 'd' ORDER BY time)",
  ],
  ["SELECT \"a'b\" FROM t WHERE \"it''s\" = 'a'", "SELECT \"a'b\" FROM t WHERE \"it''s\" = 'b'"],
  ["SELECT selector_max(v, time)['value'] FROM t WHERE k = 'a'", "SELECT selector_max(v, time)['value'] FROM t WHERE k = 'b'"],
  ["SELECT * FROM t WHERE k LIKE '%a' ESCAPE '!' AND j = 'a'", "SELECT * FROM t WHERE k LIKE '%a' ESCAPE '!' AND j = 'b'"],
  ["SELECT * FROM t WHERE k = 'it''s' AND j = 'ü'", "SELECT * FROM t WHERE k = 'it''s' AND j = 'ö'"],
  ["SELECT * FROM t WHERE k = 'a' 'b'", "SELECT * FROM t WHERE k = 'c' 'b'"],
  ["EXPLAIN SELECT * FROM t WHERE k = 'a'", "EXPLAIN SELECT * FROM t WHERE k = 'b'"],
  ["SELECT CAST('1' AS BIGINT), concat('a', 'b'), E'a\\n' FROM t", "SELECT CAST('2' AS BIGINT), concat('c', 'd'), E'a\\n' FROM t"],
];

async function parsed(parser: SqlParser, text: string): Promise<unknown> {
  try {
    return withoutPlaces(await parser.parse(text));
  } catch (error) {
    assert.ok(error instanceof InfluxError);
    return error.message;
  }
}

/** Names stand elsewhere where a mark is longer than its literal. */
function withoutPlaces(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutPlaces);
  if (node instanceof Map) return new Map([...node].map(([key, value]) => [key, withoutPlaces(value)]));
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(Object.entries(node).flatMap(([key, value]) => (key === 'at' ? [] : [[key, withoutPlaces(value)]])));
}

describe('statements that differ in their literals only', () => {
  test('are parsed as each would be by itself', async () => {
    for (const pair of PAIRS) {
      const parser = new SqlParser();
      for (const text of [...pair, ...pair]) {
        // A comment keeps a text from being split.
        assert.deepEqual(await parsed(parser, text), await parsed(parser, `${text}\n--`), text);
      }
    }
  });

  test('share a template, and what has no literal in it', async () => {
    const parser = new SqlParser();
    const ask = async (text: string): Promise<{ body: { items: unknown; where: unknown } }> => {
      const statement = await parser.parse(text);
      assert.ok(statement.kind === 'query');
      return statement.query as unknown as { body: { items: unknown; where: unknown } };
    };
    const first = await ask("SELECT v, k FROM t WHERE k = 'a'");
    const second = await ask("SELECT v, k FROM t WHERE k = 'b'");
    assert.equal(first.body.items, second.body.items);
    assert.notDeepEqual(first.body.where, second.body.where);
  });

  test('fail as each would by itself', async () => {
    const parser = new SqlParser();
    for (const value of ['a', 'bcdef']) {
      const text = `SELECT v FROM t WHERE k = '${value}' GARBAGE ! x`;
      const [found, alone] = [await parsed(parser, text), await parsed(new SqlParser(), `${text}\n--`)];
      assert.equal(found, alone);
      assert.match(String(found), /^SQL error/);
    }
  });

  test('literals stay where they are behind a word, in unusual texts and with unusual characters', () => {
    const split = splitLiterals(
      "SELECT INTERVAL '1 day', 'a', TIMESTAMP '2024-01-01' FROM t WHERE k LIKE 'x' AND j = 'it''s' AND l <= 'b' ESCAPE 'c'",
    );
    assert.deepEqual(split?.literals, ['a', 'b']);
    for (const text of [
      "SELECT 'a' -- 'b'",
      "SELECT * FROM t WHERE k = 'a' /* '",
      "SELECT $$a$$, 'b'",
      "SELECT `a'b`, 'c'",
      "SELECT x['a']",
    ]) {
      assert.equal(splitLiterals(text), undefined, text);
    }
  });

  test('a mark that is not a text of its own makes no template', async () => {
    const parser = new SqlParser();
    const of = async (text: string, count: number): Promise<StatementTemplate | undefined> =>
      StatementTemplate.of(await parser.parse(`${text}\n--`), count);
    assert.notEqual(await of("SELECT 'literal 0'", 1), undefined);
    assert.equal(await of("SELECT 'literal 0', 'literal 0'", 1), undefined);
    assert.equal(await of("SELECT m['literal 0'] FROM t", 1), undefined);
    assert.equal(await of('SELECT "literal 0", \'literal 0\'', 1), undefined);
  });
});
