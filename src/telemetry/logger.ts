/** The part of a pino logger that telemetry uses. Messages are constant, values go into fields. */
export interface TelemetryLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
