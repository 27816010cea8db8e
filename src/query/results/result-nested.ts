/** Interval of the engine: months, days and microseconds kept apart. */
export interface IntervalParts {
  readonly months: number;
  readonly days: number;
  readonly micros: bigint;
}

/** Turns a value of the binding into plain JS for the formatters: bigint, number, string, boolean, array, object, Map, null. */
export function plainValue(value: unknown): unknown {
  if (value === null || value === undefined || typeof value !== 'object') return value ?? null;
  if (hasShape(value, 'items') && Array.isArray(value.items)) return value.items.map(plainValue);
  if (hasShape(value, 'entries')) return plainEntries(value.entries);
  if (isInterval(value)) return intervalText(value);
  if (isTimeOfDay(value)) return timeText(value);
  if (hasShape(value, 'nanos') && typeof value.nanos === 'bigint') return timestampText(value.nanos);
  if (hasShape(value, 'micros') && typeof value.micros === 'bigint') return timestampText(value.micros * 1000n);
  if (hasShape(value, 'millis') && typeof value.millis === 'bigint') return timestampText(value.millis * 1_000_000n);
  if (hasShape(value, 'seconds') && typeof value.seconds === 'bigint') return timestampText(value.seconds * 1_000_000_000n);
  if (hasShape(value, 'scale') && 'toDouble' in value && typeof value.toDouble === 'function') return value.toDouble() as number;
  if (hasShape(value, 'bytes') && value.bytes instanceof Uint8Array) return Buffer.from(value.bytes).toString('hex');
  if (hasShape(value, 'tag') && 'value' in value) return plainValue(value.value);
  return String(value);
}

/** Text of an interval, largest unit first: `1 mons 2 days 3 hours 4 mins 5.000006000 secs`, `0 secs` for zero. */
export function intervalText(interval: IntervalParts): string {
  const parts: string[] = [];
  if (interval.months !== 0) parts.push(`${interval.months} mons`);
  if (interval.days !== 0) parts.push(`${interval.days} days`);
  const negative = interval.micros < 0n;
  const micros = negative ? -interval.micros : interval.micros;
  const sign = negative ? '-' : '';
  const hours = micros / 3_600_000_000n;
  const minutes = (micros / 60_000_000n) % 60n;
  const seconds = (micros / 1_000_000n) % 60n;
  const fraction = String((micros % 1_000_000n) * 1000n).padStart(9, '0');
  if (hours !== 0n) parts.push(`${sign}${hours} hours`);
  if (minutes !== 0n) parts.push(`${sign}${minutes} mins`);
  if (seconds !== 0n || fraction !== '000000000') parts.push(`${sign}${seconds}.${fraction} secs`);
  return parts.length === 0 ? '0 secs' : parts.join(' ');
}

function plainEntries(entries: unknown): unknown {
  if (Array.isArray(entries)) {
    return new Map(entries.map((entry: { key: unknown; value: unknown }) => [plainValue(entry.key), plainValue(entry.value)]));
  }
  return Object.fromEntries(Object.entries(entries as Record<string, unknown>).map(([name, value]) => [name, plainValue(value)]));
}

/** `2022-01-01T08:00:00.123`, with 0, 3, 6 or 9 fraction digits. */
function timestampText(ns: bigint): string {
  const second = ns >= 0n ? ns / 1_000_000_000n : -((-ns + 999_999_999n) / 1_000_000_000n);
  const nanos = Number(ns - second * 1_000_000_000n);
  const head = new Date(Number(second) * 1000).toISOString().slice(0, 19);
  if (nanos === 0) return head;
  const digits = String(nanos).padStart(9, '0');
  return `${head}.${digits.endsWith('000000') ? digits.slice(0, 3) : digits.endsWith('000') ? digits.slice(0, 6) : digits}`;
}

function isInterval(value: object): value is IntervalParts {
  return hasShape(value, 'months') && hasShape(value, 'days') && hasShape(value, 'micros');
}

/** Times of day share their member names with timestamps, which know an infinity. */
function isTimeOfDay(value: object): value is { readonly nanos: bigint } | { readonly micros: bigint } {
  const counts =
    (hasShape(value, 'nanos') && typeof value.nanos === 'bigint') || (hasShape(value, 'micros') && typeof value.micros === 'bigint');
  return counts && !('isFinite' in value);
}

/** `08:00:00.123`, with 0, 3, 6 or 9 fraction digits. */
function timeText(value: { readonly nanos: bigint } | { readonly micros: bigint }): string {
  return timestampText('nanos' in value ? value.nanos : value.micros * 1000n).slice('1970-01-01T'.length);
}

function hasShape<K extends string>(value: object, key: K): value is Record<K, unknown> {
  return key in value;
}
