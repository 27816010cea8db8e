import type { Engine, EngineConnection } from '../../src/duckdb/index.ts';

/** Lets DuckDB fail to write the Parquet files of some tables, for as long as a test wants. */
export class FailingTables {
  /** Database and table ids, as `1/0`. */
  readonly tables = new Set<string>();
  /** What such an attempt fails with. */
  message = 'Binder Error: injected';
  /** Attempts that failed. */
  failures = 0;

  wrap(engine: Engine): Engine {
    return proxied(engine, {
      acquire: async () => {
        const connection = await engine.acquire();
        const wrapped = proxied(connection, { runAndReadAll: (sql: string) => this.#run(connection, sql) });
        this.#real.set(wrapped, connection);
        return wrapped;
      },
      release: (connection: EngineConnection) => engine.release(this.#real.get(connection) ?? connection),
    });
  }

  readonly #real = new WeakMap<EngineConnection, EngineConnection>();

  async #run(connection: EngineConnection, sql: string): ReturnType<EngineConnection['runAndReadAll']> {
    const written = /^COPY .* TO '[^']*\/dbs\/(\d+\/\d+)\//s.exec(sql)?.[1];
    if (written !== undefined && this.tables.has(written)) {
      this.failures++;
      throw new Error(this.message);
    }
    return connection.runAndReadAll(sql);
  }
}

/** An object with some methods replaced; the others run on the object itself, as private members need it. */
function proxied<T extends object>(target: T, methods: Partial<Record<keyof T, unknown>>): T {
  return new Proxy(target, {
    get(_, name) {
      if (name in methods) return methods[name as keyof T];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** With one failing table from the start. */
export function failingTable(ids: string): FailingTables {
  const failing = new FailingTables();
  failing.tables.add(ids);
  return failing;
}
