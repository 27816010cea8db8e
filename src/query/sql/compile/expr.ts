/** `Expr` -> typed engine SQL. */

import { InfluxError } from '../../../shared/errors.ts';
import { arrayOf, element } from '../functions/lists.ts';
import { mapFromEntries, member, structOf } from '../functions/misc.ts';
import { atTimeZone } from '../functions/time.ts';
import type { CaseExpr, Expr, LikeExpr } from '../parse/ast.ts';
import { placed } from '../parse/text-place.ts';
import type { Env } from '../types/env.ts';
import { coercionError, notImplemented, planError } from '../types/errors.ts';
import { columnLabel, lookup, noFieldNamed, type ScopeColumn } from '../types/scope.ts';
import {
  type Bound,
  booleanConstant,
  floatConstant,
  intConstant,
  intervalConstant,
  nullConstant,
  raising,
  stringConstant,
  type Typed,
  typed,
} from '../types/typed.ts';
import {
  arrowTypeText,
  binaryType,
  boolean,
  castTargetType,
  int64,
  isNumeric,
  sameType,
  uint64,
  unknownType,
  utf8,
} from '../types/types.ts';
import { castTo, toCondition, toText } from '../values/casts.ts';
import { comparable, comparableAll, compare, unify } from '../values/comparisons.ts';
import { parseInterval } from '../values/intervals.ts';
import { likeCondition } from '../values/like-pattern.ts';
import { binaryOperator, wrapped } from '../values/operators.ts';
import { compileCall } from './calls.ts';
import { displayName } from './display.ts';

const int64Max = 9_223_372_036_854_775_807n;
const uint64Max = 18_446_744_073_709_551_615n;

/**
 * An expression as DuckDB SQL with its DataFusion type. Throws a planning error (400) for unknown names and types that
 * do not fit, 'not implemented' (405) for what has no counterpart.
 */
export function compileExpr(expr: Expr, env: Env): Typed {
  const replaced = hidesColumn(expr, env) ? undefined : env.replacement?.match(expr);
  if (replaced) return replaced;
  switch (expr.kind) {
    case 'column':
      return placed(expr.at, () => column(expr, env));
    case 'number':
      return number(expr.text);
    case 'string':
      return stringConstant(expr.value);
    case 'hex':
      return hex(expr.value);
    case 'boolean':
      return booleanConstant(expr.value);
    case 'null':
      return nullConstant();
    case 'param':
      return param(expr.name, env);
    case 'binary':
      return binaryOperator(
        expr.op,
        compileExpr(expr.left, env),
        expr.op === 'AND' || expr.op === 'OR' ? castIfRaises(compileLazily(expr.right, env)) : compileExpr(expr.right, env),
        env.state.wrapsIntegers,
      );
    case 'unary':
      return unary(expr, env);
    case 'is':
      return isTest(expr, env);
    case 'in':
      return inList(expr, env);
    case 'in-query':
      return inQuery(expr, env);
    case 'exists': {
      const nested = env.state.compileNested(expr.query, env.state, env.scope, env.ctes);
      return typed(`(${expr.negated ? 'NOT ' : ''}EXISTS (${nestedSql(nested)}))`, boolean);
    }
    case 'between':
      return between(expr, env);
    case 'like':
      return like(expr, env);
    case 'case':
      return caseExpr(expr, env);
    case 'cast':
      return cast(expr, env);
    case 'interval':
      return interval(expr, env);
    case 'call':
      return compileCall(expr, env);
    case 'subquery':
      return scalarSubquery(expr, env);
    case 'subscript':
      return element(compileExpr(expr.expr, env), compileExpr(expr.index, env));
    case 'slice':
      return slice(expr, env);
    case 'field':
      return field(expr, env);
    case 'array':
      return arrayOf(expr.items.map((item) => compileExpr(item, env)));
    case 'struct':
      return structOf(expr.members.map((item) => ({ name: item.name, value: compileExpr(item.value, env) })));
    case 'tuple':
      return structOf(expr.items.map((item, index) => ({ name: `c${index}`, value: compileExpr(item, env) })));
    case 'map':
      return mapFromEntries(expr.entries.map((entry) => ({ key: compileExpr(entry.key, env), value: compileExpr(entry.value, env) })));
    case 'at-zone':
      return atTimeZone(compileExpr(expr.expr, env), compileExpr(expr.zone, env));
    case 'grouping-sets':
      throw planError(`${expr.type} is only allowed in GROUP BY`);
  }
}

/** A condition of WHERE, HAVING, ON and the like. */
export function compileCondition(expr: Expr, env: Env): Typed {
  return toCondition(compileExpr(expr, env), env.clause, () => displayName(expr, env));
}

