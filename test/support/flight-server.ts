import { after, before } from 'node:test';
import { FlightTestClient } from './flight-client.ts';
import { startServer, type TestServer, testDirectory } from './server.ts';

export interface FlightServer {
  readonly server: TestServer;
  readonly client: FlightTestClient;
}

/** Rows of two hosts, one without some of the columns. */
const TWO_ROWS = 'm,host=a,room=x f=1.5,i=1i,u=1u,s="text",b=true 1640995200123456789\nm,host=b f=-0.5,i=-2i 1640995201000000000';

/** Two tables; the second has one row and an unsigned field. */
export const CPU_AND_MEM = 'cpu,host=a f=1.5,i=1i,s="x" 1640995200123456789\ncpu,host=b f=2,i=2i 1640995201000000000\nmem,host=a used=1u 1';

/**
 * One server for all tests of a file, with rows in the database `db`, and a Flight client of it that sends `headers` with
 * every call. Both are there while tests run, not before.
 */
export function sharedFlight(headers: Readonly<Record<string, string>> = {}, lines = TWO_ROWS): FlightServer {
  const cleanups: (() => Promise<void>)[] = [];
  const whole = { after: (cleanup: () => Promise<void>) => void cleanups.unshift(cleanup) };
  let started: FlightServer | undefined;
  before(async () => {
    const server = await startServer(whole, await testDirectory(whole));
    started = { server, client: new FlightTestClient(server.url, headers) };
    await server.writeOk('db', lines, '&precision=nanosecond');
  });
  after(async () => {
    started?.client.close();
    for (const cleanup of cleanups) await cleanup();
  });
  const running = (): FlightServer => {
    if (started === undefined) throw new Error('the server has not started');
    return started;
  };
  return {
    get server() {
      return running().server;
    },
    get client() {
      return running().client;
    },
  };
}
