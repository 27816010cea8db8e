/** Usage telemetry: exact, private, visible. See docs/telemetry.md. */
export { FIELDS, type Field, type FieldName } from './fields.ts';
export type { MinuteSample } from './history.ts';
export { type Invocation, normalizePluginName, type TriggerType } from './invocations.ts';
export { type LedgerEntry, readLedgerFile } from './ledger.ts';
export { firstStartNotice } from './notice.ts';
export type { TelemetryRecorder, TelemetrySources } from './recorder.ts';
export { type TelemetryReportRow, telemetryReportsTable } from './reports-table.ts';
export { resolveTelemetry, type TelemetryResolution, type TelemetrySwitches } from './resolve.ts';
export { TELEMETRY_SCHEMA_ID, telemetrySchema } from './schema.ts';
export { type SettingsPlace, TelemetrySettings } from './settings.ts';
export { type ServerIdentity, usableCores } from './static-facts.ts';
export type { TelemetryStatus } from './status.ts';
export { SwitchableTelemetry } from './switchable-telemetry.ts';
export { createTelemetry, type Telemetry, type TelemetryDeps } from './telemetry.ts';
export {
  formatTelemetryLog,
  formatTelemetryReport,
  formatTelemetryStatus,
  formatTelemetryView,
  TELEMETRY_CHANGES,
  TELEMETRY_VIEWS,
  type TelemetryChange,
  type TelemetryView,
} from './text.ts';