/** SQL of a nested query, its WITH clause included. */
export function nestedSql(query: { definitions: readonly string[]; recursive: boolean; sql: string }): string {
  if (query.definitions.length === 0) return query.sql;
  return `WITH ${query.recursive ? 'RECURSIVE ' : ''}${query.definitions.join(', ')} ${query.sql}`;
}

/** True for a name that ORDER BY takes from the select list. */
function hidesColumn(expr: Expr, env: Env): boolean {
  return env.aliasesFirst === true && expr.kind === 'column' && expr.path.length === 1 && env.aliases?.has(expr.path[0] as string) === true;
}

/** compat: a 64-bit signed integer that is cast to a timestamp counts seconds; unsigned ones and other numbers count nanoseconds. */
function cast({ expr, target, attempt }: Extract<Expr, { kind: 'cast' }>, env: Env): Typed {
  const value = compileExpr(expr, env);
  const type = castTargetType(target);
  const { kind } = value.type;
  const isSeconds = !attempt && type.kind === 'timestamp' && type.unit === 'ns' && kind === 'int' && sameType(value.type, int64);
  return isSeconds ? castTo(castTo(value, { ...type, unit: 's' }), type) : castTo(value, type, attempt);
}

function column(expr: Extract<Expr, { kind: 'column' }>, env: Env): Typed {
  const alias = expr.path.length === 1 ? env.aliases?.get(expr.path[0] as string) : undefined;
  if (alias && env.aliasesFirst) return alias;
  const found = lookup(env.scope, expr.path);
  if (!found) {
    if (alias) return alias;
    if (expr.call) return compileCall(expr.call, env);
    throw noFieldNamed(env.scope, expr.path, env.fields, env.clause === 'WHERE' && expr.quoted[0] === true);
  }
  if (env.replacement && !isOuter(found.column, env)) {
    if (alias) return alias;
    throw env.replacement.ungrouped(columnLabel(found.column));
  }
  return found.fields.reduce((value, name) => member(value, name), columnReference(found.column));
}

function isOuter(column: ScopeColumn, env: Env): boolean {
  return !env.scope.tables.some((table) => table.columns.includes(column)) && ![...env.scope.merged.values()].includes(column);
}

/** Reads a column, and notes that its table needs it. */
export function columnReference(column: ScopeColumn): Typed {
  column.use?.columns.add(column.name);
  return { sql: column.sql, type: column.type, column };
}

function number(text: string): Typed {
  if (/^\d+$/.test(text)) {
    const value = BigInt(text);
    if (value <= int64Max) return intConstant(value);
    if (value <= uint64Max) return intConstant(value, uint64);
  }
  const value = Number(text);
  if (Number.isNaN(value)) throw planError(`Cannot parse ${text} as f64`);
  return floatConstant(value);
}

function hex(digits: string): Typed {
  if (!/^[0-9a-fA-F]*$/.test(digits)) throw planError(`Invalid HexStringLiteral '${digits}'`);
  // Of an odd number of digits the first one is half a byte.
  return typed(`unhex('${digits.padStart(digits.length + (digits.length % 2), '0')}')`, binaryType);
}

function param(name: string, env: Env): Typed {
  const value = env.state.param(name);
  if (!value) {
    const open = env.state.openParam(name);
    if (open === undefined) throw planError(`No value found for placeholder with name $${name}`);
    return typed(open, unknownType);
  }
  switch (value.kind) {
    case 'null':
      return nullConstant();
    case 'boolean':
      return booleanConstant(value.value);
    case 'int64':
      return intConstant(value.value, int64);
    case 'uint64':
      return intConstant(value.value, uint64);
    case 'float64':
      return floatConstant(value.value);
    case 'string':
      return stringConstant(value.value);
  }
}

function unary(expr: Extract<Expr, { kind: 'unary' }>, env: Env): Typed {
  if (expr.op === '-' && expr.expr.kind === 'number' && expr.expr.text === '9223372036854775808') return intConstant(-int64Max - 1n);
  const value = compileExpr(expr.expr, env);
  if (expr.op === 'NOT') return typed(`(NOT ${toCondition(value, 'NOT').sql})`, boolean);
  const { kind } = value.type;
  if (expr.op === '+') return value;
  if (value.constant?.kind === 'int' && kind === 'int' && value.type.signed) return intConstant(BigInt.asIntN(64, -value.constant.value));
  if (value.constant?.kind === 'float') return floatConstant(-value.constant.value);
  if (value.constant?.kind === 'interval') {
    const { months, days, ns } = value.constant.value;
    return intervalConstant({ months: -months, days: -days, ns: -ns });
  }
  if (value.type.kind === 'interval' && value.type.fine === true) return typed(`_df.fine_times(${value.sql}, -1)`, value.type);
  if (kind === 'int' && !value.type.signed) throw planError('Negation only supports numeric, interval and timestamp types');
  if (isNumeric(value.type) || kind === 'interval' || kind === 'duration' || kind === 'null' || kind === 'unknown') {
    if (env.state.wrapsIntegers && value.type.kind === 'int')
      return typed(wrapped(`(- CAST(${value.sql} AS HUGEINT))`, value.type), value.type);
    return typed(`(- ${value.sql})`, value.type);
  }
  // What it would be by DataFusion: as far before 1970 as it was after.
  if (kind === 'timestamp') return typed(`make_timestamp_ns(- epoch_ns(${value.sql}))`, value.type);
  throw planError('Negation only supports numeric, interval and timestamp types');
}

