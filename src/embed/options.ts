/** Options of `startInfluxDB3`. All are optional: without any, an empty server in memory starts that everybody may use. */
export interface StartOptions {
  /** Default: `memory`, or `file` when `dataDir` is given. `memory` forgets everything at the end and never waits for a disk. */
  readonly objectStore?: 'memory' | 'file' | undefined;
  /** Folder of the file store; made when missing. Only one server at a time may use the same folder and `nodeId`. */
  readonly dataDir?: string | undefined;
  /** First folder below `dataDir`. Default: `embedded`. */
  readonly nodeId?: string | undefined;
  /** Databases that exist once the server has started. */
  readonly databases?: readonly string[] | undefined;
  /**
   * Operator token that clients must send; it may be any text without spaces and is stored as a hash. `true` = make one, found
   * in `server.token`. Default: `false`, no authentication.
   */
  readonly token?: string | boolean | undefined;
  /** Address to listen on. Default: `127.0.0.1`. */
  readonly host?: string | undefined;
  /** Default: 0, any free port. */
  readonly port?: number | undefined;
  /**
   * Whether the server keeps the process alive until it is stopped. Default: only when a `port` is given, so that a test that forgets
   * `stop()` does not hang its runner.
   */
  readonly keepAlive?: boolean | undefined;
  /** Lowest level that is logged. Default: `off`. */
  readonly logLevel?: LogLevel | undefined;
  /** Takes each log line, with its newline. Default: standard error. */
  readonly onLogLine?: ((line: string) => void) | undefined;
  /** Sends usage telemetry as a server does. Default: `false`. */
  readonly telemetry?: boolean | undefined;
  /**
   * Any other option of `influxdb3 serve`, by its long name: `{ 'max-databases': 10, 'wal-flush-interval': '10ms' }`.
   * The environment and `.env` files are not read.
   */
  readonly serveOptions?: Readonly<Record<string, string | number | boolean>> | undefined;
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'off';
