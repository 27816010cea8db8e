import { connect, type Socket } from 'node:net';

const END_OF_HEAD = '\r\n\r\n';

/** What is kept of a refusal. */
const REFUSAL_CHARS_MAX = 300;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * One connection that posts bodies and waits for each 204. A full HTTP client takes several times the processor time of
 * the servers' own work for a small write, and on a small machine takes it from the server that is measured.
 */
export class WriteConnection {
  readonly #socket: Socket;
  readonly #headStart: string;
  #received = '';
  #waiting: Waiting | undefined;

  private constructor(socket: Socket, host: string, path: string, fields: string) {
    this.#socket = socket;
    this.#headStart = `POST ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}Content-Length: `;
    socket.on('data', (bytes) => this.#take(bytes.toString('latin1')));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  /** @param fields more fields of each head, each with its line end */
  static async open(url: string, path: string, fields = ''): Promise<WriteConnection> {
    const { host, hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve();
      });
    });
    return new WriteConnection(socket, host, path, fields);
  }

  /** Resolves when the write was acknowledged. One at a time. */
  post(body: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      const head = `${this.#headStart}${body.length}${END_OF_HEAD}`;
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    if (!this.#received.includes(END_OF_HEAD)) return;
    const answer = this.#received;
    this.#received = '';
    if (!answer.startsWith('HTTP/1.1 204 ')) {
      this.#fail(new Error(answer.slice(0, REFUSAL_CHARS_MAX)));
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve();
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.close();
  }
}
