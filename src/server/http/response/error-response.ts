import type { OutgoingHttpHeaders } from 'node:http';
import { InfluxError, POSITION_HEADER, positionText } from '../../../shared/errors.ts';
import type { ErrorLog } from './error-log.ts';
import { internalError } from './errors.ts';
import type { HttpReply } from './http-reply.ts';

/** Turns whatever a handler threw into the catalogue error that the client hears. Our own faults are logged here, once. */
export function toInfluxError(error: unknown, log: ErrorLog): InfluxError {
  if (error instanceof InfluxError) {
    if (error.status >= 500) log.known(error);
    return error;
  }
  log.unexpected(error);
  return internalError(error);
}

/** The same error, framed as `{"error": message}`: clients of InfluxDB 1 read nothing else, and send again what they cannot read an answer to. */
export function asV1Error(error: unknown, log: ErrorLog): InfluxError {
  const known = toInfluxError(error, log);
  if (known.shape !== 'text') return known;
  const { code, message, status, grpc, data } = known;
  const framed = new InfluxError({ code, message, status, grpc, shape: 'json', data, cause: known });
  if (known.position !== undefined) framed.position = known.position;
  return framed;
}

/** The translator of the plain REST endpoints: message alone, or `{"error": .., "data"?: ..}`. */
export function sendError<Reply extends HttpReply>(reply: Reply, error: InfluxError): Reply {
  reply.code(error.status);
  if (error.status === 503) reply.header('retry-after', RETRY_AFTER_SECS);
  // compat: the body stays the text that clients of InfluxDB 3 Core know
  if (error.position !== undefined) reply.header(POSITION_HEADER, positionText(error.position));
  if (error.shape === 'text') return sendText(reply, error.message);
  if (error.shape === 'auth') {
    sendAuthError(reply, error.status, error.message);
    return reply;
  }
  return sendJson(reply, error.data === undefined ? { error: error.message } : { error: error.message, data: error.data });
}

/** What a client that heard 503 had better wait, seconds. */
export const RETRY_AFTER_SECS = '1';

/** Shape auth: JSON with one space after the colon. */
export function sendAuthError(reply: HttpReply, status: number, message: string): void {
  reply
    .code(status)
    .header('content-type', 'application/json')
    .send(Buffer.from(`{"error": ${JSON.stringify(message)}}`));
}

/** Sends compact JSON. */
export function sendJson<Reply extends HttpReply>(reply: Reply, value: unknown): Reply {
  reply.header('content-type', 'application/json').send(Buffer.from(JSON.stringify(value)));
  return reply;
}

/** Sends text without a content-type, as InfluxDB 3 Core does for its plain messages. */
export function sendText<Reply extends HttpReply>(reply: Reply, text: string): Reply {
  const body = Buffer.from(text);
  // Set on the reply, because that is where the metrics look for the size.
  const headers = { ...reply.header('content-length', String(body.length)).getHeaders() } as OutgoingHttpHeaders;
  // fastify's own sending would add a content-type.
  reply.hijack();
  reply.raw.writeHead(reply.statusCode, headers);
  reply.raw.end(body);
  return reply;
}

/** Shape v2 of the v2 API: `{"code", "message"}`. */
export function sendV2Error<Reply extends HttpReply>(reply: Reply, error: InfluxError): Reply {
  reply.code(error.status);
  if (error.status === 503) reply.header('retry-after', RETRY_AFTER_SECS);
  return sendJson(reply, { code: v2Code(error.status), message: error.message });
}

function v2Code(status: number): string {
  if (status === 413) return 'request too large';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not found';
  if (status === 503) return 'unavailable';
  return status >= 500 ? 'internal error' : 'invalid';
}
