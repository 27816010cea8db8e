import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { BodySource } from './body.ts';

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

/** What a handler of a write needs of a request; requests of the plain lane have no more. */
export interface WriteHttpRequest {
  readonly raw: BodySource;
  /** Target as the client sent it. */
  readonly originalUrl: string;
}

/** The bare response below a reply. */
export interface BareResponse {
  readonly headersSent: boolean;
  writeHead(status: number, headers: OutgoingHttpHeaders): unknown;
  end(body?: Buffer): unknown;
  destroy(): unknown;
}

/** What an answer without a stream needs of a reply: the framework's, the short lane's and the plain lane's have it. */
export interface PlainHttpReply {
  readonly raw: BareResponse;
  readonly statusCode: number;
  code(status: number): PlainHttpReply;
  header(name: string, value: string): PlainHttpReply;
  getHeader(name: string): OutgoingHttpHeader | undefined;
  getHeaders(): Record<string, OutgoingHttpHeader | undefined>;
  /** From here on the handler itself answers on `raw`. */
  hijack(): PlainHttpReply;
  send(body?: Buffer): PlainHttpReply;
}

/** What a handler needs of a reply. The framework's replies and those of the short lane both have it. */
export interface HttpReply extends PlainHttpReply {
  readonly raw: ServerResponse;
  code(status: number): HttpReply;
  header(name: string, value: string): HttpReply;
  hijack(): HttpReply;
  send(body?: Buffer): HttpReply;
}

/** Answers one request. What it throws becomes an error answer. */
export type HttpHandler = (request: HttpRequest, reply: HttpReply) => Promise<HttpReply>;

/** An endpoint for writes. */
export interface WriteEndpoint {
  /** Answers one write, on whichever lane it came. */
  answer(request: WriteHttpRequest, reply: PlainHttpReply): Promise<PlainHttpReply>;
  /** Throws when the target of a request is not in order, so that `answer` refuses it without reading the body. */
  checkTarget(originalUrl: string): void;
}
