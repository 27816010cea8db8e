import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { NO_ACCESS } from '../../auth/index.ts';
import { InfluxError, POSITION_HEADER, positionText } from '../../shared/errors.ts';
import { GRPC_STATUS } from '../../shared/grpc-status.ts';
import { GuardedInfluxql, GuardedQueries } from '../guarded-services.ts';
import { FLIGHT_RIGHTS, type FlightMethod, narrowed } from '../rights.ts';
import { authenticate, tokenOf } from './authenticate.ts';
import type { CallDependencies, FlightDependencies } from './dependencies.ts';
import { FlightError, invalidArgument, notYetImplemented } from './errors.ts';
import { GrpcCall } from './grpc/grpc-call.ts';
import { readHandshake, readTicket, writeHandshake } from './protobuf/messages.ts';
import { answerText } from './queries.ts';
import { answerCommand, doAction, doPut, getFlightInfo } from './sql/flight-sql.ts';
import { readFlightTicket } from './ticket.ts';

const SERVICE = '/arrow.flight.protocol.FlightService/';

type Method = (call: GrpcCall, deps: CallDependencies) => Promise<void>;

const METHODS: Readonly<Record<FlightMethod, Method>> = {
  DoGet: doGet,
  GetFlightInfo: getFlightInfo,
  DoAction: doAction,
  DoPut: doPut,
  Handshake: handshake,
  GetSchema: unimplemented,
  PollFlightInfo: unimplemented,
  ListFlights: unimplemented,
  ListActions: unimplemented,
  DoExchange: unimplemented,
};

/** Answers gRPC requests: Arrow Flight and Flight SQL; other services and methods get UNIMPLEMENTED. */
export class FlightService {
  readonly #deps: FlightDependencies;
  readonly #queries: GuardedQueries;
  readonly #influxql: GuardedInfluxql;

  constructor(dependencies: FlightDependencies) {
    this.#deps = dependencies;
    this.#queries = new GuardedQueries(dependencies.queryService);
    this.#influxql = new GuardedInfluxql(dependencies.influxqlService);
  }

  /** For HTTP/2 requests whose content-type begins with `application/grpc`. */
  handle(request: Http2ServerRequest, response: Http2ServerResponse): void {
    const path = request.url;
    const name = path.startsWith(SERVICE) ? path.slice(SERVICE.length) : '';
    const method = Object.hasOwn(METHODS, name) ? (name as FlightMethod) : undefined;
    const { clock, metrics } = this.#deps;
    const startedMs = clock.monotonicMs();
    const call = new GrpcCall(request, response, (end) => {
      metrics.record(method === undefined ? '' : path, end, (clock.monotonicMs() - startedMs) / 1000);
    });
    if (method === undefined) {
      request.resume();
      call.fail(GRPC_STATUS.UNIMPLEMENTED, '');
      return;
    }
    this.#run(method, call).catch((error: unknown) => this.#fail(call, error));
  }

  /** Asks for a token before anything else, and gives the method what its right leaves of it. */
  async #run(name: FlightMethod, call: GrpcCall): Promise<void> {
    const right = FLIGHT_RIGHTS[name];
    const access = right === 'open' ? NO_ACCESS : narrowed(authenticate(call, this.#deps.authenticator), right);
    await METHODS[name](call, {
      ...this.#deps,
      queryService: this.#queries.for(access),
      influxqlService: this.#influxql.for(access),
      requireRead: (database) => this.#queries.check(access, database),
    });
  }

  #fail(call: GrpcCall, error: unknown): void {
    if (error instanceof FlightError || error instanceof InfluxError) {
      const { position } = error;
      call.fail(error.grpc, error.message, position === undefined ? {} : { [POSITION_HEADER]: positionText(position) });
      return;
    }
    // A client that has left, or whose time is over, hears nothing any more.
    if (!call.signal.aborted) this.#deps.logger.error('a Flight call failed', { error, method: call.method });
    call.fail(GRPC_STATUS.INTERNAL, error instanceof Error ? error.message : String(error));
  }
}

async function doGet(call: GrpcCall, deps: CallDependencies): Promise<void> {
  const ticket = readFlightTicket(readTicket(await call.message()));
  deps.requireRead(ticket.database);
  if (ticket.kind === 'flightsql') await answerCommand(call, deps, ticket.database, ticket.command);
  else await answerText(call, deps, ticket);
}

/** Gives back what the client sent, and its token as the one to use from now on. The token is not looked at here. */
async function handshake(call: GrpcCall): Promise<void> {
  for await (const message of call.messages()) {
    const token = tokenOf(call.header('authorization'));
    if (token !== undefined) call.setHeaders({ authorization: `Bearer ${token}` });
    await call.send(writeHandshake(readHandshake(message)));
    call.end();
    return;
  }
  throw invalidArgument('Invalid handshake. No payload provided');
}

async function unimplemented(call: GrpcCall): Promise<void> {
  throw notYetImplemented(call.method);
}
