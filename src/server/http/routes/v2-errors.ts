import { InfluxError } from '../../../shared/errors.ts';
import { sendJson } from '../error-response.ts';
import type { PlainHttpReply } from '../exchange.ts';

/** A v2 request that cannot be carried out as it is. */
export function refused(message: string, cause?: unknown): InfluxError {
  return new InfluxError({ code: 'V2_REQUEST_INVALID', message, status: 400, shape: 'json', cause });
}

/** Shape E2 of the v2 API: `{"code", "message"}` (http-api.md 6.3). */
export function sendV2Error<Reply extends PlainHttpReply>(reply: Reply, error: InfluxError): Reply {
  reply.code(error.status);
  return sendJson(reply, { code: v2Code(error.status), message: error.message });
}

function v2Code(status: number): string {
  if (status === 413) return 'request too large';
  if (status === 404) return 'not found';
  return status >= 500 ? 'internal error' : 'invalid';
}
