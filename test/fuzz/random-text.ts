import type { Random } from './random.ts';

const NAMES = ['db', 'fuzz', 'nope', '_internal', 'a/b', '', 'x'.repeat(70), 'x'.repeat(600), '?', 'ä', '..', 'a b', 'db-1', '%00', '1'];
const SQL_WORDS =
  'SELECT FROM WHERE GROUP BY ORDER HAVING LIMIT OFFSET AND OR NOT IN BETWEEN LIKE CASE WHEN THEN ELSE END AS JOIN ON USING UNION ALL WITH OVER PARTITION DISTINCT EXPLAIN SHOW TABLES DESCRIBE VALUES INTERVAL CAST IS NULL EXISTS INSERT DROP SET COPY ( ) ( ) , . * = < > + - / % || :: ; [ ] -> @> ~'.split(
    ' ',
  );
const SQL_TERMS: readonly string[] = [
  ...['m', 'time', 'tag', 'f', 'i', 'u', 's', 'b', '"m"', '"Time"', 'iox.m', 'system.queries', 'information_schema.tables', 'nope', '$p'],
  ...['1', '-1', '0', '0.5', '1e308', '1e999', '9223372036854775807', '99999999999999999999999', "'x'", "''", "'1 day'", "'2022-01-01'"],
  ...["TIMESTAMP '2022-01-01'", "INTERVAL '1 month'", "INTERVAL '99999999 years'", 'NULL', 'true', "x'00'", "E'\\n'", '1::bigint'],
];
const FUNCTIONS =
  'count sum avg min max median stddev first_value last_value selector_first selector_max abs sqrt ln log power round trunc now date_bin date_bin_gapfill date_trunc date_part to_timestamp from_unixtime tz length lower upper substr repeat lpad split_part regexp_replace regexp_like concat coalesce nullif greatest array_agg make_array struct arrow_cast arrow_typeof approx_percentile_cont approx_distinct row_number lag lead rank locf interpolate encode md5 sha256 uuid random chr ascii to_hex read_csv getenv glob last_cache generate_series'.split(
    ' ',
  );

/** A database name, often a bad one. */
export function databaseName(random: Random): string {
  return random.chance(0.6) ? random.pick(['db', 'fuzz']) : random.pick(NAMES);
}

/** SQL that is sometimes right, often wrong, sometimes soup. */
export function sqlText(random: Random): string {
  if (random.chance(0.15)) return random.repeat(25, ' ', () => random.pick(random.chance(0.5) ? SQL_WORDS : SQL_TERMS));
  if (random.chance(0.05)) return `SELECT ${'('.repeat(random.below(3000))}1`;
  const columns = random.repeat(3, ', ', () => expression(random, 3)) || '*';
  const where = random.chance(0.5)
    ? ` WHERE ${expression(random, 2)} ${random.pick(['=', '<', '>', 'LIKE', 'IN', '~'])} ${expression(random, 2)}`
    : '';
  const group = random.chance(0.3) ? ` GROUP BY ${random.pick(['tag', '1', '2', 'tag, 1', expression(random, 1)])}` : '';
  const order = random.chance(0.3) ? ` ORDER BY ${expression(random, 1)} ${random.pick(['', 'DESC', 'NULLS FIRST'])}` : '';
  const limit = random.chance(0.4) ? ` LIMIT ${random.pick(['0', '1', '10', '-1', '1.5', '99999999999999999999', 'x'])}` : '';
  const from = random.pick(['m', 'm', 'm', 'm AS a JOIN m AS c ON a.time = c.time', '(SELECT * FROM m) AS q', 'system.queries', 'nope']);
  return `${random.pick(['', '', '', 'EXPLAIN ', 'WITH w AS (SELECT 1) '])}SELECT ${columns} FROM ${from}${where}${group}${order}${limit}`;
}

function expression(random: Random, depth: number): string {
  if (depth === 0 || random.chance(0.3)) return random.pick(SQL_TERMS);
  switch (random.below(6)) {
    case 0:
      return `(${expression(random, depth - 1)} ${random.pick(['+', '-', '*', '/', '%', '||', '=', 'AND'])} ${expression(random, depth - 1)})`;
    case 1:
      return `CAST(${expression(random, depth - 1)} AS ${random.pick(['BIGINT', 'DOUBLE', 'VARCHAR', 'TIMESTAMP', 'BOOLEAN', 'INTERVAL', 'X'])})`;
    case 2:
      return `CASE WHEN ${expression(random, depth - 1)} THEN ${expression(random, depth - 1)} END`;
    default:
      return `${random.pick(FUNCTIONS)}(${random.repeat(3, ', ', () => expression(random, depth - 1))})`;
  }
}

/** Line protocol for databases that the fuzzer may fill: right, wrong and odd lines. */
export function lineProtocol(random: Random): string {
  return random.repeat(5, '\n', () => line(random));
}

function line(random: Random): string {
  if (random.chance(0.1)) return random.bytes(60).toString('latin1');
  const name = random.pick(['w', 'w2', 'm', 'a\\ b', '', ',', '#x', 'time', 'é', 'w'.repeat(300)]);
  const tags = random.repeat(
    2,
    '',
    () => `,${random.pick(['t', 'time', '', 'T', 't\\=x'])}=${random.pick(['a', '', 'b c', 'b\\ c', '"'])}`,
  );
  const values = [
    '1',
    '1i',
    '-1i',
    '1u',
    '-1u',
    '1.5e400',
    '99999999999999999999i',
    '"x"',
    '"x',
    'true',
    'T',
    'x',
    '',
    'NaN',
    '0x1',
    '1_0',
    '.',
    '-',
  ];
  const fields = random.repeat(3, ',', () => `${random.pick(['f', 'i', 'u', 's', 'b', 't', 'time', ''])}=${random.pick(values)}`);
  const stamps = ['', '1', '0', '-1', '1700000000', '9223372036854775807', '-9223372036854775808', '9223372036854775808', 'x', '1.5', '1i'];
  return `${name}${tags} ${fields} ${random.pick(stamps)}`;
}

/** A JSON text: wanted members with odd values, other members, or broken. */
export function jsonText(random: Random, members: readonly string[]): string {
  const text = `{${random.repeat(members.length + 1, ',', () => `"${random.chance(0.9) ? random.pick(members) : 'other'}":${jsonValue(random, 3)}`)}}`;
  if (random.chance(0.1)) return text.slice(0, random.below(text.length));
  if (random.chance(0.05)) return '['.repeat(random.below(20_000));
  return text;
}

function jsonValue(random: Random, depth: number): string {
  if (depth > 0 && random.chance(0.2)) return `[${random.repeat(3, ',', () => jsonValue(random, depth - 1))}]`;
  if (depth > 0 && random.chance(0.1)) return `{"name":${jsonValue(random, depth - 1)},"type":"int64"}`;
  if (random.chance(0.3)) return JSON.stringify(databaseName(random));
  if (random.chance(0.3)) return JSON.stringify(sqlText(random));
  return random.pick([
    'null',
    'true',
    '0',
    '-1',
    '1',
    '1e999',
    '18446744073709551616',
    '0.1',
    '"7d"',
    '"json"',
    '"\\ud800"',
    'nul',
    '"',
    '""',
  ]);
}
