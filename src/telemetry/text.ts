import { FIELDS } from './fields.ts';
import type { LedgerEntry } from './ledger.ts';
import type { TelemetryStatus } from './status.ts';

/** What `influxdb3 telemetry …` can show, and the route of a running server that knows it. */
export const TELEMETRY_VIEWS = {
  status: '/api/v3/telemetry/status',
  preview: '/api/v3/telemetry/preview',
  log: '/api/v3/telemetry/log',
  schema: '/api/v3/telemetry/schema',
} as const;

/** What `influxdb3 telemetry …` can change, and the route for it (POST). */
export const TELEMETRY_CHANGES = {
  off: '/api/v3/telemetry/off',
  on: '/api/v3/telemetry/on',
  'reset-id': '/api/v3/telemetry/reset_id',
} as const;

export type TelemetryChange = keyof typeof TELEMETRY_CHANGES;

export type TelemetryView = keyof typeof TELEMETRY_VIEWS;

/** Text for people, made from the JSON body of the view's route. Throws when the body is not what the route answers. */
export function formatTelemetryView(view: TelemetryView, body: string): string {
  const value: unknown = JSON.parse(body);
  switch (view) {
    case 'status':
      return formatTelemetryStatus(value as TelemetryStatus);
    case 'preview':
      return formatTelemetryReport(body);
    case 'log':
      return formatTelemetryLog(value as readonly LedgerEntry[]);
    case 'schema':
      return `${JSON.stringify(value, null, 2)}\n`;
  }
}

/** A few lines about where telemetry stands. */
export function formatTelemetryStatus(status: TelemetryStatus): string {
  const rows: [string, string][] = [['telemetry', `${status.state}: ${status.reason}`]];
  if (status.state === 'on') {
    rows.push(['sends to', status.sends_to ?? 'nowhere']);
    rows.push(['next report', status.next_report_at ?? 'none']);
    rows.push(['reports', `${status.attempts} since start, ${status.attempts_failed} without an answer, ${status.bytes_sent} bytes`]);
  }
  if (status.last_attempt !== null) {
    const { time, bytes } = status.last_attempt;
    rows.push(['last report', `${time}  ${outcomeText(status.last_attempt)}  ${bytes} bytes`]);
  }
  if (status.ledger_file !== null) rows.push(['ledger', status.ledger_file]);
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}\n`).join('');
}

/** Every field of a report with its value, unit and meaning. */
export function formatTelemetryReport(body: string): string {
  const values = fieldTexts(body);
  const rows = FIELDS.map((field) => [field.name, values.get(field.name) ?? '(missing)', field.unit, field.what] as const);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => `${row[0].padEnd(widths[0] ?? 0)}  ${row[1].padEnd(widths[1] ?? 0)}  ${row[2].padEnd(widths[2] ?? 0)}  ${row[3]}\n`)
    .join('');
}

/** Attempts as the route delivers them, one line each. */
export function formatTelemetryLog(entries: readonly LedgerEntry[]): string {
  if (entries.length === 0) return 'no reports yet\n';
  return entries.map((entry) => `${entry.time}  ${outcomeText(entry)}  ${entry.bytes} bytes  ${entry.endpoint}\n`).join('');
}

/** `204`, or why there was no answer. */
export function outcomeText(attempt: { readonly status: number | null; readonly error: string | null }): string {
  return attempt.status === null ? `not answered (${attempt.error ?? 'unknown'})` : `answered ${attempt.status}`;
}

/** Values of a report as its bytes show them: `0.0` stays `0.0`. Unreadable reports give an empty map. */
export function fieldTexts(body: string): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [, name, text] of body.matchAll(/"([a-z0-9_]+)":("(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^,[\]{}"]+)/g)) {
    if (name !== undefined && text !== undefined && !texts.has(name)) texts.set(name, text.startsWith('"') ? text.slice(1, -1) : text);
  }
  return texts;
}
