/** GROUP BY time. InfluxQL spec 7. Inside the statement bins are BIGINT nanoseconds. */

import { InfluxError } from '../../../shared/errors.ts';
import { quoteString } from '../../sql/types/quote.ts';
import { integerSql } from './types.ts';

export interface Bins {
  readonly intervalNs: bigint;
  readonly offsetNs: bigint;
  /** Undefined = UTC. */
  readonly zone: string | undefined;
}

/** Most bins of one series between two given bounds. */
export const binsMax = 10_000_000n;

/** The start of the bin of an instant, both ns; wall-clock nanoseconds when there is a zone. */
export function binSql(bins: Bins, timeNs: string): string {
  const { intervalNs, zone } = bins;
  const offset = ((bins.offsetNs % intervalNs) + intervalNs) % intervalNs;
  const local = zone === undefined ? timeNs : `epoch_ns(_df.to_local(${quoteString(zone)}, make_timestamp_ns(${timeNs})))`;
  const shifted = offset === 0n ? local : `(${local} - ${offset})`;
  return `(${local} - ((${shifted} % ${intervalNs}) + ${intervalNs}) % ${intervalNs})`;
}

/** The instant of a bin's start. */
export function instantSql(bins: Bins, bin: string): string {
  return bins.zone === undefined ? bin : `epoch_ns(_df.from_local(${quoteString(bins.zone)}, make_timestamp_ns(${bin})))`;
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
  const end = `${binSql(bins, integerSql(high))} + 1`;
  const keyList = keys.map((key) => `${key}, `).join('');
  const grouped = keys.length > 0 ? ` GROUP BY ${keys.join(', ')}` : ' HAVING count(*) > 0';
  const start = low === undefined ? 'k.first_bin' : binSql(bins, integerSql(low));
  const qualified = keys.map((key) => `k.${key}, `).join('');
  return `SELECT ${qualified}b.t FROM (SELECT ${keyList}min(t) AS first_bin FROM ${rows}${grouped}) AS k, range(${start}, ${end}, ${integerSql(bins.intervalNs)}) AS b(t)`;
}
