import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Clock } from '../shared/clock.ts';
import { TELEMETRY_RECEIVER } from '../shared/gate-paths.ts';
import type { Log } from '../shared/logger.ts';
import { Counter, type Registry } from '../shared/prometheus.ts';
import { RateLimit } from './rate-limit.ts';
import { REPORTS_DATABASE, reportLine } from './report-line.ts';
import { type AcceptedReport, readReport } from './report-reader.ts';

/** Largest report. Ours have about 1400 bytes. */
export const REPORT_BYTES_MAX = 256 * 1024;

/** Reports a minute from one address: a fleet behind one proxy that starts all at once. */
const REPORTS_PER_MINUTE_MAX = 600;

/** The part of the write service that the receiver needs; throws when nothing was stored. */
export interface ReportWriter {
  write(request: {
    readonly database: string;
    readonly body: Uint8Array;
    readonly precision: 'nanosecond';
    readonly acceptPartial: false;
    readonly noSync: false;
  }): Promise<unknown>;
}

export interface TelemetryReceiverDeps {
  readonly writer: ReportWriter;
  readonly clock: Clock;
  readonly logger: Log;
  /** For counts of reports and dropped members. */
  readonly metrics?: Registry;
  readonly reportsPerMinuteMax?: number;
}

type Verdict = 'stored' | 'refused' | 'too_large' | 'too_many' | 'failed';

/**
 * `POST /telem`: takes the reports of an organisation's own servers and stores each as a row of table `reports` in
 * database `telemetry`. 204 stored, 400 names the member that is wrong, 413, 429, 503 when it could not be stored.
 */
export function telemetryReceiver(deps: TelemetryReceiverDeps): (app: FastifyInstance) => Promise<void> {
  const limit = new RateLimit(deps.reportsPerMinuteMax ?? REPORTS_PER_MINUTE_MAX);
  const counted = deps.metrics === undefined ? undefined : receiverMetrics(deps.metrics);
  const clock = lastingClock(deps.clock);
  let writeFailures = 0;

  async function receive(
    request: IncomingMessage,
    address: string,
  ): Promise<{ verdict: Verdict; problem: string; report?: AcceptedReport }> {
    if (!limit.take(address, deps.clock.monotonicMs())) return { verdict: 'too_many', problem: 'too many reports, come back in a minute' };
    const body = await readBody(request);
    if (body === undefined) return { verdict: 'too_large', problem: `a report has at most ${REPORT_BYTES_MAX} bytes` };
    const read = readReport(body);
    if (read.kind === 'refused') return { verdict: 'refused', problem: `not a usage report: ${read.problem}` };
    const line = Buffer.from(`${reportLine(read.report, clock())}\n`);
    try {
      await deps.writer.write({ database: REPORTS_DATABASE, body: line, precision: 'nanosecond', acceptPartial: false, noSync: false });
    } catch (error) {
      writeFailures += 1;
      if (writeFailures === 1)
        deps.logger.error('usage reports cannot be stored', { error: error instanceof Error ? error.message : 'unknown' });
      return { verdict: 'failed', problem: 'the report could not be stored' };
    }
    return { verdict: 'stored', problem: '', report: read.report };
  }

  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined)); // senders name no content type
    app.post(TELEMETRY_RECEIVER, { bodyLimit: Number.MAX_SAFE_INTEGER }, async (request, reply) => {
      const { verdict, problem, report } = await receive(request.raw, request.ip);
      counted?.reports.inc({ result: verdict });
      if (report !== undefined) counted?.unknownFields.inc(report.unknownFields);
      return answer(reply, verdict, problem);
    });
  };
}

const STATUS: Readonly<Record<Verdict, number>> = { stored: 204, refused: 400, too_large: 413, too_many: 429, failed: 503 };

function answer(reply: FastifyReply, verdict: Verdict, problem: string): FastifyReply {
  reply.code(STATUS[verdict]);
  if (verdict === 'stored') return reply.send();
  if (verdict === 'too_many') reply.header('retry-after', '60');
  if (verdict === 'too_large') reply.header('connection', 'close');
  return reply.header('content-type', 'application/json').send(JSON.stringify({ error: problem }));
}

/** Undefined when there is too much; the rest is then left unread. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > REPORT_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Wall clock that never gives one instant twice: two reports of one server must not fall on one row. */
function lastingClock(clock: Clock): () => bigint {
  let lastNs = 0n;
  return () => {
    const nowNs = clock.nowNs();
    lastNs = nowNs > lastNs ? nowNs : lastNs + 1n;
    return lastNs;
  };
}

function receiverMetrics(registry: Registry): { reports: Counter; unknownFields: Counter } {
  const registers = [registry];
  return {
    reports: new Counter({
      name: 'influxdb3_telemetry_receiver_reports_total',
      help: 'usage reports received from other servers',
      labelNames: ['result'],
      registers,
    }),
    unknownFields: new Counter({
      name: 'influxdb3_telemetry_receiver_unknown_fields_total',
      help: 'members of received usage reports that this version does not know',
      registers,
    }),
  };
}
