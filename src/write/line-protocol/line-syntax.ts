import * as text from './errors.ts';
import type { NameCache } from './name-cache.ts';

const NAME_BYTES_MAX = 1048576;
const QUOTED_CHARACTERS_MAX = 10;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;
/** Digits that no 64-bit value has, leading zeros aside; longer ones are not even converted. */
const DIGITS_MAX = 20;

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const ENDS = 1;
const ESCAPED = 2;
const BACKSLASHES = 4;

/** Per byte: 1 = ends a name unescaped, 2 = a backslash before it goes away, 4 = the backslash. */
type NameRule = Uint8Array;
const MEASUREMENT: NameRule = nameRule(' \t\n,\0', ', \\');
const KEY: NameRule = nameRule(' \t\n=', '\\,= ');
const TAG_VALUE: NameRule = nameRule(' \t\n,', '\\,= ');
const BOOLEANS = ['true', 'True', 'TRUE', 't', 'T', 'false', 'False', 'FALSE', 'f', 'F'];

/** One tag of a line, unescaped. */
export interface LineTag {
  readonly key: string;
  readonly value: Uint8Array;
}

/** One field of a line; strings are unescaped UTF-8. */
export type LineField =
  | { readonly key: string; readonly type: 'integer' | 'uinteger'; readonly value: bigint }
  | { readonly key: string; readonly type: 'float'; readonly value: number }
  | { readonly key: string; readonly type: 'string'; readonly value: Uint8Array }
  | { readonly key: string; readonly type: 'boolean'; readonly value: boolean };

/** One line taken apart. */
export interface Line {
  readonly measurement: string;
  readonly tags: readonly LineTag[];
  readonly fields: readonly LineField[];
  /** As written, in the unit of the request; undefined when the line has none. */
  readonly timestamp: bigint | undefined;
}

/** Takes one logical line apart. Returns the message for the client when it is not line protocol. */
export function parseLine(bytes: Buffer, start: number, end: number, names: NameCache): Line | string {
  return new LineSyntax(bytes, start, end, names).line();
}

/** The whole grammar, one line at a time; made for being right, the hot loop is elsewhere. */
class LineSyntax {
  readonly #bytes: Buffer;
  readonly #names: NameCache;
  readonly #end: number;
  #at: number;
  /** The first failure that ends the line; a part that merely does not match leaves it empty. */
  #error: string | undefined;

  constructor(bytes: Buffer, start: number, end: number, names: NameCache) {
    this.#bytes = bytes;
    this.#names = names;
    this.#at = start;
    this.#end = end;
  }

