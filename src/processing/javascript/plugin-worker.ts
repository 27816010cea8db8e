// The thread of a JavaScript plugin. It loads the plugin once and calls it for each message.
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { isMainThread, type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../shared/clock.ts';
import { SeriesMemory, tableBatches } from './block-rows.ts';
import type { CallMessage, FromWorker, ToWorker, WorkerSettings } from './messages.ts';
import { type Api, InvalidKeyError, InvalidLineError, InvalidMeasurementError, LineBuilder, PluginResponse } from './plugin.ts';
import { isTypescript, loadsTypescript, stripTypes } from './typescript.ts';
import { type SendPiece, toResponse, UnsupportedAnswer } from './worker-answer.ts';
import { createApi, Questions } from './worker-api.ts';
import { WorkerCache } from './worker-cache.ts';

type Entry = (...args: unknown[]) => unknown;

const ENTRIES = {
  wal: ['processWrites', 'process_writes', 'processWrites(api, tableBatches, args)'],
  schedule: ['processScheduledCall', 'process_scheduled_call', 'processScheduledCall(api, callTime, args)'],
  request: ['processRequest', 'process_request', 'processRequest(api, request, args)'],
} as const;

if (!isMainThread && parentPort !== null) run(parentPort, workerData as WorkerSettings);

function run(port: MessagePort, settings: WorkerSettings): void {
  const post = (message: FromWorker): void => port.postMessage(message);
  const cache = new WorkerCache(() => systemClock.nowMs(), settings.cache);
  const questions = new Questions(post);
  const memory = new SeriesMemory();
  let plugin: Promise<Record<string, unknown>> | undefined;
  Object.assign(globalThis, { LineBuilder, PluginResponse, InvalidKeyError, InvalidLineError, InvalidMeasurementError });
  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'answer':
      case 'rows':
        questions.take(message);
        return;
      case 'export':
        post({ type: 'exported', entries: cache.export() });
        return;
      case 'refuse':
        questions.refuse();
        return;
      case 'call':
        plugin ??= load(settings.plugin);
        // Rows are taken in as they come, because later ones refer to the series of earlier ones.
        void answer(message, { plugin, post, questions, cache, input: input(message, memory) });
    }
  });
  post({ type: 'ready' });
}

interface CallParts {
  readonly plugin: Promise<Record<string, unknown>>;
  readonly post: (message: FromWorker) => void;
  readonly questions: Questions;
  readonly cache: WorkerCache;
  readonly input: (api: Api) => unknown;
}

async function answer(message: CallMessage, { plugin, post, questions, cache, input }: CallParts): Promise<void> {
  const { id: call, kind, database, args, cacheName } = message;
  const fail = (why: Extract<FromWorker, { type: 'fail' }>['kind'], error: unknown): void =>
    post({ type: 'fail', call, kind: why, text: errorText(error), trace: error instanceof Error ? error.stack : undefined });
  let module: Record<string, unknown>;
  try {
    module = await plugin;
  } catch (error) {
    return fail('import', error);
  }
  const [name, alias, shape] = ENTRIES[kind];
  const entry = entryOf(module, name) ?? entryOf(module, alias);
  if (entry === undefined) {
    const text = `the ${name} function is not present in the plugin. Should be defined as: ${shape}`;
    return post({ type: 'fail', call, kind: 'entry', text, trace: undefined });
  }
  try {
    const api = createApi({ call, database, cacheName, post, questions, cache });
    const returned: unknown = await entry(api, input(api), args === null ? null : { ...args });
    const send: SendPiece = async (head, piece) => (await questions.ask(call, { op: 'answer', head, piece })) === true;
    const response = kind === 'request' ? await toResponse(returned, send) : undefined;
    post({ type: 'done', call, ...(response === undefined ? {} : { response }) });
  } catch (error) {
    fail(error instanceof UnsupportedAnswer ? 'response' : 'exception', error);
  }
}

function input(message: CallMessage, memory: SeriesMemory): (api: Api) => unknown {
  switch (message.kind) {
    case 'wal': {
      let api: Api | undefined;
      const batches = tableBatches(message.heads ?? [], message.data ?? new Uint8Array(), memory, () => api?.int64 ?? 'number');
      return (given) => {
        api = given;
        return batches;
      };
    }
    case 'schedule':
      return () => new Date(message.timeMs ?? 0);
    case 'request':
      return () => ({ query: { ...message.query }, headers: { ...message.headers }, body: message.body ?? new Uint8Array() });
  }
}

async function load(plugin: WorkerSettings['plugin']): Promise<Record<string, unknown>> {
  if ('file' in plugin) {
    if (isTypescript(plugin.file) && !loadsTypescript()) register(new URL('./typescript-hooks.js', import.meta.url));
    return (await import(pathToFileURL(plugin.file).href)) as Record<string, unknown>;
  }
  const source = isTypescript(plugin.name) ? await stripTypes(plugin.source, plugin.name) : plugin.source;
  return (await import(`data:text/javascript;base64,${Buffer.from(source).toString('base64')}`)) as Record<string, unknown>;
}

function entryOf(module: Record<string, unknown>, name: string): Entry | undefined {
  const direct = module[name] ?? (module['default'] as Record<string, unknown> | undefined)?.[name];
  return typeof direct === 'function' ? (direct as Entry) : undefined;
}

function errorText(error: unknown): string {
  if (error instanceof UnsupportedAnswer) return error.message;
  if (!(error instanceof Error)) return `Error: ${String(error)}`;
  return `${error.constructor.name === 'Error' ? error.name : error.constructor.name}: ${error.message}`;
}
