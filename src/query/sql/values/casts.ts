/** Casts, explicit and implied. */
import { DAY_NS, TIMESTAMP_UNIT_NS, US_NS } from '../../../shared/time-units.ts';
import { arrowError, coercionError, planError } from '../types/errors.ts';
import { quoteIdent, quoteString } from '../types/quote.ts';
import { booleanConstant, floatConstant, intConstant, intervalConstant, type Typed, timestampConstant } from '../types/typed.ts';
import { arrowTypeText, engineType, isFloat, type SqlType, sameType } from '../types/types.ts';
import { intervalNs, parseInterval } from './intervals.ts';
import { parseDate, parseTimestamp, timestampNsMax } from './timestamps.ts';
import { fromLocal, instantOfClock, isUtc, localToInstantNs, wallClock, zonedText } from './zones.ts';

/** `CAST(x AS to)`; with `attempt`, NULL instead of an error. */
export function castTo(x: Typed, to: SqlType, attempt = false): Typed {
  if (x.raises) return { sql: `CAST(${x.sql} AS ${engineType(to)})`, type: to, raises: true };
  if (sameType(x.type, to)) return x;
  if (x.type.kind === 'null' || x.constant?.kind === 'null')
    return { sql: `CAST(NULL AS ${engineType(to)})`, type: to, constant: { kind: 'null' } };
  switch (to.kind) {
    case 'timestamp':
      return toTimestamp(x, to, attempt);
    case 'int':
      return toInt(x, to, attempt);
    case 'float32':
    case 'float64':
      return toFloat(x, to, attempt);
    case 'string':
      return { ...toText(x), type: to };
    case 'interval':
      return toInterval(x, to, attempt);
    case 'boolean':
      if (x.type.kind === 'int' || isFloat(x.type)) return { sql: `(${x.sql} <> 0)`, type: to };
      break;
    case 'date':
      if (zoned(x) !== undefined) return { sql: `CAST(${wallClock(zoned(x) as string, x.sql)} AS DATE)`, type: to };
      if (x.constant?.kind === 'string' && !attempt) {
        return { sql: `DATE '${parseDate(x.constant.value)}'`, type: to };
      }
      if (x.type.kind === 'string') {
        const text = `regexp_replace(${x.sql}, '${SHORT_DATE.source}', '\\1-\\2-\\3')`;
        return { sql: `${attempt ? 'TRY_CAST' : 'CAST'}(${text} AS DATE)`, type: to };
      }
      if (x.type.kind === 'int') return { sql: `CAST(DATE '1970-01-01' + CAST(${x.sql} AS INTEGER) AS DATE)`, type: to };
      break;
    case 'list':
      return toList(x, to, attempt);
    case 'struct':
      if (x.type.kind === 'struct') return toStruct(x, x.type, to, attempt);
      break;
    case 'time':
      return toTime(x, to, attempt);
    case 'duration':
      return toDuration(x, to);
    case 'binary':
      if (x.type.kind === 'string') return fixedBytes({ sql: `encode(${x.sql})`, type: to }, to);
      if (x.type.kind === 'binary') return fixedBytes({ ...x, type: to }, to);
      break;
    default:
      break;
  }
  return { sql: `${attempt ? 'TRY_CAST' : 'CAST'}(${x.sql} AS ${engineType(to)})`, type: to };
}

/** A date without what is between its parts. */
const SHORT_DATE = /^(\d{4})(\d{2})(\d{2})$/;

/** Bytes; where their number is fixed, another one is an error. */
function fixedBytes(x: Typed, to: Extract<SqlType, { kind: 'binary' }>): Typed {
  if (typeof to.layout !== 'number') return x;
  const wrong = `error('Arrow error: Cast error: Cannot cast bytes of another length to ${arrowTypeText(to)}')`;
  const sql = `list_transform([${x.sql}], lambda b: CASE WHEN b IS NULL OR octet_length(b) = ${to.layout} THEN b ELSE CAST(${wrong} AS BLOB) END)[1]`;
  return { sql, type: to };
}

/** A time of the day, cut down to its unit. */
function toTime(x: Typed, to: Extract<SqlType, { kind: 'time' }>, attempt: boolean): Typed {
  const unit = TIMESTAMP_UNIT_NS[to.unit ?? 'ns'];
  if (x.type.kind === 'int') return { sql: `CAST(make_timestamp_ns(CAST(${x.sql} AS BIGINT) * ${unit}) AS TIME_NS)`, type: to };
  const zone = zoned(x);
  // Of the least and greatest days DuckDB knows no time.
  const ofDay =
    zone === undefined
      ? `_df.pmod(epoch_ns(${x.sql}), ${DAY_NS})`
      : `_df.pmod(epoch_us(${wallClock(zone, x.sql)}), ${DAY_NS / US_NS}) * 1000 + _df.sub(${x.sql})`;
  const source = x.type.kind === 'timestamp' ? `make_timestamp_ns(${ofDay})` : x.sql;
  const sql = `${attempt ? 'TRY_CAST' : 'CAST'}(${source} AS TIME_NS)`;
  const isWhole = unit === 1n || (x.type.kind === 'time' && TIMESTAMP_UNIT_NS[x.type.unit ?? 'ns'] >= unit);
  return { sql: isWhole ? sql : `CAST(make_timestamp_ns(epoch_ns(${sql}) // ${unit} * ${unit}) AS TIME_NS)`, type: to };
}

