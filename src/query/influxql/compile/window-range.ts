/** Windows over bins look at a bin more than the range has: which rows and bins are those of the range. */
import { clampedTimeNs } from '../../../shared/time-range.ts';
import { extendsRange } from './aggregates.ts';
import { binSql } from './bins.ts';
import { functionKind } from './functions.ts';
import type { CallExpr, Expr } from './ir.ts';
import type { SelectPlan } from './plan.ts';
import type { SourceRows } from './source-rows.ts';
import type { TimeRange } from './state.ts';
import type { Value } from './types.ts';

/** Windows need the bin before the range, or after it when time descends. */
export function scanRange(plan: SelectPlan): TimeRange {
  const { bins, range, analysis, select } = plan;
  const upper = bins === undefined ? range : { low: range.low, high: plan.highNs };
  if (bins === undefined || !extendsRange(analysis.windows)) return upper;
  const { intervalNs } = bins;
  return select.descending
    ? { low: upper.low, high: upper.high === undefined ? undefined : clampedTimeNs(upper.high + intervalNs) }
    : { low: upper.low === undefined ? undefined : clampedTimeNs(upper.low - intervalNs), high: upper.high };
}

/** The aggregates of a SELECT with bins; in InfluxDB 1 only windows that look back see the bin before the range and the rest of the first bin. */
export function wantedAggregates(plan: SelectPlan): { readonly call: CallExpr; readonly ownRange: boolean }[] {
  const { calls, windows } = plan.analysis;
  if (!plan.asV1 || !extendsRange(windows)) return calls.map((call) => ({ call, ownRange: false }));
  return plan.fields
    .flatMap(({ expr }) => shownCalls(expr))
    .map((call) =>
      functionKind(call.name) === 'window' ? { call: call.args[0] as CallExpr, ownRange: !extendsRange([call]) } : { call, ownRange: true },
    );
}

/** The source with values of the range only. */
export function rowsInRange({ range, highNs }: SelectPlan, source: SourceRows): SourceRows {
  const low = range.low === undefined ? [] : [`t >= CAST(${range.low} AS BIGINT)`];
  const condition = [...low, `t <= CAST(${highNs} AS BIGINT)`].join(' AND ');
  return {
    ...source,
    value(ref) {
      const value = source.value(ref);
      return value.type === 'null' ? value : { ...value, sql: `(CASE WHEN ${condition} THEN ${value.sql} END)` };
    },
  };
}

/** True for the bins that windows have not added. */
export function binInRange({ bins, range, highNs, select }: SelectPlan): string {
  if (bins === undefined) return 'true';
  const bin = (ns: bigint): string => binSql(bins, `CAST(${ns} AS BIGINT)`);
  if (select.descending) return `t <= ${bin(highNs)}`;
  return range.low === undefined ? 'true' : `t >= ${bin(range.low)}`;
}

/** A value of bins without those that windows have added. */
export function inBinsOfRange(plan: SelectPlan, value: Value): Value {
  return value.type === 'null' ? value : { ...value, sql: `(CASE WHEN ${binInRange(plan)} THEN ${value.sql} END)` };
}

/** The outermost calls of functions over rows. */
export function shownCalls(expr: Expr): CallExpr[] {
  if (expr.kind === 'binary') return [...shownCalls(expr.left), ...shownCalls(expr.right)];
  if (expr.kind !== 'call') return [];
  return functionKind(expr.name) === 'math' ? expr.args.flatMap(shownCalls) : [expr];
}
