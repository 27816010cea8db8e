import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import { InfluxError } from '../../shared/errors.ts';
import type { ErrorLog } from './error-log.ts';
import { internalError } from './errors.ts';

/** Turns whatever a handler threw into the catalogue error that the client hears. Our own faults are logged here, once. */
export function toInfluxError(error: unknown, log: ErrorLog): InfluxError {
  if (error instanceof InfluxError) {
    if (error.status >= 500) log.known(error);
    return error;
  }
  log.unexpected(error);
  return internalError(error);
}

/** The translator of the plain REST endpoints: message alone, or `{"error": .., "data"?: ..}` (http-api.md 3, shape E1). */
export function sendError(reply: FastifyReply, error: InfluxError): FastifyReply {
  reply.code(error.status);
  if (error.shape === 'text') return sendText(reply, error.message);
  return sendJson(reply, error.data === undefined ? { error: error.message } : { error: error.message, data: error.data });
}

/** Shape EA: JSON with one space after the colon (http-api.md 3). */
export function sendAuthError(reply: FastifyReply, status: number, message: string): FastifyReply {
  return reply
    .code(status)
    .header('content-type', 'application/json')
    .send(Buffer.from(`{"error": ${JSON.stringify(message)}}`));
}

/** Sends compact JSON. */
export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  return reply.header('content-type', 'application/json').send(Buffer.from(JSON.stringify(value)));
}

/** Sends text without a content-type, as the reference does for its plain messages. */
export function sendText(reply: FastifyReply, text: string): FastifyReply {
  const body = Buffer.from(text);
  const headers = { ...reply.getHeaders(), 'content-length': body.length } as OutgoingHttpHeaders;
  // The framework's own sending would add a content-type.
  reply.hijack();
  reply.raw.writeHead(reply.statusCode, headers);
  reply.raw.end(body);
  return reply;
}
