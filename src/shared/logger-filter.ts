/** Log filter directives: `level` or `target=level`, comma separated; the longest matching target wins. */

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'off';

interface Directive {
  /** Empty = every target. */
  readonly target: string;
  readonly level: LogLevel;
}

/** Parsed directives, longest target first. */
export interface LogFilter {
  readonly text: string;
  readonly directives: readonly Directive[];
}

/** Why a filter text cannot be used. */
export class LogFilterError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LogFilterError';
  }
}

const levels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error', 'off'];

const noiseReduction =
  'influxdb3_server::http=info,reqwest=info,object_store_metrics=info,hyper_util=info,hyper::proto::h1=info,h2=info,' +
  'datafusion_optimizer=info,influxdb3_wal=info,iox_query=info,datafusion=info';

/** The filter text in force: `-v` count beats the option; chatty targets of `debug` and `trace` are calmed unless told not to. */
export function effectiveFilterText(choice: { verbosity: number; text: string; keepNoise: boolean }): string {
  const text = choice.verbosity === 0 ? choice.text : verbosityFilter(choice.verbosity);
  const chatty = /^\s*(debug|trace)/.test(text);
  return chatty && !choice.keepNoise ? `${text},${noiseReduction}` : text;
}

/** Parses directives. Throws `LogFilterError`. */
export function parseLogFilter(text: string): LogFilter {
  const parts = text.split(',').map((part) => part.trim());
  const directives = parts.filter((part) => part !== '').map(parseDirective);
  // compat: a filter without any directive shows errors only.
  if (directives.length === 0) directives.push({ target: '', level: 'error' });
  // Later directives of the same target win, so they must come first among equals.
  return { text, directives: directives.reverse().sort((a, b) => b.target.length - a.target.length) };
}

/** The lowest level that `target` writes. */
export function levelFor(filter: LogFilter, target: string): LogLevel {
  return filter.directives.find((directive) => target.startsWith(directive.target))?.level ?? 'off';
}

function verbosityFilter(count: number): string {
  if (count === 1) return 'info,sqlx=warn';
  return count === 2 ? 'debug' : 'trace';
}

function parseDirective(part: string): Directive {
  const equals = part.indexOf('=');
  if (equals === -1) {
    const level = findLevel(part);
    if (level !== undefined) return { target: '', level };
    checkTarget(part, part);
    return { target: part, level: 'trace' };
  }
  const target = part.slice(0, equals).trim();
  const level = findLevel(part.slice(equals + 1).trim());
  checkTarget(target, part);
  if (level === undefined) throw new LogFilterError(`invalid log filter directive '${part}': expected one of ${levels.join(', ')}`);
  return { target, level };
}

function checkTarget(target: string, part: string): void {
  if (!/^[A-Za-z0-9_:.-]+$/.test(target)) throw new LogFilterError(`invalid log filter directive '${part}'`);
}

function findLevel(word: string): LogLevel | undefined {
  return levels.find((level) => level === word.toLowerCase());
}
