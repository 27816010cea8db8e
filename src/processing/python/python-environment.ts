import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface PythonEnvironmentOptions {
  /** `--plugin-dir`. */
  readonly pluginDir: string;
  /** `--virtual-env-location`; undefined = `.venv` in the plugin directory. */
  readonly location: string | undefined;
  /** `--plugin-python`. */
  readonly python: string | undefined;
  /** Of the server: plugins read addresses and tokens from it. */
  readonly env: NodeJS.ProcessEnv;
}

/** Which Python runs plugins: that of the virtual environment once there is one, else the system's. */
export class PythonEnvironment {
  readonly directory: string;
  readonly location: string;
  readonly #options: PythonEnvironmentOptions;
  /** Grows with each change of the packages. */
  version = 0;

  constructor(options: PythonEnvironmentOptions) {
    this.#options = options;
    this.directory = resolve(options.pluginDir);
    this.location = resolve(options.location ?? join(options.pluginDir, '.venv'));
  }

  /** Interpreter of the virtual environment; undefined = there is none yet. */
  get own(): string | undefined {
    const path = process.platform === 'win32' ? join(this.location, 'Scripts', 'python.exe') : join(this.location, 'bin', 'python');
    return existsSync(path) ? path : undefined;
  }

  /**
   * Whether making the environment in the plugin directory was cut off, by a crash or a full disk: `activate` is written last. One that was named is
   * taken as it is.
   */
  get isTorn(): boolean {
    const folder = process.platform === 'win32' ? 'Scripts' : 'bin';
    return this.#options.location === undefined && this.own !== undefined && !existsSync(join(this.location, folder, 'activate'));
  }

  /** Interpreter that virtual environments are made with. */
  get base(): string {
    return this.#options.python ?? 'python3';
  }

  get interpreter(): string {
    return this.isTorn ? this.base : (this.own ?? this.base);
  }

  /** Environment variables of plugins. */
  get env(): NodeJS.ProcessEnv {
    return { ...this.#options.env, VIRTUAL_ENV: this.location, INFLUXDB3_PLUGIN_DIR: this.directory };
  }
}
