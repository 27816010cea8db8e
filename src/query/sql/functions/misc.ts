/** Conditional, conversion and nested-value functions. */

import { notImplemented, planError } from '../types/errors.ts';
import { quoteIdent } from '../types/quote.ts';
import { intConstant, stringConstant, type Typed, typed } from '../types/typed.ts';
import { arrowTypeText, boolean, float64, int64, type SqlType, timestampNs, uint64, utf8 } from '../types/types.ts';
import { castTo, coerceTo, toText } from '../values/casts.ts';
import { intervalNs } from '../values/intervals.ts';
import { comparable, unify } from '../values/operators.ts';
import { arrowCastTarget } from './arrow-cast.ts';
import { arg, constantText, defineFunctions, type ScalarCall, sqlList } from './define.ts';

const many = Number.POSITIVE_INFINITY;

export const miscFunctions = defineFunctions([
  ['coalesce ifnull nvl', 1, many, (call) => unified(call, 'coalesce')],
  ['greatest least', 1, many, (call) => unified(call, call.name)],
  ['nullif', 2, 2, nullif],
  ['nvl2', 3, 3, nvl2],
  ['arrow_cast', 2, 2, arrowCast],
  ['arrow_typeof', 1, 1, (call) => stringConstant(arrowTypeText(arg(call, 0).type))],
  ['get_field', 2, 2, (call) => member(arg(call, 0), requiredText(call, 1))],
  ['version', 0, 0, () => stringConstant('Apache DataFusion 51.0.0, x86_64 on linux')],
  ['make_array make_list', 0, many, (call) => arrayOf(call.args)],
  ['array_length list_length', 1, 2, arrayLength],
  ['cardinality', 1, 1, cardinality],
  ['empty array_empty list_empty', 1, 1, (call) => typed(`(len(${list(call).sql}) = 0)`, boolean)],
  ['array_append list_append array_push_back list_push_back', 2, 2, (call) => listCall(call, 'list_append')],
  [
    'array_prepend list_prepend array_push_front list_push_front',
    2,
    2,
    (call) => ({ sql: `list_prepend(${arg(call, 0).sql}, ${list(call, 1).sql})`, type: arg(call, 1).type }),
  ],
  ['array_concat array_cat list_concat list_cat', 1, many, listConcat],
  ['array_has list_has array_contains list_contains', 2, 2, (call) => listTest(call, 'list_contains')],
  ['array_has_all list_has_all', 2, 2, (call) => listTest(call, 'list_has_all')],
  ['array_has_any list_has_any arrays_overlap', 2, 2, (call) => listTest(call, 'list_has_any')],
  ['array_element list_element array_extract list_extract', 2, 2, (call) => element(arg(call, 0), arg(call, 1))],
  ['array_pop_back list_pop_back', 1, 1, (call) => typed(`${list(call).sql}[:-2]`, list(call).type)],
  ['array_pop_front list_pop_front', 1, 1, (call) => typed(`${list(call).sql}[2:]`, list(call).type)],
  ['array_reverse list_reverse', 1, 1, (call) => listCall(call, 'list_reverse')],
  ['array_slice list_slice', 3, 3, (call) => listCall(call, 'list_slice')],
  ['array_max list_max', 1, 1, (call) => itemCall(call, 'list_max')],
  ['array_min list_min', 1, 1, (call) => itemCall(call, 'list_min')],
  ['array_any_value list_any_value', 1, 1, (call) => itemCall(call, 'list_any_value')],
  ['array_distinct list_distinct', 1, 1, (call) => listCall(call, '_df.l_distinct')],
  ['array_union list_union', 2, 2, (call) => listCall(call, '_df.l_union')],
  ['array_except list_except', 2, 2, (call) => listCall(call, '_df.l_except')],
  ['array_intersect list_intersect', 2, 2, (call) => listCall(call, '_df.l_intersect')],
  [
    'array_position list_position array_indexof list_indexof',
    2,
    2,
    (call) => ({ ...listCall(call, 'list_position'), sql: `CAST(${listCall(call, 'list_position').sql} AS UBIGINT)`, type: uint64 }),
  ],
  ['array_positions list_positions', 2, 2, (call) => ({ ...listCall(call, '_df.l_positions'), type: { kind: 'list', item: uint64 } })],
  ['array_remove list_remove', 2, 2, (call) => listCall(call, '_df.l_remove')],
  ['array_remove_n list_remove_n', 3, 3, (call) => listCall(withInt(call, 2), '_df.l_remove_n')],
  ['array_remove_all list_remove_all', 2, 2, (call) => listCall(call, '_df.l_remove_all')],
  ['array_replace list_replace', 3, 3, (call) => listCall(call, '_df.l_replace')],
  ['array_replace_n list_replace_n', 4, 4, (call) => listCall(withInt(call, 3), '_df.l_replace_n')],
  ['array_replace_all list_replace_all', 3, 3, (call) => listCall(call, '_df.l_replace_all')],
  [
    'array_repeat list_repeat',
    2,
    2,
    (call) => typed(`_df.l_repeat(${sqlList(withInt(call, 1).args)})`, { kind: 'list', item: arg(call, 0).type }),
  ],
  ['array_to_string list_to_string array_join list_join', 2, 3, toJoined],
  ['array_distance list_distance', 2, 2, (call) => typed(`_df.l_distance(${sqlList(call.args)})`, float64)],
  ['array_resize list_resize', 2, 3, (call) => listCall(withInt(call, 1), `_df.l_resize${call.args.length}`)],
  ['array_sort list_sort', 1, 3, sorted],
  ['array_ndims list_ndims', 1, 1, (call) => intConstant(BigInt(dimensions(arg(call, 0).type)), uint64)],
  ['array_dims list_dims', 1, 1, arrayDims],
  ['range generate_series', 1, 3, listSeries],
  ['flatten', 1, 1, flatten],
  ['struct row', 1, many, (call) => structOf(call.args.map((value, index) => ({ name: `c${index}`, value })))],
  ['named_struct', 2, many, namedStruct],
  ['map make_map', 2, many, mapOf],
  ['map_keys', 1, 1, (call) => typed(`map_keys(${arg(call, 0).sql})`, { kind: 'list', item: mapType(call).key })],
  ['map_values', 1, 1, (call) => typed(`map_values(${arg(call, 0).sql})`, { kind: 'list', item: mapType(call).value })],
  ['map_extract element_at', 2, 2, (call) => typed(`map_extract(${sqlList(call.args)})`, { kind: 'list', item: mapType(call).value })],
]);

