import pino from 'pino';
import type { Clock } from './clock.ts';
import { type LogFilter, type LogLevel, levelFor } from './logger-filter.ts';
import { createLineWriter, type LogFormat } from './logger-format.ts';
import { redactFields } from './logger-redact.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log of one part of the server. Constant message, values in fields; no tokens, no line contents. */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** True when a line of this level would be written; ask before work that only the log needs. */
  enabled(level: Exclude<LogLevel, 'off'>): boolean;
  /** Logger of another part, e.g. `influxdb3_server::http`. */
  child(target: string): Logger;
}

/** The part of a logger that most code needs. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** Where finished lines go; each ends in a newline. */
export interface LogSink {
  write(line: string): void;
}

export interface LoggerOptions {
  readonly target: string;
  readonly format: LogFormat;
  readonly filter: LogFilter;
  readonly sink: LogSink;
  readonly clock: Clock;
  readonly colors: boolean;
}

/** Builds the logger. Records pass pino's level check first, then redaction, then the chosen format. */
export function createLogger(options: LoggerOptions): Logger {
  const base = pino(
    {
      base: null,
      level: 'trace',
      nestedKey: 'fields',
      timestamp: false,
      formatters: { level: (label) => ({ level: label.toUpperCase() }) },
    },
    createLineWriter(options),
  );
  return new PinoLogger(base, options.filter, options.target);
}

/** Synchronous writer to standard output or standard error: a line is out before the call returns, even in a crash. */
export function standardSink(destination: 'stdout' | 'stderr'): LogSink {
  return pino.destination({ dest: destination === 'stdout' ? 1 : 2, sync: true });
}

/** A logger that writes nothing, for tests and tools. */
export const silentLogger: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  enabled: () => false,
  child: () => silentLogger,
};

class PinoLogger implements Logger {
  readonly #root: pino.Logger;
  readonly #filter: LogFilter;
  readonly #log: pino.Logger;

  constructor(root: pino.Logger, filter: LogFilter, target: string) {
    this.#root = root;
    this.#filter = filter;
    const level = levelFor(filter, target);
    this.#log = root.child({ target }, { level: level === 'off' ? 'silent' : level });
  }

  trace(message: string, fields?: LogFields): void {
    if (this.enabled('trace')) this.#log.trace(record(message, fields));
  }

  debug(message: string, fields?: LogFields): void {
    if (this.enabled('debug')) this.#log.debug(record(message, fields));
  }

  info(message: string, fields?: LogFields): void {
    if (this.enabled('info')) this.#log.info(record(message, fields));
  }

  warn(message: string, fields?: LogFields): void {
    if (this.enabled('warn')) this.#log.warn(record(message, fields));
  }

  error(message: string, fields?: LogFields): void {
    if (this.enabled('error')) this.#log.error(record(message, fields));
  }

  enabled(level: Exclude<LogLevel, 'off'>): boolean {
    return this.#log.isLevelEnabled(level);
  }

  child(target: string): Logger {
    return new PinoLogger(this.#root, this.#filter, target);
  }
}

function record(message: string, fields: LogFields | undefined): Record<string, unknown> {
  return { message, ...(fields === undefined ? undefined : redactFields(fields)) };
}
