/** String, regular expression and encoding functions. */

import { notImplemented, planError } from '../types/errors.ts';
import { quoteString } from '../types/quote.ts';
import { intConstant, nullConstant, type Typed, typed } from '../types/typed.ts';
import { binaryType, boolean, int32, int64, type SqlType, utf8 } from '../types/types.ts';
import { castTo, toText } from '../values/casts.ts';
import { arg, boundedMacro, constantText, defineFunctions, type ScalarCall } from './define.ts';
import { encodingOf } from './digests.ts';
import { captureGroups, patternBeforeGroup } from './pattern-groups.ts';

const listOfText: SqlType = { kind: 'list', item: utf8 };

export const stringFunctions = defineFunctions([
  ['ascii', 1, 1, (call) => typed(`ascii(${text(call, 0)})`, int32)],
  ['bit_length', 1, 1, (call) => typed(`CAST(bit_length(${text(call, 0)}) AS INTEGER)`, int32)],
  ['octet_length', 1, 1, octetLength],
  ['length char_length character_length', 1, 1, length],
  ['chr', 1, 1, (call) => typed(`chr(CAST(${arg(call, 0).sql} AS INTEGER))`, utf8)],
  ['concat', 1, Number.POSITIVE_INFINITY, (call) => typed(`concat(${texts(call)})`, utf8)],
  ['concat_ws', 2, Number.POSITIVE_INFINITY, (call) => typed(`concat_ws(${texts(call)})`, utf8)],
  ['contains starts_with', 2, 2, (call) => typed(`${call.name}(${texts(call)})`, boolean)],
  ['ends_with', 2, 2, (call) => typed(`ends_with(${texts(call)})`, boolean)],
  ['strpos instr position', 2, 2, (call) => typed(`CAST(strpos(${texts(call)}) AS INTEGER)`, int32)],
  ['left right', 2, 2, (call) => typed(`"${call.name}"(${text(call, 0)}, _df.place(${int(call, 1)}))`, utf8)],
  ['levenshtein', 2, 2, (call) => typed(`CAST(${boundedMacro('levenshtein', call.args)}(${texts(call)}) AS INTEGER)`, int32)],
  ['lower', 1, 1, (call) => typed(`${call.name}(${texts(call)})`, utf8)],
  ['upper initcap reverse', 1, 1, (call) => typed(`_df.${call.name}(${texts(call)})`, utf8)],
  ['ltrim rtrim', 1, 2, (call) => typed(`${call.name}(${texts(call)})`, utf8)],
  ['btrim trim', 1, 2, (call) => typed(`trim(${texts(call)})`, utf8)],
  ['repeat', 2, 2, (call) => typed(`${boundedMacro('repeat', call.args)}(${text(call, 0)}, ${int(call, 1)})`, utf8)],
  ['replace', 3, 3, (call) => typed(`_df.replace(${texts(call)})`, utf8)],
  ['translate', 3, 3, (call) => typed(`translate(${texts(call)})`, utf8)],
  ['lpad rpad', 2, 3, pad],
  ['substr substring', 2, 3, (call) => macroText(call, '_df.substr', [1, 2])],
  ['substr_index substring_index', 3, 3, (call) => typed(`_df.substr_index(${text(call, 0)}, ${text(call, 1)}, ${int(call, 2)})`, utf8)],
  ['split_part', 3, 3, (call) => typed(`_df.split_part(${text(call, 0)}, ${text(call, 1)}, ${int(call, 2)})`, utf8)],
  ['overlay', 3, 4, (call) => macroText(call, '_df.overlay', [2, 3])],
  ['find_in_set', 2, 2, (call) => typed(`CAST(_df.find_in_set(${texts(call)}) AS INTEGER)`, int32)],
  ['to_hex', 1, 1, (call) => typed(`_df.to_hex(${castTo(arg(call, 0), int64).sql})`, utf8)],
  ['uuid', 0, 0, () => typed('CAST(uuid() AS VARCHAR)', utf8)],
  ['encode', 2, 2, encode],
  ['decode', 2, 2, decode],
  ['string_to_array string_to_list', 2, 3, split],
  ['regexp_like', 2, 3, (call) => (hasNull(call) ? castTo(nullConstant(), boolean) : regexpLike(call))],
  ['regexp_replace', 3, 4, (call) => (hasNull(call) ? castTo(nullConstant(), utf8) : regexpReplace(call))],
  ['regexp_match', 2, 3, (call) => (hasNull(call) ? castTo(nullConstant(), listOfText) : regexpMatch(call))],
  ['regexp_count', 2, 4, (call) => (hasNull(call) ? intConstant(0n) : regexpCount(call))],
  ['regexp_instr', 2, 6, regexpInstr],
]);

/** True when an argument is NULL whatever the row. */
function hasNull(call: ScalarCall): boolean {
  return call.args.some(({ constant, type }) => constant?.kind === 'null' || type.kind === 'null');
}

