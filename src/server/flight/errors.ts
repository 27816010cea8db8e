import { InfluxError, type TextPosition } from '../../shared/errors.ts';
import { GRPC_STATUS, type GrpcStatus } from '../../shared/grpc-status.ts';

/** A failure with the status and the text that a Flight client gets. */
export class FlightError extends Error {
  readonly grpc: GrpcStatus;
  /** Where in the statement the mistake is. */
  readonly position: TextPosition | undefined;

  constructor(grpc: GrpcStatus, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'FlightError';
    this.grpc = grpc;
    this.position = cause instanceof InfluxError ? cause.position : undefined;
  }
}

/** gRPC status 3: the request itself is wrong. */
export function invalidArgument(message: string): FlightError {
  return new FlightError(GRPC_STATUS.INVALID_ARGUMENT, message);
}

/** gRPC status 3 with the text of InfluxDB 3 Core for a ticket that is no JSON of its kind. */
export function invalidTicket(): FlightError {
  return invalidArgument('Invalid ticket. Error: Invalid ticket');
}

/** compat: the method's name in snake case. */
export function notYetImplemented(method: string): FlightError {
  const name = method.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
  return new FlightError(GRPC_STATUS.UNIMPLEMENTED, `Not yet implemented: ${name}`);
}

/** What was being done when a query failed; it goes before the text of the failure. */
export type QueryStage = 'query' | 'sql' | 'stream';

const PREFIX: Readonly<Record<QueryStage, string>> = {
  query: 'Error while planning query: ',
  sql: 'Error while planning Flight SQL : ',
  stream: 'Error while execution Flight SQL stream: ',
};

/** Failures of a statement that ran into them while it computed. */
const EXECUTION_CODES: ReadonlySet<string> = new Set(['SQL_EXECUTION', 'SQL_ARROW', 'SQL_RAISED', 'SQL_MEMORY']);

/** The failure of a query as Flight clients get it. Anything that is not of the catalogue is passed on as it is. */
export function queryFailure(error: unknown, stage: QueryStage, database: string): unknown {
  if (!(error instanceof InfluxError)) return error;
  if (error.code === 'DATABASE_NOT_FOUND') return new FlightError(error.grpc, `Database '${database}' not found`, error);
  const prefix = PREFIX[EXECUTION_CODES.has(error.code) ? 'stream' : stage];
  return new FlightError(error.grpc, prefix + error.message, error);
}
