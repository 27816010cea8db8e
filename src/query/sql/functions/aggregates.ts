/** Aggregate and window functions. */

import { TIMESTAMP_UNIT_NS } from '../../../shared/time-units.ts';
import { executionError, planError } from '../types/errors.ts';
import { quoteIdent } from '../types/quote.ts';
import type { Typed } from '../types/typed.ts';
import {
  arrowTypeText,
  boolean,
  duration,
  engineType,
  float64,
  int32,
  int64,
  isFloat,
  isNumeric,
  type SqlType,
  timestampNs,
  uint64,
  utf8,
} from '../types/types.ts';
import { castTo } from '../values/casts.ts';
import { checkArgCount } from './define.ts';
import { wideRelation, wideSpread } from './wide-statistics.ts';

/** What the caller puts between `name(` and the end. */
export interface AggregateParts {
  /** Function of DuckDB. */
  readonly fn: string;
  readonly args: readonly string[];
  readonly type: SqlType;
  /** Puts several calls together, made by `make`, instead of one of `fn`. */
  readonly combine?: (make: (fn: string, args: readonly string[]) => string) => string;
  /** Turns DuckDB's result into DataFusion's. */
  readonly wrap?: (sql: string) => string;
  /** True: counts distinct values even when the call does not say so. */
  readonly distinct?: boolean;
  /** True: `ORDER BY` goes inside the brackets. */
  readonly ordered?: boolean;
  /** True: a function over windows that DuckDB cannot tell to leave NULLs out. */
  readonly filtersNulls?: boolean;
}

type AggregateCompiler = (args: readonly Typed[], name: string, wraps: boolean) => AggregateParts;

interface AggregateFunction {
  readonly argsMin: number;
  readonly argsMax: number;
  readonly compile: AggregateCompiler;
}

const many = Number.POSITIVE_INFINITY;

const aggregates = table([
  ['count', 0, many, count],
  ['min max', 1, 1, (args, name) => ({ fn: name, args: [sqlOf(args, 0)], type: typeOf(args, 0) })],
  ['sum', 1, 1, sum],
  ['avg mean', 1, 1, avg],
  ['median', 1, 1, median],
  ['approx_median', 1, 1, (args, name) => quantile('median', asFloat(args[0] as Typed), [], name)],
  ['approx_percentile_cont', 2, 3, percentile],
  ['percentile_cont quantile_cont', 2, 2, exactPercentile],
  ['approx_percentile_cont_with_weight', 3, 3, weightedPercentile],
  [
    'approx_distinct',
    1,
    1,
    (args) => ({ fn: 'count', args: [sqlOf(args, 0)], distinct: true, type: uint64, wrap: (sql) => `CAST(${sql} AS UBIGINT)` }),
  ],
  [
    'array_agg',
    1,
    1,
    (args) => ({ fn: 'array_agg', args: [sqlOf(args, 0)], type: { kind: 'list', item: typeOf(args, 0) }, ordered: true }),
  ],
  [
    'string_agg',
    2,
    2,
    (args) => ({ fn: 'string_agg', args: [castTo(args[0] as Typed, utf8).sql, sqlOf(args, 1)], type: utf8, ordered: true }),
  ],
  ['bit_and bit_or bit_xor', 1, 1, (args, name) => checked(args, name, 'int')],
  ['bool_and bool_or', 1, 1, (args, name) => checked(args, name, 'boolean')],
  [
    'first_value last_value',
    1,
    1,
    (args, name) => ({ fn: name === 'first_value' ? 'first' : 'last', args: [sqlOf(args, 0)], type: typeOf(args, 0), ordered: true }),
  ],
  ['nth_value', 2, 2, nthValue],
  ['any_value', 1, 1, (args) => ({ fn: 'any_value', args: [sqlOf(args, 0)], type: typeOf(args, 0) })],
  [
    'grouping',
    1,
    many,
    (args) => ({ fn: 'grouping', args: args.map((arg) => arg.sql), type: int32, wrap: (sql) => `CAST(${sql} AS INTEGER)` }),
  ],
  ['stddev stddev_samp', 1, 1, (args, _, wraps) => spread('stddev_samp', args, wraps)],
  ['stddev_pop', 1, 1, (args, _, wraps) => spread('stddev_pop', args, wraps)],
  ['var var_samp var_sample', 1, 1, (args, _, wraps) => spread('var_samp', args, wraps)],
  ['var_pop var_population', 1, 1, (args, _, wraps) => spread('var_pop', args, wraps)],
  ['corr regr_r2', 2, 2, (args, name, wraps) => withoutNan(relation(name, args, wraps))],
  ['covar_pop', 2, 2, (args, name) => statistic(name, args)],
  ['covar covar_samp', 2, 2, (args) => statistic('covar_samp', args)],
  ['regr_avgx regr_avgy regr_intercept regr_slope regr_sxx regr_sxy regr_syy', 2, 2, (args, name) => withoutNan(statistic(name, args))],
  [
    'regr_count',
    2,
    2,
    (args) => ({
      fn: 'regr_count',
      args: args.map((arg) => castTo(arg, float64).sql),
      type: uint64,
      wrap: (sql) => `CAST(${sql} AS UBIGINT)`,
    }),
  ],
  ['selector_first selector_last selector_min selector_max', 0, many, selector],
]);

