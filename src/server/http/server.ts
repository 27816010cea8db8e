import type { Http2ServerResponse } from 'node:http2';
import { type FastifyInstance, type FastifyServerOptions, fastify } from 'fastify';
import { FlightMetrics, FlightService } from '../flight/index.ts';
import { type AnyRequest, type AnyResponse, defaultHttpLimits, type HttpDependencies, type HttpServer } from './dependencies.ts';
import { HttpMetrics } from './metrics/http-metrics.ts';
import { RequestObserver } from './metrics/request-observer.ts';
import { splitTarget } from './request/query-string.ts';
import { ErrorLog } from './response/error-log.ts';
import { sendError, sendText, toInfluxError } from './response/error-response.ts';
import { ENGINE_PREFIX } from './routes/engine-path.ts';
import { registerRoutes, writeEndpoints } from './routes/index.ts';
import { isGrpc } from './transport/grpc-request.ts';
import { Port, type RequestHandler } from './transport/port.ts';
import { RawLane } from './transport/raw/index.ts';
import { RequestGate } from './transport/request-gate.ts';

/** A target that no route matches. */
const NO_ROUTE = '//';

/**
 * Builds the HTTP server: one port, the gate (CORS, cluster id, authentication), the routes and the error translator.
 * Nothing listens until `listen`.
 */
export async function buildHttpServer(deps: HttpDependencies): Promise<HttpServer> {
  const limits = { ...defaultHttpLimits, ...deps.limits };
  const logger = deps.logger.child('influxdb3_server::http');
  const errorLog = new ErrorLog(deps.clock, logger);
  const metrics = new HttpMetrics(deps.metrics, deps.product, deps.clock.nowMs() / 1000);
  const gate = new RequestGate(deps.authenticator, deps.clusterUuid, deps.product.version, deps.loginPage);
  const observer = new RequestObserver({ metrics, clock: deps.clock, logger });
  const routeDeps = { ...deps, httpMetrics: metrics, errorLog };
  const writes = writeEndpoints(routeDeps);
  const rawLane = new RawLane({
    endpoints: writes,
    gate,
    observer,
    errorLog,
    clock: deps.clock,
    maxBodyBytes: deps.maxBodyBytes,
    keepAliveTimeoutMs: limits.keepAliveTimeoutMs,
  });
  const flight = new FlightService({
    ...deps,
    logger: deps.logger.child('influxdb3_server::flight'),
    metrics: new FlightMetrics(deps.metrics),
  });
  let port: Port | undefined;
  const options: FastifyServerOptions = {
    logger: false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    clientErrorHandler: () => undefined, // the port answers what cannot be read
    rewriteUrl: (request) => routeTarget(request.url ?? '/'),
    // No route has a schema: without these fastify would load a validator and a serializer compiler at start.
    schemaController: { compilersFactory: { buildValidator: refuseSchemas, buildSerializer: refuseSchemas } },
    serverFactory: (handler) => {
      const lanes = deps.rawLane === false ? {} : { rawLane };
      const created = new Port({
        handler: withGrpc(handler as unknown as RequestHandler, flight),
        limits,
        keepsAlive: deps.keepsAlive ?? true,
        tls: deps.tls,
        ...lanes,
        errorLog,
      });
      port = created;
      return created.http1;
    },
  };
  const app = fastify(options);
  leaveBodiesAlone(app);
  observer.register(app);
  gate.register(app);
  app.setNotFoundHandler((_request, reply) => sendText(reply.code(404), 'Not found'));
  app.setErrorHandler((error, _request, reply) => sendError(reply, toInfluxError(error, errorLog)));
  registerRoutes(app, routeDeps, writes);
  for (const plugin of deps.routePlugins ?? []) await app.register(async (scope) => plugin(scope));
  await app.ready();
  return {
    listen: (host, portNumber) => openPort(port).listen(host, portNumber),
    close: async () => {
      await port?.close();
      await app.close();
    },
    inject: (options) => app.inject(options),
  };
}

function openPort(port: Port | undefined): Port {
  if (port === undefined) throw new Error('internal error: fastify made no server');
  return port;
}

/** Handlers read bodies themselves: any content-type is welcome, and reading stops at the limit. */
function leaveBodiesAlone(app: FastifyInstance): void {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    app.addHttpMethod(method, { hasBody: false, overrideExisting: true } as { hasBody?: boolean });
  }
}

/**
 * What the router gets to see: the raw path is matched as it is, so a path with an escape belongs to no route, except
 * below the prefix of plugins, where the handler compares the raw rest itself.
 */
function routeTarget(url: string): string {
  const { path } = splitTarget(url);
  if (!path.includes('%') && !path.includes(';')) return path === '*' ? '/' : path;
  return path.startsWith(ENGINE_PREFIX) ? `${ENGINE_PREFIX}_` : NO_ROUTE;
}

function withGrpc(handler: RequestHandler, flight: FlightService): RequestHandler {
  return (request: AnyRequest, response: AnyResponse) => {
    if (isGrpc(request)) flight.handle(request, response as Http2ServerResponse);
    else handler(request, response);
  };
}

function refuseSchemas(): never {
  throw new Error('internal error: routes of this server have no schemas');
}
