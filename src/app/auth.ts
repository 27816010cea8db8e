import { createHash, randomBytes } from 'node:crypto';
import type { ServeConfig } from '../config/index.ts';
import type { AdminService, RequestAuthenticator } from '../server/http/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Catalog } from '../write/catalog/index.ts';
import { createAdminService } from './admin/index.ts';

export interface OpenAuth {
  readonly authenticator: RequestAuthenticator;
  admin(onDeleted: (database: string) => void): AdminService;
}

/** Tokens and the service that manages them, both over the catalog. */
export async function openAuth(config: ServeConfig, catalog: Catalog, clock: Clock, _logger: Logger): Promise<OpenAuth> {
  const sha512 = (token: string): string => createHash('sha512').update(token).digest('hex');
  const makeToken = () => {
    const token = `apiv3_${randomBytes(64).toString('base64url')}`;
    return { token, hash: sha512(token) };
  };
  return {
    authenticator: {
      enabled: config.auth.enabled,
      verify({ path, authorization }) {
        if (!config.auth.enabled || path === '/api/v3/configure/token/admin') return { allowed: true };
        const token = /^(?:Bearer|Token) (.+)$/.exec(authorization ?? '')?.[1];
        const known = token === undefined ? undefined : catalog.tokenByHash(sha512(token));
        if (known !== undefined && (known.expiryMs === undefined || known.expiryMs > clock.nowMs())) return { allowed: true };
        return { allowed: false, status: 401, message: 'the request was not authenticated' };
      },
    },
    admin: (onDeleted) =>
      createAdminService({
        catalog,
        makeToken,
        pluginDir: config.processing.pluginDir,
        hardDeleteDefaultMs: config.retention.hardDeleteDefaultMs,
        nowMs: () => clock.nowMs(),
        onDeleted,
      }),
  };
}
