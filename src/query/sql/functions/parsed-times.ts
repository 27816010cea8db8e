/** Text read as a time by chrono formats: https://docs.rs/chrono/latest/chrono/format/strftime/ */
import { executionError } from '../types/errors.ts';
import { quoteString } from '../types/quote.ts';
import type { Typed } from '../types/typed.ts';
import { utf8 } from '../types/types.ts';
import { castTo, toText } from '../values/casts.ts';
import { readableFormat } from './chrono-format.ts';
import { parseMacroBody } from './column-formats.ts';
import { arg, constantText, type ScalarCall } from './define.ts';

/**
 * SQL of the first argument read by the formats that follow it, as TIMESTAMP_NS or DATE. They are tried in order; a format that
 * can read nothing is left out while there are others.
 */
export function parsedByFormats(call: ScalarCall, target: 'TIMESTAMP_NS' | 'DATE'): string {
  const source = castTo(arg(call, 0), utf8).sql;
  const given = call.args.slice(1);
  if (given.some((value) => constantText(value) === undefined)) return parsedByColumns(source, given, target);
  const formats = given.map((value) => constantText(value) as string);
  const tries = formats.flatMap((format) => attempts(format));
  if (tries.length === 0) throw executionError(`The format string is invalid or not supported: ${formats.join(', ')}`);
  const listed = formats.map((format) => `'${format}'`).join(', ');
  const failed = `error('Execution error: Error parsing timestamp from ''' || s || ''' using ${formats.length === 1 ? 'format' : 'formats'} ' || ${quoteString(listed)})`;
  const read = tries.map((attempt) => attemptSql(attempt)).join(', ');
  return `CAST(list_transform([${source}], lambda s: coalesce(${read}, CASE WHEN s IS NOT NULL THEN ${failed} END))[1] AS ${target})`;
}

/** The same by formats of which some are columns; where one is NULL, so is the time unless another one fits. */
function parsedByColumns(source: string, formats: readonly Typed[], target: 'TIMESTAMP_NS' | 'DATE'): string {
  const texts = formats.map((value) => toText(value).sql);
  const listed = texts.map((text) => `'''' || ${text} || ''''`).join(` || ', ' || `);
  const failed = `error('Execution error: Error parsing timestamp from ''' || s || ''' using ${formats.length === 1 ? 'format' : 'formats'} ' || ${listed})`;
  const read = texts.map((text) => `_df.parse_time(s, ${text})`).join(', ');
  const isKnown = ['s', ...texts].map((text) => `${text} IS NOT NULL`).join(' AND ');
  return `CAST(list_transform([${source}], lambda s: coalesce(${read}, CASE WHEN ${isKnown} THEN ${failed} END))[1] AS ${target})`;
}

/** The macro behind formats that are columns. */
export function parseTimeMacro(): string {
  const [epoch, iso] = [attemptSql({ kind: 'epoch-seconds' }, 'z.s'), attemptSql({ kind: 'iso8601' }, 'z.s')];
  return `parse_time(s, f) as ${parseMacroBody(epoch, iso)}`;
}

type Attempt =
  | { readonly kind: 'plain'; readonly format: string }
  /** The fraction of the second, then the offset: DuckDB reads such a time as microseconds. */
  | { readonly kind: 'fraction-and-offset'; readonly format: string }
  | { readonly kind: 'epoch-seconds' | 'iso8601' };

function attempts(format: string): readonly Attempt[] {
  if (format === '%s') return [{ kind: 'epoch-seconds' }];
  if (format === '%+') return [{ kind: 'iso8601' }];
  const read = readableFormat(format);
  if (read === undefined) return [];
  const whole = read.replace('.%n', '');
  const hasOffset = /%z/.test(read);
  const withFraction: Attempt =
    hasOffset && read.includes('.%n') ? { kind: 'fraction-and-offset', format: whole } : { kind: 'plain', format: read };
  // A fraction may be missing.
  return format.includes('%.f') ? [withFraction, { kind: 'plain', format: whole }] : [withFraction];
}

const ISO_8601 = '[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)? *([zZ]|[+-][0-9]{2}:?[0-9]{2})';
const FRACTION = '\\.([0-9]+)';

/** SQL of a TIMESTAMP_NS, NULL where the text is none. */
function attemptSql(attempt: Attempt, text = 's'): string {
  switch (attempt.kind) {
    case 'plain':
      return `CAST(try_strptime(${text}, ${quoteString(attempt.format)}) AS TIMESTAMP_NS)`;
    case 'fraction-and-offset': {
      const seconds = `CAST(try_strptime(regexp_replace(${text}, '${FRACTION}', ''), ${quoteString(attempt.format)}) AS TIMESTAMP_NS)`;
      return `make_timestamp_ns(epoch_ns(${seconds}) + CAST(rpad(regexp_extract(${text}, '${FRACTION}', 1)[:9], 9, '0') AS BIGINT))`;
    }
    case 'epoch-seconds':
      return `make_timestamp_ns(CASE WHEN regexp_full_match(${text}, '[+-]?[0-9]+') THEN TRY_CAST(${text} AS BIGINT) END * 1000000000)`;
    case 'iso8601':
      return `CASE WHEN regexp_full_match(${text}, '${ISO_8601}') THEN TRY_CAST(${text} AS TIMESTAMP_NS) END`;
  }
}
