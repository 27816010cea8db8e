import type { Socket } from 'node:net';
import { RawReply, type ReplyTarget } from './raw-reply.ts';
import { RAW_BYTES_MAX, type RawHead, RawRequest, readRawHead } from './raw-request.ts';

/** How long a body may lag behind its head before `node:http`, which has the limits for slow clients, takes over, ms. */
const LAG_MS = 1000;

/** What all connections of the lane share. */
export interface ConnectionOptions {
  readonly keepAliveTimeoutMs: number;
  /** Whether `POST` to this path is a write. */
  readonly isWrite: (path: string) => boolean;
  /** Whether a write is answered only when its body has arrived: false when its head alone leads to a refusal. */
  readonly needsBody: (head: RawHead, remoteAddress: string | undefined) => boolean;
  /** Carries a write out and answers it. Never rejects. */
  readonly answer: (path: string, request: RawRequest, target: string, reply: RawReply) => Promise<void>;
  readonly now: () => number;
  /** Called once for each request that began, when it is answered or the client has left. */
  readonly onOver: (path: string, reply: RawReply, aborted: boolean, startedMs: number) => void;
  /** The last lines of a head, about date and connection. */
  readonly commonLines: (closing: boolean) => string;
  /** `node:http` takes the connection; the bytes that were not answered yet are unread. */
  readonly handOver: (socket: Socket) => void;
  /** The connection is not this lane's any more. */
  readonly onLeft: (connection: RawConnection) => void;
}

/** A request that has begun. */
interface Current {
  readonly path: string;
  readonly reply: RawReply;
  readonly startedMs: number;
}

/**
 * One connection with nothing but plain writes on it, each answered before the next is read. With the first bytes that
 * are anything else it goes to `node:http` for good. Bytes that are not answered are put back into the socket, so that
 * `node:http` finds them there, and the end of the stream behind them.
 *
 * Shared by: nobody; there is one for each connection, and one request on it at a time. The bytes of a request are those that
 * the socket emitted or `read` returned for it, which nobody else holds; its body is a view of them until it is answered.
 */
export class RawConnection implements ReplyTarget {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  /** The head of the request whose body is not complete; all its bytes are in the socket. */
  #head: RawHead | undefined;
  #current: Current | undefined;
  /** What came before the current request was answered. */
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
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
    if (current === undefined) return; // the client has left
    this.#current = undefined;
    if (!socket.writable)
      this.#closing = true; // it is about to; the answer counts, as with `node:http`
    else if (this.#closing) this.#sayLast(answer);
    else if (!socket.write(answer, 'latin1')) this.#waitForReader();
    this.#options.onOver(current.path, current.reply, false, current.startedMs);
    if (this.#waitingBytes > 0 && !this.#closing) this.#handOver();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    const socket = this.#socket;
    if (this.#current !== undefined) {
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
      if (this.#waitingBytes > RAW_BYTES_MAX) socket.pause();
      return;
    }
    const head = this.#headOf(bytes);
    if (head !== undefined && head.end === bytes.length) {
      this.#answer(head, bytes);
      return;
    }
    socket.pause();
    socket.unshift(bytes);
    if (head === undefined || head.end < bytes.length || this.#closing || !this.#options.needsBody(head, socket.remoteAddress)) {
      this.#handOver();
    } else this.#waitForBody(head);
  };

  #waitForBody(head: RawHead): void {
    this.#head = head;
    const socket = this.#socket;
    socket.setTimeout(LAG_MS);
    socket.off('data', this.#onData).on('readable', this.#onReadable);
  }

  /** More of a body, or the end of the stream. */
  readonly #onReadable = (): void => {
    const socket = this.#socket;
    const head = this.#head;
    if (head === undefined) return; // the event was on its way when the body was complete
    const bytes: Buffer | null = socket.read(head.end); // less than that only at the end of the stream
    if (bytes === null) return;
    if (bytes.length < head.end) {
      socket.unshift(bytes);
      this.#handOver();
      return;
    }
    this.#head = undefined;
    socket.off('readable', this.#onReadable).on('data', this.#onData);
    socket.setTimeout(this.#options.keepAliveTimeoutMs);
    socket.resume();
    this.#answer(head, bytes);
  };

  #headOf(bytes: Buffer): RawHead | undefined {
    const head = bytes.length > RAW_BYTES_MAX ? undefined : readRawHead(bytes);
    return head !== undefined && this.#options.isWrite(head.path) ? head : undefined;
  }

  #answer(head: RawHead, bytes: Buffer): void {
    const { answer, now } = this.#options;
    const reply = new RawReply(this);
    this.#current = { path: head.path, reply, startedMs: now() };
    void answer(head.path, new RawRequest(head, bytes, this.#socket), head.target, reply);
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
    socket.off('data', this.#onData).off('timeout', this.#onTimeout).off('error', this.#onError).off('close', this.#onClose);
    socket.off('drain', this.#onDrain).off('readable', this.#onReadable);
    socket.setTimeout(0);
    socket.pause();
    // In one piece: `node:http` reads what comes next past the socket's buffer, and would overtake a second piece there.
    const behind: Buffer | null = socket.read();
    const unread = behind === null ? this.#waiting : [...this.#waiting, behind];
    if (unread.length > 0) socket.unshift(Buffer.concat(unread));
    this.#options.onLeft(this);
    this.#options.handOver(socket);
  }

  readonly #onTimeout = (): void => {
    if (this.#current !== undefined) return; // the server is slow, not the client
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
    else if (head !== undefined) onOver(head.path, new RawReply(this), true, now());
  };
}
