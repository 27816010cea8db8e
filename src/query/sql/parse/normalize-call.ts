/** Calls of the parser's tree -> `CallExpr`, with their windows and orders. */
import { notImplemented, planError } from '../types/errors.ts';
import type { CallExpr, Expr, FrameBound, OrderItem, WindowFrame, WindowSpec } from './ast.ts';
import { foldCase, identifier, objectName, objectPlace } from './names.ts';
import { normalizeExpr } from './normalize-expr.ts';
import { has, isTrue, listOf, nodeOf, objectOf, onlyMembers, type Raw, type RawObject, textOf } from './raw.ts';

/** A call of plain arguments. */
export function simpleCall(name: string, args: readonly Expr[]): CallExpr {
  return {
    kind: 'call',
    name,
    args,
    star: false,
    distinct: false,
    orderBy: [],
    filter: undefined,
    ignoreNulls: undefined,
    over: undefined,
  };
}

/** `f(..) FILTER (..) OVER (..)`. */
export function normalizeCall(raw: RawObject): CallExpr {
  onlyMembers(raw, 'function', ['name', 'parameters', 'args', 'filter', 'null_treatment', 'over', 'within_group']);
  if (raw['parameters'] !== 'None') throw notImplemented('Unsupported function parameters');
  const parts = listOf(raw['name']);
  if (parts.length !== 1) throw planError(`Invalid function '${objectName(raw['name']).join('.')}'`);
  // compat: function names match in any case, also when quoted names would not
  const name = foldCase(objectName(parts)[0] as string);
  const argNode = nodeOf(raw['args']);
  const list = argNode.kind === 'List' ? objectOf(argNode.body) : undefined;
  if (!list && argNode.kind !== 'None') throw notImplemented('Unsupported function arguments');
  const { args, star } = callArgs(name, list ? listOf(list['args']) : []);
  let ignoreNulls = nullTreatment(raw['null_treatment']);
  let orderBy = listOf(raw['within_group']).map(normalizeOrder);
  for (const clause of list ? listOf(list['clauses']) : []) {
    const node = nodeOf(clause);
    if (node.kind === 'OrderBy') orderBy = listOf(node.body).map(normalizeOrder);
    else if (node.kind === 'IgnoreOrRespectNulls') ignoreNulls = nullTreatment(node.body);
    else throw notImplemented(`Calling ${name}: Unsupported function argument clause ${node.kind}`);
  }
  return {
    kind: 'call',
    name,
    args,
    star,
    distinct: list?.['duplicate_treatment'] === 'Distinct',
    orderBy,
    filter: has(raw['filter']) ? normalizeExpr(raw['filter']) : undefined,
    ignoreNulls,
    over: has(raw['over']) ? over(raw['over']) : undefined,
    at: objectPlace(parts),
  };
}

/** Names of parameters, in order, of the functions whose arguments may be named. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  substr: ['str', 'start_pos', 'length'],
  substring: ['str', 'start_pos', 'length'],
};

function callArgs(name: string, raw: readonly Raw[]): { args: Expr[]; star: boolean } {
  if (raw.length === 1) {
    const only = nodeOf(raw[0]);
    if (only.kind === 'Unnamed' && nodeOf(only.body).kind === 'Wildcard') return { args: [], star: true };
  }
  const parameters = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
  const args: Expr[] = [];
  let isNamed = false;
  for (const arg of raw) {
    const node = nodeOf(arg);
    const place = node.kind === 'Unnamed' ? args.length : namedPlace(name, parameters, objectOf(node.body));
    if (isNamed && node.kind === 'Unnamed')
      throw planError(
        `Positional argument at position ${args.length} follows named argument. All positional arguments must come before named arguments.`,
      );
    isNamed ||= node.kind !== 'Unnamed';
    if (args[place] !== undefined) throw planError(`Parameter '${parameters?.[place]}' specified multiple times`);
    const inner = nodeOf(node.kind === 'Unnamed' ? node.body : objectOf(node.body)['arg']);
    if (inner.kind !== 'Expr') throw notImplemented('Unsupported wildcard function argument');
    args[place] = normalizeExpr(inner.body);
  }
  const missing = Array.from(args).indexOf(undefined as never);
  if (missing >= 0) throw planError(`Missing required parameter '${parameters?.[missing]}' of function '${name}'`);
  return { args, star: false };
}

/** Where an argument with a name stands. */
function namedPlace(name: string, parameters: readonly string[] | undefined, raw: RawObject): number {
  if (parameters === undefined) throw planError(`Function '${name}' does not support named arguments`);
  const parameter = identifier(raw['name']);
  const place = parameters.indexOf(parameter);
  if (place < 0)
    throw planError(`Unknown parameter name '${parameter}' for function '${name}'. Valid parameters are: [${parameters.join(', ')}]`);
  return place;
}

function nullTreatment(raw: Raw): boolean | undefined {
  return has(raw) ? raw === 'IgnoreNulls' : undefined;
}

function over(raw: Raw): WindowSpec | string {
  const node = nodeOf(raw);
  return node.kind === 'NamedWindow' ? identifier(node.body) : windowSpec(node.body);
}

/** `PARTITION BY .. ORDER BY .. <frame>`. */
export function windowSpec(raw: Raw): WindowSpec {
  const spec = objectOf(raw);
  onlyMembers(spec, 'window', ['window_name', 'partition_by', 'order_by', 'window_frame']);
  return {
    base: has(spec['window_name']) ? identifier(spec['window_name']) : undefined,
    partitionBy: listOf(spec['partition_by']).map(normalizeExpr),
    orderBy: listOf(spec['order_by']).map(normalizeOrder),
    frame: has(spec['window_frame']) ? windowFrame(objectOf(spec['window_frame'])) : undefined,
  };
}

function windowFrame(raw: RawObject): WindowFrame {
  const units = textOf(raw['units']).toUpperCase() as WindowFrame['units'];
  return { units, start: frameBound(raw['start_bound']), end: has(raw['end_bound']) ? frameBound(raw['end_bound']) : undefined };
}

function frameBound(raw: Raw): FrameBound {
  const node = nodeOf(raw);
  if (node.kind === 'CurrentRow') return { kind: 'current' };
  const offset = has(node.body) ? normalizeExpr(node.body) : undefined;
  return { kind: node.kind === 'Preceding' ? 'preceding' : 'following', offset };
}

/** One ORDER BY term. Without NULLS FIRST/LAST: last when ascending, first when descending. */
export function normalizeOrder(raw: Raw): OrderItem {
  const item = objectOf(raw);
  onlyMembers(item, 'ORDER BY', ['expr', 'options']);
  const options = objectOf(item['options']);
  const descending = options['asc'] === false;
  const nullsFirst = has(options['nulls_first']) ? isTrue(options['nulls_first']) : descending;
  return { expr: normalizeExpr(item['expr']), descending, nullsFirst };
}
