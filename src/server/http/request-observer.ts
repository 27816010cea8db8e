import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import type { HttpMetrics } from './metrics.ts';

interface ObserverDependencies {
  readonly metrics: HttpMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Counts every request once it is over, whether it was answered or the client left. */
export function observeRequests(app: FastifyInstance, deps: ObserverDependencies): void {
  app.addHook('onRequest', (request, reply, done) => {
    const startedMs = deps.clock.monotonicMs();
    const response = reply.raw;
    response.once('close', () => {
      const durationSecs = (deps.clock.monotonicMs() - startedMs) / 1000;
      const status = reply.statusCode;
      const route = request.routeOptions.url ?? '';
      const aborted = !response.writableEnded;
      deps.metrics.recordRequest({ method: request.method, route, status, aborted, durationSecs, bodyBytes: bodyBytes(reply) });
      if (deps.logger.enabled('debug')) deps.logger.debug('request answered', { method: request.method, route, status, aborted });
    });
    done();
  });
}

function bodyBytes(reply: { getHeader(name: string): unknown }): number {
  const length = Number(reply.getHeader('content-length'));
  return Number.isFinite(length) ? length : 0;
}