  line(): Line | string {
    const measurement = this.#nameText(MEASUREMENT);
    if (measurement === undefined) return this.#error ?? text.INVALID_MEASUREMENT;
    const tags = this.#tags();
    if (tags === undefined) return this.#error ?? text.INVALID_MEASUREMENT;
    if (!this.#spaces()) return text.expectedSpace(this.#at < this.#end ? `\`${this.#text(this.#at, this.#end)}\`` : 'end of input');
    const fields = this.#fields();
    if (this.#error !== undefined) return this.#error;
    const timestamp = this.#timestamp();
    if (this.#error !== undefined) return this.#error;
    if (this.#at < this.#end) return text.trailingContent(this.#quoted(this.#at));
    return { measurement, tags, fields, timestamp };
  }

  #tags(): LineTag[] | undefined {
    const tags: LineTag[] = [];
    const first = this.#at + 1;
    while (this.#bytes[this.#at] === COMMA && this.#at < this.#end) {
      this.#at++;
      const keyStart = this.#at;
      const key = this.#nameText(KEY);
      if (key === undefined) return this.#fail(text.expectedTagKey(this.#quoted(keyStart)));
      if (!this.#skip(EQUALS)) return this.#fail(text.malformedTagSet(this.#quoted(first)));
      const value = this.#name(TAG_VALUE);
      if (value === undefined) return this.#fail(text.expectedTagValue(this.#quoted(this.#at)));
      tags.push({ key, value });
    }
    return tags;
  }

  #fields(): LineField[] {
    const fields: LineField[] = [];
    const first = this.#field();
    if (first === undefined) {
      this.#fail(text.NO_FIELDS);
      return fields;
    }
    fields.push(first);
    while (this.#at < this.#end && this.#bytes[this.#at] === COMMA) {
      const comma = this.#at++;
      const field = this.#field();
      if (field === undefined) {
        // compat: the comma behind the first field is swallowed even when no field follows it.
        this.#at = fields.length === 1 ? comma + 1 : comma;
        break;
      }
      fields.push(field);
    }
    return fields;
  }

  #field(): LineField | undefined {
    const key = this.#nameText(KEY);
    if (key === undefined || !this.#skip(EQUALS)) return undefined;
    const c = this.#byte(this.#at);
    if (c === MINUS || isDigit(c)) return this.#number(key);
    if (c === QUOTE) {
      const value = this.#string();
      return value === undefined ? undefined : { key, type: 'string', value };
    }
    if (c !== 0x74 && c !== 0x54 && c !== 0x66 && c !== 0x46) return undefined;
    for (const word of BOOLEANS) {
      if (this.#text(this.#at, Math.min(this.#at + word.length, this.#end)) !== word) continue;
      this.#at += word.length;
      return { key, type: 'boolean', value: word[0] === 't' || word[0] === 'T' };
    }
    return undefined;
  }

  #number(key: string): LineField | undefined {
    const start = this.#at;
    const negative = this.#byte(start) === MINUS;
    const integerEnd = this.#digitsEnd(negative ? start + 1 : start);
    if (integerEnd === (negative ? start + 1 : start)) return undefined;
    const suffix = this.#byte(integerEnd);
    if (suffix === 0x69 || (suffix === 0x75 && !negative)) {
      const digits = this.#text(start, integerEnd);
      const value = suffix === 0x69 ? boundedInteger(digits, INT64_MIN, INT64_MAX) : boundedInteger(digits, 0n, UINT64_MAX);
      if (value === undefined) return this.#fail(suffix === 0x69 ? text.integerInvalid(digits) : text.unsignedInvalid(digits));
      this.#at = integerEnd + 1;
      return { key, type: suffix === 0x69 ? 'integer' : 'uinteger', value };
    }
    let end = integerEnd;
    if (suffix === DOT && isDigit(this.#byte(integerEnd + 1))) end = this.#digitsEnd(integerEnd + 1);
    if ((this.#byte(end) | 0x20) === 0x65) {
      const sign = this.#byte(end + 1);
      const digits = sign === 0x2b || sign === MINUS ? end + 2 : end + 1;
      if (isDigit(this.#byte(digits))) end = this.#digitsEnd(digits);
    }
    this.#at = end;
    return { key, type: 'float', value: Number(this.#text(start, end)) };
  }

  /** The text of a quoted value; undefined when the quote does not end. */
  #string(): Uint8Array | undefined {
    const start = this.#at + 1;
    let i = start;
    let escapes = 0;
    while (i < this.#end && this.#bytes[i] !== QUOTE) {
      if (this.#bytes[i] === BACKSLASH && i + 1 < this.#end && isStringEscape(this.#bytes[i + 1])) {
        escapes++;
        i++;
      }
      i++;
    }
    if (i >= this.#end) return undefined;
    this.#at = i + 1;
    const length = i - start - escapes;
    if (length > NAME_BYTES_MAX) return this.#fail(text.STRING_TOO_LONG);
    if (escapes === 0) return this.#bytes.subarray(start, i);
    const value = new Uint8Array(length);
    let to = 0;
    for (let from = start; from < i; from++) {
      if (this.#bytes[from] === BACKSLASH && isStringEscape(this.#bytes[from + 1])) from++;
      value[to++] = this.#bytes[from] as number;
    }
    return value;
  }

  #timestamp(): bigint | undefined {
    const before = this.#at;
    if (!this.#spaces()) return undefined;
    const start = this.#at;
    const first = this.#byte(start) === MINUS ? start + 1 : start;
    const end = this.#digitsEnd(first);
    if (end === first) {
      this.#at = before;
      return undefined;
    }
    const digits = this.#text(start, end);
    const value = boundedInteger(digits, INT64_MIN, INT64_MAX);
    if (value === undefined) return this.#fail(text.timestampInvalid(digits));
    this.#at = end;
    this.#spaces();
    return value;
  }

  #nameText(rule: NameRule): string | undefined {
    const name = this.#name(rule);
    return name === undefined ? undefined : this.#names.decode(name, 0, name.length);
  }

  /** An unescaped name, which is not empty; undefined when there is none or it is refused. */
  #name(rule: NameRule): Buffer | undefined {
    const bytes = this.#bytes;
    const start = this.#at;
    let i = start;
    let kinds = 0;
    for (; i < this.#end; i++) {
      const kind = rule[bytes[i] as number] as number;
      if ((kind & (ENDS | BACKSLASHES)) === 0) continue;
      if ((kind & ENDS) !== 0) break;
      kinds |= kind;
      if (i + 1 < this.#end) i++;
    }
    if (i === start) return undefined;
    this.#at = i;
    const name = kinds === 0 ? bytes.subarray(start, i) : unescaped(bytes, start, i, rule);
    if (name[name.length - 1] === BACKSLASH) return this.#fail(text.ENDS_WITH_BACKSLASH);
    if (name.length > NAME_BYTES_MAX) return this.#fail(text.STRING_TOO_LONG);
    return name;
  }

  /** Notes why the line is refused; the first reason stays. */
  #fail(message: string): undefined {
    this.#error ??= message;
    return undefined;
  }

  #spaces(): boolean {
    const start = this.#at;
    while (this.#at < this.#end && this.#bytes[this.#at] === SPACE) this.#at++;
    return this.#at > start;
  }

  #skip(byte: number): boolean {
    if (this.#byte(this.#at) !== byte) return false;
    this.#at++;
    return true;
  }

  /** The byte at `at`, -1 behind the end. */
  #byte(at: number): number {
    return at < this.#end ? (this.#bytes[at] as number) : -1;
  }

  #digitsEnd(start: number): number {
    let i = start;
    while (isDigit(this.#byte(i))) i++;
    return i;
  }

  #text(start: number, end: number): string {
    return this.#bytes.toString('utf8', start, end);
  }

  /** The rest of the line in backticks, cut to ten characters when it is longer than ten bytes. */
  #quoted(start: number): string {
    if (start >= this.#end) return 'end of input';
    if (this.#end - start <= QUOTED_CHARACTERS_MAX) return `\`${this.#text(start, this.#end)}\``;
    const head = this.#text(start, Math.min(this.#end, start + QUOTED_CHARACTERS_MAX * 4));
    return `\`${[...head].slice(0, QUOTED_CHARACTERS_MAX).join('')}...\``;
  }
}

function boundedInteger(digits: string, min: bigint, max: bigint): bigint | undefined {
  const short = digits.length > DIGITS_MAX ? digits.replace(/^(-?)0+(?=\d)/, '$1') : digits;
  if (short.length > DIGITS_MAX) return undefined;
  const value = BigInt(short);
  return value < min || value > max ? undefined : value;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

function isStringEscape(byte: number | undefined): boolean {
  return byte === QUOTE || byte === BACKSLASH;
}

function nameRule(ends: string, escapes: string): NameRule {
  const rule = new Uint8Array(256);
  for (const char of ends) rule[char.charCodeAt(0)] = ENDS;
  for (const char of escapes) rule[char.charCodeAt(0)] = (rule[char.charCodeAt(0)] as number) | ESCAPED;
  rule[BACKSLASH] = (rule[BACKSLASH] as number) | BACKSLASHES;
  return rule;
}

function unescaped(bytes: Buffer, start: number, end: number, rule: NameRule): Buffer {
  const out = Buffer.allocUnsafe(end - start);
  let to = 0;
  for (let i = start; i < end; i++) {
    const c = bytes[i] as number;
    if (c === BACKSLASH && i + 1 < end && ((rule[bytes[++i] as number] as number) & ESCAPED) === 0) out[to++] = BACKSLASH;
    out[to++] = bytes[i] as number;
  }
  return out.subarray(0, to);
}
