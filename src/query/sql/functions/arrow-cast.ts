import { notImplemented } from '../types/errors.ts';
import { binaryType, boolean, dateType, float64, intervalType, type SqlType, utf8 } from '../types/types.ts';
import { isZone } from '../values/zones.ts';

const plainTypes: Readonly<Record<string, SqlType>> = {
  Float16: { kind: 'float32', half: true },
  Float32: { kind: 'float32' },
  Float64: float64,
  Utf8: utf8,
  LargeUtf8: { kind: 'string', dictionary: false, layout: 'LargeUtf8' },
  Utf8View: { kind: 'string', dictionary: false, layout: 'Utf8View' },
  Boolean: boolean,
  Date32: dateType,
  Date64: { kind: 'timestamp', unit: 'ms', zone: undefined, date64: true },
  Binary: binaryType,
  LargeBinary: { kind: 'binary', layout: 'LargeBinary' },
  BinaryView: { kind: 'binary', layout: 'BinaryView' },
  'Interval(MonthDayNano)': intervalType,
  'Interval(YearMonth)': intervalType,
  'Interval(DayTime)': intervalType,
};

type Unit = 's' | 'ms' | 'us' | 'ns';

const units: Readonly<Record<string, Unit>> = {
  Second: 's',
  Millisecond: 'ms',
  Microsecond: 'us',
  Nanosecond: 'ns',
  s: 's',
  ms: 'ms',
  us: 'us',
  µs: 'us',
  ns: 'ns',
};

/** The type that `arrow_cast(x, 'name')` names. */
export function arrowCastTarget(name: string): SqlType {
  const found = parsed(name.trim());
  if (found === undefined) throw notImplemented(`Unsupported type '${name}' in arrow_cast`);
  return found;
}

function parsed(name: string): SqlType | undefined {
  if (Object.hasOwn(plainTypes, name)) return plainTypes[name];
  const int = /^(U?)Int(8|16|32|64)$/.exec(name);
  if (int) return { kind: 'int', bits: Number(int[2]) as 8 | 16 | 32 | 64, signed: int[1] === '' };
  const [, outer = '', inner = ''] = /^(\w+)\(\s*(.*?)\s*\)$/s.exec(name) ?? [];
  switch (outer) {
    case 'Timestamp':
      return timestamp(inner);
    case 'Time32':
    case 'Time64':
      return units[inner] === undefined ? undefined : { kind: 'time', unit: units[inner] };
    case 'Duration':
      return units[inner] === undefined ? undefined : { kind: 'duration', unit: units[inner] };
    case 'Decimal128':
      return decimal(inner, 38);
    case 'Decimal256': {
      const found = decimal(inner, 76);
      return found && { ...found, wide: true };
    }
    case 'FixedSizeBinary':
      return /^[1-9]\d*$/.test(inner) ? { kind: 'binary', layout: Number(inner) } : undefined;
    case 'Dictionary': {
      const [, key, value = ''] = /^(U?Int(?:8|16|32|64))\s*,\s*(.*)$/s.exec(inner) ?? [];
      const item = key === undefined ? undefined : parsed(value);
      // The key of other values than text is not kept.
      return item?.kind === 'string' ? { ...item, dictionary: true, ...(key === 'Int32' ? {} : { key: key as string }) } : item;
    }
    case 'List':
      return listOf(inner);
    case 'LargeList':
      return listOf(inner, 'large');
    case 'FixedSizeList': {
      const [, size, item] = /^(\d+)\s*(?:,|x)\s*(.*)$/s.exec(inner) ?? [];
      return size === undefined || item === undefined ? undefined : listOf(item, Number(size));
    }
    default:
      return undefined;
  }
}

function timestamp(inner: string): SqlType | undefined {
  const [, unitName = '', , quoted, bare] = /^(\w+|µs)\s*(?:,\s*(None|Some\(\s*"([^"]*)"\s*\)|"([^"]*)"))?$/.exec(inner) ?? [];
  const [unit, zone] = [units[unitName], quoted ?? bare];
  if (unit === undefined || (zone !== undefined && !isZone(zone))) return undefined;
  return { kind: 'timestamp', unit, zone };
}

function decimal(inner: string, digitsMax: number): Extract<SqlType, { kind: 'decimal' }> | undefined {
  const [, precision, scale] = /^(\d+)\s*,\s*(\d+)$/.exec(inner) ?? [];
  const [p, s] = [Number(precision), Number(scale)];
  return p >= 1 && p <= digitsMax && s <= p && s <= 38 ? { kind: 'decimal', precision: p, scale: s } : undefined;
}

function listOf(name: string, layout?: 'large' | number): SqlType | undefined {
  const item = parsed(name.replace(/^nullable\s+/, ''));
  return item && { kind: 'list', item, ...(layout === undefined ? {} : { layout }) };
}
