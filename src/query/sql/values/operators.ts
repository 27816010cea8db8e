/** Operators with DataFusion's meaning. */

import { DAY_NS } from '../../../shared/time-units.ts';
import type { BinaryOperator } from '../parse/ast.ts';
import { arrowError, coercionError, notImplemented, planError } from '../types/errors.ts';
import { coarseInterval, intConstant, intervalConstant, type Typed, timestampConstant, typed } from '../types/typed.ts';
import {
  arrowTypeText,
  asDecimal,
  boolean,
  commonNumeric,
  commonType,
  DECIMAL_DIGITS_MAX,
  duration,
  engineType,
  fineInterval,
  int64,
  isFloat,
  isMixed64,
  isNumeric,
  type SqlType,
  utf8,
} from '../types/types.ts';
import { castTo, toDuration, toText } from './casts.ts';
import { type Comparison, compare, eitherBounds, joinBounds } from './comparisons.ts';
import { type IntervalValue, intervalNs } from './intervals.ts';
import { addMonths, timestampNsMax, timestampNsMin } from './timestamps.ts';
import { clockInstantUs, isUtc, wallClock } from './zones.ts';

/** Divisors up to this length may be written twice. */
const inlineDivisorChars = 200;

const comparisons = new Set<BinaryOperator>(['=', '!=', '<', '<=', '>', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM']);

/** `wraps`: integers that pass their type's bounds start again at the other end, where DuckDB would fail. */
export function binaryOperator(op: BinaryOperator, left: Typed, right: Typed, wraps = false): Typed {
  if (comparisons.has(op)) return compare(op as Comparison, left, right);
  switch (op) {
    case 'AND':
      return { sql: `(${condition(left, op)} AND ${condition(right, op)})`, type: boolean, bounds: joinBounds(left, right) };
    case 'OR':
      return { sql: `(${condition(left, op)} OR ${condition(right, op)})`, type: boolean, bounds: eitherBounds(left, right) };
    case '||':
      return concat(left, right);
    case '~':
    case '~*':
    case '!~':
    case '!~*':
      return regexMatch(op, left, right);
    case 'BIT_XOR':
    case '&':
    case '|':
    case '<<':
    case '>>':
      return bitwise(op, left, right);
    default:
      return arithmetic(op as '+' | '-' | '*' | '/' | '%', left, right, wraps);
  }
}

function condition(x: Typed, op: string): string {
  if (x.type.kind === 'boolean' || x.type.kind === 'unknown') return x.sql;
  if (x.type.kind === 'null') return 'CAST(NULL AS BOOLEAN)';
  throw coercionError(`Cannot infer common argument type for logical boolean operation ${arrowTypeText(x.type)} ${op} Boolean`);
}

function concat(left: Typed, right: Typed): Typed {
  if (left.type.kind === 'list' || right.type.kind === 'list') return listConcat(left, right);
  return typed(`(${toText(left).sql} || ${toText(right).sql})`, utf8);
}

function listConcat(left: Typed, right: Typed): Typed {
  const item = (type: SqlType): SqlType => (type.kind === 'list' ? type.item : type);
  const [a, b] = [listDepth(left.type), listDepth(right.type)];
  // A list of fewer levels is an item of the other.
  if (a > 0 && b > 0 && a !== b) {
    const wrap = (x: Typed): Typed => typed(`[${x.sql}]`, { kind: 'list', item: x.type });
    return a < b ? listConcat(wrap(left), right) : listConcat(left, wrap(right));
  }
  const common = commonType(item(left.type), item(right.type));
  if (!common)
    throw coercionError(`Cannot infer common string concat type for ${arrowTypeText(left.type)} || ${arrowTypeText(right.type)}`);
  const type: SqlType = { kind: 'list', item: common };
  const side = (x: Typed): string => `CAST(${x.type.kind === 'list' ? x.sql : `[${x.sql}]`} AS ${engineType(type)})`;
  return typed(`list_concat(${side(left)}, ${side(right)})`, type);
}

/** Levels of lists: 0 = none. */
export function listDepth(type: SqlType): number {
  return type.kind === 'list' ? 1 + listDepth(type.item) : 0;
}

function regexMatch(op: '~' | '~*' | '!~' | '!~*', left: Typed, right: Typed): Typed {
  for (const { type } of [left, right]) {
    if (type.kind === 'string' || type.kind === 'null' || type.kind === 'unknown') continue;
    throw coercionError(
      `Cannot infer common argument type for regex operation ${arrowTypeText(left.type)} ${op} ${arrowTypeText(right.type)}`,
    );
  }
  const flags = op.endsWith('*') ? ", 'i'" : '';
  const sql = `regexp_matches(${toText(left).sql}, ${toText(right).sql}${flags})`;
  return typed(op.startsWith('!') ? `(NOT ${sql})` : sql, boolean);
}

function bitwise(op: 'BIT_XOR' | '&' | '|' | '<<' | '>>', left: Typed, right: Typed): Typed {
  const [a, b] = [left.type, right.type];
  if ((a.kind !== 'int' && a.kind !== 'null') || (b.kind !== 'int' && b.kind !== 'null')) {
    const shown = op === 'BIT_XOR' ? 'BIT_XOR' : op;
    throw coercionError(`Cannot infer common type for bitwise operation ${arrowTypeText(a)} ${shown} ${arrowTypeText(b)}`);
  }
  const type = a.kind === 'null' ? (b.kind === 'null' ? int64 : b) : b.kind === 'null' ? a : commonNumeric(a, b);
  const [x, y] = [castTo(left, type).sql, castTo(right, type).sql];
  return typed(op === 'BIT_XOR' ? `xor(${x}, ${y})` : `(${x} ${op} ${y})`, type);
}

function arithmetic(op: '+' | '-' | '*' | '/' | '%', left: Typed, right: Typed, wraps: boolean): Typed {
  const [a, b] = [left.type, right.type];
  if (isNumeric(a) && isNumeric(b)) return numeric(op, left, right, wraps);
  if (a.kind === 'null' || b.kind === 'null') {
    const other = a.kind === 'null' ? b : a;
    const type = other.kind === 'null' ? int64 : other.kind === 'interval' && a.kind !== 'null' ? a : other;
    return { sql: `CAST(NULL AS ${engineType(type)})`, type, constant: { kind: 'null' } };
  }
  const temporal = temporalArithmetic(op, left, right);
  if (temporal) return temporal;
  if (a.kind === 'unknown' || b.kind === 'unknown') return typed(`(${left.sql} ${op} ${right.sql})`, commonType(a, b) ?? a);
  throw coercionError(`Cannot coerce arithmetic expression ${arrowTypeText(a)} ${op} ${arrowTypeText(b)} to valid types`);
}

function numeric(op: '+' | '-' | '*' | '/' | '%', left: Typed, right: Typed, wraps: boolean): Typed {
  const folded = foldIntegers(op, left, right);
  if (folded) return folded;
  const [a, b] = [left.type, right.type];
  const decimals = a.kind === 'decimal' || b.kind === 'decimal' || isMixed64(a, b) ? [asDecimal(a), asDecimal(b)] : [];
  if (decimals[0] && decimals[1])
    return decimalArithmetic(op, castTo(left, decimals[0]), castTo(right, decimals[1]), [decimals[0], decimals[1]]);
  const type = commonNumeric(a, b);
  if (isFloat(type)) {
    const [x, y] = [castTo(left, type).sql, castTo(right, type).sql];
    return typed(`(${x} ${op} ${y})`, type);
  }
  const [x, y] = [castTo(left, type), castTo(right, type)];
  if (op === '/') return typed(`(${x.sql} // ${nonZero(y, type, x)})`, type);
  if (op === '%') return typed(`(${x.sql} % ${nonZero(y, type, x)})`, type);
  if (wraps && type.kind === 'int') return typed(wrappedArithmetic(op, x.sql, y.sql, type), type);
  return typed(`(${x.sql} ${op} ${y.sql})`, type);
}

type DecimalType = Extract<SqlType, { kind: 'decimal' }>;

/** Precision and scale of the result as Arrow has them; quotients have four more places than the dividend. */
function decimalArithmetic(op: '+' | '-' | '*' | '/' | '%', x: Typed, y: Typed, [a, b]: readonly [DecimalType, DecimalType]): Typed {
  const decimal = (precision: number, scale: number): DecimalType => ({
    kind: 'decimal',
    precision: Math.min(38, precision),
    scale: Math.min(38, scale),
  });
  const scale = Math.max(a.scale, b.scale);
  if (op === '*') {
    const type = decimal(a.precision + b.precision + 1, a.scale + b.scale);
    return typed(`CAST(${x.sql} * ${y.sql} AS ${engineType(type)})`, type);
  }
  if (op === '/') {
    const type = decimal(a.precision + b.scale + 4, a.scale + 4);
    if (a.precision + b.scale + 4 < DECIMAL_DIGITS_MAX - type.scale && b.precision + b.scale < DECIMAL_DIGITS_MAX)
      return exactQuotient(x, y, [a, b], type);
    const quotient = `CAST(${x.sql} AS DOUBLE) / CAST(${nonZero(y, b, x)} AS DOUBLE)`;
    return typed(`CAST(trunc(${quotient} * 1e${type.scale}) / 1e${type.scale} AS ${engineType(type)})`, type);
  }
  const whole =
    op === '%' ? Math.min(a.precision - a.scale, b.precision - b.scale) : Math.max(a.precision - a.scale, b.precision - b.scale) + 1;
  const type = decimal(whole + scale, scale);
  return typed(`CAST(${x.sql} ${op} ${op === '%' ? nonZero(y, b, x) : y.sql} AS ${engineType(type)})`, type);
}

/** Divided as whole numbers of the smallest units, cut. */
function exactQuotient(x: Typed, y: Typed, [a, b]: readonly [DecimalType, DecimalType], type: DecimalType): Typed {
  const units = (sql: string, { scale }: DecimalType): string =>
    `CAST(${scale === 0 ? sql : `${sql} * CAST('1${'0'.repeat(scale)}' AS DECIMAL(${scale + 1}, 0))`} AS HUGEINT)`;
  const quotient = `(${units(x.sql, a)} * CAST('1${'0'.repeat(4 + b.scale)}' AS HUGEINT) // ${units(nonZero(y, b, x), b)})`;
  const digits = a.precision + 4 + b.scale;
  const smallest = `CAST('0.${'0'.repeat(type.scale - 1)}1' AS DECIMAL(${type.scale + 1}, ${type.scale}))`;
  return typed(`CAST(CAST(${quotient} AS DECIMAL(${digits}, 0)) * ${smallest} AS ${engineType(type)})`, type);
}

type IntegerType = Extract<SqlType, { kind: 'int' }>;

/** Computed in 128 bits, then cut down to the type's. */
function wrappedArithmetic(op: '+' | '-' | '*', x: string, y: string, type: IntegerType): string {
  // products of unsigned 64-bit integers need all 128 bits
  if (op === '*' && !type.signed)
    return `_df.wrap_u${type.bits}(CAST((CAST(${x} AS UHUGEINT) * ${y}) % CAST('18446744073709551616' AS UHUGEINT) AS HUGEINT))`;
  return wrapped(`(CAST(${x} AS HUGEINT) ${op} ${y})`, type);
}

/** A huge integer as a value of an integer type that wraps. */
export function wrapped(sql: string, { signed, bits }: IntegerType): string {
  return `_df.wrap_${signed ? 'i' : 'u'}${bits}(${sql})`;
}

/** The divisor, which raises DataFusion's error when it is zero. NULL divided by zero is NULL. */
function nonZero(divisor: Typed, type: SqlType, dividend?: Typed): string {
  const error = `CAST(error('Arrow error: Divide by zero error') AS ${engineType(type)})`;
  const mayBeNull = dividend !== undefined && dividend.constant === undefined && dividend.sql.length <= inlineDivisorChars;
  const raise = mayBeNull ? `(CASE WHEN ${dividend.sql} IS NOT NULL THEN ${error} END)` : error;
  if (divisor.constant?.kind === 'int') return divisor.constant.value === 0n ? raise : divisor.sql;
  // a long divisor is written once: nested divisions would double the statement at every level
  if (divisor.sql.length > inlineDivisorChars)
    return `list_transform([${divisor.sql}], lambda d: CASE WHEN d = 0 THEN ${raise} ELSE d END)[1]`;
  return `(CASE WHEN ${divisor.sql} = 0 THEN ${raise} ELSE ${divisor.sql} END)`;
}

function foldIntegers(op: '+' | '-' | '*' | '/' | '%', left: Typed, right: Typed): Typed | undefined {
  if (left.constant?.kind !== 'int' || right.constant?.kind !== 'int') return undefined;
  const [a, b] = [left.constant.value, right.constant.value];
  const [l, r] = [left.type, right.type];
  if (l.kind !== 'int' || r.kind !== 'int' || l.bits !== 64 || r.bits !== 64 || l.signed !== r.signed) return undefined;
  if ((op === '/' || op === '%') && b === 0n) throw arrowError('Divide by zero error');
  const value = op === '+' ? a + b : op === '-' ? a - b : op === '*' ? a * b : op === '/' ? a / b : a % b;
  return intConstant(l.signed ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value), l);
}

function temporalArithmetic(op: string, left: Typed, right: Typed): Typed | undefined {
  const [a, b] = [left.type.kind, right.type.kind];
  if (op === '-' && (a === 'timestamp' || b === 'timestamp') && isInstant(left) && isInstant(right)) {
    const x = castTo(left, { kind: 'timestamp', unit: 'ns', zone: undefined });
    const y = castTo(right, { kind: 'timestamp', unit: 'ns', zone: undefined });
    return typed(`(epoch_ns(${x.sql}) - epoch_ns(${y.sql}))`, duration);
  }
  if (op === '-' && a === 'date' && b === 'date') return typed(`((${left.sql} - ${right.sql}) * 86400000000000)`, duration);
  if ((op === '+' || op === '-') && (b === 'interval' || b === 'duration') && (a === 'timestamp' || a === 'date' || a === 'string')) {
    return shift(a === 'string' ? castTo(left, { kind: 'timestamp', unit: 'ns', zone: undefined }) : left, op, right);
  }
  if (op === '+' && (a === 'interval' || a === 'duration') && (b === 'timestamp' || b === 'date')) return shift(right, '+', left);
  if ((op === '+' || op === '-') && (a === 'duration' || b === 'duration') && isSpan(a) && isSpan(b)) {
    return typed(`(${toDuration(left).sql} ${op} ${toDuration(right).sql})`, duration);
  }
  if ((op === '+' || op === '-') && a === 'interval' && b === 'interval') return intervalSum(op, left, right);
  if (op === '*' && a === 'interval' && isNumeric(right.type)) return intervalTimes(left, right);
  if (op === '*' && b === 'interval' && isNumeric(left.type)) return intervalTimes(right, left);
  if ((op === '*' || op === '/') && a === 'duration' && right.type.kind === 'int') {
    return typed(op === '*' ? `(${left.sql} * ${right.sql})` : `(${left.sql} // ${nonZero(right, right.type, left)})`, duration);
  }
  return undefined;
}

function isInstant(x: Typed): boolean {
  return x.type.kind === 'timestamp' || x.type.kind === 'date' || x.constant?.kind === 'string';
}

function isSpan(kind: string): boolean {
  return kind === 'interval' || kind === 'duration';
}

/** A timestamp or date moved by an interval or duration, nanoseconds kept. */
function shift(x: Typed, op: '+' | '-', span: Typed): Typed {
  const value = span.constant?.kind === 'interval' ? span.constant.value : undefined;
  if (x.type.kind === 'timestamp' && x.type.zone !== undefined && !isUtc(x.type.zone) && span.type.kind === 'interval') {
    return zonedShift(x, op, value, x.type.zone);
  }
  if (x.type.kind === 'date') {
    if (span.type.kind === 'duration') throw planError('Cannot add a duration to a date');
    return dateShift(x, op, value, span);
  }
  if (value && x.constant?.kind === 'timestamp') {
    const ns = moved(x.constant.ns, value, op === '-' ? -1 : 1);
    if (ns >= timestampNsMin && ns <= timestampNsMax) return { ...timestampConstant(ns), type: x.type };
    throw arrowError(`Compute error: Timestamp out of range`);
  }
  const fixed = value ? intervalNs(value) : undefined;
  if (fixed !== undefined) return typed(`make_timestamp_ns(epoch_ns(${x.sql}) ${op} ${fixed < 0n ? `(${fixed})` : fixed})`, x.type);
  if (span.type.kind === 'duration') return typed(`make_timestamp_ns(epoch_ns(${x.sql}) ${op} ${span.sql})`, x.type);
  if (value === undefined && isFine(span.type)) return typed(`_df.${op === '+' ? 'add' : 'sub'}_fine(${x.sql}, ${span.sql})`, x.type);
  const calendar = `_df.${op === '+' ? 'add' : 'sub'}_iv(${x.sql}, ${value ? coarseInterval(value) : span.sql})`;
  // DuckDB's intervals end at microseconds
  const rest = value ? value.ns % 1000n : 0n;
  return typed(rest === 0n ? calendar : `make_timestamp_ns(epoch_ns(${calendar}) ${op} (${rest}))`, x.type);
}

/** Whole days only: what is left of an interval's time changes no date. */
function dateShift(x: Typed, op: '+' | '-', value: IntervalValue | undefined, span: Typed): Typed {
  if (value) {
    const days = value.days + Number(value.ns / 86_400_000_000_000n);
    return typed(`CAST(${x.sql} ${op} ${coarseInterval({ months: value.months, days, ns: 0n })} AS DATE)`, x.type);
  }
  if (isFine(span.type)) {
    const whole = `to_months(v.m) + to_days(CAST(v.d + v.n // ${DAY_NS} AS INTEGER))`;
    return typed(`list_transform([${span.sql}], lambda v: CAST(${x.sql} ${op} (${whole}) AS DATE))[1]`, x.type);
  }
  const days = "to_days(CAST(date_part('day', v) + date_part('hour', v) // 24 AS INTEGER))";
  const months = "to_months(CAST(date_part('year', v) * 12 + date_part('month', v) AS INTEGER))";
  return typed(`list_transform([${span.sql}], lambda v: CAST(${x.sql} ${op} (${months} + ${days}) AS DATE))[1]`, x.type);
}

/** Months and days go by the zone's clock, the rest by instants. */
function zonedShift(x: Typed, op: '+' | '-', value: IntervalValue | undefined, zone: string): Typed {
  if (value === undefined) throw notImplemented(`an interval that is not a constant and a time in ${zone}`);
  const { months, days, ns } = value;
  const calendar: IntervalValue = { months, days, ns: 0n };
  const clock = `(${wallClock(zone, x.sql)} ${op} ${intervalConstant(calendar).sql})`;
  const shifted = `make_timestamp_ns(${clockInstantUs(zone, clock)} * 1000 + _df.sub(${x.sql}))`;
  const day = months === 0 && days === 0 ? x.sql : shifted;
  return typed(ns === 0n ? day : `make_timestamp_ns(epoch_ns(${day}) ${op} (${ns}))`, x.type);
}

function moved(ns: bigint, value: IntervalValue, sign: 1 | -1): bigint {
  const rest = BigInt(value.days) * DAY_NS + value.ns;
  const base = value.months === 0 ? ns : addMonths(ns, value.months * sign);
  return sign === 1 ? base + rest : base - rest;
}

function intervalSum(op: '+' | '-', left: Typed, right: Typed): Typed {
  if (left.constant?.kind === 'interval' && right.constant?.kind === 'interval') {
    const [x, y] = [left.constant.value, right.constant.value];
    const sign = op === '+' ? 1 : -1;
    return intervalConstant({ months: x.months + sign * y.months, days: x.days + sign * y.days, ns: x.ns + BigInt(sign) * y.ns });
  }
  if (isFine(left.type) || isFine(right.type)) {
    const [x, y] = [castTo(left, fineInterval).sql, castTo(right, fineInterval).sql];
    return typed(`_df.fine_sum(${x}, ${y}, ${op === '+' ? 1 : -1})`, fineInterval);
  }
  return typed(`(${left.sql} ${op} ${right.sql})`, { kind: 'interval' });
}

function isFine(type: SqlType): boolean {
  return type.kind === 'interval' && type.fine === true;
}

function intervalTimes(interval: Typed, factor: Typed): Typed {
  if (interval.constant?.kind === 'interval' && factor.constant?.kind === 'int') {
    const [x, n] = [interval.constant.value, factor.constant.value];
    return intervalConstant({ months: x.months * Number(n), days: x.days * Number(n), ns: x.ns * n });
  }
  if (isFine(interval.type)) return typed(`_df.fine_times(${interval.sql}, ${castTo(factor, int64).sql})`, fineInterval);
  return typed(`(${interval.sql} * ${factor.sql})`, { kind: 'interval' });
}
