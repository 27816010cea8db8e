import { formatMacroBody } from './functions/chrono-format.ts';
import { PER_ROW_SUFFIX } from './functions/define.ts';
import { BIN_START_MACRO, EXACT_MONTHS_MACRO } from './functions/exact-bins.ts';
import { parseTimeMacro } from './functions/parsed-times.ts';
import { LIKE_REGEX_MACRO } from './values/like-pattern.ts';

/**
 * Helper functions inside DuckDB. Each has one signature, or its arguments have types that the compiler has made
 * sure of: macros with typed overloads bind wrongly around aggregates.
 */

/**
 * How much a function may make of little for one row: DuckDB counts none of it, and works on up to 2048 rows before it looks
 * whether it should stop.
 */
interface Most {
  /** Ending of the macros' names. */
  readonly suffix: string;
  readonly bytes: number;
  readonly items: number;
  /** Pairs of characters that are held against each other. */
  readonly compared: number;
}

/** Of constants DuckDB makes one value for all rows. */
const ofConstants: Most = { suffix: '', bytes: 1_048_576, items: 100_000, compared: 100_000_000 };
const perRow: Most = { suffix: PER_ROW_SUFFIX, bytes: 65_536, items: 10_000, compared: 1_000_000 };

/** Text that takes the place of another may make so much more of it. */
const REPLACED_BYTES_MAX = 4_194_304;

const tooMuch = (what: string, max: number): string => `error('Resources exhausted: ${what} would make more than ${max}')`;

/** Functions whose results can be far larger than their arguments. */
function bounded({ suffix, bytes, items, compared }: Most): string[] {
  const textWithin = (name: string, size: string, made: string): string =>
    `case when ${size} > ${bytes} then ${tooMuch(name, bytes)} else ${made} end`;
  const noStep = (name: string): string =>
    `when s = 0 then error('Execution error: step can''t be 0 for function ${name}(start [, stop, step])')`;
  return [
    `repeat${suffix}(s, n) as ${textWithin('repeat', 'strlen(s) * n', 'repeat(s, n)')}`,
    `lpad${suffix}(s, n, p) as ${textWithin('lpad', 'n', 'lpad(s, n, p)')}`,
    `rpad${suffix}(s, n, p) as ${textWithin('rpad', 'n', 'rpad(s, n, p)')}`,
    `l_repeat${suffix}(x, n, size) as case when n > ${items} or n * size > ${bytes} then ${tooMuch('array_repeat', items)} else list_transform(range(n), lambda i: x) end`,
    `l_range${suffix}(a, b, s) as case ${noStep('range')} when (b::hugeint - a) / s > ${items} then ${tooMuch('range', items)} else range(a, b, s) end`,
    `l_series${suffix}(a, b, s) as case ${noStep('generate_series')} when (b::hugeint - a) / s >= ${items} then ${tooMuch('generate_series', items)} else generate_series(a, b, s) end`,
    `l_step${suffix}(a, b, s) as case when epoch_us(s) = 0 then error('Execution error: step can''t be 0 for a series')::interval when (epoch_us(b)::hugeint - epoch_us(a)) / epoch_us(s) > ${items} then ${tooMuch('generate_series', items)}::interval else s end`,
    `levenshtein${suffix}(s, t) as case when strlen(s)::hugeint * strlen(t) > ${compared} then error('Resources exhausted: levenshtein would compare more than ${compared}')::bigint else levenshtein(s, t) end`,
    `l_resize2${suffix}(a, n) as case when n > ${items} then ${tooMuch('array_resize', items)} else list_resize(a, n) end`,
    `l_resize3${suffix}(a, n, x) as case when n > ${items} then ${tooMuch('array_resize', items)} else list_resize(a, n, x) end`,
  ];
}

/** How many bytes the replacement of everything could make of a text: of each byte of it, or of each find. */
const replacedBytes = (find: string): string => `strlen(s)::hugeint * strlen(t) // greatest(${find}, 1)`;

