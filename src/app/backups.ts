import { backupRoutes } from '../backup/routes.ts';
import { BackupSessions } from '../backup/sessions.ts';
import type { ServeConfig } from '../config/index.ts';
import type { RoutePlugin } from '../server/http/index.ts';
import { systemClock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { OpenParts } from './open-parts.ts';
import type { OpenStorage } from './storage.ts';

/** The endpoints that backups are taken by. What they hold is let go when the parts are closed. */
export function openBackups(config: ServeConfig, { writes }: OpenStorage, version: string, logger: Logger, parts: OpenParts): RoutePlugin {
  const child = logger.child('influxdb3_backup');
  const sessions = new BackupSessions({ pin: () => writes.pin(), nodeId: config.node.id, version, clock: systemClock, logger: child });
  parts.add(async () => sessions.stop());
  return backupRoutes(sessions);
}
