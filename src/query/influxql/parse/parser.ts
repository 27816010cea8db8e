/** InfluxQL texts to statements. */
import { quotedText } from '../../quoted-text.ts';
import type { CardinalityOf, InfluxqlParam, NameFilter, ParsedStatement, Qualifier, Statement } from './ast.ts';
import { ChangeParser } from './changes.ts';
import { parseError } from './errors.ts';
import { Scanner } from './scanner.ts';
import { ClauseParser } from './select.ts';

/**
 * Parses all statements of a text, which `;` separates. Throws `InfluxError` INFLUXQL_PARSE (400) for the first mistake
 * in any of them and INFLUXQL_PLAN for a bind parameter without a value.
 */
export function parseInfluxql(text: string, params: ReadonlyMap<string, InfluxqlParam>): ParsedStatement[] {
  const scanner = new Scanner(text);
  const statements: ParsedStatement[] = [];
  while (!scanner.atEnd) {
    if (scanner.symbol(';')) continue;
    const start = scanner.position;
    const parser = new StatementParser(scanner, new ClauseParser(scanner, params, start));
    const statement = parser.statement();
    if (statement === undefined) {
      const rest = quotedText(text.slice(start));
      throw parseError(text, start, 'invalid InfluxQL statement', `. Parsing Error: Nom(${rest}, Tag)`);
    }
    statements.push({ statement, qualifiers: parser.qualifiers, text: text.slice(start, scanner.position).trim() });
  }
  return statements;
}

/** What can be counted, and the words for it. */
const CARDINALITIES: readonly (readonly [CardinalityOf, ...string[]])[] = [
  ['series', 'SERIES'],
  ['measurement', 'MEASUREMENT'],
  ['tag key', 'TAG', 'KEY'],
  ['field key', 'FIELD', 'KEY'],
  ['tag values', 'TAG', 'VALUES'],
];

class StatementParser {
  readonly #scanner: Scanner;
  readonly #clauses: ClauseParser;

  constructor(scanner: Scanner, clauses: ClauseParser) {
    this.#scanner = scanner;
    this.#clauses = clauses;
  }

  get qualifiers(): readonly Qualifier[] {
    return this.#clauses.qualifiers;
  }

  statement(): Statement | undefined {
    const scanner = this.#scanner;
    if (scanner.keywords('SELECT')) return this.#select();
    if (scanner.keywords('EXPLAIN')) return this.#explain();
    const change = new ChangeParser(scanner, this.#clauses).statement();
    if (change !== undefined) return change;
    return scanner.keywords('SHOW') ? this.#show() : undefined;
  }

  #select(): Statement {
    const select = this.#clauses.select(true);
    const { into } = this.#clauses;
    return into === undefined ? { kind: 'select', select } : { kind: 'select-into', select, into };
  }

