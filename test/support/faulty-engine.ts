import type { ChunkAppender, Engine } from '../../src/duckdb/index.ts';

/** When a step fails: before DuckDB was called, or after it has done what it was asked for. */
export type FaultKind = 'before' | 'after';

/** Calls of DuckDB that change tables or look at them, and the ones that fail. */
export class EngineFaults {
  /** Calls so far. */
  steps = 0;
  /** Names of the calls that failed. */
  readonly failed: string[] = [];
  #failing: (step: number) => FaultKind | undefined = () => undefined;

  /** From now on; the first step has the number 0. */
  fail(failing: (step: number) => FaultKind | undefined): void {
    this.steps = 0;
    this.#failing = failing;
  }

  /** The same engine, with statements and appends that fail as this object says. */
  wrap(engine: Engine): Engine {
    return proxied(engine, {
      run: async (sql: string) => this.#stepAsync(`run ${sql.slice(0, 60)}`, () => engine.run(sql)),
      appender: (...args: Parameters<Engine['appender']>) => this.#wrapAppender(engine.appender(...args)),
    });
  }

  #wrapAppender(appender: ChunkAppender): ChunkAppender {
    return proxied(appender, {
      fixed: (...args: Parameters<ChunkAppender['fixed']>) => this.#step('fixed', () => appender.fixed(...args)),
      strings: (...args: Parameters<ChunkAppender['strings']>) => this.#step('strings', () => appender.strings(...args)),
      nulls: (...args: Parameters<ChunkAppender['nulls']>) => this.#step('nulls', () => appender.nulls(...args)),
      advance: (count: number) => this.#step('advance', () => appender.advance(count)),
      flush: () => this.#step('flush', () => appender.flush()),
      close: () => this.#step('close', () => appender.close()),
    });
  }

  #step<T>(name: string, call: () => T): T {
    const kind = this.#failing(this.steps++);
    if (kind === 'before') throw this.#fault(name);
    const result = call();
    if (kind === 'after') throw this.#fault(name);
    return result;
  }

  async #stepAsync<T>(name: string, call: () => Promise<T>): Promise<T> {
    const kind = this.#failing(this.steps++);
    if (kind === 'before') throw this.#fault(name);
    const result = await call();
    if (kind === 'after') throw this.#fault(name);
    return result;
  }

  #fault(name: string): Error {
    this.failed.push(name);
    return new Error(`Out of Memory Error: injected into ${name}`);
  }
}

/** An object with some methods replaced; the others run on the object itself, as private members need it. */
export function proxied<T extends object>(target: T, methods: Partial<Record<keyof T, unknown>>): T {
  return new Proxy(target, {
    get(_, name) {
      if (name in methods) return methods[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