const replacing = [
  `replace(s, f, t) as case when strlen(t) > strlen(f) and ${replacedBytes('strlen(f)')} > ${REPLACED_BYTES_MAX} then ${tooMuch('replace', REPLACED_BYTES_MAX)} else replace(s, f, t) end`,
  `regexp_replaceable(s, t) as case when ${replacedBytes('1')} > ${REPLACED_BYTES_MAX} then ${tooMuch('regexp_replace', REPLACED_BYTES_MAX)} else s end`,
];

/** Integers of any size cut down to their last bits, as DataFusion's arithmetic does; the argument is a huge integer. */
const wrapping = [8, 16, 32, 64].flatMap((bits) => {
  const size = `'${2n ** BigInt(bits)}'::hugeint`;
  const half = `'${2n ** BigInt(bits - 1)}'::hugeint`;
  const type = { 8: 'tinyint', 16: 'smallint', 32: 'integer', 64: 'bigint' }[bits];
  return [
    `wrap_i${bits}(x) as cast(_df.pmod(x + ${half}, ${size}) - ${half} as ${type})`,
    `wrap_u${bits}(x) as cast(_df.pmod(x, ${size}) as u${type})`,
  ];
});

const lists = [
  // Each item beside the one before it: a list that a lambda reaches from outside is copied for each item.
  'l_pairs(s) as case when s is not null then list_zip(s, list_prepend(null, s), true) end',
  // Each value at its first place: sorted by value and place, the first of each, by place again.
  "l_distinct(a) as list_transform(list_sort(list_transform([list_sort(list_transform(a, lambda x, i: {'x': x, 'i': i}))], lambda s: list_transform(list_filter(_df.l_pairs(s), lambda z, k: k = 1 or z[1].x is distinct from z[2].x), lambda z: {'i': z[1].i, 'x': z[1].x}))[1]), lambda e: e.x)",
  // Sets come sorted, NULL first; a missing list counts as empty.
  "l_sorted_distinct(a) as list_transform([list_sort(a, 'ASC', 'NULLS FIRST')], lambda s: list_transform(list_filter(_df.l_pairs(s), lambda z, i: i = 1 or z[1] is distinct from z[2]), lambda z: z[1]))[1]",
  // Items of `a`, each once in it, that are in `b` or not, in their order: both sorted together, so that equal ones are neighbours.
  "l_marked(a, b) as list_sort(list_concat(list_transform(b, lambda x: {'x': x, 't': 0, 'i': 0}), list_transform(a, lambda x, i: {'x': x, 't': 1, 'i': i})))",
  "l_found(a, b, w) as list_transform(list_sort(list_transform([_df.l_marked(a, b)], lambda s: list_transform(list_filter(_df.l_pairs(s), lambda z, k: z[1].t = 1 and (k > 1 and z[2].x is not distinct from z[1].x) = w), lambda z: {'i': z[1].i, 'x': z[1].x}))[1]), lambda e: e.x)",
  'l_union(a, b) as list_concat(_df.l_sorted_distinct(coalesce(a, [])), _df.l_found(_df.l_sorted_distinct(coalesce(b, [])), coalesce(a, []), false))',
  'l_except(a, b) as case when a is not null then _df.l_found(_df.l_distinct(a), coalesce(b, []), false) end',
  'l_intersect(a, b) as _df.l_found(_df.l_sorted_distinct(coalesce(b, [])), coalesce(a, []), true)',
  "l_joined(a, d) as case when a is not null and d is not null then coalesce(array_to_string(a, d), '') end",
  // DuckDB joins by constant separators only.
  "l_joined_by(a, d) as case when a is not null and d is not null then list_transform([list_filter(a, lambda x: x is not null)], lambda f: array_to_string(list_transform(f, lambda x, i: case when i = 1 then x else d || x end), ''))[1] end",
  'l_overlap(a, b) as list_has_any(a, b) or (len(list_filter(a, lambda x: x is null)) > 0 and len(list_filter(b, lambda x: x is null)) > 0)',
  'l_positions(a, x) as list_filter(list_transform(a, lambda y, i: case when y is not distinct from x then i end), lambda i: i is not null)',
  // Up to the place of the n-th find: counting the finds before each item would take the square of the items.
  'l_nth(a, x, n) as case when n < 1 then 0 else coalesce(_df.l_positions(a, x)[n], len(a)) end',
  'l_remove_n(a, x, n) as list_transform([_df.l_nth(a, x, n)], lambda p: list_filter(a, lambda y, i: y is distinct from x or i > p))[1]',
  'l_remove(a, x) as _df.l_remove_n(a, x, 1)',
  'l_remove_all(a, x) as list_filter(a, lambda y: y is distinct from x)',
  'l_replace_n(a, f, t, n) as list_transform([_df.l_nth(a, f, n)], lambda p: list_transform(a, lambda y, i: case when y is not distinct from f and i <= p then t else y end))[1]',
  'l_replace(a, f, t) as _df.l_replace_n(a, f, t, 1)',
  'l_replace_all(a, f, t) as list_transform(a, lambda y: case when y is not distinct from f then t else y end)',
  'l_distance(a, b) as case when list_contains(list_transform(list_concat(a, b), lambda x: x is null), true) then null else list_distance(a, b) end',
];

