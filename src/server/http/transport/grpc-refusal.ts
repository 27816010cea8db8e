import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { AnyRequest } from '../dependencies.ts';

/** A request is gRPC when it is HTTP/2 and its content-type says so (flight.md 1). */
export function isGrpc(request: AnyRequest): request is Http2ServerRequest {
  return request.httpVersionMajor === 2 && (request.headers['content-type'] ?? '').startsWith('application/grpc');
}

/** Trailers-only answer: status 12, unimplemented. */
export function refuseGrpc(request: Http2ServerRequest, response: Http2ServerResponse): void {
  request.resume();
  response.stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12', 'grpc-message': 'Arrow Flight is not implemented' },
    { endStream: true },
  );
}
