import { type OutgoingHttpHeader, type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type { BareResponse, HttpReply } from '../../response/http-reply.ts';

/** What a reply asks of its connection. */
export interface ReplyTarget {
  /** The last lines of every head, about date and connection; each ends in CRLF. */
  commonLines(): string;
  /** Sends a whole answer. */
  deliver(answer: string | Buffer): void;
  /** Cuts the connection. */
  destroy(): void;
}

/** A reply that becomes bytes at once: for a whole answer the same ones on the wire as those of `node:http` and fastify. */
export class RawReply implements HttpReply, BareResponse {
  statusCode = 200;
  headersSent = false;
  readonly #target: ReplyTarget;
  readonly #headers: Record<string, string> = {};
  #head = '';

  constructor(target: ReplyTarget) {
    this.#target = target;
  }

  /** There is nothing below it. */
  get raw(): BareResponse {
    return this;
  }

  code(status: number): this {
    this.statusCode = status;
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
    if (body !== undefined) this.#headers['content-length'] = String(body.length);
    else if (this.statusCode !== 204) this.#headers['content-length'] = '0';
    this.writeHead(this.statusCode, this.#headers);
    this.end(body);
    return this;
  }

  writeHead(status: number, headers: OutgoingHttpHeaders): void {
    this.headersSent = true;
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
    this.#head = head;
  }

  end(body?: Buffer): void {
    const head = `${this.#head}${this.#target.commonLines()}\r\n`;
    this.#target.deliver(body === undefined ? head : Buffer.concat([Buffer.from(head, 'latin1'), body]));
  }

  destroy(): void {
    this.#target.destroy();
  }
}
