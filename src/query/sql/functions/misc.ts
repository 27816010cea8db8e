/** Conditional, conversion and nested-value functions. */

import { coercionError, planError } from '../types/errors.ts';
import { quoteIdent } from '../types/quote.ts';
import { stringConstant, type Typed, typed } from '../types/typed.ts';
import { arrowTypeText, commonType, isNumeric, type SqlType, utf8 } from '../types/types.ts';
import { castTo } from '../values/casts.ts';
import { comparable, comparableAll, unify } from '../values/comparisons.ts';
import { arrowCastTarget } from './arrow-cast.ts';
import { arg, constantText, defineFunctions, type ScalarCall, sqlList } from './define.ts';

const many = Number.POSITIVE_INFINITY;

export const miscFunctions = defineFunctions([
  ['coalesce', 1, many, (call) => unified(call, withNumbers(call.args))],
  ['ifnull nvl', 2, 2, (call) => unified({ ...call, name: 'coalesce' }, call.args)],
  ['greatest least', 1, many, (call) => unified(call, withNumbers(call.args))],
  ['nullif', 2, 2, nullif],
  ['nvl2', 3, 3, nvl2],
  ['arrow_cast', 2, 2, arrowCast],
  ['arrow_typeof', 1, 1, typeOf],
  ['get_field', 2, 2, (call) => member(arg(call, 0), requiredText(call, 1))],
  ['version', 0, 0, () => stringConstant('Apache DataFusion 51.0.0, x86_64 on linux')],
  ['struct row', 1, many, (call) => structOf(call.args.map((value, index) => ({ name: `c${index}`, value })))],
  ['named_struct', 2, many, namedStruct],
  ['map', 2, many, mapOf],
  ['make_map', 0, many, mapOf],
  ['map_keys', 1, 1, (call) => typed(`map_keys(${arg(call, 0).sql})`, { kind: 'list', item: mapType(call).key })],
  ['map_values', 1, 1, (call) => typed(`map_values(${arg(call, 0).sql})`, { kind: 'list', item: mapType(call).value })],
  ['map_entries', 1, 1, mapEntries],
  ['map_extract element_at', 2, 2, mapExtract],
]);

/** A constant, but for each row where the value makes rows. */
function typeOf(call: ScalarCall): Typed {
  const { sql, type } = arg(call, 0);
  const text = stringConstant(arrowTypeText(type));
  return sql.includes('unnest(') ? typed(`concat(${text.sql}, left(CAST(${sql} AS VARCHAR), 0))`, utf8) : text;
}

function unified(call: ScalarCall, args: readonly Typed[]): Typed {
  const { values, type } = unify(args, call.name);
  return typed(`${call.name}(${sqlList(values)})`, type);
}

/** Texts among numbers are numbers. */
export function withNumbers(args: readonly Typed[]): readonly Typed[] {
  const numbers = args.filter(({ type }) => isNumeric(type));
  const [first] = numbers;
  if (first === undefined || !args.some(({ type }) => type.kind === 'string')) return args;
  if (args.some(({ type }) => !isNumeric(type) && type.kind !== 'string' && type.kind !== 'null')) return args;
  const type = numbers.map((value) => value.type).reduce((a, b) => commonType(a, b) ?? a);
  return args.map((value) => (value.type.kind === 'string' ? castTo(value, type) : value));
}

function nullif(call: ScalarCall): Typed {
  const [a, b] = comparableAll(withNumbers(call.args)) as [Typed, Typed];
  const [x, y] = comparable('=', a, b);
  return typed(`(CASE WHEN ${x.sql} = ${y.sql} THEN NULL ELSE ${a.sql} END)`, a.type);
}

function nvl2(call: ScalarCall): Typed {
  // compat: the type of what is tested counts too
  const [tested, ...results] = call.args.map((value) => value.type) as [SqlType, ...SqlType[]];
  const all = results.reduce<SqlType | undefined>((type, next) => type && commonType(type, next), tested);
  const { values, type } = unify(all ? call.args : call.args.slice(1), call.name);
  return typed(`(CASE WHEN ${arg(call, 0).sql} IS NOT NULL THEN ${values.at(-2)?.sql} ELSE ${values.at(-1)?.sql} END)`, type);
}

function requiredText(call: ScalarCall, index: number): string {
  const text = constantText(arg(call, index));
  if (text === undefined) throw planError(`${call.name} requires its argument ${index + 1} to be a constant string`);
  return text;
}

function arrowCast(call: ScalarCall): Typed {
  return castTo(arg(call, 0), arrowCastTarget(requiredText(call, 1)));
}