  #explain(): Statement {
    const analyze = this.#scanner.keywords('ANALYZE');
    const verbose = this.#scanner.keywords('VERBOSE');
    const start = this.#scanner.blanks();
    if (!this.#scanner.keywords('SELECT')) throw this.#error(start, 'invalid EXPLAIN statement, expected SELECT statement');
    return { kind: 'explain', analyze, verbose, select: this.#clauses.select() };
  }

  #show(): Statement {
    const start = this.#scanner.blanks();
    if (this.#scanner.keywords('DATABASES')) return { kind: 'show-databases' };
    if (this.#scanner.keywords('RETENTION', 'POLICIES')) {
      this.#on();
      return { kind: 'show-retention-policies' };
    }
    const cardinality = this.#showCardinality();
    if (cardinality !== undefined) return cardinality;
    if (this.#scanner.keywords('SERIES')) {
      const from = this.#onAndFrom();
      return { kind: 'show-series', from, where: this.#clauses.where(), ...this.#limits() };
    }
    if (this.#scanner.keywords('MEASUREMENTS')) return this.#showMeasurements();
    if (this.#scanner.keywords('TAG', 'KEYS')) {
      const from = this.#onAndFrom();
      return { kind: 'show-tag-keys', from, where: this.#clauses.where(), ...this.#limits() };
    }
    if (this.#scanner.keywords('FIELD', 'KEYS')) return { kind: 'show-field-keys', from: this.#onAndFrom(), ...this.#limits() };
    if (this.#scanner.keywords('TAG', 'VALUES')) return this.#showTagValues();
    throw this.#error(
      start,
      'invalid SHOW statement, expected DATABASES, FIELD KEYS, MEASUREMENTS, TAG KEYS, TAG VALUES, or RETENTION POLICIES following SHOW',
    );
  }

  /** With a clause the count is by measurement, as EXACT says. */
  #showCardinality(): Statement | undefined {
    for (const [of, ...words] of CARDINALITIES) {
      const exact = this.#scanner.keywords(...words, 'EXACT', 'CARDINALITY');
      if (!exact && !this.#scanner.keywords(...words, 'CARDINALITY')) continue;
      const from = this.#onAndFrom();
      const key = of === 'tag values' ? this.#withKey() : undefined;
      const where = this.#clauses.where();
      const plain = !exact && from.length === 0 && where === undefined;
      return { kind: 'show-cardinality', of, estimated: plain && (of === 'series' || of === 'measurement'), key, from, where };
    }
    return undefined;
  }

  #showMeasurements(): Statement {
    this.#on();
    const filter = this.#scanner.keywords('WITH') ? this.#measurementFilter() : undefined;
    return { kind: 'show-measurements', filter, where: this.#clauses.where(), ...this.#limits() };
  }

  #measurementFilter(): NameFilter {
    const start = this.#scanner.blanks();
    if (!this.#scanner.keywords('MEASUREMENT')) throw this.#error(start, 'invalid WITH clause, expected MEASUREMENT');
    const filter = this.#nameFilter(['=~', '=']);
    if (filter === undefined) throw this.#error(this.#scanner.blanks(), 'invalid WITH clause, expected = or =~');
    return filter;
  }

  #showTagValues(): Statement {
    const from = this.#onAndFrom();
    return { kind: 'show-tag-values', from, key: this.#withKey(), where: this.#clauses.where(), ...this.#limits() };
  }

  #withKey(): NameFilter {
    const start = this.#scanner.blanks();
    if (!this.#scanner.keywords('WITH', 'KEY')) throw this.#error(start, 'invalid SHOW TAG VALUES statement, expected WITH KEY');
    const key = this.#scanner.keywords('IN') ? this.#keyList() : this.#nameFilter(['=~', '!~', '!=', '<>', '=']);
    if (key === undefined) throw this.#error(this.#scanner.blanks(), 'invalid WITH KEY clause, expected condition');
    return key;
  }

  #keyList(): NameFilter {
    const names: string[] = [];
    const start = this.#scanner.blanks();
    if (!this.#scanner.symbol('(')) throw this.#error(start, "invalid IN clause, expected '('");
    do {
      const at = this.#scanner.blanks();
      const name = this.#scanner.identifier();
      if (name === undefined) throw this.#error(at, 'invalid IN clause, expected identifier');
      names.push(name);
    } while (this.#scanner.symbol(','));
    const end = this.#scanner.blanks();
    if (!this.#scanner.symbol(')')) throw this.#error(end, "invalid IN clause, expected ')'");
    return { op: 'in', names };
  }

  /** An operator of the list and the name or regular expression that it wants. */
  #nameFilter(ops: readonly ('=~' | '!~' | '!=' | '<>' | '=')[]): NameFilter | undefined {
    const op = ops.find((each) => this.#scanner.symbol(each));
    if (op === undefined) return undefined;
    const start = this.#scanner.blanks();
    if (op === '=~' || op === '!~') {
      const source = this.#scanner.regex();
      if (source === undefined) throw this.#error(start, 'invalid expression, expected regular expression');
      return { op, source };
    }
    const name = this.#scanner.identifier();
    if (name === undefined) throw this.#error(start, 'invalid expression, expected identifier');
    return { op: op === '=' ? '=' : '!=', name };
  }

  #onAndFrom(): ReturnType<ClauseParser['sources']> {
    this.#on();
    const { qualifiers } = this.#clauses;
    const on = qualifiers.at(-1);
    if (!this.#scanner.keywords('FROM')) return [];
    const first = qualifiers.length;
    const sources = this.#clauses.sources(false);
    for (let i = first; i < qualifiers.length && on !== undefined; i++) {
      const { database, policy } = qualifiers[i] as Qualifier;
      if (database === undefined) qualifiers[i] = { database: on.database, policy: policy ?? on.policy };
    }
    return sources;
  }

  #on(): void {
    if (!this.#scanner.keywords('ON')) return;
    const start = this.#scanner.blanks();
    const database = this.#scanner.identifier();
    if (database === undefined) throw this.#error(start, 'invalid ON clause, expected identifier');
    const policy = this.#scanner.symbol('.') ? this.#scanner.identifier() : undefined;
    this.#clauses.qualifiers.push({ database, policy });
  }

  #limits(): { limit: bigint | undefined; offset: bigint | undefined } {
    return { limit: this.#clauses.count('LIMIT'), offset: this.#clauses.count('OFFSET') };
  }

  #error(offset: number, message: string): Error {
    return parseError(this.#scanner.text, offset, message);
  }
}
