import { INFLUXQL_UNIT_NS } from '../../../shared/time-units.ts';
import { parseError } from './errors.ts';

const INT64_MAX = 2n ** 63n - 1n;

const KEYWORDS: ReadonlySet<string> = new Set(
  `ALL ALTER ANALYZE AND ANY AS ASC BEGIN BY CARDINALITY CONTINUOUS CREATE DATABASE DATABASES DEFAULT DELETE DESC
  DESTINATIONS DIAGNOSTICS DISTINCT DROP DURATION END EVERY EXACT EXPLAIN FIELD FOR FROM GRANT GRANTS GROUP GROUPS IN INF
  INSERT INTO KEY KEYS KILL LIMIT MEASUREMENT MEASUREMENTS NAME OFFSET ON OR ORDER PASSWORD POLICIES POLICY PRIVILEGES
  QUERIES QUERY READ REPLICATION RESAMPLE RETENTION REVOKE SELECT SERIES SET SHARD SHARDS SHOW SLIMIT SOFFSET STATS
  SUBSCRIPTION SUBSCRIPTIONS TAG TO USER USERS VALUES WHERE WITH WRITE`.split(/\s+/),
);

const BLANK = /(?:\s+|--[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /\d+(?:\.\d+)?|\.\d+/y;
const DURATION = /(?:\d+(?:ns|ms|us|u|µ|s|m|h|d|w))+/y;

/** Reads the tokens of InfluxQL where the parser expects them; what is not there moves nothing. */
export class Scanner {
  readonly text: string;
  position = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Skips blanks and comments. Returns where the next token starts. */
  blanks(): number {
    BLANK.lastIndex = this.position;
    BLANK.exec(this.text);
    this.position = BLANK.lastIndex;
    return this.position;
  }

  get atEnd(): boolean {
    this.blanks();
    return this.position >= this.text.length;
  }

  /** Takes a symbol such as `(`, `::` or `<=`. */
  symbol(text: string): boolean {
    this.blanks();
    if (!this.text.startsWith(text, this.position)) return false;
    this.position += text.length;
    return true;
  }

  /** Takes the words, in any case, if all of them follow. */
  keywords(...words: readonly string[]): boolean {
    const start = this.position;
    for (const word of words) {
      this.blanks();
      if (this.#match(WORD)?.toUpperCase() !== word) {
        this.position = start;
        return false;
      }
    }
    return true;
  }

  /** Takes `name` or `"name"`; reserved words must be quoted. */
  identifier(): string | undefined {
    const start = this.blanks();
    if (this.text[start] === '"') return this.#quoted('"', 'unterminated string literal');
    const word = this.#match(WORD);
    if (word === undefined || !KEYWORDS.has(word.toUpperCase())) return word;
    this.position = start;
    return undefined;
  }

  string(): string | undefined {
    const start = this.blanks();
    return this.text[start] === "'" ? this.#quoted("'", 'unterminated string literal') : undefined;
  }

  /** Takes `/source/`. */
  regex(): string | undefined {
    const start = this.blanks();
    if (this.text[start] !== '/') return undefined;
    let source = '';
    for (let i = start + 1; i < this.text.length; i++) {
      const char = this.text[i] as string;
      if (char === '\n') break;
      if (char === '/') {
        this.position = i + 1;
        return source;
      }
      if (char === '\\' && this.text[i + 1] === '/') {
        source += '/';
        i++;
      } else if (char === '\\' && i + 1 < this.text.length) {
        source += char + this.text[++i];
      } else source += char;
    }
    throw parseError(this.text, start, 'unterminated regex literal');
  }

  /** Takes `1h30m`; nanoseconds. */
  duration(): bigint | undefined {
    const start = this.blanks();
    const text = this.#match(DURATION);
    if (text === undefined) return undefined;
    if (/[A-Za-z0-9_]/.test(this.text[this.position] ?? '')) {
      this.position = start;
      return undefined;
    }
    let total = 0n;
    for (const [, count, unit] of text.matchAll(/(\d+)(\D+)/g))
      total += BigInt(count as string) * (INFLUXQL_UNIT_NS[unit as string] as bigint);
    if (total > INT64_MAX) throw parseError(this.text, start, `overflowed duration ${text}: choose a smaller duration or INF`);
    return total;
  }

  /** Takes digits with or without a fraction, as they are written. */
  number(): string | undefined {
    this.blanks();
    return this.#match(NUMBER);
  }

  /** Takes `$name`. */
  bindName(): string | undefined {
    const start = this.blanks();
    if (this.text[start] !== '$') return undefined;
    this.position++;
    const name = this.text[this.position] === '"' ? this.#quoted('"', 'unterminated string literal') : this.#match(WORD);
    if (name === undefined) this.position = start;
    return name;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.position = pattern.lastIndex;
    return found;
  }

  #quoted(quote: string, unterminated: string): string {
    const start = this.position;
    let value = '';
    for (let i = start + 1; i < this.text.length; i++) {
      const char = this.text[i] as string;
      if (char === quote) {
        this.position = i + 1;
        return value;
      }
      if (char !== '\\') {
        value += char;
        continue;
      }
      const next = this.text[++i] ?? '';
      value += next === 'n' ? '\n' : next === quote || next === '\\' ? next : `\\${next}`;
    }
    throw parseError(this.text, start, unterminated);
  }
}

/** Nanoseconds of a whole text like `1h30m`; undefined when it is none. */
export function durationNs(text: string): bigint | undefined {
  const scanner = new Scanner(text);
  const ns = scanner.duration();
  return scanner.position === text.length ? ns : undefined;
}
