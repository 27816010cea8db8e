/** Conditions on rows: what cannot be compared is false, not an error. */
import { MS_NS, SECOND_NS, US_NS } from '../../../shared/time-units.ts';
import { quoteString } from '../../sql/types/quote.ts';
import { planError } from './errors.ts';
import type { BinaryExpr, CompareOp, Expr, RefExpr } from './ir.ts';
import { checkMathArity, isMathFunction, mathFunction } from './math.ts';
import { isCompare, isTime } from './time-range.ts';
import { arithmetic, floatSql, isNumeric, literalValue, type Value } from './types.ts';

/** What a condition reads. */
export interface ConditionScope {
  column(ref: RefExpr): Value;
  /** Nanoseconds since the epoch, BIGINT. */
  readonly timeNs: string;
}

/** A column that is not there as InfluxDB 1 compares it: a tag that no series has. */
export function asEmptyTag(value: Value, { cast }: RefExpr): Value {
  return value.type === 'null' && (cast === undefined || cast === 'tag' || cast === 'field')
    ? { sql: 'CAST(NULL AS VARCHAR)', type: 'tag' }
    : value;
}

/** SQL that is true for the rows to keep; false or NULL for the others. */
export function conditionSql(expr: Expr, scope: ConditionScope): string {
  const value = operand(expr, scope);
  return value.type === 'boolean' ? value.sql : 'false';
}

function operand(expr: Expr, scope: ConditionScope): Value {
  switch (expr.kind) {
    case 'literal':
      return literalValue(expr.literal);
    case 'ref':
      return isTime(expr) ? { sql: scope.timeNs, type: 'integer' } : scope.column(expr);
    case 'wildcard':
      throw planError('invalid conditional expression: wildcard');
    case 'call':
      return call(expr.name, expr.args, scope);
    case 'binary':
      return binary(expr, scope);
  }
}

function call(name: string, args: readonly Expr[], scope: ConditionScope): Value {
  if (name === 'date_part') return datePart(args, scope);
  if (!isMathFunction(name)) throw planError(`invalid function call in condition: ${name}`);
  checkMathArity(name, args.length);
  return mathFunction(
    name,
    args.map((arg) => operand(arg, scope)),
  );
}

function binary(expr: BinaryExpr, scope: ConditionScope): Value {
  const { op } = expr;
  if (op === 'AND' || op === 'OR') {
    // without parentheses between them, which DuckDB would take for levels of an expression
    const parts = chained(op, expr).map((part) => conditionSql(part, scope));
    return { sql: `(${parts.join(` ${op} `)})`, type: 'boolean' };
  }
  if (!isCompare(op)) return arithmetic(op, joined(operand(expr.left, scope)), joined(operand(expr.right, scope)), true);
  return { sql: comparison(op, expr.left, expr.right, scope), type: 'boolean' };
}

/** The operands of `a OR b OR c`. */
function chained(op: 'AND' | 'OR', expr: BinaryExpr): Expr[] {
  const parts: Expr[] = [];
  let rest: Expr = expr;
  for (; rest.kind === 'binary' && rest.op === op; rest = rest.left) parts.push(rest.right);
  return [rest, ...parts.reverse()];
}

/** A missing tag value joins and compares like an empty text. */
function joined(value: Value): Value {
  return value.type === 'tag' ? { sql: `coalesce(${value.sql}, '')`, type: 'string' } : value;
}

const never = 'false';

function comparison(op: CompareOp, leftExpr: Expr, rightExpr: Expr, scope: ConditionScope): string {
  const left = operand(leftExpr, scope);
  if (rightExpr.kind === 'literal' && rightExpr.literal.kind === 'regex') return regexTest(op, left, rightExpr.literal.source);
  const right = operand(rightExpr, scope);
  if (left.type === 'null' || right.type === 'null') return never;
  if (isNumeric(left.type) && isNumeric(right.type)) return numbers(op, left, leftExpr, right, rightExpr);
  if (left.type === 'boolean' && right.type === 'boolean') {
    return op === '=' || op === '!=' ? `(${known(left, leftExpr)} ${engineOp(op)} ${known(right, rightExpr)})` : never;
  }
  if (!isText(left) || !isText(right)) return never;
  if (op === '=~' || op === '!~') return never;
  return texts(op, left, right, rightExpr);
}

