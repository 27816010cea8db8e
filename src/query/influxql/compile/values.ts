/** Expressions of the SELECT list. */
import { planError } from './errors.ts';
import type { CallExpr, Expr, RefExpr } from './ir.ts';
import { isMathFunction, mathFunction } from './math.ts';
import { arithmetic, literalValue, type Value } from './types.ts';

/** What columns and calls stand for where an expression is evaluated. */
export interface ValueScope {
  ref(expr: RefExpr): Value;
  call(expr: CallExpr): Value;
}

/** The value of a selected expression; calls of math functions are evaluated here, all others by the scope. */
export function evaluate(expr: Expr, scope: ValueScope): Value {
  switch (expr.kind) {
    case 'literal':
      return literalValue(expr.literal);
    case 'ref':
      return scope.ref(expr);
    case 'call':
      if (!isMathFunction(expr.name)) return scope.call(expr);
      return mathFunction(
        expr.name,
        expr.args.map((arg) => evaluate(arg, scope)),
      );
    case 'binary':
      if (expr.op === 'AND' || expr.op === 'OR' || !isArithmetic(expr.op))
        throw planError(`unsupported operator ${expr.op} in a selected field`);
      return arithmetic(expr.op, evaluate(expr.left, scope), evaluate(expr.right, scope), false);
    case 'wildcard':
      throw planError('unsupported binary expression: contains a wildcard or regular expression');
  }
}

type ArithmeticOp = Parameters<typeof arithmetic>[0];

function isArithmetic(op: string): op is ArithmeticOp {
  return '+-*/%&|^'.includes(op);
}

/** Columns in an expression, without `time`. */
export function refsIn(expr: Expr): RefExpr[] {
  if (expr.kind === 'ref') return expr.name === 'time' ? [] : [expr];
  if (expr.kind === 'call') return expr.args.flatMap(refsIn);
  return expr.kind === 'binary' ? [...refsIn(expr.left), ...refsIn(expr.right)] : [];
}