const windows = table([
  ['row_number rank dense_rank', 0, 0, (_, name) => ({ fn: name, args: [], type: uint64, wrap: (sql) => `CAST(${sql} AS UBIGINT)` })],
  ['percent_rank cume_dist', 0, 0, (_, name) => ({ fn: name, args: [], type: float64 })],
  [
    'ntile',
    1,
    1,
    (args) => ({ fn: 'ntile', args: [castTo(args[0] as Typed, int64).sql], type: uint64, wrap: (sql) => `CAST(${sql} AS UBIGINT)` }),
  ],
  ['lag lead', 1, 3, shifted],
  ['first_value last_value', 1, 1, (args, name) => ({ fn: name, args: [sqlOf(args, 0)], type: typeOf(args, 0) })],
  ['nth_value', 2, 2, nthOfFrame],
]);

function table(rows: readonly (readonly [string, number, number, AggregateCompiler])[]): Readonly<Record<string, AggregateFunction>> {
  const result: Record<string, AggregateFunction> = Object.create(null) as Record<string, AggregateFunction>;
  for (const [names, argsMin, argsMax, compile] of rows) {
    for (const name of names.split(' ')) result[name] = { argsMin, argsMax, compile };
  }
  return result;
}

/** Names for suggestions. */
export const aggregateNames: readonly string[] = [...Object.keys(aggregates), ...Object.keys(windows)];

/** True for the name (in lower case) of an aggregate function. */
export function isAggregate(name: string): boolean {
  return name in aggregates;
}

/** True for functions that need OVER. */
export function isWindowOnly(name: string): boolean {
  return name in windows && !(name in aggregates);
}

export interface AggregateUse {
  readonly windowed: boolean;
  /** Sums of integers wrap instead of failing, and squares of doubles have no limit. */
  readonly wraps: boolean;
}

/**
 * An aggregate function as DuckDB SQL, in the parts that OVER and FILTER go between. Throws a planning error (400) for
 * an unknown name or a wrong number of arguments.
 */
export function aggregateParts(name: string, args: readonly Typed[], use: AggregateUse): AggregateParts {
  const { windowed, wraps } = use;
  const found = (windowed ? windows[name] : undefined) ?? aggregates[name];
  if (!found) throw planError(`Invalid function '${name}'`);
  checkArgCount(name, args.length, found.argsMin, found.argsMax);
  return found.compile(args, name, wraps);
}

function sqlOf(args: readonly Typed[], index: number): string {
  return (args[index] as Typed).sql;
}

function typeOf(args: readonly Typed[], index: number): SqlType {
  return (args[index] as Typed).type;
}

