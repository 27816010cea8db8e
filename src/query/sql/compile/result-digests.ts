/** Digests that DuckDB has no function for: DuckDB delivers the bytes, and what reads its rows digests them. */

import { algorithmOf, digestNeedsResult, digestsInResultOnly, encodingOf } from '../functions/digests.ts';
import type { CallExpr, Expr, OrderItem } from '../parse/ast.ts';
import type { ResultDigest } from '../types/contract.ts';
import type { Env } from '../types/env.ts';
import type { Typed } from '../types/typed.ts';
import { binaryType, utf8 } from '../types/types.ts';
import { toText } from '../values/casts.ts';
import { compileExpr } from './expr.ts';
import type { ExpandedItem } from './select-items.ts';
import { hasPath } from './walk.ts';

/** A select item whose engine column holds what is to be digested. */
export interface DigestedItem extends Typed {
  readonly digest: ResultDigest;
}

/**
 * `sha512(x)` and the like, bare or inside `encode(.., 'hex' | 'base64')`, as a whole item of the outermost select list.
 * Undefined = the item is something else, or DuckDB can do it.
 */
export function digestedItem(expr: Expr, env: Env): DigestedItem | undefined {
  if (expr.kind !== 'call') return undefined;
  const [first, second] = expr.args;
  if (isPlain(expr) && expr.name === 'encode' && first?.kind === 'call' && second?.kind === 'string' && expr.args.length === 2) {
    const inner = digestedCall(first, env);
    const text = encodingOf(second.value);
    return inner === undefined || text === undefined ? undefined : { ...inner, type: utf8, digest: { ...inner.digest, text } };
  }
  return digestedCall(expr, env);
}

function digestedCall(call: CallExpr, env: Env): DigestedItem | undefined {
  const algorithm = isPlain(call) ? calledAlgorithm(call) : undefined;
  if (algorithm === undefined || !digestNeedsResult(algorithm)) return undefined;
  const value = compileExpr(call.args[0] as Expr, env);
  if (value.constant !== undefined || value.type.kind === 'null') return undefined;
  const sql = value.type.kind === 'binary' ? value.sql : `encode(${toText(value).sql})`;
  return { sql, type: binaryType, digest: { algorithm, text: undefined } };
}

function isPlain(call: CallExpr): boolean {
  return call.over === undefined && !call.star && !call.distinct && call.filter === undefined && call.orderBy.length === 0;
}

/** The algorithm's name in Node.js. */
function calledAlgorithm({ name, args }: CallExpr): string | undefined {
  if (name === 'digest') return args.length === 2 && args[1]?.kind === 'string' ? algorithmOf(args[1].value.toLowerCase()) : undefined;
  return args.length === 1 && digestsInResultOnly.has(name) ? algorithmOf(name) : undefined;
}

/** True when ORDER BY takes the item's value: by its position, or by its alias somewhere in an expression. */
export function isOrderedBy({ alias }: ExpandedItem, position: number, orderBy: readonly OrderItem[]): boolean {
  return orderBy.some(({ expr }) => {
    if (expr.kind === 'number') return Number(expr.text) === position;
    return alias !== undefined && hasPath(expr, ([name]) => name === alias);
  });
}
