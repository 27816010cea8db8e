import { notImplemented } from '../types/errors.ts';
import { didYouMean, nearestName } from '../types/near-names.ts';
import type { CastTarget } from './ast.ts';
import { identifier, objectName } from './names.ts';
import { has, isObject, listOf, nodeOf, objectOf, type Raw } from './raw.ts';

const simpleTypes: Readonly<Record<string, CastTarget>> = {
  Boolean: { kind: 'boolean' },
  Bool: { kind: 'boolean' },
  TinyInt: { kind: 'int', bits: 8, signed: true },
  SmallInt: { kind: 'int', bits: 16, signed: true },
  Int2: { kind: 'int', bits: 16, signed: true },
  Int: { kind: 'int', bits: 32, signed: true },
  Int4: { kind: 'int', bits: 32, signed: true },
  Integer: { kind: 'int', bits: 32, signed: true },
  BigInt: { kind: 'int', bits: 64, signed: true },
  Int8: { kind: 'int', bits: 64, signed: true },
  TinyIntUnsigned: { kind: 'int', bits: 8, signed: false },
  SmallIntUnsigned: { kind: 'int', bits: 16, signed: false },
  Int2Unsigned: { kind: 'int', bits: 16, signed: false },
  IntUnsigned: { kind: 'int', bits: 32, signed: false },
  Int4Unsigned: { kind: 'int', bits: 32, signed: false },
  IntegerUnsigned: { kind: 'int', bits: 32, signed: false },
  BigIntUnsigned: { kind: 'int', bits: 64, signed: false },
  Int8Unsigned: { kind: 'int', bits: 64, signed: false },
  Float: { kind: 'float32' },
  Real: { kind: 'float32' },
  Float4: { kind: 'float32' },
  Double: { kind: 'float64' },
  DoublePrecision: { kind: 'float64' },
  Float8: { kind: 'float64' },
  Char: { kind: 'string' },
  Varchar: { kind: 'string' },
  CharVarying: { kind: 'string' },
  CharacterVarying: { kind: 'string' },
  Character: { kind: 'string' },
  Text: { kind: 'string' },
  String: { kind: 'string' },
  Date: { kind: 'date' },
  Interval: { kind: 'interval' },
  Bytea: { kind: 'binary' },
};

/** A type name in a cast. */
export function normalizeType(raw: Raw): CastTarget {
  const { kind, body } = nodeOf(raw);
  if (Object.hasOwn(simpleTypes, kind)) return simpleTypes[kind] as CastTarget;
  if (kind === 'Timestamp') return timestampTarget(listOf(body));
  if (kind === 'Datetime') return { kind: 'timestamp', unit: 'ns', zone: undefined };
  if (kind === 'Time') return { kind: 'time' };
  if (kind === 'Decimal' || kind === 'Numeric' || kind === 'Dec') return decimalTarget(body);
  if (kind === 'Array') {
    const item = nodeOf(body);
    const [inner, size] = item.kind === 'SquareBracket' ? listOf(item.body) : [item.body];
    return {
      kind: 'list',
      item: normalizeType(inner),
      size: typeof size === 'number' || typeof size === 'bigint' ? Number(size) : undefined,
    };
  }
  if (kind === 'Struct') return { kind: 'struct', members: listOf(listOf(body)[0]).map(structMember) };
  throw unknownType(kind, body);
}

/** A member without a name is called by its place. */
function structMember(raw: Raw, index: number): { readonly name: string; readonly type: CastTarget } {
  const field = objectOf(raw);
  return { name: has(field['field_name']) ? identifier(field['field_name']) : `c${index}`, type: normalizeType(field['field_type']) };
}

/** The refusal of a type: of a name that is none, with one that is like it. */
function unknownType(kind: string, body: Raw): Error {
  if (kind !== 'Custom') return notImplemented(`Unsupported SQL type ${kind}`);
  const [parts] = listOf(body);
  const name = objectName(parts as Raw).join('.');
  const known = new Set([...Object.keys(simpleTypes).map((type) => type.toLowerCase()), 'timestamp', 'time', 'decimal']);
  return notImplemented(`Unsupported SQL type ${name}${didYouMean(nearestName(name, known))}`);
}

function timestampTarget(parts: readonly Raw[]): CastTarget {
  const precision = parts[0];
  const zone = parts[1] === 'WithTimeZone' || parts[1] === 'Tz' ? '+00:00' : undefined;
  const unit = precision === 0 ? 's' : precision === 3 ? 'ms' : precision === 6 ? 'us' : 'ns';
  return { kind: 'timestamp', unit, zone };
}

function decimalTarget(raw: Raw): CastTarget {
  if (raw === 'None' || raw === null || raw === undefined) return { kind: 'decimal', precision: 38, scale: 10 };
  const info = isObject(raw) ? raw : objectOf(raw);
  if (typeof info['Precision'] === 'number') return decimalOf(info['Precision'], 0);
  const pair = listOf(info['PrecisionAndScale']);
  return decimalOf(Number(pair[0]), Number(pair[1]));
}

function decimalOf(precision: number, scale: number): CastTarget {
  if (!Number.isInteger(precision) || !Number.isInteger(scale) || precision < 1 || precision > 38 || scale < 0 || scale > precision) {
    throw notImplemented(`Decimal(precision = ${precision}, scale = ${scale})`);
  }
  return { kind: 'decimal', precision, scale };
}
