import type { Telemetry } from './telemetry.ts';

/** `system.telemetry_reports`: every attempt to send, newest last. */
const TELEMETRY_REPORTS_COLUMNS = [
  { name: 'time', type: 'time' },
  { name: 'endpoint', type: 'string' },
  { name: 'status', type: 'integer' },
  { name: 'error', type: 'string' },
  { name: 'bytes', type: 'uinteger' },
  { name: 'body', type: 'string' },
] as const;

/** Nanoseconds since the epoch, URL, HTTP status or null, why there was no answer or null, body length in bytes, body. */
export type TelemetryReportRow = readonly [bigint, string, bigint | null, string | null, bigint, string];

/** Provider of `system.telemetry_reports`, the same in every database. */
export function telemetryReportsTable(telemetry: Pick<Telemetry, 'ledger'>) {
  return {
    name: 'telemetry_reports',
    columns: TELEMETRY_REPORTS_COLUMNS,
    rows: async (): Promise<TelemetryReportRow[]> =>
      (await telemetry.ledger()).map((entry) => [
        BigInt(Date.parse(entry.time)) * 1_000_000n,
        entry.endpoint,
        entry.status === null ? null : BigInt(Math.trunc(entry.status)),
        entry.error,
        BigInt(Math.trunc(entry.bytes)),
        entry.body,
      ]),
  };
}
