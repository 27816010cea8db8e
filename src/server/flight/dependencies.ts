import type { RequestAuthenticator } from '../../auth/index.ts';
import type { InfluxqlService } from '../../query/influxql/contract.ts';
import type { QueryService } from '../../query/query-service.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import type { FlightMetrics } from './flight-metrics.ts';

export interface FlightDependencies {
  readonly queryService: QueryService;
  readonly influxqlService: InfluxqlService;
  readonly authenticator: RequestAuthenticator;
  readonly logger: Logger;
  readonly metrics: FlightMetrics;
  readonly clock: Clock;
  /** For tests; default: `KEEP_ALIVE_MS`. */
  readonly keepAliveMs?: number;
}

/** What a method works with: the services do what the token of the call may do, and no more. */
export type CallDependencies = Omit<FlightDependencies, 'authenticator'> & {
  /** Throws PERMISSION_DENIED when the token may not read the database. */
  requireRead(database: string): void;
};
