/**
 * Errors for the world. Every failure that a client can cause or must hear about is an `InfluxError`
 * made by a function of this catalogue (or of a catalogue file beside the code that raises it, when it is
 * used in one folder only). The message is the exact text that the client sees; each protocol turns it into
 * its own wire shape in one place.
 */

import { type GrpcStatus, grpcStatusOf } from './grpc-status.ts';

/** How the HTTP layer frames the message: `text` alone, `{"error":message,"data"?:data}`, or as refused tokens with a space after the colon. */
export type ErrorShape = 'text' | 'json' | 'auth';

export interface InfluxErrorInit {
  /** Stable name for logs, metrics and tests, in UPPER_SNAKE_CASE. */
  code: string;
  /** Exact text for the client. */
  message: string;
  /** HTTP status. */
  status: number;
  /** Status over gRPC; absent = the one that the HTTP status stands for. */
  grpc?: GrpcStatus;
  shape?: ErrorShape;
  /** Extra member of the JSON shape. */
  data?: unknown;
  cause?: unknown;
}

/** A place in the text of a statement. Both count from 1; columns are characters. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** The header, or the trailer of gRPC, that says where in a statement a mistake is. */
export const POSITION_HEADER = 'x-influxdb-error-position';

/** Its value. */
export function positionText({ line, column }: TextPosition): string {
  return `${line}:${column}`;
}

/** A failure with a message that is part of the wire format. */
export class InfluxError extends Error {
  readonly code: string;
  readonly status: number;
  readonly grpc: GrpcStatus;
  readonly shape: ErrorShape;
  readonly data: unknown;
  /** Where in the statement the mistake is. Set by whoever knows the text, once. */
  position?: TextPosition;

  constructor(init: InfluxErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'InfluxError';
    this.code = init.code;
    this.status = init.status;
    this.grpc = init.grpc ?? grpcStatusOf(init.status);
    this.shape = init.shape ?? 'text';
    this.data = init.data;
  }
}

/** The database is not in the catalog. */
export function databaseNotFound(database: string): InfluxError {
  return new InfluxError({
    code: 'DATABASE_NOT_FOUND',
    message: `query error: database not found: ${database}`,
    status: 404,
    shape: 'json',
  });
}
