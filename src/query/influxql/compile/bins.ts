/** GROUP BY time. Inside the statement bins are instants, BIGINT nanoseconds. */

import { InfluxError } from '../../../shared/errors.ts';
import { clampedTimeNs, TIME_NS_MAX, TIME_NS_MIN } from '../../../shared/time-range.ts';
import { nextWallClockBin, wallClockBin, wallClockBins } from '../../sql/values/zones.ts';
import { integerSql } from './types.ts';

export interface Bins {
  readonly intervalNs: bigint;
  readonly offsetNs: bigint;
  /** Undefined = UTC. */
  readonly zone: string | undefined;
}

/** Most bins of one series between two given bounds. */
const binsMax = 10_000_000n;

/** The start of the bin of an instant, both ns. The first bin begins with the least time that a row can have, as in InfluxDB 1. */
export function binSql(bins: Bins, timeNs: string): string {
  const { intervalNs, zone } = bins;
  if (zone !== undefined) return `epoch_ns(${wallClockBin(zone, `make_timestamp_ns(${timeNs})`, intervalNs, bins.offsetNs)})`;
  const offset = offsetOf(bins);
  const rest = `${timeNs} % ${intervalNs}`;
  // nothing here leaves 64 bits, whatever the time
  const shifted = offset === 0n ? rest : `(${rest} - ${offset}) % ${intervalNs}`;
  const bin = `(${timeNs} - ((${shifted}) + ${intervalNs}) % ${intervalNs})`;
  return `(CASE WHEN ${timeNs} < ${integerSql(firstBinNs(bins))} THEN ${integerSql(TIME_NS_MIN)} ELSE ${bin} END)`;
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
    throw new InfluxError({
      code: 'INFLUXQL_PLAN',
      message: `Error during planning: GROUP BY time would make more than ${binsMax} rows for each series`,
      status: 400,
    });
  }
  const keyList = keys.map((key) => `${key}, `).join('');
  const grouped = keys.length > 0 ? ` GROUP BY ${keys.join(', ')}` : ' HAVING count(*) > 0';
  if (bins.zone !== undefined) {
    const bounds = `(SELECT ${low === undefined ? 'min(t)' : integerSql(low)} AS lo, ${integerSql(high)} AS hi FROM ${rows})`;
    const grid = wallClockBins(bins.zone, bounds, bins.intervalNs, bins.offsetNs);
    const from = low === undefined ? 'b.b >= k.first_bin' : 'true';
    return `SELECT ${keys.map((key) => `k.${key}, `).join('')}b.b AS t FROM (SELECT ${keyList}min(t) AS first_bin FROM ${rows}${grouped}) AS k JOIN ${grid} AS b ON ${from}`;
  }
  const first = firstBinNs(bins);
  const series = `(SELECT ${keyList}min(t) AS first_bin FROM ${rows}${grouped})`;
  const qualified = keys.map((key) => `k.${key}, `).join('');
  const start = low === undefined ? `greatest(k.first_bin, ${integerSql(first)})` : integerSql(binNs(bins, low < first ? first : low));
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
