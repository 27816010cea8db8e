/**
 * Shared by: the calls of one trigger, several at once if it runs asynchronously. Safe because each call has a number and stays
 * with the process that it was sent to.
 */
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import { pause, type Timers } from '../../shared/timers.ts';
import { answerQuery } from '../calls/call-answers.ts';
import {
  type AnswerHead,
  type PluginCall,
  type PluginCalls,
  PluginFailure,
  type PluginHost,
  type QueryParams,
} from '../calls/plugin-host.ts';
import { abortReason, type RunningCall, runningCall } from '../calls/running-call.ts';
import { WalEncoder } from '../delivery/wal-encoder.ts';
import { messageOf } from '../plugins/system-error.ts';
import type { EngineResponse } from '../processing-service.ts';
import type { TriggerLogLevel } from '../trigger-log.ts';
import { FRAME_TYPES, type Frame } from './frames.ts';
import { PythonProcess } from './python-process.ts';

export interface PythonHostOptions {
  readonly label: string;
  /** Interpreter and environment as they are now; rejects with `PluginFailure`. */
  readonly environment: () => Promise<{ readonly interpreter: string; readonly env: NodeJS.ProcessEnv; readonly version: number }>;
  readonly directory: string;
  readonly memoryLimitBytes: number | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** A process that is gone this soon after its start counts as one that does not start. */
const QUICK_DEATH_MS = 5_000;
const QUICK_DEATHS_MAX = 3;
const BACK_OFF_MS_MIN = 1_000;
const BACK_OFF_MS_MAX = 60_000;

/** How long a call that was cancelled may take to end. */
const CANCEL_TIME_MS = 2_000;

interface Session {
  readonly process: PythonProcess;
  readonly encoder: WalEncoder;
  readonly startedMs: number;
  /** Of the environment that it was started with. */
  readonly version: number;
}

/** Runs Python plugins in a process of their own, which is begun at the first call and again after it has died. */
export class PythonHost implements PluginHost {
  readonly #options: PythonHostOptions;
  readonly #running = new Map<number, RunningCall>();
  #session: Session | undefined;
  #starting: Promise<unknown> = Promise.resolve();
  #nextCall = 1;
  #quickDeaths = 0;
  #notBeforeMs = 0;
  #stopped = false;
  #refuses = false;
  starts = 0;

  constructor(options: PythonHostOptions) {
    this.#options = options;
  }

  async ready(): Promise<void> {
    await this.#live();
  }

  async call(call: PluginCall, calls: PluginCalls, signal: AbortSignal): Promise<EngineResponse | undefined> {
    const { encoder, process } = await this.#live();
    if (signal.aborted) throw abortReason(signal);
    if (this.#refuses) throw stopped();
    const id = this.#nextCall++;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => void this.#abort(process, id, abortReason(signal));
      this.#running.set(id, runningCall(calls, signal, onAbort, { resolve, reject }));
      const { code, database, args, input, cacheName } = call;
      const { isDirectory, name, path, source, version } = code;
      const head = { kind: input.kind, database, args, cacheName, plugin: path ?? name, isDirectory, path, source, version };
      switch (input.kind) {
        case 'wal': {
          const { data, heads } = encoder.encode(input.batches);
          return void process.send(FRAME_TYPES.call, id, { ...head, heads }, data);
        }
        case 'schedule':
          return void process.send(FRAME_TYPES.call, id, { ...head, timeMs: input.timeMs });
        case 'request':
          return void process.send(FRAME_TYPES.call, id, { ...head, query: input.query, headers: input.headers }, input.body);
      }
    });
  }

