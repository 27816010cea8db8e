/** One SELECT with its ORDER BY and LIMIT. */

import { uniqueNames } from '../../../duckdb/index.ts';
import { digestOnlyInResult } from '../functions/digests.ts';
import type { OrderItem, Select } from '../parse/ast.ts';
import type { CompiledQuery, Env, OutputColumn } from '../types/env.ts';
import { planError } from '../types/errors.ts';
import { quoteIdent } from '../types/quote.ts';
import { emptyScope } from '../types/scope.ts';
import type { Typed } from '../types/typed.ts';
import { direction, sortKey } from './calls.ts';
import { displayName } from './display.ts';
import { columnReference, compileCondition, compileExpr } from './expr.ts';
import { applyBounds, compileFrom } from './from.ts';
import { compileGapFill, isGapFill } from './gapfill.ts';
import { compileGrouping, type Grouping, groupedReplacement, makesFewGroups, printedGrouping } from './grouping.ts';
import { latestRowsOnly } from './latest-rows.ts';
import type { RowLimits } from './limits.ts';
import { ordinal, type QueryPlace } from './query.ts';
import { digestedItem, isOrderedBy } from './result-digests.ts';
import { checkUniqueLabels, type ExpandedItem, expandItems, itemNames, itemOrigin } from './select-items.ts';
import { unnestedFirst } from './unnest-groups.ts';
import { levelByLevel } from './unnest-levels.ts';
import { containsAggregate, containsWindow } from './walk.ts';

/**
 * A SELECT with ORDER BY and limits as one DuckDB statement, with names and types of its columns. Throws a planning
 * error (400), or 'not implemented' (405).
 */
export function compileSelect(given: Select, order: readonly OrderItem[], limits: RowLimits, place: QueryPlace): CompiledQuery {
  const { select, orderBy } = unnestedFirst(levelByLevel(latestRowsOnly(given, place.state, place.ctes)), order);
  if (isGapFill(select)) return compileGapFill(select, orderBy, limits.sql, place);
  const input = compileInput(select, place);
  const { env } = input;
  const items = expandItems(select.items, env);
  const grouped = isGrouped(select, items, orderBy);
  const grouping = grouped ? compileGrouping(select.groupBy, items, { ...env, clause: 'GROUP BY' }) : undefined;
  const itemEnv: Env = grouping ? { ...env, replacement: groupedReplacement(grouping, items, env) } : env;
  const digestible =
    place.top && place.direct === true && !select.distinct && select.distinctOn.length === 0 && !select.having && !select.qualify;
  const digests = items.map((item, index) => {
    const found = digestible ? digestedItem(item.expr, itemEnv) : undefined;
    if (found && isOrderedBy(item, index + 1, orderBy)) throw digestOnlyInResult(found.digest.algorithm);
    return found;
  });
  const values = items.map(
    (item, index) => digests[index] ?? (item.column && !grouping ? columnReference(item.column) : compileExpr(item.expr, itemEnv)),
  );
  const list = nameItems(items, values, env, place);
  const tail = compileTail(select, orderBy, items, list, grouping, itemEnv);
  const distinct = select.distinct
    ? 'DISTINCT '
    : select.distinctOn.length > 0
      ? `DISTINCT ON (${distinctKeys(select, list, itemEnv)}) `
      : '';
  const sql = [
    `SELECT ${distinct}${list.columns.map((column, index) => `${(values[index] as Typed).sql} AS ${column.sqlName}`).join(', ')}`,
    input.from,
    input.where,
    grouping && grouping.sql !== '' ? ` GROUP BY ${printedGrouping(grouping, values, select.groupBy)}` : '',
    grouping?.keys.length === 0 && !select.having && values.every(isConstant) ? ' HAVING count(*) >= 0' : '',
    tail.sql,
    limits.sql,
  ].join('');
  const small = grouping !== undefined && makesFewGroups(grouping, input.condition?.bounds ?? [], place.state.nowNs);
  const passes = !grouped && limits.sql === '' && select.distinctOn.length === 0 && !containsWindow([select.items, select.qualify]);
  const hasSets = grouped && select.groupBy !== 'all' && select.groupBy.some((key) => key.kind === 'grouping-sets');
  const columns = list.columns.map(
    (column, index): OutputColumn => ({
      ...column,
      ...(digests[index] ? { digest: digests[index].digest } : {}),
      timeUses: passes ? ((values[index] as Typed).column?.timeUses ?? []) : [],
      ...(hasSets && column.origin ? { origin: { ...column.origin, required: false } } : {}),
    }),
  );
  const parts = { select, items, values, grouping, orderBy, orderPositions: tail.orderPositions, limits };
  const simple = place.top ? place.simple : undefined;
  const direct = given === select ? simple?.direct(parts, env) : simple?.edge(given, orderBy, limits.sql, place);
  const made = given === select ? simple?.made(parts, env) : undefined;
  return { definitions: [], recursive: false, sql, columns, small, direct, made };
}

/** Folded aggregates, such as `arrow_typeof(sum(x))`, leave nothing that would tell DuckDB to make one row. */
function isConstant(value: Typed): boolean {
  return value.constant !== undefined;
}

export interface SelectInput {
  readonly env: Env;
  /** ` FROM ...`, or empty. */
  readonly from: string;
  /** ` WHERE ...`, or empty. */
  readonly where: string;
  /** The compiled condition. */
  readonly condition: Typed | undefined;
}

