/** Functions of lists. A list that is missing counts as empty where something is put into it. */

import { DAY_NS } from '../../../shared/time-units.ts';
import { executionError, notImplemented, planError } from '../types/errors.ts';
import { intConstant, nullConstant, type Typed, typed } from '../types/typed.ts';
import {
  arrowTypeText,
  boolean,
  commonType,
  engineType,
  float64,
  int64,
  isFloat,
  isNumeric,
  type SqlType,
  timestampNs,
  uint64,
  utf8,
} from '../types/types.ts';
import { castTo, coerceTo, toText } from '../values/casts.ts';
import { unify } from '../values/comparisons.ts';
import { intervalNs } from '../values/intervals.ts';
import { binaryOperator, listDepth } from '../values/operators.ts';
import { arg, boundedMacro, constantText, defineFunctions, type ScalarCall, sqlList } from './define.ts';
import { withNumbers } from './misc.ts';

const many = Number.POSITIVE_INFINITY;

export const listFunctions = defineFunctions([
  ['make_array make_list', 0, many, (call) => arrayOf(call.args)],
  ['array_length list_length', 1, 2, arrayLength],
  ['cardinality', 1, 1, cardinality],
  ['empty array_empty list_empty', 1, 1, (call) => typed(`(len(${list(call).sql}) = 0)`, boolean)],
  ['array_append list_append array_push_back list_push_back', 2, 2, (call) => put(call, 0, 1)],
  ['array_prepend list_prepend array_push_front list_push_front', 2, 2, (call) => put(call, 1, 0)],
  ['array_concat array_cat list_concat list_cat', 1, many, listConcat],
  ['array_has list_has array_contains list_contains', 2, 2, (call) => listTest(ofOneItem(call, 1), 'list_contains')],
  ['array_has_all list_has_all', 2, 2, (call) => listTest(call, 'list_has_all')],
  ['array_has_any list_has_any arrays_overlap', 2, 2, (call) => listTest(call, '_df.l_overlap')],
  ['array_element list_element array_extract list_extract', 2, 2, (call) => element(arg(call, 0), arg(call, 1))],
  ['array_pop_back list_pop_back', 1, 1, (call) => typed(`${list(call).sql}[:-2]`, list(call).type)],
  ['array_pop_front list_pop_front', 1, 1, (call) => typed(`${list(call).sql}[2:]`, list(call).type)],
  ['array_reverse list_reverse', 1, 1, (call) => listCall(call, 'list_reverse')],
  ['array_slice list_slice', 3, 4, (call) => listCall(call, 'list_slice')],
  ['array_max list_max', 1, 1, (call) => itemCall(call, 'list_max')],
  ['array_min list_min', 1, 1, (call) => itemCall(call, 'list_min')],
  ['array_any_value list_any_value', 1, 1, (call) => itemCall(call, 'list_any_value')],
  ['array_distinct list_distinct', 1, 1, (call) => listCall(call, '_df.l_sorted_distinct')],
  ['array_union list_union', 2, 2, (call) => setCall(call, '_df.l_union')],
  ['array_except list_except', 2, 2, (call) => exceptCall(call)],
  ['array_intersect list_intersect', 2, 2, (call) => setCall(call, '_df.l_intersect')],
  ['array_position list_position array_indexof list_indexof', 2, 3, position],
  [
    'array_positions list_positions',
    2,
    2,
    (call) => ({ ...listCall(ofOneItem(call, 1), '_df.l_positions'), type: { kind: 'list', item: uint64 } }),
  ],
  ['array_remove list_remove', 2, 2, (call) => listCall(ofOneItem(call, 1), '_df.l_remove')],
  ['array_remove_n list_remove_n', 3, 3, (call) => listCall(withInt(ofOneItem(call, 1), 2), '_df.l_remove_n')],
  ['array_remove_all list_remove_all', 2, 2, (call) => listCall(ofOneItem(call, 1), '_df.l_remove_all')],
  ['array_replace list_replace', 3, 3, (call) => listCall(ofOneItem(call, 1, 2), '_df.l_replace')],
  ['array_replace_n list_replace_n', 4, 4, (call) => listCall(withInt(ofOneItem(call, 1, 2), 3), '_df.l_replace_n')],
  ['array_replace_all list_replace_all', 3, 3, (call) => listCall(ofOneItem(call, 1, 2), '_df.l_replace_all')],
  ['array_repeat list_repeat', 2, 2, repeated],
  ['array_to_string list_to_string array_join list_join', 2, 3, toJoined],
  ['array_distance list_distance', 2, 2, distance],
  ['array_resize list_resize', 2, 3, (call) => listCall(withInt(call, 1), boundedMacro(`l_resize${call.args.length}`, call.args.slice(1)))],
  ['array_sort list_sort', 1, 3, sorted],
  ['array_ndims list_ndims', 1, 1, arrayNdims],
  ['array_dims list_dims', 1, 1, arrayDims],
  ['range generate_series', 1, 3, listSeries],
  ['flatten', 1, 1, flatten],
]);

