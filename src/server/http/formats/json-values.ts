import type { CellStyle } from './cells.ts';
import { floatText, writeFloat64 } from './numbers.ts';
import type { TextSink } from './text-sink.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Longer strings are searched by a regular expression, shorter ones character by character. */
const SHORT_STRING_MAX = 32;
const needsNoEscape = /^[ !#-[\]-~]*$/;

/** How JSON and JSON lines write cells. */
export const jsonCellStyle: CellStyle = {
  floats: 'json',
  notFinite: 'null',
  quote: '"',
  writeString: writeJsonString,
  writeNested: writeJsonValue,
};

/** Writes a JSON string. */
export function writeJsonString(sink: TextSink, text: string): void {
  const size = text.length;
  if (size > SHORT_STRING_MAX) {
    writeLongString(sink, text);
    return;
  }
  sink.reserve(size + 2);
  const bytes = sink.bytes;
  let at = sink.length;
  bytes[at++] = QUOTE;
  for (let i = 0; i < size; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) {
      sink.utf8(JSON.stringify(text));
      return;
    }
    bytes[at++] = code;
  }
  bytes[at++] = QUOTE;
  sink.length = at;
}

function writeLongString(sink: TextSink, text: string): void {
  if (!needsNoEscape.test(text)) {
    sink.utf8(JSON.stringify(text));
    return;
  }
  sink.byte(QUOTE);
  sink.ascii(text);
  sink.byte(QUOTE);
}

/** Writes a nested value: members that are null are left out, list items that are null stay (sql.md 10). */
export function writeJsonValue(sink: TextSink, value: unknown): void {
  if (value === null || value === undefined) {
    sink.ascii('null');
    return;
  }
  if (typeof value === 'string') {
    writeJsonString(sink, value);
    return;
  }
  if (typeof value === 'bigint' || typeof value === 'boolean') {
    sink.ascii(String(value));
    return;
  }
  if (typeof value === 'number') {
    Number.isFinite(value) ? writeFloat64(sink, value, 'json') : sink.ascii('null');
    return;
  }
  if (Array.isArray(value)) {
    writeList(sink, value);
    return;
  }
  if (value instanceof Map) {
    writeMembers(sink, value.entries());
    return;
  }
  writeMembers(sink, Object.entries(value));
}

function writeList(sink: TextSink, items: readonly unknown[]): void {
  let separator = '[';
  for (const item of items) {
    sink.ascii(separator);
    writeJsonValue(sink, item);
    separator = ',';
  }
  sink.ascii(separator === '[' ? '[]' : ']');
}

function writeMembers(sink: TextSink, members: Iterable<[unknown, unknown]>): void {
  let separator = '{';
  for (const [name, value] of members) {
    if (value === null || value === undefined) continue;
    sink.ascii(separator);
    writeJsonString(sink, String(name));
    sink.ascii(':');
    writeJsonValue(sink, value);
    separator = ',';
  }
  sink.ascii(separator === '{' ? '{}' : '}');
}

/** Text of a nested value for the pretty grid: `{a: 1}`, `[1, 2]`. */
export function displayText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return floatText(value, 'display');
  if (Array.isArray(value)) return `[${value.map(displayText).join(', ')}]`;
  if (value instanceof Map) return `{${[...value].map(([key, item]) => `${displayText(key)}: ${displayText(item)}`).join(', ')}}`;
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, item]) => `${key}: ${displayText(item)}`)
      .join(', ')}}`;
  }
  return String(value);
}
