import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BodySource } from './body.ts';
import type { AnyRequest, AnyResponse } from './dependencies.ts';
import { DirectReply } from './direct-reply.ts';
import type { ErrorLog } from './error-log.ts';
import { sendError, toInfluxError } from './error-response.ts';
import type { PlainHttpReply, WriteEndpoint } from './exchange.ts';
import type { PlainHead } from './plain/index.ts';
import { splitTarget } from './query-string.ts';
import type { GateRequest, RequestGate } from './request-gate.ts';
import type { RequestObserver } from './request-observer.ts';

export interface ShortLaneOptions {
  /** By path. */
  readonly endpoints: ReadonlyMap<string, WriteEndpoint>;
  readonly gate: RequestGate;
  readonly observer: RequestObserver;
  readonly errorLog: ErrorLog;
  readonly maxBodyBytes: number;
}

/**
 * Answers the requests that come most often, HTTP/1.1 writes, without the framework, whose way to a handler and back takes
 * longer than the parsing of a small body. Observer, gate, handlers and error texts are the framework's own.
 */
export class ShortLane {
  readonly #options: ShortLaneOptions;

  constructor(options: ShortLaneOptions) {
    this.#options = options;
  }

  /** False: the request is none of the lane's, and nothing was done. */
  take(request: AnyRequest, response: AnyResponse): boolean {
    if (request.method !== 'POST' || request.httpVersionMajor !== 1) return false;
    const originalUrl = request.url ?? '/';
    const { path } = splitTarget(originalUrl);
    if (!this.#options.endpoints.has(path)) return false;
    const reply = new DirectReply(response as ServerResponse);
    this.#options.observer.observe(request, reply, path);
    void this.answer(path, request as IncomingMessage, originalUrl, reply);
    return true;
  }

  /** Whether `POST` to this path is a write. */
  has(path: string): boolean {
    return this.#options.endpoints.has(path);
  }

  /** Whether a write is answered only when its body has arrived: false when its head alone leads to a refusal. */
  needsBody(head: PlainHead, remoteAddress: string | undefined): boolean {
    const { endpoints, gate, maxBodyBytes } = this.#options;
    if (head.end - head.bodyStart > maxBodyBytes) return false;
    try {
      endpoints.get(head.path)?.checkTarget(head.target);
      return gate.wouldAdmit(head.headers.authorization, head.target, remoteAddress ?? '');
    } catch {
      return false; // whoever answers the request meets the same error
    }
  }

  /** Lets a write through the gate, carries it out and answers it. Never rejects. */
  async answer(path: string, raw: GateRequest & BodySource, originalUrl: string, reply: PlainHttpReply): Promise<void> {
    const { gate, endpoints } = this.#options;
    try {
      if (gate.admit(raw, originalUrl, reply)) await endpoints.get(path)?.answer({ raw, originalUrl }, reply);
    } catch (error) {
      const known = toInfluxError(error, this.#options.errorLog);
      if (reply.raw.headersSent) reply.raw.destroy();
      else sendError(reply, known);
    }
  }
}