/** A list element, `x[1]`, counted from 1. */
export function element(value: Typed, index: Typed): Typed {
  if (value.type.kind === 'null') return value;
  if (value.type.kind === 'map') return typed(`map_extract_value(${value.sql}, ${coerceTo(index, value.type.key).sql})`, value.type.value);
  if (value.type.kind !== 'list' && value.type.kind !== 'unknown')
    throw planError(`array_element does not support type '${arrowTypeText(value.type)}'`);
  const item: SqlType = value.type.kind === 'list' ? value.type.item : value.type;
  return typed(`list_extract(${value.sql}, ${castTo(index, int64).sql})`, item);
}

/** A list of values, brought to one type. Throws 400 when they have none in common. */
export function arrayOf(items: readonly Typed[]): Typed {
  const { values, type } = unify(withNumbers(items), 'make_array');
  return typed(`list_value(${sqlList(values)})`, { kind: 'list', item: type });
}

/** DuckDB has no text for times at the ends of all, which are no longer than others. */
function repeated(call: ScalarCall): Typed {
  const item = arg(call, 0);
  const size = item.type.kind === 'timestamp' ? '8' : `strlen(CAST(${item.sql} AS VARCHAR))`;
  return typed(`${boundedMacro('l_repeat', call.args)}(${sqlList(withInt(call, 1).args)}, ${size})`, { kind: 'list', item: item.type });
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

/** Entries of a map, or items of a list and of all lists in it; NULL for an empty list. */
function cardinality(call: ScalarCall): Typed {
  const value = arg(call, 0);
  if (value.type.kind === 'map') return typed(`CAST(cardinality(${value.sql}) AS UBIGINT)`, uint64);
  let items = list(call);
  const { sql } = items;
  while (items.type.kind === 'list' && items.type.item.kind === 'list') items = typed(`flatten(${items.sql})`, items.type.item);
  return typed(`(CASE WHEN len(${sql}) > 0 THEN CAST(len(${items.sql}) AS UBIGINT) END)`, uint64);
}

function listCall(call: ScalarCall, name: string): Typed {
  checkList(call);
  return typed(`${name}(${sqlList(call.args)})`, anyLength(arg(call, 0).type));
}

/** A list type without a fixed number of items. */
function anyLength(type: SqlType): SqlType {
  return type.kind === 'list' && typeof type.layout === 'number' ? { kind: 'list', item: type.item } : type;
}

/** The call with its list and the arguments that stand for items of it brought to one type of item. */
function ofOneItem(call: ScalarCall, ...places: readonly number[]): ScalarCall {
  const { type } = arg(call, 0);
  if (type.kind !== 'list') return call;
  let item: SqlType | undefined = type.item;
  // Text among numbers must be one.
  const meets = (a: SqlType, b: SqlType): SqlType | undefined => (isNumeric(a) && b.kind === 'string' ? a : commonType(a, b));
  for (const at of places) item = item && meets(item, arg(call, at).type);
  if (item === undefined) {
    const types = call.args.map((value) => arrowTypeText(value.type)).join(', ');
    throw planError(
      `Failed to coerce arguments to satisfy a call to '${call.name}' function: coercion from ${types} to the signature failed`,
    );
  }
  const common = item;
  const args = call.args.map((value, at) =>
    at === 0 ? castTo(value, { ...type, item: common }) : places.includes(at) ? coerceTo(value, common) : value,
  );
  return { ...call, args };
}

function listTest(call: ScalarCall, name: string): Typed {
  return { ...listCall(call, name), type: boolean };
}

function itemCall(call: ScalarCall, name: string): Typed {
  checkList(call);
  const { type } = arg(call, 0);
  return typed(`${name}(${arg(call, 0).sql})`, type.kind === 'list' ? type.item : { kind: 'unknown' });
}

/** A list with one item more, at its end or its beginning. */
function put(call: ScalarCall, listAt: number, itemAt: number): Typed {
  const [to, item] = [arg(call, listAt), arg(call, itemAt)];
  if (to.type.kind === 'unknown')
    return typed(`${call.name.includes('ap') ? 'list_append' : 'list_prepend'}(${sqlList(call.args)})`, to.type);
  const known = to.type.kind === 'null' ? ({ kind: 'list', item: { kind: 'null' } } as const) : to.type;
  if (known.kind !== 'list') throw planError(`${call.name} does not support type '${arrowTypeText(to.type)}'`);
  const common = known.item.kind === 'null' ? item.type : commonType(known.item, item.type);
  if (common === undefined) {
    throw planError(`Cannot concatenate lists of types ${arrowTypeText(known)} and ${arrowTypeText({ kind: 'list', item: item.type })}`);
  }
  const type: SqlType = { ...known, item: common };
  const items = `coalesce(${castTo(to, type).sql}, [])`;
  const one = coerceTo(item, common).sql;
  return typed(listAt < itemAt ? `list_append(${items}, ${one})` : `list_prepend(${one}, ${items})`, anyLength(type));
}

/** Both lists of a call as lists of one type. */
function ofOneType(call: ScalarCall): readonly [Typed, Typed] {
  const [a, b] = [list(call, 0), list(call, 1)];
  const type = commonType(a.type, b.type);
  if (type === undefined)
    throw planError(`${call.name} of ${arrowTypeText(a.type)} and ${arrowTypeText(b.type)}: the types do not go together`);
  return type.kind === 'list' ? [castTo(a, anyLength(type)), castTo(b, anyLength(type))] : [a, b];
}

/** A union or intersection with NULL is one with nothing. */
function setCall(call: ScalarCall, name: string): Typed {
  const [a, b] = [arg(call, 0), arg(call, 1)];
  if (a.type.kind === 'null' && b.type.kind === 'null') return listCall(call, name);
  const type = a.type.kind === 'null' ? b.type : a.type;
  const [left, right] = ofOneType({ ...call, args: [orNothing(a, type), orNothing(b, type)] });
  return typed(`${name}(${left.sql}, ${right.sql})`, left.type);
}

function exceptCall(call: ScalarCall): Typed {
  const [a, b] = [arg(call, 0), arg(call, 1)];
  if (a.type.kind === 'null') return list(call);
  const [left, right] = ofOneType({ ...call, args: [a, orNothing(b, a.type)] });
  return typed(`_df.l_except(${left.sql}, ${right.sql})`, left.type);
}

/** Instead of NULL a list of that type with nothing in it. */
function orNothing(value: Typed, type: SqlType): Typed {
  if (value.type.kind !== 'null' || type.kind !== 'list') return value;
  return typed(`coalesce(${castTo(value, type).sql}, [])`, type);
}

/** Missing lists are left out; of missing lists alone nothing comes. */
function listConcat(call: ScalarCall): Typed {
  const lists = call.args.filter(({ type }) => type.kind !== 'null');
  if (lists.length === 0) return typed('CAST(NULL AS BIGINT[])', { kind: 'list', item: int64 });
  if (lists.some(({ type }) => type.kind === 'unknown'))
    return typed(
      lists.map(({ sql }) => sql).reduce((l, r) => `list_concat(${l}, ${r})`),
      arg(call, 0).type,
    );
  for (const { type } of lists) if (type.kind !== 'list') throw planError(`${call.name} does not support type '${arrowTypeText(type)}'`);
  const depth = Math.max(...lists.map(({ type }) => listDepth(type)));
  const { values, type } = unify(
    lists.map((value) => nested({ ...value, type: anyLength(value.type) }, depth)),
    call.name,
  );
  const joined = values.map(({ sql }) => sql).reduce((left, right) => `list_concat(${left}, ${right})`);
  return typed(`(CASE WHEN ${values.map(({ sql }) => `${sql} IS NULL`).join(' AND ')} THEN NULL ELSE ${joined} END)`, type);
}

/** A list of fewer levels becomes an item of one with so many. */
function nested(value: Typed, depth: number): Typed {
  return listDepth(value.type) < depth ? nested(typed(`[${value.sql}]`, { kind: 'list', item: value.type }), depth) : value;
}

/** Between the numbers of both lists, and of lists in them; NULL where one is missing. */
function distance(call: ScalarCall): Typed {
  const numbers = call.args.map((_, index) => {
    let items = list(call, index);
    while (items.type.kind === 'list' && items.type.item.kind === 'list') items = typed(`flatten(${items.sql})`, items.type.item);
    return castTo(items, { kind: 'list', item: float64 }).sql;
  });
  return typed(`_df.l_distance(${numbers.join(', ')})`, float64);
}

/** Items of the list, and of lists in it, as one text; numbers as Rust writes them. */
function toJoined(call: ScalarCall): Typed {
  let items = list(call);
  while (items.type.kind === 'list' && items.type.item.kind === 'list') {
    const inner = castTo(typed('NULL', { kind: 'null' }), items.type.item.item).sql;
    items = typed(`flatten(list_transform(${items.sql}, lambda l: coalesce(l, [${inner}])))`, items.type.item);
  }
  const item: SqlType = items.type.kind === 'list' ? items.type.item : utf8;
  const text = isFloat(item) ? `regexp_replace(${toText(typed('x', item)).sql}, '\\.0$', '')` : toText(typed('x', item)).sql;
  const shown = call.args[2] ? `coalesce(${text}, ${toText(call.args[2]).sql})` : text;
  const separator = toText(arg(call, 1));
  const macro = separator.constant === undefined ? 'l_joined_by' : 'l_joined';
  return typed(`_df.${macro}(list_transform(${items.sql}, lambda x: ${shown}), ${separator.sql})`, utf8);
}

const SORT_WORDS = 'array_sort expects ASC or DESC and NULLS FIRST or NULLS LAST';

/** NULL where a word is; words that are not constant are chosen from for each row. */
function sorted(call: ScalarCall): Typed {
  const { sql, type } = arg(call, 0);
  if (call.args.some((value) => value.constant?.kind === 'null' || value.type.kind === 'null')) return castTo(nullConstant(), type);
  const words = call.args.slice(1).map((value, index) => {
    const word = constantText(value)?.toUpperCase();
    if (word !== undefined && !(index === 0 ? ['ASC', 'DESC'] : ['NULLS FIRST', 'NULLS LAST']).includes(word)) throw planError(SORT_WORDS);
    return word === undefined ? `upper(${toText(value).sql})` : `'${word}'`;
  });
  const [direction = "'ASC'", nulls = "'NULLS FIRST'"] = words;
  if (call.args.slice(1).every((value) => constantText(value) !== undefined)) {
    return typed(`list_sort(${sql}, ${direction}, ${nulls})`, type);
  }
  const ways = ['ASC', 'DESC'].flatMap((way) =>
    ['NULLS FIRST', 'NULLS LAST'].map((place) => `WHEN z.d = '${way}' AND z.n = '${place}' THEN list_sort(z.l, '${way}', '${place}')`),
  );
  const wrong = `WHEN z.d IS NOT NULL AND z.n IS NOT NULL THEN error('Execution error: ${SORT_WORDS}')::${engineType(type)}`;
  const parts = `{'l': ${sql}, 'd': ${direction}, 'n': ${nulls}}`;
  return typed(`list_transform([${parts}], lambda z: CASE ${ways.join(' ')} ${wrong} END)[1]`, type);
}

/** Place of an item, counted from 1, from a place on; NULL where it is not. */
function position(given: ScalarCall): Typed {
  const call = ofOneItem(given, 1);
  const items = list(call).sql;
  if (!call.args[2]) return typed(`CAST(list_position(${items}, ${arg(call, 1).sql}) AS UBIGINT)`, uint64);
  const from = castTo(call.args[2], int64).sql;
  return typed(`CAST(list_position(${items}[${from}:], ${arg(call, 1).sql}) + ${from} - 1 AS UBIGINT)`, uint64);
}

function dimensions(type: SqlType): number {
  return type.kind === 'list' ? 1 + dimensions(type.item) : 0;
}

function arrayNdims(call: ScalarCall): Typed {
  const { type, sql } = arg(call, 0);
  const levels = intConstant(BigInt(dimensions(type)), uint64);
  return type.kind === 'null'
    ? castTo(typed('NULL', { kind: 'null' }), uint64)
    : typed(`(CASE WHEN ${sql} IS NOT NULL THEN ${levels.sql} END)`, uint64);
}

/** Items of the list, or of the first list at a deeper dimension. */
function arrayLength(call: ScalarCall): Typed {
  const { sql, type } = arg(call, 0);
  const dimension = call.args[1]?.constant;
  if (call.args[1] !== undefined && dimension?.kind !== 'int') return lengthAt(list(call), call.args[1]);
  const level = dimension?.kind === 'int' ? dimension.value : 1n;
  if (type.kind === 'null' || level < 1n || (type.kind === 'list' && level > BigInt(dimensions(type)))) {
    return { sql: 'CAST(NULL AS UBIGINT)', type: uint64, constant: { kind: 'null' } };
  }
  checkList(call);
  return typed(`CAST(len(${sql}${'[1]'.repeat(Number(level) - 1)}) AS UBIGINT)`, uint64);
}

/** The length at a dimension that is not a constant; NULL where there is none such. */
function lengthAt({ sql, type }: Typed, dimension: Typed): Typed {
  const levels = Array.from({ length: Math.max(1, dimensions(type)) }, (_, level) => `WHEN ${level + 1} THEN len(z${'[1]'.repeat(level)})`);
  const found = `list_transform([${sql}], lambda z: CASE ${castTo(dimension, int64).sql} ${levels.join(' ')} END)[1]`;
  return typed(`CAST(${found} AS UBIGINT)`, uint64);
}

/** Lengths of the list and, from the first item of each, of the lists in it. */
function arrayDims(call: ScalarCall): Typed {
  checkList(call);
  const { type, sql } = arg(call, 0);
  const levels = Math.max(1, dimensions(type));
  const lengths = Array.from({ length: levels }, (_, level) => `CAST(coalesce(len(z${'[1]'.repeat(level)}), 0) AS UBIGINT)`);
  const dims = `list_transform([${sql}], lambda z: CASE WHEN len(z) > 0 THEN list_value(${lengths.join(', ')}) END)[1]`;
  return typed(dims, { kind: 'list', item: uint64 });
}

/** `range(stop)`, `range(start, stop[, step])`; `generate_series` includes the end. Dates and times go by intervals. */
export function listSeries(call: ScalarCall): Typed {
  const [first, second, step] = call.args;
  if (call.args.some((value) => value.type.kind === 'null' || value.constant?.kind === 'null'))
    return typed('CAST(NULL AS BIGINT[])', { kind: 'list', item: int64 });
  const [start, stop] = second === undefined ? [intConstant(0n), first as Typed] : [first as Typed, second];
  const { type } = start;
  // compat: a range of dates ends one step before its end, whether a step would reach the end or not
  const early = call.name === 'range' && type.kind === 'date';
  const macro = boundedMacro(call.name === 'range' && !early ? 'l_range' : 'l_series', [start, stop]);
  if (type.kind === 'timestamp' || type.kind === 'date') {
    if (step?.constant?.kind === 'interval' && step.constant.value.months !== 0)
      return calendarSeries(call.name, start, early ? binaryOperator('-', stop, step) : stop, step);
    const ns = step?.constant?.kind === 'interval' ? intervalNs(step.constant.value) : undefined;
    if (type.kind === 'date' && ns !== undefined && ns % DAY_NS !== 0n) throw executionError('Cannot generate date range less than 1 day.');
    if (step?.type.kind === 'interval' && step.constant === undefined && step.type.fine !== true && !early)
      return calendarSeries(call.name, start, stop, step);
    if (ns === undefined) throw notImplemented(`${call.name} of times without an interval`);
    const at = (value: Typed): string => `epoch_ns(${castTo(value, timestampNs).sql})`;
    const made = type.kind === 'date' ? 'CAST(make_timestamp_ns(z) AS DATE)' : 'make_timestamp_ns(z)';
    const end = early ? `(${at(stop)} - (${ns}))` : at(stop);
    const sql = `list_transform(${macro}(${at(start)}, ${end}, CAST(${ns} AS BIGINT)), lambda z: ${made})`;
    return typed(sql, { kind: 'list', item: type });
  }
  for (const value of [start, stop, step ?? start]) {
    if (value.type.kind !== 'int' && value.type.kind !== 'unknown')
      throw planError(`${call.name} does not support type '${arrowTypeText(value.type)}'`);
  }
  const numbers = [start, stop, step ?? intConstant(1n)].map((value) => castTo(value, int64).sql);
  return typed(`${macro}(${numbers.join(', ')})`, { kind: 'list', item: int64 });
}

/** Steps with months go by the calendar, and so do steps that are not constant, of which DuckDB makes no more than fit. */
function calendarSeries(name: string, start: Typed, stop: Typed, step: Typed): Typed {
  const [from, to] = [castTo(start, timestampNs).sql, castTo(stop, timestampNs).sql];
  const series = start.type.kind === 'date' ? 'generate_series' : name;
  const checked = step.constant === undefined ? boundedMacro('l_step', [start, stop]) : undefined;
  const by = checked === undefined ? step.sql : `${checked}(_df.us(${from}), _df.us(${to}), ${step.sql})`;
  const steps = `${series}(_df.us(${from}), _df.us(${to}), ${by})`;
  const made = start.type.kind === 'date' ? 'CAST(z AS DATE)' : `_df.from_us(z, _df.sub(${from}))`;
  return typed(`list_transform(${steps}, lambda z: ${made})`, { kind: 'list', item: start.type });
}

/** One level; missing lists inside are left out. */
function flatten(call: ScalarCall): Typed {
  const value = arg(call, 0);
  const { type } = value;
  if (type.kind === 'null') return value;
  if (type.kind !== 'list') throw notImplemented('flatten of a value that is not a list');
  if (type.item.kind !== 'list') return value;
  return typed(
    `flatten(${value.sql})`,
    anyLength(type.item.layout === undefined && type.layout === 'large' ? { ...type.item, layout: 'large' } : type.item),
  );
}
