import { deserialize, serialize } from 'node:v8';
import type { QueryParams } from '../calls/plugin-host.ts';
import { queryRows } from './block-rows.ts';
import type { FromWorker, Question, ToWorker } from './messages.ts';
import type { Api, Buildable, Cache, CacheOptions, QueryRow, Value } from './plugin.ts';
import type { WorkerCache } from './worker-cache.ts';

interface Waiting {
  readonly op: Question['op'];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onRows?: (message: Extract<ToWorker, { type: 'rows' }>) => void;
}

/** As in plugin_host.py. */
const ABORTED = 'influxdb3 is shutting down; aborting plugin execution';

/** What the server said no to. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
}

/** Questions of the worker to the server. */
export class Questions {
  readonly #post: (message: FromWorker) => void;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #isRefusing = false;

  constructor(post: (message: FromWorker) => void) {
    this.#post = post;
  }

  ask(call: number, what: Question, onRows?: Waiting['onRows']): Promise<unknown> {
    const question = this.#next++;
    return new Promise((resolve, reject) => {
      if (what.op !== 'answer') this.check();
      this.#waiting.set(question, { op: what.op, resolve, reject, ...(onRows === undefined ? {} : { onRows }) });
      this.#post({ type: 'ask', call, question, what });
    });
  }

  /** Throws when the server is stopping. */
  check(): void {
    if (this.#isRefusing) throw new Error(ABORTED);
  }

  /** The server is stopping: whatever is asked fails, but the answer of a call may still go to its client. */
  refuse(): void {
    this.#isRefusing = true;
    for (const [question, { op, reject }] of this.#waiting) {
      if (op === 'answer') continue;
      this.#waiting.delete(question);
      reject(new Error(ABORTED));
    }
  }

  take(message: Extract<ToWorker, { type: 'answer' | 'rows' }>): void {
    const waiting = this.#waiting.get(message.question);
    if (waiting === undefined) return;
    if (message.type === 'rows') {
      waiting.onRows?.(message);
      this.#post({ type: 'next', question: message.question });
      return;
    }
    this.#waiting.delete(message.question);
    if (message.error === undefined) waiting.resolve(message.value);
    else waiting.reject(message.errorName === 'QueryError' ? new QueryError(message.error) : new Error(message.error));
  }
}

export interface ApiParts {
  readonly call: number;
  readonly database: string;
  readonly cacheName: string;
  readonly post: (message: FromWorker) => void;
  readonly questions: Questions;
  readonly cache: WorkerCache;
}

/** The object that a plugin is called with. */
export function createApi({ call, database, cacheName, post, questions, cache }: ApiParts): Api {
  const log =
    (level: 'INFO' | 'WARN' | 'ERROR') =>
    (...parts: unknown[]): void => {
      questions.check();
      post({ type: 'log', call, level, text: parts.map(String).join(' ') });
    };
  const queue = (to: string, line: string | Buildable): void => {
    questions.check();
    post({ type: 'queue', call, database: to, lines: text(line) });
  };
  const writeNow = async (to: string, line: string | Buildable, noSync: boolean): Promise<void> => {
    await questions.ask(call, { op: 'write', database: to, lines: text(line), noSync });
  };
  const api: Api = {
    int64: 'number',
    info: log('INFO'),
    warn: log('WARN'),
    error: log('ERROR'),
    write: (line) => queue(database, line),
    writeToDb: queue,
    writeSync: (line, options) => writeNow(database, line, options?.noSync === true),
    writeSyncToDb: (to, line, options) => writeNow(to, line, options?.noSync === true),
    query: async (sql, params, options) => {
      const rows: QueryRow[] = [];
      const what: Question = { op: 'query', database: options?.database ?? database, sql, params: exactNumbers(params ?? {}) };
      await questions.ask(call, what, ({ heads, data }) => {
        for (const row of queryRows(heads, data, api.int64)) rows.push(row);
      });
      return rows;
    },
    cache: createCache({ call, questions, cache, cacheName }),
  };
  return api;
}

function createCache({ call, questions, cache, cacheName }: Pick<ApiParts, 'call' | 'questions' | 'cache' | 'cacheName'>): Cache {
  const shared = cacheName === '' ? (key: string) => key : (key: string) => `${cacheName}\0${key}`;
  const put = (key: string, value: unknown, options: CacheOptions = {}): void | Promise<void> => {
    const ttlMs = timeToLive(options.ttl);
    if (options.global !== true) return cache.put(cacheName, key, value, ttlMs);
    return questions.ask(call, { op: 'put', key: shared(key), value: serialize(value), ttlMs }).then(() => undefined);
  };
  const get = (key: string, options: CacheOptions = {}): unknown => {
    if (options.global !== true) return cache.get(cacheName, key);
    const answer = questions.ask(call, { op: 'get', key: shared(key) });
    return answer.then((bytes) => (bytes === undefined ? undefined : (deserialize(bytes as Uint8Array) as unknown)));
  };
  const remove = (key: string, options: CacheOptions = {}): boolean | Promise<boolean> => {
    if (options.global !== true) return cache.delete(cacheName, key);
    return questions.ask(call, { op: 'delete', key: shared(key) }).then((known) => known === true);
  };
  return { put, get, delete: remove } as Cache;
}

function timeToLive(secs: number | undefined): number | undefined {
  if (secs === undefined) return undefined;
  if (!(secs >= 0) || !Number.isFinite(secs)) throw new RangeError(`a time to live is a number of seconds from 0 on, not ${secs}`);
  return secs * 1000;
}

/** Whole numbers become bigints. */
function exactNumbers(params: Readonly<Record<string, Value | null>>): QueryParams {
  const entries = Object.entries(params).map(([name, value]) => [name, Number.isSafeInteger(value) ? BigInt(value as number) : value]);
  return Object.fromEntries(entries) as QueryParams;
}

function text(line: string | Buildable): string {
  const built: unknown = typeof line === 'string' ? line : line.build();
  if (typeof built !== 'string') throw new TypeError(`build() must return a string, not ${built === null ? 'null' : typeof built}`);
  return built;
}
