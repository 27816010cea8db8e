import type { Logger } from '../shared/logger.ts';

/** The part of the server's logger that telemetry uses. Messages are constant, values go into fields. */
export type TelemetryLogger = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
