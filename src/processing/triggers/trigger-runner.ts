/**
 * Shared by: the events of one trigger. Sync triggers run one call at a time (their owner sees to it); async ones several, which
 * share the code last read and the host. Both are replaced in one synchronous step.
 */
import type { Clock } from '../../shared/clock.ts';
import { formatDurationNs } from '../../shared/duration.ts';
import type { Logger } from '../../shared/logger.ts';
import { pause, type Timers } from '../../shared/timers.ts';
import { AnswerStream } from '../calls/answer-stream.ts';
import { LiveCalls, type LiveCallsOptions } from '../calls/live-calls.ts';
import { type CallInput, type CallKind, PluginFailure, type PluginHost } from '../calls/plugin-host.ts';
import { isRemote, type PluginCode, type PluginCodeReader, type PluginLanguage } from '../plugins/plugin-code.ts';
import { messageOf } from '../plugins/system-error.ts';
import type { EngineResponse } from '../processing-service.ts';
import type { TriggerLog, TriggerLogLevel } from '../trigger-log.ts';
import type { TriggerIdentity } from './running-trigger.ts';
import type { TriggerFigures } from './trigger-figures.ts';

export interface TriggerRunnerOptions extends Omit<LiveCallsOptions, 'log' | 'answers' | 'writer' | 'own'> {
  readonly trigger: TriggerIdentity;
  readonly code: PluginCodeReader;
  readonly openHost: (language: PluginLanguage, label: string) => PluginHost;
  readonly log: TriggerLog;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly figures: TriggerFigures;
  /** Undefined = calls may take as long as they like. */
  readonly timeoutMs: number | undefined;
  /** Counts an event, before the plugin is called. */
  readonly onInvocation: () => void;
  /** The first call waits for it: the end of what this trigger was before. */
  readonly before: Promise<void>;
  /** Whether the database of the trigger was deleted. */
  readonly isDatabaseDeleted: () => boolean;
  /** Carries out what `error_behavior` `disable` asks for. */
  readonly disable: () => Promise<void>;
}

/** A plugin that could not be read when its trigger started is looked for again this often. */
const READ_AGAIN_MS = 60_000;

/** How long a repository that failed is left alone. */
const FETCH_PAUSE_MS = 10_000;

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 30_000;

/** Lines of a plugin in the server's log. */
const PRINTED_PER_SECOND_MAX = 200;

/** First words of the rows that tell of a call. */
const PLUGIN_WORDS: Readonly<Record<CallKind, string>> = { wal: 'wal plugin', schedule: 'schedule plugin', request: 'request plugin' };

type RequestInput = Extract<CallInput, { kind: 'request' }>;

/** What became of one call that ended well. */
interface Attempt {
  readonly response: EngineResponse | undefined;
  /** Whether rows of it are in the database of the trigger. */
  readonly hasStored: boolean;
}

/** A request that a plugin is called with. */
export interface RequestRun {
  /** Rejects with `PluginFailure`. */
  readonly response: Promise<EngineResponse>;
  /** When nothing of the call runs any more. Never rejects. */
  readonly ended: Promise<void>;
}

/** Calls the plugin of one trigger: reads its code, runs it, writes what it queued, and does what its error behaviour says. */
export class TriggerRunner {
  readonly #options: TriggerRunnerOptions;
  readonly #stopping = new AbortController();
  readonly #label: string;
  #code: PluginCode | undefined;
  #host: { readonly language: PluginLanguage; readonly host: PluginHost } | undefined;
  #readFailure: string | undefined;
  #fetch: { untilMs: number; readonly code: Promise<PluginCode> } | undefined;
  #active = 0;
  #printSecond = 0;
  #printed = 0;
  readonly #onIdle: (() => void)[] = [];

