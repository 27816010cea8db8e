import { runServer, type StartupInfo } from '../app/index.ts';
import { checkServeConfig, readHostFacts, type ServeConfig } from '../config/index.ts';
import { systemClock } from '../shared/clock.ts';
import { createLogger, type Logger, silentLogger } from '../shared/logger.ts';
import { parseLogFilter } from '../shared/logger-filter.ts';
import { Client, type QueryOptions, type Row, type WriteOptions } from './client.ts';
import { checkNames, chosenToken, embeddedConfig } from './config.ts';
import type { StartOptions } from './options.ts';

/** A server that runs inside this process. */
export interface InfluxDB3 {
  /** `http://127.0.0.1:<port>`, for any client. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** What clients must send; undefined = nothing. */
  readonly token: string | undefined;
  /** Writes line protocol; resolves when queries see it. Throws `ServerError` when a line was refused. */
  write(database: string, lines: string | readonly string[], options?: WriteOptions): Promise<void>;
  /** All rows of a SQL query. Throws `ServerError`. */
  query<T = Row>(database: string, sql: string, options?: QueryOptions): Promise<T[]>;
  /** Ends the server: requests under way finish, a memory store is removed. Idempotent. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a server in this process: no child, no signal handlers, nothing printed unless asked. Any number may run at once.
 * Without a port of its own a server does not keep the process alive (`keepAlive`). Throws `StartupError`; nothing is left open then.
 */
export async function startInfluxDB3(options: StartOptions = {}): Promise<InfluxDB3> {
  checkNames(options);
  const token = chosenToken(options.token);
  const config = embeddedConfig(options, token, readHostFacts());
  checkServeConfig(config);
  const started: StartupInfo[] = [];
  const keepsAlive = options.keepAlive ?? (options.port ?? 0) !== 0;
  const hooks = { keepsAlive, logger: openLog(config, options), onReady: (info: StartupInfo) => void started.push(info) };
  const server = await runServer(config, hooks, { operatorToken: token, databases: options.databases });
  server.closed.catch(() => undefined); // whoever stops the server hears of a failure
  const client = new Client(server.url, token);
  return {
    url: server.url,
    ...splitAddress(started[0]?.address ?? ''),
    token,
    write: (database, lines, writeOptions = {}) => client.write(database, lines, writeOptions),
    query: async <T = Row>(database: string, sql: string, queryOptions: QueryOptions = {}) =>
      (await client.query(database, sql, queryOptions)) as T[],
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function openLog(config: ServeConfig, { logLevel = 'off', onLogLine }: StartOptions): Logger {
  if (logLevel === 'off') return silentLogger;
  return createLogger({
    target: 'influxdb3_serve::embed',
    format: config.log.format,
    filter: parseLogFilter(config.log.filter),
    sink: { write: onLogLine ?? ((line) => void process.stderr.write(line)) },
    clock: systemClock,
    colors: false,
  });
}

function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}
