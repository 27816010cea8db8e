import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { policyDatabases } from '../../../../../src/catalog/index.ts';
import {
  type ParsedStatement,
  parseInfluxql,
  type Statement,
  statementDatabase,
  v1StatementDatabase,
} from '../../../../../src/query/influxql/parse/index.ts';
import type { BindValue } from '../../../../../src/query/result.ts';
import { InfluxError } from '../../../../../src/shared/errors.ts';

const NONE: ReadonlyMap<string, BindValue> = new Map();

function one(text: string, params = NONE): Statement {
  const statements = parseInfluxql(text, params);
  assert.equal(statements.length, 1);
  return (statements[0] as (typeof statements)[number]).statement;
}

function select(text: string, params = NONE): Extract<Statement, { kind: 'select' }>['select'] {
  const statement = one(text, params);
  assert.equal(statement.kind, 'select');
  return (statement as Extract<Statement, { kind: 'select' }>).select;
}

const ref = (name: string, cast?: string) => ({ kind: 'ref', name, cast });
const integer = (value: bigint) => ({ kind: 'literal', literal: { kind: 'integer', value } });
const binary = (op: string, left: unknown, right: unknown) => ({ kind: 'binary', op, left, right });

test('all clauses of a SELECT in their order', () => {
  const parsed = select(
    `SELECT mean(v) AS m, "max"(v) FROM home, /^m\\d/ WHERE room = 'Kit' AND time >= '2022-01-01' GROUP BY time(2h30m, -15m), room, /r/, *
     FILL(previous) ORDER BY time DESC LIMIT 3 OFFSET 1 TZ('America/Sao_Paulo')`,
  );
  assert.deepEqual(parsed, {
    fields: [
      { expr: { kind: 'call', name: 'mean', args: [ref('v')] }, alias: 'm' },
      { expr: { kind: 'call', name: 'max', args: [ref('v')] }, alias: undefined },
    ],
    sources: [
      { kind: 'measurement', name: 'home' },
      { kind: 'regex', source: '^m\\d' },
    ],
    where: binary(
      'AND',
      binary('=', ref('room'), { kind: 'literal', literal: { kind: 'string', value: 'Kit' } }),
      binary('>=', ref('time'), { kind: 'literal', literal: { kind: 'string', value: '2022-01-01' } }),
    ),
    dimensions: [
      { kind: 'time', intervalNs: 9_000_000_000_000n, offset: { kind: 'literal', literal: { kind: 'duration', ns: -900_000_000_000n } } },
      { kind: 'tag', name: 'room' },
      { kind: 'regex', source: 'r' },
      { kind: 'wildcard' },
    ],
    fill: { kind: 'previous' },
    descending: true,
    limit: 3n,
    offset: 1n,
    seriesLimit: undefined,
    zone: 'America/Sao_Paulo',
  });
});

test('operators bind as specified, minus is folded into numbers, casts and wildcards keep their type', () => {
  assert.deepEqual(select('SELECT a + b * -2 FROM m').fields[0]?.expr, binary('+', ref('a'), binary('*', ref('b'), integer(-2n))));
  assert.deepEqual(
    select('SELECT (a + b) % 2 | c FROM m').fields[0]?.expr,
    binary('|', binary('%', binary('+', ref('a'), ref('b')), integer(2n)), ref('c')),
  );
  assert.deepEqual(select('SELECT -(a) FROM m').fields[0]?.expr, binary('*', integer(-1n), ref('a')));
  assert.deepEqual(select('SELECT "a b".c::integer FROM m').fields[0]?.expr, ref('a b.c', 'integer'));
  assert.deepEqual(select('SELECT *::tag FROM m').fields[0]?.expr, { kind: 'wildcard', only: 'tag' });
  assert.deepEqual(select('SELECT DISTINCT v FROM m').fields[0]?.expr, { kind: 'call', name: 'distinct', args: [ref('v')] });
  assert.deepEqual(select('SELECT v FROM m WHERE (a = 1 OR b <> 2) AND (c + 1) > 3').where, {
    ...binary(
      'AND',
      binary('OR', binary('=', ref('a'), integer(1n)), binary('!=', ref('b'), integer(2n))),
      binary('>', binary('+', ref('c'), integer(1n)), integer(3n)),
    ),
  });
});

