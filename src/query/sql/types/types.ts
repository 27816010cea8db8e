/** Static types of expressions, as DataFusion would infer them. */
import type { ResultMember, ResultType } from '../../result.ts';
import type { CastTarget } from '../parse/ast.ts';
import type { RelationColumn } from './contract.ts';
import { quoteIdent } from './quote.ts';

export type TimeUnit = 's' | 'ms' | 'us' | 'ns';

export type SqlType =
  | { readonly kind: 'null' }
  | { readonly kind: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float64' | 'boolean' | 'date' }
  /** `half` = cut to 16 bits, which `arrow_typeof` shows. */
  | { readonly kind: 'float32'; readonly half?: true }
  /** The layout is only what `arrow_typeof` shows; a number = of that many bytes each. */
  | { readonly kind: 'binary'; readonly layout?: 'LargeBinary' | 'BinaryView' | number }
  /** TIME_NS in DuckDB whatever the unit; ns by default. */
  | { readonly kind: 'time'; readonly unit?: TimeUnit }
  /** `wide` is only what `arrow_typeof` shows: digits that pass 128 bits are errors. */
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number; readonly wide?: true }
  /** The layout, and the key of a dictionary that is not Int32, are only what `arrow_typeof` shows. */
  | { readonly kind: 'string'; readonly dictionary: boolean; readonly layout?: 'LargeUtf8' | 'Utf8View'; readonly key?: string }
  /** TIMESTAMP_NS in DuckDB whatever the unit; the zone is only a tag of the output. Milliseconds may be called a date. */
  | { readonly kind: 'timestamp'; readonly unit: 's' | 'ms' | 'us' | 'ns'; readonly zone: string | undefined; readonly date64?: true }
  /** BIGINT nanoseconds in DuckDB whatever the unit; ns by default. */
  | { readonly kind: 'duration'; readonly unit?: TimeUnit }
  /** `fine` = with nanoseconds: a struct of months, days and nanoseconds in DuckDB, whose own intervals end at microseconds. */
  | { readonly kind: 'interval'; readonly fine?: true }
  /** A number = of that many items each. The layout is only what `arrow_typeof` shows. */
  | { readonly kind: 'list'; readonly item: SqlType; readonly layout?: 'large' | number }
  | { readonly kind: 'struct'; readonly members: readonly { readonly name: string; readonly type: SqlType }[] }
  | { readonly kind: 'map'; readonly key: SqlType; readonly value: SqlType }
  | { readonly kind: 'unknown' };

export const nullType: SqlType = { kind: 'null' };
export const int64: SqlType = { kind: 'int', bits: 64, signed: true };
export const int32: SqlType = { kind: 'int', bits: 32, signed: true };
export const uint64: SqlType = { kind: 'int', bits: 64, signed: false };
export const float64: SqlType = { kind: 'float64' };
export const boolean: SqlType = { kind: 'boolean' };
export const utf8: SqlType = { kind: 'string', dictionary: false };
const tagType: SqlType = { kind: 'string', dictionary: true };
export const timestampNs: SqlType = { kind: 'timestamp', unit: 'ns', zone: undefined };
export const dateType: SqlType = { kind: 'date' };
export const duration: SqlType = { kind: 'duration' };
export const intervalType: SqlType = { kind: 'interval' };
export const fineInterval: SqlType = { kind: 'interval', fine: true };
export const binaryType: SqlType = { kind: 'binary' };
export const unknownType: SqlType = { kind: 'unknown' };

/** Type of a stored or system column. */
export function relationColumnType(type: RelationColumn['type']): SqlType {
  switch (type) {
    case 'time':
      return timestampNs;
    case 'tag':
      return tagType;
    case 'string':
      return utf8;
    case 'float':
      return float64;
    case 'integer':
      return int64;
    case 'uinteger':
      return uint64;
    case 'boolean':
      return boolean;
    case 'duration':
      return duration;
    case 'int32':
      return int32;
    case 'uint8':
      return { kind: 'int', bits: 8, signed: false };
    case 'uint32':
      return { kind: 'int', bits: 32, signed: false };
    case 'date':
      return dateType;
    case 'time_ms':
      return { kind: 'timestamp', unit: 'ms', zone: undefined };
    case 'time_s_utc':
      return { kind: 'timestamp', unit: 's', zone: 'UTC' };
    case 'list_string':
      return { kind: 'list', item: utf8 };
    case 'list_uint16':
      return { kind: 'list', item: { kind: 'int', bits: 16, signed: false } };
    case 'list_uint64':
      return { kind: 'list', item: uint64 };
  }
}

