export { Access, accessOf, FULL_ACCESS, NO_ACCESS } from './access.ts';
export { Authenticator, type AuthenticatorOptions, type TokenState } from './authenticator.ts';
export type { AuthInput, AuthVerdict, RequestAuthenticator, StoredToken, TokenStore } from './contract.ts';
export { isLoopback } from './loopback.ts';
export { hashToken, makeToken, type NewTokenText, TOKEN_PREFIX } from './token.ts';
export { readTokenFile, type TokenFile, type TokenFileSystem } from './token-file.ts';
