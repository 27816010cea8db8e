import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeader, ServerResponse } from 'node:http';

/**
 * What a handler needs of a request. The framework's requests and those of the short lane both have it. Like the framework's
 * types it does not tell the HTTP versions apart.
 */
export interface HttpRequest {
  readonly raw: IncomingMessage;
  readonly headers: IncomingHttpHeaders;
  /** Target as the client sent it. */
  readonly originalUrl: string;
}

/** What a handler needs of a reply. The framework's replies and those of the short lane both have it. */
export interface HttpReply {
  readonly raw: ServerResponse;
  readonly statusCode: number;
  code(status: number): HttpReply;
  header(name: string, value: string): HttpReply;
  getHeader(name: string): OutgoingHttpHeader | undefined;
  getHeaders(): Record<string, OutgoingHttpHeader | undefined>;
  /** From here on the handler itself answers on `raw`. */
  hijack(): HttpReply;
  send(body?: Buffer): HttpReply;
}

/** Answers one request. What it throws becomes an error answer. */
export type HttpHandler = (request: HttpRequest, reply: HttpReply) => Promise<HttpReply>;
