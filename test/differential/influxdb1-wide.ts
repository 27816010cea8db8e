/** More statements that InfluxDB 1.6.7 and this server must answer alike: see influxdb1-statements.ts for those of one measurement and their reasons. */
import type { Random } from '../fuzz/random.ts';
import { START_SECS, timeRange } from './influxdb1-range.ts';

/** Tables whose rows have different fields, with a field that is a float in one and an integer in the other. */
export function wideLines(random: Random): string[] {
  const lines: string[] = [];
  for (let i = 0; i < 300; i++) {
    const host = ['', ',host=a', ',host=b', ',host=c'][i % 4];
    const zone = random.chance(0.3) ? ',zone=z 1' : '';
    const fields = [
      ...(random.chance(0.4) ? [`x=${((i * 7919) % 997) / 4}`] : []),
      ...(random.chance(0.4) ? [`n=${(i * 104_729) % 1009}i`] : []),
      ...(random.chance(0.3) ? [`t="t${i % 7}"`] : []),
      ...(random.chance(0.3) ? [`y=${i % 3 === 0}`] : []),
    ];
    if (fields.length > 0) lines.push(`sparse${host}${zone.replace(' ', '\\ ')} ${fields.join(',')} ${START_SECS + i * 10}000000000`);
    lines.push(`mem,host=${'abcd'[i % 4]} f=${(i * 31) % 1013}i,g=${((i * 17) % 307) / 2} ${START_SECS + i * 9 + 1}000000000`);
  }
  return lines;
}

const FILLS = ['', ' fill(null)', ' fill(none)', ' fill(0)', ' fill(7)', ' fill(previous)', ' fill(linear)'];
const LIMITS = ['', '', ' LIMIT 3', ' LIMIT 2 OFFSET 1', ' LIMIT 1 OFFSET 40'];
const SERIES_LIMITS = ['', '', ' SLIMIT 1', ' SLIMIT 2 SOFFSET 1'];
const BY = ['', ' GROUP BY host', ' GROUP BY zone', ' GROUP BY host, zone', ' GROUP BY *'];
const DESC = ['', ' ORDER BY time DESC'];

/** What differs with a reason when time descends: slopes and `fill(previous)` (docs/compatibility.md). */
function ascends(statement: string): boolean {
  return statement.includes('derivative') || statement.includes('previous');
}
const AGGREGATES = ['mean', 'sum', 'count', 'min', 'max', 'first', 'last', 'spread'];
const NUMBERS = ['x', 'n'];

/** A statement, or two of which the second reads what the first wrote. */
export function wideStatement(random: Random): string {
  const statement = random.pick(KINDS)(random);
  return ascends(statement) ? statement.replace(' ORDER BY time DESC', '') : statement;
}

const KINDS: readonly ((random: Random) => string)[] = [
  sparseRows,
  sparseRows,
  besideWindows,
  besideWindows,
  severalWindows,
  deepQueries,
  deepQueries,
  groupsAround,
  groupsAround,
  severalMeasurements,
  zoned,
  descending,
  descending,
  patterns,
  calculated,
  casts,
  lists,
  into,
  selectorWithOthers,
  selectorWithOthers,
  otherTypes,
];

function sparseRows(random: Random): string {
  const fields = random.pick([
    '*',
    'x, n',
    'n, t',
    'x, t, y',
    'x + n',
    'x + 1, n',
    'x, host',
    '*::field',
    '/x|n/',
    'abs(x), n',
    'x + n, x',
  ]);
  const by = random.pick(BY);
  const series = by.includes(',') || by.includes('*') ? '' : random.pick(SERIES_LIMITS);
  return `SELECT ${fields} FROM sparse WHERE ${timeRange(random)}${by}${random.pick(DESC)}${random.pick(LIMITS)}${series}`;
}

const WINDOWS = [
  'difference',
  'non_negative_difference',
  'derivative',
  'non_negative_derivative',
  'cumulative_sum',
  'elapsed',
  'moving_average',
] as const;

function windowOf(random: Random): string {
  const name = random.pick(WINDOWS);
  return `${name}(${aggregate(random, random.pick(NUMBERS))}${name === 'moving_average' ? ', 2' : name === 'elapsed' ? ', 1s' : ''})`;
}

