/** The parts of telemetry that need the HTTP framework or the metrics library; load them with the server only. */
export type { FleetCell, ReportSource } from './fleet.ts';
export { registerTelemetryMetrics } from './metrics.ts';
export { type ReportWriter, type TelemetryReceiverDeps, telemetryReceiver } from './receiver.ts';
export { type TelemetryRoutesDeps, telemetryRoutes } from './routes.ts';
