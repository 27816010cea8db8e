/**
 * Shared by: the calls of one trigger, several at once if it runs asynchronously. Safe because each call has a number, and a
 * worker is replaced in one synchronous step: calls stay with the worker that they began with.
 */
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import { pause, type Timers } from '../../shared/timers.ts';
import { answerQuery } from '../calls/call-answers.ts';
import { readOutput } from '../calls/output-lines.ts';
import { type PluginCall, type PluginCalls, PluginFailure, type PluginHost } from '../calls/plugin-host.ts';
import { abortReason, type RunningCall, runningCall } from '../calls/running-call.ts';
import { WalEncoder } from '../delivery/wal-encoder.ts';
import type { PluginCode } from '../plugins/plugin-code.ts';
import { messageOf } from '../plugins/system-error.ts';
import type { EngineResponse } from '../processing-service.ts';
import type { CacheEntry, CallMessage, FromWorker, ToWorker, WorkerSettings } from './messages.ts';

export interface JavascriptHostOptions {
  /** Names the trigger in the server's log. */
  readonly label: string;
  readonly memoryLimitBytes: number | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timers: Timers;
}

const MEMORY_DEFAULT_BYTES = 128 * 1024 * 1024;
const MIB = 1024 * 1024;

/** How long calls that run keep a worker from being replaced; then new ones begin beside them. */
const RETIRE_AFTER_MS = 10_000;

/** How long a worker that is being replaced may take to hand over its cache. */
const EXPORT_TIME_MS = 1000;

/** Runs a JavaScript plugin in a worker thread. A change of its files brings a new worker; cached values go along. */
export class JavascriptHost implements PluginHost {
  readonly #options: JavascriptHostOptions;
  #current: { readonly version: string; readonly worker: PluginWorker } | undefined;
  /** The one at work, and replaced ones whose calls have not ended. */
  readonly #workers = new Set<PluginWorker>();
  #starting: Promise<unknown> = Promise.resolve();
  #stopped = false;
  #refuses = false;
  starts = 0;

  constructor(options: JavascriptHostOptions) {
    this.#options = options;
  }

  async ready(code: PluginCode): Promise<void> {
    await this.#workerFor(code);
  }