function isTest(expr: Extract<Expr, { kind: 'is' }>, env: Env): Typed {
  const value = compileExpr(expr.expr, env);
  const not = expr.negated ? 'NOT ' : '';
  if (expr.test === 'NULL') return typed(`(${value.sql} IS ${not}NULL)`, boolean);
  const condition = toCondition(value, 'IS').sql;
  if (expr.test === 'UNKNOWN') return typed(`(${condition} IS ${not}NULL)`, boolean);
  const constant = expr.test === 'TRUE' ? 'true' : 'false';
  return typed(`(${condition} IS ${expr.negated ? '' : 'NOT '}DISTINCT FROM ${constant})`, boolean);
}

function inList(expr: Extract<Expr, { kind: 'in' }>, env: Env): Typed {
  const value = compileExpr(expr.expr, env);
  const items = expr.list.map((item) => compileExpr(item, env));
  if (value.type.kind === 'timestamp' && items.some((item) => isNumeric(item.type))) {
    throw coercionError(
      `Can not find compatible types to compare ${arrowTypeText(value.type)} with [${items.map((item) => arrowTypeText(item.type)).join(', ')}]`,
    );
  }
  const [left, ...right] = comparableAll([value, ...items]) as [Typed, ...Typed[]];
  const shown = right.map((item) => comparable('IN', left, item)[1].sql);
  const sql = `(${left.sql} ${expr.negated ? 'NOT ' : ''}IN (${shown.join(', ')}))`;
  return { sql, type: boolean, bounds: expr.negated ? [] : tagValues(value, items) };
}

/** A tag that must be one of some texts. */
function tagValues(value: Typed, items: readonly Typed[]): readonly Bound[] {
  if (value.column?.tag === undefined) return [];
  const values = items.flatMap((item) => (item.constant?.kind === 'string' ? [item.constant.value] : []));
  return values.length === items.length ? [{ column: value.column, min: undefined, max: undefined, values }] : [];
}

function inQuery(expr: Extract<Expr, { kind: 'in-query' }>, env: Env): Typed {
  const value = compileExpr(expr.expr, env);
  const nested = env.state.compileNested(expr.query, env.state, env.scope, env.ctes);
  const only = nested.columns[0];
  if (!only || nested.columns.length !== 1) {
    throw planError(`Too many columns! The subquery should only return one column`);
  }
  const name = env.state.freshName('q');
  const [left, right] = comparable('IN', value, typed(`${name}.${only.sqlName}`, only.type));
  const sql = right.sql === `${name}.${only.sqlName}` ? nestedSql(nested) : `SELECT ${right.sql} FROM (${nestedSql(nested)}) AS ${name}`;
  return typed(`(${left.sql} ${expr.negated ? 'NOT ' : ''}IN (${sql}))`, boolean);
}

function scalarSubquery(expr: Extract<Expr, { kind: 'subquery' }>, env: Env): Typed {
  const nested = env.state.compileNested(expr.query, env.state, env.scope, env.ctes);
  const only = nested.columns[0];
  if (!only || nested.columns.length !== 1) throw planError('Too many columns! The subquery should only return one column');
  return typed(`(${nestedSql(nested)})`, only.type);
}

function between(expr: Extract<Expr, { kind: 'between' }>, env: Env): Typed {
  const operands = [expr.expr, expr.low, expr.high].map((operand) => compileExpr(operand, env));
  const [value, from, to] = comparableAll(operands) as [Typed, Typed, Typed];
  const low = compare('>=', value, from);
  const high = compare('<=', value, to);
  if (expr.negated) return typed(`(NOT (${low.sql} AND ${high.sql}))`, boolean);
  return { sql: `(${low.sql} AND ${high.sql})`, type: boolean, bounds: [...(low.bounds ?? []), ...(high.bounds ?? [])] };
}

