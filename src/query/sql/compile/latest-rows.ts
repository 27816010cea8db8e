/** Reads only the newest rows where a statement asks for the newest row of each group through a window function. */

import type { Expr, OrderItem, Query, Select, SelectItem, TableRef, WindowSpec } from '../parse/ast.ts';
import { simpleCall } from '../parse/normalize-call.ts';
import type { CteScope, StatementState } from '../types/env.ts';
import { resolveRelation } from './relations.ts';
import { containsCall, containsWindow, hasPath, hasSubquery } from './walk.ts';

/** Names inside the rewritten FROM; no user column can have them qualified by another name. */
const ROWS = '__rows';
const EDGE = '__edge';
const EDGE_TIME = '__time';

const RANKS: ReadonlySet<string> = new Set(['row_number', 'rank', 'dense_rank']);

/**
 * `SELECT .. FROM (SELECT .., row_number() OVER (PARTITION BY k ORDER BY time DESC) AS rn FROM t WHERE w) WHERE rn = 1`
 * sorts all rows in DuckDB to keep one a group. Rows that are not at the group's greatest time can never be first, so
 * they are left out before the window sees them: finding `max(time)` per group first is ten times as fast.
 * Anything that is not exactly of this form is returned as it is.
 */
export function latestRowsOnly(select: Select, state: StatementState, ctes: CteScope | undefined): Select {
  const { from, where } = select;
  if (from?.kind !== 'derived' || from.lateral || where === undefined || from.alias?.columns.length) return select;
  const { query } = from;
  if (query.ctes.length > 0 || query.orderBy.length > 0 || query.limit || query.offset || query.body.kind !== 'select') return select;
  const inner = query.body;
  const rank = rankItem(inner);
  const table = inner.from;
  if (rank === undefined || table?.kind !== 'table' || !conjuncts(where).some((test) => isFirst(test, rank.alias, from.alias?.name))) {
    return select;
  }
  const keys = plainColumns(rank.window.partitionBy);
  const order = rank.window.orderBy[0];
  // The new FROM has the table's name only, without its schema.
  if (hasPath(inner, (path) => path.length > 2)) return select;
  if (keys === undefined || order === undefined || !isTime(order) || !isStable(inner.where)) return select;
  if (table.alias?.columns.length || isCte(table.parts, ctes) || resolveRelation(state, table.parts).schema !== 'iox') return select;
  const edgeRows: TableRef = { ...from, query: { ...query, body: { ...inner, from: newestRows(table, inner.where, keys, order) } } };
  return { ...select, from: edgeRows };
}

export interface RankItem {
  /** Numbers each row; others may give several rows the first place. */
  readonly isUnique: boolean;
  readonly alias: string;
  readonly window: WindowSpec;
}

/** The only window function of a plain SELECT, when it numbers rows. */
export function rankItem(select: Select): RankItem | undefined {
  const plain = !select.distinct && select.distinctOn.length === 0 && select.groupBy.length === 0 && !select.having && !select.qualify;
  const windows = select.items.filter((item) => item.kind === 'expr' && containsWindow(item.expr));
  const [item] = windows;
  if (!plain || select.groupBy === 'all' || windows.length !== 1 || item?.kind !== 'expr' || item.alias === undefined) return undefined;
  const call = item.expr;
  if (call.kind !== 'call' || !RANKS.has(call.name) || call.filter || typeof call.over !== 'object') return undefined;
  if (call.over.base !== undefined || call.over.frame) return undefined;
  return select.items.some((other) => other !== item && hidesAlias(other, item.alias as string))
    ? undefined
    : { isUnique: call.name === 'row_number', alias: item.alias, window: call.over };
}

function hidesAlias(item: SelectItem, alias: string): boolean {
  return item.kind === 'expr' && item.alias === alias;
}

function conjuncts(expr: Expr): readonly Expr[] {
  return expr.kind === 'binary' && expr.op === 'AND' ? [...conjuncts(expr.left), ...conjuncts(expr.right)] : [expr];
}

