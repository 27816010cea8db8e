import assert from 'node:assert/strict';
import { type ClientHttp2Session, connect } from 'node:http2';
import { test } from 'node:test';
import { writeMessage } from '../../src/server/flight/protobuf/wire.ts';
import { FlightTestClient } from '../support/flight-client.ts';
import { startServer, testDirectory } from '../support/server.ts';
import { Random } from './random.ts';

/** How long the run lasts; `FUZZ_SECONDS` makes it longer, `FUZZ_SEED` repeats one. */
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 10);
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_000);
const STREAMS = 6;
const METHODS = ['DoGet', 'GetFlightInfo', 'DoAction', 'DoPut', 'Handshake', 'GetSchema', 'Nope'];
const COMMANDS = [
  'CommandStatementQuery',
  'CommandPreparedStatementQuery',
  'CommandGetTables',
  'CommandGetSqlInfo',
  'CommandGetDbSchemas',
  'ActionCreatePreparedStatementRequest',
  'CommandGetXdbcTypeInfo',
  'CommandX',
];
const STATEMENTS = [
  'SELECT * FROM m',
  'SELECT $1',
  'SELECT host, count(*) FROM m GROUP BY host',
  'SELEC',
  '',
  'SELECT * FROM m WHERE f > $f',
  "SELECT [1,2], {'a': 1}",
];
/** Statuses that are the server's own failures. */
const OWN_FAILURES: ReadonlySet<string> = new Set(['2', '13', '15']);
/** What no client may ever see. */
const LEAKS =
  /\bduckdb\b|INTERNAL Error|Binder Error|\bat .*\.(js|ts):\d+|TypeError|RangeError|undefined is not|Cannot read prop|internal error/i;
/** Failures of a request that ends in the middle or is compressed badly: gRPC calls them INTERNAL. */
const MALFORMED = /^malformed request|^Missing request message/;

