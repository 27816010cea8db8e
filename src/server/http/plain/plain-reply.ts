import { type OutgoingHttpHeaders, STATUS_CODES } from 'node:http';
import type { BareResponse } from '../exchange.ts';
import { WholeReply } from '../whole-reply.ts';

/** What a reply asks of its connection. */
export interface ReplyTarget {
  /** The last lines of every head, about date and connection; each ends in CRLF. */
  commonLines(): string;
  /** Sends a whole answer. */
  deliver(answer: string | Buffer): void;
  /** Cuts the connection. */
  destroy(): void;
}

/** A reply that becomes bytes at once: the same ones on the wire as the runtime's, for whole answers. */
export class PlainReply extends WholeReply implements BareResponse {
  statusCode = 200;
  headersSent = false;
  readonly #target: ReplyTarget;
  #head = '';

  constructor(target: ReplyTarget) {
    super();
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