function checked(args: readonly Typed[], name: string, kind: 'int' | 'boolean'): AggregateParts {
  const value = args[0] as Typed;
  const wanted = kind === 'int' ? int64 : boolean;
  if (value.type.kind === 'null') return { fn: name, args: [castTo(value, wanted).sql], type: wanted };
  if (value.type.kind !== kind) throw cannotCoerce(name, value.type);
  return { fn: name, args: [value.sql], type: value.type };
}

/** Rows in which nothing of what is counted is NULL. */
function count(args: readonly Typed[]): AggregateParts {
  if (args.length === 0) return { fn: 'count', args: ['*'], type: int64 };
  if (args.length === 1) return { fn: 'count', args: [sqlOf(args, 0)], type: int64 };
  const all = args.map(({ sql }) => `${sql} IS NOT NULL`).join(' AND ');
  return { fn: 'count', args: [`CASE WHEN ${all} THEN 1 END`], type: int64 };
}

function sum(args: readonly Typed[], _: string, wraps: boolean): AggregateParts {
  const value = args[0] as Typed;
  const { type } = value;
  if (type.kind === 'int') {
    const result = type.signed ? int64 : uint64;
    const cut = type.signed ? '_df.wrap_i64' : '_df.wrap_u64';
    const wrap = (sql: string): string => (wraps ? `${cut}(${sql})` : `CAST(${sql} AS ${type.signed ? 'BIGINT' : 'UBIGINT'})`);
    return { fn: 'sum', args: [value.sql], type: result, wrap };
  }
  if (isFloat(type)) return { fn: 'sum', args: [castTo(value, float64).sql], type: float64 };
  if (type.kind === 'duration') return { fn: 'sum', args: [value.sql], type: duration, wrap: (sql) => `CAST(${sql} AS BIGINT)` };
  if (type.kind === 'unknown') return { fn: 'sum', args: [value.sql], type };
  if (type.kind === 'decimal') {
    const result: SqlType = { ...type, precision: Math.min(38, type.precision + 10) };
    return { fn: 'sum', args: [value.sql], type: result, wrap: (sql) => `CAST(${sql} AS ${engineType(result)})` };
  }
  if (type.kind === 'null') return { fn: 'sum', args: ['CAST(NULL AS BIGINT)'], type: int64, wrap: (sql) => `CAST(${sql} AS BIGINT)` };
  throw cannotCoerce('sum', type);
}

function avg(args: readonly Typed[]): AggregateParts {
  const value = args[0] as Typed;
  if (value.type.kind === 'duration') return averageDuration(value, value.type);
  if (value.type.kind === 'decimal') return averageDecimal(value, value.type);
  if (isNumeric(value.type)) return { fn: 'avg', args: [value.sql], type: float64 };
  if (value.type.kind === 'null' || value.type.kind === 'unknown') return { fn: 'avg', args: [castTo(value, float64).sql], type: float64 };
  throw cannotCoerce('avg', value.type);
}

/** Cut to whole units of the duration. */
function averageDuration(value: Typed, type: Extract<SqlType, { kind: 'duration' }>): AggregateParts {
  const unit = TIMESTAMP_UNIT_NS[type.unit ?? 'ns'];
  const combine: AggregateParts['combine'] = (make) =>
    `CAST(${make('sum', [value.sql])} // ${unit} // ${make('count', [value.sql])} * ${unit} AS BIGINT)`;
  return { fn: 'avg', args: [value.sql], type, combine };
}

/** Four more digits behind the point, the rest cut. */
function averageDecimal(value: Typed, { precision, scale }: Extract<SqlType, { kind: 'decimal' }>): AggregateParts {
  const type: SqlType = { kind: 'decimal', precision: Math.min(38, precision + 4), scale: Math.min(38, scale + 4) };
  const combine: AggregateParts['combine'] = (make) =>
    `CAST(_df.avg_decimal(${make('sum', [value.sql])}, ${make('count', [value.sql])}, ${scale}, ${type.scale}) AS ${engineType(type)})`;
  return { fn: 'avg', args: [value.sql], type, combine };
}

function cannotCoerce(name: string, type: SqlType): Error {
  return planError(
    `Execution error: Function '${name}' failed to match any signature, errors: Error during planning: Function '${name}' does not support ${arrowTypeText(type)}`,
  );
}

