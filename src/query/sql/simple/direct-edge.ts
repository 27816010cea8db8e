/** The newest row of each group of tags, from columns in memory (`src/query/columns`). */

import { isFirst, isTime, plainColumns, rankItem } from '../compile/latest-rows.ts';
import type { QueryPlace } from '../compile/query.ts';
import { compileInput } from '../compile/select.ts';
import { expandItems } from '../compile/select-items.ts';
import type { OrderItem, Select } from '../parse/ast.ts';
import type { DirectPlan, RowItem } from '../types/plans.ts';
import { conditions, directRowItems, isPlain, onlyTable } from './direct.ts';

/**
 * `SELECT columns FROM (SELECT .., row_number() OVER (PARTITION BY tags ORDER BY time DESC) AS rn FROM t WHERE w) WHERE rn = 1`,
 * when the columns are plain and the condition is. Undefined for anything else.
 */
export function directEdge(select: Select, orderBy: readonly OrderItem[], limits: string, place: QueryPlace): DirectPlan | undefined {
  const { from, where } = select;
  if (from?.kind !== 'derived' || from.lateral || where === undefined || from.alias?.columns.length || orderBy.length > 0 || limits !== '')
    return undefined;
  if (!isPlain(select) || select.groupBy === 'all' || select.groupBy.length > 0) return undefined;
  const { query } = from;
  if (query.ctes.length > 0 || query.orderBy.length > 0 || query.limit || query.offset || query.body.kind !== 'select') return undefined;
  const inner = query.body;
  const rank = rankItem(inner);
  if (rank === undefined || !rank.isUnique || inner.from?.kind !== 'table' || !isFirst(where, rank.alias, from.alias?.name))
    return undefined;
  const keys = plainColumns(rank.window.partitionBy);
  const [order, ...more] = rank.window.orderBy;
  if (keys === undefined || order === undefined || more.length > 0 || !isTime(order)) return undefined;
  const { env } = compileInput({ ...inner, where: undefined }, { ...place, state: place.state.detached(), top: false });
  const table = onlyTable(inner, env);
  const conditioned = table === undefined ? undefined : conditions(inner.where, env);
  if (table === undefined || conditioned === undefined) return undefined;
  const columns = expandItems(
    inner.items.filter((item) => item.kind !== 'expr' || item.alias !== rank.alias),
    env,
  );
  const stored = directRowItems(columns, env);
  const items = outerItems(
    select,
    from.alias?.name,
    columns.map(({ alias, column, expr }) => alias ?? column?.name ?? lastName(expr)),
    stored,
  );
  const scope = env.scope.tables[0]?.columns ?? [];
  if (items === undefined || !keys.every((key) => scope.some((column) => column.name === key && column.tag !== undefined)))
    return undefined;
  return { table, where: conditioned, shape: { kind: 'edge', edge: order.descending ? 'newest' : 'oldest', tags: keys, items } };
}

/** What the outer select list takes of the inner one, column by column. */
function outerItems(
  select: Select,
  qualifier: string | undefined,
  names: readonly (string | undefined)[],
  stored: readonly (RowItem | undefined)[],
): RowItem[] | undefined {
  const items: RowItem[] = [];
  for (const item of select.items) {
    if (item.kind !== 'expr' || item.expr.kind !== 'column') return undefined;
    const { path } = item.expr;
    if (path.length > 2 || (path.length === 2 && path[0] !== qualifier)) return undefined;
    const at = names.indexOf(path.at(-1));
    const found = stored[at];
    if (found === undefined || names.indexOf(path.at(-1), at + 1) >= 0) return undefined;
    items.push(found);
  }
  return items;
}

function lastName(expr: { readonly kind: string; readonly path?: readonly string[] }): string | undefined {
  return expr.kind === 'column' ? expr.path?.at(-1) : undefined;
}