test('literals: large integers are unsigned, durations are nanoseconds, texts and comments', () => {
  const values = select("SELECT f(9223372036854775808, 1.5, .5, 1h30m, 10u, 'it\\'s', true, /a\\/b/) /* c */ FROM m -- end").fields[0]
    ?.expr;
  assert.deepEqual(values?.kind === 'call' && values.args.map((arg) => arg.kind === 'literal' && arg.literal), [
    { kind: 'unsigned', value: 9_223_372_036_854_775_808n },
    { kind: 'float', value: 1.5 },
    { kind: 'float', value: 0.5 },
    { kind: 'duration', ns: 5_400_000_000_000n },
    { kind: 'duration', ns: 10_000n },
    { kind: 'string', value: "it's" },
    { kind: 'boolean', value: true },
    { kind: 'regex', source: 'a/b' },
  ]);
});

test('bind parameters become literals; one without a value is told', () => {
  const params = new Map<string, BindValue>([
    ['r', { kind: 'string', value: 'Kit' }],
    ['n', { kind: 'int64', value: 5n }],
  ]);
  const parsed = select('SELECT v FROM m WHERE room =~ $r AND v > $n', params);
  assert.deepEqual(
    parsed.where,
    binary(
      'AND',
      binary('=~', ref('room'), { kind: 'literal', literal: { kind: 'regex', source: 'Kit' } }),
      binary('>', ref('v'), integer(5n)),
    ),
  );
  assert.throws(() => select('SELECT v FROM m WHERE host = $host'), {
    message: "Bind parameter '$host' was referenced in the InfluxQL statement but its value is undefined",
    status: 400,
  });
});

test('several statements, and the databases that they name', () => {
  const parsed = parseInfluxql(
    'SELECT a FROM db.rp.m; ; SELECT a FROM db..m;SELECT a FROM rp2.m; SELECT a FROM db.autogen./x/; SHOW TAG KEYS ON other FROM m',
    NONE,
  );
  assert.deepEqual(
    parsed.slice(0, 4).map((each) => statementDatabase(each, 'mine')),
    ['db/rp', 'db', 'mine/rp2', 'db'],
  );
  assert.equal(parsed[1]?.text, 'SELECT a FROM db..m');
  const [two] = parseInfluxql('SELECT a FROM x..m, y..n', NONE);
  assert.ok(two);
  assert.throws(() => statementDatabase(two, undefined), {
    message: 'error in InfluxQL statement: can only perform queries on a single database',
  });
});

test('databases by the rules of InfluxDB 1: what is left out is as in the request, else the default of the database', () => {
  const live = new Map([
    ['d', 'week'],
    ['d/week', undefined],
    ['d/Exact', undefined],
    ['gone', 'dropped'],
  ]);
  const policyDatabase = policyDatabases((name) => (live.has(name) ? { deleted: false, defaultPolicy: live.get(name) } : undefined));
  const named = (text: string, database: string | undefined, policy?: string): unknown =>
    v1StatementDatabase(parseInfluxql(text, NONE)[0] as ParsedStatement, { database, policy }, policyDatabase);
  const cases: [text: string, database: string | undefined, policy: string | undefined, expected: string | undefined][] = [
    ['SELECT a FROM m', 'd', undefined, 'd/week'],
    ['SELECT a FROM m', 'd', 'autogen', 'd'],
    ['SELECT a FROM m', 'd', 'default', 'd/week'],
    ['SELECT a FROM m', 'd', 'Other', 'd/other'],
    ['SELECT a FROM m', 'gone', undefined, 'gone'],
    ['SELECT a FROM m', undefined, undefined, undefined],
    ['SELECT a FROM "Week".m', 'd', undefined, 'd/week'],
    ['SELECT a FROM "Week".m', 'd', 'week', 'd/week'],
    ['SELECT a FROM "Exact".m', 'd', undefined, 'd/Exact'],
    ['SELECT a FROM autogen.m', 'd', 'week', 'd'],
    ['SELECT a FROM d..m', 'other', undefined, 'd/week'],
    ['SELECT a FROM d.autogen.m, d.autogen.n', undefined, undefined, 'd'],
    ['SELECT a FROM x.m', 'd/week', undefined, 'd/x'],
    ['SHOW MEASUREMENTS ON d', undefined, undefined, 'd/week'],
    ['SHOW RETENTION POLICIES ON d', undefined, undefined, 'd'],
    ['SHOW RETENTION POLICIES', 'd', undefined, 'd'],
  ];
  for (const [text, database, policy, expected] of cases) {
    assert.equal(named(text, database, policy), expected, `${text} of ${database} and ${policy}`);
  }
});

