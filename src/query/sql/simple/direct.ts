/** Finds out whether a SELECT can be answered from columns in memory (`src/query/columns`). */

import { compileExpr } from '../compile/expr.ts';
import type { Grouping } from '../compile/grouping.ts';
import type { CompiledParts } from '../compile/parts.ts';
import type { ExpandedItem } from '../compile/select-items.ts';
import { hasSubquery } from '../compile/walk.ts';
import type { Expr, Select } from '../parse/ast.ts';
import type { RelationInfo } from '../types/contract.ts';
import type { Env } from '../types/env.ts';
import {
  type Aggregate,
  type AggregateName,
  type Comparison,
  type DirectPlan,
  type GroupItem,
  type MadeRowsPlan,
  type NumberFilter,
  type OrderTerm,
  type RowConditions,
  type RowItem,
  shownType,
} from '../types/plans.ts';
import { lookup, type ScopeColumn } from '../types/scope.ts';
import type { Typed } from '../types/typed.ts';
import { timestampNs } from '../types/types.ts';
import { castTo } from '../values/casts.ts';

const EXACT_MAX = 2 ** 53;

/** Undefined when anything of the statement is not plain. */
export function directGroups(parts: CompiledParts, env: Env): DirectPlan | undefined {
  const { select, grouping, items, values } = parts;
  const table = onlyTable(select, env);
  if (table === undefined || grouping === undefined || !isPlain(select) || parts.limits.computed) return undefined;
  if (select.groupBy !== 'all' && select.groupBy.some((expr) => expr.kind === 'grouping-sets')) return undefined;
  const keys = groupKeys(grouping);
  const where = conditions(select.where, env);
  if (keys === undefined || where === undefined) return undefined;
  const aggregates: Aggregate[] = [];
  const found: GroupItem[] = [];
  for (const [i, { expr }] of items.entries()) {
    const value = values[i] as Typed;
    const tag = value.column === undefined ? -1 : keys.tags.indexOf(value.column);
    if (tag >= 0) found.push({ kind: 'tag', index: tag });
    else if (keys.bin !== undefined && value.sql === keys.bin.sql) found.push({ kind: 'bin' });
    else {
      const aggregate = aggregateOf(expr, env);
      if (aggregate === undefined) return undefined;
      found.push({ kind: 'aggregate', index: aggregates.push(aggregate) - 1 });
    }
  }
  const order = orderTerms(parts);
  if (order === undefined) return undefined;
  const bin = keys.bin?.bin;
  return {
    table,
    where,
    shape: {
      kind: 'groups',
      bin: bin === undefined ? undefined : { ns: bin.ns, originNs: bin.originNs },
      tags: keys.tags.map((column) => column.name),
      aggregates,
      items: found,
      order,
      limit: parts.limits.limit === undefined ? undefined : Number(parts.limits.limit),
      offset: Number(parts.limits.offset ?? 0n),
    },
  };
}

/** `SELECT columns FROM t WHERE ..`, whatever the order. Undefined when anything of it is not plain. */
export function directRows({ select, items, grouping, orderBy, limits }: CompiledParts, env: Env): DirectPlan | undefined {
  const table = onlyTable(select, env);
  if (table === undefined || grouping !== undefined || !isPlain(select) || orderBy.length > 0 || limits.computed) return undefined;
  const found = directRowItems(items, env);
  if (!found.every((item) => item !== undefined)) return undefined;
  const where = conditions(select.where, env);
  const limit = limits.limit === undefined ? undefined : Number(limits.limit);
  return where && { table, where, shape: { kind: 'rows', items: found, limit, offset: Number(limits.offset ?? 0n) } };
}

/** `SELECT columns FROM last_cache(..) WHERE text = '..'`. Undefined when anything of it is not plain. */
export function madeRowsPlan({ select, items, grouping, orderBy, limits }: CompiledParts, env: Env): MadeRowsPlan | undefined {
  const relation = env.scope.tables.length === 1 ? env.scope.tables[0]?.columns[0]?.use?.relation : undefined;
  if (
    select.from?.kind !== 'function' ||
    relation?.schema !== 'function' ||
    grouping !== undefined ||
    !isPlain(select) ||
    orderBy.length > 0 ||
    limits.computed
  )
    return undefined;
  if (select.from.alias !== undefined && select.from.alias.columns.length > 0) return undefined;
  const columnOf = (expr: Expr): string | undefined => {
    const found = expr.kind === 'column' ? lookup(env.scope, expr.path) : undefined;
    const column = relation.columns.find(({ name }) => name === found?.column.name);
    return column !== undefined && found?.fields.length === 0 && shownType(column) !== undefined ? column.name : undefined;
  };
  const columns = items.map(({ expr, column }) =>
    columnOf(column === undefined ? expr : { kind: 'column', path: [column.name], quoted: [true] }),
  );
  const texts = new Map<string, readonly string[]>();
  if (!columns.every((name) => name !== undefined) || !textConditions(select.where, columnOf, relation, texts)) return undefined;
  const limit = limits.limit === undefined ? undefined : Number(limits.limit);
  return { columns, texts, limit, offset: Number(limits.offset ?? 0n) };
}

