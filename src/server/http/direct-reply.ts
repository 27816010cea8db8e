import type { ServerResponse } from 'node:http';
import type { HttpReply } from './exchange.ts';
import { WholeReply } from './whole-reply.ts';

/** A reply on the runtime's response: the same bytes on the wire as the framework's. */
export class DirectReply extends WholeReply implements HttpReply {
  readonly raw: ServerResponse;

  constructor(raw: ServerResponse) {
    super();
    this.raw = raw;
  }

  get statusCode(): number {
    return this.raw.statusCode;
  }

  code(status: number): this {
    this.raw.statusCode = status;
    return this;
  }
}