  refuseCalls(): void {
    this.#refuses = true;
    for (const id of this.#running.keys()) void this.#session?.process.send(FRAME_TYPES.refuse, id, {});
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const session = this.#session;
    for (const id of this.#running.keys()) void session?.process.send(FRAME_TYPES.cancel, id, {});
    await session?.process.stop();
    await this.#starting;
    await this.#session?.process.stop();
  }

  /** Process id, for those who look from outside. */
  get pid(): number | undefined {
    return this.#session?.process.pid;
  }

  #live(): Promise<Session> {
    const next = this.#starting.then(() => this.#liveSession());
    this.#starting = next.catch(() => undefined);
    return next;
  }

  async #liveSession(): Promise<Session> {
    const { clock } = this.#options;
    if (this.#stopped) throw stopped();
    const { env, interpreter, version } = await this.#options.environment();
    const session = this.#session;
    if (session?.process.isAlive === true) {
      if (session.version === version || this.#running.size > 0) return session;
      await session.process.stop(); // packages were installed
    }
    if (clock.monotonicMs() < this.#notBeforeMs)
      throw new PluginFailure('died', 'the plugin process dies at once and is started again later');
    if (this.#stopped) throw stopped();
    return this.#start(interpreter, env, version);
  }

  async #start(interpreter: string, env: NodeJS.ProcessEnv, version: number): Promise<Session> {
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    this.starts++;
    const process = new PythonProcess({
      ...this.#options,
      interpreter,
      env,
      onFrame: (frame) => this.#take(process, frame),
      onEnd: (how) => this.#died(process, startedMs, how),
    });
    const session = { process, encoder: new WalEncoder(), startedMs, version };
    this.#session = session;
    await process.ready;
    return session;
  }

  #died(process: PythonProcess, startedMs: number, how: string): void {
    const { clock, label, logger } = this.#options;
    if (this.#session?.process !== process) return;
    if (!this.#stopped) logger.warn('a plugin process has ended', { trigger: label, how });
    const isQuick = clock.monotonicMs() - startedMs < QUICK_DEATH_MS;
    this.#quickDeaths = isQuick ? this.#quickDeaths + 1 : 0;
    if (this.#quickDeaths >= QUICK_DEATHS_MAX) {
      const backOffMs = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** (this.#quickDeaths - QUICK_DEATHS_MAX));
      this.#notBeforeMs = clock.monotonicMs() + backOffMs;
    }
    const failure = this.#stopped ? stopped() : new PluginFailure('died', how);
    for (const id of [...this.#running.keys()]) this.#settle(id)?.reject(failure);
  }

  /** The call fails with the reason; the process is given a moment, then it goes. */
  async #abort(process: PythonProcess, id: number, reason: PluginFailure): Promise<void> {
    const running = this.#running.get(id);
    if (running === undefined) return;
    const ended = new AbortController();
    running.aborted.signal.addEventListener('abort', () => ended.abort(), { once: true });
    void process.send(FRAME_TYPES.cancel, id, {});
    const { reject } = running;
    reject(reason);
    await pause(this.#options.timers, CANCEL_TIME_MS, ended.signal);
    if (this.#running.has(id)) await process.stop();
  }

  #take(process: PythonProcess, { call, data, head, type }: Frame): void {
    const running = this.#running.get(call);
    if (running === undefined) return;
    switch (type) {
      case FRAME_TYPES.log:
        running.calls.log(head['level'] as TriggerLogLevel, String(head['text']));
        break;
      case FRAME_TYPES.queued:
        this.#queue(call, running, head, data);
        break;
      case FRAME_TYPES.done:
        this.#settle(call)?.resolve(responseOf(head, data));
        break;
      case FRAME_TYPES.fail: {
        const trace = typeof head['trace'] === 'string' ? head['trace'] : undefined;
        this.#settle(call)?.reject(new PluginFailure(head['kind'] as PluginFailure['kind'], String(head['text']), trace));
        break;
      }
      case FRAME_TYPES.write:
      case FRAME_TYPES.query:
      case FRAME_TYPES.shared:
      case FRAME_TYPES.piece:
        void this.#answer(process, call, running, { type, head, data });
        break;
      default:
        this.#options.logger.warn('a plugin process sent an unknown frame', { trigger: this.#options.label, type });
    }
  }

  #queue(call: number, running: RunningCall, head: Frame['head'], data: Buffer): void {
    const { database, sizes } = head as { readonly database: string; readonly sizes: readonly number[] };
    let at = 0;
    try {
      for (const size of sizes) {
        running.calls.queue(database, data.toString('utf8', at, at + size));
        at += size;
      }
    } catch (error) {
      this.#settle(call)?.reject(new PluginFailure('exception', `Exception: ${messageOf(error)}`));
    }
  }

  async #answer(process: PythonProcess, call: number, { aborted, calls }: RunningCall, ask: Omit<Frame, 'call'>): Promise<void> {
    const { data, head, type } = ask;
    const { question } = head;
    const reply = (answer: object, bytes?: Uint8Array): Promise<void> =>
      process.send(FRAME_TYPES.answer, call, { question, ...answer }, bytes);
    try {
      if (type === FRAME_TYPES.write) {
        await calls.write(String(head['database']), data.toString('utf8'), head['noSync'] === true);
        await reply({});
      } else if (type === FRAME_TYPES.shared) {
        await shared(calls, head, data, reply);
      } else if (type === FRAME_TYPES.piece) {
        await reply({ more: await calls.answer(answerHead(head), data) });
      } else {
        const query = { database: String(head['database']), sql: String(head['sql']), params: paramsOf(head['params']) };
        const problem = await answerQuery(
          calls,
          query,
          (blocks) => process.send(FRAME_TYPES.rows, call, { question, heads: blocks.heads }, blocks.data),
          aborted.signal,
        );
        await reply(problem === undefined ? {} : { error: problem.text, name: problem.name });
      }
    } catch (error) {
      await reply({ error: messageOf(error) });
    }
  }

  /** The call has ended; nothing of it is heard any more. */
  #settle(call: number): RunningCall | undefined {
    const running = this.#running.get(call);
    this.#running.delete(call);
    running?.aborted.abort();
    return running;
  }
}

async function shared(
  { sharedCache }: PluginCalls,
  head: Frame['head'],
  data: Buffer,
  reply: (answer: object, bytes?: Uint8Array) => Promise<void>,
): Promise<void> {
  const key = `py:${String(head['key'])}`;
  switch (head['op']) {
    case 'put':
      sharedCache.put(key, Uint8Array.from(data), typeof head['ttlMs'] === 'number' ? head['ttlMs'] : undefined);
      return reply({});
    case 'get': {
      const value = sharedCache.get(key);
      return reply({ found: value !== undefined }, value);
    }
    default:
      return reply({ found: sharedCache.delete(key) });
  }
}

/** Parameters as the host writes them: whole numbers and decimals as texts, so that none of their digits is lost. */
function paramsOf(params: unknown): QueryParams {
  const entries = Object.entries(params as Readonly<Record<string, { readonly k: string; readonly v?: string | boolean }>>);
  return Object.fromEntries(
    entries.map(([name, { k, v }]) => {
      if (k === 'int') return [name, BigInt(String(v))];
      if (k === 'float') return [name, pythonFloat(String(v))];
      return [name, v ?? null];
    }),
  );
}

function pythonFloat(text: string): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  return text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

function responseOf(head: Frame['head'], data: Buffer): EngineResponse | undefined {
  if (typeof head['status'] !== 'number') return undefined;
  const { headers, status } = answerHead(head);
  return { status, headers, body: data };
}

function answerHead(head: Frame['head']): AnswerHead {
  const { headers, length, status } = head as { readonly [name in keyof AnswerHead]: AnswerHead[name] | null };
  return { status: Number(status), headers: headers ?? [], length: length ?? undefined };
}

function stopped(): PluginFailure {
  return new PluginFailure('stopped', 'the trigger was stopped');
}
