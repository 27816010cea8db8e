import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import type { Clock } from '../../../shared/clock.ts';
import type { ProductInfo } from '../dependencies.ts';
import { sendJson } from '../response/error-response.ts';
import { notFound } from '../response/errors.ts';

export interface HealthDependencies {
  readonly clock: Clock;
  readonly metricsRegistry: Registry;
  readonly product: ProductInfo;
  readonly telemetrySnapshot: (() => string) | undefined;
  readonly unavailable: (() => string | undefined) | undefined;
  readonly troubles: (() => readonly string[]) | undefined;
}

/** Health, ping, metrics (http-api.md 5) and the test-only telemetry snapshot (14). */
export function registerHealth(app: FastifyInstance, deps: HealthDependencies): void {
  for (const path of ['/health', '/api/v1/health']) {
    app.get(path, (_request, reply) => {
      const reason = deps.unavailable?.();
      if (reason !== undefined) reply.code(503);
      return reply.header('content-type', 'text/plain; charset=utf-8').send(reason ?? ['OK', ...(deps.troubles?.() ?? [])].join('\n'));
    });
  }
  const ping = (_request: FastifyRequest, reply: FastifyReply): FastifyReply => sendPing(reply, deps);
  app.get('/ping', ping);
  app.post('/ping', ping);
  app.get('/metrics', async (_request, reply) => {
    const text = (await deps.metricsRegistry.metrics()).trimEnd();
    return reply.header('content-type', 'text/plain; version=0.0.4; charset=utf-8').send(`${text}\n# EOF\n`);
  });
  app.get('/api/v3/test/telemetry_snapshot', (_request, reply) => {
    if (deps.telemetrySnapshot === undefined) throw notFound();
    return reply.header('content-type', 'application/json').send(Buffer.from(deps.telemetrySnapshot()));
  });
}

function sendPing(reply: FastifyReply, deps: HealthDependencies): FastifyReply {
  const { version, revision, processId } = deps.product;
  const requestId = uuidV7(deps.clock.nowMs());
  reply
    .header('request-id', requestId)
    .header('x-request-id', requestId)
    .header('x-influxdb-version', version)
    .header('x-influxdb-build', 'Core');
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