test('SELECT INTO', () => {
  const into = (text: string): unknown => {
    const statement = one(`SELECT a INTO ${text} FROM m`);
    return statement.kind === 'select-into' ? statement.into : statement.kind;
  };
  assert.deepEqual(into('t'), { database: undefined, policy: undefined, measurement: 't' });
  assert.deepEqual(into('"r p"."t"'), { database: undefined, policy: 'r p', measurement: 't' });
  assert.deepEqual(into('d.rp.t'), { database: 'd', policy: 'rp', measurement: 't' });
  assert.deepEqual(into('d..t'), { database: 'd', policy: undefined, measurement: 't' });
  assert.deepEqual(into('d.rp.:MEASUREMENT'), { database: 'd', policy: 'rp', measurement: undefined });
  assert.equal(one('SELECT a FROM (SELECT a FROM m)').kind, 'select');
});

test('SHOW statements', () => {
  const rest = { limit: undefined, offset: undefined };
  assert.deepEqual(one('show databases'), { kind: 'show-databases' });
  assert.deepEqual(one('SHOW RETENTION POLICIES ON db'), { kind: 'show-retention-policies' });
  assert.deepEqual(one('SHOW MEASUREMENTS WITH MEASUREMENT =~ /h.*/ LIMIT 2'), {
    kind: 'show-measurements',
    filter: { op: '=~', source: 'h.*' },
    where: undefined,
    limit: 2n,
    offset: undefined,
  });
  assert.deepEqual(one('SHOW FIELD KEYS FROM home OFFSET 1'), {
    kind: 'show-field-keys',
    from: [{ kind: 'measurement', name: 'home' }],
    limit: undefined,
    offset: 1n,
  });
  assert.deepEqual(one('SHOW TAG VALUES WITH KEY IN (a, "b c")'), {
    kind: 'show-tag-values',
    from: [],
    key: { op: 'in', names: ['a', 'b c'] },
    where: undefined,
    ...rest,
  });
  assert.deepEqual(one('SHOW TAG VALUES FROM m WITH KEY != a WHERE v > 1'), {
    kind: 'show-tag-values',
    from: [{ kind: 'measurement', name: 'm' }],
    key: { op: '!=', name: 'a' },
    where: binary('>', ref('v'), integer(1n)),
    ...rest,
  });
  assert.deepEqual(one('SHOW TAG KEYS WHERE v > 1').kind, 'show-tag-keys');
  assert.deepEqual(one('DROP MEASUREMENT m'), { kind: 'change', change: { what: 'DROP MEASUREMENT', name: 'm' } });
  assert.equal(one('EXPLAIN ANALYZE SELECT v FROM m').kind, 'explain');
});

test('statements that change something', () => {
  const change = (text: string): unknown => {
    const statement = one(text);
    assert.equal(statement.kind, 'change');
    return statement.kind === 'change' ? statement.change : undefined;
  };
  const nothing = { durationNs: undefined, isDefault: false, replicas: undefined, shardDurationNs: undefined };
  assert.deepEqual(change('create database "a b"'), { what: 'CREATE DATABASE', name: 'a b', policy: undefined, options: nothing });
  assert.deepEqual(change('CREATE DATABASE d WITH DURATION 2d REPLICATION 1 SHARD DURATION 1h NAME p'), {
    what: 'CREATE DATABASE',
    name: 'd',
    policy: 'p',
    options: { ...nothing, durationNs: 172_800_000_000_000n, replicas: 1, shardDurationNs: 3_600_000_000_000n },
  });
  assert.deepEqual(change('CREATE RETENTION POLICY p ON d DURATION INF REPLICATION 1 DEFAULT'), {
    what: 'CREATE RETENTION POLICY',
    name: 'p',
    database: 'd',
    options: { ...nothing, durationNs: 'forever', isDefault: true, replicas: 1 },
  });
  assert.deepEqual(change('DROP SERIES FROM m'), {
    what: 'DROP SERIES',
    from: [{ kind: 'measurement', name: 'm' }],
    where: undefined,
  });
});

