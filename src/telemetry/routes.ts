import type { FastifyInstance } from 'fastify';
import type { Clock } from '../shared/clock.ts';
import { TELEMETRY_PAGE, TELEMETRY_SCRIPT, TELEMETRY_STYLE } from '../shared/gate-paths.ts';
import { type Fleet, type ReportSource, readFleet } from './fleet.ts';
import { renderTelemetryPage, TELEMETRY_PAGE_CSP } from './page/page.ts';
import { PAGE_SCRIPT } from './page/script.ts';
import { PAGE_STYLE } from './page/style.ts';
import { telemetrySchema } from './schema.ts';
import type { TelemetryControl } from './switchable-telemetry.ts';
import type { Telemetry } from './telemetry.ts';
import { TELEMETRY_CHANGES, TELEMETRY_VIEWS, type TelemetryChange } from './text.ts';

/** Attempts in one answer of the log route unless `limit` says otherwise. */
const LOG_ENTRIES_DEFAULT = 100;

/** Attempts on the page. */
const PAGE_ENTRIES_MAX = 48;

export interface TelemetryRoutesDeps {
  readonly telemetry: Telemetry;
  /** Without it there are the views only. */
  readonly control?: TelemetryControl;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** The reports of other servers, on a receiver: the page shows them. */
  readonly reports?: ReportSource;
}

/** The JSON views, the page `/telemetry`, which only look, and the changes. Authentication is the server's business. */
export function telemetryRoutes(deps: TelemetryRoutesDeps): (app: FastifyInstance) => Promise<void> {
  const { telemetry } = deps;
  return async (app) => {
    app.get(TELEMETRY_VIEWS.status, async (_request, reply) => reply.headers(JSON_HEADERS).send(JSON.stringify(telemetry.status())));
    app.get(TELEMETRY_VIEWS.preview, async (_request, reply) => {
      reply.headers(JSON_HEADERS);
      if (telemetry.state === 'on') return reply.send(Buffer.from(telemetry.preview()));
      return reply.code(404).send(JSON.stringify({ error: `telemetry is off, so there is no next report: ${telemetry.status().reason}` }));
    });
    app.get<{ Querystring: { limit?: string } }>(TELEMETRY_VIEWS.log, async (request, reply) => {
      reply.headers(JSON_HEADERS);
      const limit = parseLimit(new URL(request.originalUrl, 'http://localhost').searchParams.get('limit'));
      if (limit === undefined) return reply.code(400).send(JSON.stringify({ error: 'limit must be a whole number from 1 to 1000' }));
      return reply.send(JSON.stringify((await telemetry.ledger()).slice(-limit).reverse()));
    });
    app.get(TELEMETRY_VIEWS.schema, async (_request, reply) =>
      reply
        .headers({ ...JSON_HEADERS, 'content-type': 'application/schema+json' })
        .send(Buffer.from(JSON.stringify(telemetrySchema(), null, 2))),
    );
    if (deps.control !== undefined) addChanges(app, telemetry, deps.control);
    app.get(TELEMETRY_PAGE, async (_request, reply) => {
      const ledger = (await telemetry.ledger()).slice(-PAGE_ENTRIES_MAX).reverse();
      const html = renderTelemetryPage({
        status: telemetry.status(),
        preview: Buffer.from(telemetry.preview()).toString('utf8'),
        history: telemetry.history(),
        ledger,
        nowMs: deps.clock.nowMs(),
        ...(deps.reports === undefined ? {} : { fleet: await fleetOrReason(deps.reports) }),
      });
      return reply.headers(PAGE_HEADERS).send(html);
    });
    for (const [path, type, text] of [
      [TELEMETRY_SCRIPT, 'text/javascript; charset=utf-8', PAGE_SCRIPT],
      [TELEMETRY_STYLE, 'text/css; charset=utf-8', PAGE_STYLE],
    ] as const) {
      app.get(path, async (_request, reply) =>
        reply.headers({ 'content-type': type, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' }).send(text),
      );
    }
  };
}

/** The rest of the page must not go with a query that fails. */
async function fleetOrReason(reports: ReportSource): Promise<Fleet | string> {
  try {
    return await readFleet(reports);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function addChanges(app: FastifyInstance, telemetry: Telemetry, control: TelemetryControl): void {
  const changes: Readonly<Record<TelemetryChange, () => Promise<void>>> = {
    off: () => control.switchOff(),
    on: () => control.switchOn(),
    'reset-id': () => control.resetIds(),
  };
  for (const change of Object.keys(changes) as TelemetryChange[]) {
    app.post(TELEMETRY_CHANGES[change], async (_request, reply) => {
      await changes[change]();
      return reply.headers(JSON_HEADERS).send(JSON.stringify(telemetry.status()));
    });
  }
}

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store' };

const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': TELEMETRY_PAGE_CSP,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

function parseLimit(text: string | null): number | undefined {
  if (text === null) return LOG_ENTRIES_DEFAULT;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return limit >= 1 && limit <= 1000 ? limit : undefined;
}
