import type { TokenPermission } from '../shared/token-permissions.ts';
import type { Access } from './access.ts';

/** What the authenticator needs of a request. */
export interface AuthInput {
  /** Raw path, not decoded. */
  readonly path: string;
  /** Raw query string. */
  readonly query: string | undefined;
  readonly authorization: string | undefined;
  readonly remoteAddress: string;
  /** True when a proxy says that it sends the request for somebody else. */
  readonly forwarded?: boolean;
}

/** A refusal carries the status and the exact message; `expired` = the token was good once. */
export type AuthVerdict =
  | { readonly allowed: true; readonly access: Access }
  | { readonly allowed: false; readonly status: 400 | 401 | 403 | 500; readonly message: string; readonly expired?: boolean };

/** Decides who may pass. */
export interface RequestAuthenticator {
  /** False with `--without-auth`: the token endpoints are then closed. */
  readonly enabled: boolean;
  /** Sees every request except OPTIONS. */
  verify(input: AuthInput): AuthVerdict;
  /** What `verify` would allow now, undefined = nothing; notes nothing. */
  wouldAllow(input: AuthInput): Access | undefined;
}

/** What verification needs of a stored token. A token that changes is another object. */
export interface StoredToken {
  readonly expiryMs?: number | undefined;
  /** Undefined = an admin token. */
  readonly permissions?: readonly TokenPermission[] | undefined;
}

/** Where tokens are looked up: always the current state, so that creating and deleting take effect at once. */
export interface TokenStore {
  /** By SHA-512 of the token text, 128 lower-case hex digits. */
  tokenByHash(hash: string): StoredToken | undefined;
  /** Whether the first token was made already. */
  hasOperatorToken(): boolean;
}
