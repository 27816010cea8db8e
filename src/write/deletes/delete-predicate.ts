import { InfluxError } from '../../shared/errors.ts';
import type { TagCondition } from './resolve-deletes.ts';

/** What a delete predicate says. */
export interface DeletePredicate {
  /** `_measurement="..."`; undefined = every table. */
  readonly table: string | undefined;
  /** `_measurement!="..."`. */
  readonly exceptTables: readonly string[];
  /** Values that tags have or have not; an empty one stands for rows without the tag. */
  readonly tags: readonly TagCondition[];
}

/** Longest predicate that is looked at, characters. */
const PREDICATE_LENGTH_MAX = 65_536;

const SPACE = /\s*/y;
const BARE = /[\p{L}\p{N}_.\-/:@$]+/uy;
const QUOTED = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/sy;
/** Deeper brackets are refused. */
const DEPTH_MAX = 100;

const OPERATOR = /!=|=~|!~|<=|>=|<>|=|<|>/y;

/**
 * Parses the predicate of the v2 delete endpoint: `key="value"` and `key!="value"` joined by AND, in brackets or not, with `_measurement` for
 * the table. Throws an `InfluxError` (400) for anything else.
 */
export function parseDeletePredicate(text: string): DeletePredicate {
  if (text.length > PREDICATE_LENGTH_MAX) throw invalid(`the predicate is longer than ${PREDICATE_LENGTH_MAX} characters`);
  const reader = new Reader(text);
  const found = new Conditions();
  if (!reader.atEnd()) conjunction(reader, found, 0);
  if (!reader.atEnd()) throw invalid(`bad logical expression, expected AND, at position ${reader.position}`);
  return { table: found.table, exceptTables: found.exceptTables, tags: found.tags };
}

function conjunction(reader: Reader, found: Conditions, depth: number): void {
  if (depth > DEPTH_MAX) throw invalid(`brackets are nested too deeply at position ${reader.position}`);
  for (;;) {
    if (reader.bracket('(')) {
      conjunction(reader, found, depth + 1);
      if (!reader.bracket(')')) throw invalid(`bad logical expression, expected ')', at position ${reader.position}`);
    } else found.add(comparison(reader));
    const operator = reader.peekWord()?.text.toUpperCase();
    if (operator === 'OR') throw invalid(`the logical operator OR is not supported yet at position ${reader.position}`);
    if (operator !== 'AND') return;
    reader.word();
  }
}

/** What the comparisons so far say together. */
class Conditions {
  table: string | undefined;
  readonly exceptTables: string[] = [];
  readonly tags: TagCondition[] = [];

  add({ key, value, not, at }: Comparison): void {
    if (NO_TAGS.has(key)) throw invalid(`'${key}' cannot be used in a delete predicate at position ${at}`);
    if (key === '_measurement') {
      if (not) this.exceptTables.push(value);
      else if (this.table !== undefined && this.table !== value) throw invalid(`'_measurement' is given twice at position ${at}`);
      else this.table = value;
      return;
    }
    if (not) {
      this.tags.push([key, value, 'not']);
      return;
    }
    const known = this.tags.find(([other, , negated]) => other === key && negated === undefined)?.[1];
    if (known !== undefined && known !== value) throw invalid(`tag '${key}' is given twice at position ${at}`);
    if (known === undefined) this.tags.push([key, value]);
  }
}

/** Columns of InfluxDB 2 that choose no series, or a part of one. */
const NO_TAGS: ReadonlySet<string> = new Set(['_field', '_value', '_time']);

interface Comparison {
  readonly key: string;
  readonly value: string;
  readonly not: boolean;
  readonly at: number;
}

function comparison(reader: Reader): Comparison {
  const key = reader.word();
  if (key === undefined) throw invalid(`bad expression, expected a tag key, at position ${reader.position}`);
  if (!key.quoted && key.text.toUpperCase() === 'NOT') {
    throw invalid(`the logical operator NOT is not supported yet at position ${key.at}`);
  }
  const operator = reader.operator();
  if (operator === undefined) throw invalid(`bad expression, expected '=' or '!=', at position ${reader.position}`);
  const not = operator.text === '!=' || operator.text === '<>';
  if (operator.text !== '=' && !not)
    throw invalid(`the comparison operator ${operator.text} is not supported yet at position ${operator.at}`);
  const value = reader.word();
  if (value === undefined) throw invalid(`bad expression, expected a tag value, at position ${reader.position}`);
  return { key: key.text, value: value.text, not, at: key.at };
}

interface Token {
  readonly text: string;
  readonly at: number;
  readonly quoted: boolean;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get position(): number {
    return this.#at;
  }

  atEnd(): boolean {
    this.#skip(SPACE);
    return this.#at >= this.#text.length;
  }

  word(): Token | undefined {
    this.#skip(SPACE);
    const at = this.#at;
    const quoted = this.#skip(QUOTED);
    if (quoted !== undefined) return { text: (quoted[1] ?? quoted[2] ?? '').replace(/\\(.)/gs, '$1'), at, quoted: true };
    const bare = this.#skip(BARE);
    return bare === undefined ? undefined : { text: bare[0], at, quoted: false };
  }

  /** The word that follows, which is not taken. */
  peekWord(): Token | undefined {
    this.#skip(SPACE);
    const start = this.#at;
    const word = this.word();
    this.#at = start;
    return word?.quoted === true ? undefined : word;
  }

  /** Takes a bracket. */
  bracket(char: '(' | ')'): boolean {
    this.#skip(SPACE);
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  operator(): Token | undefined {
    this.#skip(SPACE);
    const at = this.#at;
    const found = this.#skip(OPERATOR);
    return found === undefined ? undefined : { text: found[0], at, quoted: false };
  }

  #skip(pattern: RegExp): RegExpExecArray | undefined {
    const sticky = new RegExp(pattern.source, pattern.flags);
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#text);
    if (found === null) return undefined;
    this.#at = sticky.lastIndex;
    return found;
  }
}

function invalid(detail: string): InfluxError {
  return new InfluxError({ code: 'INVALID_DELETE_PREDICATE', message: `invalid delete predicate: ${detail}`, status: 400, shape: 'json' });
}