/** Collects `text = '..'` and `text IN ('..')`; false when the condition says anything else. */
function textConditions(
  where: Expr | undefined,
  columnOf: (expr: Expr) => string | undefined,
  relation: RelationInfo,
  texts: Map<string, readonly string[]>,
): boolean {
  if (where === undefined) return true;
  if (where.kind === 'binary' && where.op === 'AND') {
    return textConditions(where.left, columnOf, relation, texts) && textConditions(where.right, columnOf, relation, texts);
  }
  const list = where.kind === 'in' && !where.negated ? where.list : where.kind === 'binary' && where.op === '=' ? [where.right] : undefined;
  const name = where.kind === 'in' ? columnOf(where.expr) : where.kind === 'binary' ? columnOf(where.left) : undefined;
  const type = relation.columns.find((column) => column.name === name)?.type;
  if (list === undefined || name === undefined || texts.has(name) || (type !== 'tag' && type !== 'string')) return false;
  if (!list.every((item) => item.kind === 'string')) return false;
  texts.set(
    name,
    list.map(({ value }) => value),
  );
  return true;
}

/** True without the clauses that take rows out again. */
export function isPlain({ having, qualify, distinct, distinctOn }: Select): boolean {
  return !having && !qualify && !distinct && distinctOn.length === 0;
}

/** The only table of a SELECT, when it is a user table under its own names. */
export function onlyTable({ from }: Select, env: Env): string | undefined {
  if (from?.kind !== 'table' || (from.alias?.columns.length ?? 0) > 0) return undefined;
  const [first] = env.scope.tables[0]?.columns ?? [];
  return env.scope.tables.length === 1 && first?.use?.relation.schema === 'iox' ? first.use.relation.name : undefined;
}

function groupKeys({ keys }: Grouping): { readonly bin: Typed | undefined; readonly tags: readonly ScopeColumn[] } | undefined {
  let bin: Typed | undefined;
  const tags: ScopeColumn[] = [];
  for (const { value } of keys) {
    if (value.column?.tag !== undefined) tags.push(value.column);
    else if (value.bin !== undefined && isTime(value.bin.column) && bin === undefined && Number(value.bin.ns) < EXACT_MAX) bin = value;
    else return undefined;
  }
  return { bin, tags };
}

const aggregateNames: Readonly<Record<string, AggregateName>> = {
  count: 'count',
  sum: 'sum',
  avg: 'avg',
  mean: 'avg',
  min: 'min',
  max: 'max',
};

function aggregateOf(expr: Expr, env: Env): Aggregate | undefined {
  if (
    expr.kind !== 'call' ||
    expr.distinct ||
    expr.filter ||
    expr.over ||
    expr.orderBy.length > 0 ||
    !Object.hasOwn(aggregateNames, expr.name)
  ) {
    return undefined;
  }
  const name = aggregateNames[expr.name] as AggregateName;
  if (expr.star) return name === 'count' ? { name, column: undefined } : undefined;
  const [arg] = expr.args;
  if (expr.args.length !== 1 || arg?.kind !== 'column') return undefined;
  const column = lookup(env.scope, arg.path);
  if (column === undefined || column.fields.length > 0 || !isNumberField(column.column)) return undefined;
  return { name, column: column.column.name };
}

function orderTerms({ orderBy, orderPositions }: CompiledParts): OrderTerm[] | undefined {
  const terms: OrderTerm[] = [];
  for (const [i, { descending, nullsFirst }] of orderBy.entries()) {
    const item = orderPositions[i];
    if (item === undefined) return undefined;
    terms.push({ item, descending, nullsFirst });
  }
  return terms;
}

/** The items of a select list that are plain columns of the table; undefined for others. */
export function directRowItems(items: readonly ExpandedItem[], env: Env): (RowItem | undefined)[] {
  return items.map(({ expr, column: known }) => {
    const found = known === undefined && expr.kind === 'column' ? lookup(env.scope, expr.path) : undefined;
    const column = known ?? (found?.fields.length === 0 ? found.column : undefined);
    if (column === undefined) return undefined;
    if (isTime(column)) return { kind: 'time' };
    if (column.tag !== undefined) return { kind: 'tag', name: column.name };
    return isNumberField(column) ? { kind: 'field', name: column.name } : undefined;
  });
}

function isTime(column: ScopeColumn): boolean {
  return column.name === 'time' && column.timeUses.length === 1;
}

function isNumberField({ type, use, tag }: ScopeColumn): boolean {
  if (use?.relation.schema !== 'iox' || tag !== undefined) return false;
  return type.kind === 'float64' || (type.kind === 'int' && type.bits === 64);
}

/** A condition as bounds, tag values and comparisons of fields; undefined when it says anything else. */
export function conditions(where: Expr | undefined, env: Env): RowConditions | undefined {
  const found = new Conditions(env);
  return where === undefined || found.take(where) ? found : undefined;
}

