import { Agent, request as httpRequest } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { createConnection, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { Random } from '../fuzz/random.ts';

/** How a request travels. */
export type LaneName = 'plain' | 'gzip' | 'chunked' | 'raw' | 'h2' | 'embedded';

export interface Sent {
  readonly path: string;
  readonly body: Buffer;
}

export interface Answered {
  readonly status: number;
  readonly text: string;
}

/** The connections of one writer to one life of the server. Every method rejects when the connection breaks. */
export class Lanes {
  readonly #url: URL;
  readonly #random: Random;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #session: ClientHttp2Session | undefined;
  #socket: RawSocket | undefined;

  constructor(url: string, random: Random) {
    this.#url = new URL(url);
    this.#random = random;
  }

  async send(lane: LaneName, sent: Sent): Promise<Answered> {
    switch (lane) {
      case 'h2':
        return this.#http2(sent);
      case 'raw': {
        const [answer] = this.pipelined([sent]);
        return answer as Promise<Answered>;
      }
      case 'chunked':
        return this.#http1(sent.path, {}, this.#pieces(sent.body));
      case 'gzip': {
        const body = gzipSync(sent.body, { level: 1 });
        return this.#http1(sent.path, { 'content-encoding': 'gzip', 'content-length': String(body.length) }, [body]);
      }
      default:
        return this.#http1(sent.path, { 'content-length': String(sent.body.length) }, [sent.body]);
    }
  }

  /** Sends all before any is answered. */
  pipelined(all: readonly Sent[]): Promise<Answered>[] {
    if (this.#socket === undefined || this.#socket.ended) this.#socket = new RawSocket(this.#url);
    const socket = this.#socket;
    return all.map((sent, i) => socket.send(this.#url, sent, i % 3 === 2));
  }

  close(): void {
    this.#agent.destroy();
    this.#session?.destroy();
    this.#socket?.end();
  }

  #http1(path: string, headers: Record<string, string>, pieces: readonly Buffer[]): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const options = { host: this.#url.hostname, port: this.#url.port, path, method: 'POST', agent: this.#agent, headers };
      const sent = httpRequest(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      });
      sent.on('error', reject);
      for (const piece of pieces) sent.write(piece);
      sent.end();
    });
  }

  #pieces(body: Buffer): Buffer[] {
    const found: Buffer[] = [];
    for (let at = 0; at < body.length; ) {
      const size = 1 + this.#random.below(Math.max(1, body.length >> 1));
      found.push(body.subarray(at, at + size));
      at += size;
    }
    return found;
  }

  #http2({ path, body }: Sent): Promise<Answered> {
    if (this.#session === undefined || this.#session.destroyed || this.#session.closed) {
      this.#session = connect(this.#url.origin);
      this.#session.on('error', () => undefined); // each stream hears of it too
    }
    const session = this.#session;
    return new Promise((resolve, reject) => {
      const stream = session.request({ ':method': 'POST', ':path': path });
      let status = 0;
      const chunks: Buffer[] = [];
      stream.on('response', (headers) => {
        status = Number(headers[':status']);
      });
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('close', () => {
        if (status === 0 || stream.rstCode !== 0) reject(new Error('the stream ended without an answer'));
        else resolve({ status, text: Buffer.concat(chunks).toString() });
      });
      stream.end(body);
    });
  }
}

/** A connection that is written by hand, so that requests need not wait for answers. */
class RawSocket {
  ended = false;
  readonly #socket: Socket;
  readonly #waiting: { resolve(answer: Answered): void; reject(error: Error): void }[] = [];
  #received: Buffer = Buffer.alloc(0);

  constructor(url: URL) {
    this.#socket = createConnection({ host: url.hostname, port: Number(url.port) });
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (data) => this.#take(data));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('connection closed')));
  }

  /** @param cut the body goes in two pieces */
  send(url: URL, { path, body }: Sent, cut: boolean): Promise<Answered> {
    const head = `POST ${path} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: ${body.length}\r\n\r\n`;
    return new Promise((resolve, reject) => {
      if (this.ended) {
        reject(new Error('connection closed'));
        return;
      }
      this.#waiting.push({ resolve, reject });
      if (!cut) this.#socket.write(Buffer.concat([Buffer.from(head), body]));
      else {
        this.#socket.write(head);
        this.#socket.write(body.subarray(0, body.length >> 1));
        this.#socket.write(body.subarray(body.length >> 1));
      }
    });
  }

  end(): void {
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    this.ended = true;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #take(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    for (;;) {
      const answer = this.#next();
      if (answer === undefined) return;
      this.#waiting.shift()?.resolve(answer);
    }
  }

  /** One whole answer, undefined while there is none. */
  #next(): Answered | undefined {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const head = this.#received.subarray(0, end).toString('latin1');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head)) return this.#chunked(status, end + 4);
    const size = Number(length ?? 0);
    if (this.#received.length < end + 4 + size) return undefined;
    const text = this.#received.subarray(end + 4, end + 4 + size).toString();
    this.#received = this.#received.subarray(end + 4 + size);
    return { status, text };
  }

  #chunked(status: number, from: number): Answered | undefined {
    const parts: Buffer[] = [];
    for (let at = from; ; ) {
      const lineEnd = this.#received.indexOf('\r\n', at);
      if (lineEnd < 0) return undefined;
      const size = Number.parseInt(this.#received.subarray(at, lineEnd).toString('latin1'), 16);
      const end = lineEnd + 2 + size + 2;
      if (this.#received.length < end) return undefined;
      if (size === 0) {
        this.#received = this.#received.subarray(end);
        return { status, text: Buffer.concat(parts).toString() };
      }
      parts.push(this.#received.subarray(lineEnd + 2, end - 2));
      at = end;
    }
  }
}
