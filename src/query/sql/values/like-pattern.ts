import { quoteString } from '../types/quote.ts';
import type { Typed } from '../types/typed.ts';
import { toText } from './casts.ts';

/** SQL of a pattern of LIKE. DuckDB refuses patterns that end in the escape character; there it means itself. */
export function likePattern(pattern: Typed, escapeChar: string): string {
  const { sql } = toText(pattern);
  const isOpen = (text: string): boolean => [...text].reduce((open, char) => !open && char === escapeChar, false);
  if (pattern.constant?.kind === 'string') return isOpen(pattern.constant.value) ? quoteString(pattern.constant.value + escapeChar) : sql;
  if (escapeChar !== '\\') return sql;
  return `list_transform([${sql}], lambda p: CASE WHEN regexp_matches(p, '(^|[^\\\\])(\\\\\\\\)*\\\\$') THEN p || '\\' ELSE p END)[1]`;
}
