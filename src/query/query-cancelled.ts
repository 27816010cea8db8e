import { InfluxError } from '../shared/errors.ts';
import { GRPC_STATUS } from '../shared/grpc-status.ts';

/** The failure of a query that nobody waits for any more, or that took too long. */
export function queryCancelled(signal: AbortSignal | undefined): InfluxError {
  if (signal?.reason instanceof InfluxError) return signal.reason;
  if (isTimeout(signal)) {
    const message = 'query error: the query ran longer than the server allows';
    return new InfluxError({ code: 'QUERY_TIMEOUT', message, status: 500, grpc: GRPC_STATUS.DEADLINE_EXCEEDED });
  }
  const message = 'query error: the query was cancelled';
  return new InfluxError({ code: 'QUERY_CANCELLED', message, status: 500, grpc: GRPC_STATUS.CANCELLED });
}

/** Whether a signal was aborted because the time of its query is over. */
export function isTimeout(signal: AbortSignal | undefined): boolean {
  return (signal?.reason as { name?: unknown } | undefined)?.name === 'TimeoutError';
}
