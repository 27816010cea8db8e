import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import type { AnyRequest } from './dependencies.ts';
import type { HttpReply } from './exchange.ts';
import type { HttpMetrics } from './metrics.ts';

interface ObserverDependencies {
  readonly metrics: HttpMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Counts every request once it is over, whether it was answered or the client left. */
export class RequestObserver {
  readonly #deps: ObserverDependencies;

  constructor(deps: ObserverDependencies) {
    this.#deps = deps;
  }

  /** Watches all requests of the framework. */
  register(app: FastifyInstance): void {
    app.addHook('onRequest', (request, reply, done) => {
      this.observe(request.raw, reply, request.routeOptions.url ?? '');
      done();
    });
  }

  observe(request: AnyRequest, reply: HttpReply, route: string): void {
    const { clock, logger, metrics } = this.#deps;
    const startedMs = clock.monotonicMs();
    const response = reply.raw;
    // Emitted once.
    response.on('close', () => {
      const durationSecs = (clock.monotonicMs() - startedMs) / 1000;
      const status = response.statusCode;
      const method = request.method ?? '';
      const aborted = !response.writableEnded;
      metrics.recordRequest({ method, route, status, aborted, durationSecs, bodyBytes: bodyBytes(reply) });
      if (logger.enabled('debug')) logger.debug('request answered', { method, route, status, aborted });
    });
  }
}

function bodyBytes(reply: HttpReply): number {
  const length = Number(reply.getHeader('content-length') ?? 0);
  return Number.isFinite(length) ? length : 0;
}