function like(expr: LikeExpr, env: Env): Typed {
  const operand = compileExpr(expr.expr, env);
  const pattern = compileExpr(expr.pattern, env);
  if (expr.operator === 'SIMILAR TO') {
    if (expr.escape !== undefined) throw notImplemented('SIMILAR TO does not support escape_char yet');
    // compat: the pattern is an ordinary regular expression that may match anywhere
    return binaryOperator(expr.negated ? '!~' : '~', operand, pattern);
  }
  const condition = likeCondition(toText(operand).sql, pattern, expr.operator, expr.escape ?? '\\');
  return typed(expr.negated ? `(NOT ${condition})` : condition, boolean);
}

/**
 * An expression in a place that may not be reached: a constant that cannot be computed fails there and then, as in DataFusion,
 * and not before.
 */
export function compileLazily(expr: Expr, env: Env): Typed {
  try {
    return compileExpr(expr, env);
  } catch (error) {
    if (error instanceof InfluxError && error.code === 'SQL_ARROW' && error.message.startsWith('Arrow error: '))
      return raising(error.message);
    throw error;
  }
}

function castIfRaises(value: Typed): Typed {
  return value.raises ? castTo(value, boolean) : value;
}

function caseExpr(expr: CaseExpr, env: Env): Typed {
  const whens = expr.branches.map(({ when }, index) => (index === 0 ? compileExpr(when, env) : compileLazily(when, env)));
  const conditions = expr.operand ? equalities(compileExpr(expr.operand, env), whens) : whens.map(caseCondition);
  const results = expr.branches.map((branch) => compileLazily(branch.result, env));
  const otherwise = expr.otherwise ? compileLazily(expr.otherwise, env) : nullConstant();
  const { values, type } = unify([...results, otherwise], 'CASE WHEN expression');
  const branches = conditions.map((condition, index) => `WHEN ${condition} THEN ${(values[index] as Typed).sql}`);
  return typed(`(CASE ${branches.join(' ')} ELSE ${(values.at(-1) as Typed).sql} END)`, type);
}

function caseCondition(when: Typed): string {
  const { kind } = when.type;
  // compat: a number or text is cast here, and only here
  if (when.raises || isNumeric(when.type) || kind === 'string') return castTo(when, boolean).sql;
  return toCondition(when, 'CASE').sql;
}

/** The operand compared with each value, all in one type. */
function equalities(operand: Typed, whens: readonly Typed[]): readonly string[] {
  const compared = comparableAll([operand, ...whens.filter(({ raises }) => !raises)]);
  const left = compared[0] as Typed;
  let next = 1;
  return whens.map((when) =>
    when.raises ? `(${left.sql} = ${castTo(when, left.type).sql})` : compare('=', left, compared[next++] as Typed).sql,
  );
}

function interval(expr: Extract<Expr, { kind: 'interval' }>, env: Env): Typed {
  const { value } = expr;
  const negative = value.kind === 'unary' && value.op === '-' ? value.expr : undefined;
  if (negative?.kind === 'number') return intervalConstant(parseInterval(`-${negative.text}`, expr.unit));
  if (value.kind === 'number') return intervalConstant(parseInterval(value.text, expr.unit));
  const compiled = compileExpr(value, env);
  if (compiled.constant?.kind === 'string') return intervalConstant(parseInterval(compiled.constant.value, expr.unit));
  throw planError('Unsupported interval argument. Expected string literal or number');
}

function slice(expr: Extract<Expr, { kind: 'slice' }>, env: Env): Typed {
  const value = compileExpr(expr.expr, env);
  const bound = (item: Expr | undefined): string => (item ? castTo(compileExpr(item, env), int64).sql : 'NULL');
  const low = expr.low ? bound(expr.low) : '1';
  if (expr.stride && value.type.kind === 'list')
    return stridden(value, low, expr.high ? bound(expr.high) : `len(${value.sql})`, bound(expr.stride));
  if (value.type.kind !== 'list' && value.type.kind !== 'string')
    throw planError(`array_slice does not support type '${arrowTypeText(value.type)}'`);
  return typed(
    expr.high ? `list_slice(${value.sql}, ${low}, ${bound(expr.high)})` : `${value.sql}[${low}:]`,
    value.type.kind === 'list' ? value.type : utf8,
  );
}

function stridden(value: Typed, low: string, high: string, stride: string): Typed {
  return typed(`list_slice(${value.sql}, ${low}, ${high}, ${stride})`, value.type);
}

function field(expr: Extract<Expr, { kind: 'field' }>, env: Env): Typed {
  const replaced = env.replacement?.match(expr.expr);
  if (replaced) return member(replaced, expr.name);
  if (expr.expr.kind === 'call') {
    const short = compileCall(expr.expr, env, expr.name);
    if (short.member) return short;
    return member(short, expr.name);
  }
  return member(compileExpr(expr.expr, env), expr.name);
}
