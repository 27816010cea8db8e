import { InfluxError } from '../../../shared/errors.ts';

/** A v2 request that cannot be carried out as it is. */
export function refused(message: string, cause?: unknown): InfluxError {
  return new InfluxError({ code: 'V2_REQUEST_INVALID', message, status: 400, shape: 'json', cause });
}
