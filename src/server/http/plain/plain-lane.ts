import type { Socket } from 'node:net';
import type { Clock } from '../../../shared/clock.ts';
import type { RequestObserver } from '../request-observer.ts';
import type { ShortLane } from '../short-lane.ts';
import { type ConnectionOptions, PlainConnection } from './plain-connection.ts';

export interface PlainLaneOptions {
  /** What is done with a write once it was read. */
  readonly writes: ShortLane;
  readonly observer: RequestObserver;
  readonly clock: Clock;
  readonly keepAliveTimeoutMs: number;
}

/** `node:http` takes a connection; bytes that were not answered are unread. */
export type HandOver = (socket: Socket) => void;

/**
 * Reads the plainest writes from their connections itself: the runtime's parser and its streams take as long for a small
 * write as all the rest. Gate, handlers, texts and counters are those of all other requests. What is not plain to the
 * letter goes to the runtime's server, and its connection with it.
 */
export class PlainLane {
  readonly #options: PlainLaneOptions;
  readonly #connections = new Set<PlainConnection>();
  readonly #keepAliveLines: string;
  #dateMs = Number.NaN;
  #dateLine = '';

  constructor(options: PlainLaneOptions) {
    this.#options = options;
    this.#keepAliveLines = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(options.keepAliveTimeoutMs / 1000)}\r\n`;
  }

  /** Takes a connection that has sent its first bytes. */
  serve(socket: Socket, first: Buffer, handOver: HandOver): void {
    const { keepAliveTimeoutMs, observer, writes } = this.#options;
    const options: ConnectionOptions = {
      keepAliveTimeoutMs,
      isWrite: (path) => writes.has(path),
      needsBody: (head, remoteAddress) => writes.needsBody(head, remoteAddress),
      answer: (path, request, target, reply) => writes.answer(path, request, target, reply),
      now: () => observer.now(),
      onOver: (route, reply, aborted, startedMs) => observer.record({ method: 'POST', route, reply, aborted, startedMs }),
      commonLines: (closing) => `${this.#date()}${closing ? 'connection: close\r\n' : this.#keepAliveLines}`,
      handOver,
      onLeft: (connection) => this.#connections.delete(connection),
    };
    const connection = new PlainConnection(socket, options);
    this.#connections.add(connection);
    connection.take(first);
  }

  /** Ends idle connections now and the others after their answer. */
  close(): void {
    for (const connection of [...this.#connections]) connection.close();
  }

  /** Of this second. */
  #date(): string {
    const nowMs = this.#options.clock.nowMs();
    const secondMs = nowMs - (nowMs % 1000);
    if (secondMs !== this.#dateMs) {
      this.#dateMs = secondMs;
      this.#dateLine = `Date: ${new Date(secondMs).toUTCString()}\r\n`;
    }
    return this.#dateLine;
  }
}
