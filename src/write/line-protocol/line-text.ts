import type { Line, LineField } from './line-syntax.ts';

const ORIGINAL_LINE_BYTES_MAX = 20;

/** A line as validation errors show it: rendered again, cut. */
export function renderedLine(line: Line): string {
  let out = escapeName(line.measurement, /[, ]/g);
  for (const { key, value } of line.tags) {
    if (out.length > ORIGINAL_LINE_BYTES_MAX) break;
    out += `,${escapeName(key, /[,= ]/g)}=${escapeName(shown(value), /[,= ]/g)}`;
  }
  let separator = ' ';
  for (const field of line.fields) {
    if (out.length > ORIGINAL_LINE_BYTES_MAX) break;
    out += `${separator}${escapeName(field.key, /[,= ]/g)}=${renderedValue(field)}`;
    separator = ',';
  }
  if (line.timestamp !== undefined) out += ` ${line.timestamp}`;
  return cutLine(Buffer.from(out), 0, Number.MAX_SAFE_INTEGER);
}

/**
 * A refused line as parse errors show it: the physical line in which its data begins, without `\r`, cut.
 * `data` is where the trimmed logical line begins, `start` where the untrimmed one does.
 */
export function originalLine(bytes: Uint8Array, start: number, data: number): string {
  const newline = data === start ? -1 : bytes.subarray(start, data).lastIndexOf(0x0a);
  const from = start + newline + 1;
  const limit = Math.min(bytes.length, data + ORIGINAL_LINE_BYTES_MAX + 1);
  let end = data;
  while (end < limit && bytes[end] !== 0x0a) end++;
  if (end > from && bytes[end - 1] === 0x0d && (end === bytes.length || bytes[end] === 0x0a)) end--;
  return cutLine(bytes, from, end);
}

/** At most 20 bytes of `bytes[start, end)`, not cutting a character. */
function cutLine(bytes: Uint8Array, start: number, end: number): string {
  let stop = Math.min(bytes.length, end, start + ORIGINAL_LINE_BYTES_MAX);
  if (stop < Math.min(bytes.length, end)) while (stop > start && ((bytes[stop] as number) & 0xc0) === 0x80) stop--;
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, stop - start).toString('utf8');
}

function escapeName(name: string, special: RegExp): string {
  return name.replace(special, '\\$&');
}

/** The part of a value that can show, decoded. */
function shown(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, Math.min(value.byteLength, ORIGINAL_LINE_BYTES_MAX * 4)).toString('utf8');
}

function renderedValue(field: LineField): string {
  switch (field.type) {
    case 'integer':
      return `${field.value}i`;
    case 'uinteger':
      return `${field.value}u`;
    case 'float':
      return plainDecimal(field.value);
    case 'boolean':
      return String(field.value);
    case 'string':
      // compat: no quotes around strings, and only quotes are escaped inside.
      return shown(field.value).replaceAll('"', '\\"');
  }
}

/** Shortest digits of a double without an exponent, as Rust prints them. */
function plainDecimal(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  if (value === Number.NEGATIVE_INFINITY) return '-inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const printed = String(Math.abs(value));
  const match = /^(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(printed);
  if (match === null) return sign + printed;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, '0')}`;
}
