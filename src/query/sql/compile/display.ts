/** Output names: expressions as DataFusion prints them. */

import { isAggregate } from '../functions/aggregates.ts';
import type { CallExpr, ColumnExpr, Expr, FrameBound, OrderItem, Query, WindowSpec } from '../parse/ast.ts';
import type { Env } from '../types/env.ts';
import { columnLabel, lookup } from '../types/scope.ts';
import { parseInterval } from '../values/intervals.ts';

const uint64Max = 18_446_744_073_709_551_615n;
const int64Max = 9_223_372_036_854_775_807n;

/** The name of an unaliased expression. Columns come out qualified. */
export function displayName(expr: Expr, env: Env): string {
  const show = (inner: Expr): string => displayName(inner, env);
  switch (expr.kind) {
    case 'column':
      return columnName(expr, env);
    case 'number':
      return numberName(expr.text, '');
    case 'string':
      return `Utf8("${expr.value}")`;
    case 'hex':
      return `Binary("${expr.value.toLowerCase()}")`;
    case 'boolean':
      return `Boolean(${expr.value})`;
    case 'null':
      return 'NULL';
    case 'param':
      return `$${expr.name}`;
    case 'binary':
      return `${show(expr.left)} ${expr.op} ${show(expr.right)}`;
    case 'unary':
      return unaryName(expr.op, expr.expr, env);
    case 'is':
      return `${show(expr.expr)} IS ${expr.negated ? 'NOT ' : ''}${expr.test}`;
    case 'in':
      return `${show(expr.expr)} ${expr.negated ? 'NOT IN' : 'IN'} ${expr.list.map(show).join(', ')}`;
    case 'in-query':
      return `${show(expr.expr)} ${expr.negated ? 'NOT IN' : 'IN'}`;
    case 'exists':
      return expr.negated ? 'NOT EXISTS' : 'EXISTS';
    case 'between':
      return `${show(expr.expr)} ${expr.negated ? 'NOT BETWEEN' : 'BETWEEN'} ${show(expr.low)} AND ${show(expr.high)}`;
    case 'like': {
      const escaped = expr.escape === undefined ? '' : ` CHAR '${expr.escape}'`;
      const operator = expr.symbol ?? `${expr.negated ? 'NOT ' : ''}${expr.operator}`;
      return `${show(expr.expr)} ${operator} ${show(expr.pattern)}${escaped}`;
    }
    case 'case': {
      const branches = expr.branches.map((branch) => `WHEN ${show(branch.when)} THEN ${show(branch.result)} `).join('');
      return `CASE ${expr.operand ? `${show(expr.operand)} ` : ''}${branches}${expr.otherwise ? `ELSE ${show(expr.otherwise)} ` : ''}END`;
    }
    case 'cast':
      return show(expr.expr);
    case 'interval':
      return intervalName(expr, env);
    case 'call':
      return callName(expr, env);
    case 'subquery':
      return subqueryName(expr.query);
    case 'subscript':
      return `${show(expr.expr)}[${show(expr.index)}]`;
    case 'slice':
      return `${show(expr.expr)}[${expr.low ? show(expr.low) : ''}:${expr.high ? show(expr.high) : ''}${expr.stride ? `:${show(expr.stride)}` : ''}]`;
    case 'field':
      return `${show(expr.expr)}[${expr.name}]`;
    case 'array':
      return `make_array(${expr.items.map(show).join(',')})`;
    case 'struct':
      if (expr.members.every(({ name }, index) => name === `c${index}`))
        return `struct(${expr.members.map(({ value }) => show(value)).join(',')})`;
      return `named_struct(${expr.members.map((member) => `Utf8("${member.name}"),${show(member.value)}`).join(',')})`;
    case 'map':
      return `map(make_array(${expr.entries.map((entry) => show(entry.key)).join(',')}),make_array(${expr.entries.map((entry) => show(entry.value)).join(',')}))`;
    case 'tuple':
      return `struct(${expr.items.map(show).join(',')})`;
    case 'at-zone':
      return show(expr.expr);
    case 'grouping-sets':
      return `${expr.type} (${expr.sets.map((set) => set.map(show).join(', ')).join(', ')})`;
  }
}

