import { mkdir } from 'node:fs/promises';
import type { Engine, EngineOptions } from '../engine/index.ts';

/**
 * Opens the query engine once, when first asked: loading it takes most of a start. `setup` gives the statements that
 * prepare it.
 */
export class LazyEngine {
  readonly #options: Omit<EngineOptions, 'setupStatements'>;
  readonly #setup: () => Promise<readonly string[]>;
  #opening: Promise<Engine> | undefined;

  constructor(options: Omit<EngineOptions, 'setupStatements'>, setup: () => Promise<readonly string[]>) {
    this.#options = options;
    this.#setup = setup;
  }

  /** A failed opening is tried again by the next caller. */
  get(): Promise<Engine> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async close(): Promise<void> {
    const engine = await this.#opening?.catch(() => undefined); // an engine that did not open needs no closing
    engine?.close();
  }

  async #open(): Promise<Engine> {
    const { Engine: EngineClass } = await import('../engine/index.ts');
    await mkdir(this.#options.tempDirectory, { recursive: true });
    return EngineClass.open({ ...this.#options, setupStatements: await this.#setup() });
  }
}
