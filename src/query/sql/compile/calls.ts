/** Function calls: scalar, aggregate, window. */

import { type AggregateParts, aggregateNames, aggregateParts, isAggregate, isWindowOnly, selectorMember } from '../functions/aggregates.ts';
import { checkArgCount } from '../functions/define.ts';
import { invalidFunction, scalarFunction } from '../functions/index.ts';
import { isSeriesWindow, seriesWindow, seriesWindowNames } from '../functions/series-windows.ts';
import type { CallExpr, Expr, FrameBound, OrderItem, WindowFrame, WindowSpec } from '../parse/ast.ts';
import { placed } from '../parse/text-place.ts';
import type { Env } from '../types/env.ts';
import { notImplemented, planError } from '../types/errors.ts';
import { floatConstant, type Typed } from '../types/typed.ts';
import { int64 } from '../types/types.ts';
import { castTo } from '../values/casts.ts';
import { intervalNs } from '../values/intervals.ts';
import { displayName } from './display.ts';
import { compileCondition, compileExpr, compileLazily } from './expr.ts';
import { containsCall } from './walk.ts';

/** `member: true` when the struct member that was asked for is what came back. */
export type CallResult = Typed & { readonly member?: boolean };

/** Compiles a call. `member` is the struct member that the caller takes from the result. */
export function compileCall(call: CallExpr, env: Env, member?: string): CallResult {
  return placed(call.at, () => callResult(call, env, member));
}

function callResult(call: CallExpr, env: Env, member: string | undefined): CallResult {
  if (call.over !== undefined) return windowCall(call, env);
  if (isAggregate(call.name)) return aggregateCall(call, env, member);
  if (isWindowOnly(call.name) || isSeriesWindow(call.name)) throw planError(`Window function ${call.name} requires an OVER clause`);
  return scalarCall(call, env);
}

function scalarCall(call: CallExpr, env: Env): Typed {
  const found = scalarFunction(call.name);
  if (call.name === 'unnest' && call.args.length === 1) return unnestCall(call, env);
  if (!found) throw gapFillError(call, env) ?? invalidFunction(call.name, aggregateNames);
  if (call.star || call.distinct || call.filter || call.orderBy.length > 0 || call.ignoreNulls !== undefined) {
    throw planError(`${call.name} is not an aggregate or window function`);
  }
  checkArgCount(call.name, call.args.length, found.argsMin, found.argsMax);
  const isLazy = LAZY_CALLS.has(call.name);
  const args = call.args.map((arg, i) => (isLazy && i > 0 ? compileLazily(arg, env) : compileExpr(arg, env)));
  return found.compile({ name: call.name, args, state: env.state });
}

/** Functions that may not evaluate what follows the first argument. */
const LAZY_CALLS: ReadonlySet<string> = new Set(['coalesce', 'ifnull', 'nvl', 'nvl2']);

/** One row for each element; only where the select list can make rows. */
function unnestCall(call: CallExpr, env: Env): Typed {
  if (env.clause !== 'SELECT') throw planError(`unnest() is not allowed in ${env.clause}`);
  if (containsCall(call.args, ({ name }) => name === 'unnest')) {
    throw notImplemented('unnest of unnest in a query that groups or reads several tables');
  }
  const list = compileExpr(call.args[0] as Expr, env);
  if (list.type.kind !== 'list') throw planError('unnest() can only be applied to array, struct and null');
  return { sql: `unnest(${list.sql})`, type: list.type.item };
}

function gapFillError(call: CallExpr, env: Env): Error | undefined {
  if (call.name === 'date_bin_gapfill' || call.name === 'date_bin_wallclock_gapfill') {
    return planError(
      env.clause === 'SELECT' || env.clause === 'WHERE'
        ? `${call.name} may only be used as a GROUP BY expression`
        : `${call.name} may not be used in ${env.clause}`,
    );
  }
  if (call.name === 'locf' || call.name === 'interpolate')
    return planError(`${call.name} may only be used in the SELECT list of a gap-filling query`);
  return undefined;
}

/** Inside an aggregate, columns are the input's and other aggregates cannot nest. */
function argumentEnv(env: Env): Env {
  const { replacement: _, aliases: __, ...rest } = env;
  return { ...rest, aggregates: false };
}