/** The type that a CAST gives. */
export function castTargetType(target: CastTarget): SqlType {
  if (target.kind === 'string') return utf8;
  if (target.kind === 'list') {
    return { kind: 'list', item: castTargetType(target.item), ...(target.size === undefined ? {} : { layout: target.size }) };
  }
  if (target.kind === 'struct') {
    return { kind: 'struct', members: target.members.map(({ name, type }) => ({ name, type: castTargetType(type) })) };
  }
  return target as SqlType;
}

/** True for integers, floats and decimals. */
export function isNumeric(type: SqlType): boolean {
  return type.kind === 'int' || type.kind === 'float32' || type.kind === 'float64' || type.kind === 'decimal';
}

/** True for both float types. */
export function isFloat(type: SqlType): boolean {
  return type.kind === 'float32' || type.kind === 'float64';
}

/** Digits of the widest decimal that there is here. */
export const DECIMAL_DIGITS_MAX = 38;

/** The engine's type name. */
export function engineType(type: SqlType): string {
  switch (type.kind) {
    case 'int':
      return `${type.signed ? '' : 'U'}${{ 8: 'TINYINT', 16: 'SMALLINT', 32: 'INTEGER', 64: 'BIGINT' }[type.bits]}`;
    case 'float32':
      return 'FLOAT';
    case 'float64':
      return 'DOUBLE';
    case 'boolean':
      return 'BOOLEAN';
    case 'string':
      return 'VARCHAR';
    case 'date':
      return 'DATE';
    case 'time':
      return 'TIME_NS';
    case 'binary':
      return 'BLOB';
    case 'decimal':
      return `DECIMAL(${Math.min(DECIMAL_DIGITS_MAX, type.precision)}, ${type.scale})`;
    case 'timestamp':
      return 'TIMESTAMP_NS';
    case 'duration':
      return 'BIGINT';
    case 'interval':
      return type.fine === true ? 'STRUCT(m INTEGER, d INTEGER, n BIGINT)' : 'INTERVAL';
    case 'list':
      return `${engineType(type.item)}[]`;
    case 'struct':
      return `STRUCT(${type.members.map((member) => `${quoteIdent(member.name)} ${engineType(member.type)}`).join(', ')})`;
    case 'map':
      return `MAP(${engineType(type.key)}, ${engineType(type.value)})`;
    default:
      return 'VARCHAR';
  }
}

const unitNames = { s: 's', ms: 'ms', us: 'µs', ns: 'ns' } as const;

/** The type as `arrow_typeof`, `information_schema` and messages print it. */
export function arrowTypeText(type: SqlType): string {
  switch (type.kind) {
    case 'null':
      return 'Null';
    case 'int':
      return `${type.signed ? 'Int' : 'UInt'}${type.bits}`;
    case 'float32':
      return type.half === true ? 'Float16' : 'Float32';
    case 'float64':
      return 'Float64';
    case 'boolean':
      return 'Boolean';
    case 'string':
      return type.dictionary ? `Dictionary(${type.key ?? 'Int32'}, ${type.layout ?? 'Utf8'})` : (type.layout ?? 'Utf8');
    case 'date':
      return 'Date32';
    case 'time':
      return `Time${type.unit === 's' || type.unit === 'ms' ? 32 : 64}(${unitNames[type.unit ?? 'ns']})`;
    case 'binary':
      return typeof type.layout === 'number' ? `FixedSizeBinary(${type.layout})` : (type.layout ?? 'Binary');
    case 'decimal':
      return `Decimal${type.wide === true ? 256 : 128}(${type.precision}, ${type.scale})`;
    case 'timestamp':
      if (type.date64 === true) return 'Date64';
      return type.zone === undefined ? `Timestamp(${unitNames[type.unit]})` : `Timestamp(${unitNames[type.unit]}, "${type.zone}")`;
    case 'duration':
      return `Duration(${unitNames[type.unit ?? 'ns']})`;
    case 'interval':
      return 'Interval(MonthDayNano)';
    case 'list':
      return listText(type);
    case 'struct':
      return `Struct(${type.members.map((member) => `"${member.name}": nullable ${arrowTypeText(member.type)}`).join(', ')})`;
    case 'map':
      return `Map("entries": non-null Struct("key": non-null ${arrowTypeText(type.key)}, "value": ${arrowTypeText(type.value)}), unsorted)`;
    case 'unknown':
      return 'Utf8';
  }
}