  constructor(options: TriggerRunnerOptions) {
    this.#options = options;
    const { database, definition } = options.trigger;
    this.#label = `${database.name}.${definition.name}`;
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /**
   * Reads the code so that the first event does not wait for it. Says what is wrong with it, once, and tries again until it is there or the trigger
   * is stopped. Never rejects.
   */
  async prepare(): Promise<void> {
    const { logger, timers, trigger } = this.#options;
    const fields = { trigger: this.#label, plugin: trigger.definition.pluginFilename };
    for (let attempt = 1; !this.stopping.aborted; attempt++) {
      try {
        await this.#currentCode();
        if (attempt > 1) logger.info('the plugin of a trigger is there now', fields);
        return;
      } catch (error) {
        if (attempt === 1) logger.error('failed to start trigger; continuing in degraded state', { ...fields, error: messageOf(error) });
      }
      await pause(timers, READ_AGAIN_MS, this.stopping);
    }
  }

  /**
   * One event of a trigger on writes or a schedule. Never rejects; resolves when nothing of it runs any more, with whether it stored rows in the
   * database of the trigger.
   */
  async run(input: Exclude<CallInput, { kind: 'request' }>): Promise<boolean> {
    const { definition } = this.#options.trigger;
    this.#begin();
    try {
      this.#options.onInvocation();
      for (let attempt = 1; !this.stopping.aborted; attempt++) {
        const ended = await this.#attempt(input).catch(asFailure);
        if (!(ended instanceof PluginFailure)) return ended.hasStored;
        if (ended.kind === 'stopped') return false;
        if (definition.errorBehavior !== 'retry') {
          await this.#afterFailure(input, ended);
          return false;
        }
        this.log('WARN', `retrying trigger ${definition.name} after error (attempt ${attempt}): ${ended.message}`);
        const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(attempt - 1, 20));
        await pause(this.#options.timers, delayMs, this.stopping);
      }
      return false;
    } finally {
      this.#end();
    }
  }

  /** One HTTP request. The answer comes before the end of the call if it is long. */
  request(input: RequestInput): RequestRun {
    let ended: Promise<void> = Promise.resolve();
    const response = new Promise<EngineResponse>((resolve, reject) => {
      ended = this.#request(input, new AnswerStream(resolve), resolve, reject);
    });
    return { response, ended };
  }

  async #request(
    input: RequestInput,
    answers: AnswerStream,
    resolve: (response: EngineResponse) => void,
    reject: (failure: PluginFailure) => void,
  ): Promise<void> {
    this.#begin();
    try {
      this.#options.onInvocation();
      const { response } = await this.#attempt(input, answers);
      if (answers.isBegun) answers.end();
      else if (response === undefined) throw new PluginFailure('response', 'the plugin gave no answer');
      else resolve(response);
    } catch (error) {
      const failure = asFailure(error);
      this.log('ERROR', `error running request plugin: ${failure.message}`);
      answers.end(failure);
      reject(this.stopping.aborted ? new PluginFailure('stopped', failure.message) : failure);
    } finally {
      this.#end();
    }
  }

  /** A row of the engine's own; what a plugin logs is told in the server's log too. */
  log(level: TriggerLogLevel, text: string, by: 'engine' | 'plugin' = 'engine'): void {
    const { log, logger, trigger } = this.#options;
    log.add(trigger.database.id, trigger.definition.name, level, text);
    const fields = { trigger: this.#label };
    const line = `processing engine: ${text}`;
    if (by === 'plugin' && !this.#mayPrint()) return;
    if (level === 'INFO' && by === 'engine') logger.debug(line, fields);
    else if (level === 'INFO') logger.info(line, fields);
    else if (level === 'WARN') logger.warn(line, fields);
    else logger.error(line, fields);
  }

  /** A plugin that logs without end must not fill the server's log; the table has its last rows anyway. */
  #mayPrint(): boolean {
    const second = Math.floor(this.#options.clock.monotonicMs() / 1000);
    if (second !== this.#printSecond) {
      this.#printSecond = second;
      this.#printed = 0;
    }
    return this.#printed++ < PRINTED_PER_SECOND_MAX;
  }

  /** The server is stopping: from now on what running calls ask of it fails. Comes before or with `stop`. */
  refuseCalls(): void {
    this.#stopping.abort();
    this.#host?.host.refuseCalls();
  }

  /** Lets running calls end for `graceMs`, then ends the host. Idempotent. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    if (this.#active > 0) {
      const idle = new AbortController();
      this.#onIdle.push(() => idle.abort());
      await pause(this.#options.timers, graceMs, idle.signal);
    }
    await this.#host?.host.stop();
    if (this.#active > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  async #attempt(input: CallInput, answers?: AnswerStream): Promise<Attempt> {
    const { clock, figures, trigger } = this.#options;
    const startedMs = clock.monotonicMs();
    figures.runs++;
    figures.running++;
    try {
      this.log('INFO', startText(input));
      await this.#options.before;
      const code = await this.#currentCode();
      const host = this.#hostFor(code);
      await host.ready(code);
      if (this.stopping.aborted) throw new PluginFailure('stopped', 'the trigger was stopped');
      const own = { name: trigger.database.name, isDeleted: this.#options.isDatabaseDeleted };
      const calls = new LiveCalls({ ...this.#options, answers, own, writer: this, log: (level, text) => this.log(level, text, 'plugin') });
      const call = { code, database: trigger.database.name, args: trigger.definition.arguments, input, cacheName: '' };
      const response = await this.#timed((signal) => host.call(call, calls, signal));
      this.log('INFO', `finished execution in ${spanText(clock.monotonicMs() - startedMs)}`);
      for (const problem of await calls.writeQueued()) this.log('ERROR', `error running ${PLUGIN_WORDS[input.kind]}: ${problem}`);
      return { response, hasStored: calls.hasStoredIn(trigger.database.name) };
    } catch (error) {
      figures.errors++;
      const failure = asFailure(error);
      if (failure.trace !== undefined) this.#options.logger.debug('a plugin failed', { trigger: this.#label, trace: failure.trace });
      throw failure;
    } finally {
      figures.running--;
      figures.runMs += clock.monotonicMs() - startedMs;
      figures.hostStarts = this.#host?.host.starts ?? figures.hostStarts;
    }
  }

  async #timed<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs, timers } = this.#options;
    const ended = new AbortController();
    if (timeoutMs === undefined) return call(ended.signal);
    const text = `plugin execution timed out after ${formatDurationNs(BigInt(Math.round(timeoutMs)) * 1_000_000n)}`;
    const cancel = timers.after(timeoutMs, () => ended.abort(new PluginFailure('timeout', text)));
    try {
      return await call(ended.signal);
    } finally {
      cancel();
    }
  }

  /** The code as it is now. When a file cannot be read any more, the code read last goes on. */
  async #currentCode(): Promise<PluginCode> {
    const { code: reader, logger, trigger } = this.#options;
    const { pluginFilename } = trigger.definition;
    const last = this.#code;
    try {
      if (last !== undefined && (await reader.isCurrent(last))) return last;
      const code = isRemote(pluginFilename) ? await this.#fetched(pluginFilename) : await reader.read(pluginFilename);
      this.#code = code;
      this.#readFailure = undefined;
      return code;
    } catch (error) {
      if (last === undefined || isRemote(pluginFilename)) throw error;
      if (this.#readFailure !== messageOf(error)) {
        this.#readFailure = messageOf(error);
        logger.error('a plugin cannot be read any more, its last code goes on', { trigger: this.#label, error: messageOf(error) });
      }
      return last;
    }
  }

  /** Events that come while a repository does not answer share its last failure, so that each of them does not ask it again. */
  #fetched(pluginFilename: string): Promise<PluginCode> {
    const { clock, code: reader } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#fetch !== undefined && nowMs < this.#fetch.untilMs) return this.#fetch.code;
    const fetching = { untilMs: Number.POSITIVE_INFINITY, code: reader.read(pluginFilename) };
    this.#fetch = fetching;
    fetching.code.then(
      () => undefined, // the code is kept by whoever asked
      () => {
        fetching.untilMs = clock.monotonicMs() + FETCH_PAUSE_MS;
      },
    );
    return fetching.code;
  }

  #hostFor({ language }: PluginCode): PluginHost {
    const known = this.#host;
    if (known?.language === language) return known.host;
    void known?.host.stop();
    const host = this.#options.openHost(language, this.#label);
    this.#host = { language, host };
    return host;
  }

  async #afterFailure(input: Exclude<CallInput, { kind: 'request' }>, failure: PluginFailure): Promise<void> {
    const { definition } = this.#options.trigger;
    this.log('ERROR', `error executing ${PLUGIN_WORDS[input.kind]}: ${failure.message}`);
    if (definition.errorBehavior === 'disable' && !this.stopping.aborted) {
      await this.#options.disable().catch((error: unknown) => {
        this.log('ERROR', `the trigger could not be disabled: ${messageOf(error)}`);
      });
      return;
    }
    if (input.kind !== 'schedule') return;
    this.log('ERROR', `error running ${definition.runAsync ? 'async ' : ''}scheduled plugin: ${failure.message}`);
  }

  #begin(): void {
    this.#active++;
  }

  #end(): void {
    this.#active--;
    if (this.#active === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

function asFailure(error: unknown): PluginFailure {
  return error instanceof PluginFailure ? error : new PluginFailure('exception', messageOf(error));
}

function startText(input: CallInput): string {
  if (input.kind !== 'schedule') return `starting execution of ${PLUGIN_WORDS[input.kind]}.`;
  return `starting execution with scheduled time ${utcText(input.timeMs)}`;
}

/** `2025-01-01 00:00:00 UTC`, with a fraction if there is one. */
function utcText(timeMs: number): string {
  const text = new Date(timeMs).toISOString();
  const fraction = timeMs % 1000 === 0 ? '' : text.slice(19, 23);
  return `${text.slice(0, 10)} ${text.slice(11, 19)}${fraction} UTC`;
}

/** `1ms 204us 583ns`. */
export function spanText(ms: number): string {
  return formatDurationNs(BigInt(Math.max(0, Math.round(ms * 1e6))));
}
