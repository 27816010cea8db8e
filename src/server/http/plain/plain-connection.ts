import type { Socket } from 'node:net';
import { PlainReply, type ReplyTarget } from './plain-reply.ts';
import { PLAIN_BYTES_MAX, type PlainHead, PlainRequest, readPlainHead } from './plain-request.ts';

/** How long a body may lag behind its head before the runtime, which has the limits for slow clients, takes over. */
const LAG_MS = 1000;

/** What all connections of the lane share. */
export interface ConnectionOptions {
  readonly keepAliveTimeoutMs: number;
  /** Whether `POST` to this path is a write. */
  readonly isWrite: (path: string) => boolean;
  /** Carries a write out and answers it. Never rejects. */
  readonly answer: (path: string, request: PlainRequest, target: string, reply: PlainReply) => Promise<void>;
  readonly now: () => number;
  /** Called once for each request that began, when it is answered or the client has left. */
  readonly onOver: (path: string, reply: PlainReply, aborted: boolean, startedMs: number) => void;
  /** The last lines of a head, about date and connection. */
  readonly commonLines: (closing: boolean) => string;
  /** The runtime's server takes the connection with all that was not answered yet. */
  readonly handOver: (socket: Socket, unanswered: Buffer) => void;
  /** The connection is not this lane's any more. */
  readonly onLeft: (connection: PlainConnection) => void;
}

/** A request that has begun. */
interface Current {
  readonly path: string;
  readonly reply: PlainReply;
  readonly startedMs: number;
}

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * One connection with nothing but plain writes on it, each answered before the next is read. With the first bytes that
 * are anything else it goes to the runtime's server for good.
 */
export class PlainConnection implements ReplyTarget {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  /** Bytes of a request that is not complete, or that came before the last one was answered. */
  #waiting = NOTHING;
  /** The head of the request that is not complete. */
  #head: PlainHead | undefined;
  #current: Current | undefined;
  #closing = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.setTimeout(options.keepAliveTimeoutMs);
    socket.on('data', this.#onData).on('timeout', this.#onTimeout).on('error', this.#onError).on('close', this.#onClose);
  }

  /** Bytes from the client. */
  take(bytes: Buffer): void {
    this.#onData(bytes);
  }

  /** Ends the connection, after its answer if it owes one. */
  close(): void {
    this.#closing = true;
    if (this.#current !== undefined) return;
    if (this.#head === undefined) this.#socket.destroy();
    else this.#handOver();
  }

  commonLines(): string {
    return this.#options.commonLines(this.#closing);
  }

  deliver(answer: string | Buffer): void {
    const current = this.#current;
    const socket = this.#socket;
    if (current === undefined || !socket.writable) return; // the client has left
    this.#current = undefined;
    if (this.#closing) this.#sayLast(answer);
    else if (!socket.write(answer, 'latin1')) this.#waitForReader();
    this.#options.onOver(current.path, current.reply, false, current.startedMs);
    if (this.#waiting.length > 0 && !this.#closing) this.#handOver();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    const all = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes]);
    if (this.#current !== undefined) {
      this.#waiting = all;
      this.#socket.pause();
      return;
    }
    const head = this.#head ?? this.#headOf(all);
    if (head !== undefined && head.end === all.length) {
      this.#answer(head, all);
      return;
    }
    this.#waiting = all;
    if (head === undefined || head.end < all.length || this.#closing) this.#handOver();
    else if (this.#head === undefined) {
      this.#head = head;
      this.#socket.setTimeout(LAG_MS);
    }
  };

  #headOf(bytes: Buffer): PlainHead | undefined {
    const head = bytes.length > PLAIN_BYTES_MAX ? undefined : readPlainHead(bytes);
    return head !== undefined && this.#options.isWrite(head.path) ? head : undefined;
  }

  #answer(head: PlainHead, bytes: Buffer): void {
    const { answer, keepAliveTimeoutMs, now } = this.#options;
    if (this.#head !== undefined) {
      this.#head = undefined;
      this.#waiting = NOTHING;
      this.#socket.setTimeout(keepAliveTimeoutMs);
    }
    const reply = new PlainReply(this);
    this.#current = { path: head.path, reply, startedMs: now() };
    void answer(head.path, new PlainRequest(head, bytes, this.#socket), head.target, reply);
  }

  /** A client that does not take its answers gets to send no more. */
  #waitForReader(): void {
    this.#socket.pause();
    this.#socket.once('drain', this.#onDrain);
  }

  #sayLast(answer: string | Buffer): void {
    const socket = this.#socket;
    socket.off('data', this.#onData);
    socket.end(answer, 'latin1', () => socket.destroy());
  }

  #handOver(): void {
    const socket = this.#socket;
    const unanswered = this.#waiting;
    socket.off('data', this.#onData).off('timeout', this.#onTimeout).off('error', this.#onError).off('close', this.#onClose);
    socket.off('drain', this.#onDrain);
    socket.setTimeout(0);
    this.#options.onLeft(this);
    this.#options.handOver(socket, unanswered);
  }

  readonly #onTimeout = (): void => {
    if (this.#current !== undefined) return; // we are the slow ones
    if (this.#head === undefined) this.#socket.destroy();
    else this.#handOver();
  };

  readonly #onError = (): void => {
    this.#socket.destroy();
  };

  readonly #onDrain = (): void => {
    this.#socket.resume();
  };

  readonly #onClose = (): void => {
    this.#options.onLeft(this);
    const { now, onOver } = this.#options;
    const current = this.#current;
    const head = this.#head;
    this.#current = undefined;
    if (current !== undefined) onOver(current.path, current.reply, true, current.startedMs);
    else if (head !== undefined) onOver(head.path, new PlainReply(this), true, now());
  };
}