function listText({ item, layout }: Extract<SqlType, { kind: 'list' }>): string {
  const inner = `nullable ${arrowTypeText(item)}`;
  if (typeof layout === 'number') return `FixedSizeList(${layout} x ${inner})`;
  return `${layout === 'large' ? 'LargeList' : 'List'}(${inner})`;
}

/** What DuckDB cannot know about an output column; undefined = take DuckDB's type. */
export function resultType(type: SqlType): ResultType | undefined {
  switch (type.kind) {
    case 'timestamp':
    case 'duration':
    case 'null':
    case 'list':
    case 'struct':
    case 'map':
    case 'float64':
      return shownType(type);
    case 'interval':
      return type.fine === true ? shownType(type) : undefined;
    case 'string':
      return type.dictionary ? shownType(type) : undefined;
    default:
      return undefined;
  }
}

/** The type as clients see it; undefined = it is not known. */
function shownType(type: SqlType): ResultType | undefined {
  switch (type.kind) {
    case 'int':
      return { kind: `${type.signed ? 'int' : 'uint'}${type.bits}` };
    case 'timestamp':
      return { kind: 'timestamp', zone: type.zone, ...(type.unit === 'ns' ? {} : { unit: type.unit }) };
    case 'list': {
      const item = shownType(type.item);
      return item && { kind: 'list', item };
    }
    case 'map': {
      const [key, value] = [shownType(type.key), shownType(type.value)];
      return key && value && { kind: 'map', key, value };
    }
    case 'struct': {
      const members: ResultMember[] = [];
      for (const member of type.members) {
        const shown = shownType(member.type);
        if (shown === undefined) return undefined;
        members.push({ name: member.name, type: shown });
      }
      return { kind: 'struct', members };
    }
    case 'unknown':
      return undefined;
    case 'decimal':
      return { kind: 'decimal', precision: Math.min(DECIMAL_DIGITS_MAX, type.precision), scale: type.scale };
    case 'string':
      return { kind: 'string', dictionary: type.dictionary };
    default:
      return { kind: type.kind };
  }
}

/** True when both are the same Arrow type, with unit, zone, precision and members. */
export function sameType(a: SqlType, b: SqlType): boolean {
  if (a.kind === 'interval' && b.kind === 'interval') return a.fine === b.fine;
  return a.kind === b.kind && arrowTypeText(a) === arrowTypeText(b);
}

/** The common type of CASE branches, COALESCE arguments, set operations. Undefined = they do not fit. */
export function commonType(a: SqlType, b: SqlType): SqlType | undefined {
  if (a.kind === 'null' || a.kind === 'unknown') return b;
  if (b.kind === 'null' || b.kind === 'unknown') return a;
  if (a.kind === 'string' && b.kind === 'string') {
    if (a.dictionary && b.dictionary) return commonDictionary(a, b);
    return [a, b].find(({ layout }) => layout === 'Utf8View') ?? [a, b].find(({ layout }) => layout !== undefined) ?? utf8;
  }
  if (sameType(a, b)) return a;
  if (a.kind === 'interval' && b.kind === 'interval') return fineInterval;
  if (a.kind === 'binary' && b.kind === 'binary') return { kind: 'binary' };
  if (a.kind === 'list' && b.kind === 'list') {
    const item = commonType(a.item, b.item);
    return item && { kind: 'list', item, ...(a.layout === 'large' || b.layout === 'large' ? { layout: 'large' } : {}) };
  }
  if (a.kind === 'struct' && b.kind === 'struct') return commonStruct(a, b);
  if (isNumeric(a) && isNumeric(b)) return widestDecimal(a, b) ?? commonNumeric(a, b);
  if (a.kind === 'timestamp' && b.kind === 'timestamp') return { kind: 'timestamp', unit: 'ns', zone: a.zone ?? b.zone };
  if (a.kind === 'timestamp' && b.kind === 'date') return a;
  if (b.kind === 'timestamp' && a.kind === 'date') return b;
  if (a.kind === 'timestamp' && b.kind === 'string') return a;
  if (b.kind === 'timestamp' && a.kind === 'string') return b;
  if (a.kind === 'string' && (b.kind === 'date' || b.kind === 'time' || b.kind === 'binary')) return b;
  if (b.kind === 'string' && (a.kind === 'date' || a.kind === 'time' || a.kind === 'binary')) return a;
  if (a.kind === 'string' && b.kind !== 'list' && b.kind !== 'struct' && b.kind !== 'map') return utf8;
  if (b.kind === 'string' && a.kind !== 'list' && a.kind !== 'struct' && a.kind !== 'map') return utf8;
  return undefined;
}

