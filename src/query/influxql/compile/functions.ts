/** The functions of the language and what each may be called with. */
import { notImplemented, planError, selectError } from './errors.ts';
import type { CallExpr, Expr } from './ir.ts';
import { isMathFunction } from './math.ts';
import { debugExpr } from './print-expr.ts';
import type { ValueType } from './types.ts';

export type FunctionKind = 'aggregate' | 'selector' | 'top' | 'distinct' | 'window' | 'math';

const kinds: Readonly<Record<string, Exclude<FunctionKind, 'math'>>> = {
  count: 'aggregate',
  sum: 'aggregate',
  mean: 'aggregate',
  median: 'aggregate',
  mode: 'aggregate',
  spread: 'aggregate',
  stddev: 'aggregate',
  integral: 'aggregate',
  first: 'selector',
  last: 'selector',
  min: 'selector',
  max: 'selector',
  percentile: 'selector',
  top: 'top',
  bottom: 'top',
  distinct: 'distinct',
  difference: 'window',
  non_negative_difference: 'window',
  derivative: 'window',
  non_negative_derivative: 'window',
  moving_average: 'window',
  cumulative_sum: 'window',
  elapsed: 'window',
};

const technical: ReadonlySet<string> = new Set([
  'holt_winters',
  'holt_winters_with_fit',
  'chande_momentum_oscillator',
  'exponential_moving_average',
  'double_exponential_moving_average',
  'triple_exponential_moving_average',
  'triple_exponential_derivative',
  'kaufmans_efficiency_ratio',
  'kaufmans_adaptive_moving_average',
  'relative_strength_index',
]);

/** Throws for names that cannot be called. */
export function functionKind(name: string): FunctionKind {
  if (isMathFunction(name)) return 'math';
  if (Object.hasOwn(kinds, name)) return kinds[name] as FunctionKind;
  if (name === 'sample') throw notImplemented('sample selector function');
  if (technical.has(name)) throw planError(`Invalid function '${name}'`);
  throw selectError(`unsupported function ${name}()`);
}

const forText: ReadonlySet<string> = new Set(['count', 'first', 'last', 'distinct', 'elapsed', 'mode', 'sample']);

/** True when `fn(*)` stands also for a call with a field of this type. */
export function acceptsType(name: string, type: ValueType): boolean {
  if (type === 'float' || type === 'integer' || type === 'unsigned') return true;
  if (type === 'tag' || type === 'null') return false;
  return forText.has(name) || (type === 'boolean' && (name === 'min' || name === 'max'));
}

const arities: Readonly<Record<string, readonly [number, number]>> = {
  integral: [1, 2],
  percentile: [2, 2],
  derivative: [1, 2],
  non_negative_derivative: [1, 2],
  moving_average: [2, 2],
  elapsed: [1, 2],
};

/** Checks the arguments of an aggregate, selector, distinct or window call. */
export function checkCall(call: CallExpr, kind: FunctionKind): void {
  const { name, args } = call;
  if (kind === 'top') {
    checkTop(call);
    return;
  }
  const [least, most] = arities[name] ?? [1, 1];
  if (args.length < least || args.length > most) {
    const expected = least === most ? String(least) : `at least ${least} but no more than ${most}`;
    throw selectError(`invalid number of arguments for ${name}, expected ${expected}, got ${args.length}`);
  }
  const [field, parameter] = args as [Expr, Expr | undefined];
  if (kind !== 'window') checkField(name, field);
  if (parameter !== undefined) checkParameter(name, parameter);
}

function checkField(name: string, field: Expr): void {
  if (name === 'count' && field.kind === 'call' && field.name === 'distinct') {
    checkCall(field, 'distinct');
    return;
  }
  if (field.kind === 'ref' || field.kind === 'wildcard' || (field.kind === 'literal' && field.literal.kind === 'regex')) return;
  throw selectError(`expected field argument in ${name}(), got ${debugExpr(field)}`);
}

function checkParameter(name: string, parameter: Expr): void {
  const literal = parameter.kind === 'literal' ? parameter.literal : undefined;
  if (name === 'percentile') {
    if (literal?.kind === 'integer' || literal?.kind === 'float' || literal?.kind === 'unsigned') return;
    throw selectError(`expected number for percentile(), got ${debugExpr(parameter)}`);
  }
  if (name === 'moving_average') {
    if (literal?.kind !== 'integer') throw selectError(`expected integer argument in moving_average(), got ${debugExpr(parameter)}`);
    if (literal.value <= 1n) throw selectError(`moving_average window must be greater than 1, got ${literal.value}`);
    return;
  }
  if (literal?.kind !== 'duration') throw selectError(`expected duration argument in ${name}(), got ${debugExpr(parameter)}`);
  if (literal.ns <= 0n) throw selectError(`duration argument must be positive, got ${literal.ns}ns`);
}

function checkTop({ name, args }: CallExpr): void {
  if (args.length < 2) throw selectError(`invalid number of arguments for ${name}, expected at least 2, got ${args.length}`);
  const last = args.at(-1) as Expr;
  if (last.kind !== 'literal' || last.literal.kind !== 'integer') {
    throw selectError(`expected integer as last argument for ${name}, got ${debugExpr(last)}`);
  }
  if (last.literal.value <= 0n) throw selectError(`limit (${last.literal.value}) for ${name} must be greater than 0`);
  for (const arg of args.slice(0, -1)) {
    if (arg.kind !== 'ref') throw selectError(`expected field argument in ${name}(), got ${debugExpr(arg)}`);
  }
}

/** A number. */
export function numberArgument(call: CallExpr, index: number): number {
  const arg = call.args[index];
  if (arg?.kind !== 'literal') return Number.NaN;
  const { literal } = arg;
  return literal.kind === 'integer' || literal.kind === 'float' || literal.kind === 'unsigned' ? Number(literal.value) : Number.NaN;
}

/** A whole number, with all its digits. */
export function integerArgument(call: CallExpr, index: number): bigint {
  const arg = call.args[index];
  return arg?.kind === 'literal' && arg.literal.kind === 'integer' ? arg.literal.value : 0n;
}

/** A duration argument in ns. */
export function durationArgument(call: CallExpr, index: number): bigint | undefined {
  const arg = call.args[index];
  return arg?.kind === 'literal' && arg.literal.kind === 'duration' ? arg.literal.ns : undefined;
}
