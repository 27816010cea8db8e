import { type Catalog, INTERNAL_DATABASE } from '../catalog/index.ts';
import { InfluxError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { numericWeekdays } from './cron.ts';
import { triggerKindRestricted } from './errors.ts';
import type { PluginCodeReader } from './plugins/plugin-code.ts';
import type { TriggerRequest, TriggerService } from './processing-service.ts';
import { parseTriggerSpec, type TriggerKind, triggerKind } from './trigger-spec.ts';

export interface TriggerAdminOptions {
  readonly catalog: Catalog;
  readonly code: Pick<PluginCodeReader, 'read'>;
  /** Kinds that may be created; undefined = all. */
  readonly kinds: readonly TriggerKind[] | undefined;
  readonly logger: Logger;
}

const KIND_WORDS: Readonly<Record<TriggerKind, string>> = { wal: 'WalRows', schedule: 'Schedule', request: 'Request' };

/** Changes triggers in the catalog; the engine follows the catalog. */
export class TriggerAdmin implements TriggerService {
  readonly #options: TriggerAdminOptions;

  constructor(options: TriggerAdminOptions) {
    this.#options = options;
  }

  async create(request: TriggerRequest): Promise<void> {
    const { catalog, code, kinds, logger } = this.#options;
    const { database, pluginFileName, specification } = request;
    if (kinds !== undefined) {
      const kind = triggerKind(parseTriggerSpec(specification));
      if (!kinds.includes(kind)) throw triggerKindRestricted(KIND_WORDS[kind]);
    }
    await code.read(pluginFileName);
    const spec = parseTriggerSpec(specification);
    if (database === INTERNAL_DATABASE) throw internalDatabase();
    const weekdays = spec.kind === 'schedule' ? numericWeekdays(spec.cron) : undefined;
    if (weekdays !== undefined) {
      logger.warn('a cron expression has days of the week as numbers, which count from 1 = Sunday', { cron: specification, weekdays });
    }
    await catalog.createTrigger(database, {
      name: request.triggerName,
      pluginFilename: pluginFileName,
      spec,
      runAsync: request.runAsync,
      errorBehavior: request.errorBehavior,
      arguments: request.arguments === undefined ? null : Object.fromEntries(request.arguments),
      disabled: request.disabled,
    });
  }

  async delete({ database, force, triggerName }: Parameters<TriggerService['delete']>[0]): Promise<void> {
    await this.#options.catalog.deleteTrigger(database, triggerName, { force });
  }

  async setEnabled({ database, enabled, triggerName }: Parameters<TriggerService['setEnabled']>[0]): Promise<void> {
    const { catalog } = this.#options;
    if (enabled) await catalog.enableTrigger(database, triggerName);
    else await catalog.disableTrigger(database, triggerName);
  }
}

function internalDatabase(): InfluxError {
  return new InfluxError({ code: 'INTERNAL_DATABASE', message: 'cannot modify internal db', status: 500 });
}
