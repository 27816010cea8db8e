import { PluginFailure } from '../calls/plugin-host.ts';
import { engineStopping, pluginTimeout, requestPluginFailed, tooManyEngineRequests } from '../errors.ts';
import type { EngineRequest, EngineResponse } from '../processing-service.ts';
import type { RunningTrigger, TriggerIdentity } from './running-trigger.ts';
import type { TriggerFigures } from './trigger-figures.ts';
import type { TriggerRunner } from './trigger-runner.ts';
import { ASYNC_CALLS_MAX } from './wal-trigger.ts';

export interface RequestTriggerOptions {
  readonly trigger: TriggerIdentity;
  readonly runner: TriggerRunner;
  readonly figures: TriggerFigures;
  readonly routes: RequestRoutes;
}

/** Requests that may wait for one trigger. */
const WAITING_MAX = 1024;

/** Calls a plugin with HTTP requests: one after the other, or several at once if the trigger runs asynchronously. */
export class RequestTrigger implements RunningTrigger {
  readonly path: string;
  readonly #options: RequestTriggerOptions;
  #waiting: { readonly go: () => void; readonly refuse: () => void }[] = [];
  #running = 0;
  #stopped: Promise<void> | undefined;

  constructor(options: RequestTriggerOptions) {
    this.#options = options;
    const { spec } = options.trigger.definition;
    this.path = spec.kind === 'request' ? spec.path : '';
    options.routes.add(this);
  }

  get definition(): TriggerIdentity['definition'] {
    return this.#options.trigger.definition;
  }

  get databaseName(): string {
    return this.#options.trigger.database.name;
  }

  /** Rejects with catalogue errors. */
  async request({ body, headers, query }: EngineRequest): Promise<EngineResponse> {
    await this.#turn();
    const { ended, response } = this.#options.runner.request({ kind: 'request', query, headers, body });
    void ended.then(() => this.#pass());
    try {
      return await response;
    } catch (error) {
      throw toWire(error);
    }
  }

  stop(graceMs: number): Promise<void> {
    this.#options.routes.remove(this);
    for (const { refuse } of this.#waiting.splice(0)) refuse();
    this.#stopped ??= this.#options.runner.stop(graceMs);
    return this.#stopped;
  }

  async #turn(): Promise<void> {
    if (this.#options.runner.stopping.aborted) throw engineStopping();
    const callsMax = this.definition.runAsync ? ASYNC_CALLS_MAX : 1;
    if (this.#running < callsMax) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= WAITING_MAX) throw tooManyEngineRequests(this.#waiting.length);
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ go: resolve, refuse: () => reject(engineStopping()) });
      this.#note();
    });
  }

  /** The turn goes to who waits, in this very step: a request that comes in between must not take it too. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next.go();
    this.#note();
  }

  #note(): void {
    this.#options.figures.queued = this.#waiting.length;
  }
}

/** Which trigger answers which path: the newest one; when it stops, the one before it again. */
export class RequestRoutes {
  readonly #byPath = new Map<string, RequestTrigger[]>();

  add(trigger: RequestTrigger): void {
    const known = this.#byPath.get(trigger.path);
    if (known === undefined) this.#byPath.set(trigger.path, [trigger]);
    else known.push(trigger);
  }

  remove(trigger: RequestTrigger): void {
    const left = (this.#byPath.get(trigger.path) ?? []).filter((known) => known !== trigger);
    if (left.length === 0) this.#byPath.delete(trigger.path);
    else this.#byPath.set(trigger.path, left);
  }

  /** Looks for the raw text first, then for what it stands for. */
  find(path: string): RequestTrigger | undefined {
    return this.#byPath.get(path)?.at(-1) ?? this.#byPath.get(decoded(path) ?? path)?.at(-1);
  }

  isTaken(path: string): boolean {
    return this.#byPath.has(path);
  }
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined; // no text that an escape stands for
  }
}

function toWire(error: unknown): unknown {
  if (!(error instanceof PluginFailure)) return error;
  if (error.kind === 'timeout') return pluginTimeout(error.message);
  if (error.kind === 'stopped') return engineStopping();
  return requestPluginFailed(error.message);
}