type StructType = Extract<SqlType, { kind: 'struct' }>;

/** Members of the same names in the same order. compat: DataFusion would put values under other names where the order differs. */
function commonStruct(a: StructType, b: StructType): SqlType | undefined {
  if (a.members.length !== b.members.length) return undefined;
  const members: { name: string; type: SqlType }[] = [];
  for (const [index, { name, type }] of a.members.entries()) {
    const other = b.members[index];
    const common = other?.name === name ? commonType(type, other.type) : undefined;
    if (common === undefined) return undefined;
    members.push({ name, type: common });
  }
  return { kind: 'struct', members };
}

type StringType = Extract<SqlType, { kind: 'string' }>;

/** The wider keys, and the wider kind of text. */
function commonDictionary(a: StringType, b: StringType): SqlType {
  const bits = ({ key }: StringType): number => Number(/\d+$/.exec(key ?? 'Int32')?.[0]);
  const key = bits(b) > bits(a) ? b.key : a.key;
  const layout = a.layout ?? b.layout;
  return { kind: 'string', dictionary: true, ...(layout === undefined ? {} : { layout }), ...(key === undefined ? {} : { key }) };
}

/** The decimal that holds both, where one is a decimal, or both are 64-bit integers of which one has a sign. */
function widestDecimal(a: SqlType, b: SqlType): SqlType | undefined {
  if (isMixed64(a, b)) return { kind: 'decimal', precision: 20, scale: 0 };
  if (a.kind !== 'decimal' && b.kind !== 'decimal') return undefined;
  const [x, y] = [asDecimal(a), asDecimal(b)];
  if (x === undefined || y === undefined) return undefined;
  const scale = Math.max(x.scale, y.scale);
  const wide = x.wide === true || y.wide === true ? { wide: true as const } : {};
  return { kind: 'decimal', ...wide, precision: Math.min(38, Math.max(x.precision - x.scale, y.precision - y.scale) + scale), scale };
}

type DecimalType = Extract<SqlType, { kind: 'decimal' }>;

/** The decimal that holds all values of an integer type; undefined for floats and what is no number. */
export function asDecimal(type: SqlType): DecimalType | undefined {
  if (type.kind === 'decimal') return type;
  return type.kind === 'int' ? { kind: 'decimal', precision: { 8: 3, 16: 5, 32: 10, 64: 20 }[type.bits], scale: 0 } : undefined;
}

/** Unsigned 64-bit integers and signed ones: no integer type holds both. */
export function isMixed64(a: SqlType, b: SqlType): boolean {
  if (a.kind !== 'int' || b.kind !== 'int' || a.signed === b.signed) return false;
  return (a.signed ? b : a).bits === 64;
}

/** Result type of numeric operators; mixed 64-bit integers count as signed. */
export function commonNumeric(a: SqlType, b: SqlType): SqlType {
  if (a.kind === 'float64' || b.kind === 'float64') return float64;
  if (a.kind === 'decimal' || b.kind === 'decimal') return isFloat(a) || isFloat(b) ? float64 : a.kind === 'decimal' ? a : b;
  if (a.kind === 'float32' || b.kind === 'float32') return { kind: 'float32' };
  if (a.kind !== 'int' || b.kind !== 'int') return float64;
  const signed = a.signed || b.signed;
  let bits = Math.max(a.bits, b.bits);
  if (signed && bits < 64 && ((!a.signed && a.bits === bits) || (!b.signed && b.bits === bits))) bits *= 2;
  return { kind: 'int', bits: bits as 8 | 16 | 32 | 64, signed };
}
