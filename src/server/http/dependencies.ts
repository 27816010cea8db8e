import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import type { Registry } from 'prom-client';
import type { AdminService, DeleteService } from '../../admin/index.ts';
import type { RequestAuthenticator } from '../../auth/index.ts';
import type { PolicyDatabase } from '../../catalog/index.ts';
import type { EngineService } from '../../processing/processing-service.ts';
import type { InfluxqlService } from '../../query/influxql/contract.ts';
import type { QueryService } from '../../query/query-service.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import type { WriteService } from '../../write/write-service.ts';

/** What this process tells about itself on `/ping` and in the metrics. */
export interface ProductInfo {
  readonly version: string;
  /** Short git hash. */
  readonly revision: string;
  /** UUID v4 of this process. */
  readonly processId: string;
}

/** PEM texts and the lowest version offered. */
export interface TlsSettings {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/** Either HTTP version's request. */
export type AnyRequest = IncomingMessage | Http2ServerRequest;
/** Either HTTP version's response. */
export type AnyResponse = ServerResponse | Http2ServerResponse;

/** Limits on slow or greedy clients. All have defaults. */
export interface HttpLimits {
  /** Whole header section must have arrived, ms. */
  readonly headersTimeoutMs: number;
  /** Whole request must have arrived, ms. */
  readonly requestTimeoutMs: number;
  /** An idle connection is kept open, ms. */
  readonly keepAliveTimeoutMs: number;
  /** Request line and headers together, bytes. */
  readonly headerBytesMax: number;
  /** How long `close` waits for open requests, ms. */
  readonly drainTimeoutMs: number;
}

export const defaultHttpLimits: HttpLimits = {
  headersTimeoutMs: 60_000,
  requestTimeoutMs: 300_000,
  keepAliveTimeoutMs: 90_000,
  headerBytesMax: 64 * 1024,
  drainTimeoutMs: 30_000,
};

/** Routes of another part of the server, registered behind the gate (CORS, cluster id, authentication). */
export type RoutePlugin = (app: FastifyInstance) => void | Promise<void>;

/** Everything the HTTP server works with. */
export interface HttpDependencies {
  readonly writeService: WriteService;
  readonly deleteService: DeleteService;
  readonly queryService: QueryService;
  readonly influxqlService: InfluxqlService;
  readonly adminService: AdminService;
  /** Which database a retention policy of v1 and v2 clients is. */
  readonly policyDatabase: PolicyDatabase;
  readonly engineService: EngineService;
  readonly authenticator: RequestAuthenticator;
  readonly metrics: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly clusterUuid: string;
  readonly product: ProductInfo;
  /** Inclusive limit of raw and unzipped bodies. */
  readonly maxBodyBytes: number;
  readonly limits?: Partial<HttpLimits>;
  readonly tls?: TlsSettings;
  /** Present in test mode only: the telemetry payload as JSON text. */
  readonly telemetrySnapshot?: () => string;
  /** Why the server cannot read and write just now; undefined = it can. */
  readonly unavailable?: () => string | undefined;
  /** What is wrong although the server answers, one line each; `/health` lists it behind its `OK`. */
  readonly troubles?: () => readonly string[];
  /** What a browser without a token gets instead of an error. */
  readonly loginPage?: () => { readonly html: string; readonly headers: Readonly<Record<string, string>> };
  readonly routePlugins?: readonly RoutePlugin[];
  /** False: the process may end while the server listens. Default: true. */
  readonly keepsAlive?: boolean;
  /** False: `node:http` reads all requests. For tests and measurements that compare the two readers. Default: true. */
  readonly rawLane?: boolean;
}

/** The running server. */
export interface HttpServer {
  /** Binds; resolves with the real port. */
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }>;
  /** Stops accepting, drops idle connections, waits for open requests. Idempotent. */
  close(): Promise<void>;
  /** Drives a request in process, for tests. */
  inject(options: InjectOptions): Promise<LightMyRequestResponse>;
}
