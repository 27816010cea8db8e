/** A SELECT whose names are resolved: what every measurement's rows are made from. */
import type { Analysis } from './analyze.ts';
import type { Bins } from './bins.ts';
import type { NamedField } from './expand.ts';
import type { Expr, Fill, Select } from './ir.ts';
import type { Rowset } from './rowset.ts';
import type { TimeRange } from './state.ts';
import type { ValueType } from './types.ts';

export interface SelectPlan {
  readonly select: Select;
  readonly rowsets: readonly Rowset[];
  readonly range: TimeRange;
  /** Upper bound of the bins: that of the range, or now. */
  readonly highNs: bigint;
  readonly filter: Expr | undefined;
  readonly fields: readonly NamedField[];
  readonly analysis: Analysis;
  readonly bins: Bins | undefined;
  /** Group tags by name. */
  readonly tags: readonly string[];
  readonly fill: Fill | undefined;
  readonly emptyCounts: EmptyCounts;
  /** True = as InfluxDB 1 answers where InfluxDB 3 Core has another answer. */
  readonly asV1: boolean;
  /** Name of the time column. */
  readonly timeName: string;
}

/**
 * What `count` is where it counts nothing: 0; 0 in the bins of series that have the field, and nothing in other series; or nothing.
 * The last two are those of InfluxDB 1.
 */
export type EmptyCounts = 'zero' | 'zero beside others' | 'nothing';

/** One column of a measurement's rows. */
export interface RowColumn {
  readonly name: string;
  readonly sqlName: string;
  readonly type: ValueType;
}

/** `SELECT g0.., t, c0..`: group tags, BIGINT nanoseconds, columns. */
export interface MeasurementRows {
  readonly measurement: string;
  readonly sql: string;
  readonly columns: readonly RowColumn[];
  /** Further columns, which order rows of equal times: the tags of their series, by name. */
  readonly ties: readonly string[];
  /** The tag of each of them. */
  readonly tieTags: readonly string[];
}

/** `ORDER BY` items for rows of equal times: in the order of their series, backwards when time descends. As in InfluxDB 1. */
export function tieOrder(plan: Pick<SelectPlan, 'select'>, ties: readonly string[]): string[] {
  return ties.map((name) => `${name}${plan.select.descending ? ' DESC NULLS LAST' : ' NULLS FIRST'}`);
}

/** Names of the group tags inside the statement. */
export function keyNames(plan: Pick<SelectPlan, 'tags'>): string[] {
  return plan.tags.map((_, i) => `g${i}`);
}

/** `PARTITION BY` columns of a window, with a space behind it; empty when there are none, and all rows are one partition. */
export function partitionBy(columns: readonly string[]): string {
  return columns.length > 0 ? `PARTITION BY ${columns.join(', ')} ` : '';
}

/** The order of the rows of a series, behind ORDER BY. */
export function rowOrder(plan: SelectPlan, ties: readonly string[]): string {
  return [`t${plan.select.descending ? ' DESC' : ''}`, ...tieOrder(plan, ties)].join(', ');
}
