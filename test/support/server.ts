import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

/** The compiled program: tests start what users start. `INFLUXDB3_TEST_PROGRAM` = that of an installed package instead. */
export const BIN = process.env['INFLUXDB3_TEST_PROGRAM'] ?? resolve(fileURLToPath(import.meta.url), '../../../../../bin/influxdb3.js');

const nodeOptions = process.env['INFLUXDB3_TEST_NODE_OPTIONS'];

/** Environment of every process with a server: options of Node.js that the tests are run with. */
export const SERVER_OPTIONS: Readonly<Record<string, string>> = nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions };

export interface TestServerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default: file store without authentication and without telemetry. */
  readonly bare?: boolean;
  /** Working directory; that of the tests by default. */
  readonly cwd?: string;
  /** Instead of what users start: a compiled program that takes the same arguments. */
  readonly program?: string;
  /** Default: `test`. */
  readonly nodeId?: string;
}

/** A real server process on a free loopback port. */
export class TestServer {
  readonly child: ChildProcess;
  readonly url: string;
  readonly dataDir: string;
  /** Exit code or name of the signal, once the process is gone and all of its output is here. */
  readonly ended: Promise<number | string>;
  readonly #output: string[];

  private constructor(child: ChildProcess, ended: Promise<number | string>, url: string, dataDir: string, output: string[]) {
    this.child = child;
    this.ended = ended;
    this.url = url;
    this.dataDir = dataDir;
    this.#output = output;
  }

  static async start(dataDir: string, options: TestServerOptions = {}): Promise<TestServer> {
    const listener = join(dataDir, `listener-${process.pid}-${Math.random().toString(36).slice(2)}`);
    const defaults = options.bare === true ? [] : ['--without-auth', '--disable-telemetry-upload'];
    const args = ['serve', '--node-id', options.nodeId ?? 'test', '--data-dir', dataDir, '--http-bind', '127.0.0.1:0', ...defaults];
    const output: string[] = [];
    const child = spawn(
      process.execPath,
      [options.program ?? BIN, ...args, '--tcp-listener-file-path', listener, ...(options.args ?? [])],
      {
        // Whatever a test is about, no batch may change between its encoding and its use.
        env: { PATH: process.env['PATH'] ?? '', HOME: dataDir, INFLUXDB3_CHECK_BATCHES: 'true', ...SERVER_OPTIONS, ...options.env },
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      },
    );
    child.stdout?.on('data', (data: Buffer) => output.push(data.toString()));
    child.stderr?.on('data', (data: Buffer) => output.push(data.toString()));
    const ended = new Promise<number | string>((done) => child.once('close', (code, signal) => done(code ?? (signal as string))));
    const exited = ended.then((how) => Promise.reject(new Error(`server ended (${how}):\n${output.join('')}`)));
    exited.catch(() => undefined); // an exit after the start is each test's own business
    const address = await Promise.race([fileContent(listener, () => child.exitCode === null && child.signalCode === null), exited]);
    return new TestServer(child, ended, `http://${address}`, dataDir, output);
  }

  get output(): string {
    return this.#output.join('');
  }

  /** Resolves once the output has a text: it comes through a pipe, later than an answer that was sent after it. */
  async says(text: string | RegExp): Promise<void> {
    await until(() => {
      const said = typeof text === 'string' ? this.output.includes(text) : text.test(this.output);
      assert.ok(said, `no ${text} in:\n${this.output}`);
      return true;
    });
  }

  /** Resolves with the exit code (or signal name) once the process is gone. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    this.child.kill(signal);
    return this.ended;
  }

  async write(db: string, lines: string, params = ''): Promise<Response> {
    return fetch(`${this.url}/api/v3/write_lp?db=${encodeURIComponent(db)}${params}`, { method: 'POST', body: lines });
  }

  async writeOk(db: string, lines: string, params = ''): Promise<void> {
    const response = await this.write(db, lines, params);
    assert.equal(response.status, 204, await response.text());
  }

  async sql(db: string, q: string, format = 'json'): Promise<Response> {
    return fetch(`${this.url}/api/v3/query_sql`, { method: 'POST', body: JSON.stringify({ db, q, format }) });
  }

  async rows(db: string, q: string): Promise<Record<string, unknown>[]> {
    const response = await this.sql(db, q);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text) as Record<string, unknown>[];
  }
}

/** A directory that is removed at the end of the test. */
export async function testDirectory(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'influxdb3-e2e-'));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

/**
 * Directories that a server has been started on before: the first report of telemetry leaves an hour after the very first
 * start. All that one call gives are copies of one directory, so they have the same ids.
 */
export function usedDirectories(): (t: { after(fn: () => Promise<void>): void }) => Promise<string> {
  const cleanups: (() => Promise<void>)[] = [];
  let used: Promise<string> | undefined;
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });
  return async (t) => {
    used ??= startedOnce({ after: (cleanup) => void cleanups.unshift(cleanup) });
    const directory = await testDirectory(t);
    await cp(await used, directory, { recursive: true });
    return directory;
  };
}

async function startedOnce(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  const directory = await testDirectory(t);
  await (await startServer(t, directory)).kill('SIGTERM');
  return directory;
}

/** Starts a server that is killed at the end of the test, before its directory goes. */
export async function startServer(
  t: { after(fn: () => Promise<void>): void },
  dataDir: string,
  options: TestServerOptions = {},
): Promise<TestServer> {
  const server = await TestServer.start(dataDir, options);
  t.after(async () => {
    await server.kill('SIGKILL');
  });
  return server;
}

/** One server for all tests of a file, started by the first that asks and killed after the last; each test uses databases of its own. */
export function sharedServer(options: TestServerOptions = {}): () => Promise<TestServer> {
  const cleanups: (() => Promise<void>)[] = [];
  const whole = { after: (cleanup: () => Promise<void>) => void cleanups.unshift(cleanup) };
  let started: Promise<TestServer> | undefined;
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });
  return () => {
    started ??= testDirectory(whole).then((directory) => startServer(whole, directory, options));
    return started;
  };
}

/** Content of a file once it has any; empty when the process that should write it is gone. */
async function fileContent(path: string, alive: () => boolean): Promise<string> {
  const ready = (): boolean => existsSync(path) && readFileSync(path, 'utf8') !== '';
  while (!ready()) {
    if (!alive()) return new Promise<never>(() => undefined);
    await new Promise((done) => setTimeout(done, 5));
  }
  return readFileSync(path, 'utf8');
}
