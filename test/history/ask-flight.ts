import { WireMessage, writeMessage } from '../../src/server/flight/protobuf/wire.ts';
import { type CallResult, FlightTestClient, streamOf } from '../support/flight-client.ts';
import { command, descriptor } from '../support/flight-sql-client.ts';

/** An answer as one of HTTP would be. */
export interface FlightAnswer {
  readonly status: number;
  /** An Arrow stream, or the text of a failure. */
  readonly body: Buffer;
}

/** gRPC's UNAVAILABLE. */
const UNAVAILABLE = 14;

/** Asks over Arrow Flight: a ticket with the statement, or a prepared statement of Flight SQL. Rejects when the connection breaks. */
export async function askFlight(url: string, database: string, q: string, way: 'flight' | 'prepared'): Promise<FlightAnswer> {
  const client = new FlightTestClient(url, { database });
  try {
    if (way === 'flight') return answerOf(await client.query({ database, sql_query: q }));
    const created = await client.call('DoAction', [writeMessage([[2, command('ActionCreatePreparedStatementRequest', [[1, q]])]])]);
    if (created.code !== 0) return answerOf(created);
    const any = new WireMessage(new WireMessage(created.messages[0] as Buffer).bytes(1) as Uint8Array);
    const handle = new WireMessage(any.bytes(2) as Uint8Array).bytes(1);
    const info = await client.call('GetFlightInfo', [descriptor(command('CommandPreparedStatementQuery', [[1, handle]]))]);
    if (info.code !== 0) return answerOf(info);
    const endpoint = new WireMessage(new WireMessage(info.messages[0] as Buffer).bytes(3) as Uint8Array);
    return answerOf(await client.call('DoGet', [endpoint.bytes(1) as Uint8Array]));
  } finally {
    client.close();
  }
}

function answerOf({ code, details, messages }: CallResult): FlightAnswer {
  if (code === 0) return { status: 200, body: streamOf(messages) };
  if (/^(Connection dropped|No connection established|Received RST_STREAM|read E|write E|14 )|ECONN/.test(details))
    throw new Error(details);
  return { status: code === UNAVAILABLE ? 503 : 400, body: Buffer.from(details) };
}
