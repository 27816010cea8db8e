import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Requests that may wait on one connection; a client that sends more is not read until one of them has begun. */
const WAITING_MAX = 32;

interface Turn {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly start: () => void;
}

/** What is under way on one connection. */
interface Connection {
  /** The request that is carried out. */
  active: Turn | undefined;
  readonly waiting: Turn[];
  /** Ends the connection when all complete requests are answered; does so once. */
  end: (() => void) | undefined;
}

/**
 * Carries out the requests of an HTTP/1.1 connection one after the other, in the order in which they came (RFC 9112, section
 * 9.3.2). `node:http` starts pipelined requests at once, so that a small write could overtake a large one before it, and
 * the older value of a point would win.
 *
 * Shared by: all connections of a port; each has a state of its own, which changes in synchronous steps only.
 */
export class RequestTurns {
  readonly #connections = new WeakMap<Duplex, Connection>();

  /**
   * Calls `start` when the requests before this one are answered; never, if the client leaves before that, or an answer closes the
   * connection (RFC 9112, section 9.6).
   */
  take(request: IncomingMessage, response: ServerResponse, start: () => void): void {
    const { socket } = request;
    if (!socket.writable) return;
    const connection = this.#of(socket);
    response.on('close', () => this.#next(socket, connection));
    const turn = { request, response, start };
    if (connection.active === undefined) {
      connection.active = turn;
      start();
      return;
    }
    connection.waiting.push(turn);
    if (connection.waiting.length >= WAITING_MAX) socket.pause();
  }

  /**
   * Calls `end`, if the socket can be written to then, once the complete requests of a connection are answered: bytes came that
   * cannot be read, or none will come, and a request that is not complete will never be. Such a request has until the next turn
   * of the event loop to be refused for its head, unless the client has ended its side, because then the socket ends too.
   */
  last(socket: Duplex, clientEnded: boolean, end: () => void): void {
    const connection = this.#of(socket);
    if (connection.end !== undefined) return;
    let ended = false;
    connection.end = () => {
      if (ended || !socket.writable) return;
      ended = true;
      end();
    };
    const { active } = connection;
    if (active !== undefined && willClose(active)) socket.pause();
    else if (active === undefined || clientEnded) connection.end();
    else setImmediate(connection.end);
  }

  #next(socket: Duplex, connection: Connection): void {
    connection.active = undefined;
    if (!socket.writable) {
      connection.waiting.length = 0;
      return;
    }
    const next = connection.waiting.shift();
    if (next === undefined) {
      if (connection.end === undefined) return;
      socket.resume(); // the client's end of the connection is waited for
      connection.end();
      return;
    }
    if (connection.waiting.length === WAITING_MAX - 1 && connection.end === undefined) socket.resume();
    connection.active = next;
    next.start();
    if (connection.end !== undefined && !willClose(next)) setImmediate(connection.end);
  }

  #of(socket: Duplex): Connection {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = { active: undefined, waiting: [], end: undefined };
      this.#connections.set(socket, connection);
    }
    return connection;
  }
}

/** Whether a turn ends by itself: a request that is not complete is answered, at best, without its body. */
function willClose({ request, response }: Turn): boolean {
  return request.complete || response.writableEnded;
}
