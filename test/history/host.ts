import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SERVER_OPTIONS, TestServer } from '../support/server.ts';
import type { Answered } from './lanes.ts';
import type { LifePlan } from './plan.ts';

/** A write through the interface of a server in process. */
export interface EmbeddedWrite {
  readonly database: string;
  readonly lines: string;
  readonly precision: 'ns' | 'us';
}

/** A process with a server in it. */
export interface Host {
  readonly url: string;
  readonly child: ChildProcess;
  /** Its log so far. */
  readonly output: string;
  kill(signal: NodeJS.Signals): Promise<number | string>;
  /** Only of an embedded server. Rejects when the process ends first. */
  writeEmbedded?(write: EmbeddedWrite): Promise<Answered>;
}

/** Starts the program, or a process that embeds the server. */
export function startHost(directory: string, { kind, args }: LifePlan): Promise<Host> {
  return kind === 'program' ? TestServer.start(directory, { args }) : EmbeddedHost.start(directory, args);
}

/** What `embedded.ts` says. */
export type EmbeddedMessage = { readonly url: string } | { readonly id: number; readonly status: number; readonly text: string };

class EmbeddedHost implements Host {
  readonly url: string;
  readonly child: ChildProcess;
  readonly #output: string[];
  readonly #waiting = new Map<number, { resolve(answer: Answered): void; reject(error: Error): void }>();
  #sent = 0;

  private constructor(child: ChildProcess, url: string, output: string[]) {
    this.child = child;
    this.url = url;
    this.#output = output;
    child.on('message', (message: EmbeddedMessage) => {
      if (!('id' in message)) return;
      this.#waiting.get(message.id)?.resolve(message);
      this.#waiting.delete(message.id);
    });
    child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the process ended'));
      this.#waiting.clear();
    });
  }

  static start(directory: string, args: readonly string[]): Promise<EmbeddedHost> {
    const script = fileURLToPath(new URL('./embedded.js', import.meta.url));
    const child = fork(script, [directory, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { PATH: process.env['PATH'] ?? '', ...SERVER_OPTIONS },
    });
    const output: string[] = [];
    child.stdout?.on('data', (data: Buffer) => output.push(data.toString()));
    child.stderr?.on('data', (data: Buffer) => output.push(data.toString()));
    return new Promise((resolve, reject) => {
      child.once('exit', (code, signal) => reject(new Error(`embedded server ended (${code ?? signal}):\n${output.join('')}`)));
      child.on('message', (message: EmbeddedMessage) => {
        if ('url' in message) resolve(new EmbeddedHost(child, message.url, output));
      });
    });
  }

  get output(): string {
    return this.#output.join('');
  }

  writeEmbedded(write: EmbeddedWrite): Promise<Answered> {
    const id = this.#sent++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.child.send({ id, ...write }, (error) => {
        if (error !== null) reject(error);
      });
    });
  }

  kill(signal: NodeJS.Signals): Promise<number | string> {
    if (this.child.exitCode !== null || this.child.signalCode !== null)
      return Promise.resolve(this.child.exitCode ?? (this.child.signalCode as string));
    return new Promise((resolve) => {
      this.child.once('exit', (code, name) => resolve(code ?? (name as string)));
      this.child.kill(signal);
    });
  }
}
