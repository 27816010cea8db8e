/** Looking through a statement without compiling it. */
import { isAggregate } from '../functions/aggregates.ts';
import type { BaseTableRef, CallExpr, Expr, Query, TableRef } from '../parse/ast.ts';

type Visitor = (node: object & { readonly kind?: unknown }) => boolean;

/** Visits every node; `enter` returning false skips what is inside. */
function visit(node: unknown, enter: Visitor): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, enter);
    return;
  }
  if (node instanceof Map) {
    for (const item of node.values()) visit(item, enter);
    return;
  }
  if (typeof node !== 'object' || node === null || !enter(node)) return;
  for (const value of Object.values(node)) if (typeof value === 'object') visit(value, enter);
}

/** True when a call that `test` accepts is part of the expression itself, not of a subquery. */
export function containsCall(node: unknown, test: (call: CallExpr) => boolean): boolean {
  let found = false;
  visit(node, (inner) => {
    if (found || 'ctes' in inner) return false;
    if (inner.kind === 'call' && test(inner as CallExpr)) found = true;
    return !found;
  });
  return found;
}

/** True when an aggregate function is called somewhere in the tree outside of subqueries, not as a window function. */
export function containsAggregate(node: unknown): boolean {
  return containsCall(node, (call) => call.over === undefined && isAggregate(call.name));
}

/** True when a function with OVER is called somewhere in the tree outside of subqueries. */
export function containsWindow(node: unknown): boolean {
  return containsCall(node, (call) => call.over !== undefined);
}

/** True when a query stands somewhere in the expression. */
export function hasSubquery(node: unknown): boolean {
  let found = false;
  visit(node, (inner) => {
    if ('ctes' in inner) found = true;
    return !found;
  });
  return found;
}

/** True when a column is called by a path that `test` accepts, nested queries included. */
export function hasPath(node: unknown, test: (path: readonly string[]) => boolean): boolean {
  let found = false;
  visit(node, (inner) => {
    if (inner.kind === 'column' && test((inner as Extract<Expr, { kind: 'column' }>).path)) found = true;
    return !found;
  });
  return found;
}

/** Calls that `test` accepts, outermost only, not those of subqueries. */
export function outermostCalls(node: unknown, test: (call: CallExpr) => boolean): readonly CallExpr[] {
  const calls: CallExpr[] = [];
  visit(node, (inner) => {
    if ('ctes' in inner) return false;
    if (inner.kind !== 'call' || !test(inner as CallExpr)) return true;
    calls.push(inner as CallExpr);
    return false;
  });
  return calls;
}

/** Aggregate calls of an expression, outermost only. */
export function aggregateCalls(node: unknown): readonly CallExpr[] {
  return outermostCalls(node, (call) => call.over === undefined && isAggregate(call.name));
}

/** How often a query names the table `name`, nested queries included (shadowing is not looked at). */
export function countTable(node: unknown, name: string): number {
  let count = 0;
  visit(node, (inner) => {
    if (inner.kind === 'table' && isPlainName(inner as TableRef, name)) count++;
    return true;
  });
  return count;
}

function isPlainName(ref: TableRef, name: string): boolean {
  return ref.kind === 'table' && ref.parts.length === 1 && ref.parts[0] === name;
}

/** Calls `check` for each base table name of the statement in order; names of WITH queries are left out. */
export function eachBaseTable(query: Query, check: (table: BaseTableRef) => void, outer: ReadonlySet<string> = new Set()): void {
  let names = outer;
  for (const cte of query.ctes) {
    eachBaseTable(cte.query, check, query.recursive ? new Set([...names, cte.name]) : names);
    names = new Set([...names, cte.name]);
  }
  visit([query.body, query.orderBy, query.limit, query.offset], (inner) => {
    if ('ctes' in inner) {
      eachBaseTable(inner as Query, check, names);
      return false;
    }
    if (inner.kind === 'table') {
      const table = inner as BaseTableRef;
      if (table.parts.length !== 1 || !names.has(table.parts[0] as string)) check(table);
    }
    return true;
  });
}

/** True for literals, which nothing ever replaces. */
export function isLiteral(expr: Expr): boolean {
  return expr.kind === 'number' || expr.kind === 'string' || expr.kind === 'boolean' || expr.kind === 'null' || expr.kind === 'interval';
}