function text(call: ScalarCall, index: number): string {
  return toText(arg(call, index)).sql;
}

function texts(call: ScalarCall): string {
  return call.args.map((value) => toText(value).sql).join(', ');
}

function int(call: ScalarCall, index: number): string {
  return castTo(arg(call, index), int64).sql;
}

function macroText(call: ScalarCall, macro: string, ints: readonly number[]): Typed {
  const args = call.args.map((_, index) => (ints.includes(index) ? int(call, index) : text(call, index)));
  return typed(`${macro}${args.length}(${args.join(', ')})`, utf8);
}

function length(call: ScalarCall): Typed {
  const value = arg(call, 0);
  if (value.type.kind === 'list') return typed(`CAST(len(${value.sql}) AS UBIGINT)`, { kind: 'int', bits: 64, signed: false });
  return typed(`CAST(length(${toText(value).sql}) AS INTEGER)`, int32);
}

function octetLength(call: ScalarCall): Typed {
  const value = arg(call, 0);
  const bytes = value.type.kind === 'binary' ? value.sql : `encode(${toText(value).sql})`;
  return typed(`CAST(octet_length(${bytes}) AS INTEGER)`, int32);
}

function pad(call: ScalarCall): Typed {
  const fill = call.args[2] ? text(call, 2) : "' '";
  return typed(`${boundedMacro(call.name, call.args)}(${text(call, 0)}, CAST(${arg(call, 1).sql} AS INTEGER), ${fill})`, utf8);
}

function formatName(call: ScalarCall): 'hex' | 'base64' {
  const name = encodingOf(constantText(arg(call, 1)) ?? '');
  if (name !== undefined) return name;
  throw planError(
    `There is no built-in encoding named '${constantText(arg(call, 1)) ?? ''}', currently supported encodings are: base64, hex`,
  );
}

function encode(call: ScalarCall): Typed {
  const value = arg(call, 0);
  const bytes = value.type.kind === 'binary' ? value.sql : `encode(${toText(value).sql})`;
  // compat: base64 without padding
  return typed(formatName(call) === 'hex' ? `lower(hex(${bytes}))` : `rtrim(to_base64(${bytes}), '=')`, utf8);
}

function decode(call: ScalarCall): Typed {
  const value = text(call, 0);
  if (formatName(call) === 'hex') return typed(`unhex(${value})`, binaryType);
  return typed(`from_base64(rpad(${value}, CAST((length(${value}) + 3) // 4 * 4 AS INTEGER), '='))`, binaryType);
}

function split(call: ScalarCall): Typed {
  const parts = `_df.string_to_array(${text(call, 0)}, ${text(call, 1)})`;
  if (!call.args[2]) return typed(parts, listOfText);
  return typed(`list_transform(${parts}, lambda x: nullif(x, ${text(call, 2)}))`, listOfText);
}

/** Options of DataFusion's regular expressions in DuckDB's letters; they must be constant. */
function flags(value: Typed | undefined, also = ''): string {
  if (!value) return also === '' ? '' : `, ${quoteString(also)}`;
  const letters = constantText(value);
  if (letters === undefined) throw planError('regular expression flags must be a literal');
  const mapped = [...letters].filter((letter) => letter !== 'g' && letter !== 'U' && letter !== 'x' && letter !== 'R');
  if (mapped.some((letter) => !'ims'.includes(letter))) throw planError(`unsupported regular expression flags "${letters}"`);
  const global = letters.includes('g') && also === 'g' ? 'g' : '';
  const all = mapped.join('') + global;
  return all === '' ? '' : `, ${quoteString(all)}`;
}

/** The pattern with flags that are not constant in front of it; the flags that the call still needs. */
function flagged(call: ScalarCall, at: number): { readonly pattern: string; readonly rest: string } {
  const given = call.args[at];
  if (given === undefined || constantText(given) !== undefined) return { pattern: text(call, 1), rest: flags(given) };
  const letters = toText(given).sql;
  const checked = `CASE WHEN regexp_full_match(f, '[imsUxR]*') THEN regexp_replace(f, '[UxR]', '', 'g') ELSE error('Execution error: unsupported regular expression flags "' || f || '"') END`;
  const made = `list_transform([${letters}], lambda f: ${checked})[1]`;
  return {
    pattern: `list_transform([${made}], lambda f: CASE WHEN f IS NULL OR f = '' THEN '' ELSE '(?' || f || ')' END)[1] || ${text(call, 1)}`,
    rest: '',
  };
}

function regexpLike(call: ScalarCall): Typed {
  refuseGlobal(call);
  if (call.args[2] !== undefined && constantText(call.args[2]) === undefined)
    return typed(`regexp_matches(${text(call, 0)}, ${flagged(call, 2).pattern})`, boolean);
  return typed(`regexp_matches(${text(call, 0)}, ${text(call, 1)}${flags(call.args[2])})`, boolean);
}

