/** Rows that the server makes itself, as results of statements. */
import type { ResultType } from '../result.ts';
import { type MadeColumn, madeResult, TEXT } from '../results/index.ts';
import type { GroupKey, InfluxqlResult } from './contract.ts';

/** A series with columns of its own. */
export interface MadeSeries {
  /** Empty = it has no name. */
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly MadeColumn[];
}

export const NO_SERIES: GroupKey = { measurementColumn: -1, tagColumns: [] };

const INT64: ResultType = { kind: 'int64' };
const FLOAT64: ResultType = { kind: 'float64' };

/** A column of texts; null = no value. */
export function textColumn(name: string, values: readonly (string | null)[]): MadeColumn {
  return { name, type: TEXT, values };
}

/** A column of 64-bit integers. */
export function integerColumn(name: string, values: readonly bigint[]): MadeColumn {
  return { name, type: INT64, values };
}

/** A column of doubles. */
export function floatColumn(name: string, values: readonly number[]): MadeColumn {
  return { name, type: FLOAT64, values };
}

/** One table of rows, without series. */
export function madeTable(columns: readonly MadeColumn[]): InfluxqlResult {
  return { result: madeResult(columns), groupKey: NO_SERIES };
}

/** Series of one statement; each may have other columns. */
export function madeSeries([first, ...more]: readonly MadeSeries[]): InfluxqlResult {
  if (first === undefined) return madeTable([]);
  return { ...oneSeries(first), more: more.map(oneSeries) };
}

function oneSeries({ name, tags = {}, columns }: MadeSeries): InfluxqlResult {
  const rowCount = columns[0]?.values.length ?? 0;
  const repeated = (text: string): string[] => Array.from({ length: rowCount }, () => text);
  const keys = Object.keys(tags);
  const front = [textColumn('iox::measurement', repeated(name)), ...keys.map((key) => textColumn(key, repeated(tags[key] ?? '')))];
  const tagColumns = keys.map((key, i) => ({ key, columnIndex: i + 1, projected: false }));
  return { result: madeResult([...front, ...columns]), groupKey: { measurementColumn: 0, tagColumns } };
}