  async call(call: PluginCall, calls: PluginCalls, signal: AbortSignal): Promise<EngineResponse | undefined> {
    const worker = await this.#workerFor(call.code);
    if (this.#refuses) throw stopped();
    return worker.call(call, calls, signal);
  }

  refuseCalls(): void {
    this.#refuses = true;
    for (const worker of this.#workers) worker.refuseCalls();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#endAll(); // a start may wait for calls that never end
    await this.#starting;
    await this.#endAll();
  }

  async #endAll(): Promise<void> {
    await Promise.all([...this.#workers].map((worker) => worker.end()));
  }

  /** One after another, so that two calls never start two workers. */
  #workerFor(code: PluginCode): Promise<PluginWorker> {
    const next = this.#starting.then(() => this.#replace(code));
    this.#starting = next.catch(() => undefined);
    return next;
  }

  async #replace(code: PluginCode): Promise<PluginWorker> {
    if (this.#stopped) throw stopped();
    const current = this.#current;
    if (current?.version === code.version && current.worker.isAlive) return current.worker;
    const cache = current === undefined ? [] : await current.worker.retire();
    if (this.#stopped) throw stopped();
    this.starts++;
    const worker = new PluginWorker(code, cache, this.#options);
    this.#workers.add(worker);
    void worker.gone.then(() => this.#workers.delete(worker));
    this.#current = { version: code.version, worker };
    return worker;
  }
}

/** One worker thread with one version of a plugin. */
class PluginWorker {
  readonly #worker: Worker;
  readonly #encoder = new WalEncoder();
  readonly #timers: Timers;
  readonly #running = new Map<number, RunningCall>();
  readonly #nextRows = new Map<number, () => void>();
  readonly #onIdle: (() => void)[] = [];
  /** Resolves when the thread has ended. */
  readonly gone: Promise<void>;
  #exported: ((entries: readonly CacheEntry[]) => void) | undefined;
  #nextCall = 0;
  #death: string | undefined;

  constructor(code: PluginCode, cache: readonly CacheEntry[], { clock, label, logger, memoryLimitBytes, timers }: JavascriptHostOptions) {
    this.#timers = timers;
    const plugin = code.entry === undefined ? { source: code.source, name: code.name } : { file: code.entry };
    const settings: WorkerSettings = { plugin, cache };
    this.#worker = new Worker(new URL('./plugin-worker.js', import.meta.url), {
      workerData: settings,
      name: label.slice(0, 64),
      stdout: true,
      stderr: true,
      execArgv: ['--no-addons'],
      resourceLimits: { maxOldGenerationSizeMb: Math.max(16, Math.floor((memoryLimitBytes ?? MEMORY_DEFAULT_BYTES) / MIB)) },
    });
    this.#worker.unref();
    const nowMs = (): number => clock.monotonicMs();
    const onDropped = (count: number): void => logger.warn('a plugin prints too much, lines were left out', { trigger: label, count });
    readOutput(this.#worker.stdout, { nowMs, onDropped, onLine: (line) => logger.info(line, { trigger: label }) });
    readOutput(this.#worker.stderr, { nowMs, onDropped, onLine: (line) => logger.warn(line, { trigger: label }) });
    this.#worker.on('message', (message: FromWorker) => this.#take(message));
    this.#worker.on('messageerror', (error) => this.#die(messageOf(error)));
    this.#worker.on('error', (error) => this.#die(deathText(error)));
    this.gone = new Promise((resolve) => {
      this.#worker.on('exit', (exitCode) => {
        this.#die(`code ${exitCode}`);
        resolve();
      });
    });
  }

  get isAlive(): boolean {
    return this.#death === undefined;
  }

  call({ args, cacheName, database, input }: PluginCall, calls: PluginCalls, signal: AbortSignal): Promise<EngineResponse | undefined> {
    const id = this.#nextCall++;
    return new Promise((resolve, reject) => {
      if (this.#death !== undefined) return reject(died(this.#death));
      const onAbort = (): void => {
        void this.#worker.terminate();
        this.#settle(id)?.reject(abortReason(signal));
      };
      if (signal.aborted) return reject(abortReason(signal));
      this.#running.set(id, runningCall(calls, signal, onAbort, { resolve, reject }));
      const message: Omit<CallMessage, 'kind'> = { type: 'call', id, database, args, cacheName };
      switch (input.kind) {
        case 'wal': {
          const { data, heads } = this.#encoder.encode(input.batches);
          return this.#post({ ...message, kind: 'wal', heads, data }, [data.buffer]);
        }
        case 'schedule':
          return this.#post({ ...message, kind: 'schedule', timeMs: input.timeMs });
        case 'request':
          return this.#post({ ...message, kind: 'request', query: input.query, headers: input.headers, body: input.body });
      }
    });
  }

  /** Lets running calls end, for a while, takes what is cached, and ends the thread, at the latest with the last of its calls. */
  async retire(): Promise<readonly CacheEntry[]> {
    await pause(this.#timers, RETIRE_AFTER_MS, this.#idle());
    if (this.#death !== undefined) return [];
    const entries = new Promise<readonly CacheEntry[]>((resolve) => {
      const cancel = this.#timers.after(EXPORT_TIME_MS, () => resolve([]));
      this.#exported = (exported) => {
        cancel();
        resolve(exported);
      };
    });
    this.#post({ type: 'export' });
    const exported = await entries;
    if (this.#running.size > 0) this.#onIdle.push(() => void this.end());
    else await this.end();
    return exported;
  }

  /** Aborts when no call runs. */
  #idle(): AbortSignal {
    const idle = new AbortController();
    if (this.#running.size > 0) this.#onIdle.push(() => idle.abort());
    else idle.abort();
    return idle.signal;
  }

  /** What calls ask of the server fails from now on. */
  refuseCalls(): void {
    if (this.isAlive) this.#post({ type: 'refuse' });
  }

  /** Ends the thread at once, also in an endless loop. */
  async end(): Promise<void> {
    await this.#worker.terminate();
    await this.gone;
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #take(message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        break;
      case 'exported':
        this.#exported?.(message.entries);
        break;
      case 'next': {
        const next = this.#nextRows.get(message.question);
        this.#nextRows.delete(message.question);
        next?.();
        break;
      }
      case 'done':
        this.#settle(message.call)?.resolve(message.response);
        break;
      case 'fail':
        this.#settle(message.call)?.reject(new PluginFailure(message.kind, message.text, message.trace));
        break;
      default: {
        const running = this.#running.get(message.call);
        if (running !== undefined) this.#serve(message, running);
      }
    }
  }

  #serve(message: Extract<FromWorker, { type: 'log' | 'queue' | 'ask' }>, running: RunningCall): void {
    const { calls } = running;
    if (message.type === 'log') {
      calls.log(message.level, message.text);
    } else if (message.type === 'ask') {
      void this.#answer(message, running);
    } else {
      try {
        calls.queue(message.database, message.lines);
      } catch (error) {
        this.#settle(message.call)?.reject(new PluginFailure('exception', `Error: ${messageOf(error)}`));
      }
    }
  }

  async #answer({ question, what }: Extract<FromWorker, { type: 'ask' }>, { aborted, calls }: RunningCall): Promise<void> {
    const reply = (answer: { readonly value?: unknown; readonly error?: string; readonly errorName?: string }): void => {
      if (this.isAlive) this.#post({ type: 'answer', question, ...answer });
    };
    try {
      switch (what.op) {
        case 'write':
          await calls.write(what.database, what.lines, what.noSync);
          return reply({});
        case 'put':
          calls.sharedCache.put(`js:${what.key}`, what.value, what.ttlMs);
          return reply({});
        case 'get':
          return reply({ value: calls.sharedCache.get(`js:${what.key}`) });
        case 'delete':
          return reply({ value: calls.sharedCache.delete(`js:${what.key}`) });
        case 'answer':
          return reply({ value: await calls.answer(what.head, what.piece) });
        case 'query': {
          const send = ({ data, heads }: Parameters<Parameters<typeof answerQuery>[2]>[0]): Promise<void> =>
            new Promise((resolve) => {
              if (!this.isAlive) return resolve();
              this.#nextRows.set(question, resolve);
              this.#post({ type: 'rows', question, heads, data }, [data.buffer]);
            });
          const problem = await answerQuery(calls, what, send, aborted.signal);
          return reply(problem === undefined ? {} : { error: problem.text, errorName: problem.name });
        }
      }
    } catch (error) {
      reply({ error: messageOf(error) });
    }
  }

  /** The call has ended, one way or another; nothing of it is heard any more. */
  #settle(call: number): RunningCall | undefined {
    const running = this.#running.get(call);
    this.#running.delete(call);
    running?.aborted.abort();
    if (this.#running.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    return running;
  }

  #die(how: string): void {
    if (this.#death !== undefined) return;
    this.#death = how;
    for (const resolve of this.#nextRows.values()) resolve();
    this.#nextRows.clear();
    this.#exported?.([]);
    for (const call of [...this.#running.keys()]) this.#settle(call)?.reject(died(how));
  }
}

function stopped(): PluginFailure {
  return new PluginFailure('stopped', 'the trigger was stopped');
}

function died(how: string): PluginFailure {
  return new PluginFailure('died', `plugin process exited unexpectedly (${how})`);
}

function deathText(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'out of memory' : messageOf(error);
}
