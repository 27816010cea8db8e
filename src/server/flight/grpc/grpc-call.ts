import { constants, type Http2ServerRequest, type Http2ServerResponse, type OutgoingHttpHeaders } from 'node:http2';
import { InfluxError } from '../../../shared/errors.ts';
import { GRPC_STATUS, type GrpcStatus } from '../../../shared/grpc-status.ts';
import { type CancelTimer, systemTimers } from '../../../shared/timers.ts';
import { messageHead, readMessages } from './frames.ts';
import { grpcMessage, grpcTimeoutMs } from './grpc-text.ts';

/** How a call ended, for metrics and logs. */
export interface CallEnd {
  readonly status: GrpcStatus;
  /** The client left before the answer was complete. */
  readonly aborted: boolean;
}

/** One gRPC call over an HTTP/2 stream. */
export class GrpcCall {
  readonly method: string;
  /** Aborted when the client leaves, or when the time that it gave is over. */
  readonly signal: AbortSignal;
  readonly #request: Http2ServerRequest;
  readonly #response: Http2ServerResponse;
  readonly #abort = new AbortController();
  readonly #cancelTimer: CancelTimer | undefined;
  #responseHeaders: Readonly<Record<string, string>> = {};
  #headersSent = false;
  #unwrittenBytes = 0;
  #onRoom: (() => void) | undefined;
  #ended = false;

  constructor(request: Http2ServerRequest, response: Http2ServerResponse, onEnd: (end: CallEnd) => void) {
    this.#request = request;
    this.#response = response;
    this.method = request.url.slice(request.url.lastIndexOf('/') + 1);
    this.signal = this.#abort.signal;
    const timeoutMs = grpcTimeoutMs(this.header('grpc-timeout'));
    if (timeoutMs !== undefined) this.#cancelTimer = systemTimers.after(timeoutMs, () => this.#timeOut());
    response.once('close', () => {
      this.#cancelTimer?.();
      this.#abort.abort(new Error('the client left'));
      onEnd({ status: this.#status, aborted: !this.#ended });
    });
    // A client that leaves while its request is read is told about by the response too.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
  }

  #status: GrpcStatus = GRPC_STATUS.CANCELLED;

  /** `/package.Service/Method`. */
  get path(): string {
    return this.#request.url;
  }

  get remoteAddress(): string {
    return this.#request.socket?.remoteAddress ?? '';
  }

  /** A header of the request; the last one where there are several. */
  header(name: string): string | undefined {
    const value = this.#request.headers[name];
    return Array.isArray(value) ? value.at(-1) : value;
  }

  /** The messages that the client sends. */
  messages(): AsyncGenerator<Buffer, void, void> {
    const body = this.#request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    return readMessages(body, this.header('grpc-encoding'));
  }

  /** Of calls with one request message; throws when there is none. */
  async message(): Promise<Buffer> {
    for await (const message of this.messages()) {
      this.#request.resume(); // until the end is read, nobody hears of a client that leaves
      return message;
    }
    throw new InfluxError({ code: 'GRPC_NO_MESSAGE', message: 'Missing request message.', status: 400, grpc: GRPC_STATUS.INTERNAL });
  }

  /** Headers that go before the first message. */
  setHeaders(headers: Readonly<Record<string, string>>): void {
    this.#responseHeaders = headers;
  }

  /** Sends one message made of parts. Resolves when more may be sent. Throws when the client has left. */
  send(...parts: readonly Uint8Array[]): Promise<void> {
    const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
    return this.sendFramed(Buffer.concat([messageHead(size), ...parts]));
  }

  /**
   * Sends one message that has its head already, as `send` does. The memory belongs to the call until `written` is called,
   * which does not happen when the client leaves.
   */
  async sendFramed(message: Buffer, written?: () => void): Promise<void> {
    this.signal.throwIfAborted();
    const response = this.#response;
    if (!this.#headersSent) {
      this.#headersSent = true;
      response.writeHead(200, { ...RESPONSE_HEADERS, ...this.#responseHeaders });
    }
    this.#unwrittenBytes += message.length;
    response.write(message, (error?: Error | null) => {
      this.#unwrittenBytes -= message.length;
      if (error === undefined || error === null) written?.();
      if (this.#unwrittenBytes <= UNWRITTEN_BYTES_MAX) this.#onRoom?.();
    });
    if (this.#unwrittenBytes > UNWRITTEN_BYTES_MAX) await this.#room();
  }

  /** Ends the call well. */
  end(trailers: Readonly<Record<string, string>> = {}): void {
    this.#finish(GRPC_STATUS.OK, { ...trailers, 'grpc-status': String(GRPC_STATUS.OK) });
  }

  /** Ends the call with a failure; `trailers` say more of it. */
  fail(status: GrpcStatus, text: string, trailers: Readonly<Record<string, string>> = {}): void {
    this.#finish(status, { ...trailers, 'grpc-status': String(status), 'grpc-message': grpcMessage(text) });
  }

  #finish(status: GrpcStatus, trailers: Readonly<Record<string, string>>): void {
    if (this.#ended || this.#response.stream.destroyed) return;
    this.#ended = true;
    this.#status = status;
    this.#cancelTimer?.();
    const { stream } = this.#response;
    if (this.#headersSent) {
      this.#response.addTrailers(trailers as OutgoingHttpHeaders);
      this.#response.end();
    } else {
      stream.respond({ ':status': 200, ...RESPONSE_HEADERS, ...this.#responseHeaders, ...trailers }, { endStream: true });
    }
    // What the client goes on to send is of no use. Closed before all is written, the stream would lose its end.
    this.#request.resume();
    const linger = (): void => {
      const cancel = systemTimers.after(LINGER_MS, () => stream.close(constants.NGHTTP2_NO_ERROR));
      stream.once('close', cancel);
    };
    if (stream.writableFinished) linger();
    else stream.once('finish', linger);
  }

  #timeOut(): void {
    this.#abort.abort(new DOMException('the time that the client gave is over', 'TimeoutError'));
    this.fail(GRPC_STATUS.DEADLINE_EXCEEDED, 'Deadline exceeded');
  }

  /** Resolves when the socket has taken enough of what was sent; rejects when the client leaves. */
  #room(): Promise<void> {
    return new Promise((resolve, reject) => {
      const left = (): void => {
        this.#onRoom = undefined;
        reject(this.signal.reason);
      };
      this.#onRoom = () => {
        this.#onRoom = undefined;
        this.signal.removeEventListener('abort', left);
        resolve();
      };
      this.signal.addEventListener('abort', left, { once: true });
    });
  }
}

/** What may wait for the socket while the next message is made, bytes. */
const UNWRITTEN_BYTES_MAX = 2 * 1024 * 1024;

/** So long a client may go on to send after its answer was written, ms. */
const LINGER_MS = 1000;

const RESPONSE_HEADERS = { 'content-type': 'application/grpc', 'grpc-accept-encoding': 'identity,gzip' } as const;
