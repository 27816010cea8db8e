import type { OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';
import type { BodySource } from './body.ts';

/** What a handler of a write needs of a request: fastify's requests and those of the raw lane have it. */
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

/** What an answer without a stream needs of a reply: fastify's replies and those of the raw lane have it. */
export interface HttpReply {
  readonly raw: BareResponse;
  readonly statusCode: number;
  code(status: number): HttpReply;
  header(name: string, value: string): HttpReply;
  getHeader(name: string): OutgoingHttpHeader | undefined;
  getHeaders(): Record<string, OutgoingHttpHeader | undefined>;
  /** From here on the handler itself answers on `raw`. */
  hijack(): HttpReply;
  send(body?: Buffer): HttpReply;
}

/** An endpoint for writes. */
export interface WriteEndpoint {
  /** Answers one write, on whichever lane it came. */
  answer(request: WriteHttpRequest, reply: HttpReply): Promise<HttpReply>;
  /** Throws when the target of a request is not in order, so that `answer` refuses it without reading the body. */
  checkTarget(originalUrl: string): void;
}
