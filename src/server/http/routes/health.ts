import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify';
import type { Registry } from 'prom-client';
import type { Clock } from '../../../shared/clock.ts';
import type { ProductInfo } from '../dependencies.ts';
import { splitTarget } from '../request/query-string.ts';
import { sendJson } from '../response/error-response.ts';
import { notFound } from '../response/errors.ts';
import { sendV2Health } from './v2-info.ts';

export interface HealthDependencies {
  readonly clock: Clock;
  readonly metricsRegistry: Registry;
  readonly product: ProductInfo;
  readonly telemetrySnapshot: (() => string) | undefined;
  readonly unavailable: (() => string | undefined) | undefined;
  readonly troubles: (() => readonly string[]) | undefined;
}

/** Health, ping, metrics and the telemetry snapshot of the test mode. */
export function registerHealth(app: FastifyInstance, deps: HealthDependencies): void {
  for (const path of ['/health', '/api/v1/health']) {
    readable(app, path, (request, reply) => {
      const reason = deps.unavailable?.();
      if (isV2Client(request)) return sendV2Health(reply, deps.product.version, reason);
      if (reason !== undefined) reply.code(503);
      return reply.header('content-type', 'text/plain; charset=utf-8').send(reason ?? ['OK', ...troublesFor(deps, request)].join('\n'));
    });
  }
  const ping = (request: FastifyRequest, reply: FastifyReply): FastifyReply => sendPing(reply, deps, expectsNoContent(request));
  readable(app, '/ping', ping);
  app.post('/ping', ping);
  readable(app, '/metrics', async (_request, reply) => {
    const text = (await deps.metricsRegistry.metrics()).trimEnd();
    return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(`${text}\n# EOF\n`);
  });
  app.get('/api/v3/test/telemetry_snapshot', (_request, reply) => {
    if (deps.telemetrySnapshot === undefined) throw notFound();
    return reply.header('content-type', 'application/json').send(Buffer.from(deps.telemetrySnapshot()));
  });
}

/** They have names of tables. */
function troublesFor({ troubles }: HealthDependencies, { access }: FastifyRequest): readonly string[] {
  return access.maySee('health') ? (troubles?.() ?? []) : [];
}

/** Answers `GET`, and `HEAD` with the same head: probes of load balancers and v1 clients send it. */
function readable(app: FastifyInstance, url: string, handler: RouteHandlerMethod): void {
  app.route({ method: ['GET', 'HEAD'], url, handler });
}

/**
 * Whether a client of InfluxDB 1 pings, for which anything but 204 is a failure: those for Python (which accepts MessagePack) and
 * Go (by its name, or the parameter that only InfluxDB 1 has).
 */
function expectsNoContent({ method, headers, originalUrl }: FastifyRequest): boolean {
  if (method === 'HEAD' || headers.accept === 'application/x-msgpack') return true;
  const { query = '' } = splitTarget(originalUrl);
  return /^InfluxDBClient\b/.test(headers['user-agent'] ?? '') || /(?:^|&)wait_for_leader=/.test(query);
}

/** Whether a client of InfluxDB 2 asks, which reads JSON: the published ones name themselves, the one for Python accepts nothing else too. */
function isV2Client({ headers }: FastifyRequest): boolean {
  return headers.accept === 'application/json' || /^influxdb-client-/.test(headers['user-agent'] ?? '');
}

function sendPing(reply: FastifyReply, deps: HealthDependencies, noContent: boolean): FastifyReply {
  const { version, revision, processId } = deps.product;
  const requestId = uuidV7(deps.clock.nowMs());
  reply
    .header('request-id', requestId)
    .header('x-request-id', requestId)
    .header('x-influxdb-version', version)
    .header('x-influxdb-build', 'Core');
  if (noContent) return reply.code(204).send();
  return sendJson(reply, { product_name: 'InfluxDB 3 Core', version, revision, process_id: processId });
}

/** Time-ordered UUID: 48 bits of milliseconds, the rest random. */
function uuidV7(nowMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
