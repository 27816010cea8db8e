import { createHash, randomBytes } from 'node:crypto';

/** Every token starts with it. */
export const TOKEN_PREFIX = 'apiv3_';

/** 86 base64url characters behind the prefix. */
const TOKEN_RANDOM_BYTES = 64;

/** A token just made; only the hash is ever stored. */
export interface NewTokenText {
  readonly token: string;
  readonly hash: string;
}

/** Makes a token of 92 characters. */
export function makeToken(random: (size: number) => Buffer = randomBytes): NewTokenText {
  const token = TOKEN_PREFIX + random(TOKEN_RANDOM_BYTES).toString('base64url');
  return { token, hash: hashToken(token) };
}

/** SHA-512 as 128 lower-case hex digits. Only hashes are compared, so timing tells nothing about a token. */
export function hashToken(token: string): string {
  return createHash('sha512').update(token).digest('hex');
}