test('what is refused, what is empty, what is counted', () => {
  for (const text of ["CREATE USER a WITH PASSWORD 'b; c'", 'GRANT ALL TO a', 'SHOW GRANTS FOR a']) {
    assert.equal(one(text).kind, 'refused', text);
  }
  for (const text of ['SHOW USERS', 'SHOW SUBSCRIPTIONS', 'SHOW CONTINUOUS QUERIES', 'SHOW SHARDS', 'SHOW SHARD GROUPS']) {
    assert.equal(one(text).kind, 'empty-list', text);
  }
  const count = (text: string): unknown => {
    const statement = one(text);
    return statement.kind === 'show-cardinality' ? [statement.of, statement.estimated] : statement.kind;
  };
  assert.deepEqual(count('SHOW SERIES CARDINALITY'), ['series', true]);
  assert.deepEqual(count('SHOW SERIES EXACT CARDINALITY'), ['series', false]);
  assert.deepEqual(count('SHOW SERIES CARDINALITY FROM m'), ['series', false]);
  assert.deepEqual(count('SHOW MEASUREMENT CARDINALITY ON d'), ['measurement', true]);
  assert.deepEqual(count('SHOW TAG VALUES CARDINALITY WITH KEY = a'), ['tag values', false]);
  assert.deepEqual(count('SHOW TAG VALUES WITH KEY = a'), 'show-tag-values');
});

test('about the server and its queries', () => {
  assert.deepEqual(one('SHOW QUERIES'), { kind: 'show-queries' });
  assert.deepEqual(one('KILL QUERY 36 ON "host"'), { kind: 'kill-query', query: 36n });
  assert.deepEqual(one("SHOW STATS FOR 'http'"), { kind: 'show-stats', of: 'http' });
  assert.deepEqual(one('SHOW DIAGNOSTICS'), { kind: 'show-diagnostics', of: undefined });
});

