/** WHERE of DELETE and DROP SERIES. */
import { InfluxError } from '../../../shared/errors.ts';
import type { Expr } from './ir.ts';
import type { TimeRange } from './state.ts';
import { splitCondition } from './time-range.ts';

/** Rows that a condition chooses: inclusive bounds on time, and values that tags have, or (`not`) have not; an empty one stands for rows without the tag. */
export interface DeleteCondition {
  readonly range: TimeRange;
  readonly tags: readonly (readonly [key: string, value: string, not?: 'not'])[];
}

/** Reads conditions on time and on tags with `=` and `!=`, joined by AND. Throws INFLUXQL_STATEMENT (400) for any other. */
export function deleteCondition(where: Expr | undefined, nowNs: bigint): DeleteCondition {
  if (where !== undefined && hasOr(where)) throw refusedCondition();
  const { range, filter } = splitCondition(where, { nowNs, zone: undefined });
  return { range, tags: filter === undefined ? [] : equalities(filter) };
}

/** Times under an OR count for the whole condition of a query; a delete must not take more rows than it says. */
function hasOr(expr: Expr): boolean {
  return expr.kind === 'binary' && (expr.op === 'OR' || hasOr(expr.left) || hasOr(expr.right));
}

function equalities(expr: Expr): DeleteCondition['tags'][number][] {
  if (expr.kind !== 'binary') throw refusedCondition();
  const { left, op, right } = expr;
  if (op === 'AND') return [...equalities(left), ...equalities(right)];
  if ((op !== '=' && op !== '!=') || left.kind !== 'ref' || right.kind !== 'literal' || right.literal.kind !== 'string')
    throw refusedCondition();
  return [op === '=' ? [left.name, right.literal.value] : [left.name, right.literal.value, 'not']];
}

function refusedCondition(): InfluxError {
  return new InfluxError({
    code: 'INFLUXQL_STATEMENT',
    message: "rows are deleted by conditions on time and on tags with = and != 'value', joined by AND",
    status: 400,
  });
}