class Conditions implements RowConditions {
  minTimeNs: bigint | undefined;
  maxTimeNs: bigint | undefined;
  readonly tags = new Map<string, readonly string[]>();
  readonly filters: NumberFilter[] = [];
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = { ...env, clause: 'WHERE', aggregates: false };
  }

  /** False = not understood. */
  take(expr: Expr): boolean {
    if (expr.kind === 'binary' && expr.op === 'AND') return this.take(expr.left) && this.take(expr.right);
    if (hasSubquery(expr)) return false;
    if (expr.kind === 'binary' && expr.op === 'OR') return this.#either(expr);
    if (expr.kind === 'binary') return this.#comparison(expr.op, expr.left, expr.right);
    if (expr.kind === 'between' && !expr.negated)
      return this.#comparison('>=', expr.expr, expr.low) && this.#comparison('<=', expr.expr, expr.high);
    if (expr.kind === 'in' && !expr.negated) return this.#in(expr.expr, expr.list);
    return false;
  }

  #comparison(op: string, left: Expr, right: Expr): boolean {
    if (!isComparison(op)) return false;
    const column = this.#column(left);
    if (column !== undefined) return this.#test(op, column, right);
    const other = this.#column(right);
    return other !== undefined && this.#test(mirrored[op], other, left);
  }

  #test(op: Comparison, column: ScopeColumn, expr: Expr): boolean {
    const value = compileExpr(expr, this.#env);
    if (isTime(column)) return this.#time(op, value);
    if (column.tag !== undefined)
      return op === '=' && value.constant?.kind === 'string' && this.#allow(column.name, [value.constant.value]);
    if (!isNumberField(column)) return false;
    const number = numberOf(value, column);
    if (number === undefined) return false;
    this.filters.push({ column: column.name, op, value: number });
    return true;
  }

  #time(op: Comparison, value: Typed): boolean {
    if (value.constant?.kind !== 'timestamp' && value.constant?.kind !== 'string') return false;
    const { constant } = castTo(value, timestampNs);
    if (constant?.kind !== 'timestamp' || op === '!=') return false;
    const { ns } = constant;
    if (op === '=' || op === '>=') this.#from(ns);
    if (op === '>') this.#from(ns + 1n);
    if (op === '=' || op === '<=') this.#to(ns);
    if (op === '<') this.#to(ns - 1n);
    return true;
  }

  #in(expr: Expr, list: readonly Expr[]): boolean {
    const column = this.#column(expr);
    if (column?.tag === undefined) return false;
    const values = list.map((item) => (item.kind === 'string' ? item.value : undefined));
    return values.every((value) => value !== undefined) && this.#allow(column.name, values as string[]);
  }

  /** `tag = 'a' OR tag = 'b'`. */
  #either(expr: Expr): boolean {
    const values: string[] = [];
    let tag: ScopeColumn | undefined;
    const collect = (part: Expr): boolean => {
      if (part.kind === 'binary' && part.op === 'OR') return collect(part.left) && collect(part.right);
      if (part.kind !== 'binary' || part.op !== '=' || part.right.kind !== 'string') return false;
      const column = this.#column(part.left);
      if (column?.tag === undefined || (tag !== undefined && tag !== column)) return false;
      tag = column;
      values.push(part.right.value);
      return true;
    };
    return collect(expr) && tag !== undefined && this.#allow(tag.name, values);
  }

  #allow(name: string, values: readonly string[]): boolean {
    const known = this.tags.get(name);
    this.tags.set(name, known === undefined ? values : known.filter((value) => values.includes(value)));
    return true;
  }

  #from(ns: bigint): void {
    if (this.minTimeNs === undefined || ns > this.minTimeNs) this.minTimeNs = ns;
  }

  #to(ns: bigint): void {
    if (this.maxTimeNs === undefined || ns < this.maxTimeNs) this.maxTimeNs = ns;
  }

  #column(expr: Expr): ScopeColumn | undefined {
    if (expr.kind !== 'column') return undefined;
    const found = lookup(this.#env.scope, expr.path);
    return found === undefined || found.fields.length > 0 || found.column.use?.relation.schema !== 'iox' ? undefined : found.column;
  }
}

const mirrored: Readonly<Record<Comparison, Comparison>> = { '=': '=', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

function isComparison(op: string): op is Comparison {
  return Object.hasOwn(mirrored, op);
}

/** A constant that compares with the column as doubles do. */
function numberOf({ constant, type }: Typed, column: ScopeColumn): number | undefined {
  if (constant?.kind === 'float') return Number.isFinite(constant.value) ? constant.value : undefined;
  if (constant?.kind !== 'int' || constant.value >= EXACT_MAX || constant.value <= -EXACT_MAX) return undefined;
  // Signed and unsigned integers are compared as decimals: the same for numbers of this size.
  return type.kind === 'int' && column.type.kind !== 'unknown' ? Number(constant.value) : undefined;
}
