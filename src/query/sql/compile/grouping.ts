/** GROUP BY: keys, and what the other clauses may still see. */

import type { Expr } from '../parse/ast.ts';
import type { Env, Replacement } from '../types/env.ts';
import { planError } from '../types/errors.ts';
import { lookup, type ScopeColumn } from '../types/scope.ts';
import type { Bound, Typed } from '../types/typed.ts';
import { displayName } from './display.ts';
import { columnReference, compileExpr } from './expr.ts';
import type { ExpandedItem } from './select-items.ts';
import { aggregateCalls, containsAggregate, isLiteral } from './walk.ts';

export interface GroupKey {
  readonly expr: Expr;
  readonly value: Typed;
}

export interface Grouping {
  readonly keys: readonly GroupKey[];
  /** After `GROUP BY `; empty when there are no keys. */
  readonly sql: string;
}

/** Resolves ordinals and aliases. `env` sees the input's columns. */
export function compileGrouping(groupBy: readonly Expr[] | 'all', items: readonly ExpandedItem[], env: Env): Grouping {
  const keys: GroupKey[] = [];
  const key = (expr: Expr): string => {
    const resolved = groupExpr(expr, items, env);
    if (containsAggregate(resolved)) throw planError('Aggregate functions are not allowed in GROUP BY');
    const value = compileExpr(resolved, env);
    keys.push({ expr: resolved, value });
    return value.constant ? `(${value.sql})` : value.sql;
  };
  const exprs = groupBy === 'all' ? items.filter((item) => !containsAggregate(item.expr)).map((item) => item.expr) : groupBy;
  // `()` stands for no key
  const terms = exprs
    .filter((expr) => expr.kind !== 'tuple' || expr.items.length > 0)
    .map((expr) => {
      if (expr.kind !== 'grouping-sets') return key(expr);
      const sets = expr.sets.map((set) => `(${set.map(key).join(', ')})`);
      return `${expr.type} (${sets.join(', ')})`;
    });
  return { keys, sql: terms.join(', ') };
}

/** GROUP BY for print: a key that is in the select list by its position, so that DuckDB binds it once. */
export function printedGrouping(grouping: Grouping, selected: readonly Typed[], groupBy: readonly Expr[] | 'all'): string {
  if (groupBy !== 'all' && groupBy.some((expr) => expr.kind === 'grouping-sets')) return grouping.sql;
  const terms = grouping.keys.map(({ value }) => {
    const position = value.constant || value.column ? -1 : selected.findIndex((item) => item.sql === value.sql);
    return position >= 0 ? String(position + 1) : value.constant ? `(${value.sql})` : value.sql;
  });
  return terms.join(', ');
}

/** Groups that are few whatever is in them. */
const FEW_GROUPS = 20_000n;

/** True when the keys cannot make many groups: none, or one bin of a time that is bounded. */
export function makesFewGroups({ keys }: Grouping, bounds: readonly Bound[], nowNs: bigint): boolean {
  const bin = keys[0]?.value.bin;
  if (keys.length === 0) return true;
  if (keys.length > 1 || bin === undefined) return false;
  let min: bigint | undefined;
  let max: bigint | undefined;
  for (const bound of bounds) {
    if (bound.column !== bin.column) continue;
    if (bound.min !== undefined && (min === undefined || bound.min > min)) min = bound.min;
    if (bound.max !== undefined && (max === undefined || bound.max < max)) max = bound.max;
  }
  return min !== undefined && ((max ?? nowNs) - min) / bin.ns < FEW_GROUPS;
}

/** What a GROUP BY term stands for: a position, an alias or itself. */
export function groupExpr(expr: Expr, items: readonly ExpandedItem[], env: Env): Expr {
  if (expr.kind === 'number') {
    const item = items[Number(expr.text) - 1];
    if (!item || !/^\d+$/.test(expr.text)) {
      throw planError(`Cannot find column with position ${expr.text} in SELECT clause. Valid columns: 1 to ${items.length}`);
    }
    return item.expr;
  }
  if (expr.kind === 'column' && expr.path.length === 1 && !lookup(env.scope, expr.path)) {
    const item = items.find((candidate) => candidate.alias === expr.path[0]);
    if (item) return item.expr;
  }
  return expr;
}

/** Lets group keys through and refuses other columns. */
export function groupedReplacement(grouping: Grouping, items: readonly ExpandedItem[], env: Env): Replacement {
  const columns = new Set<ScopeColumn>();
  const bySql = new Map<string, Typed>();
  const kinds = new Set<Expr['kind']>();
  for (const { expr, value } of grouping.keys) {
    if (value.column) columns.add(value.column);
    else {
      bySql.set(value.sql, value);
      kinds.add(expr.kind);
    }
  }
  const plain: Env = { ...env, aggregates: true };
  return {
    match(expr) {
      if (expr.kind === 'column') {
        const found = lookup(env.scope, expr.path);
        return found && found.fields.length === 0 && columns.has(found.column) ? columnReference(found.column) : undefined;
      }
      if (isLiteral(expr) || !kinds.has(expr.kind)) return undefined;
      return bySql.get(compileExpr(expr, plain).sql);
    },
    ungrouped: (label) => ungrouped(label, grouping, items, env),
  };
}

function ungrouped(label: string, grouping: Grouping, items: readonly ExpandedItem[], env: Env): Error {
  const names = grouping.keys.map((key) => displayName(key.expr, env));
  for (const item of items) for (const call of aggregateCalls(item.expr)) names.push(displayName(call, env));
  const clause = env.clause === 'HAVING' || env.clause === 'ORDER BY' ? env.clause : 'SELECT';
  return planError(
    `Column in ${clause} must be in GROUP BY or an aggregate function: While expanding wildcard, column "${label}" must appear in the GROUP BY clause or must be part of an aggregate function, currently only "${names.join(', ')}" appears in the SELECT clause satisfies this requirement`,
  );
}