/** Place of the nth match, counted from 1; 0 where there is none. */
function regexpInstr(call: ScalarCall): Typed {
  const group = call.args[5]?.constant?.kind === 'int' ? Number(call.args[5].constant.value) : call.args[5] === undefined ? 0 : undefined;
  if (group === undefined) throw planError('regexp_instr needs the number of its group as a literal');
  const letters = flags(call.args[4]).replace(/[^ims]/g, '');
  const pattern = letters === '' ? text(call, 1) : `(${quoteString(`(?${letters})`)} || ${text(call, 1)})`;
  const value = text(call, 0);
  const start = call.args[2] ? int(call, 2) : '1';
  const n = call.args[3] ? int(call, 3) : '1';
  const rest = `{'s': substr(${value}, ${start}), 'p': ${pattern}, 'n': ${n}, 'f': ${start}}`;
  const lengths = (list: string, count: string): string =>
    `coalesce(list_sum(list_transform(${list}[1:${count}], lambda y: length(y))), 0)`;
  const parts = 'string_split_regex(r.s, r.p)';
  const matches = 'regexp_extract_all(r.s, r.p)';
  const found = `CASE WHEN r.s IS NULL OR r.p IS NULL THEN NULL WHEN r.p = '' OR len(${matches}) < r.n THEN 0 ELSE r.f + ${lengths(parts, 'r.n')} + ${lengths(matches, '(r.n - 1)')} END`;
  const place = `CAST(list_transform([${rest}], lambda r: ${found})[1] AS BIGINT)`;
  return group === 0 ? typed(place, int64) : typed(`CAST(${placeOfGroup(call, group, { value, place, letters })} AS BIGINT)`, int64);
}

/** Where a group of the pattern begins, given where the match does. */
function placeOfGroup(
  call: ScalarCall,
  group: number,
  { value, place, letters }: { readonly value: string; readonly place: string; readonly letters: string },
): string {
  const pattern = constantText(arg(call, 1));
  if (pattern === undefined) throw planError('regexp_instr with a group needs a literal pattern');
  // compat: a pattern without such a group is never found
  if (group < 0 || group > captureGroups(pattern)) return '0';
  const made = patternBeforeGroup(pattern, group);
  if (made === undefined) throw notImplemented('regexp_instr with a group that is repeated or one of several alternatives');
  const quoted = quoteString(`${letters === '' ? '' : `(?${letters})`}^(?:${made.pattern})`);
  const before = made.before.map((number) => `length(regexp_extract(z.t, ${quoted}, ${number}))`).join(' + ');
  return `list_transform([{'p': ${place}, 't': substr(${value}, ${place})}], lambda z: CASE WHEN z.p > 0 THEN z.p + ${before} ELSE z.p END)[1]`;
}

function refuseGlobal(call: ScalarCall): void {
  if (constantText(call.args[2])?.includes('g')) throw planError(`${call.name}() does not support the "global" option`);
}

function regexpReplace(call: ScalarCall): Typed {
  const replacement = constantText(arg(call, 2));
  const given = call.args[3];
  const global = constantText(given)?.includes('g') ? 'g' : '';
  const target = replacement === undefined ? text(call, 2) : quoteString(replacementText(replacement));
  const source = global === 'g' ? `_df.regexp_replaceable(${text(call, 0)}, ${target})` : text(call, 0);
  return typed(`regexp_replace(${source}, ${text(call, 1)}, ${target}${flags(given, global)})`, utf8);
}

/** `$1` and `${1}` (and `\1`) refer to groups. compat: a backslash without a number is a group of no name, which is empty. */
function replacementText(replacement: string): string {
  return replacement.replace(/\\(\d+)|\\|\$\{(\d+)\}|\$(\d+)|\$\$/g, (whole, slash?: string, braced?: string, plain?: string) => {
    const group = slash ?? braced ?? plain;
    if (group !== undefined) return `\\${group}`;
    return whole === '$$' ? '$' : '';
  });
}

function regexpMatch(call: ScalarCall): Typed {
  refuseGlobal(call);
  const pattern = constantText(arg(call, 1));
  if (pattern === undefined) throw planError('regexp_match needs a literal pattern');
  const [value, quoted] = [text(call, 0), quoteString(pattern)];
  const options = flags(call.args[2]);
  const groups = captureGroups(pattern);
  const parts = groups === 0 ? [0] : Array.from({ length: groups }, (_, index) => index + 1);
  const items = parts.map((group) => `regexp_extract(${value}, ${quoted}, ${group}${options})`);
  return typed(`(CASE WHEN regexp_matches(${value}, ${quoted}${options}) THEN [${items.join(', ')}] END)`, listOfText);
}

function regexpCount(call: ScalarCall): Typed {
  const value = call.args[2] ? `substr(${text(call, 0)}, ${int(call, 2)})` : text(call, 0);
  const { pattern, rest } = flagged(call, 3);
  return typed(`coalesce(len(regexp_extract_all(${value}, ${pattern}${rest === '' ? '' : `, 0${rest}`})), 0)`, int64);
}
