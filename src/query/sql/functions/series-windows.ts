/** InfluxDB's windows over consecutive values of a series. */

import { SECOND_NS } from '../../../shared/time-units.ts';
import { planError } from '../types/errors.ts';
import { type Typed, typed } from '../types/typed.ts';
import { arrowTypeText, float64, isNumeric } from '../types/types.ts';
import { castTo } from '../values/casts.ts';
import { intervalNs } from '../values/intervals.ts';
import { wrapped } from '../values/operators.ts';
import { checkArgCount } from './define.ts';

/** Names and how many arguments each takes at most; the least is one, or two for rates. */
const seriesWindows: Readonly<Record<string, number>> = {
  difference: 1,
  non_negative_difference: 1,
  derivative: 3,
  non_negative_derivative: 3,
};

export const seriesWindowNames: readonly string[] = Object.keys(seriesWindows);

/**
 * True for the name (in lower case) of a function over consecutive values: `difference`, `derivative` and those of them
 * that are never negative.
 */
export function isSeriesWindow(name: string): boolean {
  return Object.hasOwn(seriesWindows, name);
}

/** Nanoseconds that a derivative is of when the call names no interval. */
const DEFAULT_UNIT_NS = SECOND_NS;

/**
 * The call with ` OVER (..)` in `over`. Nulls are skipped: the value before is the last one that is not null, and a null
 * has no difference.
 */
export function seriesWindow(name: string, args: readonly Typed[], over: string): Typed {
  const rate = name.endsWith('derivative');
  checkArgCount(name, args.length, rate ? 2 : 1, seriesWindows[name] as number);
  const value = args[0] as Typed;
  if (!isNumeric(value.type) && value.type.kind !== 'null') throw planError(`${name} does not support type '${arrowTypeText(value.type)}'`);
  const change = rate ? derivative(args, name, over) : difference(value, over);
  if (!name.startsWith('non_negative_')) return change;
  const before = previous(value.sql, over);
  return typed(`(CASE WHEN ${value.sql} >= ${before} THEN ${change.sql} END)`, change.type);
}

function difference(value: Typed, over: string): Typed {
  const { type } = value;
  const before = previous(value.sql, over);
  if (type.kind === 'int') return typed(wrapped(`(CAST(${value.sql} AS HUGEINT) - ${before})`, type), type);
  return typed(`(${value.sql} - ${before})`, type);
}

function derivative(args: readonly Typed[], name: string, over: string): Typed {
  const [value, time] = args as [Typed, Typed, Typed?];
  if (time.type.kind !== 'timestamp') throw planError(`${name} second argument must be a timestamp, but got ${arrowTypeText(time.type)}`);
  const at = `epoch_ns(${time.sql})`;
  const before = previous(`CASE WHEN ${value.sql} IS NOT NULL THEN ${at} END`, over);
  const rise = `(${castTo(value, float64).sql} - ${castTo(typed(previous(value.sql, over), value.type), float64).sql})`;
  return typed(`(${rise} / ((${at} - ${before}) / CAST(${unitNs(args[2], name)} AS DOUBLE)))`, float64);
}

function previous(sql: string, over: string): string {
  return `lag(${sql} IGNORE NULLS)${over}`;
}

function unitNs(unit: Typed | undefined, name: string): bigint {
  if (unit === undefined) return DEFAULT_UNIT_NS;
  const ns = unit.constant?.kind === 'interval' ? intervalNs(unit.constant.value) : undefined;
  if (ns === undefined || ns <= 0n) throw planError(`${name} third argument must be a positive interval without months`);
  return ns;
}