function isText(value: Value): boolean {
  return value.type === 'string' || value.type === 'tag';
}

/** Equality with a text that is not empty needs no stand-in for NULL, so the scan can use it. */
function texts(op: CompareOp, left: Value, right: Value, rightExpr: Expr): string {
  const filled = rightExpr.kind === 'literal' && rightExpr.literal.kind === 'string' && rightExpr.literal.value !== '';
  if (op === '=' && filled) return `(${left.sql} = ${right.sql})`;
  return `(${joined(left).sql} ${engineOp(op)} ${joined(right).sql})`;
}

/** A comparison as operand of another one: not NULL. */
function known(value: Value, expr: Expr): string {
  return expr.kind === 'binary' ? `coalesce(${value.sql}, false)` : value.sql;
}

function numbers(op: CompareOp, left: Value, leftExpr: Expr, right: Value, rightExpr: Expr): string {
  if (op === '=~' || op === '!~') return never;
  const a = right.type === 'float' ? floatLiteral(left, leftExpr) : left.sql;
  const b = left.type === 'float' ? floatLiteral(right, rightExpr) : right.sql;
  return `(${a} ${engineOp(op)} ${b})`;
}

/** A whole number beside a float becomes one, so that the scan can compare without a cast. */
function floatLiteral(value: Value, expr: Expr): string {
  const whole = expr.kind === 'literal' && (expr.literal.kind === 'integer' || expr.literal.kind === 'unsigned');
  return whole ? floatSql(Number(expr.literal.value)) : value.sql;
}

function engineOp(op: CompareOp): string {
  return op === '!=' ? '<>' : op;
}

function regexTest(op: CompareOp, left: Value, source: string): string {
  if (!isText(left) || (op !== '=~' && op !== '!~')) return never;
  const test = `regexp_matches(${joined(left).sql}, ${quoteString(source)})`;
  return op === '=~' ? test : `(NOT ${test})`;
}

const wholeParts: Readonly<Record<string, string>> = {
  year: 'year',
  quarter: 'quarter',
  month: 'month',
  week: 'week',
  day: 'day',
  hour: 'hour',
  minute: 'minute',
  dow: 'dow',
  doy: 'doy',
};

const secondParts: Readonly<Record<string, bigint>> = {
  second: SECOND_NS,
  millisecond: MS_NS,
  microsecond: US_NS,
  nanosecond: 1n,
};

function datePart(args: readonly Expr[], scope: ConditionScope): Value {
  const [part, time] = args;
  if (args.length !== 2) throw planError(`invalid number of arguments for date_part, expected 2, got ${args.length}`);
  if (part?.kind !== 'literal' || part.literal.kind !== 'string')
    throw planError('invalid arguments for date_part, expected a string literal as the first argument');
  if (time?.kind !== 'ref' || time.name !== 'time')
    throw planError('invalid arguments for date_part, expected time as the second argument');
  const name = part.literal.value.toLowerCase();
  if (name === 'epoch') return { sql: `_df.floordiv(${scope.timeNs}, 1000000000)`, type: 'integer' };
  const unit = secondParts[name];
  if (unit !== undefined) return { sql: `(_df.pmod(${scope.timeNs}, 60000000000) // ${unit})`, type: 'integer' };
  const instant = `make_timestamp(_df.floordiv(${scope.timeNs}, 1000))`;
  if (name === 'isodow') return { sql: `(date_part('isodow', ${instant}) - 1)`, type: 'integer' };
  const engineName = wholeParts[name];
  if (engineName === undefined) throw planError(`invalid date part '${part.literal.value}'`);
  return { sql: `date_part('${engineName}', ${instant})`, type: 'integer' };
}
