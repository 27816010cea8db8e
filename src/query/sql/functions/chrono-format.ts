import { executionError, notImplemented } from '../types/errors.ts';
import { quoteString } from '../types/quote.ts';
import { fixedOffsetNs, offsetSql } from '../values/zones.ts';

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
    // The macro knows neither the zone nor how to pad with blanks.
    .filter(([specifier = '', format]) => format !== '' && !'zZ'.includes(specifier))
    .sort(([a = ''], [b = '']) => b.length - a.length);
  let text = `replace(z.f, '%%', ${PER_CENT})`;
  for (const [specifier = '', format = ''] of specifiers) {
    const fraction = specifier.endsWith('f') ? computed[`%${specifier}`] : undefined;
    const made = fraction === undefined ? `strftime(${withoutNanos('z.t')}, ${quoteString(format)})` : fraction('z.t');
    text = `replace(${text}, '%${specifier}', ${made})`;
  }
  const refused = "error('Execution error: The format string is invalid or not supported: ' || z.f)";
  const done = `list_transform([${text}], lambda r: case when contains(r, '%') then ${refused} else replace(r, ${PER_CENT}, '%') end)[1]`;
  return `list_transform([{'t': t, 'f': f}], lambda z: ${done})[1]`;
}

/** A chrono format as DuckDB's `strptime` spells it; undefined = it has specifiers by which nothing can be read. */
export function readableFormat(format: string): string | undefined {
  const whole = format.replace(/%%|%[cxXrvD]|%#z/g, (specifier) => (specifier === '%#z' ? '%z' : (shorthands[specifier] ?? specifier)));
  return spelled(whole);
}

/** A chrono format as DuckDB's `strftime` spells it. Unknown specifiers are errors. */
function strftimeFormat(format: string): string {
  const found = spelled(format);
  if (found === undefined) throw executionError(`The format string is invalid or not supported: ${format}`);
  return found;
}

function spelled(format: string): string | undefined {
  let isKnown = true;
  const text = format.replace(/%(\.?[369]?f|-?[A-Za-z]|[\s\S]|$)/g, (whole, specifier: string) => {
    if (sameLetters.has(specifier)) return whole;
    const found = Object.hasOwn(mapped, specifier) ? mapped[specifier] : undefined;
    if (found === undefined || found === '') isKnown = false;
    return found ?? '';
  });
  return isKnown ? text : undefined;
}

/** Specifiers that stand for several others. */
const shorthands: Readonly<Record<string, string>> = {
  '%c': '%a %b %e %H:%M:%S %Y',
  '%x': '%m/%d/%y',
  '%X': '%H:%M:%S',
  '%r': '%I:%M:%S %p',
  '%v': '%e-%b-%Y',
  '%+': '%Y-%m-%dT%H:%M:%S%.f%:z',
};

/** Specifiers that `strftime` does not have: SQL of their text, given that of the wall clock. */
const computed: Readonly<Record<string, (local: string) => string>> = {
  '%e': (local) => `lpad(strftime(${local}, '%-d'), 2, ' ')`,
  '%k': (local) => `lpad(strftime(${local}, '%-H'), 2, ' ')`,
  '%l': (local) => `lpad(strftime(${local}, '%-I'), 2, ' ')`,
  '%P': (local) => `lower(strftime(${local}, '%p'))`,
  '%q': (local) => `CAST(date_part('quarter', ${local}) AS VARCHAR)`,
  '%f': (local) => nanos(local),
  '%9f': (local) => nanos(local),
  '%.9f': (local) => `'.' || ${nanos(local)}`,
  '%.f': (local) => `_df.frac_text(_df.ns9(${local}))`,
  '%C': (local) => `lpad(CAST(date_part('year', ${local}) // 100 AS VARCHAR), 2, '0')`,
};

/** Nine digits of the second's fraction. */
function nanos(local: string): string {
  return `lpad(CAST(_df.ns9(${local}) AS VARCHAR), 9, '0')`;
}

/**
 * SQL of a time as text by a constant chrono format.
 * @param zone undefined = the time has none, and its offset cannot be shown
 * @param local SQL of the wall clock, `instant` of the instant itself
 */
export function formatted(format: string, zone: string | undefined, local: string, instant: string): string {
  const whole = format.replace(/%%|%[cxXrv+]/g, (specifier) => shorthands[specifier] ?? specifier);
  const texts = whole.split(/(%:?z|%Z|%[eklPqCsf]|%9f|%\.9?f|%%)/).flatMap((part) => {
    if (part === '') return [];
    if (part === '%z' || part === '%:z') return offset(format, zone, instant, part === '%z' ? '' : ':');
    if (part === '%Z') return zoneText(format, zone);
    if (part === '%s') return `CAST(_df.floordiv(epoch_ns(${instant}), 1000000000) AS VARCHAR)`;
    const made = Object.hasOwn(computed, part) ? computed[part] : undefined;
    if (made !== undefined) return made(part.endsWith('f') ? local : withoutNanos(local));
    return `strftime(${withoutNanos(local)}, ${quoteString(strftimeFormat(part))})`;
  });
  return texts.join(' || ') || "''";
}

/** DuckDB formats the least times only without their nanoseconds. */
function withoutNanos(local: string): string {
  return `_df.us(${local})`;
}

function offset(format: string, zone: string | undefined, instant: string, separator: string): string {
  if (zone === undefined) throw executionError(`The format string is invalid or not supported: ${format}`);
  return `_df.off_text(${offsetSql(zone, instant)}, '${separator}', '+00${separator}00')`;
}

/** Names of the tz database have abbreviations, which DuckDB does not tell. */
function zoneText(format: string, zone: string | undefined): string {
  if (zone === undefined) throw executionError(`The format string is invalid or not supported: ${format}`);
  if (zone !== 'UTC' && fixedOffsetNs(zone) === undefined) throw notImplemented(`%Z for a time in ${zone}`);
  return quoteString(zone);
}
