import { DurationError, parseDurationNs } from '../shared/duration.ts';
import { MemorySizeError, parseMemorySize } from '../shared/memory-size.ts';
import { ValueError } from './usage-error.ts';

/** What parsing may need to know about the machine. */
export interface ValueFacts {
  readonly memoryTotalBytes: number;
}

/** How one kind of option value is read. `parse` throws `ValueError`. */
export interface ValueType<T> {
  /** Word for documentation: `duration`, `path`, … */
  readonly name: string;
  /** A presence switch on the command line, `true` or `false` in the environment. */
  readonly isSwitch?: boolean;
  /** Several values, separated by commas and by repeating the option. */
  readonly isList?: boolean;
  /** Words that are accepted, for help. */
  readonly possibleValues?: readonly string[];
  parse(text: string, facts: ValueFacts): T;
}

export const text: ValueType<string> = { name: 'text', parse: (value) => value };

/** A text where empty means not given (the two AWS keys). */
export const textOrNothing: ValueType<string | undefined> = { name: 'text', parse: (value) => (value === '' ? undefined : value) };

/** A file system path, kept as written. */
export const path: ValueType<string> = {
  name: 'path',
  parse(value) {
    if (value === '') throw new ValueError('', { missing: true });
    if (value.includes('\0')) throw new ValueError('a path cannot contain a NUL byte');
    return value;
  },
};

export const boolean: ValueType<boolean> = {
  name: 'true or false',
  isSwitch: true,
  parse: booleanWord,
};

/** `true` or `false` written out on the command line too. */
export const booleanValue: ValueType<boolean> = { name: 'true or false', possibleValues: ['true', 'false'], parse: booleanWord };

/** Length of time in milliseconds; less than a millisecond counts as zero. */
export const durationMs: ValueType<number> = { name: 'duration', parse: (value) => Number(durationNs(value) / 1_000_000n) };

/** Length of time in milliseconds for something with a timer, at least 1 ms. */
export const timerMs: ValueType<number> = {
  name: 'duration',
  parse(value) {
    const ms = Number(durationNs(value) / 1_000_000n);
    if (ms < 1) throw new ValueError('must be at least 1ms');
    return ms;
  },
};

/** Memory in bytes. A bare number is megabytes. */
export const memoryBytes: ValueType<number> = {
  name: 'memory size',
  parse(value, facts) {
    try {
      return parseMemorySize(value, facts.memoryTotalBytes);
    } catch (error) {
      throw error instanceof MemorySizeError ? new ValueError(error.message) : error;
    }
  },
};

/** Bytes. A bare number is bytes; `b kb mb gb` (1024-based) are accepted too. */
export const sizeBytes: ValueType<number> = {
  name: 'bytes',
  parse(value) {
    const match = /^([0-9]+) ?(b|kb|mb|gb)$/i.exec(value);
    if (match === null) return Number(unsignedInteger(value, 64));
    const power = ['b', 'kb', 'mb', 'gb'].indexOf((match[2] ?? '').toLowerCase());
    return Number(unsignedInteger(match[1] ?? '', 64)) * 1024 ** power;
  },
};

/** Whole number from zero. */
export const integer: ValueType<number> = { name: 'number', parse: (value) => Number(unsignedInteger(value, 64)) };

/** Whole number from one. */
export const positiveInteger: ValueType<number> = {
  name: 'number',
  parse(value) {
    const number = Number(unsignedInteger(value, 64));
    if (number === 0) throw new ValueError('number would be zero for non-zero type');
    return number;
  },
};

/** Whole number from one, with its own text for zero. */
export function integerFromOne(zeroText: string): ValueType<number> {
  return {
    name: 'number',
    parse(value) {
      const number = Number(unsignedInteger(value, 64));
      if (number === 0) throw new ValueError(zeroText);
      return number;
    },
  };
}

/** UDP or TCP port. */
export const port: ValueType<number> = {
  name: 'number',
  parse(value) {
    const number = Number(unsignedInteger(value, 16));
    if (number === 0) throw new ValueError('number would be zero for non-zero type');
    return number;
  },
};

export const signedInteger: ValueType<number> = {
  name: 'number',
  parse(value) {
    const negative = value.startsWith('-');
    const digits = Number(unsignedInteger(negative ? value.slice(1) : value, 31));
    return negative ? -digits : digits;
  },
};

