/**
 * JSON as InfluxDB 3 Core's decoder reads it: integers keep all their digits, every node knows where it ends, and
 * failures carry the same words with line and column. `JSON.parse` can do none of the three.
 */

export type JsonNode =
  | { readonly kind: 'null'; readonly end: number }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly end: number }
  /** `text` is the number as written. */
  | { readonly kind: 'number'; readonly text: string; readonly end: number }
  | { readonly kind: 'string'; readonly value: string; readonly end: number }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[]; readonly end: number }
  | { readonly kind: 'object'; readonly members: readonly JsonMember[]; readonly end: number };

export interface JsonMember {
  readonly name: string;
  readonly value: JsonNode;
  /** Offset behind the name. */
  readonly nameEnd: number;
}

/** The detail text behind `serde json error: `, position included. */
export class JsonTextError extends Error {
  constructor(detail: string) {
    super(detail);
    this.name = 'JsonTextError';
  }
}

/** Deeper nesting is refused. */
const DEPTH_MAX = 127;

/** Parses a whole text. Throws `JsonTextError`. */
export function parseJsonText(text: string): JsonNode {
  return new JsonTextParser(text).document();
}

/** ` at line L column C` for the first `consumed` UTF-16 units of `text`; columns count UTF-8 bytes from 1, 0 = line start. */
export function positionAt(text: string, consumed: number): string {
  const before = text.slice(0, consumed);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return ` at line ${line} column ${Buffer.byteLength(before.slice(lineStart))}`;
}

class JsonTextParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonNode {
    const node = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#errorAtNext('trailing characters');
    return node;
  }

  #value(depth: number): JsonNode {
    this.#skipSpace();
    const char = this.#text[this.#at];
    if (char === undefined) throw this.#errorHere('EOF while parsing a value');
    if (char === '{' || char === '[') {
      if (depth >= DEPTH_MAX) throw this.#errorAtNext('recursion limit exceeded');
      return char === '{' ? this.#object(depth) : this.#array(depth);
    }
    if (char === '"') return { kind: 'string', value: this.#string(), end: this.#at };
    if (char === '-' || (char >= '0' && char <= '9')) return this.#number();
    if (char === 't') return this.#word('true', { kind: 'boolean', value: true });
    if (char === 'f') return this.#word('false', { kind: 'boolean', value: false });
    if (char === 'n') return this.#word('null', { kind: 'null' });
    throw this.#errorAtNext('expected value');
  }

  #word(word: string, node: { kind: 'null' } | { kind: 'boolean'; value: boolean }): JsonNode {
    for (const char of word) {
      const next = this.#text[this.#at];
      if (next === undefined) throw this.#errorHere('EOF while parsing a value');
      this.#at++;
      if (next !== char) throw this.#errorHere('expected ident');
    }
    return { ...node, end: this.#at };
  }

  #number(): JsonNode {
    const start = this.#at;
    if (this.#text[this.#at] === '-') this.#at++;
    const first = this.#text[this.#at];
    this.#digits();
    if (first === '0' && this.#at - start > (this.#text[start] === '-' ? 2 : 1)) {
      this.#at = start + (this.#text[start] === '-' ? 2 : 1);
      throw this.#errorAtNext('invalid number');
    }
    if (this.#text[this.#at] === '.') {
      this.#at++;
      this.#digits();
    }
    if (this.#text[this.#at] === 'e' || this.#text[this.#at] === 'E') {
      this.#at++;
      if (this.#text[this.#at] === '+' || this.#text[this.#at] === '-') this.#at++;
      this.#digits();
    }
    const text = this.#text.slice(start, this.#at);
    if (!Number.isFinite(Number(text))) throw this.#errorHere('number out of range');
    return { kind: 'number', text, end: this.#at };
  }

  #digits(): void {
    const start = this.#at;
    for (let char = this.#text[this.#at]; char !== undefined && char >= '0' && char <= '9'; char = this.#text[this.#at]) this.#at++;
    if (this.#at > start) return;
    if (this.#at >= this.#text.length) throw this.#errorHere('EOF while parsing a value');
    throw this.#errorAtNext('invalid number');
  }

  #array(depth: number): JsonNode {
    this.#at++;
    const items: JsonNode[] = [];
    for (;;) {
      this.#skipSpace();
      const char = this.#text[this.#at];
      if (char === undefined) throw this.#errorHere('EOF while parsing a list');
      if (char === ']' && items.length === 0) break;
      if (items.length > 0) {
        if (char === ']') break;
        if (char !== ',') throw this.#errorAtNext('expected `,` or `]`');
        this.#at++;
        this.#skipSpace();
        if (this.#text[this.#at] === ']') throw this.#errorAtNext('trailing comma');
      }
      items.push(this.#value(depth + 1));
    }
    this.#at++;
    return { kind: 'array', items, end: this.#at };
  }

  #object(depth: number): JsonNode {
    this.#at++;
    const members: JsonMember[] = [];
    for (;;) {
      this.#skipSpace();
      const char = this.#text[this.#at];
      if (char === undefined) throw this.#errorHere('EOF while parsing an object');
      if (char === '}') break;
      if (members.length > 0) {
        if (char !== ',') throw this.#errorAtNext('expected `,` or `}`');
        this.#at++;
        this.#skipSpace();
        if (this.#text[this.#at] === '}') throw this.#errorAtNext('trailing comma');
      }
      members.push(this.#member(depth));
    }
    this.#at++;
    return { kind: 'object', members, end: this.#at };
  }

  #member(depth: number): JsonMember {
    const quote = this.#text[this.#at];
    if (quote === undefined) throw this.#errorHere('EOF while parsing a value');
    if (quote !== '"') throw this.#errorAtNext('key must be a string');
    const name = this.#string();
    const nameEnd = this.#at;
    this.#skipSpace();
    const colon = this.#text[this.#at];
    if (colon === undefined) throw this.#errorHere('EOF while parsing an object');
    if (colon !== ':') throw this.#errorAtNext('expected `:`');
    this.#at++;
    return { name, value: this.#value(depth + 1), nameEnd };
  }

  #string(): string {
    this.#at++;
    let value = '';
    let start = this.#at;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) throw this.#errorHere('EOF while parsing a string');
      if (char === '"') break;
      if (char < ' ') {
        this.#at++;
        throw this.#errorHere('control character (\\u0000-\\u001F) found while parsing a string');
      }
      if (char === '\\') {
        value += this.#text.slice(start, this.#at) + this.#escape();
        start = this.#at;
      } else {
        this.#at++;
      }
    }
    value += this.#text.slice(start, this.#at);
    this.#at++;
    return value;
  }

  #escape(): string {
    const char = this.#text[this.#at + 1];
    if (char === undefined) {
      this.#at++;
      throw this.#errorHere('EOF while parsing a string');
    }
    this.#at += 2;
    if (char === 'u') return this.#unicodeEscape();
    const plain = simpleEscapes.get(char);
    if (plain === undefined) throw this.#errorHere('invalid escape');
    return plain;
  }

  #unicodeEscape(): string {
    const high = this.#hexDigits();
    if (high >= 0xdc00 && high <= 0xdfff) throw this.#errorHere('lone leading surrogate in hex escape');
    if (high < 0xd800 || high > 0xdbff) return String.fromCharCode(high);
    if (this.#text.slice(this.#at, this.#at + 2) !== '\\u') throw this.#errorHere('unexpected end of hex escape');
    this.#at += 2;
    const low = this.#hexDigits();
    if (low < 0xdc00 || low > 0xdfff) throw this.#errorHere('lone leading surrogate in hex escape');
    return String.fromCharCode(high, low);
  }

  #hexDigits(): number {
    const digits = this.#text.slice(this.#at, this.#at + 4);
    this.#at += digits.length;
    if (digits.length < 4) throw this.#errorHere('EOF while parsing a string');
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#errorHere('invalid escape');
    return Number.parseInt(digits, 16);
  }

  #skipSpace(): void {
    for (let char = this.#text[this.#at]; char === ' ' || char === '\n' || char === '\t' || char === '\r'; char = this.#text[this.#at]) {
      this.#at++;
    }
  }

  #errorHere(detail: string): JsonTextError {
    return new JsonTextError(detail + positionAt(this.#text, this.#at));
  }

  #errorAtNext(detail: string): JsonTextError {
    return new JsonTextError(detail + positionAt(this.#text, this.#at + 1));
  }
}

const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);
