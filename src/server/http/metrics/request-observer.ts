import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../../shared/clock.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { HttpReply } from '../response/http-reply.ts';
import type { HttpMetrics } from './http-metrics.ts';

interface ObserverDependencies {
  readonly metrics: HttpMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A request that is over. */
export interface ObservedRequest {
  readonly method: string;
  readonly route: string;
  readonly reply: HttpReply;
  /** The client left before it was answered. */
  readonly aborted: boolean;
  /** Of the observer's clock. */
  readonly startedMs: number;
}

/** Counts every request once it is over, whether it was answered or the client left. */
export class RequestObserver {
  readonly #deps: ObserverDependencies;

  constructor(deps: ObserverDependencies) {
    this.#deps = deps;
  }

  /** Watches all requests that fastify routes. */
  register(app: FastifyInstance): void {
    app.addHook('onRequest', (request, reply, done) => {
      const { method = '' } = request.raw;
      const route = request.routeOptions.url ?? '';
      const startedMs = this.now();
      const response = reply.raw;
      // Emitted once.
      response.on('close', () => {
        this.record({ method, route, reply, aborted: !response.writableEnded, startedMs });
      });
      done();
    });
  }

  /** When a request that `record` gets to see begins. */
  now(): number {
    return this.#deps.clock.monotonicMs();
  }

  record({ method, route, reply, aborted, startedMs }: ObservedRequest): void {
    const { logger, metrics } = this.#deps;
    const status = reply.statusCode;
    const durationSecs = (this.now() - startedMs) / 1000;
    metrics.recordRequest({ method, route, status, aborted, durationSecs, bodyBytes: bodyBytes(reply) });
    if (logger.enabled('debug')) logger.debug('request answered', { method, route, status, aborted });
  }
}

function bodyBytes(reply: HttpReply): number {
  const length = Number(reply.getHeader('content-length') ?? 0);
  return Number.isFinite(length) ? length : 0;
}