/** Number of queries that may run at once. */
export const concurrentQueries: ValueType<number> = {
  name: 'number',
  parse(value) {
    const parsed = tryUnsigned(value, 64);
    if (typeof parsed === 'string') throw new ValueError(`invalid integer: ${parsed}`);
    if (parsed === 0n) throw new ValueError('must be a positive integer, got 0');
    if (parsed > concurrentQueriesMax) throw new ValueError(`exceeds maximum of ${concurrentQueriesMax}`);
    return Number(parsed);
  },
};

const concurrentQueriesMax = 2_305_843_009_213_693_951n;

/** A share between 0 and 1, both excluded. */
export const fraction: ValueType<number> = {
  name: 'fraction',
  parse(value) {
    if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/i.test(value)) throw new ValueError('failed to parse prune percent as f64');
    const number = Number(value);
    if (!(number > 0 && number < 1)) throw new ValueError('prune percent must be between 0 and 1');
    return number;
  },
};

/** Absolute URL without a trailing slash. */
export const url: ValueType<string> = { name: 'URL', parse: (value) => absoluteUrl(value).replace(/\/$/, '') };

/** Absolute URL, kept exactly as written (a trailing slash means something). */
export const exactUrl: ValueType<string> = { name: 'URL', parse: absoluteUrl };

/** Absolute URL of a server; a host alone is reached by plain HTTP, on the port of InfluxDB 3 when it names none. */
export const hostUrl: ValueType<string> = {
  name: 'URL',
  parse(value) {
    if (value === '' || value.includes('://') || !/^(?:[a-z0-9._-]+|\[[0-9a-f:.%]+\])(?::[0-9]+)?\/?$/i.test(value))
      return absoluteUrl(value);
    const host = value.replace(/\/$/, '');
    return absoluteUrl(`http://${host}${/:[0-9]+$/.test(host.replace(/^\[.*\]/, '')) ? '' : `:${DEFAULT_PORT}`}`);
  },
};

/** Where InfluxDB 3 listens unless told otherwise. */
const DEFAULT_PORT = 8181;

/** One of some words. `anyCase` compares without case and answers with the word as listed. */
export function oneOf<const W extends string>(words: readonly W[], options: OneOfOptions = {}): ValueType<W> {
  return {
    name: words.join(', '),
    possibleValues: words,
    parse(value) {
      const found = words.find((word) => word === (options.anyCase ? value.toLowerCase() : value));
      if (found !== undefined) return found;
      const reason = options.refusal?.(value);
      throw reason === undefined ? new ValueError('', { possibleValues: words }) : new ValueError(reason);
    },
  };
}

export interface OneOfOptions {
  readonly anyCase?: boolean;
  /** Own text for a wrong word; without it the possible values are listed. */
  readonly refusal?: (value: string) => string;
}

/** Comma list; `trim` drops the spaces around items. */
export function listOf<T>(item: ValueType<T>, options: { trim?: boolean } = {}): ValueType<readonly T[]> {
  return {
    name: `list of ${item.name}`,
    isList: true,
    ...(item.possibleValues === undefined ? undefined : { possibleValues: item.possibleValues }),
    parse: (value, facts) => value.split(',').map((part) => item.parse(options.trim ? part.trim() : part, facts)),
  };
}

function booleanWord(value: string): boolean {
  if (value === '') throw new ValueError('', { missing: true, possibleValues: ['true', 'false'] });
  if (value !== 'true' && value !== 'false') throw new ValueError('', { possibleValues: ['true', 'false'] });
  return value === 'true';
}

function durationNs(value: string): bigint {
  try {
    return parseDurationNs(value);
  } catch (error) {
    throw error instanceof DurationError ? new ValueError(error.message) : error;
  }
}

function absoluteUrl(value: string): string {
  if (!URL.canParse(value))
    throw new ValueError(value === '' || !/^[a-z][a-z0-9+.-]*:/i.test(value) ? 'relative URL without a base' : 'empty host');
  return value;
}

function unsignedInteger(value: string, bits: number): bigint {
  const parsed = tryUnsigned(value, bits);
  if (typeof parsed === 'string') throw new ValueError(parsed);
  return parsed;
}

function tryUnsigned(value: string, bits: number): bigint | string {
  if (value === '') return 'cannot parse integer from empty string';
  if (!/^\+?[0-9]+$/.test(value)) return 'invalid digit found in string';
  const parsed = BigInt(value.replace('+', ''));
  return parsed >= 2n ** BigInt(bits) ? 'number too large to fit in target type' : parsed;
}