interface Sent {
  readonly method: string;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

function command(random: Random): Buffer {
  const url = `type.googleapis.com/arrow.flight.protocol.sql.${random.pick(COMMANDS)}`;
  const first = random.chance(0.7) ? random.pick(STATEMENTS) : random.bytes(40);
  return writeMessage([
    [1, random.chance(0.9) ? url : random.pick(['', 'x', 'type.googleapis.com/'])],
    [
      2,
      writeMessage([
        [1, first],
        ...(random.chance(0.3) ? [[5, random.below(3)] as const] : []),
        ...(random.chance(0.2) ? [[random.below(12) + 1, random.bytes(9)] as const] : []),
      ]),
    ],
  ]);
}

function message(random: Random, method: string): Buffer {
  const cmd = command(random);
  const descriptor = writeMessage([
    [1, random.below(4)],
    [2, cmd],
  ]);
  switch (method) {
    case 'DoGet': {
      const json = JSON.stringify({
        database: 'db',
        sql_query: random.pick(STATEMENTS),
        query_type: random.pick(['sql', 'influxql', 'x']),
        params: { f: 1 },
      });
      const info = writeMessage([
        [1, 'db'],
        [2, random.pick(STATEMENTS)],
        [3, random.below(5)],
        [4, cmd],
        [6, random.bytes(12)],
      ]);
      const any = writeMessage([
        [1, 'type.googleapis.com/influxdata.iox.querier.v1.ReadInfo'],
        [2, info],
      ]);
      return writeMessage([[1, random.pick<Uint8Array | string>([json, info, any, cmd])]]);
    }
    case 'DoAction':
      return writeMessage([
        [1, 'x'],
        [2, cmd],
      ]);
    case 'DoPut':
      return writeMessage([
        [1, descriptor],
        [2, random.bytes(80)],
        [1000, random.bytes(80)],
      ]);
    default:
      return descriptor;
  }
}

/** A call, mostly well-formed, then damaged somewhere. */
function randomCall(random: Random): Sent {
  const method = random.pick(METHODS);
  const frames = Array.from({ length: 1 + random.below(3) }, () => {
    const bytes = random.chance(0.1) ? random.bytes(60) : message(random, method);
    const head = Buffer.alloc(5);
    head[0] = random.chance(0.95) ? 0 : random.below(4);
    head.writeUInt32BE(random.chance(0.93) ? bytes.length : random.pick([0, 1, bytes.length + 7, 2 ** 30, 2 ** 32 - 1]), 1);
    return Buffer.concat([head, bytes]);
  });
  let body = Buffer.concat(frames);
  if (random.chance(0.3) && body.length > 0) for (let i = 0; i <= random.below(4); i++) body[random.below(body.length)] = random.below(256);
  if (random.chance(0.1)) body = body.subarray(0, random.below(body.length + 1));
  const headers = {
    ...(random.chance(0.9) ? { database: random.pick(['db', 'db', 'nope', 'ü']) } : {}),
    ...(random.chance(0.1) ? { bucket: 'other' } : {}),
    ...(random.chance(0.2) ? { 'grpc-timeout': random.pick(['1S', '1n', '99999999H', 'x', '5m']) } : {}),
    ...(random.chance(0.1) ? { 'grpc-encoding': random.pick(['gzip', 'identity', 'snappy']) } : {}),
    ...(random.chance(0.1) ? { 'x-influxdata-query-language': 'influxql' } : {}),
    ...(random.chance(0.1) ? { authorization: random.pick(['Basic !!', 'Bearer x', 'Basic eA==']) } : {}),
  };
  return { method, body, headers };
}

/** Status and text of the answer; undefined when the stream ended without one. */
function send(
  session: ClientHttp2Session,
  { method, body, headers }: Sent,
  leaves: boolean,
): Promise<{ status: string; text: string } | undefined> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/arrow.flight.protocol.FlightService/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, encodeURI(value)])),
    });
    let found: { status: string; text: string } | undefined;
    const take = (received: Readonly<Record<string, unknown>>): void => {
      const status = received['grpc-status'];
      if (typeof status === 'string') found = { status, text: decodeURIComponent(String(received['grpc-message'] ?? '')) };
    };
    stream.on('response', take).on('trailers', take);
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(found));
    stream.resume();
    if (leaves) {
      stream.write(body.subarray(0, 3));
      stream.close(8);
    } else stream.end(body);
  });
}

test('any gRPC call gets a status that is not our failure, and the server goes on', { timeout: (SECONDS + 60) * 1000 }, async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk('db', 'm,host=a f=1.5,i=1i 1\nm,host=b f=2 2');
  const complaints: string[] = [];
  let calls = 0;
  const end = performance.now() + SECONDS * 1000;
  const worker = async (number: number): Promise<void> => {
    const random = new Random(SEED + number);
    let session = connect(server.url);
    session.on('error', () => undefined);
    while (performance.now() < end && complaints.length === 0) {
      if (session.destroyed || session.closed) {
        session = connect(server.url);
        session.on('error', () => undefined);
      }
      const call = randomCall(random);
      const leaves = random.chance(0.05);
      const answer = await send(session, call, leaves);
      calls++;
      const what = `${call.method} ${JSON.stringify(call.headers)} ${call.body.toString('base64')}`;
      if (answer === undefined) {
        if (!leaves) complaints.push(`no status: ${what}`);
      } else if (LEAKS.test(answer.text)) complaints.push(`shows the inside: ${answer.text}: ${what}`);
      else if (OWN_FAILURES.has(answer.status) && !MALFORMED.test(answer.text)) complaints.push(`${answer.status} ${answer.text}: ${what}`);
    }
    session.close();
  };
  await Promise.all(Array.from({ length: STREAMS }, (_, i) => worker(i)));
  assert.deepEqual(complaints, [], `seed ${SEED}`);
  assert.ok(calls > 20, `${calls} calls`);
  const client = new FlightTestClient(server.url);
  assert.equal((await client.query({ database: 'db', sql_query: 'SELECT * FROM m' })).code, 0);
  client.close();
});
