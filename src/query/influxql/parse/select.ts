/** SELECT and its clauses. */
import type { Dimension, Expr, Field, Fill, Select, Source } from '../compile/ir.ts';
import type { InfluxqlParam, IntoClause, Qualifier } from './ast.ts';
import { parseError } from './errors.ts';
import { ExpressionParser } from './expressions.ts';
import type { Scanner } from './scanner.ts';

/** Deeper subqueries are refused. */
const SUBQUERY_DEPTH_MAX = 50;

/** Parses the clauses of one statement and collects what it says about databases. */
export class ClauseParser {
  readonly qualifiers: Qualifier[] = [];
  /** What the statement says behind INTO. */
  into: IntoClause | undefined;
  readonly expressions: ExpressionParser;
  readonly #scanner: Scanner;
  #depth = 0;

  constructor(scanner: Scanner, params: ReadonlyMap<string, InfluxqlParam>, statementStart: number) {
    this.#scanner = scanner;
    this.expressions = new ExpressionParser(scanner, params, statementStart);
  }

  /** What follows the word SELECT. @param mayWrite INTO may stand in it; `into` has it then */
  select(mayWrite = false): Select {
    const fields = this.#fields();
    if (mayWrite && this.#scanner.keywords('INTO')) this.into = this.#into();
    const fromAt = this.#scanner.blanks();
    if (!this.#scanner.keywords('FROM')) throw this.#error(fromAt, 'invalid SELECT statement, expected FROM');
    const sources = this.sources(true);
    const where = this.where();
    const dimensions = this.#groupBy();
    const fill = this.#fill();
    const descending = this.#orderBy();
    const limit = this.count('LIMIT');
    const offset = this.count('OFFSET');
    const seriesLimit = this.count('SLIMIT');
    const seriesOffset = this.count('SOFFSET');
    const zone = this.#zone();
    const limited = seriesLimit !== undefined || seriesOffset !== undefined;
    const series = limited ? { limit: seriesLimit, offset: seriesOffset } : undefined;
    return { fields, sources, where, dimensions, fill, descending, limit, offset, seriesLimit: series, zone };
  }

  /** The list behind FROM. */
  sources(subqueries: boolean): Source[] {
    const sources: Source[] = [];
    do {
      const start = this.#scanner.blanks();
      const source = (subqueries ? this.#subquery() : undefined) ?? this.#measurement();
      if (source === undefined) {
        const what = subqueries ? 'identifier, regular expression or subquery' : 'identifier or regular expression';
        throw this.#error(start, `invalid FROM clause, expected ${what}`);
      }
      sources.push(source);
    } while (this.#scanner.symbol(','));
    return sources;
  }

  where(): Expr | undefined {
    return this.#scanner.keywords('WHERE') ? this.expressions.condition() : undefined;
  }

  /** `LIMIT n` and its kin. */
  count(word: 'LIMIT' | 'OFFSET' | 'SLIMIT' | 'SOFFSET'): bigint | undefined {
    if (!this.#scanner.keywords(word)) return undefined;
    const start = this.#scanner.blanks();
    const literal = this.expressions.literal();
    if (literal?.kind === 'integer' || literal?.kind === 'unsigned') return literal.value;
    throw this.#error(start, `invalid ${word} clause, expected unsigned integer`);
  }

  /** `m`, `rp.m`, `db.rp.m`, `db..m`, the last part a name or `:MEASUREMENT`. */
  #into(): IntoClause {
    const scanner = this.#scanner;
    const start = scanner.blanks();
    const parts: (string | undefined)[] = [];
    for (;;) {
      if (parts.length < 3 && scanner.symbol(':MEASUREMENT')) {
        parts.push(undefined);
        break;
      }
      const name = scanner.identifier();
      if (name === undefined) throw this.#error(start, 'invalid INTO clause, expected identifier');
      parts.push(name);
      if (parts.length === 3 || scanner.text[scanner.position] !== '.') break;
      scanner.position++;
      if (parts.length === 1 && scanner.text[scanner.position] === '.') {
        parts.push(undefined);
        scanner.position++;
      }
    }
    const measurement = parts.pop();
    const policy = parts.pop();
    return { database: parts.pop(), policy, measurement };
  }

  #fields(): Field[] {
    const fields: Field[] = [];
    do {
      const start = this.#scanner.blanks();
      const expr = this.expressions.value();
      if (expr === undefined) throw this.#error(start, 'invalid SELECT statement, expected field');
      fields.push({ expr, alias: this.#alias() });
    } while (this.#scanner.symbol(','));
    return fields;
  }

  #alias(): string | undefined {
    if (!this.#scanner.keywords('AS')) return undefined;
    const start = this.#scanner.blanks();
    const alias = this.#scanner.identifier();
    if (alias === undefined) throw this.#error(start, 'invalid field alias, expected identifier');
    return alias;
  }

  #subquery(): Source | undefined {
    const start = this.#scanner.blanks();
    if (!this.#scanner.symbol('(')) return undefined;
    if (!this.#scanner.keywords('SELECT')) throw this.#error(start + 1, 'invalid subquery, expected SELECT statement');
    if (this.#depth >= SUBQUERY_DEPTH_MAX) throw this.#error(start, 'subqueries are nested too deeply');
    this.#depth++;
    const select = this.select();
    this.#depth--;
    const end = this.#scanner.blanks();
    if (!this.#scanner.symbol(')')) throw this.#error(end, "invalid subquery, expected ')'");
    return { kind: 'subquery', select };
  }

  /** `m`, `rp.m`, `db.rp.m`, `db..m`, the last part a name or `/regex/`. */
  #measurement(): Source | undefined {
    const parts: (string | undefined)[] = [];
    let source = this.#lastPart();
    while (source?.kind === 'measurement' && parts.length < 2 && this.#scanner.text[this.#scanner.position] === '.') {
      parts.push(source.name);
      this.#scanner.position++;
      if (parts.length === 1 && this.#scanner.text[this.#scanner.position] === '.') {
        parts.push(undefined);
        this.#scanner.position++;
      }
      source = this.#lastPart();
    }
    if (source === undefined) return undefined;
    const [first, second] = parts;
    this.qualifiers.push(parts.length < 2 ? { database: undefined, policy: first } : { database: first, policy: second });
    return source;
  }

  #lastPart(): Extract<Source, { kind: 'measurement' | 'regex' }> | undefined {
    const source = this.#scanner.regex();
    if (source !== undefined) return { kind: 'regex', source };
    const name = this.#scanner.identifier();
    return name === undefined ? undefined : { kind: 'measurement', name };
  }

  #groupBy(): Dimension[] {
    if (!this.#scanner.keywords('GROUP')) return [];
    const start = this.#scanner.blanks();
    if (!this.#scanner.keywords('BY')) throw this.#error(start, 'invalid GROUP BY clause, expected BY');
    const dimensions: Dimension[] = [];
    do dimensions.push(this.#dimension());
    while (this.#scanner.symbol(','));
    return dimensions;
  }

  #dimension(): Dimension {
    const start = this.#scanner.blanks();
    if (this.#scanner.symbol('*')) {
      if (this.#scanner.symbol('::') && !this.#scanner.keywords('TAG')) {
        throw this.#error(this.#scanner.position, 'invalid wildcard type specifier, expected TAG or FIELD');
      }
      return { kind: 'wildcard' };
    }
    const source = this.#scanner.regex();
    if (source !== undefined) return { kind: 'regex', source };
    if (this.#scanner.keywords('TIME') && this.#scanner.symbol('(')) return this.#timeCall();
    this.#scanner.position = start;
    const name = this.#scanner.identifier();
    if (name === undefined) throw this.#error(start, 'invalid GROUP BY clause, expected wildcard, TIME, identifier or regular expression');
    if (this.#scanner.symbol('::')) this.#scanner.keywords('TAG');
    return { kind: 'tag', name };
  }

  #timeCall(): Dimension {
    const start = this.#scanner.blanks();
    if (this.#scanner.symbol(')')) throw this.#error(start, 'invalid TIME call, expected 1 or 2 arguments');
    const literal = this.expressions.literal();
    if (literal?.kind !== 'duration') throw this.#error(start, 'invalid TIME call, expected a duration for the interval');
    const offset = this.#scanner.symbol(',') ? this.expressions.value() : undefined;
    const end = this.#scanner.blanks();
    if (!this.#scanner.symbol(')')) throw this.#error(end, "invalid TIME call, expected ')'");
    return { kind: 'time', intervalNs: literal.ns, offset };
  }

  #fill(): Fill | undefined {
    const start = this.#scanner.position;
    if (!this.#scanner.keywords('FILL') || !this.#scanner.symbol('(')) {
      this.#scanner.position = start;
      return undefined;
    }
    const option = this.#fillOption();
    if (option !== undefined && this.#scanner.symbol(')')) return option;
    throw this.#error(this.#scanner.blanks(), 'invalid FILL option, expected NULL, NONE, PREVIOUS, LINEAR, or a number');
  }

  #fillOption(): Fill | undefined {
    for (const kind of ['null', 'none', 'previous', 'linear'] as const) if (this.#scanner.keywords(kind.toUpperCase())) return { kind };
    const start = this.#scanner.blanks();
    const expr = this.expressions.value();
    const literal = expr?.kind === 'literal' ? expr.literal : undefined;
    if (literal?.kind === 'integer' || literal?.kind === 'unsigned' || literal?.kind === 'float') return { kind: 'number', value: literal };
    this.#scanner.position = start;
    return undefined;
  }

  /** True for descending time. */
  #orderBy(): boolean {
    if (!this.#scanner.keywords('ORDER')) return false;
    const byAt = this.#scanner.blanks();
    if (!this.#scanner.keywords('BY')) throw this.#error(byAt, 'invalid ORDER BY, expected BY');
    const start = this.#scanner.blanks();
    if (this.#scanner.keywords('ASC')) return false;
    if (this.#scanner.keywords('DESC')) return true;
    const name = this.#scanner.identifier();
    if (name === undefined) throw this.#error(start, 'invalid ORDER BY, expected ASC, DESC or TIME');
    if (name.toLowerCase() !== 'time') throw this.#error(start, 'invalid ORDER BY, expected TIME column');
    if (this.#scanner.keywords('DESC')) return true;
    this.#scanner.keywords('ASC');
    return false;
  }

  #zone(): string | undefined {
    const start = this.#scanner.position;
    if (!this.#scanner.keywords('TZ') || !this.#scanner.symbol('(')) {
      this.#scanner.position = start;
      return undefined;
    }
    const at = this.#scanner.blanks();
    const zone = this.#scanner.string();
    if (zone === undefined || !isZone(zone)) throw this.#error(at, 'unable to find timezone');
    const end = this.#scanner.blanks();
    if (!this.#scanner.symbol(')')) throw this.#error(end, "invalid TZ clause, expected ')'");
    return zone;
  }

  #error(offset: number, message: string): Error {
    return parseError(this.#scanner.text, offset, message);
  }
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return !/^[+-]/.test(name);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
