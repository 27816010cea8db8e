import type { Socket } from 'node:net';
import type { Clock } from '../../../../shared/clock.ts';
import type { RequestObserver } from '../../metrics/request-observer.ts';
import type { WriteEndpoint } from '../../request/write-endpoint.ts';
import type { ErrorLog } from '../../response/error-log.ts';
import { sendError, toInfluxError } from '../../response/error-response.ts';
import type { RequestGate } from '../request-gate.ts';
import { type ConnectionOptions, RawConnection } from './raw-connection.ts';
import type { RawReply } from './raw-reply.ts';
import type { RawHead, RawRequest } from './raw-request.ts';

export interface RawLaneOptions {
  /** By path. */
  readonly endpoints: ReadonlyMap<string, WriteEndpoint>;
  readonly gate: RequestGate;
  readonly observer: RequestObserver;
  readonly errorLog: ErrorLog;
  readonly clock: Clock;
  readonly maxBodyBytes: number;
  readonly keepAliveTimeoutMs: number;
}

/** What every endpoint of the lane needs. */
const WRITE = 'write';

/** `node:http` takes a connection; bytes that were not answered are unread. */
export type HandOver = (socket: Socket) => void;

/**
 * Reads the plainest writes from their connections itself: the parser and the streams of `node:http`, and fastify's way to a
 * handler and back, take as long for a small write as all the rest (docs/performance.md, "HTTP lanes"). Gate, handlers, error
 * texts and counters are those of all other requests. What is not plain to the letter goes to `node:http`, and its
 * connection with it.
 */
export class RawLane {
  readonly #options: RawLaneOptions;
  readonly #connections = new Set<RawConnection>();
  readonly #keepAliveLines: string;
  #dateMs = Number.NaN;
  #dateLine = '';

  constructor(options: RawLaneOptions) {
    this.#options = options;
    this.#keepAliveLines = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(options.keepAliveTimeoutMs / 1000)}\r\n`;
  }

  /** Takes a connection that has sent its first bytes. */
  serve(socket: Socket, first: Buffer, handOver: HandOver): void {
    const { endpoints, keepAliveTimeoutMs, observer } = this.#options;
    const options: ConnectionOptions = {
      keepAliveTimeoutMs,
      isWrite: (path) => endpoints.has(path),
      needsBody: (head, remoteAddress) => this.#needsBody(head, remoteAddress),
      answer: (path, request, target, reply) => this.#answer(path, request, target, reply),
      now: () => observer.now(),
      onOver: (route, reply, aborted, startedMs) => observer.record({ method: 'POST', route, reply, aborted, startedMs }),
      commonLines: (closing) => `${this.#date()}${closing ? 'connection: close\r\n' : this.#keepAliveLines}`,
      handOver,
      onLeft: (connection) => this.#connections.delete(connection),
    };
    const connection = new RawConnection(socket, options);
    this.#connections.add(connection);
    connection.take(first);
  }

  /** Ends idle connections now and the others after their answer. */
  close(): void {
    for (const connection of [...this.#connections]) connection.close();
  }

  /** Whether a write is answered only when its body has arrived: false when its head alone leads to a refusal. */
  #needsBody(head: RawHead, remoteAddress: string | undefined): boolean {
    const { endpoints, gate, maxBodyBytes } = this.#options;
    if (head.end - head.bodyStart > maxBodyBytes) return false;
    try {
      const access = gate.wouldAdmit(head.headers.authorization, head.target, remoteAddress ?? '', WRITE);
      if (access === undefined) return false;
      endpoints.get(head.path)?.checkTarget(head.target, access);
      return true;
    } catch {
      return false; // whoever answers the request meets the same error
    }
  }

  /** Lets a write through the gate, carries it out and answers it. Never rejects. */
  async #answer(path: string, raw: RawRequest, originalUrl: string, reply: RawReply): Promise<void> {
    const { endpoints, errorLog, gate } = this.#options;
    try {
      const access = gate.admit(raw, originalUrl, reply, WRITE);
      if (access !== undefined) await endpoints.get(path)?.answer({ raw, originalUrl, access }, reply);
    } catch (error) {
      const known = toInfluxError(error, errorLog);
      if (reply.headersSent) reply.destroy();
      else sendError(reply, known);
    }
  }

  /** `Date` header, cached for the current second. */
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
