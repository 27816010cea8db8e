/** True when a text matches a pattern of SQL's LIKE: `%` any characters, `_` one, `\` takes the next one as it is. */
export function isLike(text: string, pattern: string): boolean {
  const wanted = tokens(pattern);
  const chars = [...text];
  let at = 0;
  let token = 0;
  let retryToken = -1;
  let retryAt = 0;
  while (at < chars.length) {
    const next = wanted[token];
    if (next?.kind === 'many') {
      retryToken = token++;
      retryAt = at;
    } else if (next !== undefined && (next.kind === 'any' || (next.kind === 'char' && next.char === chars[at]))) {
      at++;
      token++;
    } else if (retryToken >= 0) {
      token = retryToken + 1;
      at = ++retryAt;
    } else return false;
  }
  while (wanted[token]?.kind === 'many') token++;
  return token === wanted.length;
}

type Token = { readonly kind: 'many' | 'any' } | { readonly kind: 'char'; readonly char: string };

function tokens(pattern: string): Token[] {
  const found: Token[] = [];
  let escaped = false;
  for (const char of pattern) {
    if (escaped) found.push({ kind: 'char', char });
    else if (char === '%') found.push({ kind: 'many' });
    else if (char === '_') found.push({ kind: 'any' });
    else if (char !== '\\') found.push({ kind: 'char', char });
    escaped = !escaped && char === '\\';
  }
  return found;
}