/** Anything but a list becomes one of it alone. */
function toList(x: Typed, to: Extract<SqlType, { kind: 'list' }>, attempt: boolean): Typed {
  if (x.type.kind !== 'list' && x.type.kind !== 'unknown') return { sql: `[${castTo(x, to.item, attempt).sql}]`, type: to };
  if (x.type.kind === 'list' && typeof to.layout === 'number' && x.type.layout !== to.layout)
    return { sql: fixedSize(x, to, to.layout), type: to };
  if (x.type.kind === 'list' && (x.type.item.kind === 'struct' || isWrittenOtherwise(x.type.item, to.item))) {
    const item = castTo({ sql: 'i', type: x.type.item }, to.item, attempt);
    return { sql: `list_transform(${x.sql}, lambda i: ${item.sql})`, type: to };
  }
  return { sql: `${attempt ? 'TRY_CAST' : 'CAST'}(${x.sql} AS ${engineType(to)})`, type: to };
}

/** Items, also of lists in a list, that become other text than DuckDB makes of them. */
function isWrittenOtherwise(from: SqlType, to: SqlType): boolean {
  if (from.kind === 'list' && to.kind === 'list') return isWrittenOtherwise(from.item, to.item);
  return to.kind === 'string' && ['timestamp', 'float32', 'float64', 'interval', 'duration'].includes(from.kind);
}

type StructType = Extract<SqlType, { kind: 'struct' }>;

/** Members by their names where all of them are there, else by their places. */
function toStruct(x: Typed, from: StructType, to: StructType, attempt: boolean): Typed {
  if (from.members.length !== to.members.length) {
    throw planError(`Cannot cast a struct of ${from.members.length} members to one of ${to.members.length}: ${arrowTypeText(to)}`);
  }
  const byName = to.members.every(({ name }) => from.members.some((member) => member.name === name));
  const members = to.members.map(({ name, type }, index) => {
    const source = (byName ? from.members.find((member) => member.name === name) : from.members[index]) as StructType['members'][number];
    const value: Typed = { sql: `struct_extract(s, ${quoteString(source.name)})`, type: source.type };
    return `${quoteIdent(name)} := ${castTo(value, type, attempt).sql}`;
  });
  const sql = `list_transform([${x.sql}], lambda s: CASE WHEN s IS NOT NULL THEN struct_pack(${members.join(', ')}) END)[1]`;
  return { sql, type: to };
}

/** The items as a list of exactly so many. */
function fixedSize(x: Typed, to: SqlType, size: number): string {
  const wrong = `error('Arrow error: Cast error: Cannot cast to FixedSizeList(${size}): value at index 0 has length ' || len(l))`;
  return `CAST(list_transform([${x.sql}], lambda l: CASE WHEN l IS NULL OR len(l) = ${size} THEN l ELSE ${wrong} END)[1] AS ${engineType(to)})`;
}

/** The zone of a value whose wall clock is not that of UTC. */
function zoned({ type }: Typed): string | undefined {
  return type.kind === 'timestamp' && type.zone !== undefined && !isUtc(type.zone) ? type.zone : undefined;
}

/** An implied cast to a common type; only conversions that cannot change what the user sees fail loudly. */
export function coerceTo(x: Typed, to: SqlType): Typed {
  return x.type.kind === 'string' && to.kind === 'string' ? { ...x, type: to } : castTo(x, to);
}

