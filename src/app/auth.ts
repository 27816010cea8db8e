import { Authenticator, makeToken, openPaths, readTokenFile } from '../auth/index.ts';
import type { ServeConfig } from '../config/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { StartupError } from '../shared/startup-error.ts';
import type { Catalog } from '../write/catalog/index.ts';
import { type AdminDependencies, createAdminService } from './admin/index.ts';

/** Path of the telemetry receiver: servers that report carry no token. */
const RECEIVER_PATH = '/telem';

/** Who may pass, decided by the catalog's tokens. Loads the offline token file. Throws `StartupError`. */
export async function openAuthenticator(config: ServeConfig, catalog: Catalog, clock: Clock, logger: Logger): Promise<Authenticator> {
  const { adminTokenFile, enabled, openPaths: words } = config.auth;
  if (enabled && adminTokenFile !== undefined) await loadTokenFile(adminTokenFile, catalog, logger);
  const open = new Set(openPaths(words));
  if (config.telemetry.receiver) open.add(RECEIVER_PATH);
  const authLogger = logger.child('influxdb3_authz');
  if (enabled && catalog.tokens().length === 0 && !isLoopback(config.http.host)) {
    authLogger.warn('no admin token exists yet: whoever reaches the port first can create it; run `influxdb3 create token --admin` now');
  }
  return new Authenticator({ enabled, openPaths: open, tokens: catalog, clock, logger: authLogger });
}

/** The configure endpoints' operations over the catalog. */
export function openAdminService(
  config: ServeConfig,
  { catalog, caches }: Pick<AdminDependencies, 'catalog' | 'caches'>,
  clock: Clock,
  onDeleted: AdminDependencies['onDeleted'],
): ReturnType<typeof createAdminService> {
  return createAdminService({
    catalog,
    caches,
    makeToken: () => makeToken(),
    pluginDir: config.processing.pluginDir,
    hardDeleteDefaultMs: config.retention.hardDeleteDefaultMs,
    nowMs: () => clock.nowMs(),
    onDeleted,
  });
}

/** A name that exists keeps its token: changing the file does not change it (auth spec 7). */
async function loadTokenFile(path: string, catalog: Catalog, logger: Logger): Promise<void> {
  let file: Awaited<ReturnType<typeof readTokenFile>>;
  try {
    file = await readTokenFile(path);
  } catch (error) {
    throw new StartupError(`Serve command failed: Token error: ${(error as Error).message}`, { cause: error });
  }
  if (file.warning !== undefined) logger.warn(file.warning);
  if (catalog.tokens().some((token) => token.name === file.name)) return;
  await catalog.createToken({ name: file.name, hash: file.hash, expiryMs: file.expiryMs });
}

function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || host.startsWith('127.');
}
