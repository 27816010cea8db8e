/** GROUP BY time. Inside the statement bins are instants, BIGINT nanoseconds. */

import { InfluxError } from '../../../shared/errors.ts';
import { clampedTimeNs, TIME_NS_MAX, TIME_NS_MIN } from '../../../shared/time-range.ts';
import { DAY_NS } from '../../../shared/time-units.ts';
import { quoteString } from '../../sql/types/quote.ts';
import { nextWallClockBin, wallClockBinNs, wallClockBins } from '../../sql/values/zones.ts';
import { integerSql } from './types.ts';

export interface Bins {
  readonly intervalNs: bigint;
  readonly offsetNs: bigint;
  /** Undefined = UTC. */
  readonly zone: string | undefined;
}

/** Most bins of one series. */
const binsMax = 10_000_000n;

const TOO_MANY_BINS = `Error during planning: GROUP BY time would make more than ${binsMax} rows for each series; a range of time makes fewer`;

/** `first`, the start of the first bin of rows that no lower bound limits; fails when too many bins follow. */
function boundedStart({ intervalNs }: Bins, first: string, high: bigint): string {
  const most = high - binsMax * intervalNs;
  if (most <= TIME_NS_MIN) return first;
  return `(CASE WHEN ${first} < ${integerSql(most)} THEN CAST(error(${quoteString(TOO_MANY_BINS)}) AS BIGINT) ELSE ${first} END)`;
}

/** The start of the bin of an instant, both ns. The first bin begins with the least time that a row can have, as in InfluxDB 1. */
export function binSql(bins: Bins, timeNs: string): string {
  const { intervalNs, zone } = bins;
  if (zone !== undefined) return zonedBinSql(zone, bins, timeNs);
  const offset = offsetOf(bins);
  const rest = `${timeNs} % ${intervalNs}`;
  // nothing here leaves 64 bits, whatever the time
  const shifted = offset === 0n ? rest : `(${rest} - ${offset}) % ${intervalNs}`;
  const bin = `(${timeNs} - ((${shifted}) + ${intervalNs}) % ${intervalNs})`;
  return `(CASE WHEN ${timeNs} < ${integerSql(firstBinNs(bins))} THEN ${integerSql(TIME_NS_MIN)} ELSE ${bin} END)`;
}

function zonedBinSql(zone: string, bins: Bins, timeNs: string): string {
  const [first, last] = calmTimes(bins);
  const bin = (instant: string): string => wallClockBinNs(zone, instant, bins.intervalNs, bins.offsetNs);
  const exact = `CAST(greatest(${bin(`CAST(${timeNs} AS HUGEINT)`)}, ${TIME_NS_MIN}) AS BIGINT)`;
  return first > last ? exact : `(CASE WHEN ${timeNs} BETWEEN ${first} AND ${last} THEN ${bin(timeNs)} ELSE ${exact} END)`;
}

/** Instants whose bins, and those beside them, are in 64 bits by the clock of every zone. */
function calmTimes({ intervalNs }: Bins): readonly [first: bigint, last: bigint] {
  const margin = 2n * intervalNs + 4n * DAY_NS;
  return [TIME_NS_MIN + margin, TIME_NS_MAX - margin];
}

/** The start of the bin after that of an instant, ns. */
export function nextBinSql(bins: Bins, timeNs: string): string {
  const bin = binSql(bins, timeNs);
  if (bins.zone !== undefined) return nextWallClockBin(bins.zone, bin, bins.intervalNs, bins.offsetNs);
  const [first, last] = [firstBinNs(bins), TIME_NS_MAX - bins.intervalNs];
  return `(CASE WHEN ${timeNs} < ${integerSql(first)} THEN ${integerSql(first)} WHEN ${bin} > ${integerSql(last)} THEN ${integerSql(TIME_NS_MAX)} ELSE ${bin} + ${bins.intervalNs} END)`;
}

/** From 0 to the interval. */
function offsetOf({ offsetNs, intervalNs }: Bins): bigint {
  return ((offsetNs % intervalNs) + intervalNs) % intervalNs;
}

/** Start of the first bin that is as long as the others; the rest before it is a bin too. */
function firstBinNs(bins: Bins): bigint {
  const { intervalNs } = bins;
  const toNext = (((offsetOf(bins) - TIME_NS_MIN) % intervalNs) + intervalNs) % intervalNs;
  return clampedTimeNs(TIME_NS_MIN + toNext);
}

/** The bins of all series as `(g.., t)`, from the filled rows' CTE. */
export function gridSql(bins: Bins, rows: string, keys: readonly string[], low: bigint | undefined, high: bigint): string {
  if (low !== undefined && high >= low && (high - low) / bins.intervalNs > binsMax) {
    throw new InfluxError({ code: 'INFLUXQL_PLAN', message: TOO_MANY_BINS, status: 400 });
  }
  const keyList = keys.map((key) => `${key}, `).join('');
  const grouped = keys.length > 0 ? ` GROUP BY ${keys.join(', ')}` : ' HAVING count(*) > 0';
  const series = `(SELECT ${keyList}min(t) AS first_bin FROM ${rows}${grouped})`;
  const qualified = keys.map((key) => `k.${key}, `).join('');
  if (bins.zone !== undefined) {
    const [calm, end] = calmTimes(bins);
    const own = `SELECT ${keyList}t FROM ${rows}`;
    const lowest =
      low === undefined ? boundedStart(bins, `greatest((SELECT min(t) FROM ${rows}), ${calm})`, high) : integerSql(low > calm ? low : calm);
    const bounds = `(SELECT ${lowest} AS lo, ${integerSql(high < end ? high : end)} AS hi)`;
    const grid = wallClockBins(bins.zone, bounds, bins.intervalNs, bins.offsetNs);
    const from = low === undefined ? 'b.b >= k.first_bin' : 'true';
    // near both ends of time only bins with rows are there
    return calm > end
      ? own
      : `SELECT ${qualified}b.b AS t FROM ${series} AS k JOIN ${grid} AS b ON ${from}${low !== undefined && low >= calm && high <= end ? '' : ` UNION ${own}`}`;
  }
  const first = firstBinNs(bins);
  const start =
    low === undefined
      ? boundedStart(bins, `greatest(k.first_bin, ${integerSql(first)})`, high)
      : integerSql(binNs(bins, low < first ? first : low));
  const end = integerSql(binNs(bins, high) + 1n);
  const grid = `SELECT ${qualified}b.t FROM ${series} AS k, range(${start}, ${end}, ${integerSql(bins.intervalNs)}) AS b(t)`;
  if (low !== undefined && low >= first) return grid;
  const shortBin = low === undefined ? `k.first_bin < ${integerSql(first)}` : 'true';
  return `${grid} UNION ALL SELECT ${qualified}${integerSql(TIME_NS_MIN)} AS t FROM ${series} AS k WHERE ${shortBin}`;
}

/** As `binSql` of a constant. */
function binNs(bins: Bins, timeNs: bigint): bigint {
  const { intervalNs } = bins;
  const bin = timeNs - ((((timeNs - offsetOf(bins)) % intervalNs) + intervalNs) % intervalNs);
  return clampedTimeNs(bin);
}
