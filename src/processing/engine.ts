/**
 * Shared by: the catalog, whose changes start and stop triggers; HTTP requests; the server's start and stop. All of it is
 * synchronous but the end of a trigger, and a trigger that comes after one of the same id waits for that end.
 */
import type { Catalog, CatalogChange, DatabaseSchema, TriggerDefinition } from '../catalog/index.ts';
import type { QueryService } from '../query/query-service.ts';
import type { Clock } from '../shared/clock.ts';
import type { DatabaseId, TriggerId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { Timers } from '../shared/timers.ts';
import type { WriteService } from '../write/write-service.ts';
import type { PluginHost } from './calls/plugin-host.ts';
import { ServerCache } from './calls/shared-cache.ts';
import { WalDelivery, type WalDeliveryOptions } from './delivery/wal-delivery.ts';
import { DryRuns } from './dry-run.ts';
import { engineStopping, noPluginDirectory } from './errors.ts';
import { JavascriptHost } from './javascript/javascript-host.ts';
import type { PluginCodeReader, PluginLanguage } from './plugins/plugin-code.ts';
import { messageOf } from './plugins/system-error.ts';
import type { EngineRequest, EngineResponse, EngineService } from './processing-service.ts';
import type { PythonEnvironment } from './python/python-environment.ts';
import { PythonHost } from './python/python-host.ts';
import { TriggerLog, type TriggerLogRow } from './trigger-log.ts';
import { type TriggerKind, triggerKind } from './trigger-spec.ts';
import { RequestRoutes, RequestTrigger } from './triggers/request-trigger.ts';
import type { RunningTrigger, TriggerIdentity } from './triggers/running-trigger.ts';
import { ScheduleTrigger } from './triggers/schedule-trigger.ts';
import { newFigures, type TriggerFigures } from './triggers/trigger-figures.ts';
import type { NamedFigures } from './triggers/trigger-metrics.ts';
import { TriggerRunner } from './triggers/trigger-runner.ts';
import { WalTrigger } from './triggers/wal-trigger.ts';

/** Entry points, as telemetry counts them. */
export type InvocationType = 'process_writes' | 'process_scheduled_call' | 'process_request';

export interface ProcessingEngineOptions extends Pick<WalDeliveryOptions, 'onDurable' | 'seriesOf'> {
  readonly catalog: Catalog;
  readonly writes: WriteService;
  readonly queries: QueryService;
  readonly code: PluginCodeReader;
  /** Undefined = the processing engine is off. */
  readonly python: PythonEnvironment | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: PluginLimits;
  /** Kinds of triggers that may be created; undefined = all. Others that are in the catalog run too. */
  readonly kinds: readonly TriggerKind[] | undefined;
  readonly timers: Timers;
  /** Counts an event before the plugin is called. */
  readonly onInvocation: (database: string, trigger: string, plugin: string, type: InvocationType) => void;
}

export interface PluginLimits {
  /** Longest call; undefined = none. */
  readonly invocationTimeoutMs: number | undefined;
  /** Memory of one host; undefined = the default of its language. */
  readonly memoryLimitBytes: number | undefined;
  /** Writes that may wait for one trigger. */
  readonly queueBytesMax: number;
}

interface Slot {
  readonly database: DatabaseSchema;
  readonly running: RunningTrigger;
  readonly runner: TriggerRunner;
  readonly figures: TriggerFigures;
}

/** How long a call may go on after its trigger was stopped. */
export const STOP_GRACE_MS = 10_000;

/** The same when the server stops: containers are killed ten seconds after they were asked to, and more has to be done by then. */
const SHUTDOWN_GRACE_MS = 5_000;

/** Runs the enabled triggers of the catalog. */
export class ProcessingEngine implements EngineService {
  readonly log: TriggerLog;
  readonly dryRuns: DryRuns;
  readonly #options: ProcessingEngineOptions;
  readonly #delivery: WalDelivery;
  readonly #routes = new RequestRoutes();
  readonly #sharedCache: ServerCache;
  readonly #slots = new Map<string, Slot>();
  /** Those of triggers that are ending included. */
  readonly #runners = new Set<TriggerRunner>();
  /** By key: the end of a trigger that was there before. */
  readonly #ending = new Map<string, Promise<void>>();
  #unfollow: (() => void) | undefined;
  #isStopping = false;

  constructor(options: ProcessingEngineOptions) {
    this.#options = options;
    this.log = new TriggerLog(options.clock);
    this.#delivery = new WalDelivery(options);
    this.#sharedCache = new ServerCache(options.clock);
    this.dryRuns = new DryRuns({
      ...options,
      sharedCache: this.#sharedCache,
      openHost: (language, label) => this.#openHost(language, label),
      timeoutMs: options.limits.invocationTimeoutMs,
    });
  }

  /** Starts the enabled triggers and follows the catalog. Nothing of it waits for a plugin. */
  start(): void {
    const { catalog } = this.#options;
    this.#unfollow = catalog.onChange((change) => this.#follow(change));
    for (const database of catalog.databases()) {
      for (const trigger of catalog.triggers(database)) {
        this.#put(database, trigger);
        this.#tellIfRestricted(database, trigger);
      }
    }
  }

  /** Ends all triggers; what calls under way ask for fails at once, and they get `SHUTDOWN_GRACE_MS`. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#unfollow?.();
    for (const runner of this.#runners) runner.refuseCalls();
    for (const key of [...this.#slots.keys()]) this.#end(key);
    await Promise.all([...this.#ending.values(), this.dryRuns.stop()]);
  }

  async request(request: EngineRequest): Promise<EngineResponse | undefined> {
    if (this.#isStopping) throw engineStopping();
    return this.#routes.find(request.path)?.request(request);
  }

  databaseOf(path: string): string | undefined {
    return this.#routes.find(path)?.databaseName;
  }

  /** What triggers logged, oldest first: those of a database by its name, or all. */
  logRows(database: string | undefined): TriggerLogRow[] {
    if (database === undefined) return this.log.rows(undefined);
    const id = this.#options.catalog.database(database)?.id;
    return id === undefined ? [] : this.log.rows(id);
  }

  *figures(): Iterable<NamedFigures> {
    for (const { database, figures, running } of this.#slots.values()) {
      yield { database: database.name, trigger: running.definition.name, figures };
    }
  }

  #follow({ ops }: CatalogChange): void {
    for (const op of ops) {
      switch (op.op) {
        case 'put_trigger': {
          const database = this.#options.catalog.databaseById(op.db);
          if (database !== undefined) this.#put(database, op.trigger);
          break;
        }
        case 'drop_trigger':
          this.#end(keyOf(op.db, op.id));
          break;
        case 'delete_database':
        case 'drop_database':
          for (const key of [...this.#slots.keys()]) if (key.startsWith(`${op.db}/`)) this.#end(key);
          break;
        case 'undelete_database': {
          const database = this.#options.catalog.databaseById(op.db);
          if (database !== undefined) for (const trigger of this.#options.catalog.triggers(database)) this.#put(database, trigger);
          break;
        }
        default: // other changes do not concern triggers
      }
    }
  }

  /** The trigger is as the definition says from now on. */
  #put(database: DatabaseSchema, definition: TriggerDefinition): void {
    const key = keyOf(database.id, definition.id);
    this.#end(key);
    if (definition.disabled || database.deleted || this.#isStopping) return;
    this.#slots.set(key, this.#open(key, { database, definition }));
  }

  #open(key: string, trigger: TriggerIdentity): Slot {
    const { catalog, clock, code, limits, logger, onInvocation, queries, timers, writes } = this.#options;
    const { database, definition } = trigger;
    const figures = newFigures();
    const ended = this.#ending.get(key) ?? Promise.resolve();
    const type = invocationType(definition);
    const runner = new TriggerRunner({
      trigger,
      code,
      writes,
      queries,
      sharedCache: this.#sharedCache,
      openHost: (language, label) => this.#openHost(language, label),
      log: this.log,
      logger,
      clock,
      timers,
      figures,
      timeoutMs: limits.invocationTimeoutMs,
      onInvocation: () => onInvocation(database.name, definition.name, definition.pluginFilename, type),
      isDatabaseDeleted: () => catalog.databaseById(database.id)?.deleted !== false,
      disable: () => this.#disable(trigger),
      before: ended,
    });
    this.#runners.add(runner);
    void runner.prepare();
    switch (definition.spec.kind) {
      case 'table':
      case 'all_tables': {
        const { queueBytesMax } = limits;
        const running = new WalTrigger({ trigger, runner, delivery: this.#delivery, clock, figures, queueBytesMax });
        return { database, running, runner, figures };
      }
      case 'schedule':
      case 'every':
        return { database, running: new ScheduleTrigger({ trigger, runner, clock, logger, figures, timers }), runner, figures };
      case 'request': {
        const { path } = definition.spec;
        if (this.#routes.isTaken(path)) {
          logger.warn('two triggers serve the same path, the newer one answers', { path, trigger: definition.name });
        }
        return { database, running: new RequestTrigger({ trigger, runner, figures, routes: this.#routes }), runner, figures };
      }
    }
  }

  /** compat: a restriction is for triggers that are made, not for those that are there. */
  #tellIfRestricted({ name: database }: DatabaseSchema, { disabled, name, spec }: TriggerDefinition): void {
    const { kinds, logger } = this.#options;
    const kind = triggerKind(spec);
    if (disabled || kinds === undefined || kinds.includes(kind)) return;
    logger.warn('a trigger runs although its kind may not be created any more', { trigger: `${database}.${name}`, kind });
  }

  #openHost(language: PluginLanguage, label: string): PluginHost {
    const { clock, limits, logger, timers } = this.#options;
    const { memoryLimitBytes } = limits;
    if (language === 'python') return this.#pythonHost(label);
    return new JavascriptHost({ label, logger, clock, timers, memoryLimitBytes });
  }

  #pythonHost(label: string): PluginHost {
    const { clock, limits, logger, python, timers } = this.#options;
    if (python === undefined) throw noPluginDirectory();
    return new PythonHost({
      label,
      environment: async () => ({ interpreter: python.interpreter, env: python.env, version: python.version }),
      directory: python.directory,
      memoryLimitBytes: limits.memoryLimitBytes,
      logger,
      clock,
      timers,
    });
  }

  async #disable({ database, definition }: TriggerIdentity): Promise<void> {
    await this.#options.catalog.disableTrigger(database.name, definition.name);
  }

  #end(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#slots.delete(key);
    const before = this.#ending.get(key);
    const graceMs = this.#isStopping ? SHUTDOWN_GRACE_MS : STOP_GRACE_MS;
    const ended = Promise.all([before, slot.running.stop(graceMs)]).then(
      () => undefined,
      (error: unknown) => this.#options.logger.error('a trigger did not end as it should', { error: messageOf(error) }),
    );
    this.#ending.set(key, ended);
    void ended.then(() => {
      this.#runners.delete(slot.runner);
      if (this.#ending.get(key) === ended) this.#ending.delete(key);
    });
  }
}

function keyOf(databaseId: DatabaseId, triggerId: TriggerId): string {
  return `${databaseId}/${triggerId}`;
}

function invocationType({ spec }: TriggerDefinition): InvocationType {
  switch (spec.kind) {
    case 'table':
    case 'all_tables':
      return 'process_writes';
    case 'schedule':
    case 'every':
      return 'process_scheduled_call';
    case 'request':
      return 'process_request';
  }
}
