/** LIMIT and OFFSET, checked as DataFusion does. */
import { InfluxError } from '../../../shared/errors.ts';
import type { Expr, Query } from '../parse/ast.ts';
import type { Env } from '../types/env.ts';
import { coercionError } from '../types/errors.ts';
import { emptyScope } from '../types/scope.ts';
import { arrowTypeText, int64 } from '../types/types.ts';
import { castTo } from '../values/casts.ts';
import { compileExpr } from './expr.ts';
import type { QueryPlace } from './query.ts';
import { hasSubquery } from './walk.ts';

/** What LIMIT and OFFSET say; undefined limit = all rows. */
export interface RowLimits {
  /** ` LIMIT n OFFSET m`, or empty. */
  readonly sql: string;
  readonly limit: bigint | undefined;
  readonly offset: bigint | undefined;
  /** True where DuckDB computes one of them: `limit` and `offset` do not say it. */
  readonly computed: boolean;
}

const noLimits: RowLimits = { sql: '', limit: undefined, offset: undefined, computed: false };

/** Throws where a count is no constant or negative. */
export function compileLimits(query: Query, place: QueryPlace): RowLimits {
  if (!query.limit && !query.offset) return noLimits;
  const given = [
    query.limit ? rows(query.limit, 'LIMIT', place) : undefined,
    query.offset ? rows(query.offset, 'OFFSET', place) : undefined,
  ];
  const [limit, offset] = given.map((value) => (typeof value === 'bigint' ? value : undefined));
  if (limit !== undefined && limit < 0n) throw negative('eliminate_limit', `LIMIT must be >= 0, '${limit}' was provided`);
  if (offset !== undefined && offset < 0n) {
    throw negative(limit === undefined ? 'eliminate_limit' : 'push_down_limit', `OFFSET must be >=0, '${offset}' was provided`);
  }
  const sql = ['LIMIT', 'OFFSET'].map((word, index) => (given[index] === undefined ? '' : ` ${word} ${given[index]}`)).join('');
  return { sql, limit, offset, computed: given.some((value) => typeof value === 'string') };
}

/** The count, or SQL of one that is computed. */
function rows(expr: Expr, what: 'LIMIT' | 'OFFSET', place: QueryPlace): bigint | string | undefined {
  const env: Env = { state: place.state, scope: emptyScope(undefined), ctes: place.ctes, clause: 'LIMIT', aggregates: false };
  const value = compileExpr(expr, env);
  if (value.constant?.kind === 'null') return undefined;
  if (value.type.kind === 'unknown') return undefined; // a parameter of a statement that is described only
  if (value.type.kind !== 'int') throw coercionError(`Expected ${what} to be an integer or null, but got ${arrowTypeText(value.type)}`);
  if (hasSubquery(expr)) throw coercionError(`Expected ${what} to be a constant`);
  return value.constant?.kind === 'int' ? value.constant.value : `(${castTo(value, int64).sql})`;
}

function negative(rule: string, text: string): InfluxError {
  return new InfluxError({
    code: 'SQL_LIMIT',
    message: `Optimizer rule '${rule}' failed\ncaused by\nError during planning: ${text}`,
    status: 400,
  });
}