function toTimestamp(x: Typed, to: Extract<SqlType, { kind: 'timestamp' }>, attempt: boolean): Typed {
  const factor = TIMESTAMP_UNIT_NS[to.unit];
  const zone = to.zone ?? 'UTC';
  if (x.constant?.kind === 'string') {
    try {
      const ns = parseTimestamp(x.constant.value, (local) => localToInstantNs(zone, local));
      return { ...timestampConstant(truncate(ns, factor)), type: to };
    } catch (error) {
      if (attempt) return { sql: 'CAST(NULL AS TIMESTAMP_NS)', type: to, constant: { kind: 'null' } };
      throw error;
    }
  }
  // A time without a zone is one of the new zone's clock; one with a zone stays the same instant.
  const isLocal = x.type.kind === 'date' || (x.type.kind === 'timestamp' && x.type.zone === undefined);
  const instantOf = (sql: string): string => (isLocal ? fromLocal(zone, sql) : sql);
  if (x.constant?.kind === 'timestamp') {
    const ns = isLocal ? instantOfClock(zone, x.constant.ns) : x.constant.ns;
    return { ...timestampConstant(truncate(ns, factor)), type: to };
  }
  if (x.constant?.kind === 'int') return { ...timestampConstant(inTimestampRange(x.constant.value * factor)), type: to };
  switch (x.type.kind) {
    case 'timestamp':
      if (isLocal && !isUtc(zone)) return { sql: cutTo(factor, instantOf(x.sql)), type: to };
      return TIMESTAMP_UNIT_NS[x.type.unit] >= factor ? { ...x, type: to } : { sql: cutTo(factor, x.sql), type: to };
    case 'int':
      return { sql: `make_timestamp_ns(CAST(${x.sql} AS BIGINT) * ${factor})`, type: to };
    case 'float32':
    case 'float64':
    case 'decimal':
      return { sql: `make_timestamp_ns(CAST(trunc(${x.sql}) AS BIGINT) * ${factor})`, type: to };
    case 'duration':
      throw planError(`Unsupported CAST from Duration(ns) to ${arrowTypeText(to)}`);
    default:
      return { sql: cutTo(factor, fromText(x, zone, `${attempt ? 'TRY_CAST' : 'CAST'}(${x.sql} AS TIMESTAMP_NS)`)), type: to };
  }
}

/** A time of another type than a number or a timestamp: text says its zone, or means the given one. */
function fromText(x: Typed, zone: string, cast: string): string {
  if (isUtc(zone)) return cast;
  const local = fromLocal(zone, cast);
  if (x.type.kind !== 'string') return local;
  return `(CASE WHEN regexp_matches(${x.sql}, '${ZONE_IN_TEXT}') THEN ${cast} ELSE ${local} END)`;
}

const ZONE_IN_TEXT = '\\d:\\d{2}(\\.\\d+)? *([zZ]|[+-]\\d{2}(:?\\d{2})?)$';

/** Nanoseconds cut down to a coarser unit. */
function cutTo(factor: bigint, sql: string): string {
  return factor === 1n ? sql : `make_timestamp_ns(_df.floordiv(epoch_ns(${sql}), ${factor}) * ${factor})`;
}

function inTimestampRange(ns: bigint): bigint {
  // DuckDB keeps the two ends of the range for infinity
  if (ns > -timestampNsMax && ns < timestampNsMax) return ns;
  throw arrowError(`Cast error: Overflow converting ${ns} to Timestamp(ns)`);
}

function truncate(ns: bigint, factor: bigint): bigint {
  const rest = ((ns % factor) + factor) % factor;
  return ns - rest;
}

function toInt(x: Typed, to: Extract<SqlType, { kind: 'int' }>, attempt: boolean): Typed {
  const name = engineType(to);
  const cast = attempt ? 'TRY_CAST' : 'CAST';
  if (x.constant?.kind === 'int') {
    const folded = foldInt(x.constant.value, to, attempt);
    if (folded) return folded;
  }
  switch (x.type.kind) {
    case 'string': {
      if (attempt)
        return { sql: `(CASE WHEN regexp_full_match(${x.sql}, '[+-]?[0-9]+') THEN TRY_CAST(${x.sql} AS ${name}) END)`, type: to };
      if (x.constant?.kind === 'string' && !/^[+-]?\d+$/.test(x.constant.value)) throw cannotCast(x.constant.value, to);
      return { sql: `CAST(_df.int_text(${x.sql}, ${quoteString(arrowTypeText(to))}) AS ${name})`, type: to };
    }
    case 'float32':
    case 'float64':
    case 'decimal':
      return { sql: `${cast}(trunc(${x.sql}) AS ${name})`, type: to };
    case 'timestamp': {
      const ns = x.constant?.kind === 'timestamp' ? intConstant(x.constant.ns).sql : `epoch_ns(${x.sql})`;
      const factor = TIMESTAMP_UNIT_NS[x.type.unit];
      const value = factor === 1n ? ns : `_df.floordiv(${ns}, ${factor})`;
      return { sql: to.bits === 64 && to.signed ? value : `${cast}(${value} AS ${name})`, type: to };
    }
    case 'date':
      return { sql: `CAST((${x.sql} - DATE '1970-01-01') AS ${name})`, type: to };
    default:
      return { sql: `${cast}(${x.sql} AS ${name})`, type: to };
  }
}

