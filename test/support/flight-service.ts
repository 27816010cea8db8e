import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { Registry } from 'prom-client';
import { FULL_ACCESS } from '../../src/auth/index.ts';
import { FlightMetrics } from '../../src/server/flight/flight-metrics.ts';
import { FlightService } from '../../src/server/flight/flight-service.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { FakeInfluxql, FakeQueryService, fakeAuthenticator, fixedClock } from '../http/fakes.ts';
import { FlightTestClient } from './flight-client.ts';

export interface ServedFlight {
  readonly queries: FakeQueryService;
  readonly url: string;
  readonly client: FlightTestClient;
}

/** A Flight service whose queries a test answers, and a client of it. `keepAliveMs`: the silence after which it says something. */
export async function flightService(t: TestContext, { keepAliveMs }: { readonly keepAliveMs: number }): Promise<ServedFlight> {
  const queries = new FakeQueryService();
  const service = new FlightService({
    queryService: queries,
    influxqlService: new FakeInfluxql(),
    authenticator: fakeAuthenticator(() => ({ allowed: true, access: FULL_ACCESS })),
    logger: silentLogger,
    metrics: new FlightMetrics(new Registry()),
    clock: fixedClock,
    keepAliveMs,
  });
  const server = createServer((request, response) => service.handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = new FlightTestClient(url);
  t.after(() => {
    client.close();
    server.close();
  });
  return { queries, url, client };
}
