import { OPERATOR_TOKEN, type TokenRecord } from '../catalog/index.ts';
import type { CreatedToken, TokenAdmin } from './admin-service.ts';
import type { AdminDependencies } from './index.ts';

/** Makes a new random token; only the hash is ever stored. */
export type TokenMaker = () => { readonly token: string; readonly hash: string };

/** Creates, replaces and deletes tokens. */
export function tokenAdmin({ catalog, makeToken, nowMs }: Pick<AdminDependencies, 'catalog' | 'makeToken' | 'nowMs'>): TokenAdmin {
  return {
    async createOperator() {
      const { token, hash } = makeToken();
      return created(await catalog.createToken({ name: OPERATOR_TOKEN, hash }), token);
    },
    async regenerateOperator() {
      const { token, hash } = makeToken();
      return created(await catalog.regenerateOperatorToken(hash), token);
    },
    async createNamed({ name, expirySecs }) {
      const { token, hash } = makeToken();
      return created(await catalog.createToken({ name, hash, expiryMs: expiryMs(nowMs(), expirySecs) }), token);
    },
    async createResource({ name, permissions, expirySecs }) {
      const { token, hash } = makeToken();
      return created(await catalog.createToken({ name, hash, permissions, expiryMs: expiryMs(nowMs(), expirySecs) }), token);
    },
    delete: (name) => catalog.deleteToken(name),
  };
}

/** The last moment that a JavaScript date can name. */
const TIME_MS_MAX = 8_640_000_000_000_000;

/** Durations beyond the calendar end at its last moment instead of failing. */
function expiryMs(nowMs: number, expirySecs: bigint | undefined): number | undefined {
  if (expirySecs === undefined) return undefined;
  const at = BigInt(nowMs) + expirySecs * 1000n;
  return at > BigInt(TIME_MS_MAX) ? TIME_MS_MAX : Number(at);
}

function created(record: TokenRecord, token: string): CreatedToken {
  const { id, name, hash, createdAtMs, expiryMs: expiry } = record;
  return { id: BigInt(id), name, token, hash, createdAtMs, expiryMs: expiry };
}
