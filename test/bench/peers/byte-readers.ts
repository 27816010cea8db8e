import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import { writeMessage } from '../../../src/server/flight/protobuf/wire.ts';

/** Clients that read as fast as a socket delivers and look at nothing, so that what is measured is the server. */

/** What the official clients send as a ticket. */
export interface Ticket {
  readonly database: string;
  readonly sql_query: string;
}

const DO_GET = '/arrow.flight.protocol.FlightService/DoGet';

/** POSTs over a connection of its own and reads until the server closes it; bytes of head and body. Throws for answers that are not 200. */
export function readHttp1(url: string, path: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const { hostname, port, host } = new URL(url);
  const lines = Object.entries({ host, connection: 'close', 'content-type': 'application/json', ...headers });
  const head = [
    `POST ${path} HTTP/1.1`,
    ...lines.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      if (bytes === 0 && !chunk.toString('latin1', 0, 12).startsWith('HTTP/1.1 200')) reject(new Error(chunk.toString('latin1', 0, 500)));
      bytes += chunk.length;
    });
    socket.on('end', () => resolve(bytes));
    socket.on('error', reject);
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  });
}

/** Frames of HTTP/2 (RFC 9113): types, flags and sizes. */
const FRAME = { DATA: 0, HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, GOAWAY: 7, WINDOW_UPDATE: 8 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;
const HEAD_BYTES = 9;
const INITIAL_WINDOW_SIZE = 4;
const WINDOW_MAX = 2 ** 31 - 1;

/** DoGet over a connection of its own whose windows are open as far as they go; bytes of all frames. */
export function readFlight(url: string, ticket: Ticket): Promise<number> {
  const { hostname, port, host } = new URL(url);
  const request = {
    ':method': 'POST',
    ':scheme': 'http',
    ':path': DO_GET,
    ':authority': host,
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let bytes = 0;
    let head = Buffer.alloc(0);
    /** Of the current frame, still to come. */
    let left = 0;
    let last = false;
    const begin = (): void => {
      const [type, flags] = [head[3] as number, head[4] as number];
      left = head.readUIntBE(0, 3);
      if (type === FRAME.RST_STREAM || type === FRAME.GOAWAY) reject(new Error(`frame of the type ${type}`));
      if (type === FRAME.SETTINGS && (flags & ACK) === 0) socket.write(frame(FRAME.SETTINGS, ACK, 0, Buffer.alloc(0)));
      last = (type === FRAME.DATA || type === FRAME.HEADERS) && (flags & END_STREAM) !== 0;
    };
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      let at = 0;
      while (at < chunk.length) {
        if (left > 0) {
          const step = Math.min(left, chunk.length - at);
          left -= step;
          at += step;
        } else {
          const wanted = chunk.subarray(at, at + HEAD_BYTES - head.length);
          head = Buffer.concat([head, wanted]);
          at += wanted.length;
          if (head.length < HEAD_BYTES) return;
          begin();
          head = Buffer.alloc(0);
        }
        if (last && left === 0) socket.end();
      }
    });
    socket.on('close', () => (last ? resolve(bytes) : reject(new Error('the connection closed early'))));
    socket.on('error', reject);
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(INITIAL_WINDOW_SIZE);
    settings.writeUInt32BE(WINDOW_MAX, 2);
    const more = Buffer.alloc(4);
    more.writeUInt32BE(WINDOW_MAX - 65_535);
    socket.write(
      Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        frame(FRAME.SETTINGS, 0, 0, settings),
        frame(FRAME.WINDOW_UPDATE, 0, 0, more),
        frame(FRAME.HEADERS, END_HEADERS, 1, Buffer.concat(Object.entries(request).map(literal))),
        frame(FRAME.DATA, END_STREAM, 1, grpcMessage(ticket)),
      ]),
    );
  });
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header field without compression (RFC 7541, 6.2.2); neither part has 127 bytes or more. */
function literal([name, value]: readonly [string, string]): Buffer {
  return Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), Buffer.from([value.length]), Buffer.from(value)]);
}

/** The message of a DoGet, with its five bytes of head. */
function grpcMessage(ticket: Ticket): Buffer {
  const message = writeMessage([[1, JSON.stringify(ticket)]]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** How a call of `flightRequest` reads. */
export interface Reading {
  /** Done with the schema and the first record batch; the rest is read without waiting for it. */
  readonly firstBatch?: boolean;
  /** Nothing is read before it resolves. */
  readonly onData?: () => Promise<void>;
}

/** DoGet over a session that is open already; bytes read. */
export function flightRequest(session: ClientHttp2Session, ticket: Ticket, { firstBatch = false, onData }: Reading): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': DO_GET, 'content-type': 'application/grpc', te: 'trailers' });
    let bytes = 0;
    let start = Buffer.alloc(0);
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (firstBatch && start.length < bytes) {
        start = Buffer.concat([start, chunk]);
        if (hasMessages(start, 2)) resolve(bytes);
      }
      if (onData === undefined) return;
      stream.pause();
      onData().then(() => stream.resume(), reject);
    });
    stream.on('trailers', (trailers) => {
      if (trailers['grpc-status'] !== '0') reject(new Error(`gRPC status ${trailers['grpc-status']}`));
    });
    stream.on('end', () => resolve(bytes));
    stream.on('error', reject);
    stream.end(grpcMessage(ticket));
  });
}

function hasMessages(bytes: Buffer, count: number): boolean {
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (bytes.length < at + 5) return false;
    at += 5 + bytes.readUInt32BE(at + 1);
  }
  return bytes.length >= at;
}
