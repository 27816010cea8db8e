import { once } from 'node:events';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EngineResponse, LongBody } from '../../../processing/processing-service.ts';
import { InfluxError } from '../../../shared/errors.ts';
import { anySignal } from '../../../shared/signals.ts';
import type { GuardedEngine } from '../../guarded-services.ts';
import { readBody } from '../request/body.ts';
import { splitTarget } from '../request/query-string.ts';
import { ENGINE_PREFIX } from './engine-path.ts';

export interface EngineEndpointDependencies {
  readonly engine: GuardedEngine;
  readonly maxBodyBytes: number;
}

/** A client that takes nothing for so long loses its connection: a plugin waits for it, and other requests for the plugin. */
const STALLED_MS = 60_000;

/** Requests for plugins: everything below `/api/v3/engine/`. */
export function registerEngine(app: FastifyInstance, { engine, maxBodyBytes }: EngineEndpointDependencies): void {
  app.route({
    method: ['GET', 'POST'],
    url: `${ENGINE_PREFIX}*`,
    handler: async (request, reply) => {
      const { path: wholePath, query } = splitTarget(request.originalUrl);
      const path = wholePath.slice(ENGINE_PREFIX.length);
      engine.check(request.access, path); // before the body is read
      const response = await engine.request(request.access, {
        path,
        query: Object.fromEntries(new URLSearchParams(query ?? '')),
        headers: headersOf(request),
        body: await readBody(request.raw, maxBodyBytes),
      });
      if (response === undefined) throw noRequestTrigger();
      return send(reply, response);
    },
  });
}

/** Lower-case names; of repeated ones the last value. The token stays here. */
function headersOf({ raw }: FastifyRequest): Record<string, string> {
  const headers: Record<string, string> = {};
  const { rawHeaders } = raw;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (name !== 'authorization' && !name.startsWith(':')) headers[name] = rawHeaders[at + 1] ?? '';
  }
  return headers;
}

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NO_HEADER_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Headers that belong to the connection or the server. With the last four `node:http` or `node:http2` would send no answer at all. */
const OWN_HEADERS = [
  'connection',
  'transfer-encoding',
  'content-length',
  'keep-alive',
  'upgrade',
  'date',
  'trailer',
  'te',
  'proxy-connection',
  'http2-settings',
];

/** Statuses whose answers have no body, whatever the plugin gave. */
const NO_BODY_STATUSES = [204, 205, 304];

/** `node:http2` sends no others. */
const HTTP2_STATUS_MAX = 599;

/** compat: a value that no header can carry is sent empty. The server's own headers stay as they are. */
async function send(reply: FastifyReply, { body, headers, status }: EngineResponse): Promise<FastifyReply> {
  const hasBody = !NO_BODY_STATUSES.includes(status);
  const isSent = status <= HTTP2_STATUS_MAX || reply.request.raw.httpVersionMajor < 2;
  if ('pieces' in body && !(hasBody && isSent)) await leave(body);
  if (!isSent) throw unsentStatus(status);
  const own = [...Object.keys(reply.getHeaders()), ...OWN_HEADERS];
  for (const [name, value] of headers) {
    if (HEADER_NAME.test(name) && !own.includes(name.toLowerCase())) reply.header(name, NO_HEADER_VALUE.test(value) ? '' : value);
  }
  const length = 'pieces' in body ? body.length : body.byteLength;
  if (hasBody && length !== undefined) reply.header('content-length', String(length));
  const given = reply.getHeaders() as Record<string, string>;
  // fastify's own sending would add a content-type.
  reply.hijack();
  reply.raw.writeHead(status, given);
  if (!hasBody) reply.raw.end();
  else if ('pieces' in body) void sendPieces(reply.raw, body.pieces);
  else reply.raw.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  return reply;
}

/** Nobody takes the body: its plugin goes on without. */
async function leave({ pieces }: LongBody): Promise<void> {
  for await (const _piece of pieces) return;
}

/** Ends the connection instead of the body when the plugin fails on the way, so that nobody takes a part for the whole. */
async function sendPieces(raw: FastifyReply['raw'], pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const gone = new AbortController();
  const onClose = (): void => gone.abort();
  raw.once('close', onClose);
  try {
    for await (const piece of pieces) {
      if (raw.destroyed || gone.signal.aborted) return;
      if (!raw.write(piece)) await once(raw, 'drain', { signal: anySignal(gone.signal, AbortSignal.timeout(STALLED_MS)) });
    }
    raw.end();
  } catch {
    raw.destroy(); // why it failed is in the log of the trigger; a client that left needs no answer
  } finally {
    raw.off('close', onClose);
  }
}

function unsentStatus(status: number): InfluxError {
  return new InfluxError({ code: 'PLUGIN_FAILED', message: `HTTP/2 has no status code ${status}`, status: 500, shape: 'json' });
}

/** compat: the body is meant to be JSON but is not */
function noRequestTrigger(): InfluxError {
  return new InfluxError({ code: 'ENGINE_PATH_NOT_FOUND', message: '{error: "not found"}', status: 404 });
}