/** Undefined for rows that do not vary: DataFusion says NULL. */
function withoutNan(parts: AggregateParts): AggregateParts {
  return { ...parts, wrap: (sql) => `nullif(${sql}, CAST('nan' AS DOUBLE))` };
}

/** The middle, or the mean of the two in the middle; integers are cut, and exact whatever their size. */
function median(args: readonly Typed[], name: string): AggregateParts {
  const value = args[0] as Typed;
  if (value.type.kind !== 'int' || value.type.bits < 64) return quantile('median', value, [], name);
  const [up, down] = [`CAST(${value.sql} AS HUGEINT)`, `-CAST(${value.sql} AS HUGEINT)`];
  const combine: AggregateParts['combine'] = (make) =>
    `CAST((${make('quantile_disc', [up, '0.5'])} - ${make('quantile_disc', [down, '0.5'])}) // 2 AS ${engineType(value.type)})`;
  return { fn: 'quantile_disc', args: [up, '0.5'], type: value.type, combine };
}

/** Decimals as doubles. */
function asFloat(value: Typed): Typed {
  return value.type.kind === 'decimal' ? castTo(value, float64) : value;
}

/** As a double, between the values where the share falls between them. */
function exactPercentile(args: readonly Typed[], name: string): AggregateParts {
  const [value, p] = args as [Typed, Typed];
  if (!isNumeric(value.type) && value.type.kind !== 'null' && value.type.kind !== 'unknown') throw cannotCoerce(name, value.type);
  return { fn: 'quantile_cont', args: [castTo(value, float64).sql, String(fractionOf(p))], type: float64 };
}

/** Quantiles keep the input's type: integers are cut. */
function quantile(fn: string, value: Typed, rest: readonly string[], name: string): AggregateParts {
  const { type } = value;
  if (type.kind === 'int') return { fn, args: [value.sql, ...rest], type, wrap: (sql) => `CAST(trunc(${sql}) AS BIGINT)` };
  if (isNumeric(type) || type.kind === 'unknown') return { fn, args: [value.sql, ...rest], type };
  throw cannotCoerce(name, type);
}

/** The smallest value at which the weights of all smaller ones and itself reach the share `p` of all weights. */
function weightedPercentile(args: readonly Typed[], name: string): AggregateParts {
  const [value, weight, p] = args as [Typed, Typed, Typed];
  const { type } = value;
  if (!isNumeric(type)) throw cannotCoerce(name, type);
  if (!isNumeric(weight.type)) throw cannotCoerce(name, weight.type);
  const pair = `{'x': ${value.sql}, 'w': CAST(${weight.sql} AS DOUBLE)}`;
  const wrap = (sql: string): string => {
    const counted = `list_filter(${sql}, lambda e: e.x IS NOT NULL AND e.w > 0)`;
    return `_df.weighted_percentile(${counted}, ${fractionOf(p)})`;
  };
  return { fn: 'list', args: [pair], type, wrap };
}

function percentile(args: readonly Typed[], name: string): AggregateParts {
  return quantile('quantile_cont', args[0] as Typed, [String(fractionOf(args[1] as Typed))], name);
}

function fractionOf(p: Typed): number {
  const fraction = p.constant?.kind === 'float' ? p.constant.value : p.constant?.kind === 'int' ? Number(p.constant.value) : undefined;
  if (fraction === undefined || !(fraction >= 0 && fraction <= 1)) {
    throw planError(`Percentile value must be between 0.0 and 1.0 inclusive, ${fraction ?? 'a value that is not constant'} is invalid`);
  }
  return fraction;
}

function nthValue(args: readonly Typed[]): AggregateParts {
  const n = castTo(args[1] as Typed, int64).sql;
  return { fn: 'array_agg', args: [sqlOf(args, 0)], type: typeOf(args, 0), ordered: true, wrap: (sql) => `list_extract(${sql}, ${n})` };
}