function foldInt(value: bigint, to: Extract<SqlType, { kind: 'int' }>, attempt: boolean): Typed | undefined {
  const fits = to.signed ? BigInt.asIntN(to.bits, value) === value : BigInt.asUintN(to.bits, value) === value;
  if (fits) return { ...intConstant(value, to), sql: `CAST(${quoteString(String(value))} AS ${engineType(to)})` };
  if (attempt) return { sql: `CAST(NULL AS ${engineType(to)})`, type: to, constant: { kind: 'null' } };
  throw arrowError(`Cast error: Can't cast value ${value} to type ${arrowTypeText(to)}`);
}

function cannotCast(text: string, to: SqlType): Error {
  return arrowError(`Cast error: Cannot cast string '${text}' to value of ${arrowTypeText(to)} type`);
}

function toFloat(x: Typed, to: SqlType, attempt: boolean): Typed {
  if (to.kind === 'float32' && to.half === true)
    return { sql: `CAST(_df.to_half(${castTo(x, { kind: 'float64' }, attempt).sql}) AS FLOAT)`, type: to };
  if (x.constant?.kind === 'int' && to.kind === 'float64') return floatConstant(Number(x.constant.value));
  if (x.type.kind === 'string' && !attempt) {
    return { sql: `CAST(_df.float_text(${x.sql}, ${quoteString(arrowTypeText(to))}) AS ${engineType(to)})`, type: to };
  }
  return { sql: `${attempt ? 'TRY_CAST' : 'CAST'}(${x.sql} AS ${engineType(to)})`, type: to };
}

/** Text as DataFusion prints it. */
export function toText(x: Typed): Typed {
  const type: SqlType = { kind: 'string', dictionary: false };
  switch (x.type.kind) {
    case 'string':
      return { ...x, type };
    case 'float32':
      return { sql: `_df.f64_text(CAST(${x.sql} AS FLOAT))`, type };
    case 'float64':
      return { sql: `_df.f64_text(CAST(${x.sql} AS DOUBLE))`, type };
    case 'interval':
      return { sql: `_df.${x.type.fine === true ? 'fine_text' : 'iv_text'}(${x.sql})`, type };
    case 'duration':
      return { sql: `_df.dur_text(${x.sql})`, type };
    case 'timestamp':
      return { sql: x.type.zone === undefined ? `_df.ts_text(${x.sql})` : zonedText(x.type.zone, x.sql), type };
    case 'binary':
      return { sql: `decode(${x.sql})`, type };
    default:
      return { sql: `CAST(${x.sql} AS VARCHAR)`, type };
  }
}

function toInterval(x: Typed, to: Extract<SqlType, { kind: 'interval' }>, attempt: boolean): Typed {
  if (x.constant?.kind === 'string') return toInterval(intervalConstant(parseInterval(x.constant.value)), to, attempt);
  // An interval with nanoseconds keeps them.
  if (x.type.kind === 'interval') return to.fine === true && x.type.fine !== true ? { ...x, sql: `_df.fine(${x.sql})`, type: to } : x;
  if (to.fine === true) return toInterval(toInterval(x, { kind: 'interval' }, attempt), to, attempt);
  if (x.type.kind === 'duration') return { sql: `to_microseconds(${x.sql} // 1000)`, type: { kind: 'interval' } };
  return { sql: `${attempt ? 'TRY_CAST' : 'CAST'}(${x.sql} AS INTERVAL)`, type: { kind: 'interval' } };
}

/** Nanoseconds; an interval with months cannot be one. A number counts the unit. */
export function toDuration(x: Typed, to: Extract<SqlType, { kind: 'duration' }> = { kind: 'duration' }): Typed {
  if (x.constant?.kind === 'interval') {
    const ns = intervalNs(x.constant.value);
    if (ns === undefined) throw coercionError('Cannot convert an interval with months to a duration');
    return { ...intConstant(ns), type: to };
  }
  if (x.type.kind === 'duration') return { ...x, type: to };
  if (x.type.kind === 'interval') return { sql: x.type.fine === true ? `_df.fine_ns(${x.sql})` : `(epoch_us(${x.sql}) * 1000)`, type: to };
  if (x.type.kind === 'int') return { sql: `(CAST(${x.sql} AS BIGINT) * ${TIMESTAMP_UNIT_NS[to.unit ?? 'ns']})`, type: to };
  throw coercionError(`Cannot convert ${arrowTypeText(x.type)} to Duration(ns)`);
}

/** The operand as a condition. */
export function toCondition(x: Typed, clause: string, shown: () => string = () => x.sql): Typed {
  if (x.type.kind === 'boolean' || x.type.kind === 'unknown') return x;
  if (x.type.kind === 'null') return { ...booleanConstant(false), sql: 'CAST(NULL AS BOOLEAN)', constant: { kind: 'null' } };
  if (clause === 'WHERE')
    throw planError(`Cannot create filter with non-boolean predicate '${shown()}' returning ${arrowTypeText(x.type)}`);
  throw coercionError(`Cannot infer common argument type for logical boolean operation ${arrowTypeText(x.type)} AND Boolean`);
}
