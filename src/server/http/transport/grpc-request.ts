import type { Http2ServerRequest } from 'node:http2';
import type { AnyRequest } from '../dependencies.ts';

/** A request is gRPC when it is HTTP/2 and its content-type says so. */
export function isGrpc(request: AnyRequest): request is Http2ServerRequest {
  return request.httpVersionMajor === 2 && (request.headers['content-type'] ?? '').startsWith('application/grpc');
}