const MISTAKES: readonly (readonly [text: string, message: string])[] = [
  ['SELECT v INTO 5 FROM m', 'invalid INTO clause, expected identifier at pos 14'],
  ['SELECT v FROM (SELECT v INTO x FROM m)', 'invalid SELECT statement, expected FROM at pos 24'],
  ['KILL QUERY x', 'invalid KILL QUERY statement, expected integer at pos 11'],
  ['SELECT v FROM m INTO x', 'invalid InfluxQL statement at pos 16. Parsing Error: Nom("INTO x", Tag)'],
  ['FOO "x"\n', 'invalid InfluxQL statement at pos 0. Parsing Error: Nom("FOO \\"x\\"\\n", Tag)'],
  ['SHOW TAG KEYS; KILL 1', 'invalid InfluxQL statement at pos 15. Parsing Error: Nom("KILL 1", Tag)'],
  ['CREATE DATABASE', 'invalid CREATE DATABASE statement, expected identifier at pos 15'],
  ['CREATE RETENTION POLICY p ON d', 'invalid CREATE RETENTION POLICY statement, expected DURATION at pos 30'],
  ['DROP RETENTION POLICY p', 'invalid DROP RETENTION POLICY statement, expected ON at pos 23'],
  ['ALTER RETENTION POLICY p ON d DURATION x', 'invalid ALTER RETENTION POLICY statement, expected a duration or INF at pos 39'],
  ['ALTER RETENTION POLICY p ON d', 'invalid ALTER RETENTION POLICY statement, expected DURATION, REPLICATION, SHARD, DEFAULT at pos 29'],
  [
    'CREATE RETENTION POLICY p ON d DURATION 1d REPLICATION 0',
    'invalid CREATE RETENTION POLICY statement, expected a replication factor from 1 to 2147483647 at pos 55',
  ],
  [
    'CREATE RETENTION POLICY p ON d DURATION 1d SHARD DURATION INF',
    'invalid CREATE RETENTION POLICY statement, expected a duration at pos 58',
  ],
  ['DELETE', 'invalid DELETE statement, expected FROM or WHERE at pos 6'],
  ['SELECT a + FROM m', 'invalid InfluxQL statement at pos 0. Parsing Failure: Nom("FROM m", Char)'],
  ['SELECT FROM m', 'invalid SELECT statement, expected field at pos 7'],
  ['SELECT ü, FROM m', 'invalid SELECT statement, expected field at pos 7'],
  ['SELECT v AS FROM m', 'invalid field alias, expected identifier at pos 12'],
  ['SELECT v FROM WHERE a = 1', 'invalid FROM clause, expected identifier, regular expression or subquery at pos 14'],
  ["SELECT 'ü', v FROM 1", 'invalid FROM clause, expected identifier, regular expression or subquery at pos 20'],
  ['SELECT v FROM m WHERE', 'invalid conditional expression at pos 21'],
  ['SELECT v FROM m WHERE a = ', 'invalid conditional expression at pos 26'],
  ['SELECT DISTINCT 1 FROM m', 'invalid DISTINCT expression, expected identifier at pos 16'],
  ['SELECT v FROM m GROUP room', 'invalid GROUP BY clause, expected BY at pos 22'],
  ['SELECT v FROM m GROUP BY 1', 'invalid GROUP BY clause, expected wildcard, TIME, identifier or regular expression at pos 25'],
  ['SELECT v FROM m GROUP BY time()', 'invalid TIME call, expected 1 or 2 arguments at pos 30'],
  ['SELECT v FROM m GROUP BY time(5)', 'invalid TIME call, expected a duration for the interval at pos 30'],
  ['SELECT v FROM m GROUP BY time(5s, 1s, 2s)', "invalid TIME call, expected ')' at pos 36"],
  ['SELECT v FROM m GROUP BY time(5s) FILL(x)', 'invalid FILL option, expected NULL, NONE, PREVIOUS, LINEAR, or a number at pos 39'],
  ['SELECT v FROM m ORDER BY LIMIT 1', 'invalid ORDER BY, expected ASC, DESC or TIME at pos 25'],
  ['SELECT v FROM m ORDER BY v', 'invalid ORDER BY, expected TIME column at pos 25'],
  ['SELECT v FROM m LIMIT x', 'invalid LIMIT clause, expected unsigned integer at pos 22'],
  ['SELECT v FROM m SOFFSET -1', 'invalid SOFFSET clause, expected unsigned integer at pos 24'],
  [
    'SHOW NOTHING',
    'invalid SHOW statement, expected DATABASES, FIELD KEYS, MEASUREMENTS, TAG KEYS, TAG VALUES, or RETENTION POLICIES following SHOW at pos 5',
  ],
  [
    'SELECT v::text FROM m',
    'invalid data type for tag or field reference, expected float, integer, unsigned, string, boolean, field, tag at pos 10',
  ],
  ['SELECT *::x FROM m', 'invalid wildcard type specifier, expected TAG or FIELD at pos 10'],
  ["SELECT v FROM m WHERE a = 'x", 'unterminated string literal at pos 26'],
  ['SELECT v FROM /x', 'unterminated regex literal at pos 14'],
  ["SELECT v FROM m TZ('Mars/Olympus')", 'unable to find timezone at pos 19'],
];

for (const [text, message] of MISTAKES) {
  test(`parse error of ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseInfluxql(text, NONE), { status: 400, message: `error in InfluxQL statement: parsing error: ${message}` });
  });
}

test('whatever the text, the parser answers or refuses it', () => {
  const word = fc.constantFrom(
    'SELECT',
    'FROM',
    'WHERE',
    '(',
    ')',
    'time',
    '=',
    '=~',
    '/x/',
    "'s'",
    '1h',
    '-',
    '*',
    '$p',
    'v',
    ',',
    '.',
    '"q',
    ';',
    'GROUP BY',
    'LIMIT',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), (words) => {
      try {
        parseInfluxql(words.join(' '), NONE);
      } catch (error) {
        assert.ok(error instanceof InfluxError && error.status === 400, String(error));
      }
    }),
  );
  const deep = `SELECT ${'('.repeat(5000)}v${')'.repeat(5000)} FROM m`;
  assert.throws(() => parseInfluxql(deep, NONE), { status: 400 });
  assert.throws(() => parseInfluxql(`SELECT v FROM m WHERE ${'('.repeat(40)}a = 1`, NONE), { status: 400 });
  assert.equal(parseInfluxql(`SELECT v FROM m WHERE ${'('.repeat(40)}a${')'.repeat(40)} * 2 = 1`, NONE).length, 1);
});
