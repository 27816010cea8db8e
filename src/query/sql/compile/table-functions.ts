/** Table functions that make their rows of their arguments. */

import { listSeries } from '../functions/lists.ts';
import { member } from '../functions/misc.ts';
import type { StatementState } from '../types/env.ts';
import { planError } from '../types/errors.ts';
import { didYouMean, nearestName } from '../types/near-names.ts';
import { type Typed, typed } from '../types/typed.ts';
import { int64, type SqlType, timestampNs } from '../types/types.ts';
import { castTo } from '../values/casts.ts';
import { intervalNs } from '../values/intervals.ts';

/** SQL of an item of FROM, without its alias, and its columns in order. */
export interface MadeTable {
  readonly sql: string;
  readonly columns: readonly { readonly name: string; readonly type: SqlType }[];
}

/** The rows of a call. Throws planning errors, also for names that are no table function. */
export function madeTable(name: string, args: readonly Typed[], state: StatementState): MadeTable {
  if (name === 'unnest') return unnest(args);
  if (name === 'generate_series' || name === 'range') return series(name, args, state);
  throw planError(`table function '${name}' not found${didYouMean(nearestName(name, tableFunctionNames))}`);
}

const tableFunctionNames = ['unnest', 'generate_series', 'range', 'last_cache', 'distinct_cache'];

/** Lists side by side, the shorter ones followed by NULL; the members of structs are columns. */
function unnest(args: readonly Typed[]): MadeTable {
  const [only] = args;
  if (only?.type.kind === 'list' && args.length === 1) {
    return { sql: `unnest(${only.sql})`, columns: [{ name: 'unnest', type: only.type.item }] };
  }
  const made = args.flatMap((value): readonly Typed[] => {
    if (value.type.kind === 'struct') return value.type.members.map(({ name }) => member(value, name));
    if (value.type.kind === 'list') return [typed(`unnest(${value.sql})`, value.type.item)];
    throw planError('unnest() can only be applied to array, struct and null');
  });
  if (made.length === 0) throw planError('unnest() requires at least one argument');
  return {
    sql: `(SELECT ${made.map(({ sql }) => sql).join(', ')})`,
    columns: made.map(({ type }, index) => ({ name: `c${index}`, type })),
  };
}

function seriesOf(sql: string, type: SqlType): MadeTable {
  return { sql, columns: [{ name: 'value', type }] };
}

function series(name: 'generate_series' | 'range', args: readonly Typed[], state: StatementState): MadeTable {
  const [first, second, step] = args;
  if (!first || args.length > 3) throw planError(`${name} function requires 1 to 3 arguments`);
  const temporal = [first, second].some((value) => value?.type.kind === 'timestamp' || value?.type.kind === 'date');
  if (temporal || first.constant?.kind === 'string') {
    if (!second || !step) throw planError(`${name} over timestamps needs start, end and step`);
    if ([first, second, step].some(({ constant, type }) => constant?.kind === 'null' || type.kind === 'null')) {
      return seriesOf('(SELECT CAST(NULL AS TIMESTAMP_NS) WHERE false)', timestampNs);
    }
    const [start, end] = [castTo(first, timestampNs), castTo(second, timestampNs)];
    if (step.constant?.kind === 'interval' && step.constant.value.months !== 0) {
      const made = listSeries({ name, args: [start, end, step], state });
      return seriesOf(`(SELECT unnest(${made.sql}))`, timestampNs);
    }
    const stride = step.constant?.kind === 'interval' ? intervalNs(step.constant.value) : undefined;
    if (stride === undefined || stride === 0n) throw planError(`${name} over timestamps needs a non-zero interval as step`);
    refuseEndlessTimes(start, end, stride);
    const [from, to] = [start.sql, end.sql];
    return seriesOf(`(SELECT make_timestamp_ns(g.b) FROM ${name}(epoch_ns(${from}), epoch_ns(${to}), ${stride}) AS g(b))`, timestampNs);
  }
  if (step?.constant?.kind === 'int' && step.constant.value === 0n) throw planError('Step cannot be zero');
  refuseEndless(second === undefined ? [undefined, first] : [first, second], step);
  return seriesOf(`${name}(${args.map((arg) => castTo(arg, int64).sql).join(', ')})`, int64);
}

/** compat: a series that goes away from its end is refused. */
function refuseEndless([start, end]: readonly [Typed | undefined, Typed], step: Typed | undefined): void {
  refuseAway(start === undefined ? 0n : integer(start), integer(end), step === undefined ? 1n : integer(step));
}

function refuseEndlessTimes(start: Typed, end: Typed, stride: bigint): void {
  const ns = ({ constant }: Typed): bigint | undefined => (constant?.kind === 'timestamp' ? constant.ns : undefined);
  refuseAway(ns(start), ns(end), stride);
}

function refuseAway(from: bigint | undefined, to: bigint | undefined, by: bigint | undefined): void {
  if (from === undefined || to === undefined || by === undefined) return;
  if (from > to && by > 0n) throw planError('Start is bigger than end, but increment is positive: Cannot generate infinite series');
  if (from < to && by < 0n) throw planError('Start is smaller than end, but increment is negative: Cannot generate infinite series');
}

function integer({ constant }: Typed): bigint | undefined {
  return constant?.kind === 'int' ? constant.value : undefined;
}
