/** A compiled expression: engine SQL with its static type. */
import type { IntervalValue } from '../values/intervals.ts';
import { quoteString, timestampLiteral } from './quote.ts';
import type { ScopeColumn } from './scope.ts';
import { boolean, fineInterval, float64, int64, intervalType, nullType, type SqlType, timestampNs, uint64, utf8 } from './types.ts';

/** Values known before the statement runs. */
export type Constant =
  | { readonly kind: 'null' }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'timestamp'; readonly ns: bigint }
  | { readonly kind: 'interval'; readonly value: IntervalValue };

/** Inclusive bounds of a time column, in ns, or values of a tag, that hold in every row for which the expression is true. */
export interface Bound {
  readonly column: ScopeColumn;
  readonly min: bigint | undefined;
  readonly max: bigint | undefined;
  /** Undefined = any. */
  readonly values?: readonly string[] | undefined;
}

export interface Typed {
  /** Self-contained: safe as an operand of any operator. */
  readonly sql: string;
  readonly type: SqlType;
  readonly constant?: Constant;
  /** Set for a plain column reference. */
  readonly column?: ScopeColumn;
  readonly bounds?: readonly Bound[];
  /** True when evaluating it raises an error; its type is not known until it is cast. */
  readonly raises?: true;
  /** Set for a column cut down to multiples of `ns`, counted from the origin. */
  readonly bin?: { readonly column: ScopeColumn; readonly ns: bigint; readonly originNs: bigint };
}

/** DuckDB SQL that is no constant, with its DataFusion type. */
export function typed(sql: string, type: SqlType): Typed {
  return { sql, type };
}

/** An expression that raises a failure if it is evaluated, for places that may not be reached. */
export function raising(message: string): Typed {
  return { sql: `error(${quoteString(message)})`, type: nullType, raises: true };
}

/** NULL without a type of its own. */
export function nullConstant(): Typed {
  return { sql: 'NULL', type: nullType, constant: { kind: 'null' } };
}

/** A text as a constant, quoted. */
export function stringConstant(value: string): Typed {
  return { sql: quoteString(value), type: utf8, constant: { kind: 'string', value } };
}

/** TRUE or FALSE as a constant. */
export function booleanConstant(value: boolean): Typed {
  return { sql: value ? 'true' : 'false', type: boolean, constant: { kind: 'boolean', value } };
}

/** An integer constant, 64 bits. */
export function intConstant(value: bigint, type: SqlType = int64): Typed {
  const name = type === uint64 ? 'UBIGINT' : 'BIGINT';
  const digits = value === -9_223_372_036_854_775_808n ? `'${value}'` : `${value}`;
  return { sql: `CAST(${digits} AS ${name})`, type, constant: { kind: 'int', value } };
}

/** A double as a constant, also infinite ones, NaN and -0. */
export function floatConstant(value: number): Typed {
  const text = Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "'nan'" : value > 0 ? "'inf'" : "'-inf'";
  const signed = Object.is(value, -0) ? '-0.0' : text;
  return { sql: `CAST(${signed.startsWith("'") ? signed : `'${signed}'`} AS DOUBLE)`, type: float64, constant: { kind: 'float', value } };
}

/** A time in nanoseconds since 1970 as a constant; with a zone, a time that is shown there. */
export function timestampConstant(ns: bigint, zone?: string): Typed {
  const type: SqlType = zone === undefined ? timestampNs : { kind: 'timestamp', unit: 'ns', zone };
  return { sql: timestampLiteral(ns), type, constant: { kind: 'timestamp', ns } };
}

/** DuckDB's intervals hold microseconds: one that is finer is kept in parts. */
export function intervalConstant(value: IntervalValue): Typed {
  const constant = { kind: 'interval', value } as const;
  if (value.ns % 1000n === 0n) return { sql: coarseInterval(value), type: intervalType, constant };
  const sql = `{'m': CAST(${value.months} AS INTEGER), 'd': CAST(${value.days} AS INTEGER), 'n': CAST('${value.ns}' AS BIGINT)}`;
  return { sql, type: fineInterval, constant };
}

/** SQL of an interval without what is finer than microseconds. */
export function coarseInterval(value: IntervalValue): string {
  const parts: string[] = [];
  if (value.months !== 0) parts.push(`to_months(${value.months})`);
  if (value.days !== 0) parts.push(`to_days(${value.days})`);
  if (value.ns !== 0n || parts.length === 0) parts.push(`to_microseconds(${value.ns / 1000n})`);
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(' + ')})`;
}
