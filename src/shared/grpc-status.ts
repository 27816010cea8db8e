/** Status codes of gRPC: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
export const GRPC_STATUS = {
  OK: 0,
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcStatus = (typeof GRPC_STATUS)[keyof typeof GRPC_STATUS];

/** The gRPC status of a failure of which only the HTTP status is known. */
export function grpcStatusOf(httpStatus: number): GrpcStatus {
  switch (httpStatus) {
    case 401:
      return GRPC_STATUS.UNAUTHENTICATED;
    case 403:
      return GRPC_STATUS.PERMISSION_DENIED;
    case 404:
      return GRPC_STATUS.NOT_FOUND;
    case 413:
    case 429:
      return GRPC_STATUS.RESOURCE_EXHAUSTED;
    case 501:
      return GRPC_STATUS.UNIMPLEMENTED;
    case 503:
      return GRPC_STATUS.UNAVAILABLE;
    default:
      return httpStatus >= 400 && httpStatus < 500 ? GRPC_STATUS.INVALID_ARGUMENT : GRPC_STATUS.INTERNAL;
  }
}
