import type { Clock } from './clock.ts';

/** Line shapes of `--log-format`. */
export type LogFormat = 'full' | 'pretty' | 'json' | 'logfmt';

interface LogRecord {
  readonly level: string;
  readonly target: string;
  readonly fields: { readonly message: string } & Readonly<Record<string, unknown>>;
}

interface LineOptions {
  readonly format: LogFormat;
  readonly colors: boolean;
  readonly clock: Clock;
  readonly sink: { write(line: string): void };
}

/** Longest line in bytes without its newline; the rest is cut. */
export const lineBytesMax = 16_383;

const levelColors: Readonly<Record<string, number>> = { TRACE: 35, DEBUG: 34, INFO: 32, WARN: 33, ERROR: 31 };

/** A stream for pino that turns each of its JSON records into one line of the chosen format. */
export function createLineWriter(options: LineOptions): { write(json: string): void } {
  return {
    write(json) {
      const line = formatRecord(JSON.parse(json) as LogRecord, options.clock.nowNs(), options);
      options.sink.write(`${cut(line)}\n`);
    },
  };
}

/** One record as text, without a newline at the end. `nowNs` is nanoseconds since the epoch. */
function formatRecord(record: LogRecord, nowNs: bigint, style: { format: LogFormat; colors: boolean }): string {
  switch (style.format) {
    case 'full':
      return full(record, nowNs, style.colors);
    case 'pretty':
      return pretty(record, nowNs, style.colors);
    case 'logfmt':
      return logfmt(record, nowNs);
    case 'json':
      return JSON.stringify({ timestamp: timestamp(nowNs), level: record.level, fields: record.fields, target: record.target });
  }
}

/** UTC RFC 3339 with six decimals. */
export function timestamp(nowNs: bigint): string {
  const micros = (nowNs / 1_000n) % 1_000_000n;
  const seconds = new Date(Number(nowNs / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${micros.toString().padStart(6, '0')}Z`;
}

function full(record: LogRecord, nowNs: bigint, colors: boolean): string {
  const level = paint(record.level.padStart(5), levelColors[record.level] ?? 0, colors);
  const head = `${paint(timestamp(nowNs), 2, colors)} ${level} ${paint(`${record.target}:`, 2, colors)}`;
  return [`${head} ${oneLine(record.fields.message)}`, ...otherFields(record).map(([name, value]) => `${name}=${bare(value)}`)].join(' ');
}

function pretty(record: LogRecord, nowNs: bigint, colors: boolean): string {
  const fields = otherFields(record).map(([name, value]) => `, ${name}: ${bare(value)}`);
  const level = paint(record.level.padStart(5), levelColors[record.level] ?? 0, colors);
  return `  ${timestamp(nowNs)} ${level} ${record.target}: ${record.fields.message}${fields.join('')}\n    at ${record.target}\n`;
}

function logfmt(record: LogRecord, nowNs: bigint): string {
  const pairs: [string, unknown][] = [['level', record.level.toLowerCase()], ['msg', record.fields.message], ...otherFields(record)];
  const text = pairs.map(([name, value]) => `${name}=${bare(value)}`).join(' ');
  return `${text} target=${JSON.stringify(record.target)} ts=${timestamp(nowNs)} time=${nowNs}`;
}

function otherFields(record: LogRecord): [string, unknown][] {
  return Object.entries(record.fields).filter(([name]) => name !== 'message');
}

/** Unquoted when nothing in it could be misread. */
function bare(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = typeof value !== 'string' || /^[^\s="\\\p{Cc}]+$/u.test(text);
  return safe ? text : JSON.stringify(text);
}

function oneLine(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\r', '\\r');
}

function paint(text: string, color: number, colors: boolean): string {
  return colors ? `\u001b[${color}m${text}\u001b[0m` : text;
}

function cut(line: string): string {
  if (Buffer.byteLength(line) <= lineBytesMax) return line;
  return Buffer.from(line)
    .subarray(0, lineBytesMax)
    .toString('utf8')
    .replace(/\uFFFD$/, '');
}
