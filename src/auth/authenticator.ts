import type { Clock } from '../shared/clock.ts';
import { pathsWith } from '../shared/gate-paths.ts';
import type { Logger } from '../shared/logger.ts';
import { type Access, accessOf, FULL_ACCESS } from './access.ts';
import type { AuthInput, AuthVerdict, RequestAuthenticator, StoredToken, TokenStore } from './contract.ts';
import { readCredential } from './credentials.ts';
import { FailureLog } from './failure-log.ts';
import { isLoopback } from './loopback.ts';
import { hashToken } from './token.ts';

const SHELL_PATHS = pathsWith('shell');
const FIRST_TOKEN_PATHS = pathsWith('first-token');

const MALFORMED =
  "Authorization header was malformed, the request was not in the form of 'Authorization: <auth-scheme> <token>', " +
  'supported auth-schemes are Bearer, Token and Basic';

const FIRST_TOKEN_IS_LOCAL =
  'the first operator token can only be made on the machine of the server: run `influxdb3 create token --admin` there ' +
  '(in its container), or start the server with --remote-first-token';

const ALLOWED: AuthVerdict = { allowed: true, access: FULL_ACCESS };
const UNAUTHENTICATED: AuthVerdict = { allowed: false, status: 401, message: 'the request was not authenticated' };
const EXPIRED: AuthVerdict = { ...UNAUTHENTICATED, expired: true };

const FIRST_TOKEN_REFUSED: AuthVerdict = { allowed: false, status: 403, message: FIRST_TOKEN_IS_LOCAL };

export interface AuthenticatorOptions {
  /** False with `--without-auth`. */
  readonly enabled: boolean;
  /** Paths that need no token, from `openedBy`. */
  readonly openPaths: ReadonlySet<string>;
  /** True with `--remote-first-token`: other machines may make the operator token too. */
  readonly remoteFirstToken: boolean;
  readonly tokens: TokenStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

export type TokenState = 'valid' | 'unknown' | 'expired';

/** Checks tokens against the store on every request, so changes count from the next request on; only what a stored token may do is kept beside it. */
export class Authenticator implements RequestAuthenticator {
  readonly #options: AuthenticatorOptions;
  readonly #failures: FailureLog;
  /** Of resource tokens. */
  readonly #verdicts = new WeakMap<StoredToken, AuthVerdict>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#failures = new FailureLog(options.clock, options.logger);
  }

  get enabled(): boolean {
    return this.#options.enabled;
  }

  verify(input: AuthInput): AuthVerdict {
    const verdict = this.#judge(input);
    if (verdict === UNAUTHENTICATED || verdict === EXPIRED || verdict === FIRST_TOKEN_REFUSED)
      this.#failures.record(input.remoteAddress, input.path);
    return verdict;
  }

  wouldAllow(input: AuthInput): Access | undefined {
    const verdict = this.#judge(input);
    return verdict.allowed ? verdict.access : undefined;
  }

  /** State of one token text, for protocols with their own answers. */
  tokenState(token: string): TokenState {
    return this.#stateOf(this.#options.tokens.tokenByHash(hashToken(token)));
  }

  #stateOf(stored: StoredToken | undefined): TokenState {
    if (stored === undefined) return 'unknown';
    return stored.expiryMs !== undefined && stored.expiryMs <= this.#options.clock.nowMs() ? 'expired' : 'valid';
  }

  #judgeToken(token: string): AuthVerdict {
    const stored = this.#options.tokens.tokenByHash(hashToken(token));
    const state = this.#stateOf(stored);
    if (stored === undefined || state === 'unknown') return UNAUTHENTICATED;
    if (state === 'expired') return EXPIRED;
    return stored.permissions === undefined ? ALLOWED : this.#limited(stored);
  }

  #limited(stored: StoredToken): AuthVerdict {
    const known = this.#verdicts.get(stored);
    if (known !== undefined) return known;
    const verdict: AuthVerdict = { allowed: true, access: accessOf(stored.permissions) };
    this.#verdicts.set(stored, verdict);
    return verdict;
  }

  #judge(input: AuthInput): AuthVerdict {
    if (FIRST_TOKEN_PATHS.includes(input.path)) return this.#judgeFirstToken(input);
    if (this.#options.openPaths.has(input.path) || SHELL_PATHS.includes(input.path)) return ALLOWED;
    const credential = readCredential(input);
    switch (credential.kind) {
      // compat: a header that cannot be read is refused even when every token is welcome
      case 'malformed':
        return { allowed: false, status: 400, message: MALFORMED };
      case 'unreadable':
        return { allowed: false, status: 500, message: 'to str error: failed to convert header to a str' };
      case 'none':
        return this.enabled ? UNAUTHENTICATED : ALLOWED;
      case 'token':
        if (!this.enabled) return ALLOWED;
        return this.#judgeToken(credential.token);
    }
  }

  /** Once there is an operator token the endpoint itself refuses everybody. */
  #judgeFirstToken(input: AuthInput): AuthVerdict {
    const { remoteFirstToken, tokens } = this.#options;
    if (!this.enabled || remoteFirstToken || tokens.hasOperatorToken()) return ALLOWED;
    return isLoopback(input.remoteAddress) && input.forwarded !== true ? ALLOWED : FIRST_TOKEN_REFUSED;
  }
}
