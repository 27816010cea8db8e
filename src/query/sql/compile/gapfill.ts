/** Gap filling: a grid of bins for every series, joined to the aggregates. */

import { isAggregate } from '../functions/aggregates.ts';
import { binned, binStart, binStride } from '../functions/time.ts';
import type { CallExpr, Expr, OrderItem, Select } from '../parse/ast.ts';
import type { CompiledQuery, Env, OutputColumn, Replacement } from '../types/env.ts';
import { executionError, notImplemented, planError } from '../types/errors.ts';
import { quoteIdent } from '../types/quote.ts';
import { lookup, type ScopeColumn } from '../types/scope.ts';
import { type Bound, type Typed, timestampConstant, typed } from '../types/typed.ts';
import { float64, int64, isFloat, isNumeric, type SqlType, timestampNs } from '../types/types.ts';
import { castTo } from '../values/casts.ts';
import { timestampNsMax, timestampNsMin } from '../values/timestamps.ts';
import { fixedOffsetNs, isUtc, wallClockBin, wallClockBins } from '../values/zones.ts';
import { displayName } from './display.ts';
import { compileCondition, compileExpr } from './expr.ts';
import { groupExpr } from './grouping.ts';
import type { QueryPlace } from './query.ts';
import { compileInput, nameItems, orderTerms } from './select.ts';
import { expandItems } from './select-items.ts';
import { containsCall, isLiteral } from './walk.ts';

/** Most rows (bins of one series) that a grid may have. */
const gapFillBinsMax = 10_000_000n;

const gapFillNames = new Set(['date_bin_gapfill', 'date_bin_wallclock_gapfill']);

function isBinCall(call: CallExpr): boolean {
  return gapFillNames.has(call.name);
}

/** True when the grouping fills gaps. */
export function isGapFill(select: Select): boolean {
  if (containsCall(select.groupBy, isBinCall)) return true;
  if (select.groupBy === 'all' || select.groupBy.length === 0) return false;
  return select.items.some((item) => item.kind === 'expr' && containsCall(item.expr, isBinCall) && groupsBy(select, item.expr, item.alias));
}

function groupsBy(select: Select, expr: Expr, alias: string | undefined): boolean {
  const keys = select.groupBy === 'all' ? [] : select.groupBy;
  const position = select.items.findIndex((item) => item.kind === 'expr' && item.expr === expr) + 1;
  return keys.some(
    (key) =>
      (key.kind === 'number' && (Number(key.text) === position || select.items.some((item) => item.kind === 'wildcard'))) ||
      (key.kind === 'column' && key.path.length === 1 && key.path[0] === alias),
  );
}

interface Bin {
  readonly call: CallExpr;
  readonly stride: { readonly ns: bigint };
  readonly source: Typed & { readonly column: ScopeColumn };
  readonly origin: bigint;
  readonly zone: string | undefined;
}

type Strategy = 'locf' | 'interpolate';

/** An aggregate of the bins, and how its gaps are filled where that is asked for. */
interface Fill {
  readonly strategies: Set<Strategy>;
  readonly column: string;
  readonly value: Typed;
}

/**
 * A SELECT with `date_bin_gapfill`: groups, a row for each bin between the bounds of time, and `locf` and `interpolate`
 * over them. Throws a planning error (400) without such bounds.
 */