/** A negative place counts from the end of the frame. */
function nthOfFrame(args: readonly Typed[]): AggregateParts {
  const [value, place] = args as [Typed, Typed];
  const n = place.constant?.kind === 'int' ? place.constant.value : undefined;
  if (n === 0n) throw executionError('nth_value expects n to be non-zero');
  if (n === undefined || n > 0n) return { fn: 'nth_value', args: [value.sql, castTo(place, int64).sql], type: value.type };
  return { fn: 'list', args: [value.sql], type: value.type, filtersNulls: true, wrap: (sql) => `list_extract(${sql}, ${n})` };
}

function statistic(fn: string, args: readonly Typed[]): AggregateParts {
  for (const arg of args)
    if (!isNumeric(arg.type) && arg.type.kind !== 'null' && arg.type.kind !== 'unknown') throw cannotCoerce(fn, arg.type);
  return { fn, args: args.map((arg) => castTo(arg, float64).sql), type: float64 };
}

/** @param wide doubles of any size */
function spread(fn: string, args: readonly Typed[], wide: boolean): AggregateParts {
  const parts = statistic(fn, args);
  return wide ? { ...parts, combine: (make) => wideSpread(fn, parts.args[0] as string, make) } : parts;
}

function relation(fn: string, args: readonly Typed[], wide: boolean): AggregateParts {
  const parts = statistic(fn, args);
  const [y, x] = parts.args as [string, string];
  return wide ? { ...parts, combine: (make) => wideRelation(fn, y, x, make) } : parts;
}

function shifted(args: readonly Typed[], name: string): AggregateParts {
  const value = args[0] as Typed;
  const parts = [value.sql];
  if (args[1]) parts.push(castTo(args[1], int64).sql);
  if (args[2]) parts.push(castTo(args[2], value.type).sql);
  return { fn: name, args: parts, type: value.type };
}

function selector(args: readonly Typed[], name: string): AggregateParts {
  if (args.length < 2) throw planError(`${name} requires at least 2 arguments, got ${args.length}`);
  const [value, time, ...others] = args as [Typed, Typed, ...Typed[]];
  if (time.type.kind !== 'timestamp') throw planError(`${name} second argument must be a timestamp, but got ${arrowTypeText(time.type)}`);
  const members = [
    { name: 'value', value },
    { name: 'time', value: time },
    ...others.map((other, index) => ({ name: `other_${index + 1}`, value: other })),
  ];
  const packed = members.map((member) => `${quoteIdent(member.name)} := ${member.value.sql}`).join(', ');
  const row = `CASE WHEN ${value.sql} IS NOT NULL THEN struct_pack(${packed}) END`;
  const least = name === 'selector_first' || name === 'selector_min';
  const sign = name === 'selector_max' ? '-' : '';
  const key =
    name === 'selector_first' || name === 'selector_last' ? time.sql : `struct_pack(a := ${value.sql}, b := ${sign}epoch_ns(${time.sql}))`;
  return {
    fn: least ? 'arg_min' : 'arg_max',
    args: [row, key],
    type: { kind: 'struct', members: members.map((member) => ({ name: member.name, type: member.value.type })) },
  };
}

/** `selector_x(v, t)['value']` and the like, without building the struct. Undefined = no shorter form. */
export function selectorMember(name: string, args: readonly Typed[], member: string): AggregateParts | undefined {
  const [value, time] = args;
  if (args.length !== 2 || !value || time?.type.kind !== 'timestamp') return undefined;
  if (member === 'value') {
    if (name === 'selector_first') return { fn: 'arg_min', args: [value.sql, time.sql], type: value.type };
    if (name === 'selector_last') return { fn: 'arg_max', args: [value.sql, time.sql], type: value.type };
    if (name === 'selector_min' || name === 'selector_max') return { fn: name.slice(9), args: [value.sql], type: value.type };
  }
  if (member === 'time' && (name === 'selector_first' || name === 'selector_last')) {
    return {
      fn: name === 'selector_first' ? 'min' : 'max',
      args: [`CASE WHEN ${value.sql} IS NOT NULL THEN ${time.sql} END`],
      type: timestampNs,
    };
  }
  return undefined;
}
