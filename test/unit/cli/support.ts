import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { Readable, Writable } from 'node:stream';
import { runCli } from '../../../src/cli/run-cli.ts';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
}

export interface CliSetup {
  /** Standard input; undefined = a terminal. */
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly terminal?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
}

/** Runs one command line in this process. */
export async function cli(args: readonly string[], setup: CliSetup = {}): Promise<CliResult> {
  const stdout = new Capture(setup.terminal ?? false, setup.columns);
  const stderr = new Capture(setup.terminal ?? false);
  const stdin = Object.assign(Readable.from(setup.input === undefined ? [] : [Buffer.from(setup.input)]), {
    isTTY: setup.input === undefined,
  });
  const code = await runCli(args, { stdin, stdout, stderr, environment: setup.env ?? {}, cwd: setup.cwd ?? tmpdir() });
  return { code, stdout: stdout.text, stderr: stderr.text, stdoutBytes: stdout.bytes };
}

class Capture extends Writable {
  readonly isTTY: boolean;
  readonly columns?: number;
  readonly #chunks: Buffer[] = [];

  constructor(isTTY: boolean, columns?: number) {
    super();
    this.isTTY = isTTY;
    if (columns !== undefined) this.columns = columns;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(Buffer.from(chunk));
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString('utf8');
  }
}

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A server that remembers what it was asked and answers what the test says. */
export class FakeServer {
  readonly requests: SeenRequest[] = [];
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(answer: (request: SeenRequest) => Answer = () => ({})): Promise<FakeServer> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://x');
        const seen = {
          method: request.method ?? '',
          path: url.pathname,
          query: Object.fromEntries(url.searchParams),
          headers: request.headers,
          body: Buffer.concat(chunks),
        };
        fake.requests.push(seen);
        const { status = 200, headers = {}, body = '' } = answer(seen);
        response.writeHead(status, headers).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const fake = new FakeServer(server);
    return fake;
  }

  /** The only request there was, as JSON. */
  get onlyJson(): unknown {
    return JSON.parse(this.only.body.toString('utf8'));
  }

  get only(): SeenRequest {
    const [first, second] = this.requests;
    if (first === undefined || second !== undefined) throw new Error(`${this.requests.length} requests`);
    return first;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Runs the work against a fake server. */
export async function withFake(answer: (request: SeenRequest) => Answer, work: (fake: FakeServer) => Promise<void>): Promise<void> {
  const fake = await FakeServer.start(answer);
  try {
    await work(fake);
  } finally {
    await fake.stop();
  }
}
