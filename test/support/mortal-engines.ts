import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChunkAppender, Engine, type EngineConnection } from '../../src/duckdb/index.ts';
import type { InfluxError } from '../../src/shared/errors.ts';
import type { EngineSource } from '../../src/write/reopening-store.ts';

/** What DuckDB says to everything once its database is invalid. */
const FATAL =
  'FATAL Error: Failed: database has been invalidated because of a previous fatal error. The database must be restarted prior to being used again.';

/** When a call of DuckDB takes it down: instead of being carried out, or after that. */
export type Death = 'before' | 'after';

/** One DuckDB after the other; each dies at a call that the test chooses, and then refuses everything. */
export class MortalEngines implements EngineSource {
  /** Calls of all instances so far. */
  calls = 0;
  /** Instances that were opened. */
  opened = 0;
  readonly #directory: string;
  readonly #deaths = new Map<number, Death>();
  #listener: (failure: InfluxError) => void = () => undefined;
  #current: Promise<Engine> | undefined;

  /** @param directory the only one that DuckDB may use */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Lets the call with this number, counted over all instances, be the last of its instance. */
  dieAt(call: number, death: Death): void {
    this.#deaths.set(call, death);
  }

  get(): Promise<Engine> {
    this.#current ??= this.#open();
    return this.#current;
  }

  onFailure(listener: (failure: InfluxError) => void): void {
    this.#listener = listener;
  }

  async discard(): Promise<void> {
    const engine = await this.#current;
    this.#current = undefined;
    engine?.close();
  }

  async #open(): Promise<Engine> {
    const tempDirectory = join(this.#directory, `spill-${this.opened++}`);
    await mkdir(tempDirectory, { recursive: true });
    const engine = await Engine.open({
      threads: 2,
      memoryLimitBytes: 256 * 1024 * 1024,
      tempDirectory,
      allowedDirectories: [this.#directory],
      setupStatements: [],
    });
    engine.onFailure((failure) => this.#listener(failure));
    return this.#mortal(engine);
  }

  #mortal(engine: Engine): Engine {
    const leases = new Map<EngineConnection, EngineConnection>();
    const acquire = async (): Promise<EngineConnection> => {
      const connection = await engine.acquire();
      const lease = this.#counted(engine, connection, ['run', 'runAndReadAll', 'stream', 'fetch']);
      leases.set(lease, connection);
      return lease;
    };
    const release = (lease: EngineConnection): void => {
      engine.release(leases.get(lease) as EngineConnection);
      leases.delete(lease);
    };
    const run = async (sql: string): Promise<void> => {
      const lease = await acquire();
      await lease.run(sql).finally(() => release(lease));
    };
    const appender = (...args: Parameters<Engine['appender']>): ChunkAppender =>
      this.#counted(engine, engine.appender(...args), ['advance', 'flush', 'close']);
    const own: Readonly<Record<string, unknown>> = { acquire, release, run, appender };
    return new Proxy(engine, { get: (target, name) => own[String(name)] ?? bound(target, name) });
  }

  /** The object with some methods counted; after the death they fail as DuckDB does. */
  #counted<T extends object>(engine: Engine, object: T, methods: readonly string[]): T {
    const fail = (): never => {
      const error = new Error(FATAL);
      engine.noticeFailure(error);
      throw error;
    };
    return new Proxy(object, {
      get: (target, name) => {
        const method = bound(target, name);
        if (!methods.includes(String(name)) || typeof method !== 'function') return method;
        return (...args: unknown[]): unknown => {
          const death = this.#deaths.get(++this.calls);
          if (death === 'before' || engine.failure !== undefined) fail();
          const result: unknown = method(...args);
          if (death === undefined) return result;
          return result instanceof Promise ? result.then(fail) : fail();
        };
      },
    });
  }
}

function bound(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? value.bind(target) : value;
}