function bins(random: Random): string {
  return `time(${random.pick(['1m', '90s', '5m'])}${random.pick(['', '', ', 10s', ', -25s'])})`;
}

/** A window over aggregates beside plain aggregates. */
function besideWindows(random: Random): string {
  const others = [windowOf(random), aggregate(random, random.pick(NUMBERS))];
  if (random.chance(0.3)) others.push(random.pick(['count(t)', 'sum(n) * 2', 'count(y)']));
  const call = random.chance(0.5) ? others.join(', ') : others.reverse().join(', ');
  return `SELECT ${call} FROM sparse WHERE ${timeRange(random)} GROUP BY ${bins(random)}${random.pick(['', ', host'])}${random.pick(FILLS)}${random.pick(DESC)}${random.pick(LIMITS)}`;
}

function severalWindows(random: Random): string {
  if (random.chance(0.5)) {
    const raw = [
      'difference(x)',
      'cumulative_sum(n)',
      'derivative(n, 1m)',
      'elapsed(t, 1s)',
      'moving_average(x, 3)',
      'non_negative_difference(n)',
    ];
    const operator = random.pick([', ', ' + ', ', ']);
    return `SELECT ${random.pick(raw)}${operator}${random.pick(raw)} FROM sparse WHERE ${timeRange(random)}${random.pick(BY)}${random.pick(LIMITS)}`;
  }
  return `SELECT ${windowOf(random)}${random.pick([', ', ' + ', ' * '])}${windowOf(random)} FROM sparse WHERE ${timeRange(random)} GROUP BY ${bins(random)}${random.pick(['', ', host'])}${random.pick(FILLS)}${random.pick(LIMITS)}`;
}

/** Statements in statements in statements. */
function deepQueries(random: Random): string {
  const range = timeRange(random);
  const where = random.pick(['', ` WHERE ${range}`]);
  const first = random.pick([
    `SELECT f AS v FROM cpu WHERE ${range}`,
    `SELECT f AS v, i FROM cpu WHERE ${range} AND b = true`,
    `SELECT mean(f) AS v FROM cpu WHERE ${range} GROUP BY host, region`,
    `SELECT max(i) AS v FROM cpu WHERE ${range} GROUP BY time(1m), host fill(none)`,
    `SELECT sum(n) AS v FROM sparse WHERE ${range} GROUP BY time(1m) fill(none)`,
  ]);
  const second = random.pick([
    `SELECT v FROM (${first})${where}`,
    `SELECT v * 2 AS v FROM (${first})${where}`,
    `SELECT max(v) AS v FROM (${first}) WHERE ${range} GROUP BY time(2m), host fill(none)`,
    `SELECT mean(v) AS v FROM (${first}) WHERE ${range} GROUP BY time(5m) fill(none)`,
    `SELECT v FROM (${first})${where} LIMIT 5`,
    `SELECT v FROM (${first}) WHERE ${range} AND v > 10`,
  ]);
  return random.pick([
    `SELECT mean(v) FROM (${second})`,
    `SELECT count(v), sum(v) FROM (${second})${where}`,
    `SELECT v FROM (${second})${random.pick(LIMITS)}`,
    `SELECT spread(v) FROM (${second}) WHERE ${range} GROUP BY time(10m) fill(none)`,
    `SELECT percentile(v, 60) FROM (${second})`,
    `SELECT max(v) FROM (${second}) GROUP BY host`,
  ]);
}

/** A subquery without bins, and without the tags by which the statement around it groups. */
function groupsAround(random: Random): string {
  const range = timeRange(random);
  const [innerWhere, outerWhere] = random.pick([
    ['', ` WHERE ${range}`],
    [` WHERE ${range}`, ` WHERE ${range}`],
    [` WHERE ${range}`, ''],
  ] as const);
  const call = random.pick(['mean(f)', 'sum(i)', 'max(f)', 'count(i)', 'last(f)', 'spread(f)', 'percentile(i, 40)', 'first(i)']);
  const inner = `SELECT ${call} AS v FROM cpu${innerWhere}${random.pick(['', ' GROUP BY host', ' GROUP BY region', ' GROUP BY host, region'])}`;
  // bins without a range would be filled until now
  const groups =
    outerWhere === '' ? ['', 'host', 'region'] : ['', 'host', 'region', 'time(5m)', 'time(10m), host', 'time(5m), region', 'time(10m, 3m)'];
  const by = random.pick(groups);
  const fill = by.includes('time') ? random.pick(['', ' fill(none)', ' fill(0)', ' fill(previous)']) : '';
  const outer = `${random.pick(['mean', 'max', 'min', 'sum', 'count', 'spread'])}(v)`;
  return `SELECT ${outer} FROM (${inner})${outerWhere}${by === '' ? '' : ` GROUP BY ${by}`}${fill}`;
}

