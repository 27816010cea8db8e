import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { FULL_ACCESS } from '../../../src/auth/index.ts';
import { InfluxError } from '../../../src/shared/errors.ts';
import type { WriteOutcome } from '../../../src/write/write-service.ts';
import { fakeAuthenticator, testServer } from '../../http/fakes.ts';
import type { ByteStream } from './stream.ts';

/** What one server made of one stream. */
export interface Outcome {
  /** What it had answered when it had taken everything, and whether it had ended the connection. */
  readonly answered: string;
  readonly ended: boolean;
  /** What it had answered in all when the client had left too, and whether it had closed the connection then. */
  readonly last: string;
  readonly closed: boolean;
  /** What the gate got to see, in order; a question repeated at once counts once. */
  readonly gate: readonly string[];
  /** What was stored, in order. */
  readonly stored: readonly string[];
}

/** A running server that is asked one stream at a time. */
export interface StreamTarget {
  send(stream: ByteStream): Promise<Outcome>;
  metrics(): Promise<string>;
}

/** Turns of the event loop without any change after which nothing more is expected. */
const QUIET_TURNS = 8;

/** Bodies above this are shown as their length and digest. */
const SHOWN_BYTES_MAX = 1000;

/** A body as it stands in `Outcome.stored`. */
export function shownBody(body: Buffer): string {
  if (body.length <= SHOWN_BYTES_MAX) return JSON.stringify(body.toString('latin1'));
  return `${body.length} bytes ${createHash('sha1').update(body).digest('hex')}`;
}

/** A server in this process. `rawLane: false` leaves all reading to `node:http`. */
export async function streamTarget(t: TestContext, rawLane: boolean, maxBodyBytes: number): Promise<StreamTarget> {
  const gate: string[] = [];
  const stored: string[] = [];
  let answerTurns = 0;
  const registry = new Registry();
  const { server, writes } = await testServer({
    rawLane,
    metrics: registry,
    maxBodyBytes,
    authenticator: fakeAuthenticator(({ path, query, authorization }) => {
      const asked = `${path} ${query} ${JSON.stringify(authorization)}`;
      // The raw lane asks before it waits for a body, and again when the body has come.
      if (gate.at(-1) !== asked) gate.push(asked);
      if (authorization === 'malformed') return { allowed: false, status: 400, message: 'malformed "header"' };
      const allowed = authorization === undefined || authorization === 'Bearer good';
      return allowed ? { allowed, access: FULL_ACCESS } : { allowed, status: 401, message: 'no' };
    }),
  });
  writes.answer = async ({ database, precision, body }) => {
    const before = Buffer.from(body);
    stored.push(`${database} ${precision} ${shownBody(before)}`);
    for (let i = 0; i < answerTurns; i++) await turn();
    if (!before.equals(body)) stored.push('the body changed while it was stored');
    return outcomeOf(before.toString('latin1'));
  };
  const { port } = await server.listen('127.0.0.1', 0);
  const accepted = acceptedSockets(t, port);
  t.after(() => server.close());
  return {
    metrics: () => registry.metrics(),
    send: async (stream) => {
      answerTurns = stream.answerTurns;
      gate.length = 0;
      stored.length = 0;
      const outcome = await converse(stream, port, accepted, () => gate.length + stored.length);
      return { ...outcome, gate: [...gate], stored: [...stored] };
    },
  };
}

function outcomeOf(text: string): WriteOutcome {
  if (text === 'full') throw new InfluxError({ code: 'WAL_BUFFER_FULL', message: 'write buffer error: full', status: 500 });
  if (text === 'bug') throw new TypeError('a bug');
  const refused = { lineNumber: 2, originalLine: 'x', errorMessage: 'No fields were provided' };
  return { acceptedLines: 1, acceptedBytes: text.length, lineErrors: text === 'bad' ? [refused] : [] };
}

/** The server's ends of the connections to `port`, by the client's port. */
function acceptedSockets(t: TestContext, port: number): Map<number, Socket> {
  const sockets = new Map<number, Socket>();
  const onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort === port && socket.remotePort !== undefined) sockets.set(socket.remotePort, socket);
  };
  subscribe('net.server.socket', onSocket);
  t.after(() => unsubscribe('net.server.socket', onSocket));
  return sockets;
}

async function converse(
  { pieces, ending, slow, answerTurns }: ByteStream,
  port: number,
  accepted: Map<number, Socket>,
  seenCount: () => number,
): Promise<Omit<Outcome, 'gate' | 'stored'>> {
  let received = '';
  let ended = false;
  const client = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  client.setEncoding('latin1');
  client.on('data', (text: string) => {
    received += text;
  });
  client.on('end', () => {
    ended = true;
  });
  client.on('error', () => undefined); // what was received says all
  await once(client, 'connect');
  const clientPort = client.localPort ?? 0;
  while (!accepted.has(clientPort)) await turn();
  const peer = accepted.get(clientPort) as Socket;
  accepted.delete(clientPort);
  const state = (): string => `${peer.bytesRead} ${received.length} ${ended} ${peer.closed} ${seenCount()}`;
  let sentBytes = 0;
  for (const piece of pieces) {
    if (ended || client.closed) break;
    client.write(piece);
    sentBytes += piece.length;
    const taken = (): boolean => peer.bytesRead >= sentBytes;
    await quiet(state, slow ? QUIET_TURNS + answerTurns : QUIET_TURNS, slow ? undefined : taken);
  }
  await quiet(state, QUIET_TURNS + answerTurns);
  const answered = withoutDate(received);
  const endedBefore = ended;
  if (ending === 'reset') client.resetAndDestroy();
  else client.end();
  for (let i = 0; !peer.closed && i < 200; i++) await turn();
  await quiet(state, QUIET_TURNS + answerTurns);
  client.destroy();
  const { closed } = peer;
  peer.destroy();
  return { answered, ended: endedBefore, closed, last: ending === 'reset' ? '' : withoutDate(received) };
}

/** Waits until `state` has stayed the same for some turns, or `enough` says so. */
async function quiet(state: () => string, turns: number, enough: () => boolean = () => false): Promise<void> {
  let before = state();
  for (let same = 0; same < turns && !enough(); same++) {
    await turn();
    const now = state();
    if (now !== before) same = -1;
    before = now;
  }
}

function withoutDate(answers: string): string {
  return answers.replaceAll(/date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n/gi, 'date: -\r\n');
}
