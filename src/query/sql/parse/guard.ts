/**
 * Limits that keep the parser (recursive, with a small fixed stack) and this compiler safe. Only counts tokens;
 * what the text means is the parser's job.
 */
import { notImplemented, planError, sqlError } from '../types/errors.ts';

/** Longest statement, in characters. */
export const queryCharsMax = 1_000_000;
/** Most tokens of one statement. */
const queryTokensMax = 100_000;
/** Deepest bracket (or CASE) nesting; InfluxDB 3 Core's recursion limit. */
const queryDepthMax = 50;
/** Most operators in one chain (`a OR b OR ...`): the parser builds one tree level for each. */
const chainedOperatorsMax = 400;

const clauseWords = new Set(
  'select from where group having order limit offset qualify on when then else by with using values as'.split(' '),
);
const operatorWords = new Set(
  'not is like ilike similar in between union intersect except at collate interval array struct map pivot unpivot prior tablesample join div xor'.split(
    ' ',
  ),
);

/** Throws when the text passes a limit. Unterminated literals are left to the parser, which words the error. */
export function guardQueryText(text: string): void {
  if (text.length > queryCharsMax) throw planError(`query text exceeds ${queryCharsMax} characters`);
  const counter = new ChainCounter();
  let tokens = 0;
  let at = 0;
  while (at < text.length) {
    const end = skipToken(text, at, counter);
    if (end > at) tokens++;
    else at++;
    if (tokens > queryTokensMax) throw planError(`query text exceeds ${queryTokensMax} tokens`);
    at = Math.max(at, end);
  }
}

/** Operators since the last comma, clause word or bracket, per bracket level. */
class ChainCounter {
  /** Per level: AND/OR seen, and other operators since the last of them; a tree is no deeper than their sum. */
  readonly #logical: number[] = [0];
  readonly #others: number[] = [0];
  #setOperations = 0;

  open(): void {
    this.#logical.push(0);
    this.#others.push(0);
    if (this.#logical.length > queryDepthMax) throw sqlError('RecursionLimitExceeded');
  }

  close(): void {
    if (this.#logical.length === 1) return;
    this.#logical.pop();
    this.#others.pop();
  }

  reset(): void {
    this.#logical[this.#logical.length - 1] = 0;
    this.#others[this.#others.length - 1] = 0;
  }

  operator(logical = false): void {
    const level = this.#logical.length - 1;
    const before = this.#logical[level] as number;
    const others = logical ? 0 : (this.#others[level] as number) + 1;
    const depth = logical ? before + 1 : before;
    this.#logical[level] = depth;
    this.#others[level] = others;
    if (depth + others > chainedOperatorsMax) throw notImplemented(`more than ${chainedOperatorsMax} chained operators`);
  }

  word(word: string): void {
    if (word === 'case') this.open();
    else if (word === 'end') this.close();
    else if (word === 'union' || word === 'intersect' || word === 'except') {
      if (++this.#setOperations > chainedOperatorsMax) throw notImplemented(`more than ${chainedOperatorsMax} set operations`);
      this.reset();
    } else if (clauseWords.has(word)) this.reset();
    else if (word === 'and' || word === 'or') this.operator(true);
    else if (operatorWords.has(word)) this.operator();
  }
}

/** Where the token at `at` ends; `at` itself for white space. */
function skipToken(text: string, at: number, counter: ChainCounter): number {
  const char = text[at] as string;
  if (char <= ' ') return at;
  if (char === "'") return skipQuoted(text, at, "'", isEscapePrefix(text, at));
  if (char === '"' || char === '`') return skipQuoted(text, at, char, false);
  if (char === '-' && text[at + 1] === '-') return lineEnd(text, at);
  if (char === '/' && text[at + 1] === '*') return skipBlockComment(text, at);
  if (char === '$') return skipDollar(text, at);
  if (char === '(' || char === '[' || char === '{') {
    // a chain of subscripts or empty calls is a chain too
    if (char === '[') counter.operator();
    counter.open();
    return at + 1;
  }
  if (char === ')' || char === ']' || char === '}') {
    counter.close();
    return at + 1;
  }
  if (char === ',' || char === ';') {
    counter.reset();
    return at + 1;
  }
  const word = wordEnd(text, at);
  if (word > at) {
    if (word - at <= 9) counter.word(text.slice(at, word).toLowerCase());
    return word;
  }
  counter.operator();
  let end = at + 1;
  while (end < text.length && '+*/%=<>!|&^~:#@?'.includes(text[end] as string)) end++;
  return end;
}

function wordEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && isWordCode(text.charCodeAt(end))) end++;
  return end;
}

function isWordCode(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95 || code > 127;
}

function isEscapePrefix(text: string, at: number): boolean {
  const before = text[at - 1];
  return (before === 'E' || before === 'e') && (at < 2 || !isWordCode(text.charCodeAt(at - 2)));
}

function skipQuoted(text: string, at: number, quote: string, backslash: boolean): number {
  let end = at + 1;
  while (end < text.length) {
    if (backslash && text[end] === '\\') end += 2;
    else if (text[end] !== quote) end++;
    else if (text[end + 1] === quote) end += 2;
    else return end + 1;
  }
  return text.length;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

function skipBlockComment(text: string, at: number): number {
  let depth = 1;
  let end = at + 2;
  while (end < text.length && depth > 0) {
    if (text.startsWith('/*', end)) {
      depth++;
      end += 2;
    } else if (text.startsWith('*/', end)) {
      depth--;
      end += 2;
    } else end++;
  }
  return end;
}

/** `$tag$ ... $tag$`, or a placeholder such as `$name`. */
function skipDollar(text: string, at: number): number {
  const tagEnd = wordEnd(text, at + 1);
  if (text[tagEnd] !== '$') return Math.max(tagEnd, at + 1);
  const tag = text.slice(at, tagEnd + 1);
  const close = text.indexOf(tag, tagEnd + 1);
  return close < 0 ? text.length : close + tag.length;
}
