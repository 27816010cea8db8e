import type { OutgoingHttpHeader } from 'node:http';
import type { BareResponse, PlainHttpReply } from './exchange.ts';

/** A reply without the framework, for answers without a body and for whole bodies: headers are collected and sent with it. */
export abstract class WholeReply implements PlainHttpReply {
  abstract readonly raw: BareResponse;
  abstract readonly statusCode: number;
  readonly #headers: Record<string, string> = {};

  abstract code(status: number): this;

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
    if (body !== undefined) this.#headers['content-length'] = String(body.length);
    else if (this.statusCode !== 204) this.#headers['content-length'] = '0';
    this.raw.writeHead(this.statusCode, this.#headers);
    this.raw.end(body);
    return this;
  }
}