/** A struct member, `x['name']`. */
export function member(value: Typed, name: string): Typed {
  if (value.type.kind === 'map') return typed(`map_extract_value(${value.sql}, ${stringConstant(name).sql})`, value.type.value);
  if (value.type.kind === 'struct') {
    const found = value.type.members.find((candidate) => candidate.name === name);
    if (!found) throw planError(`Field ${name} not found in struct`);
    return typed(`struct_extract(${value.sql}, ${stringConstant(name).sql})`, found.type);
  }
  if (value.type.kind === 'unknown') return typed(`struct_extract(${value.sql}, ${stringConstant(name).sql})`, { kind: 'unknown' });
  throw planError(
    `The expression to get an indexed field is only valid for \`Struct\`, \`Map\` or \`Null\` types, got ${arrowTypeText(value.type)}`,
  );
}

/** A struct of named values in their order. Throws a planning error (400) without members. */
export function structOf(members: readonly { readonly name: string; readonly value: Typed }[]): Typed {
  if (members.length === 0) throw planError('struct requires at least one argument, got 0 instead');
  const sql = members.map((item) => `${quoteIdent(item.name)} := ${item.value.sql}`).join(', ');
  return typed(`struct_pack(${sql})`, { kind: 'struct', members: members.map((item) => ({ name: item.name, type: item.value.type })) });
}

function namedStruct(call: ScalarCall): Typed {
  if (call.args.length % 2 !== 0) throw planError('named_struct requires an even number of arguments');
  const members = [];
  for (let at = 0; at < call.args.length; at += 2) members.push({ name: requiredText(call, at), value: arg(call, at + 1) });
  return structOf(members);
}

function mapOf(call: ScalarCall): Typed {
  if (call.name === 'map' && call.args.length === 2 && arg(call, 0).type.kind === 'list' && arg(call, 1).type.kind === 'list') {
    const [keys, values] = [arg(call, 0).type as { item: SqlType }, arg(call, 1).type as { item: SqlType }];
    return typed(`map(${sqlList(call.args)})`, { kind: 'map', key: keys.item, value: values.item });
  }
  if (call.args.length % 2 !== 0) throw planError('make_map requires an even number of arguments');
  return mapFromEntries(call.args.filter((_, index) => index % 2 === 0).map((key, index) => ({ key, value: arg(call, index * 2 + 1) })));
}

/** A map; all keys and all values are brought to one type each. Throws 400 when they have none in common. */
export function mapFromEntries(entries: readonly { readonly key: Typed; readonly value: Typed }[]): Typed {
  if (entries.length === 0) return typed('map(CAST([] AS VARCHAR[]), CAST([] AS VARCHAR[]))', { kind: 'map', key: utf8, value: utf8 });
  const keys = mapSide(entries.map((entry) => entry.key));
  const values = mapSide(entries.map((entry) => entry.value));
  return typed(`map([${sqlList(keys.values)}], [${sqlList(values.values)}])`, { kind: 'map', key: keys.type, value: values.type });
}

/** Keys or values in one type. compat: lists of numbers and lists of texts have none. */
function mapSide(side: readonly Typed[]): ReturnType<typeof unify> {
  const items = side.flatMap(({ type }) => (type.kind === 'list' ? [type.item] : []));
  if (items.some(isNumeric) && items.some(({ kind }) => kind === 'string')) {
    throw coercionError(`Cannot infer a common type of lists of ${[...new Set(items.map(arrowTypeText))].join(' and ')} in map`);
  }
  return unify(withNumbers(side), 'map');
}

/** compat: of a key that is not there, a list of NULL. */
function mapExtract(call: ScalarCall): Typed {
  const { key, value } = mapType(call);
  const found = `map_extract(${arg(call, 0).sql}, ${castTo(arg(call, 1), key).sql})`;
  return typed(`coalesce(nullif(${found}, []), [NULL])`, { kind: 'list', item: value });
}

function mapEntries(call: ScalarCall): Typed {
  const { key, value } = mapType(call);
  const members = [
    { name: 'key', type: key },
    { name: 'value', type: value },
  ];
  return typed(`map_entries(${arg(call, 0).sql})`, { kind: 'list', item: { kind: 'struct', members } });
}

function mapType(call: ScalarCall): { key: SqlType; value: SqlType } {
  const { type } = arg(call, 0);
  if (type.kind !== 'map') throw planError(`${call.name} requires a map, got ${arrowTypeText(type)}`);
  return type;
}