/** FROM and WHERE; narrows the time bounds of the tables. */
export function compileInput(select: Select, place: QueryPlace): SelectInput {
  const { state, ctes } = place;
  const fromEnv: Env = { state, scope: emptyScope(place.outer), ctes, clause: 'FROM', aggregates: false };
  const from = select.from ? compileFrom(select.from, fromEnv) : undefined;
  const scope = from ? from.scope : emptyScope(place.outer);
  const env: Env = { state, scope, ctes, clause: 'SELECT', windows: select.windows, aggregates: true };
  const condition = select.where ? compileCondition(select.where, { ...env, clause: 'WHERE', aggregates: false }) : undefined;
  applyBounds(condition?.bounds, scope);
  return { env, from: from ? ` FROM ${from.sql}` : '', where: condition ? ` WHERE ${condition.sql}` : '', condition };
}

function isGrouped(select: Select, items: readonly ExpandedItem[], orderBy: readonly OrderItem[]): boolean {
  if (select.groupBy === 'all' || select.groupBy.length > 0 || select.having) return true;
  return items.some((item) => containsAggregate(item.expr)) || containsAggregate(orderBy);
}

export interface NamedList {
  readonly columns: readonly OutputColumn[];
  readonly aliases: ReadonlyMap<string, Typed>;
  /** What ORDER BY finds in the select list: aliases, and names of columns that stand there once. */
  readonly orderNames: ReadonlyMap<string, Typed>;
  readonly fields: readonly string[];
  readonly values: readonly Typed[];
}

/** Names the columns: real names at the top of the statement, short ones inside. */
export function nameItems(items: readonly ExpandedItem[], values: readonly Typed[], env: Env, place: QueryPlace): NamedList {
  const names = items.map((item) => itemNames(item, env));
  checkUniqueLabels(
    items,
    names.map((name) => name.label),
    env,
  );
  const physical = place.top ? uniqueNames(names.map((name) => name.name)).map(quoteIdent) : names.map((_, index) => `c${index}`);
  const aliases = new Map<string, Typed>();
  items.forEach((item, index) => {
    if (item.alias !== undefined) aliases.set(item.alias, values[index] as Typed);
  });
  const columns = names.map(
    ({ name }, index): OutputColumn => ({
      name,
      qualifier: undefined,
      sqlName: physical[index] as string,
      type: (values[index] as Typed).type,
      timeUses: [],
      origin: itemOrigin(items[index] as ExpandedItem, env),
    }),
  );
  return { columns, aliases, orderNames: orderNames(items, names, values), fields: names.map((name) => name.label), values };
}

function orderNames(
  items: readonly ExpandedItem[],
  names: readonly { readonly name: string }[],
  values: readonly Typed[],
): ReadonlyMap<string, Typed> {
  const found = new Map<string, Typed>();
  const repeated = new Set<string>();
  names.forEach(({ name }, index) => {
    if (found.has(name)) repeated.add(name);
    const { alias, expr } = items[index] as ExpandedItem;
    if (alias !== undefined || expr.kind === 'column') found.set(name, values[index] as Typed);
  });
  for (const name of repeated) found.delete(name);
  return found;
}

function distinctKeys(select: Select, list: NamedList, env: Env): string {
  return select.distinctOn.map((expr) => compileExpr(expr, { ...env, aliases: list.aliases }).sql).join(', ');
}

function compileTail(
  select: Select,
  orderBy: readonly OrderItem[],
  items: readonly ExpandedItem[],
  list: NamedList,
  grouping: Grouping | undefined,
  itemEnv: Env,
): { readonly sql: string; readonly orderPositions: readonly (number | undefined)[] } {
  const withAliases: Env = { ...itemEnv, aliases: list.aliases };
  let tail = '';
  if (select.having) {
    const env: Env = { ...withAliases, clause: 'HAVING' };
    const replaced = grouping ? { ...env, replacement: groupedReplacement(grouping, items, { ...itemEnv, clause: 'HAVING' }) } : env;
    tail += ` HAVING ${compileCondition(select.having, replaced).sql}`;
  }
  if (select.qualify) tail += ` QUALIFY ${compileCondition(select.qualify, { ...withAliases, clause: 'QUALIFY' }).sql}`;
  if (orderBy.length > 0) {
    const env: Env = { ...itemEnv, aliases: list.orderNames, aliasesFirst: true, clause: 'ORDER BY', fields: list.fields };
    const terms = orderTerms(orderBy, list, env, select.distinct);
    return { sql: `${tail} ORDER BY ${terms.sql}`, orderPositions: terms.positions };
  }
  return { sql: tail, orderPositions: [] };
}

/** ORDER BY terms; what is in the select list goes by position (from 0 in `positions`). */
export function orderTerms(
  orderBy: readonly OrderItem[],
  list: NamedList,
  env: Env,
  distinct: boolean,
): { readonly sql: string; readonly positions: readonly (number | undefined)[] } {
  const missing: string[] = [];
  const positions: (number | undefined)[] = [];
  const terms = orderBy.map((item) => {
    if (item.expr.kind === 'number') {
      const place = ordinal(item.expr.text, list.columns.length);
      positions.push(place - 1);
      return `${place} ${direction(item)}`;
    }
    const value = compileExpr(item.expr, env);
    const { sql } = value;
    const position = list.values.findIndex((value) => value.sql === sql);
    positions.push(position >= 0 ? position : undefined);
    if (position >= 0) return `${position + 1} ${direction(item)}`;
    if (distinct) missing.push(displayName(item.expr, env));
    return `${sortKey(value)} ${direction(item)}`;
  });
  if (missing.length > 0) throw planError(`For SELECT DISTINCT, ORDER BY expressions ${missing.join(', ')} must appear in select list`);
  return { sql: terms.join(', '), positions };
}
