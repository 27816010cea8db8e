/** Comparisons as DataFusion makes them: which type both sides get, and which bounds a condition sets. */

import { coercionError } from '../types/errors.ts';
import { type Bound, type Typed, typed } from '../types/typed.ts';
import { arrowTypeText, boolean, commonType, fineInterval, isNumeric, type SqlType } from '../types/types.ts';
import { castTo, coerceTo, toDuration, toText } from './casts.ts';

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'IS DISTINCT FROM' | 'IS NOT DISTINCT FROM';

/** Bounds that hold when both sides are true. */
export function joinBounds(left: Typed, right: Typed): readonly Bound[] {
  if (!left.bounds) return right.bounds ?? [];
  return right.bounds ? [...left.bounds, ...right.bounds] : left.bounds;
}

/** Bounds that hold whichever side is true. */
export function eitherBounds(left: Typed, right: Typed): readonly Bound[] {
  if (!left.bounds?.length || !right.bounds?.length) return [];
  const rights = tightest(right.bounds);
  const bounds: Bound[] = [];
  for (const { column, min, max, values } of tightest(left.bounds).values()) {
    const other = rights.get(column);
    if (!other) continue;
    const eitherValues = values === undefined || other.values === undefined ? undefined : [...new Set([...values, ...other.values])];
    bounds.push({
      column,
      values: eitherValues,
      min: min === undefined || other.min === undefined ? undefined : min < other.min ? min : other.min,
      max: max === undefined || other.max === undefined ? undefined : max > other.max ? max : other.max,
    });
  }
  return bounds;
}

/** The conjunction of all bounds, per column. */
function tightest(bounds: readonly Bound[]): ReadonlyMap<Bound['column'], Bound> {
  const result = new Map<Bound['column'], Bound>();
  for (const { column, min, max, values } of bounds) {
    const known = result.get(column);
    result.set(column, {
      column,
      values:
        known?.values === undefined ? values : values === undefined ? known.values : known.values.filter((value) => values.includes(value)),
      min: known?.min === undefined || (min !== undefined && min > known.min) ? min : known.min,
      max: known?.max === undefined || (max !== undefined && max < known.max) ? max : known.max,
    });
  }
  return result;
}

/** A comparison, with the bound it sets when it compares a column with a constant instant. */
export function compare(op: Comparison, left: Typed, right: Typed): Typed {
  const [a, b] = comparable(op, left, right);
  const sql = `(${a.sql} ${op === '!=' ? '<>' : op} ${b.sql})`;
  const bounds = a.column && b.constant?.kind === 'timestamp' ? boundOf(op, a, b.constant.ns) : [];
  const mirrored = b.column && a.constant?.kind === 'timestamp' ? boundOf(mirror(op), b, a.constant.ns) : [];
  return { sql, type: boolean, bounds: [...bounds, ...mirrored, ...tagBound(op, a, b), ...tagBound(op, b, a)] };
}

function tagBound(op: Comparison, x: Typed, value: Typed): readonly Bound[] {
  if (op !== '=' || x.column?.tag === undefined || value.constant?.kind !== 'string') return [];
  return [{ column: x.column, min: undefined, max: undefined, values: [value.constant.value] }];
}

function boundOf(op: Comparison, x: Typed, ns: bigint): readonly Bound[] {
  const column = x.column;
  if (!column || column.timeUses.length === 0) return [];
  if (op === '=' || op === 'IS NOT DISTINCT FROM') return [{ column, min: ns, max: ns }];
  if (op === '<') return [{ column, min: undefined, max: ns - 1n }];
  if (op === '<=') return [{ column, min: undefined, max: ns }];
  if (op === '>') return [{ column, min: ns + 1n, max: undefined }];
  if (op === '>=') return [{ column, min: ns, max: undefined }];
  return [];
}

function mirror(op: Comparison): Comparison {
  const mirrored: Partial<Record<Comparison, Comparison>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
  return mirrored[op] ?? op;
}

