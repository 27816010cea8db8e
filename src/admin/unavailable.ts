import { InfluxError } from '../shared/errors.ts';
import type { TriggerAdmin } from './admin-service.ts';
import type { AdminDependencies } from './index.ts';

/** Without a plugin directory triggers fail as they do everywhere; with one, this build has no engine to run them. */
export function triggerAdmin({ pluginDir }: Pick<AdminDependencies, 'pluginDir'>): TriggerAdmin {
  const create = (): Promise<never> =>
    Promise.reject(
      pluginDir === undefined
        ? new InfluxError({ code: 'NO_PLUGIN_DIR', message: 'Plugin error: Node not configured with plugin directory', status: 500 })
        : new InfluxError({ code: 'NOT_IMPLEMENTED', message: 'This feature is not implemented: processing engine triggers', status: 405 }),
    );
  const missing = ({ triggerName }: { triggerName: string }): Promise<never> =>
    Promise.reject(new InfluxError({ code: 'NOT_FOUND', message: `the requested resource was not found: ${triggerName}`, status: 404 }));
  return { create, delete: missing, setEnabled: missing };
}