export function compileGapFill(select: Select, orderBy: readonly OrderItem[], limits: string, place: QueryPlace): CompiledQuery {
  if (select.distinct || select.distinctOn.length > 0 || select.qualify)
    throw notImplemented('DISTINCT and QUALIFY in a gap-filling query');
  const input = compileInput(select, place);
  const { env } = input;
  const items = expandItems(select.items, env);
  if (select.groupBy === 'all') throw notImplemented('GROUP BY ALL in a gap-filling query');
  const keys = select.groupBy.map((expr) => groupExpr(expr, items, env));
  const bin = compileBin(keys, { ...env, clause: 'GROUP BY' });
  const { low, high } = gridBounds(bin, input.condition?.bounds ?? []);
  const others = keys.filter((key) => key !== bin.call).map((key) => compileExpr(key, { ...env, clause: 'GROUP BY' }));
  const plan = new GapPlan(bin, others, env);
  const outerEnv: Env = { ...env, replacement: plan.replacement };
  const values = items.map((item) => compileExpr(item.expr, outerEnv));
  const list = nameItems(items, values, env, place);
  const having = select.having
    ? ` WHERE ${compileCondition(select.having, { ...outerEnv, clause: 'HAVING', aliases: list.aliases }).sql}`
    : '';
  const orderEnv: Env = { ...outerEnv, aliases: list.aliases, aliasesFirst: true, clause: 'ORDER BY', fields: list.fields };
  const order = orderBy.length > 0 ? orderTerms(orderBy, list, orderEnv, false).sql : plan.naturalOrder();
  const aggregated = place.state.freshName('w');
  const projection = list.columns.map((column, index) => `${(values[index] as Typed).sql} AS ${column.sqlName}`).join(', ');
  const sql = `SELECT ${projection} FROM (${plan.filled(aggregated, low, high)}) AS j${having} ORDER BY ${order}${limits}`;
  return {
    definitions: [`${aggregated} AS (${plan.aggregation(input.from, input.where)})`],
    recursive: false,
    sql,
    columns: list.columns.map((column): OutputColumn => ({ ...column, timeUses: [] })),
  };
}

function compileBin(keys: readonly Expr[], env: Env): Bin {
  const calls = keys.filter((key): key is CallExpr => key.kind === 'call' && isBinCall(key));
  const nested = keys.some((key) => !calls.includes(key as CallExpr) && containsCall(key, isBinCall));
  if (nested) {
    throw planError(
      'DATE_BIN_GAPFILL must be a top-level expression in the GROUP BY clause when gap filling. It cannot be part of another expression or cast',
    );
  }
  const call = calls[0];
  if (!call || calls.length > 1) throw planError('DATE_BIN_GAPFILL specified more than once');
  if (call.args.length < 2 || call.args.length > 3) throw planError(`${call.name} expects 2 or 3 arguments, got ${call.args.length}`);
  const stride = binStride('DATE_BIN', constantArgument(call.args[0] as Expr, 'first', env));
  if ('months' in stride) throw executionError('gap filling does not support month intervals');
  const source = compileExpr(call.args[1] as Expr, env);
  if (!source.column) throw planError('DATE_BIN_GAPFILL requires a column as the source argument');
  if (source.type.kind !== 'timestamp') throw planError('DATE_BIN_GAPFILL requires a timestamp as the source argument');
  const zone = call.name === 'date_bin_wallclock_gapfill' ? source.type.zone : undefined;
  const origin = call.args[2] ? castTo(constantArgument(call.args[2], 'third', env), timestampNs) : timestampConstant(0n);
  if (origin.constant?.kind !== 'timestamp') throw notConstant('third');
  const { ns } = origin.constant;
  const bin = { call, stride, source: { ...source, column: source.column } };
  // The clock of a fixed offset is never set: its bins are those of UTC, counted from elsewhere.
  const fixedNs = zone === undefined ? 0n : isUtc(zone) ? 0n : fixedOffsetNs(zone);
  return fixedNs === undefined ? { ...bin, origin: ns, zone } : { ...bin, origin: ns - fixedNs, zone: undefined };
}

function constantArgument(expr: Expr, which: string, env: Env): Typed {
  const value = compileExpr(expr, env);
  if (!value.constant) throw notConstant(which);
  return value;
}

function notConstant(which: string): Error {
  return planError(`${which} argument to DATE_BIN_GAPFILL for gap fill query must evaluate to a scalar`);
}

function gridBounds(bin: Bin, bounds: readonly Bound[]): { low: bigint; high: bigint } {
  let low: bigint | undefined;
  let high: bigint | undefined;
  for (const { column, min, max } of bounds) {
    if (column !== bin.source.column) continue;
    if (min !== undefined && (low === undefined || min > low)) low = min;
    if (max !== undefined && (high === undefined || max < high)) high = max;
  }
  if (low === undefined && high === undefined) throw planError('gap-filling query is missing both upper and lower time bounds');
  if (low === undefined) throw planError('gap-filling query is missing lower time bound');
  if (high === undefined) throw planError('gap-filling query is missing upper time bound');
  if (high >= low && (high - low) / bin.stride.ns > gapFillBinsMax) {
    throw executionError(`gap filling would make more than ${gapFillBinsMax} rows for each series`);
  }
  return { low, high };
}

