import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Longest request line that is looked at, bytes. */
const LINE_BYTES_MAX = 64 * 1024;

/** A method, a target with any bytes but blanks and controls, and the version. */
const REQUEST_LINE = /^[A-Z]+ ([!-~\x80-\xff]+) HTTP\/1\.[01]$/;

/** Methods of the routes; none ends with another. */
const METHOD = /(?:GET|POST|PUT|DELETE|HEAD|OPTIONS)$/;
const METHOD_BYTES_MAX = 'OPTIONS'.length;

/** What `node:http` says about bytes that it cannot read. */
export interface UnreadableBytes {
  readonly code?: string;
  /** The bytes that came last. */
  readonly rawPacket?: Buffer;
  /** How many of them were read. */
  readonly bytesParsed?: number;
}

/**
 * The request that `node:http` could not read because its target has bytes above ASCII, which small clients send in names and statements,
 * with all that came behind it: each such byte is written as `%XX`, and the connection shall end with the answer.
 * Undefined when something else is wrong, or the request line came in several pieces.
 */
export function withAsciiTarget({ code, rawPacket, bytesParsed }: UnreadableBytes): Buffer | undefined {
  if (code !== 'HPE_INVALID_URL' || rawPacket === undefined || bytesParsed === undefined || bytesParsed < 1) return undefined;
  // The target was being read: the last blank before it follows the method, in front of which the body of another request may end.
  const blank = rawPacket.lastIndexOf(0x20, bytesParsed - 1);
  const method = METHOD.exec(rawPacket.toString('latin1', Math.max(0, blank - METHOD_BYTES_MAX), Math.max(0, blank)))?.[0];
  if (method === undefined) return undefined;
  const bytes = rawPacket.subarray(blank - method.length);
  const end = bytes.subarray(0, LINE_BYTES_MAX).indexOf('\r\n');
  if (end < 0) return undefined;
  const line = bytes.toString('latin1', 0, end);
  if (!/[\x80-\xff]/.test(line) || !REQUEST_LINE.test(line)) return undefined;
  const escaped = line.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  return Buffer.concat([Buffer.from(`${escaped}\r\nConnection: close`, 'latin1'), bytes.subarray(end)]);
}

/**
 * A connection for `node:http` that begins with other bytes, and goes on with those of a socket whose parser gave up.
 *
 * Shared by: nobody; the parser of the socket gets no more bytes from the moment on in which this is made.
 */
export class RereadConnection extends Duplex {
  readonly #socket: Socket;

  /** @param first what is read before the socket is */
  constructor(socket: Socket, first: Buffer) {
    super();
    this.#socket = socket;
    socket.removeAllListeners('data');
    // `node:http` reads a socket past its stream, and gives that up when somebody listens.
    socket.on('data', (bytes) => {
      if (!this.push(bytes)) socket.pause();
    });
    socket.pause();
    socket.on('end', () => this.push(null)).on('close', () => this.destroy());
    this.push(first);
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** That of the socket, which is destroyed when its time is over. */
  readonly setTimeout = (timeoutMs: number): this => {
    this.#socket.setTimeout(timeoutMs);
    return this;
  };

  override _read(): void {
    this.#socket.resume();
    this.#socket._read(0); // the stream believes that it is reading, since `node:http` took the socket over
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#socket.write(chunk, encoding, callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#socket.destroySoon();
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#socket.destroy();
    callback(error);
  }
}