function columnName({ path, call }: ColumnExpr, env: Env): string {
  const found = lookup(env.scope, path);
  if (!found) return call ? callName(call, env) : path.join('.');
  return [columnLabel(found.column), ...found.fields.map((field) => `[${field}]`)].join('');
}

function numberName(text: string, sign: string): string {
  if (/^\d+$/.test(text)) {
    const value = BigInt(text);
    if (value <= int64Max || (sign === '-' && value === int64Max + 1n)) return `Int64(${sign}${value})`;
    if (value <= uint64Max && sign === '') return `UInt64(${value})`;
  }
  return `Float64(${sign}${plainFloat(Number(text))})`;
}

/** A float without exponent, `1` for 1.0. */
function plainFloat(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return point >= digits.length
    ? `${sign}${digits}${'0'.repeat(point - digits.length)}`
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function unaryName(op: '-' | '+' | 'NOT', expr: Expr, env: Env): string {
  if (op === 'NOT') return `NOT ${displayName(expr, env)}`;
  if (op === '+') return displayName(expr, env);
  if (expr.kind === 'number') return numberName(expr.text, '-');
  return `(- ${displayName(expr, env)})`;
}

function intervalName(expr: Extract<Expr, { kind: 'interval' }>, env: Env): string {
  const text = expr.value.kind === 'string' ? expr.value.value : expr.value.kind === 'number' ? expr.value.text : undefined;
  if (text === undefined) return displayName(expr.value, env);
  const { months, days, ns } = parseInterval(text, expr.unit);
  const parts = `IntervalMonthDayNano { months: ${months}, days: ${days}, nanoseconds: ${ns} }`;
  return `IntervalMonthDayNano("${parts}")`;
}

function callName(call: CallExpr, env: Env): string {
  const args = call.star ? '*' : call.args.map((arg) => displayName(arg, env)).join(',');
  let name = `${call.name === 'unnest' ? 'UNNEST' : call.name}(${call.distinct ? 'DISTINCT ' : ''}${args})`;
  if (call.ignoreNulls !== undefined) name += call.ignoreNulls ? ' IGNORE NULLS' : ' RESPECT NULLS';
  if (call.filter) name += ` FILTER (WHERE ${displayName(call.filter, env)})`;
  if (call.orderBy.length > 0 && isAggregate(call.name)) name += ` ORDER BY [${orderName(call.orderBy, env)}]`;
  const window = typeof call.over === 'string' ? env.windows?.get(call.over) : call.over;
  return window ? `${name}${windowName(window, env)}` : name;
}

function windowName(window: WindowSpec, env: Env): string {
  const partition =
    window.partitionBy.length > 0 ? ` PARTITION BY [${window.partitionBy.map((expr) => displayName(expr, env)).join(', ')}]` : '';
  const order = window.orderBy.length > 0 ? ` ORDER BY [${orderName(window.orderBy, env)}]` : '';
  const frame = window.frame;
  if (frame) {
    const start = boundName(frame.start, env);
    const end = frame.end ? boundName(frame.end, env) : 'CURRENT ROW';
    return `${partition}${order} ${frame.units} BETWEEN ${start} AND ${end}`;
  }
  const natural =
    window.orderBy.length > 0
      ? 'RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW'
      : 'ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING';
  return `${partition}${order} ${natural}`;
}

function boundName(bound: FrameBound, env: Env): string {
  if (bound.kind === 'current') return 'CURRENT ROW';
  const offset = bound.offset ? (bound.offset.kind === 'number' ? bound.offset.text : displayName(bound.offset, env)) : 'UNBOUNDED';
  return `${offset} ${bound.kind.toUpperCase()}`;
}

function orderName(items: readonly OrderItem[], env: Env): string {
  return items
    .map((item) => `${displayName(item.expr, env)} ${item.descending ? 'DESC' : 'ASC'} NULLS ${item.nullsFirst ? 'FIRST' : 'LAST'}`)
    .join(', ');
}

/** A scalar subquery is called after its only column when that is plain. */
function subqueryName(query: Query): string {
  const item = query.body.kind === 'select' ? query.body.items[0] : undefined;
  if (item?.kind === 'expr' && item.alias !== undefined) return item.alias;
  return '(<subquery>)';
}
