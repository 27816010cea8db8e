import { notImplemented } from '../types/errors.ts';
import { binaryType, boolean, dateType, duration, float64, intervalType, type SqlType, utf8 } from '../types/types.ts';
import { isZone } from '../values/zones.ts';

const plainTypes: Readonly<Record<string, SqlType>> = {
  Float32: { kind: 'float32' },
  Float64: float64,
  Utf8: utf8,
  LargeUtf8: utf8,
  Utf8View: utf8,
  Boolean: boolean,
  Date32: dateType,
  Binary: binaryType,
  'Interval(MonthDayNano)': intervalType,
  'Interval(YearMonth)': intervalType,
  'Interval(DayTime)': intervalType,
  'Duration(Nanosecond)': duration,
  'Duration(ns)': duration,
  'Dictionary(Int32, Utf8)': { kind: 'string', dictionary: true },
};

const units: Readonly<Record<string, 's' | 'ms' | 'us' | 'ns'>> = {
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
  if (Object.hasOwn(plainTypes, name)) return plainTypes[name] as SqlType;
  const int = /^(U?)Int(8|16|32|64)$/.exec(name);
  if (int) return { kind: 'int', bits: Number(int[2]) as 8 | 16 | 32 | 64, signed: int[1] === '' };
  const timestamp = /^Timestamp\(\s*(\w+|µs)\s*(?:,\s*(None|Some\("([^"]*)"\)|"([^"]*)")\s*)?\)$/.exec(name);
  const unit = timestamp ? units[timestamp[1] as string] : undefined;
  if (timestamp && unit) {
    const zone = timestamp[3] ?? timestamp[4];
    if (zone === undefined || isZone(zone)) return { kind: 'timestamp', unit, zone };
  }
  throw notImplemented(`Unsupported type '${name}' in arrow_cast`);
}
