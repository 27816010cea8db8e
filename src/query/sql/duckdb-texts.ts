/** What DuckDB says of values that it cannot convert or read, in InfluxDB 3 Core's words. */

const arrowNames: Readonly<Record<string, string>> = {
  BOOL: 'Boolean',
  INT8: 'Int8',
  INT16: 'Int16',
  INT32: 'Int32',
  INT64: 'Int64',
  UINT8: 'UInt8',
  UINT16: 'UInt16',
  UINT32: 'UInt32',
  UINT64: 'UInt64',
  FLOAT: 'Float32',
  DOUBLE: 'Float64',
};

/** Length of the shortest text that can be a timestamp. */
const TIMESTAMP_CHARS_MIN = 10;

/** A failed cast, to follow `Arrow error: `. Undefined = other words. */
export function castText(raw: string): string | undefined {
  const text = raw.replace(/ when casting from source column [\s\S]*$/, '');
  const range = /^Type \w+ with value ([\s\S]*) can't be cast because the value is out of range for the destination type (\w+)$/.exec(text);
  if (range) return `Cast error: Can't cast value ${range[1]?.replace('e+', 'e')} to type ${arrowName(range[2])}`;
  const string = /^Could not convert string '([\s\S]*)' to (\w+)$/.exec(text);
  if (string) {
    const [, value = '', type] = string;
    // integers are looked at before they are cast, so that any other text was to become a timestamp
    return type === 'INT64' && !/^[+-]?\d+$/.test(value) ? timestampText(value) : stringText(value, arrowName(type));
  }
  const list = /^Type \w+ with value ([\s\S]*) can't be cast to the destination type (\S+)$/.exec(text);
  if (list) return `Cast error: Cannot cast value '${list[1]}' to type ${withArrowTypes(list[2] ?? '')}`;
  const field = /^(?:invalid|out of range)? ?(date|timestamp) field (?:format|value out of range): "([\s\S]*)", expected format/.exec(text);
  if (field) return field[1] === 'date' ? stringText(field[2] ?? '', 'Date32') : timestampText(field[2] ?? '');
  return undefined;
}

function arrowName(engineName: string | undefined): string {
  return arrowNames[engineName ?? ''] ?? engineName ?? '';
}

function stringText(value: string, type: string): string {
  return `Cast error: Cannot cast string '${value}' to value of ${type} type`;
}

function timestampText(value: string): string {
  const reason = value.length < TIMESTAMP_CHARS_MIN ? 'timestamp must contain at least 10 characters' : 'error parsing date';
  return `Parser error: Error parsing timestamp from '${value}': ${reason}`;
}

/** What RE2 says of a pattern, before `: ` and the place. */
const patternFailure =
  /^(?:missing [)\]]|invalid (?:escape sequence|character class|character class range|repetition size|perl operator|UTF-8|named capture group)|no argument for repetition operator|bad repetition operator|unexpected \)|trailing \\|pattern too large)/;

/** A value that a function could not read, as the whole message. Undefined = other words. */
export function functionText(text: string): string | undefined {
  if (patternFailure.test(text)) return `Arrow error: External error: Regular expression did not compile: ${text}`;
  if (text.startsWith('Invalid input for hex digit'))
    return 'Execution error: Failed to decode value using hex: Invalid character or length';
  if (/^Could not decode string [\s\S]* as base64/.test(text)) {
    return 'Execution error: Failed to decode value using base64: Invalid symbol or length';
  }
  const codepoint = /^Invalid UTF8 Codepoint (-?\d+)$/.exec(text);
  return codepoint ? `Execution error: invalid Unicode scalar value: ${codepoint[1]}` : undefined;
}

const arrowTypes: Readonly<Record<string, string>> = {
  BOOLEAN: 'Boolean',
  TINYINT: 'Int8',
  SMALLINT: 'Int16',
  INTEGER: 'Int32',
  BIGINT: 'Int64',
  UTINYINT: 'UInt8',
  USMALLINT: 'UInt16',
  UINTEGER: 'UInt32',
  UBIGINT: 'UInt64',
  HUGEINT: 'Decimal128(38, 0)',
  UHUGEINT: 'Decimal128(38, 0)',
  FLOAT: 'Float32',
  DOUBLE: 'Float64',
  VARCHAR: 'Utf8',
  BLOB: 'Binary',
  DATE: 'Date32',
  TIME: 'Time64(ns)',
  TIMESTAMP_NS: 'Timestamp(ns)',
  TIMESTAMP: 'Timestamp(µs)',
  INTERVAL: 'Interval(MonthDayNano)',
  INTEGER_LITERAL: 'Int64',
  STRING_LITERAL: 'Utf8',
  STRUCT: 'Struct',
  MAP: 'Map',
};

const engineTypeWord = new RegExp(`\\b(${Object.keys(arrowTypes).join('|')})\\b((?:\\[\\])*)`, 'g');

/** The text with Arrow's names for DuckDB's types. */
export function withArrowTypes(text: string): string {
  return text.replace(/ - an explicit cast is required$/, '').replace(engineTypeWord, (_, type: string, lists: string) => {
    const depth = lists.length / 2;
    return `${'List('.repeat(depth)}${arrowTypes[type]}${')'.repeat(depth)}`;
  });
}

/** An overflow, to follow `Arrow error: Arithmetic overflow: `. */
export function overflowText(text: string): string {
  const operation = /^Overflow in \w+ of \w+ \(([\s\S]+)\)!$/.exec(text);
  return operation ? `Overflow happened on: ${operation[1]}` : withArrowTypes(text);
}

/** A call or cast that DuckDB has no form of, to follow `Error during planning: `. Undefined = other words. */
export function bindText(text: string): string | undefined {
  const call = /No function matches the given name and argument types '(?:_df\.)?([\w"]+)\(([\s\S]*?)\)'\. You might/.exec(text);
  if (call) {
    const [, name = '', args = ''] = call;
    return `Failed to coerce arguments to satisfy a call to '${name.replaceAll('"', '')}' function: coercion from (${withArrowTypes(args)}) failed`;
  }
  const cast = /^Unimplemented type for cast \(([\s\S]+) -> ([\s\S]+?)\)/.exec(text);
  return cast ? `Unsupported CAST from ${withArrowTypes(cast[1] ?? '')} to ${withArrowTypes(cast[2] ?? '')}` : undefined;
}
