/** LIMIT and OFFSET. Checks and texts: */
import { InfluxError } from '../../../shared/errors.ts';
import type { Expr, Query } from '../parse/ast.ts';
import type { Env } from '../types/env.ts';
import { coercionError } from '../types/errors.ts';
import { emptyScope } from '../types/scope.ts';
import { arrowTypeText } from '../types/types.ts';
import { compileExpr } from './expr.ts';
import type { QueryPlace } from './query.ts';

/** What LIMIT and OFFSET say; undefined limit = all rows. */
export interface RowLimits {
  /** ` LIMIT n OFFSET m`, or empty. */
  readonly sql: string;
  readonly limit: bigint | undefined;
  readonly offset: bigint | undefined;
}

export const noLimits: RowLimits = { sql: '', limit: undefined, offset: undefined };

/** Throws where a count is no constant or negative. */
export function compileLimits(query: Query, place: QueryPlace): RowLimits {
  if (!query.limit && !query.offset) return noLimits;
  const limit = query.limit ? rows(query.limit, 'LIMIT', place) : undefined;
  const offset = query.offset ? rows(query.offset, 'OFFSET', place) : undefined;
  if (limit !== undefined && limit < 0n) throw negative('eliminate_limit', `LIMIT must be >= 0, '${limit}' was provided`);
  if (offset !== undefined && offset < 0n) {
    throw negative(limit === undefined ? 'eliminate_limit' : 'push_down_limit', `OFFSET must be >=0, '${offset}' was provided`);
  }
  const sql = `${limit === undefined ? '' : ` LIMIT ${limit}`}${offset === undefined ? '' : ` OFFSET ${offset}`}`;
  return { sql, limit, offset };
}

function rows(expr: Expr, what: 'LIMIT' | 'OFFSET', place: QueryPlace): bigint | undefined {
  const env: Env = { state: place.state, scope: emptyScope(undefined), ctes: place.ctes, clause: 'LIMIT', aggregates: false };
  const value = compileExpr(expr, env);
  if (value.constant?.kind === 'null') return undefined;
  if (value.type.kind === 'unknown') return undefined; // a parameter of a statement that is described only
  if (value.type.kind !== 'int') throw coercionError(`Expected ${what} to be an integer or null, but got ${arrowTypeText(value.type)}`);
  if (value.constant?.kind !== 'int') throw coercionError(`Expected ${what} to be a constant`);
  return value.constant.value;
}

function negative(rule: string, text: string): InfluxError {
  return new InfluxError({
    code: 'SQL_LIMIT',
    message: `Optimizer rule '${rule}' failed\ncaused by\nError during planning: ${text}`,
    status: 400,
  });
}
