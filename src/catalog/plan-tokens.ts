import type { TokenPermission } from '../shared/token-permissions.ts';
import type { TokenRecord } from './definitions.ts';
import { cannotDeleteOperatorToken, missingAdminToken, resourceNotFound, tokenNameExists } from './errors.ts';
import type { Plan } from './plan.ts';
import type { CatalogState } from './state.ts';

/** Name of the operator token; its id is always 0. */
export const OPERATOR_TOKEN = '_admin';

/** A token to store; the caller made the token text and keeps only its hash. */
export interface NewToken {
  readonly name: string;
  /** SHA-512 of the token text, 128 lower-case hex digits. */
  readonly hash: string;
  readonly createdById?: number | undefined;
  readonly expiryMs?: number | undefined;
  readonly description?: string | undefined;
  /** Undefined = an admin token. */
  readonly permissions?: readonly TokenPermission[] | undefined;
}

/** Refuses a known name, that of the operator token for another one, and a token that another name already has. */
export function planCreateToken(state: CatalogState, request: NewToken, nowMs: number): Plan<TokenRecord> {
  const { permissions } = request;
  if (state.tokens.has(request.name) || state.tokenByHash.has(request.hash)) throw tokenNameExists(request.name);
  if (permissions !== undefined && request.name === OPERATOR_TOKEN) throw tokenNameExists(request.name);
  const token: TokenRecord = {
    id: request.name === OPERATOR_TOKEN ? 0 : state.nextTokenId,
    name: request.name,
    hash: request.hash,
    createdAtMs: nowMs,
    createdById: request.createdById,
    updatedAtMs: undefined,
    updatedById: undefined,
    expiryMs: request.expiryMs,
    description: request.description,
  };
  if (permissions === undefined) return { ops: [{ op: 'put_token', token }], result: () => token };
  const limited = { ...token, permissions };
  return { ops: [{ op: 'put_resource_token', token: limited }], result: () => limited };
}

/** Gives the operator token a new hash; the old token is dead as soon as this is applied. */
export function planRegenerateOperatorToken(state: CatalogState, hash: string, nowMs: number): Plan<TokenRecord> {
  const before = state.tokens.get(OPERATOR_TOKEN);
  if (before === undefined) throw missingAdminToken();
  const token: TokenRecord = { ...before, hash, updatedAtMs: nowMs, updatedById: before.id };
  return { ops: [{ op: 'put_token', token }], result: () => token };
}

/** Removes a named token. Throws 404 when it is missing, 405 for the operator token. */
export function planDeleteToken(state: CatalogState, name: string): Plan<void> {
  if (name === OPERATOR_TOKEN) throw cannotDeleteOperatorToken();
  const token = state.tokens.get(name);
  if (token === undefined) throw resourceNotFound(name);
  return { ops: [{ op: 'drop_token', id: token.id }], result: () => undefined };
}
