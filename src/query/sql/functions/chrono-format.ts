import { executionError, notImplemented } from '../types/errors.ts';
import { quoteString } from '../types/quote.ts';
import { fixedOffsetNs, offsetSql, wallClock } from '../values/zones.ts';

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

/** What a format shows, as SQL. */
export interface Moment {
  /** Undefined = the time has none, and its offset cannot be shown. */
  readonly zone: string | undefined;
  /** The wall clock, a TIMESTAMP: microseconds, as near both ends of time a clock shows what is no TIMESTAMP_NS. */
  readonly clock: string;
  /** Nanoseconds of the second. */
  readonly nanos: string;
  /** Seconds since 1970. */
  readonly seconds: string;
  /** Nanoseconds that the clock is east of UTC. */
  readonly offset: string | undefined;
}

/** What a format shows of a TIMESTAMP_NS or a DATE. */
export function momentOf(sql: string, kind: 'time' | 'date', zone: string | undefined): Moment {
  if (kind === 'date') {
    const clock = `CAST(${sql} AS TIMESTAMP)`;
    return { zone: undefined, clock, nanos: '0', seconds: `(epoch_us(${clock}) // 1000000)`, offset: undefined };
  }
  return {
    zone,
    clock: wallClock(zone ?? 'UTC', sql),
    nanos: `_df.ns9(${sql})`,
    seconds: `_df.floordiv(epoch_ns(${sql}), 1000000000)`,
    offset: zone === undefined ? undefined : offsetSql(zone, sql),
  };
}

/** Stands for a per cent sign that is none of a specifier's. */
const PER_CENT = 'chr(1)';

/** SQL of a time as text by a format that is not constant. */
export function formattedByColumn(format: string, { zone, clock, nanos, seconds, offset }: Moment): string {
  const name = zone !== undefined && isShownByName(zone) ? quoteString(zone) : 'NULL';
  return `_df.to_char(${clock}, ${nanos}, ${seconds}, ${offset ?? 'NULL'}, ${name}, ${format})`;
}

/**
 * Body of a macro that formats a moment by the chrono format `f`, for formats that are not constant: DuckDB's own
 * function wants a constant, so every specifier is put in by itself.
 */
export function formatMacroBody(): string {
  const moment: Moment = { zone: undefined, clock: 'z.c', nanos: 'z.n', seconds: 'z.s', offset: 'z.o' };
  const known = new Set([
    ...Object.keys(computed),
    ...Object.keys(mapped).map((name) => `%${name}`),
    ...[...sameLetters].map((c) => `%${c}`),
  ]);
  let text = `replace(z.f, '%%', ${PER_CENT})`;
  for (const [short, long] of Object.entries(shorthands)) text = `replace(${text}, '${short}', '${long}')`;
  for (const specifier of [...known]
    .filter((each) => each !== '%%' && each !== '%z' && each !== '%Z')
    .sort((a, b) => b.length - a.length)) {
    text = `replace(${text}, '${specifier}', ${specifierText(specifier, moment)})`;
  }
  // What cannot be shown stays, and is refused.
  text = `replace(${text}, '%:z', coalesce(_df.off_text(z.o, ':', '+00:00'), '%'))`;
  text = `replace(${text}, '%z', coalesce(_df.off_text(z.o, '', '+0000'), '%'))`;
  text = `replace(${text}, '%Z', coalesce(z.w, '%'))`;
  const refused = "error('Execution error: The format string is invalid or not supported: ' || z.f)";
  const done = `list_transform([${text}], lambda r: case when contains(r, '%') then ${refused} else replace(r, ${PER_CENT}, '%') end)[1]`;
  return `list_transform([{'c': c, 'n': n, 's': s, 'o': o, 'w': w, 'f': f}], lambda z: ${done})[1]`;
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

/** Specifiers that `strftime` does not have, or has otherwise: SQL of their text. */
const computed: Readonly<Record<string, (moment: Moment) => string>> = {
  '%e': ({ clock }) => `lpad(strftime(${clock}, '%-d'), 2, ' ')`,
  '%k': ({ clock }) => `lpad(strftime(${clock}, '%-H'), 2, ' ')`,
  '%l': ({ clock }) => `lpad(strftime(${clock}, '%-I'), 2, ' ')`,
  '%P': ({ clock }) => `lower(strftime(${clock}, '%p'))`,
  '%q': ({ clock }) => `CAST(date_part('quarter', ${clock}) AS VARCHAR)`,
  '%s': ({ seconds }) => `CAST(${seconds} AS VARCHAR)`,
  '%f': nineDigits,
  '%9f': nineDigits,
  '%.9f': (moment) => `'.' || ${nineDigits(moment)}`,
  '%.f': ({ nanos }) => `_df.frac_text(${nanos})`,
  '%C': ({ clock }) => `lpad(CAST(date_part('year', ${clock}) // 100 AS VARCHAR), 2, '0')`,
};

/** Nine digits of the second's fraction. */
function nineDigits({ nanos }: Moment): string {
  return `lpad(CAST(${nanos} AS VARCHAR), 9, '0')`;
}

/** SQL of the text of one specifier that needs no zone. */
function specifierText(specifier: string, moment: Moment): string {
  const made = Object.hasOwn(computed, specifier) ? computed[specifier] : undefined;
  return made?.(moment) ?? `strftime(${moment.clock}, ${quoteString(strftimeFormat(specifier))})`;
}

/** SQL of a moment as text by a constant chrono format. */
export function formatted(format: string, moment: Moment): string {
  const whole = format.replace(/%%|%[cxXrv+]/g, (specifier) => shorthands[specifier] ?? specifier);
  const texts = whole.split(/(%:?z|%Z|%[eklPqCsf]|%9f|%\.9?f|%%)/).flatMap((part) => {
    if (part === '') return [];
    if (part === '%z' || part === '%:z') return offset(format, moment, part === '%z' ? '' : ':');
    if (part === '%Z') return zoneText(format, moment.zone);
    return specifierText(part, moment);
  });
  return texts.join(' || ') || "''";
}

function offset(format: string, moment: Moment, separator: string): string {
  if (moment.offset === undefined) throw executionError(`The format string is invalid or not supported: ${format}`);
  return `_df.off_text(${moment.offset}, '${separator}', '+00${separator}00')`;
}

/** Names of the tz database have abbreviations, which DuckDB does not tell. */
function zoneText(format: string, zone: string | undefined): string {
  if (zone === undefined) throw executionError(`The format string is invalid or not supported: ${format}`);
  if (!isShownByName(zone)) throw notImplemented(`%Z for a time in ${zone}`);
  return quoteString(zone);
}

function isShownByName(zone: string): boolean {
  return zone === 'UTC' || fixedOffsetNs(zone) !== undefined;
}
