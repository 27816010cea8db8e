import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, EngineOptions } from '../duckdb/index.ts';
import type { InfluxError } from '../shared/errors.ts';

/** What is only worth finding out when DuckDB is needed. */
type PreparedOptions = Pick<EngineOptions, 'setupStatements' | 'memoryLimitBytes'>;
type FixedOptions = Omit<EngineOptions, keyof PreparedOptions>;

/**
 * Opens DuckDB when first asked, and again after it has failed: loading it takes most of a start.
 *
 * Shared by: all who use DuckDB. Nobody keeps an instance beyond its failure: whoever waits or calls again gets the promise
 * of the one instance that is open or being opened.
 */
export class LazyEngine {
  readonly #options: FixedOptions;
  readonly #prepare: () => Promise<PreparedOptions>;
  #opening: Promise<Engine> | undefined;
  #onOpen: () => void = () => undefined;
  #onFailure: (failure: InfluxError) => void = () => undefined;
  #discarded = 0;

  constructor(options: FixedOptions, prepare: () => Promise<PreparedOptions>) {
    this.#options = options;
    this.#prepare = prepare;
  }

  /** A failed opening is tried again by the next caller. */
  get(): Promise<Engine> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Told once, when DuckDB has opened: somebody uses the server. */
  onOpen(listener: () => void): void {
    this.#onOpen = listener;
  }

  /** Told whenever an instance has failed. */
  onFailure(listener: (failure: InfluxError) => void): void {
    this.#onFailure = listener;
  }

  /** Closes an instance that has failed; the next `get` opens another. */
  async discard(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#discarded++;
    const engine = await opening?.catch(() => undefined); // an engine that did not open needs no closing
    engine?.close();
  }

  async close(): Promise<void> {
    const engine = await this.#opening?.catch(() => undefined); // as above
    engine?.close();
  }

  async #open(): Promise<Engine> {
    // What still runs on a failed instance may spill: the next one must not find, or lose, files of the same names.
    const { tempDirectory: base } = this.#options;
    const tempDirectory = this.#discarded === 0 ? base : join(base, `reopened-${this.#discarded}`);
    const directory = mkdir(tempDirectory, { recursive: true });
    const [{ Engine: EngineClass }, prepared] = await Promise.all([import('../duckdb/index.ts'), this.#prepare(), directory]);
    const engine = await EngineClass.open({ ...this.#options, ...prepared, tempDirectory });
    engine.onFailure((failure) => this.#onFailure(failure));
    this.#onOpen();
    return engine;
  }
}