function aggregateCall(call: CallExpr, env: Env, member: string | undefined): CallResult {
  if (!env.aggregates) {
    if (env.clause === 'WHERE') throw planError(`Aggregate functions are not allowed in the WHERE clause. Consider using HAVING instead`);
    throw planError(`Aggregate function ${displayName(call, env)} is not allowed here`);
  }
  const inner = argumentEnv(env);
  const args = aggregateArguments(call, inner);
  if (call.name === 'count' && call.distinct && !call.star && args.length !== 1)
    throw notImplemented('COUNT DISTINCT with multiple arguments');
  const short = member === undefined ? undefined : selectorMember(call.name, args, member);
  const parts =
    short ?? (call.star ? countStar(call) : aggregateParts(call.name, args, { windowed: false, wraps: env.state.wrapsIntegers }));
  const sql = printAggregate(call, parts, inner, '');
  return short ? { sql, type: parts.type, member: true } : { sql, type: parts.type };
}

/** `f(p) WITHIN GROUP (ORDER BY x)` is `f(x, p)`. */
function aggregateArguments(call: CallExpr, env: Env): readonly Typed[] {
  const args = call.args.map((arg) => compileExpr(arg, env));
  const percentile = call.name.includes('percentile_cont') || call.name === 'quantile_cont';
  const [only] = call.orderBy;
  if (!percentile || !only) return args;
  const [share, ...rest] = args;
  // From the greatest down: the share counts from the other end.
  const counted = only.descending && share?.constant !== undefined ? [fromTheEnd(share), ...rest] : args;
  return [compileExpr(only.expr, env), ...counted];
}

function fromTheEnd(share: Typed): Typed {
  const { constant } = share;
  const value = constant?.kind === 'float' ? constant.value : constant?.kind === 'int' ? Number(constant.value) : undefined;
  return value === undefined ? share : floatConstant(1 - value);
}

function countStar(call: CallExpr): AggregateParts {
  if (call.name !== 'count') throw planError(`${call.name}(*) is not supported`);
  if (call.distinct) throw planError('count(DISTINCT *) is not supported');
  return { fn: 'count', args: ['*'], type: int64 };
}

function printAggregate(call: CallExpr, parts: AggregateParts, env: Env, over: string): string {
  const distinct = call.distinct || parts.distinct ? 'DISTINCT ' : '';
  const order = call.orderBy.length > 0 && parts.ordered ? ` ORDER BY ${orderList(call.orderBy, env)}` : '';
  const filter = call.filter ? ` FILTER (WHERE ${compileCondition(call.filter, env).sql})` : '';
  const byFilter = over === '' ? parts.ordered : parts.filtersNulls;
  const nulls = call.ignoreNulls && over !== '' && !byFilter ? ' IGNORE NULLS' : '';
  const skipNulls = call.ignoreNulls && byFilter ? ` FILTER (WHERE ${parts.args[0]} IS NOT NULL)` : '';
  const make = (fn: string, args: readonly string[]): string =>
    `${fn}(${distinct}${args.join(', ')}${order}${nulls})${filter || skipNulls}${over}`;
  const sql = parts.combine === undefined ? make(parts.fn, parts.args) : parts.combine(make);
  return parts.wrap ? parts.wrap(sql) : sql;
}

/** `ORDER BY` terms. The null order is always written, so no setting can change it. */
function orderList(items: readonly OrderItem[], env: Env): string {
  return items.map((item) => `${sortKey(compileExpr(item.expr, env))} ${direction(item)}`).join(', ');
}

/** SQL of what is sorted by. DuckDB refuses literals that are no numbers, which sort nothing. */
export function sortKey({ sql, constant }: Typed): string {
  const { kind } = constant ?? { kind: undefined };
  return kind === 'string' || kind === 'null' || kind === 'boolean' ? "concat('')" : sql;
}

/** `ASC` or `DESC` with the place of nulls, always written out: DuckDB and DataFusion differ in what they take when it is left out. */
export function direction(item: OrderItem): string {
  return `${item.descending ? 'DESC' : 'ASC'} NULLS ${item.nullsFirst ? 'FIRST' : 'LAST'}`;
}

