import { createServer, type Server as HttpServer1, type ServerResponse } from 'node:http';
import {
  constants,
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type ServerHttp2Session,
} from 'node:http2';
import { type AddressInfo, createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { systemTimers } from '../../../shared/timers.ts';
import type { AnyRequest, AnyResponse, HttpLimits, TlsSettings } from '../dependencies.ts';
import type { ErrorLog } from '../response/error-log.ts';
import type { RawLane } from './raw/index.ts';
import { RequestTurns } from './request-turns.ts';
import { RereadConnection, type UnreadableBytes, withAsciiTarget } from './utf8-target.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0');

/** Requests that one HTTP/2 connection may have open. */
const HTTP2_STREAMS_MAX = 250;

export type RequestHandler = (request: AnyRequest, response: AnyResponse) => void;

export interface PortOptions {
  readonly handler: RequestHandler;
  readonly limits: HttpLimits;
  readonly tls: TlsSettings | undefined;
  /** Looks at cleartext HTTP/1.1 connections before the server does. */
  readonly rawLane?: RawLane;
  readonly errorLog: ErrorLog;
  /** False: neither the listener nor its connections keep the process alive. Default: true. */
  readonly keepsAlive?: boolean;
}

/**
 * One TCP port for HTTP/1.1, cleartext HTTP/2 and gRPC: the first bytes, or ALPN under TLS, choose one of
 * two servers that never listen themselves.
 */
export class Port {
  readonly #http1: HttpServer1;
  readonly #http2: Http2Server;
  readonly #listener: NetServer;
  readonly #rawLane: RawLane | undefined;
  readonly #drainTimeoutMs: number;
  readonly #keepsAlive: boolean;
  readonly #sockets = new Set<Socket>();
  /** Connections that have not said yet what they speak. */
  readonly #unsniffed = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #turns = new RequestTurns();
  #closing: Promise<void> | undefined;
  readonly #onAnswered = (): void => {
    if (this.#closing !== undefined) setImmediate(() => this.#dropIdle());
  };

  constructor(options: PortOptions) {
    const { limits, tls, errorLog } = options;
    this.#drainTimeoutMs = limits.drainTimeoutMs;
    this.#keepsAlive = options.keepsAlive ?? true;
    this.#rawLane = options.rawLane;
    const handler: RequestHandler = (request, response) => this.#serve(options.handler, request, response);
    this.#http1 = createHttp1(limits, handler, this.#turns);
    const settings = { maxHeaderListSize: limits.headerBytesMax, maxConcurrentStreams: HTTP2_STREAMS_MAX };
    this.#http2 = createHttp2Server({ settings }, handler);
    this.#http2.on('session', (session) => this.#trackSession(session, limits.keepAliveTimeoutMs));
    const listenPlain = (): NetServer => createNetServer({ noDelay: true }, (socket) => this.#sniff(socket, limits));
    this.#listener = tls === undefined ? listenPlain() : this.#listenTls(tls, limits, errorLog);
    if (!this.#keepsAlive) this.#listener.unref();
  }

  /** The HTTP/1.1 server, which fastify takes as its own. */
  get http1(): HttpServer1 {
    return this.#http1;
  }

  async listen(host: string, port: number): Promise<{ host: string; port: number }> {
    await new Promise<void>((resolve, reject) => {
      this.#listener.once('error', reject);
      this.#listener.listen({ host, port }, () => {
        this.#listener.off('error', reject);
        resolve();
      });
    });
    // Starts the check for slow clients and the tracking of idle connections, which a server does when it listens.
    this.#http1.emit('listening');
    const address = this.#listener.address() as AddressInfo;
    return { host: address.address, port: address.port };
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      if (this.#listener.listening) this.#listener.close(() => resolve());
      else resolve();
    });
    for (const socket of this.#unsniffed) socket.destroy();
    this.#dropIdle();
    const cutOff = (): void => {
      for (const socket of this.#sockets) socket.destroy();
    };
    const cancel = systemTimers.after(this.#drainTimeoutMs, cutOff, 'keepsAlive'); // whoever stops waits for the end of it
    await closed;
    cancel();
    // Stops the check for slow clients; the error that it never listened is expected.
    this.#http1.close(() => {});
  }

  #dropIdle(): void {
    this.#http1.closeIdleConnections();
    this.#rawLane?.close(); // hands half a request to the server, for which its connection is idle in this turn
    for (const session of this.#sessions) session.close();
  }

  #serve(handler: RequestHandler, request: AnyRequest, response: AnyResponse): void {
    if (this.#closing !== undefined && request.httpVersionMajor === 1) response.setHeader('connection', 'close');
    response.on('close', this.#onAnswered);
    if ('stream' in request) {
      consumeUnread(request, response);
      resetUnfinished(request, response);
      handler(request, response);
      return;
    }
    const hostless = request.httpVersion === '1.1' && request.headers.host === undefined;
    this.#turns.take(request, response as ServerResponse, () => {
      if (hostless) refuse(response as ServerResponse, 400);
      else handler(request, response);
    });
  }

  readonly #toHttp1 = (socket: Socket): void => {
    socket.pause();
    this.#http1.emit('connection', socket);
    socket.resume();
  };

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    if (!this.#keepsAlive) socket.unref();
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** An idle session is closed; requests that are still open finish first. */
  #trackSession(session: ServerHttp2Session, idleTimeoutMs: number): void {
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    session.on('error', () => session.destroy());
    session.setTimeout(idleTimeoutMs, () => session.close());
    if (this.#closing !== undefined) session.close();
  }

  #listenTls(tls: TlsSettings, limits: HttpLimits, errorLog: ErrorLog): NetServer {
    const options = { ...tls, ALPNProtocols: ['h2', 'http/1.1'], handshakeTimeout: limits.headersTimeoutMs };
    const handshaking = new Map<string, Socket>();
    const server = createTlsServer(options, (socket) => {
      const raw = handshaking.get(peerOf(socket));
      if (raw !== undefined) this.#unsniffed.delete(raw);
      (socket.alpnProtocol === 'h2' ? this.#http2 : this.#http1).emit('connection', socket);
    });
    server.on('tlsClientError', (error, socket) => {
      // A stop cuts handshakes on purpose.
      if (this.#closing === undefined) errorLog.handshake(error, socket.remoteAddress);
      // A handshake that takes too long is reported, but left open.
      socket.destroy();
    });
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket);
      socket.setNoDelay(true);
      this.#track(socket);
      this.#unsniffed.add(socket);
      handshaking.set(peer, socket);
      socket.once('close', () => {
        handshaking.delete(peer);
        this.#unsniffed.delete(socket);
      });
    });
    return server;
  }

  /** Collects bytes until they differ from the HTTP/2 preface or are all of its first line, then hands the socket on. */
  #sniff(socket: Socket, limits: HttpLimits): void {
    this.#track(socket);
    this.#unsniffed.add(socket);
    let seen: Buffer = Buffer.alloc(0);
    const onError = (): void => {
      socket.destroy();
    };
    const onEnd = (): void => {
      socket.destroy();
    };
    const onReadable = (): void => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const compared = Math.min(seen.length, PREFACE.length);
      const matches = seen.subarray(0, compared).equals(PREFACE.subarray(0, compared));
      if (matches && compared < PREFACE.length) return;
      socket.setTimeout(0);
      socket.off('timeout', onError).off('error', onError).off('end', onEnd).off('readable', onReadable);
      this.#unsniffed.delete(socket);
      if (!matches && this.#rawLane !== undefined) {
        this.#rawLane.serve(socket, seen, this.#toHttp1);
        return;
      }
      socket.unshift(seen);
      (matches ? this.#http2 : this.#http1).emit('connection', socket);
    };
    socket.setTimeout(limits.headersTimeoutMs);
    socket.on('timeout', onError).on('error', onError).on('end', onEnd).on('readable', onReadable);
    socket.once('close', () => this.#unsniffed.delete(socket));
  }
}

