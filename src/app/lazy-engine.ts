import { mkdir } from 'node:fs/promises';
import type { Engine, EngineOptions } from '../duckdb/index.ts';

/** What is only worth finding out when the engine is needed. */
type PreparedOptions = Pick<EngineOptions, 'setupStatements' | 'memoryLimitBytes'>;
type FixedOptions = Omit<EngineOptions, keyof PreparedOptions>;

/** Opens the query engine once, when first asked: loading it takes most of a start. */
export class LazyEngine {
  readonly #options: FixedOptions;
  readonly #prepare: () => Promise<PreparedOptions>;
  #opening: Promise<Engine> | undefined;
  #onOpen: () => void = () => undefined;

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

  /** Told once, when the engine has opened: somebody uses the server. */
  onOpen(listener: () => void): void {
    this.#onOpen = listener;
  }

  async close(): Promise<void> {
    const engine = await this.#opening?.catch(() => undefined); // an engine that did not open needs no closing
    engine?.close();
  }

  async #open(): Promise<Engine> {
    const directory = mkdir(this.#options.tempDirectory, { recursive: true });
    const [{ Engine: EngineClass }, prepared] = await Promise.all([import('../duckdb/index.ts'), this.#prepare(), directory]);
    const engine = await EngineClass.open({ ...this.#options, ...prepared });
    this.#onOpen();
    return engine;
  }
}
