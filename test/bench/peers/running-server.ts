import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'undici';
import type { Question } from './questions.ts';
import type { Target } from './target.ts';

const START_MS_MAX = 30_000;
const STOP_MS_MAX = 20_000;

/** Clock ticks a second of `/proc/<pid>/stat`; the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** A started server process with a directory of its own. */
export class RunningServer {
  readonly target: Target;
  readonly url: string;
  readonly directory: string;
  /** From the start of the process to its first healthy answer. */
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly #client: Client;

  private constructor(target: Target, url: string, directory: string, startMs: number, child: ChildProcess) {
    this.target = target;
    this.url = url;
    this.directory = directory;
    this.startMs = startMs;
    this.#child = child;
    this.#client = new Client(url, { bodyTimeout: 600_000, headersTimeout: 600_000 });
  }

  static async start(target: Target, directory: string): Promise<RunningServer> {
    mkdirSync(directory, { recursive: true });
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const { program, args } = target.command(directory, port);
    const started = performance.now();
    const child = spawn(program, args, { stdio: 'ignore' });
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(new Error(`${target.name} ended at its start (${code ?? signal})`)));
    });
    failed.catch(() => undefined);
    while (!(await isReady(`${url}${target.readyPath}`))) {
      if (performance.now() - started > START_MS_MAX) throw new Error(`${target.name} did not get ready`);
      await Promise.race([delay(5), failed]);
    }
    const server = new RunningServer(target, url, directory, performance.now() - started, child);
    if (target.prepare !== undefined) await server.request(target.prepare.method, target.prepare.path, target.prepare.body);
    return server;
  }

  /** Process id. */
  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** The body of a successful answer; throws for any other. */
  async request(
    method: 'GET' | 'POST',
    path: string,
    body?: string | Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const response = await this.#client.request({ method, path, headers, body: body ?? null });
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`${this.target.name}: HTTP ${response.statusCode} ${text.slice(0, 300)}`);
    return text;
  }

  /** Undefined when the question cannot be asked here. `ms` is the time to the last byte. */
  async ask(question: Question): Promise<{ readonly body: string; readonly ms: number } | undefined> {
    const request = this.target.ask(question);
    if (request === undefined) return undefined;
    const started = performance.now();
    const body = await this.request(request.method, request.path, request.body);
    return { body, ms: performance.now() - started };
  }

  /** Resident memory, bytes; undefined where the system does not tell. */
  residentBytes(): number | undefined {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(this.#proc('status'));
    return match === null ? undefined : Number(match[1]) * 1024;
  }

  /** Processor time used so far, seconds; undefined where the system does not tell. */
  cpuSecs(): number | undefined {
    const stat = this.#proc('stat');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return stat === '' ? undefined : (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** Bytes that the process caused to be written to storage; undefined where the system does not tell. */
  writtenBytes(): number | undefined {
    const match = /^write_bytes: (\d+)/m.exec(this.#proc('io'));
    return match === null ? undefined : Number(match[1]);
  }

  /** Bytes of all files below the server's directory that `counts` accepts. */
  diskBytes(counts: (path: string) => boolean = () => true): number {
    let bytes = 0;
    for (const entry of readdirSync(this.directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && counts(path)) bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    }
    return bytes;
  }

  /** Asks the process to end, ends it if it does not, and removes its directory. */
  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Stops the server and starts it on what it has stored. */
  async startedAnew(): Promise<RunningServer> {
    await this.#end();
    return RunningServer.start(this.target, this.directory);
  }

  async #end(): Promise<void> {
    await this.#client.destroy();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX);
      await gone;
      clearTimeout(timer);
    }
  }

  #proc(file: string): string {
    try {
      return readFileSync(`/proc/${this.#child.pid}/${file}`, 'utf8');
    } catch {
      return ''; // not Linux
    }
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // not listening yet
  }
}

/** A port whose follower is likely free too: one peer needs two. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
