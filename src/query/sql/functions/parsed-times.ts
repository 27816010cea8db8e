/** Text read as a time by chrono formats: https://docs.rs/chrono/latest/chrono/format/strftime/ */
import { executionError, planError } from '../types/errors.ts';
import { quoteString } from '../types/quote.ts';
import { utf8 } from '../types/types.ts';
import { castTo } from '../values/casts.ts';
import { readableFormat } from './chrono-format.ts';
import { arg, constantText, type ScalarCall } from './define.ts';

/**
 * SQL of the first argument read by the formats that follow it, as TIMESTAMP_NS or DATE. They are tried in order; a format that
 * can read nothing is left out while there are others.
 */
export function parsedByFormats(call: ScalarCall, target: 'TIMESTAMP_NS' | 'DATE'): string {
  const source = castTo(arg(call, 0), utf8).sql;
  const formats = call.args.slice(1).map((value) => {
    const text = constantText(value);
    if (text === undefined) throw planError(`${call.name} needs formats that are constants`);
    return text;
  });
  const tries = formats.flatMap((format) => attempts(format));
  if (tries.length === 0) throw executionError(`The format string is invalid or not supported: ${formats.join(', ')}`);
  const listed = formats.map((format) => `'${format}'`).join(', ');
  const failed = `error('Execution error: Error parsing timestamp from ''' || s || ''' using ${formats.length === 1 ? 'format' : 'formats'} ' || ${quoteString(listed)})`;
  const read = tries.map((attempt) => attemptSql(attempt)).join(', ');
  return `CAST(list_transform([${source}], lambda s: coalesce(${read}, CASE WHEN s IS NOT NULL THEN ${failed} END))[1] AS ${target})`;
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

/** SQL of a TIMESTAMP_NS, NULL where the text `s` is none. */
function attemptSql(attempt: Attempt): string {
  switch (attempt.kind) {
    case 'plain':
      return `CAST(try_strptime(s, ${quoteString(attempt.format)}) AS TIMESTAMP_NS)`;
    case 'fraction-and-offset': {
      const seconds = `CAST(try_strptime(regexp_replace(s, '${FRACTION}', ''), ${quoteString(attempt.format)}) AS TIMESTAMP_NS)`;
      return `make_timestamp_ns(epoch_ns(${seconds}) + CAST(rpad(regexp_extract(s, '${FRACTION}', 1)[:9], 9, '0') AS BIGINT))`;
    }
    case 'epoch-seconds':
      return `make_timestamp_ns(CASE WHEN regexp_full_match(s, '[+-]?[0-9]+') THEN TRY_CAST(s AS BIGINT) END * 1000000000)`;
    case 'iso8601':
      return `CASE WHEN regexp_full_match(s, '${ISO_8601}') THEN TRY_CAST(s AS TIMESTAMP_NS) END`;
  }
}