const macros = [
  // Exact up to both ends of 64 bits; the divisor is positive.
  'floordiv(a, b) as (a // b) - (a % b < 0)::bigint',
  'pmod(a, b) as ((a % b) + b) % b',
  'us(x) as make_timestamp(_df.floordiv(epoch_ns(x), 1000))',
  'sub(x) as _df.pmod(epoch_ns(x), 1000)',
  'from_us(u, extra) as make_timestamp_ns(epoch_us(u) * 1000 + extra)',
  'add_iv(x, iv) as _df.from_us(_df.us(x) + iv, _df.sub(x))',
  'sub_iv(x, iv) as _df.from_us(_df.us(x) - iv, _df.sub(x))',
  'ns9(x) as _df.pmod(epoch_ns(x), 1000000000)',
  // None, three, six or nine digits.
  "frac_text(n) as case when n = 0 then '' when n % 1000000 = 0 then '.' || lpad((n // 1000000)::varchar, 3, '0') when n % 1000 = 0 then '.' || lpad((n // 1000)::varchar, 6, '0') else '.' || lpad(n::varchar, 9, '0') end",
  "ts_text(x) as strftime(_df.us(x), '%Y-%m-%dT%H:%M:%S') || _df.frac_text(_df.ns9(x))",
  // An offset is one of whole seconds.
  "zoned_text(x, o) as strftime(make_timestamp(_df.floordiv(epoch_ns(x), 1000) + o // 1000), '%Y-%m-%dT%H:%M:%S') || _df.frac_text(_df.ns9(x))",
  "f64_text(x) as case when isnan(x) then 'NaN' when x = 'inf'::double then 'inf' when x = '-inf'::double then '-inf' else regexp_replace(regexp_replace(cast(x as varchar), 'e\\+0*', 'e'), 'e-0+', 'e-') end",
  // `1 mons 2 days 3 hours 4 mins 5.000006000 secs`: parts that are zero are left out.
  "secs_text(us) as case when us < 0 then '-' else '' end || (abs(us) // 1000000)::varchar || '.' || lpad((abs(us) % 1000000)::varchar, 6, '0') || '000 secs'",
  "iv_parts(m, d, us) as list_filter([case when m <> 0 then m::varchar || ' mons' end, case when d <> 0 then d::varchar || ' days' end, case when us // 3600000000 <> 0 then (us // 3600000000)::varchar || ' hours' end, case when us // 60000000 % 60 <> 0 then (us // 60000000 % 60)::varchar || ' mins' end, case when us % 60000000 <> 0 then _df.secs_text(us % 60000000) end], lambda p: p is not null)",
  "iv_text(v) as case when v is not null then coalesce(nullif(array_to_string(_df.iv_parts(date_part('year', v) * 12 + date_part('month', v), date_part('day', v), date_part('hour', v) * 3600000000 + date_part('minute', v) * 60000000 + date_part('microsecond', v)), ' '), ''), '0 secs') end",
  // Intervals with nanoseconds: structs of months, days and nanoseconds.
  "fine(v) as case when v is not null then {'m': (date_part('year', v) * 12 + date_part('month', v))::integer, 'd': date_part('day', v)::integer, 'n': (date_part('hour', v) * 3600000000 + date_part('minute', v) * 60000000 + date_part('microsecond', v)) * 1000} end",
  "fine_ns(v) as case when v.m <> 0 then error('type_coercion\ncaused by\nError during planning: Cannot convert an interval with months to a duration')::bigint else v.d * 86400000000000 + v.n end",
  "fine_sum(a, b, s) as case when a is not null and b is not null then {'m': (a.m + s * b.m)::integer, 'd': (a.d + s * b.d)::integer, 'n': (a.n + s * b.n)::bigint} end",
  "fine_times(a, s) as case when a is not null and s is not null then {'m': (a.m * s)::integer, 'd': (a.d * s)::integer, 'n': (a.n * s)::bigint} end",
  'add_fine(x, v) as make_timestamp_ns(epoch_ns(_df.add_iv(x, to_months(v.m) + to_days(v.d))) + v.n)',
  'sub_fine(x, v) as make_timestamp_ns(epoch_ns(_df.sub_iv(x, to_months(v.m) + to_days(v.d))) - v.n)',
  "fine_secs(n) as case when n < 0 then '-' else '' end || (abs(n) // 1000000000)::varchar || '.' || lpad((abs(n) % 1000000000)::varchar, 9, '0') || ' secs'",
  "fine_text(v) as case when v is not null then coalesce(nullif(array_to_string(list_filter([case when v.m <> 0 then v.m::varchar || ' mons' end, case when v.d <> 0 then v.d::varchar || ' days' end, case when v.n // 3600000000000 <> 0 then (v.n // 3600000000000)::varchar || ' hours' end, case when v.n // 60000000000 % 60 <> 0 then (v.n // 60000000000 % 60)::varchar || ' mins' end, case when v.n % 60000000000 <> 0 then _df.fine_secs(v.n % 60000000000) end], lambda p: p is not null), ' '), ''), '0 secs') end",
  "dur_text(d) as case when d = 0 then 'P0D' else case when d < 0 then '-' else '' end || 'PT' || (abs(d) // 1000000000)::varchar || case when abs(d) % 1000000000 = 0 then '' else '.' || rtrim(lpad((abs(d) % 1000000000)::varchar, 9, '0'), '0') end || 'S' end",
  // Exact, where the power of doubles has 53 bits.
  "int_pow(b, e) as case when b is null or e is null then null when e < 0 then error('Execution error: Can''t use negative exponents: ' || e || ' in integer computation, please use Float.')::bigint when b in (0, 1) then case when e = 0 then 1 else b end when b = -1 then 1 - 2 * (e % 2) else cast(list_reduce(list_prepend(1::hugeint, list_transform(range(least(e, 64)), lambda i: b::hugeint)), lambda x, y: x * y) as bigint) end",
  "int_text(x, t) as case when x is null then null when regexp_full_match(x, '[+-]?[0-9]+') and try_cast(x as hugeint) is not null then x else error('Arrow error: Cast error: Cannot cast string ''' || x || ''' to value of ' || t || ' type') end",
  "float_text(x, t) as case when x is null or try_cast(x as double) is not null then x else error('Arrow error: Cast error: Cannot cast string ''' || x || ''' to value of ' || t || ' type') end",
  "dur_pretty(d, n) as list_transform([{'a': abs(d), 'm': case when d < 0 then '-' else '' end}], lambda z: z.m || (z.a // 86400000000000)::varchar || ' days ' || z.m || (z.a // 3600000000000 % 24)::varchar || ' hours ' || z.m || (z.a // 60000000000 % 60)::varchar || ' mins ' || z.m || (z.a // 1000000000 % 60)::varchar || case when n > 0 then '.' || lpad((z.a % 1000000000)::varchar, 9, '0')[:n] else '' end || ' secs')[1]",
  "date_bin_months2(m, x) as _df.from_us(time_bucket(to_months(m::integer), _df.us(x), timestamp '1970-01-01'), 0)",
  // Whole months are counted from the origin's; the bin before is meant where the origin's day and hour come later in the month.
  "date_bin_months3(m, x, o, k) as list_transform([date_part('year', x) * 12 + date_part('month', x) - k], lambda d: list_transform([d - _df.pmod(d, m)], lambda e: case when _df.add_iv(o, to_months(e::integer)) > x then _df.add_iv(o, to_months((e - m)::integer)) else _df.add_iv(o, to_months(e::integer)) end)[1])[1]",
  'tz_off(z, ns) as (epoch_us(timezone(z, make_timestamp(_df.floordiv(ns,1000)::bigint)::timestamptz)) - _df.floordiv(ns,1000)) * 1000',
  'to_local(z, x) as make_timestamp_ns(epoch_ns(x) + _df.tz_off(z, epoch_ns(x)))',
  'from_local(z, l) as make_timestamp_ns(epoch_us(timezone(z, _df.us(l))) * 1000 + _df.sub(l))',
  "off_text(o, sep, zero) as case when o = 0 then zero else (case when o < 0 then '-' else '+' end) || lpad((abs(o) // 3600000000000)::varchar, 2, '0') || sep || lpad(((abs(o) // 60000000000) % 60)::varchar, 2, '0') end",
  // Texts of decimals: the sum of scale `s` without its point, divided, and with the point again at scale `k`.
  "avg_decimal(t, n, s, k) as case when n > 0 then list_transform([replace(t::varchar, '.', '')::hugeint * pow(10, k - s)::hugeint // n], lambda q: case when q < 0 then '-' else '' end || list_transform([lpad(abs(q)::varchar, greatest(k + 1, length(abs(q)::varchar))::integer, '0')], lambda x: x[:-(k + 1)] || '.' || x[-k:])[1])[1] end",
  BIN_START_MACRO,
  EXACT_MONTHS_MACRO,
  'exact_local(z, x) as epoch_ns(x)::hugeint + _df.tz_off(z, epoch_ns(x))',
  'exact_wall_bin(z, x, s, o) as case when epoch_ns(x)::hugeint - _df.pmod(_df.exact_local(z, x) - o, s) < -9223372036854775806 then _df.bin_start(epoch_ns(x)::hugeint - s, x) else make_timestamp_ns(_df.wall_bin(z, epoch_ns(x)::hugeint, s, o)::bigint) end',
  // The steps of a wall-clock bin, each computed once: offset at the instant and local start of its bin; that start by the same
  // offset, and the offset a day before; that start by the offset of the day before.
  "wall_bin(z, x, s, o) as list_transform(list_transform(list_transform([{'x': x, 'f': _df.tz_off(z, x)}], lambda r: {'f': r.f, 'b': r.x + r.f - _df.pmod(r.x + r.f - o, s)}), lambda r: {'f': r.f, 'b': r.b, 'g': _df.tz_off(z, r.b - r.f), 'p': _df.tz_off(z, r.b - r.f - 86400000000000)}), lambda r: case when r.g = r.f and (s <= r.p - r.f or _df.tz_off(z, r.b - r.p) <> r.p) then r.b - r.f else r.b - r.p end)[1]",
  "acos(x) as case when x between -1 and 1 then acos(x) when x is null then null else 'nan'::double end",
  "asin(x) as case when x between -1 and 1 then asin(x) when x is null then null else 'nan'::double end",
  "atanh(x) as case when x = -1 then '-inf'::double when x between -1 and 1 then atanh(x) when x is null then null else 'nan'::double end",
  "sqrt(x) as case when x >= 0 then sqrt(x) when x is null then null else 'nan'::double end",
  "ln(x) as case when isnan(x) then x when x > 0 then ln(x) when x = 0 then '-inf'::double when x is null then null else 'nan'::double end",
  "log10(x) as case when isnan(x) then x when x > 0 then log10(x) when x = 0 then '-inf'::double when x is null then null else 'nan'::double end",
  "log2(x) as case when isnan(x) then x when x > 0 then log2(x) when x = 0 then '-inf'::double when x is null then null else 'nan'::double end",
  // DuckDB refuses infinite angles.
  ...['sin', 'cos', 'tan'].map((name) => `${name}(x) as case when isinf(x) then 'nan'::double else ${name}(x) end`),
  "cot(x) as case when x = 0 then 'inf'::double when isinf(x) then 'nan'::double else cot(x) end",
  // Eleven significant bits, fewer below 2^-14; halves go to the even neighbour.
  "to_half(x) as case when x is null or isnan(x) or isinf(x) or x = 0 then x when abs(x) >= 65520 then case when x > 0 then 'inf'::double else '-inf'::double end else list_transform([pow(2, greatest(floor(log2(abs(x))), -14) - 10)], lambda q: round_even(x / q, 0) * q)[1] end",
  'cbrt(x) as case when round(cbrt(x)) ** 3 = x then round(cbrt(x)) else cbrt(x) end',
  'nanvl(x, y) as case when x is null or y is null then null when isnan(x) then y else x end',
  'signum(x) as case when isnan(x) then x when x is null then null when x > 0 then 1.0::double when x < 0 then -1.0::double else 0.0::double end',
  "factorial(x) as case when x is null then null when x < 2 then 1::bigint when x > 20 then error('Arrow error: Compute error: Overflow happened on FACTORIAL(' || x::varchar || ')')::bigint else cast(factorial(x::integer) as bigint) end",
  "find_in_set(s, l) as case when s is null or l is null then null else coalesce(list_position(string_split(l, ','), s), 0) end",
  "initcap(s) as case when s is null then null else array_to_string(list_transform(regexp_extract_all(s, '[\\p{L}\\p{N}]+|[^\\p{L}\\p{N}]+'), lambda b: upper(b[1]) || lower(b[2:])), '') end",
  // A place behind the text's end keeps nothing of what is before it.
  "overlay_n(s, r, p, n) as case when s is not null and p is not null and n is not null then (case when p > 1 and p - 1 < length(s) then substr(s, 1, p - 1) else '' end) || r || (case when p + n - 1 < length(s) then substr(s, greatest(p + n, 1)) else '' end) end",
  'overlay3(s, r, p) as _df.overlay_n(s, r, _df.place(p), length(r))',
  'overlay4(s, r, p, n) as _df.overlay_n(s, r, _df.place(p), case when n is not null then least(n, length(s)) end)',
  // DuckDB counts characters with 32 bits, and refuses larger places.
  'place(p) as case when p is not null then greatest(least(p, 4294967295), -4294967295) end',
  'substr2(s, p) as case when p is not null then substr(s, greatest(_df.place(p), 1)) end',
  "substr3(s, p, n) as case when s is null or p is null or n is null then null when n < 0 then error('Execution error: negative substring length not allowed: substr(<str>, ' || p || ', ' || n || ')') else substr(s, greatest(_df.place(p),1), greatest(_df.place(p) + least(n, 4294967295) - greatest(_df.place(p), 1), 0)) end",
  "substr_index(s, d, n) as case when s is null or d is null or n is null then null when d = '' then '' when n > 0 then array_to_string(string_split(s, d)[1:n], d) when n < 0 then array_to_string(string_split(s, d)[greatest(len(string_split(s,d)) + n + 1, 1):], d) else '' end",
  "split_part(s, d, n) as case when n = 0 then error('Execution error: field position must not be zero') else split_part(s, d, n) end",
  // By code points, where DuckDB's own function keeps accents with their letters.
  "reverse(s) as case when strlen(s) = length(s) then reverse(s) else array_to_string(list_reverse(_df.chars(s)), '') end",
  "chars(s) as regexp_extract_all(s, '(?s).')",
  "string_to_array(s, d) as case when s is null then null when d is null then _df.chars(s) when d = '' then [s] else string_split(s, d) end",
  'to_hex(x) as lower(to_hex(x))',
  "upper(s) as upper(replace(s, 'ß', 'SS'))",
  parseTimeMacro(),
  LIKE_REGEX_MACRO,
  `to_char(c, n, s, o, w, f) as ${formatMacroBody()}`,
  "weighted_percentile(a, p) as case when len(a) > 0 then list_transform([{'s': list_sort(a), 't': p * list_sum(list_transform(a, lambda e: e.w))}], lambda z: list_reduce(z.s, lambda q, e: case when q.w >= z.t then q else {'x': e.x, 'w': q.w + e.w} end).x)[1] end",
  ...bounded(ofConstants),
  ...bounded(perRow),
  ...replacing,
  ...wrapping,
  ...lists,
];

/** Statements to run once per engine instance, before it is locked down. They can be run again. */
export function engineSetupStatements(): readonly string[] {
  return ['create schema if not exists _df', ...macros.map((macro) => `create or replace macro _df.${macro}`)];
}
