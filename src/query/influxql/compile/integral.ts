/** `integral(field[, unit])`. */
import { SECOND_NS } from '../../../shared/time-units.ts';
import { type Bins, nextBinSql } from './bins.ts';
import { durationArgument } from './functions.ts';
import type { CallExpr, RefExpr } from './ir.ts';
import { keyNames, type SelectPlan } from './plan.ts';
import type { SourceRows } from './source-rows.ts';
import { asFloat, floatSql, isNumeric, missing, type Value } from './types.ts';

/** Area under the line through the points; the parts of it are made by `withAreas`. */
export function integralSql(call: CallExpr, value: Value): Value {
  if (!isNumeric(value.type)) return missing;
  const unit = floatSql(Number(durationArgument(call, 1) ?? SECOND_NS));
  return { sql: `coalesce(sum(area_${value.sql} / ${unit}), ${floatSql(0)})`, type: 'float' };
}

/** The rows of the source, each with the area between it and its neighbours for every field that is integrated. */
export function withAreas(plan: SelectPlan, source: SourceRows): string {
  const calls = plan.analysis.calls.filter((call) => call.name === 'integral');
  const fields = new Map(calls.map((call) => source.value(call.args[0] as RefExpr)).map((value) => [value.sql, value]));
  const numeric = [...fields.values()].filter((value) => isNumeric(value.type));
  if (numeric.length === 0) return source.sql;
  const { bins } = plan;
  const area = (value: Value): string => (bins === undefined ? wholeArea(plan, value) : splitArea(plan, value));
  const areas = numeric.map((value) => `${area(value)} AS area_${value.sql}`);
  return `SELECT *, ${areas.join(', ')} FROM (${bins === undefined ? source.sql : withBinEnds(bins, source)})`;
}

function withBinEnds(bins: Bins, source: SourceRows): string {
  return `SELECT *, ${nextBinSql(bins, 't')} AS bin_end FROM (${source.sql})`;
}

/** Rows without a value are a partition of their own: the neighbours of a value are values. */
function windowOver(plan: SelectPlan, value: Value): string {
  return `OVER (PARTITION BY ${[...keyNames(plan), `(${value.sql} IS NULL)`].join(', ')} ORDER BY t)`;
}

/** The trapezoid to the value before. */
function wholeArea(plan: SelectPlan, value: Value): string {
  const over = windowOver(plan, value);
  const y = asFloat(value);
  return `0.5::DOUBLE * (${y} + lag(${y}) ${over}) * (t - lag(t) ${over})`;
}

/**
 * The trapezoid to the value before, cut where the bin of that value ends, as in v1: what is beyond counts for the bin of
 * this value, bins between them that have no value included. What comes before the cut is added by the row before.
 */
function splitArea(plan: SelectPlan, value: Value): string {
  const over = windowOver(plan, value);
  const y = asFloat(value);
  const point = (fn: 'lag' | 'lead'): { t: string; y: string; end: string } => ({
    t: `${fn}(t) ${over}`,
    y: `${fn}(${y}) ${over}`,
    end: `${fn}(bin_end) ${over}`,
  });
  const [before, after] = [point('lag'), point('lead')];
  const cutBefore = `(${before.y} + (${y} - ${before.y}) * (${before.end} - ${before.t}) / (t - ${before.t}))`;
  const cutAfter = `(${y} + (${after.y} - ${y}) * (bin_end - t) / (${after.t} - t))`;
  const toBefore = `CASE WHEN bin_end = ${before.end} THEN 0.5::DOUBLE * (${y} + ${before.y}) * (t - ${before.t}) ELSE 0.5::DOUBLE * (${y} + ${cutBefore}) * (t - ${before.end}) END`;
  const toAfter = `CASE WHEN bin_end <> ${after.end} THEN 0.5::DOUBLE * (${y} + ${cutAfter}) * (bin_end - t) END`;
  return `coalesce(${toBefore}, 0) + coalesce(${toAfter}, 0)`;
}
