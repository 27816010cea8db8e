import type { Random } from '../fuzz/random.ts';
import { START_SECS, timeRange } from './influxdb1-range.ts';

/** Times of each series. */
const TIMES = 400;

/** Tags of each series; the last has one of them only. */
const SERIES = [
  ['a', 'x'],
  ['b', 'y'],
  ['c', 'x'],
  ['d', undefined],
] as const;

/**
 * Line protocol with no two equal times and no two equal numbers of a field, so that every statement below has one right answer.
 * About one point in five is missing.
 */
export function dataLines(random: Random): string[] {
  const lines: string[] = [];
  for (let i = 0; i < TIMES; i++) {
    SERIES.forEach(([host, region], series) => {
      if (random.chance(0.2)) return;
      const n = i * SERIES.length + series;
      const f = (((n * 7919) % 4001) - 2000) / 8;
      const rest = `b=${random.chance(0.5)},s="${random.pick(['p', 'q', 'r'])}"`;
      lines.push(
        `cpu,host=${host}${region === undefined ? '' : `,region=${region}`} f=${f},i=${(n * 104_729) % 100_003}i,${rest} ${START_SECS + i * 7 + series}000000000`,
      );
    });
  }
  // Fields that some series and some bins do not have.
  for (let i = 0; i < TIMES; i++) {
    const series = i % SERIES.length;
    const some = [
      ...(series === 0 ? [`a=${i}`] : []),
      ...(series === 1 && i > 100 && i < 120 ? ['c=1i'] : []),
      `f=${(i * 37) % 101},i=${i}i`,
    ];
    lines.push(`part,host=${SERIES[series]?.[0]} ${some.join(',')} ${START_SECS + i * 7}000000000`);
  }
  return lines;
}

const CONDITIONS = [
  '',
  " AND host = 'a'",
  ' AND host =~ /a|b/',
  ' AND f > 0',
  " AND i < 50000 AND region = 'x'",
  " AND s = 'p'",
  ' AND b = true',
];
const FILLS = ['', ' fill(none)', ' fill(0)', ' fill(previous)', ' fill(linear)'];
const AGGREGATES = ['mean', 'sum', 'count', 'min', 'max', 'first', 'last', 'spread', 'stddev', 'percentile90'];

/**
 * A statement that InfluxDB 1.6.7 and this server must answer alike. Left out are the differences that have a reason:
 * - medians of integers are whole numbers (docs/compatibility.md), and ties of `mode` and `percentile` are decided otherwise;
 * - with SLIMIT, InfluxDB 1.6.7 counts series that lack a tag before others, whatever the order in which it shows them;
 * - slopes, which InfluxDB 1.6.7 turns over with `ORDER BY time DESC`, and `fill(previous)`, which it fills from later times then;
 * - OFFSET without LIMIT, of which InfluxDB 1.6.7 shows one row; values of equal times without their tags, which it has in any order;
 * - what `fill` puts into empty bins also stands for the standard deviation that a bin with one value does not have, and LIMIT counts such bins;
 * - bins inside bins (docs/compatibility.md): the row of an inner bin that begins before the range, so inner bins divide the range;
 *   and several inner series with bins filled by `fill(0)`, `fill(previous)` or `fill(linear)` that become one.
 */
export function statement(random: Random): string {
  const range = timeRange(random);
  const where = `${range}${random.pick(CONDITIONS)}`;
  const tags = random.pick(['', 'host', 'region', 'host, region']);
  const by = tags === '' ? '' : ` GROUP BY ${tags}`;
  const limit = random.pick(['', '', ' LIMIT 3', ' LIMIT 2 OFFSET 1']);
  switch (random.below(12)) {
    case 10:
      return countBesideOthers(random, range, random.pick(['', ' GROUP BY host']));
    case 0: {
      const descending = random.chance(0.5) ? ' ORDER BY time DESC' : '';
      return `SELECT ${random.pick(['f', 'i', 'f, i', '*', 's', 'b'])} FROM cpu WHERE ${where}${by}${descending}${limit}`;
    }
    case 1:
      return `SELECT ${aggregate(random)} FROM cpu WHERE ${where}${by}`;
    case 2: {
      const call = aggregate(random);
      const fill = random.pick(call.startsWith('stddev') ? FILLS.slice(0, 2) : FILLS);
      const bins = `time(${random.pick(['30s', '1m', '90s', '5m'])}${random.pick(['', ', 10s'])})`;
      return `SELECT ${call} FROM cpu WHERE ${where} GROUP BY ${bins}${tags === '' ? '' : `, ${tags}`}${fill}${call.startsWith('stddev') ? '' : limit}`;
    }
    case 3:
      return `SELECT ${random.pick(['top', 'bottom'])}(${field(random)}, ${1 + random.below(4)}) FROM cpu WHERE ${range}${by}`;
    case 4: {
      const window = random.pick(['difference', 'derivative', 'non_negative_difference', 'cumulative_sum', 'elapsed']);
      return `SELECT ${window}(${field(random)}) FROM cpu WHERE ${range} GROUP BY host, region`;
    }
    case 5:
      return `SELECT percentile(${field(random)}, ${random.pick([5, 50, 90, 95, 99, 100])}) FROM cpu WHERE ${range}${by}`;
    case 6:
      return `SELECT ${aggregate(random)} FROM cpu WHERE ${where} GROUP BY host SLIMIT ${1 + random.below(3)}${random.pick(['', ' SOFFSET 1', ' SOFFSET 2'])}`;
    case 7:
      return nested(random, range);
    case 9:
      return binsInsideBins(random, range);
    case 8: {
      const inner = `SELECT ${random.pick(['mean', 'max', 'sum'])}(f) AS a, ${random.pick(['min', 'count'])}(i) AS b FROM cpu WHERE ${where} GROUP BY time(1m)`;
      return `SELECT ${random.pick(['a + b', 'a - b', 'a * 2', 'a, b', 'b / 3'])} FROM (${inner}${random.pick([' fill(none)', ' fill(0)'])}) WHERE ${range}`;
    }
    default: {
      const inner = `SELECT ${random.pick(['mean', 'max', 'sum'])}(${field(random)}) AS a FROM cpu WHERE ${range} GROUP BY time(30s), host`;
      const outer = `${random.pick(['mean', 'max', 'sum', 'count'])}(a)`;
      return `SELECT ${outer} FROM (${inner}${random.pick([' fill(none)', ''])}) WHERE ${range} GROUP BY time(2m)${random.pick(['', ' fill(none)', ' fill(0)'])}`;
    }
  }
}

