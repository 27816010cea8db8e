import type { OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http';

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