/** An HTTP/2 stream that a client resets is only closed once its body was taken: without this nobody would hear of it. */
function consumeUnread(request: Http2ServerRequest, response: AnyResponse): void {
  if (request.stream.endAfterHeaders) request.resume();
  response.once('finish', () => request.resume());
}

/**
 * Who gives a begun answer up calls `destroy()`, which `node:http2` tells as an orderly end: clients would take the part that they got for the whole.
 */
function resetUnfinished({ stream }: Http2ServerRequest, response: AnyResponse): void {
  response.destroy = () => {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return response as never;
  };
}

/** Names a live connection; the encrypted socket does not show the one below it. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

function createHttp1(limits: HttpLimits, handler: RequestHandler, turns: RequestTurns): HttpServer1 {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(30_000, limits.headersTimeoutMs),
      noDelay: true,
      requireHostHeader: false, // its own answer would not wait for those before it
    },
    handler,
  );
  server.on('checkExpectation', (request, response) => turns.take(request, response, () => refuse(response, 417)));
  const reread = new WeakSet<Duplex>();
  server.on('clientError', (error: NodeJS.ErrnoException & UnreadableBytes, socket) => {
    if (reread.has(socket)) return; // its parser gave up before
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const request = withAsciiTarget(error);
    if (request !== undefined) {
      reread.add(socket);
      const connection = new RereadConnection(socket as Socket, request);
      turns.last(socket, false, () => server.emit('connection', connection));
      return;
    }
    turns.last(socket, error.code === 'HPE_INVALID_EOF_STATE', () => {
      const text = error.code === 'HPE_INVALID_URL' ? URL_REFUSED : '';
      const head = `HTTP/1.1 ${clientErrorStatus(error.code)}\r\nconnection: close\r\ncontent-length: ${text.length}\r\n`;
      socket.end(`${head}${text === '' ? '' : 'content-type: text/plain; charset=utf-8\r\n'}\r\n${text}`);
      (socket as Socket).setTimeout(limits.keepAliveTimeoutMs); // a client that keeps its end open is cut off
    });
  });
  return server;
}

/** ASCII: its length is counted in characters. */
const URL_REFUSED =
  'the URL has bytes that must be written as %XX: blanks, controls, or letters above ASCII in a request line that came in several pieces';

/** Answers a request that no handler gets to see. */
function refuse(response: ServerResponse, status: 400 | 417): void {
  response.writeHead(status, { connection: 'close', 'content-length': 0 }).end();
}

function clientErrorStatus(code: string | undefined): string {
  if (code === 'HPE_HEADER_OVERFLOW') return '431 Request Header Fields Too Large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return '408 Request Timeout';
  return '400 Bad Request';
}