/** What is put into empty bins of a statement inside another one, and the groups that the outer one may have for those of the inner one. */
const INNER_FILLS = ['', ' fill(null)', ' fill(none)', ' fill(0)', ' fill(previous)', ' fill(linear)'];
const INNER_GROUPS: readonly (readonly [inner: string, outer: readonly string[]])[] = [
  ['', ['']],
  [', host', [', host', '']],
  [', region', [', region', '']],
  [', host, region', [', host, region', ', host', ', region', '']],
];

/** Filled bins inside a statement with or without bins, the range in one of both statements or in both. */
function binsInsideBins(random: Random, range: string): string {
  const rangeIn = random.pick(['inner', 'outer', 'both']);
  const [innerTags, outerGroups] = random.pick(INNER_GROUPS);
  const outerTags = random.pick(outerGroups);
  const merged = outerTags !== innerTags;
  const fill = random.pick(merged ? INNER_FILLS.slice(0, 3) : INNER_FILLS);
  const bins = random.pick(['', 'time(1m)', 'time(2m)', 'time(3m)', 'time(5m)']);
  const outer = random.pick(['mean', 'max', 'min', 'sum', 'count', 'spread', 'first', 'last']);
  const by = bins === '' ? outerTags.replace(', ', '') : `${bins}${outerTags}`;
  // bins without a range would be filled until now
  const outerFill = bins === '' ? '' : rangeIn === 'inner' ? ' fill(none)' : random.pick(FILLS.slice(0, 4));
  const call = random.pick(['mean', 'max', 'sum', 'first', 'last', 'count']);
  const inner = `SELECT ${call}(${field(random)}) AS a FROM cpu${rangeIn === 'outer' ? '' : ` WHERE ${range}`} GROUP BY time(${random.pick(['30s', '1m', '2m'])})${innerTags}${fill}`;
  return `SELECT ${outer}(a) FROM (${inner})${rangeIn === 'inner' ? '' : ` WHERE ${range}`}${by === '' ? '' : ` GROUP BY ${by}`}${outerFill}`;
}

/** Counts of a field that some series and some bins do not have, beside other aggregates and inside other statements. */
function countBesideOthers(random: Random, range: string, by: string): string {
  const other = random.pick(['sum(f)', 'mean(i)', 'count(f)', 'max(i)']);
  const bins = random.pick(['', 'time(1m)', 'time(5m)']);
  const groups = bins === '' ? by : `${by === '' ? ' GROUP BY ' : `${by}, `}${bins}`;
  const call = `SELECT count(${random.pick(['a', 'c'])}) AS x, ${other} AS y FROM part WHERE ${range}${groups}`;
  if (random.chance(0.5)) return `${call}${bins === '' ? '' : random.pick([...FILLS, ' fill(null)'])}`;
  // filled bins of several series, and columns of several series, are not compared
  const inner = `${call}${bins === '' ? '' : random.pick(INNER_FILLS.slice(0, 3))}`;
  return `SELECT ${by === '' ? random.pick(['x, y', 'count(x), sum(y)']) : 'count(x), sum(y)'} FROM (${inner}) WHERE ${range}`;
}

/** Groups inside groups, without filled bins inside. */
function nested(random: Random, range: string): string {
  const where = `WHERE ${range}`;
  const by = random.pick(['', ' GROUP BY host', ' GROUP BY region']);
  switch (random.below(3)) {
    case 0:
      return `SELECT ${random.pick(['mean', 'max', 'min', 'sum', 'count'])}(a) FROM (SELECT ${random.pick(['mean', 'max', 'sum'])}(${field(random)}) AS a FROM cpu ${where} GROUP BY host, region)${by}`;
    case 1:
      return `SELECT ${random.pick(['mean', 'sum', 'count', 'spread'])}(a) FROM (SELECT ${field(random)} AS a FROM cpu ${where}) ${where} GROUP BY time(${random.pick(['1m', '5m'])})${by.replace(' GROUP BY', ',')}${random.pick(['', ' fill(none)', ' fill(0)'])}`;
    default:
      return `SELECT ${random.pick(['sum', 'mean', 'max'])}(a) FROM (SELECT ${random.pick(['max', 'mean'])}(${field(random)}) AS a FROM cpu ${where} GROUP BY time(30s), host, region fill(none))${by}`;
  }
}

function aggregate(random: Random): string {
  const name = random.pick(AGGREGATES);
  return name === 'percentile90' ? `percentile(${field(random)}, 90)` : `${name}(${field(random)})`;
}

function field(random: Random): string {
  return random.pick(['f', 'i']);
}
