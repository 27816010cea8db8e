/**
 * LIKE and ILIKE. DuckDB's own matcher of patterns with an escape character tries every place for every `%`, which takes the
 * length of the text to the power of the number of `%`, and cannot be interrupted: patterns become functions and regular
 * expressions that take time in proportion to the text.
 */
import { quoteString } from '../types/quote.ts';
import type { Typed } from '../types/typed.ts';
import { toText } from './casts.ts';

/** A piece of a pattern: text, or a wildcard. */
type Piece = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'any' | 'one' };

/** SQL of a condition: `value` is SQL of a text. */
export function likeCondition(value: string, pattern: Typed, operator: 'LIKE' | 'ILIKE', escapeChar: string): string {
  if (pattern.constant?.kind === 'null') return 'CAST(NULL AS BOOLEAN)';
  if (pattern.constant?.kind !== 'string') return likeColumn(value, toText(pattern).sql, operator, escapeChar);
  const pieces = piecesOf(pattern.constant.value, escapeChar);
  if (operator === 'ILIKE') return matches(value, pieces, 'is');
  return simple(value, pieces) ?? matches(value, pieces, 's');
}

/** An escape character at the end means itself. */
function piecesOf(pattern: string, escapeChar: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') pieces.push({ kind: 'text', text });
    text = '';
  };
  const chars = [...pattern];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] as string;
    const next = chars[i + 1];
    if (char === escapeChar && next !== undefined) {
      text += next;
      i++;
    } else if (char === '%' || char === '_') {
      flush();
      const kind = char === '%' ? 'any' : 'one';
      if (kind === 'one' || pieces.at(-1)?.kind !== 'any') pieces.push({ kind });
    } else text += char;
  }
  flush();
  return pieces;
}

/** Patterns that are an equality, a prefix, an ending or a part; undefined = another one. */
function simple(value: string, pieces: readonly Piece[]): string | undefined {
  const [first, second, third] = pieces;
  if (first === undefined) return `(${value} = '')`;
  if (pieces.length === 1) {
    if (first.kind === 'text') return `(${value} = ${quoteString(first.text)})`;
    return first.kind === 'any' ? `(${value} = ${value})` : undefined;
  }
  if (pieces.length === 2 && first.kind === 'text' && second?.kind === 'any') return `starts_with(${value}, ${quoteString(first.text)})`;
  if (pieces.length === 2 && first.kind === 'any' && second?.kind === 'text') return `ends_with(${value}, ${quoteString(second.text)})`;
  if (pieces.length === 3 && first.kind === 'any' && second?.kind === 'text' && third?.kind === 'any')
    return `contains(${value}, ${quoteString(second.text)})`;
  return undefined;
}

function matches(value: string, pieces: readonly Piece[], flags: 's' | 'is'): string {
  const regex = pieces.map((piece) => (piece.kind === 'text' ? escaped(piece.text) : piece.kind === 'any' ? '.*' : '.')).join('');
  return `regexp_full_match(${value}, ${quoteString(`(?${flags})${regex}`)})`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** One `%` is matched in one pass by DuckDB itself, without a regular expression for each row. */
function likeColumn(value: string, pattern: string, operator: 'LIKE' | 'ILIKE', escapeChar: string): string {
  const flags = operator === 'ILIKE' ? '(?is)' : '(?s)';
  const regex = `regexp_full_match(z.v, '${flags}' || _df.like_regex(z.p, ${quoteString(escapeChar)}))`;
  const own = `z.v LIKE ${withoutOpenEnd('z.p', escapeChar)} ESCAPE ${quoteString(escapeChar)}`;
  const found = operator === 'ILIKE' ? regex : `CASE WHEN length(z.p) - length(replace(z.p, '%', '')) < 2 THEN ${own} ELSE ${regex} END`;
  return `list_transform([{'v': ${value}, 'p': ${pattern}}], lambda z: ${found})[1]`;
}

/** DuckDB refuses patterns that end in the escape character. */
function withoutOpenEnd(pattern: string, escapeChar: string): string {
  if (escapeChar !== '\\') return pattern;
  return `CASE WHEN regexp_matches(${pattern}, '(^|[^\\\\])(\\\\\\\\)*\\\\$') THEN ${pattern} || '\\' ELSE ${pattern} END`;
}

/**
 * Macro of the regular expression that means a LIKE pattern. What is escaped is taken apart first, one character each, so that a wildcard
 * that is meant as itself is none.
 */
export const LIKE_REGEX_MACRO =
  "like_regex(p, e) as array_to_string(list_transform(regexp_extract_all(p, '(?s)' || regexp_escape(e) || '.|.'), lambda c: case when c = '%' then '.*' when c = '_' then '.' when length(c) = 2 then regexp_escape(c[2]) else regexp_escape(c) end), '')";