function windowCall(call: CallExpr, env: Env): Typed {
  if (env.clause !== 'SELECT' && env.clause !== 'ORDER BY' && env.clause !== 'QUALIFY') {
    throw planError(`Window functions are not allowed in ${env.clause}`);
  }
  if (isSeriesWindow(call.name)) return seriesCall(call, env);
  if (!isAggregate(call.name) && !isWindowOnly(call.name)) throw invalidFunction(call.name, [...aggregateNames, ...seriesWindowNames]);
  if (call.name.startsWith('selector_')) throw notImplemented(`${call.name} as a window function`);
  const args = call.args.map((arg) => compileExpr(arg, env));
  const parts = call.star ? countStar(call) : aggregateParts(call.name, args, { windowed: true, wraps: env.state.wrapsIntegers });
  return { sql: printAggregate(call, parts, env, ` OVER (${windowSql(resolveWindow(call.over, env), env)})`), type: parts.type };
}

function seriesCall(call: CallExpr, env: Env): Typed {
  if (call.star || call.distinct || call.filter || call.ignoreNulls !== undefined) {
    throw planError(`${call.name} takes neither *, DISTINCT, FILTER nor a treatment of nulls`);
  }
  const args = call.args.map((arg) => compileExpr(arg, env));
  return seriesWindow(call.name, args, ` OVER (${windowSql(resolveWindow(call.over, env), env)})`);
}

function resolveWindow(over: CallExpr['over'], env: Env): WindowSpec {
  const name = typeof over === 'string' ? over : over?.base;
  if (name === undefined) return over as WindowSpec;
  const base = env.windows?.get(name);
  if (!base) throw planError(`The window ${name} is not defined!`);
  if (base.base !== undefined) throw notImplemented('windows that extend other named windows');
  if (typeof over === 'string') return base;
  const spec = over as WindowSpec;
  return {
    base: undefined,
    partitionBy: base.partitionBy.length > 0 ? base.partitionBy : spec.partitionBy,
    orderBy: spec.orderBy.length > 0 ? spec.orderBy : base.orderBy,
    frame: spec.frame ?? base.frame,
  };
}

function windowSql(window: WindowSpec, env: Env): string {
  const parts: string[] = [];
  if (window.partitionBy.length > 0) parts.push(`PARTITION BY ${window.partitionBy.map((expr) => compileExpr(expr, env).sql).join(', ')}`);
  const byNs = window.frame?.units === 'RANGE' && hasOffset(window.frame);
  if (window.orderBy.length > 0) parts.push(`ORDER BY ${byNs ? rangeOrder(window.orderBy, env) : orderList(window.orderBy, env)}`);
  if (window.frame) parts.push(frameSql(window.frame, env));
  return parts.join(' ');
}

function hasOffset(frame: WindowFrame): boolean {
  return [frame.start, frame.end].some((bound) => bound !== undefined && bound.kind !== 'current' && bound.offset !== undefined);
}

/** RANGE frames with offsets over time count in nanoseconds. */
function rangeOrder(items: readonly OrderItem[], env: Env): string {
  return items
    .map((item) => {
      const key = compileExpr(item.expr, env);
      return `${key.type.kind === 'timestamp' ? `epoch_ns(${key.sql})` : key.sql} ${direction(item)}`;
    })
    .join(', ');
}

function frameSql(frame: WindowFrame, env: Env): string {
  const start = boundSql(frame.start, env);
  return `${frame.units} BETWEEN ${start} AND ${frame.end ? boundSql(frame.end, env) : 'CURRENT ROW'}`;
}

function boundSql(bound: FrameBound, env: Env): string {
  if (bound.kind === 'current') return 'CURRENT ROW';
  const side = bound.kind.toUpperCase();
  if (!bound.offset) return `UNBOUNDED ${side}`;
  const offset = compileExpr(bound.offset, env);
  if (offset.constant?.kind === 'interval') {
    const ns = intervalNs(offset.constant.value);
    if (ns === undefined) throw notImplemented('window frames with month intervals');
    return `${ns} ${side}`;
  }
  if (offset.constant?.kind === 'string') throw notImplemented('window frames with text offsets');
  return `${castTo(offset, offset.type.kind === 'int' ? int64 : offset.type).sql} ${side}`;
}
