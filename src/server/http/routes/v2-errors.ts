import { InfluxError } from '../../../shared/errors.ts';
import { RETRY_AFTER_SECS, sendJson } from '../response/error-response.ts';
import type { HttpReply } from '../response/http-reply.ts';

/** A v2 request that cannot be carried out as it is. */
export function refused(message: string, cause?: unknown): InfluxError {
  return new InfluxError({ code: 'V2_REQUEST_INVALID', message, status: 400, shape: 'json', cause });
}

/** Shape v2 of the v2 API: `{"code", "message"}`. */
export function sendV2Error<Reply extends HttpReply>(reply: Reply, error: InfluxError): Reply {
  reply.code(error.status);
  if (error.status === 503) reply.header('retry-after', RETRY_AFTER_SECS);
  return sendJson(reply, { code: v2Code(error.status), message: error.message });
}

function v2Code(status: number): string {
  if (status === 413) return 'request too large';
  if (status === 404) return 'not found';
  if (status === 503) return 'unavailable';
  return status >= 500 ? 'internal error' : 'invalid';
}
