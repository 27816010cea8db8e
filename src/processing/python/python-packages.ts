/**
 * Shared by: requests that install. They run one after the other, so that two of them never change one environment at once.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import { noPluginDirectory, packageInstallDisabled, packageInstallFailed } from '../errors.ts';
import { messageOf, systemErrorCode } from '../plugins/system-error.ts';
import type { PythonEnvironment } from './python-environment.ts';

export interface PythonPackagesOptions {
  /** Undefined = the processing engine is off. */
  readonly python: PythonEnvironment | undefined;
  /** False = `--package-manager disabled`. */
  readonly allowed: boolean;
  readonly logger: Logger;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

interface Output {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const INSTALL_TIME_MS = 15 * 60_000;
const LIST_TIME_MS = 5_000;
const LIST_AGE_MS = 60_000;
const OUTPUT_CHARS_MAX = 1024 * 1024;

const LIST_SCRIPT = `
import importlib.metadata as m, json
print(json.dumps(sorted({d.metadata["Name"] for d in m.distributions() if d.metadata["Name"]})))
`;

/** Python packages of plugins: installs them into the virtual environment, which it makes when it is first needed. */
export class PythonPackages {
  readonly #options: PythonPackagesOptions;
  #last: Promise<unknown> = Promise.resolve();
  #names: readonly string[] = [];
  #listing = false;
  #listedMs = Number.NEGATIVE_INFINITY;
  #listedVersion = -1;

  constructor(options: PythonPackagesOptions) {
    this.#options = options;
  }

  async install(packages: readonly string[]): Promise<void> {
    const option = packages.find((name) => name.trim() === '' || name.startsWith('-'));
    if (option !== undefined) throw packageInstallFailed(`'${option}' is no name of a package`);
    await this.#pip(packages);
  }

  async installRequirements(location: string): Promise<void> {
    if (location.startsWith('-') || location === '') throw packageInstallFailed(`'${location}' is no requirements file`);
    await this.#pip(['-r', this.#requirementsFile(location)]);
  }

  /** Names of the installed packages as far as they are known; asks for them in the background when that is long ago. */
  installed(): readonly string[] {
    const { clock, python } = this.#options;
    if (python === undefined) return [];
    const isOld = clock.monotonicMs() - this.#listedMs > LIST_AGE_MS || this.#listedVersion !== python.version;
    if (isOld && !this.#listing) void this.#list(python);
    return this.#names;
  }

  #pip(args: readonly string[]): Promise<void> {
    const next = this.#last.then(() => this.#install(args));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #install(args: readonly string[]): Promise<void> {
    const { allowed, logger, python } = this.#options;
    if (!allowed) throw packageInstallDisabled();
    if (python === undefined) throw noPluginDirectory();
    const own = python.isTorn ? undefined : python.own;
    const interpreter = own ?? (await this.#createEnvironment(python));
    logger.info('installing Python packages', { environment: python.location });
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--no-input', ...args];
    const { code, stderr, stdout } = await run(interpreter, pip, python, INSTALL_TIME_MS).catch((error: unknown) => {
      throw packageInstallFailed(`External call failed: ${messageOf(error)}`, error);
    });
    python.version++;
    if (code === 0) return;
    logger.warn('Python packages were not installed', { error: lastLine(stderr, stdout) });
    throw packageInstallFailed(lastLine(stderr, stdout));
  }

  async #createEnvironment(python: PythonEnvironment): Promise<string> {
    const { logger } = this.#options;
    logger.info('creating the Python environment of the plugins', { environment: python.location });
    // What plugins could import before, they still can.
    const args = ['-m', 'venv', '--system-site-packages', python.location];
    const { code, stderr, stdout } = await run(python.base, args, python, INSTALL_TIME_MS).catch((error: unknown) => {
      if (systemErrorCode(error) === 'ENOENT') throw packageInstallFailed('Plugin environment management is disabled: no Python', error);
      throw packageInstallFailed(`External call failed: ${messageOf(error)}`, error);
    });
    const created = python.own;
    if (code !== 0 || created === undefined) {
      throw packageInstallFailed(`Plugin environment management is disabled: ${lastLine(stderr, stdout)}`);
    }
    return created;
  }

  async #list(python: PythonEnvironment): Promise<void> {
    const { clock, logger } = this.#options;
    this.#listing = true;
    const { version } = python;
    try {
      const { code, stdout } = await run(python.interpreter, ['-c', LIST_SCRIPT], python, LIST_TIME_MS);
      if (code !== 0) throw new Error(`exit code ${code}`);
      this.#names = JSON.parse(stdout) as string[];
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') logger.warn('the Python packages could not be listed', { error: messageOf(error) });
      this.#names = [];
    }
    this.#listing = false;
    this.#listedMs = clock.monotonicMs();
    this.#listedVersion = version;
  }

  #requirementsFile(location: string): string {
    const { python } = this.#options;
    if (python === undefined || /^[a-z][a-z0-9+.-]*:\/\//i.test(location)) return location;
    const inside = join(python.directory, location);
    return existsSync(inside) ? inside : resolve(location);
  }
}

function run(program: string, args: readonly string[], python: PythonEnvironment, timeMs: number): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: python.directory,
      env: python.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.timeout(timeMs),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data: Buffer) => {
      stdout = (stdout + data.toString()).slice(-OUTPUT_CHARS_MAX);
    });
    child.stderr.on('data', (data: Buffer) => {
      stderr = (stderr + data.toString()).slice(-OUTPUT_CHARS_MAX);
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

function lastLine(...outputs: readonly string[]): string {
  for (const output of outputs) {
    const line = output.trimEnd().split('\n').at(-1);
    if (line !== undefined && line !== '') return line;
  }
  return 'no output';
}