function unified(call: ScalarCall, name: string): Typed {
  const { values, type } = unify(call.args, call.name);
  return typed(`${name}(${sqlList(values)})`, type);
}

function nullif(call: ScalarCall): Typed {
  const [a, b] = comparable('=', arg(call, 0), arg(call, 1));
  return typed(`(CASE WHEN ${a.sql} = ${b.sql} THEN NULL ELSE ${arg(call, 0).sql} END)`, arg(call, 0).type);
}

function nvl2(call: ScalarCall): Typed {
  const { values, type } = unify(call.args.slice(1), call.name);
  return typed(`(CASE WHEN ${arg(call, 0).sql} IS NOT NULL THEN ${values[0]?.sql} ELSE ${values[1]?.sql} END)`, type);
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

/** A list element, `x[1]`, counted from 1. */
export function element(value: Typed, index: Typed): Typed {
  if (value.type.kind === 'map') return typed(`map_extract_value(${value.sql}, ${coerceTo(index, value.type.key).sql})`, value.type.value);
  if (value.type.kind !== 'list' && value.type.kind !== 'unknown')
    throw planError(`array_element does not support type '${arrowTypeText(value.type)}'`);
  const item: SqlType = value.type.kind === 'list' ? value.type.item : value.type;
  return typed(`list_extract(${value.sql}, ${castTo(index, int64).sql})`, item);
}

export function arrayOf(items: readonly Typed[]): Typed {
  const { values, type } = unify(items, 'make_array');
  return typed(`list_value(${sqlList(values)})`, { kind: 'list', item: type });
}

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

export function mapFromEntries(entries: readonly { readonly key: Typed; readonly value: Typed }[]): Typed {
  const keys = unify(
    entries.map((entry) => entry.key),
    'map',
  );
  const values = unify(
    entries.map((entry) => entry.value),
    'map',
  );
  return typed(`map([${sqlList(keys.values)}], [${sqlList(values.values)}])`, { kind: 'map', key: keys.type, value: values.type });
}

function mapType(call: ScalarCall): { key: SqlType; value: SqlType } {
  const { type } = arg(call, 0);
  if (type.kind !== 'map') throw planError(`${call.name} requires a map, got ${arrowTypeText(type)}`);
  return type;
}

function checkList(call: ScalarCall): void {
  list(call);
}

/** An argument that must be a list. */
function list(call: ScalarCall, index = 0): Typed {
  const value = arg(call, index);
  const { kind } = value.type;
  if (kind === 'list' || kind === 'unknown') return value;
  if (kind === 'null') return typed('CAST(NULL AS BIGINT[])', { kind: 'list', item: int64 });
  throw planError(`${call.name} does not support type '${arrowTypeText(value.type)}'`);
}

/** The call with an argument as a 64-bit integer. */
function withInt(call: ScalarCall, index: number): ScalarCall {
  return { ...call, args: call.args.map((value, at) => (at === index ? castTo(value, int64) : value)) };
}

/** Entries of a map, or items of a list and of all lists in it. */
function cardinality(call: ScalarCall): Typed {
  const value = arg(call, 0);
  if (value.type.kind === 'map') return typed(`CAST(cardinality(${value.sql}) AS UBIGINT)`, uint64);
  let items = list(call);
  while (items.type.kind === 'list' && items.type.item.kind === 'list') items = typed(`flatten(${items.sql})`, items.type.item);
  return typed(`CAST(len(${items.sql}) AS UBIGINT)`, uint64);
}

function listCall(call: ScalarCall, name: string): Typed {
  checkList(call);
  return typed(`${name}(${sqlList(call.args)})`, arg(call, 0).type);
}

function listTest(call: ScalarCall, name: string): Typed {
  return { ...listCall(call, name), type: boolean };
}

function itemCall(call: ScalarCall, name: string): Typed {
  checkList(call);
  const { type } = arg(call, 0);
  return typed(`${name}(${arg(call, 0).sql})`, type.kind === 'list' ? type.item : { kind: 'unknown' });
}

function listConcat(call: ScalarCall): Typed {
  checkList(call);
  const sql = call.args.map((value) => value.sql).reduce((left, right) => `list_concat(${left}, ${right})`);
  return typed(sql, arg(call, 0).type);
}

function toJoined(call: ScalarCall): Typed {
  const [items, separator] = [list(call).sql, toText(arg(call, 1)).sql];
  if (!call.args[2]) return typed(`array_to_string(${items}, ${separator})`, utf8);
  const nulls = toText(call.args[2]).sql;
  return typed(`array_to_string(list_transform(${items}, lambda x: coalesce(CAST(x AS VARCHAR), ${nulls})), ${separator})`, utf8);
}

function sorted(call: ScalarCall): Typed {
  const direction = call.args[1] ? requiredText(call, 1).toUpperCase() : 'ASC';
  const nulls = call.args[2] ? requiredText(call, 2).toUpperCase() : 'NULLS FIRST';
  if ((direction !== 'ASC' && direction !== 'DESC') || (nulls !== 'NULLS FIRST' && nulls !== 'NULLS LAST')) {
    throw planError('array_sort expects ASC or DESC and NULLS FIRST or NULLS LAST');
  }
  return typed(`list_sort(${arg(call, 0).sql}, '${direction}', '${nulls}')`, arg(call, 0).type);
}

function dimensions(type: SqlType): number {
  return type.kind === 'list' ? 1 + dimensions(type.item) : 0;
}

/** Items of the list, or of the first list at a deeper dimension. */
function arrayLength(call: ScalarCall): Typed {
  const { sql, type } = arg(call, 0);
  const dimension = call.args[1]?.constant;
  if (call.args[1] !== undefined && dimension?.kind !== 'int') throw notImplemented(`${call.name} with a dimension that is not a constant`);
  const level = dimension?.kind === 'int' ? dimension.value : 1n;
  if (type.kind === 'null' || level < 1n || (type.kind === 'list' && level > BigInt(dimensions(type)))) {
    return { sql: 'CAST(NULL AS UBIGINT)', type: uint64, constant: { kind: 'null' } };
  }
  checkList(call);
  return typed(`CAST(len(${sql}${'[1]'.repeat(Number(level) - 1)}) AS UBIGINT)`, uint64);
}

/** Lengths of the list and, from the first item of each, of the lists in it. */
function arrayDims(call: ScalarCall): Typed {
  checkList(call);
  const { type, sql } = arg(call, 0);
  const levels = Math.max(1, dimensions(type));
  const lengths = Array.from({ length: levels }, (_, level) => `CAST(coalesce(len(z${'[1]'.repeat(level)}), 0) AS UBIGINT)`);
  const dims = `list_transform([${sql}], lambda z: CASE WHEN z IS NOT NULL THEN list_value(${lengths.join(', ')}) END)[1]`;
  return typed(dims, { kind: 'list', item: uint64 });
}

/** `range(stop)`, `range(start, stop[, step])`; `generate_series` includes the end. Dates and times go by intervals. */
function listSeries(call: ScalarCall): Typed {
  const [first, second, step] = call.args;
  if (call.args.some((value) => value.type.kind === 'null')) return typed('CAST(NULL AS BIGINT[])', { kind: 'list', item: int64 });
  const [start, stop] = second === undefined ? [intConstant(0n), first as Typed] : [first as Typed, second];
  const macro = call.name === 'range' ? '_df.l_range' : '_df.l_series';
  const { type } = start;
  if (type.kind === 'timestamp' || type.kind === 'date') {
    const ns = step?.constant?.kind === 'interval' ? intervalNs(step.constant.value) : undefined;
    if (ns === undefined) throw notImplemented(`${call.name} of times without a constant interval of days or less`);
    const at = (value: Typed): string => `epoch_ns(${castTo(value, timestampNs).sql})`;
    const made = type.kind === 'date' ? 'CAST(make_timestamp_ns(z) AS DATE)' : 'make_timestamp_ns(z)';
    const sql = `list_transform(${macro}(${at(start)}, ${at(stop)}, CAST(${ns} AS BIGINT)), lambda z: ${made})`;
    return typed(sql, { kind: 'list', item: type });
  }
  for (const value of [start, stop, step ?? start]) {
    if (value.type.kind !== 'int' && value.type.kind !== 'unknown')
      throw planError(`${call.name} does not support type '${arrowTypeText(value.type)}'`);
  }
  const numbers = [start, stop, step ?? intConstant(1n)].map((value) => castTo(value, int64).sql);
  return typed(`${macro}(${numbers.join(', ')})`, { kind: 'list', item: int64 });
}

function flatten(call: ScalarCall): Typed {
  let value = arg(call, 0);
  if (value.type.kind !== 'list') throw notImplemented('flatten of a value that is not a list');
  while (value.type.kind === 'list' && value.type.item.kind === 'list') value = typed(`flatten(${value.sql})`, value.type.item);
  return value;
}