/** `rn = 1`, `1 = rn`, `rn <= 1` or `rn < 2`. */
export function isFirst(test: Expr, alias: string, qualifier: string | undefined): boolean {
  if (test.kind !== 'binary') return false;
  const { op, left, right } = test;
  const isRank = (expr: Expr): boolean =>
    expr.kind === 'column' &&
    expr.path.at(-1) === alias &&
    (expr.path.length === 1 || (expr.path.length === 2 && expr.path[0] === qualifier));
  const isNumber = (expr: Expr, text: string): boolean => expr.kind === 'number' && expr.text === text;
  if (op === '=') return (isRank(left) && isNumber(right, '1')) || (isRank(right) && isNumber(left, '1'));
  return isRank(left) && ((op === '<=' && isNumber(right, '1')) || (op === '<' && isNumber(right, '2')));
}

/** Names of the columns when all expressions are columns without a qualifier, otherwise undefined. */
export function plainColumns(exprs: readonly Expr[]): readonly string[] | undefined {
  const names: string[] = [];
  for (const expr of exprs) {
    if (expr.kind !== 'column' || expr.path.length !== 1 || expr.path[0] === undefined) return undefined;
    names.push(expr.path[0]);
  }
  return names;
}

/** True for a sort by the column `time` itself. */
export function isTime(order: OrderItem): boolean {
  return order.expr.kind === 'column' && order.expr.path.length === 1 && order.expr.path[0] === 'time';
}

/** True when the condition says the same each time it is asked. */
function isStable(where: Expr | undefined): boolean {
  return where === undefined || (!hasSubquery(where) && !containsCall(where, (call) => call.name === 'random' || call.name === 'uuid'));
}

function isCte(parts: readonly string[], ctes: CteScope | undefined): boolean {
  for (let scope = ctes; scope; scope = scope.parent) if (parts.length === 1 && scope.name === parts[0]) return true;
  return false;
}

/** `(SELECT __rows.* FROM t AS __rows JOIN (SELECT k, max(time) FROM t WHERE w GROUP BY k) AS __edge ON ..) AS t`. */
function newestRows(
  table: Extract<TableRef, { kind: 'table' }>,
  where: Expr | undefined,
  keys: readonly string[],
  order: OrderItem,
): TableRef {
  const edge: Select = {
    ...plainSelect([
      ...keys.map((key, index): SelectItem => ({ kind: 'expr', expr: column(key), alias: `__k${index}` })),
      { kind: 'expr', expr: simpleCall(order.descending ? 'max' : 'min', [column('time')]), alias: EDGE_TIME },
    ]),
    from: table,
    where,
    groupBy: keys.map((key) => column(key)),
  };
  const same = keys.map(
    (key, index): Expr => ({ kind: 'binary', op: 'IS NOT DISTINCT FROM', left: column(ROWS, key), right: column(EDGE, `__k${index}`) }),
  );
  const atEdge: Expr = { kind: 'binary', op: '=', left: column(ROWS, 'time'), right: column(EDGE, EDGE_TIME) };
  const rows: Select = {
    ...plainSelect([{ kind: 'wildcard', qualifier: [ROWS], exclude: [] }]),
    from: {
      kind: 'join',
      type: 'INNER',
      left: { ...table, alias: { name: ROWS, columns: [] } },
      right: { kind: 'derived', query: queryOf(edge), lateral: false, alias: { name: EDGE, columns: [] } },
      on: same.reduce((all, next): Expr => ({ kind: 'binary', op: 'AND', left: all, right: next }), atEdge),
      using: undefined,
    },
  };
  const name = table.alias?.name ?? (table.parts.at(-1) as string);
  return { kind: 'derived', query: queryOf(rows), lateral: false, alias: { name, columns: [] } };
}

function column(...path: readonly string[]): Expr {
  return { kind: 'column', path, quoted: path.map(() => true) };
}

function plainSelect(items: readonly SelectItem[]): Select {
  return {
    kind: 'select',
    distinct: false,
    distinctOn: [],
    items,
    from: undefined,
    where: undefined,
    groupBy: [],
    having: undefined,
    qualify: undefined,
    windows: new Map(),
  };
}

function queryOf(body: Select): Query {
  return { ctes: [], recursive: false, body, orderBy: [], limit: undefined, offset: undefined };
}
