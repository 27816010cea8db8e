import { executionError } from '../types/errors.ts';
import { quoteString } from '../types/quote.ts';

const sameLetters = new Set([...'YmdHMSbBaAjyIpZUuwz%']);
const mapped: Readonly<Record<string, string>> = {
  e: '%-d',
  f: '%n',
  '3f': '%g',
  '6f': '%f',
  '9f': '%n',
  '.3f': '.%g',
  '.6f': '.%f',
  '.9f': '.%n',
  '.f': '.%n',
  T: '%H:%M:%S',
  F: '%Y-%m-%d',
  R: '%H:%M',
  D: '%m/%d/%y',
  h: '%b',
  k: '%-H',
  l: '%-I',
  P: '%p',
  n: '\n',
  t: '\t',
  '-d': '%-d',
  '-m': '%-m',
  '-H': '%-H',
  '-I': '%-I',
  '-M': '%-M',
  '-S': '%-S',
  '-j': '%-j',
  '-y': '%-y',
  C: '',
};

/** Stands for a per cent sign that is none of a specifier's. */
const PER_CENT = 'chr(1)';

/**
 * Body of a macro that formats the time `t` by the chrono format `f`, for formats that are not constant: DuckDB's own
 * function wants a constant, so every specifier is put in by itself.
 */
export function formatMacroBody(): string {
  const specifiers = [
    ...Object.entries(mapped),
    ...[...sameLetters].filter((letter) => letter !== '%').map((letter) => [letter, `%${letter}`]),
  ]
    .filter(([, format]) => format !== '')
    .sort(([a = ''], [b = '']) => b.length - a.length);
  let text = `replace(z.f, '%%', ${PER_CENT})`;
  for (const [specifier, format] of specifiers) text = `replace(${text}, '%${specifier}', strftime(z.t, ${quoteString(format ?? '')}))`;
  const refused = "error('Execution error: The format string is invalid or not supported: ' || z.f)";
  const done = `list_transform([${text}], lambda r: case when contains(r, '%') then ${refused} else replace(r, ${PER_CENT}, '%') end)[1]`;
  return `list_transform([{'t': t, 'f': f}], lambda z: ${done})[1]`;
}

/** A chrono format as DuckDB's `strftime` / `strptime` spell it. Unknown specifiers are errors. */
export function strftimeFormat(format: string): string {
  return format.replace(/%(\.?[369]?f|-?[A-Za-z]|%|$)/g, (whole, specifier: string) => {
    if (sameLetters.has(specifier)) return whole;
    const found = Object.hasOwn(mapped, specifier) ? mapped[specifier] : undefined;
    if (found === undefined || found === '') throw executionError(`The format string is invalid or not supported: ${format}`);
    return found;
  });
}
