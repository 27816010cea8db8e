import { executionError } from '../errors.ts';

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

/** A chrono format as the engine's `strftime` / `strptime` spell it. Unknown specifiers are errors. */
export function strftimeFormat(format: string): string {
  return format.replace(/%(\.?[369]?f|-?[A-Za-z]|%|$)/g, (whole, specifier: string) => {
    if (sameLetters.has(specifier)) return whole;
    const found = Object.hasOwn(mapped, specifier) ? mapped[specifier] : undefined;
    if (found === undefined || found === '') throw executionError(`The format string is invalid or not supported: ${format}`);
    return found;
  });
}
