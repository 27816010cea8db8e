import { type AdminDependencies, createAdminService } from '../admin/index.ts';
import { Authenticator, isLoopback, makeToken, readTokenFile } from '../auth/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { ServeConfig } from '../config/index.ts';
import type { Clock } from '../shared/clock.ts';
import { openedBy, pathsWith } from '../shared/gate-paths.ts';
import type { Logger } from '../shared/logger.ts';
import { StartupError } from '../shared/startup-error.ts';

/** Who may pass, decided by the catalog's tokens. Loads the offline token file. Throws `StartupError`. */
export async function openAuthenticator(config: ServeConfig, catalog: Catalog, clock: Clock, logger: Logger): Promise<Authenticator> {
  const { adminTokenFile, enabled, openPaths: words, remoteFirstToken } = config.auth;
  const authLogger = logger.child('influxdb3_authz');
  if (enabled && adminTokenFile !== undefined) await loadTokenFile(adminTokenFile, catalog, authLogger);
  const open = new Set([...openedBy(words), ...(config.telemetry.receiver ? pathsWith('receiver') : [])]);
  if (enabled && remoteFirstToken && !catalog.hasOperatorToken() && !isLoopback(config.http.host)) {
    authLogger.warn('no operator token exists yet: whoever reaches the port first can create it; run `influxdb3 create token --admin` now');
  }
  return new Authenticator({ enabled, openPaths: open, remoteFirstToken, tokens: catalog, clock, logger: authLogger });
}

/** The configure endpoints' operations over the catalog. */
export function openAdminService(
  config: ServeConfig,
  { catalog, caches }: Pick<AdminDependencies, 'catalog' | 'caches'>,
  processing: Pick<AdminDependencies, 'triggers' | 'plugins'>,
  clock: Clock,
): ReturnType<typeof createAdminService> {
  return createAdminService({
    catalog,
    caches,
    makeToken: () => makeToken(),
    triggers: processing.triggers,
    plugins: processing.plugins,
    hardDeleteDefaultMs: config.retention.hardDeleteDefaultMs,
    nowMs: () => clock.nowMs(),
  });
}

/** A name that exists keeps its token: changing the file does not change it. */
async function loadTokenFile(path: string, catalog: Catalog, logger: Logger): Promise<void> {
  let file: Awaited<ReturnType<typeof readTokenFile>>;
  try {
    file = await readTokenFile(path);
  } catch (error) {
    throw new StartupError(`Serve command failed: Token error: ${(error as Error).message}`, { cause: error });
  }
  if (file.warning !== undefined) logger.warn(file.warning);
  const { name, hash, expiryMs } = file;
  const stored = catalog.tokens().find((token) => token.name === name);
  if (stored === undefined) {
    await catalog.createToken({ name, hash, expiryMs });
    logger.info('admin token created from its file', { name });
  } else if (stored.hash === hash) {
    logger.info('admin token already exists, its file changes nothing', { name });
  } else {
    logger.warn('admin token already exists with another text: the one in the file does not work', { name });
  }
}