/** Collects the aggregates that the outer clauses use, and prints the layers below them. */
class GapPlan {
  readonly replacement: Replacement;
  readonly #bin: Bin;
  readonly #keys: readonly Typed[];
  readonly #aggregates = new Map<string, Fill>();
  readonly #env: Env;

  constructor(bin: Bin, keys: readonly Typed[], env: Env) {
    this.#bin = bin;
    this.#keys = keys;
    this.#env = env;
    this.replacement = {
      match: (expr) => this.#match(expr),
      ungrouped: (label) =>
        planError(
          `Column in SELECT must be in GROUP BY or an aggregate function: While expanding wildcard, column "${label}" must appear in the GROUP BY clause or must be part of an aggregate function`,
        ),
    };
  }

  #match(expr: Expr): Typed | undefined {
    if (isLiteral(expr)) return undefined;
    if (expr.kind === 'call') {
      if (isBinCall(expr)) return this.#binReference(expr);
      if (expr.name === 'locf' || expr.name === 'interpolate') return this.#filled(expr, expr.name);
      if (expr.over === undefined && isAggregate(expr.name)) return this.#aggregate(expr, undefined);
    }
    if (containsCall(expr, (call) => isBinCall(call) || call.name === 'locf' || call.name === 'interpolate' || isAggregate(call.name)))
      return undefined;
    if (expr.kind === 'column' && !lookup(this.#env.scope, expr.path)) return undefined;
    const { sql } = compileExpr(expr, this.#env);
    const index = this.#keys.findIndex((key) => key.sql === sql);
    return index < 0 ? undefined : typed(`j.k${index}`, (this.#keys[index] as Typed).type);
  }

  #binReference(call: CallExpr): Typed {
    if (displayName(call, this.#env) !== displayName(this.#bin.call, this.#env))
      throw planError('DATE_BIN_GAPFILL specified more than once');
    return typed('j.g', this.#bin.source.type);
  }

  #filled(call: CallExpr, strategy: Strategy): Typed {
    const [inner] = call.args;
    const source = inner?.kind === 'field' ? inner.expr : inner;
    if (!inner || source?.kind !== 'call' || call.args.length !== 1 || !isAggregate(source.name) || source.over !== undefined) {
      throw planError(`${strategy} must be called on an aggregate column in a gap-filling query`);
    }
    return this.#aggregate(inner, strategy);
  }

  #aggregate(call: Expr, strategy: Strategy | undefined): Typed {
    const value = compileExpr(call, this.#env);
    const known = this.#aggregates.get(value.sql);
    const fill: Fill = known ?? { strategies: new Set(), column: `a${this.#aggregates.size}`, value };
    this.#aggregates.set(value.sql, fill);
    if (strategy !== undefined) fill.strategies.add(strategy);
    if (strategy === 'locf') return typed(`j.f_${fill.column}`, value.type);
    if (strategy === 'interpolate') return interpolation(fill);
    return typed(call.kind === 'call' && call.name === 'count' ? `coalesce(j.${fill.column}, 0)` : `j.${fill.column}`, value.type);
  }

  /** Bins with data. */
  aggregation(from: string, where: string): string {
    const { source, stride, origin, zone } = this.#bin;
    const exact = this.#env.state.wrapsIntegers;
    const bin = zone === undefined ? binned(stride, source, origin, exact).sql : wallClockBin(zone, source.sql, stride.ns, origin, exact);
    const keys = this.#keys.map((key, index) => `, ${key.sql} AS k${index}`).join('');
    const values = [...this.#aggregates.values()].map((fill) => `, ${fill.value.sql} AS ${fill.column}`).join('');
    const group = [bin, ...this.#keys.map((key) => (key.constant ? `(${key.sql})` : key.sql))].join(', ');
    return `SELECT ${bin} AS g${keys}${values}${from}${where} GROUP BY ${group}`;
  }

  /** All bins of all series, with what the fill functions need. */
  filled(aggregated: string, low: bigint, high: bigint): string {
    const { stride, origin, zone } = this.#bin;
    const keyNames = this.#keys.map((_, index) => `k${index}`);
    const first = binStart(stride, low, origin);
    // A bin that begins before all time has no rows: it is not there.
    const lowest = first <= timestampNsMin + 1n ? first + stride.ns : first;
    const end = high < timestampNsMax ? high + 1n : high;
    const range =
      zone === undefined
        ? `range(CAST('${lowest}' AS BIGINT), CAST('${end}' AS BIGINT), CAST('${stride.ns}' AS BIGINT))`
        : wallClockBins(zone, `(SELECT CAST(${low} AS BIGINT) AS lo, CAST(${high} AS BIGINT) AS hi)`, stride.ns, origin);
    const grid = `(SELECT make_timestamp_ns(r.b) AS g FROM ${range} AS r(b))`;
    const series =
      keyNames.length > 0 ? `(SELECT DISTINCT ${keyNames.join(', ')} FROM ${aggregated})` : `(SELECT 1 AS one FROM ${aggregated} LIMIT 1)`;
    const same = ['d.g = b.g', ...keyNames.map((name) => `d.${name} IS NOT DISTINCT FROM s.${name}`)].join(' AND ');
    const fills = [...this.#aggregates.values()];
    const columns = ['b.g', ...keyNames.map((name) => `s.${name}`), ...fills.map((fill) => `d.${fill.column}`)].join(', ');
    const joined = `SELECT ${columns} FROM ${series} AS s CROSS JOIN ${grid} AS b LEFT JOIN ${aggregated} AS d ON ${same}`;
    const partition = keyNames.length > 0 ? `PARTITION BY ${keyNames.join(', ')} ` : '';
    const extra = fills.map((fill) => fillColumns(fill, partition)).join('');
    const kept = [...keyNames, ...fills.map((fill) => fill.column)].map((name) => `, ${name}`).join('');
    return `SELECT g${kept}${extra} FROM (${joined}) AS x`;
  }

  /** Series keys, then time. */
  naturalOrder(): string {
    return [...this.#keys.map((_, index) => `j.k${index} ASC NULLS LAST`), 'j.g ASC'].join(', ');
  }
}

/** Window columns over the joined grid, for one aggregate. */
function fillColumns(fill: Fill, partition: string): string {
  const name = fill.column;
  const before = `(${partition}ORDER BY g ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`;
  const carried = fill.strategies.has('locf') ? `, last_value(${name} IGNORE NULLS) OVER ${before} AS f_${name}` : '';
  if (!fill.strategies.has('interpolate')) return carried;
  const after = `(${partition}ORDER BY g ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)`;
  const point = `CASE WHEN ${name} IS NOT NULL THEN struct_pack(t := epoch_ns(g), v := ${name}) END`;
  return `${carried}, last_value(${point} IGNORE NULLS) OVER ${before} AS p_${name}, first_value(${point} IGNORE NULLS) OVER ${after} AS n_${name}`;
}

/** The straight line between the neighbours; integers are cut. */
function interpolation(fill: Fill): Typed {
  const { type } = fill.value;
  const name = fill.column;
  if (type.kind === 'struct') {
    const members = type.members.map((item) => {
      const value = isNumeric(item.type) ? line(name, `.${quoteIdent(item.name)}`, item.type) : `CAST(NULL AS TIMESTAMP_NS)`;
      return `${quoteIdent(item.name)} := ${value}`;
    });
    return typed(
      `(CASE WHEN j.${name} IS NOT NULL OR j.p_${name} IS NULL OR j.n_${name} IS NULL THEN j.${name} ELSE struct_pack(${members.join(', ')}) END)`,
      type,
    );
  }
  if (!isNumeric(type)) throw planError(`interpolate only supports numeric aggregates`);
  return typed(`coalesce(j.${name}, ${line(name, '', type)})`, type);
}

function line(name: string, path: string, type: SqlType): string {
  const number = (sql: string): string => castTo(typed(sql, type), float64).sql;
  const [before, after] = [number(`j.p_${name}.v${path}`), number(`j.n_${name}.v${path}`)];
  const run = `CAST(j.n_${name}.t - j.p_${name}.t AS DOUBLE)`;
  const sql = `((${after} - ${before}) / ${run} * CAST(epoch_ns(j.g) - j.p_${name}.t AS DOUBLE) + ${before})`;
  return isFloat(type) ? sql : castTo(typed(sql, float64), type.kind === 'int' ? type : int64).sql;
}
