/** GROUP BY time. Inside the statement bins are instants, BIGINT nanoseconds. */

import { InfluxError } from '../../../shared/errors.ts';
import { nextWallClockBin, wallClockBin, wallClockBins } from '../../sql/values/zones.ts';
import { integerSql } from './types.ts';

export interface Bins {
  readonly intervalNs: bigint;
  readonly offsetNs: bigint;
  /** Undefined = UTC. */
  readonly zone: string | undefined;
}

/** Most bins of one series between two given bounds. */
export const binsMax = 10_000_000n;

/** The start of the bin of an instant, both ns. */
export function binSql(bins: Bins, timeNs: string): string {
  const { intervalNs, zone } = bins;
  if (zone !== undefined) return `epoch_ns(${wallClockBin(zone, `make_timestamp_ns(${timeNs})`, intervalNs, bins.offsetNs)})`;
  const offset = ((bins.offsetNs % intervalNs) + intervalNs) % intervalNs;
  const shifted = offset === 0n ? timeNs : `(${timeNs} - ${offset})`;
  return `(${timeNs} - ((${shifted} % ${intervalNs}) + ${intervalNs}) % ${intervalNs})`;
}

/** The start of the bin after that of an instant, ns. */
export function nextBinSql(bins: Bins, timeNs: string): string {
  const bin = binSql(bins, timeNs);
  if (bins.zone === undefined) return `(${bin} + ${bins.intervalNs})`;
  return nextWallClockBin(bins.zone, bin, bins.intervalNs, bins.offsetNs);
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
  const end = `${binSql(bins, integerSql(high))} + 1`;
  const start = low === undefined ? 'k.first_bin' : binSql(bins, integerSql(low));
  const qualified = keys.map((key) => `k.${key}, `).join('');
  return `SELECT ${qualified}b.t FROM (SELECT ${keyList}min(t) AS first_bin FROM ${rows}${grouped}) AS k, range(${start}, ${end}, ${integerSql(bins.intervalNs)}) AS b(t)`;
}
