import { InfluxError } from '../../shared/errors.ts';

/** What a delete predicate says. */
export interface DeletePredicate {
  /** `_measurement="..."`; undefined = every table. */
  readonly table: string | undefined;
  /** Tag key and value; an empty value stands for rows without the tag. */
  readonly tags: readonly (readonly [key: string, value: string])[];
}

/** Longest predicate that is looked at, characters. */
const PREDICATE_LENGTH_MAX = 65_536;

const SPACE = /\s*/y;
const BARE = /[\p{L}\p{N}_.\-/:@$]+/uy;
const QUOTED = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'/sy;
const OPERATOR = /!=|=~|!~|<=|>=|<>|=|<|>/y;

/**
 * Parses the predicate of the v2 delete endpoint: `key="value" AND ...`, with `_measurement` for the table. Throws an
 * `InfluxError` (400) for anything else.
 */
export function parseDeletePredicate(text: string): DeletePredicate {
  if (text.length > PREDICATE_LENGTH_MAX) throw invalid(`the predicate is longer than ${PREDICATE_LENGTH_MAX} characters`);
  const reader = new Reader(text);
  const tags = new Map<string, string>();
  let table: string | undefined;
  if (reader.atEnd()) return { table, tags: [] };
  for (;;) {
    const { key, value, at } = comparison(reader);
    if (key === '_field' || key === '_value') throw invalid(`'${key}' cannot be used in a delete predicate at position ${at}`);
    if (key === '_measurement') {
      if (table !== undefined && table !== value) throw invalid(`'_measurement' is given twice at position ${at}`);
      table = value;
    } else {
      const known = tags.get(key);
      if (known !== undefined && known !== value) throw invalid(`tag '${key}' is given twice at position ${at}`);
      tags.set(key, value);
    }
    if (reader.atEnd()) return { table, tags: [...tags] };
    const operator = reader.word();
    if (operator?.text.toUpperCase() === 'AND') continue;
    if (operator?.text.toUpperCase() === 'OR') {
      throw invalid(`the logical operator OR is not supported yet at position ${operator.at}`);
    }
    throw invalid(`bad logical expression, expected AND, at position ${operator?.at ?? reader.position}`);
  }
}

function comparison(reader: Reader): { key: string; value: string; at: number } {
  const key = reader.word();
  if (key === undefined) throw invalid(`bad expression, expected a tag key, at position ${reader.position}`);
  if (!key.quoted && key.text.toUpperCase() === 'NOT') {
    throw invalid(`the logical operator NOT is not supported yet at position ${key.at}`);
  }
  const operator = reader.operator();
  if (operator === undefined) throw invalid(`bad expression, expected '=', at position ${reader.position}`);
  if (operator.text !== '=') throw invalid(`the comparison operator ${operator.text} is not supported yet at position ${operator.at}`);
  const value = reader.word();
  if (value === undefined) throw invalid(`bad expression, expected a tag value, at position ${reader.position}`);
  return { key: key.text, value: value.text, at: key.at };
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
