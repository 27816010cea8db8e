import type { OutgoingHttpHeader, ServerResponse } from 'node:http';
import type { HttpReply } from './exchange.ts';

/** A reply without the framework: the same bytes on the wire for answers without a body and for whole bodies. */
export class DirectReply implements HttpReply {
  readonly raw: ServerResponse;
  readonly #headers: Record<string, string> = {};

  constructor(raw: ServerResponse) {
    this.raw = raw;
  }

  get statusCode(): number {
    return this.raw.statusCode;
  }

  code(status: number): this {
    this.raw.statusCode = status;
    return this;
  }

  /** @param name in lower case */
  header(name: string, value: string): this {
    this.#headers[name] = value;
    return this;
  }

  getHeader(name: string): OutgoingHttpHeader | undefined {
    return this.#headers[name];
  }

  getHeaders(): Record<string, OutgoingHttpHeader | undefined> {
    return this.#headers;
  }

  hijack(): this {
    return this;
  }

  send(body?: Buffer): this {
    const { raw } = this;
    if (body === undefined) {
      if (raw.statusCode !== 204) this.#headers['content-length'] = '0';
      raw.writeHead(raw.statusCode, this.#headers).end();
      return this;
    }
    this.#headers['content-length'] = String(body.length);
    raw.writeHead(raw.statusCode, this.#headers).end(body);
    return this;
  }
}
