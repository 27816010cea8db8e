import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import { pause, type Timers } from '../../shared/timers.ts';
import { readOutput } from '../calls/output-lines.ts';
import { PluginFailure } from '../calls/plugin-host.ts';
import { messageOf, systemErrorCode } from '../plugins/system-error.ts';
import { encodeFrame, FRAME_TYPES, FRAME_VERSION, type Frame, FrameReader, type FrameType } from './frames.ts';

export interface PythonProcessOptions {
  /** Names the trigger in the server's log. */
  readonly label: string;
  readonly interpreter: string;
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly memoryLimitBytes: number | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly onFrame: (frame: Frame) => void;
  /** Told once, when nothing will come any more. */
  readonly onEnd: (how: string) => void;
}

const SCRIPT = fileURLToPath(new URL('./plugin_host.py', import.meta.url));

/** How long a process may take to answer at all; far beyond what it needs. */
const START_TIME_MS = 60_000;

/** From the wish to end, to SIGTERM, to SIGKILL. */
const TERM_AFTER_MS = 500;
const KILL_AFTER_MS = 3_000;

/** One process of the Python host, in a process group of its own. */
export class PythonProcess {
  /** Resolves when calls may be sent; rejects with `PluginFailure` when it does not start. */
  readonly ready: Promise<void>;
  readonly #options: PythonProcessOptions;
  readonly #child: ChildProcess;
  readonly #socket: Duplex;
  readonly #gone: Promise<void>;
  #onReady: (error?: PluginFailure) => void = () => undefined;
  #death: string | undefined;
  #lastErrorLine = '';

  constructor(options: PythonProcessOptions) {
    const { clock, directory, env, interpreter, label, logger, memoryLimitBytes, timers } = options;
    this.#options = options;
    this.#child = spawn(interpreter, ['-u', SCRIPT, String(memoryLimitBytes ?? 0)], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      detached: true,
      cwd: directory,
      env,
    });
    this.#socket = this.#child.stdio[3] as Duplex;
    // nothing goes over it: the process knows by it that this one is gone
    (this.#child.stdio[4] as Duplex).on('error', () => undefined).resume();
    const nowMs = (): number => clock.monotonicMs();
    const onDropped = (count: number): void => logger.warn('a plugin prints too much, lines were left out', { trigger: label, count });
    const { stderr, stdout } = this.#child;
    if (stdout !== null) readOutput(stdout, { nowMs, onDropped, onLine: (line) => logger.info(line, { trigger: label }) });
    if (stderr !== null) readOutput(stderr, { nowMs, onDropped, onLine: (line) => this.#errorLine(line) });
    const reader = new FrameReader((frame) => this.#take(frame));
    this.#socket.on('data', (piece: Buffer) => {
      try {
        reader.take(piece);
      } catch (error) {
        logger.error('a plugin process speaks another language', { trigger: label, error: messageOf(error) });
        this.#signal('SIGKILL');
      }
    });
    this.#socket.on('error', () => undefined); // the end of the process says it all
    this.ready = new Promise((resolve, reject) => {
      const cancel = timers.after(START_TIME_MS, () => this.#signal('SIGKILL'));
      this.#onReady = (error) => {
        cancel();
        if (error === undefined) resolve();
        else reject(error);
      };
    });
    this.ready.catch(() => undefined); // whoever calls hears of it
    this.#gone = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#end(startProblem(error, interpreter, directory));
        resolve();
      });
      this.#child.once('exit', (code, signal) => {
        this.#end(`plugin process exited unexpectedly (${signal ?? `code ${code}`})`);
        this.#signal('SIGKILL'); // what it has started
        resolve();
      });
    });
  }

  get isAlive(): boolean {
    return this.#death === undefined;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when more may be sent. */
  send(type: FrameType, call: number, head: unknown, data?: Uint8Array): Promise<void> {
    if (this.#death !== undefined || this.#socket.destroyed) return Promise.resolve();
    let more = true;
    for (const part of encodeFrame(type, call, head, data)) more = this.#socket.write(part);
    if (more) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.on('drain', done);
      this.#socket.on('close', done);
    });
  }

  /** Ends the process and what it has started, by force if need be. Idempotent. */
  async stop(): Promise<void> {
    if (this.#death === undefined) {
      void this.send(FRAME_TYPES.shutdown, 0, {});
      await this.#goneWithin(TERM_AFTER_MS);
      this.#signal('SIGTERM');
      await this.#goneWithin(KILL_AFTER_MS - TERM_AFTER_MS);
      this.#signal('SIGKILL');
    }
    await this.#gone;
  }

  async #goneWithin(ms: number): Promise<void> {
    const gone = new AbortController();
    void this.#gone.then(() => gone.abort());
    if (this.#death === undefined) await pause(this.#options.timers, ms, gone.signal);
  }

  #take(frame: Frame): void {
    if (frame.type !== FRAME_TYPES.ready) {
      this.#options.onFrame(frame);
      return;
    }
    const { python, version } = frame.head;
    if (version === FRAME_VERSION) {
      this.#options.logger.debug('a plugin process has started', { trigger: this.#options.label, python, pid: this.#child.pid });
      this.#onReady();
      return;
    }
    this.#onReady(new PluginFailure('died', `plugin_host.py has version ${String(version)} instead of ${FRAME_VERSION}`));
    this.#signal('SIGKILL');
  }

  #errorLine(line: string): void {
    this.#lastErrorLine = line;
    this.#options.logger.warn(line, { trigger: this.#options.label });
  }

  #end(how: string): void {
    if (this.#death !== undefined) return;
    this.#death = how;
    const detail = this.#lastErrorLine === '' ? '' : `: ${this.#lastErrorLine}`;
    this.#onReady(new PluginFailure('died', `${how}${detail}`));
    this.#options.onEnd(how);
    this.#socket.destroy();
  }

  /** To the whole group. */
  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      if (systemErrorCode(error) === 'ESRCH') return; // nobody is left
      this.#options.logger.warn('a plugin process could not be signalled', { trigger: this.#options.label, error: messageOf(error) });
    }
  }
}

function startProblem(error: unknown, interpreter: string, directory: string): string {
  if (!existsSync(directory)) return `plugin directory not found: ${directory}`;
  if (systemErrorCode(error) !== 'ENOENT') return `plugin process did not start: ${messageOf(error)}`;
  return `${interpreter} not found: install Python 3.9 or newer, or name an interpreter with --plugin-python`;
}