/** Both sides in a type that DuckDB compares as DataFusion does. */
export function comparable(op: string, left: Typed, right: Typed): readonly [Typed, Typed] {
  const [a, b] = [left.type, right.type];
  if (a.kind === 'timestamp' && b.kind === 'timestamp') return sameClock(left, right);
  if (a.kind === 'interval' && b.kind === 'interval' && a.fine !== b.fine) return [castTo(left, fineInterval), castTo(right, fineInterval)];
  if (a.kind === b.kind && a.kind !== 'list' && a.kind !== 'struct') return [left, right];
  if (a.kind === 'null' || b.kind === 'null' || a.kind === 'unknown' || b.kind === 'unknown') return [left, right];
  if (isNumeric(a) && isNumeric(b)) return [left, right];
  if (a.kind === 'timestamp' || b.kind === 'timestamp') {
    const other = a.kind === 'timestamp' ? b : a;
    const target = (a.kind === 'timestamp' ? a : b) as Extract<SqlType, { kind: 'timestamp' }>;
    const type: SqlType = { kind: 'timestamp', unit: 'ns', zone: target.zone };
    if (other.kind === 'string' || other.kind === 'date') return [castTo(left, type), castTo(right, type)];
    throw incomparable(op, a, b);
  }
  if (a.kind === 'duration' || b.kind === 'duration') {
    const other = a.kind === 'duration' ? b : a;
    if (other.kind === 'interval') return [toDuration(left), toDuration(right)];
    throw incomparable(op, a, b);
  }
  if (a.kind === 'string' || b.kind === 'string') {
    const other = a.kind === 'string' ? b : a;
    // compat: a number compared with text becomes text
    if (isNumeric(other)) return [toText(left), toText(right)];
    if (other.kind === 'boolean' || other.kind === 'date' || other.kind === 'time' || other.kind === 'interval')
      return [castTo(left, other), castTo(right, other)];
    if (other.kind === 'binary') return [asBinary(left), asBinary(right)];
    throw incomparable(op, a, b);
  }
  if (a.kind === 'struct' && b.kind === 'struct' && a.members.length !== b.members.length) throw incomparable(op, a, b);
  if (a.kind === b.kind) return [left, right];
  throw incomparable(op, a, b);
}

/** All of them in the one type in which DataFusion compares them; as they are where only pairs of them can be compared. */
export function comparableAll(values: readonly Typed[]): readonly Typed[] {
  const known = values.map(({ type }) => type).filter(({ kind }) => kind !== 'null' && kind !== 'unknown');
  const [first] = known;
  if (first === undefined || known.every(({ kind }) => kind === first.kind)) return values;
  let type: SqlType = first;
  for (const next of known) {
    const common = commonType(type, next);
    if (common === undefined) return values;
    type = common;
  }
  return values.map((value) => inComparisonType(value, type));
}

function inComparisonType(value: Typed, type: SqlType): Typed {
  const { kind } = value.type;
  // Integers and decimals of any size are compared exactly by DuckDB.
  if (kind === type.kind || kind === 'null' || kind === 'unknown' || type.kind === 'int' || type.kind === 'decimal') return value;
  return castTo(value, type.kind === 'timestamp' ? { ...type, unit: 'ns' } : type);
}

/**
 * Stored times and what is made of them are instants. A time without a zone in the statement is one of the other side's clock.
 */
function sameClock(left: Typed, right: Typed): readonly [Typed, Typed] {
  const [a, b] = [left.type, right.type] as [TimestampType, TimestampType];
  if (a.zone === undefined && b.zone !== undefined && left.constant !== undefined) return [castTo(left, { ...b, unit: 'ns' }), right];
  if (b.zone === undefined && a.zone !== undefined && right.constant !== undefined) return [left, castTo(right, { ...a, unit: 'ns' })];
  return [left, right];
}

type TimestampType = Extract<SqlType, { kind: 'timestamp' }>;

function asBinary(x: Typed): Typed {
  return x.type.kind === 'string' ? typed(`encode(${x.sql})`, { kind: 'binary' }) : x;
}

function incomparable(op: string, a: SqlType, b: SqlType): Error {
  return coercionError(`Cannot infer common argument type for comparison operation ${arrowTypeText(a)} ${op} ${arrowTypeText(b)}`);
}

/** Brings the values of CASE branches, function arguments and the like to one type. */
export function unify(values: readonly Typed[], what: string): { values: readonly Typed[]; type: SqlType } {
  let type: SqlType = { kind: 'null' };
  for (const value of values) {
    const common = commonType(type, value.type);
    if (!common)
      throw coercionError(
        `Failed to coerce then (${values.map((item) => arrowTypeText(item.type)).join(', ')}) to common types in ${what}`,
      );
    type = common;
  }
  return { values: values.map((value) => coerceTo(value, type)), type };
}
