/** Takes the comparisons of `time` out of a condition. */
import { InfluxError } from '../../../shared/errors.ts';
import { parseTimestamp, timestampNsMax, timestampNsMin } from '../../sql/values/timestamps.ts';
import { planError } from './errors.ts';
import type { BinaryExpr, CompareOp, Expr, Literal } from './ir.ts';
import { printExpr } from './print-expr.ts';
import { intersect, type TimeRange } from './state.ts';

export interface SplitCondition {
  readonly range: TimeRange;
  /** What is left to filter by. */
  readonly filter: Expr | undefined;
}

export interface TimeFolding {
  readonly nowNs: bigint;
  /** Zone of texts that name none. */
  readonly zone: string | undefined;
}

const unbounded: TimeRange = { low: undefined, high: undefined };
const compareOps: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=', '=~', '!~']);

/** True for an operator that compares. */
export function isCompare(op: string): op is CompareOp {
  return compareOps.has(op);
}

/** Every comparison of time counts for the whole condition, wherever it stands. */
export function splitCondition(where: Expr | undefined, folding: TimeFolding): SplitCondition {
  if (where === undefined) return { range: unbounded, filter: undefined };
  if (where.kind !== 'binary') return { range: unbounded, filter: where };
  if (where.op === 'AND' || where.op === 'OR') {
    const left = splitCondition(where.left, folding);
    const right = splitCondition(where.right, folding);
    const range = intersect(left.range, right.range);
    if (left.filter === undefined) return { range, filter: right.filter };
    if (right.filter === undefined) return { range, filter: left.filter };
    return { range, filter: { ...where, left: left.filter, right: right.filter } };
  }
  if (!isCompare(where.op)) return { range: unbounded, filter: where };
  if (isTime(where.left)) return { range: bounds(where, where.op, foldTime(where.right, where, folding)), filter: undefined };
  if (isTime(where.right)) return { range: bounds(where, flipped(where.op), foldTime(where.left, where, folding)), filter: undefined };
  return { range: unbounded, filter: where };
}

/** In any letter case, as InfluxDB 1 reads it in conditions. */
export function isTime(expr: Expr): boolean {
  return expr.kind === 'ref' && expr.name.toLowerCase() === 'time';
}

function flipped(op: CompareOp): CompareOp {
  const other: Partial<Record<CompareOp, CompareOp>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
  return other[op] ?? op;
}

function bounds(expr: BinaryExpr, op: CompareOp, ns: bigint): TimeRange {
  switch (op) {
    case '=':
      return { low: ns, high: ns };
    case '>':
      return { low: ns + 1n, high: undefined };
    case '>=':
      return { low: ns, high: undefined };
    case '<':
      return { low: undefined, high: ns - 1n };
    case '<=':
      return { low: undefined, high: ns };
    default:
      throw planError(`invalid time comparison operator: ${expr.op}`);
  }
}

function foldTime(expr: Expr, comparison: Expr, folding: TimeFolding): bigint {
  const value = fold(expr, folding, () => planError(`invalid expression "${printExpr(comparison)}": ${reasonFor(expr)}`));
  const ns = instant(value);
  if (ns === undefined) throw planError(`invalid expression "${printExpr(comparison)}": ${reasonFor(expr)}`);
  if (ns < timestampNsMin || ns > timestampNsMax) throw planError(`timestamp out of range: ${ns}`);
  return ns;
}

function reasonFor(expr: Expr): string {
  const text = textIn(expr);
  return text === undefined ? 'not a timestamp' : `'${text}' is not a valid timestamp`;
}

function textIn(expr: Expr): string | undefined {
  if (expr.kind === 'literal') return expr.literal.kind === 'string' ? expr.literal.value : undefined;
  return expr.kind === 'binary' ? (textIn(expr.left) ?? textIn(expr.right)) : undefined;
}

/** `now()`, texts, numbers and durations, and sums of them; undefined for what is no constant. */
export function foldOffset(expr: Expr, folding: TimeFolding): bigint | undefined {
  try {
    return instant(fold(expr, folding, () => planError('not a constant')));
  } catch (error) {
    if (error instanceof InfluxError) return undefined;
    throw error;
  }
}

function instant(literal: Literal): bigint | undefined {
  switch (literal.kind) {
    case 'integer':
    case 'unsigned':
      return literal.value;
    case 'duration':
    case 'timestamp':
      return literal.ns;
    case 'float':
      return BigInt(Math.trunc(literal.value));
    default:
      return undefined;
  }
}

function fold(expr: Expr, folding: TimeFolding, failed: () => Error): Literal {
  if (expr.kind === 'literal') {
    if (expr.literal.kind !== 'string') return expr.literal;
    const ns = timestampText(expr.literal.value, folding.zone);
    if (ns === undefined) throw failed();
    return { kind: 'timestamp', ns };
  }
  if (expr.kind === 'call' && expr.name === 'now' && expr.args.length === 0) return { kind: 'timestamp', ns: folding.nowNs };
  if (expr.kind !== 'binary') throw failed();
  const left = fold(expr.left, folding, failed);
  const right = fold(expr.right, folding, failed);
  const a = instant(left);
  const b = instant(right);
  if (a === undefined || b === undefined) throw failed();
  const kind = left.kind === 'timestamp' || right.kind === 'timestamp' ? 'timestamp' : 'duration';
  switch (expr.op) {
    case '+':
      return { kind, ns: a + b };
    case '-':
      return { kind, ns: a - b };
    case '*':
      return { kind, ns: a * b };
    case '/':
      if (b === 0n) throw failed();
      return { kind, ns: a / b };
    default:
      throw failed();
  }
}

/** Undefined when the text is no timestamp. */
function timestampText(text: string, zone: string | undefined): bigint | undefined {
  try {
    const hasZone = /(?:[Zz]|[+-]\d{2}:?\d{2})$/.test(text.slice(10));
    if (zone === undefined || hasZone) return parseTimestamp(text);
    return parseTimestamp(text.length === 10 ? `${text} 00:00:00 ${zone}` : `${text} ${zone}`);
  } catch (error) {
    if (error instanceof InfluxError) return undefined;
    throw error;
  }
}