function severalMeasurements(random: Random): string {
  const from = random.pick(['cpu, mem', '/cpu|mem/', 'mem, cpu, sparse', '/^m/', '/./', 'cpu, nothing', '/nothing/']);
  const call = random.pick(['f', 'f, host', 'mean(f)', 'count(f)', 'max(f)', 'f, g', 'sum(g)', 'last(f)', 'count(*)', 'mean(/^[fg]$/)']);
  const isPlain = !call.includes('(');
  const by = random.pick(
    isPlain ? ['', ' GROUP BY host'] : ['', ' GROUP BY host', ' GROUP BY time(5m)', ' GROUP BY time(5m), host fill(none)'],
  );
  return `SELECT ${call} FROM ${from} WHERE ${timeRange(random)}${by}${isPlain ? random.pick(LIMITS) : ''}`;
}

const ZONES = ['Europe/London', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia', 'UTC'];

function zoned(random: Random): string {
  const zone = ` tz('${random.pick(ZONES)}')`;
  const width = random.pick(['10m', '1h', '30m', '1d', '12h', '1w', '7m']);
  const offset = random.pick(['', '', ', 5m', ', -3m']);
  if (random.chance(0.3)) return `SELECT f, i FROM cpu WHERE ${timeRange(random)} LIMIT 5${zone}`;
  return `SELECT ${aggregate(random, 'f')} FROM cpu WHERE ${timeRange(random)} GROUP BY time(${width}${offset})${random.pick(['', ', host'])}${random.pick(FILLS)}${zone}`;
}

function descending(random: Random): string {
  const call = random.pick([
    ...AGGREGATES.map((name) => `${name}(f)`),
    'percentile(i, 50)',
    'median(f)',
    'difference(mean(f))',
    'derivative(max(i))',
    'cumulative_sum(count(i))',
  ]);
  const where = timeRange(random);
  if (random.chance(0.3) && !call.includes('((') && !call.includes('e(m') && !call.includes('m(c')) {
    return `SELECT ${call} FROM cpu WHERE ${where}${random.pick(['', ' GROUP BY host'])} ORDER BY time DESC${random.pick(SERIES_LIMITS)}`;
  }
  return `SELECT ${call} FROM cpu WHERE ${where} GROUP BY ${bins(random)}${random.pick(['', ', host'])}${random.pick(FILLS)} ORDER BY time DESC${random.pick(LIMITS)}`;
}

function patterns(random: Random): string {
  const condition = random.pick([
    'host =~ /^[ab]$/',
    'host !~ /a|b/',
    's =~ /p|q/',
    's !~ /^p/',
    'region =~ /./',
    'region !~ /x/',
    "region = ''",
    "region != ''",
    'host =~ /a/ AND s !~ /q/ OR f > 100',
    'host =~ /(?i)A/',
    "(host = 'a' OR host = 'b') AND (i > 1000 OR b = false)",
    'nothing =~ /a/',
    'nothing !~ /a/',
    "nothing = ''",
    'f > i',
    'f + i > 1000',
    'i % 2 = 0',
    'f * 2 < i',
    's = host',
    'b != true',
    "f = 'text'",
    's = 1',
  ]);
  return `SELECT ${random.pick(['count(f)', 'f, s', 'sum(i)', 'last(f)', 'f, host, region'])} FROM cpu WHERE ${timeRange(random)} AND ${random.pick([condition, `(${condition})`])}`;
}

function calculated(random: Random): string {
  const expr = random.pick([
    'f + i',
    'f * 2',
    'i / 7',
    'i / 0',
    'f / 0',
    'i % 7',
    'i % 0',
    'i & 255',
    'i | 1',
    'i ^ 12',
    '-i',
    '-f',
    'i - -3',
    '(f + 1) * (i - 2)',
    'f - f',
    'i * i',
    'f % 3',
    '2 * i + 1.5',
    'b & true',
    'b | false',
    'b ^ true',
    'abs(f)',
    'round(f)',
    'floor(f / 3)',
    'ceil(f)',
    'pow(i, 2)',
    'sqrt(i)',
    'log(i, 2)',
    'ln(i)',
    'atan2(f, i)',
    'abs(i)',
    'exp(f / 100)',
  ]);
  return `SELECT ${expr} FROM cpu WHERE ${timeRange(random)} AND i > 0${random.pick(['', ' GROUP BY host'])} LIMIT 4`;
}

function casts(random: Random): string {
  const expr = random.pick([
    'f::float',
    'i::integer',
    'f::integer',
    'i::float',
    's::string',
    'b::boolean',
    'f::field',
    'host::tag',
    'host::field',
    'f::tag',
    's::float',
    'b::integer',
  ]);
  const more = random.pick(['', ', i', ', host::tag', ', *::tag', ', f::field']);
  return `SELECT ${expr}${more} FROM cpu WHERE ${timeRange(random)} LIMIT 4`;
}

function lists(random: Random): string {
  const limits = random.pick(['', ' LIMIT 2', ' LIMIT 1 OFFSET 1', ' OFFSET 1']);
  const from = random.pick(['', ' FROM cpu', ' FROM cpu, mem', ' FROM /^s/', ' FROM nothing']);
  const where = random.pick([
    '',
    " WHERE host = 'a'",
    ' WHERE host =~ /a|b/',
    " WHERE host != 'a'",
    " WHERE region = ''",
    " WHERE nothing = 'a'",
  ]);
  const key = random.pick(['= host', '!= host', 'IN (host, region)', '=~ /o/', '!~ /o/', 'IN (nothing)']);
  return random.pick([
    `SHOW MEASUREMENTS${random.pick(['', ' WITH MEASUREMENT = cpu', ' WITH MEASUREMENT =~ /m/'])}${random.pick(['', " WHERE host = 'a'"])}${limits}`,
    `SHOW TAG KEYS${from}${where}${limits}`,
    `SHOW FIELD KEYS${from}${limits}`,
    `SHOW TAG VALUES${from} WITH KEY ${key}${where}${limits}`,
    `SHOW SERIES${from}${where}${limits}`,
  ]);
}

let written = 0;

function into(random: Random): string {
  const name = `copy_${written++}`;
  const range = timeRange(random);
  const select = random.pick([
    `SELECT f, i INTO ${name} FROM cpu WHERE ${range} GROUP BY *`,
    `SELECT mean(f) AS m, max(i) AS x INTO ${name} FROM cpu WHERE ${range} GROUP BY time(1m), host${random.pick(['', ' fill(none)', ' fill(0)'])}`,
    `SELECT * INTO ${name} FROM sparse WHERE ${range} GROUP BY *`,
    `SELECT * INTO ${name} FROM cpu WHERE ${range} LIMIT 7`,
    `SELECT count(*) INTO ${name} FROM sparse WHERE ${range} GROUP BY time(5m) fill(none)`,
  ]);
  return `${select}; SELECT * FROM ${name}; SHOW FIELD KEYS FROM ${name}; DROP MEASUREMENT ${name}`;
}

function selectorWithOthers(random: Random): string {
  const call = `${random.pick(['max', 'min', 'first', 'last'])}(${random.pick(NUMBERS)})`;
  const others = random.pick(['t', 'x, n', 'host', 'y, t, host', '*']);
  const by = random.pick(['', ' GROUP BY host', ` GROUP BY ${bins(random)}`, ` GROUP BY ${bins(random)}, host`]);
  const fill = by.includes('time') ? random.pick([' fill(none)', '']) : '';
  return `SELECT ${call}, ${others} FROM sparse WHERE ${timeRange(random)}${by}${fill}${random.pick(LIMITS)}`;
}

/** Texts and booleans in bins. */
function otherTypes(random: Random): string {
  const call = random.pick(['first(t)', 'last(y)', 'last(t), first(y)', 'count(t)', 'count(y), count(x)', 'last(t), sum(n)']);
  return `SELECT ${call} FROM sparse WHERE ${timeRange(random)} GROUP BY ${bins(random)}${random.pick(['', ', host'])}${random.pick(FILLS)}`;
}

function aggregate(random: Random, field: string): string {
  return `${random.pick(AGGREGATES)}(${field})`;
}
