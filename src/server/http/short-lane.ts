import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyRequest, AnyResponse } from './dependencies.ts';
import { DirectReply } from './direct-reply.ts';
import type { ErrorLog } from './error-log.ts';
import { sendError, toInfluxError } from './error-response.ts';
import type { HttpHandler, HttpRequest } from './exchange.ts';
import { splitTarget } from './query-string.ts';
import type { RequestGate } from './request-gate.ts';
import type { RequestObserver } from './request-observer.ts';

export interface ShortLaneOptions {
  /** Handlers of `POST`, by path. */
  readonly handlers: ReadonlyMap<string, HttpHandler>;
  readonly gate: RequestGate;
  readonly observer: RequestObserver;
  readonly errorLog: ErrorLog;
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
    const handler = this.#options.handlers.get(path);
    if (handler === undefined) return false;
    const reply = new DirectReply(response as ServerResponse);
    this.#options.observer.observe(request, reply, path);
    void this.#run(handler, { raw: request as IncomingMessage, headers: request.headers, originalUrl }, reply);
    return true;
  }

  /** Never rejects. */
  async #run(handler: HttpHandler, request: HttpRequest, reply: DirectReply): Promise<void> {
    try {
      if (this.#options.gate.admit(request.raw, request.originalUrl, reply)) await handler(request, reply);
    } catch (error) {
      const known = toInfluxError(error, this.#options.errorLog);
      if (reply.raw.headersSent) reply.raw.destroy();
      else sendError(reply, known);
    }
  }
}
