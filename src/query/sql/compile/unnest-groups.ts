/** Groups by the items of lists: `GROUP BY unnest(x)`. */

import type { CallExpr, Expr, OrderItem, Select, SelectItem, TableRef } from '../parse/ast.ts';

/** Name of a column of items; no user column can be meant by it. */
const ITEMS = '__unnest';

/** A select and what it is ordered by. */
export interface GroupedSelect {
  readonly select: Select;
  readonly orderBy: readonly OrderItem[];
}

/**
 * `SELECT unnest(x) AS u, count(*) FROM t WHERE w GROUP BY u` groups the rows of `SELECT *, unnest(x) AS __unnest0 FROM t WHERE w`. A select
 * that groups by nothing of the kind, or reads more than one table, is returned as it is.
 */
export function unnestedFirst(select: Select, orderBy: readonly OrderItem[]): GroupedSelect {
  const { groupBy, from } = select;
  if (groupBy === 'all' || from === undefined) return { select, orderBy };
  const alias = nameOf(from);
  const calls = uniqueCalls(groupBy.map((key) => meant(key, select.items)).filter(isUnnest));
  if (calls.length === 0 || alias === undefined) return { select, orderBy };
  const column = (at: number): Expr => ({ kind: 'column', path: [`${ITEMS}${at}`], quoted: [true] });
  const placeOf = (expr: Expr): number => calls.findIndex((call) => same(call, expr));
  const inner: Select = {
    ...select,
    distinct: false,
    distinctOn: [],
    items: [
      { kind: 'wildcard', qualifier: undefined, exclude: [] },
      ...calls.map((expr, at): SelectItem => ({ kind: 'expr', expr, alias: `${ITEMS}${at}` })),
    ],
    groupBy: [],
    having: undefined,
    qualify: undefined,
  };
  const query = { ctes: [], recursive: false, body: inner, orderBy: [], limit: undefined, offset: undefined };
  const items = select.items.map((item): SelectItem => {
    const at = item.kind === 'expr' ? placeOf(item.expr) : -1;
    if (item.kind !== 'expr' || at < 0) return item;
    return { kind: 'expr', expr: column(at), alias: item.alias ?? label(calls[at] as CallExpr, alias) };
  });
  const keys = groupBy.map((key) => {
    const at = placeOf(meant(key, select.items));
    return at < 0 ? key : column(at);
  });
  const grouped: Select = {
    ...select,
    items,
    groupBy: keys,
    where: undefined,
    from: { kind: 'derived', query, lateral: false, alias: { name: alias, columns: [] } },
  };
  const order = orderBy.map((item) => ({ ...item, expr: placeOf(item.expr) < 0 ? item.expr : column(placeOf(item.expr)) }));
  return { select: grouped, orderBy: order };
}

/** What qualifies the columns of a FROM with one table. */
export function nameOf(from: TableRef): string | undefined {
  if (from.kind === 'join') return undefined;
  return from.alias?.name ?? (from.kind === 'table' ? from.parts.at(-1) : undefined);
}

/** What a GROUP BY term stands for: a position, an alias or itself. */
function meant(key: Expr, items: readonly SelectItem[]): Expr {
  const found =
    key.kind === 'number'
      ? items[Number(key.text) - 1]
      : items.find((item) => item.kind === 'expr' && item.alias !== undefined && key.kind === 'column' && same(key.path, [item.alias]));
  return found?.kind === 'expr' ? found.expr : key;
}

function isUnnest(expr: Expr): expr is CallExpr {
  return expr.kind === 'call' && expr.name === 'unnest' && expr.args.length === 1;
}

function uniqueCalls(calls: readonly CallExpr[]): readonly CallExpr[] {
  return calls.filter((call, at) => calls.findIndex((other) => same(call, other)) === at);
}

function same(a: unknown, b: unknown): boolean {
  return withoutPlaces(a) === withoutPlaces(b);
}

/** A node as a text to compare: where something stands is not what it is. */
export function withoutPlaces(node: unknown): string {
  return JSON.stringify(node, (key, value: unknown) => (key === 'at' ? undefined : value));
}

/** The name of a column of items that has no alias. */
function label({ args: [only] }: CallExpr, table: string): string {
  return only?.kind === 'column' ? `UNNEST(${only.path.length === 1 ? `${table}.` : ''}${only.path.join('.')})` : 'UNNEST';
}
