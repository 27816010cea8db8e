import type { Logger } from '../shared/logger.ts';

/** Shape of the logger that storage, write and telemetry code takes: fields first. */
export interface FieldsFirstLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A child logger in that shape. */
export function fieldsFirst(logger: Logger, target: string): FieldsFirstLog {
  const child = logger.child(target);
  return {
    debug: (fields, message) => child.debug(message, { ...fields }),
    info: (fields, message) => child.info(message, { ...fields }),
    warn: (fields, message) => child.warn(message, { ...fields }),
    error: (fields, message) => child.error(message, { ...fields }),
  };
}
