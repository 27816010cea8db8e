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
  const decimal =
    /^(?:Could not cast value|Casting value) "?(\S+?)"? to (?:type )?DECIMAL\((\d+),(\d+)\)/.exec(text) ??
    /^(?:Could not convert) string "([\s\S]*)" to DECIMAL\((\d+),(\d+)\)$/.exec(text);
  if (decimal) {
    const type = `Decimal128(${decimal[2]}, ${decimal[3]})`;
    return text.startsWith('Could not convert')
      ? stringText(decimal[1] ?? '', type)
      : `Cast error: Cannot cast to ${type}. Overflowing on ${shortNumber(decimal[1] ?? '')}`;
  }
  const fromDecimal = /^Failed to cast decimal value (\S+) to type (\w+)$/.exec(text);
  if (fromDecimal) return `Cast error: Can't cast value ${fromDecimal[1]} to type ${arrowName(fromDecimal[2])}`;
  const clock = /^time field value out of range: "([\s\S]*)", expected format/.exec(text);
  if (clock) return stringText(clock[1] ?? '', 'Time64(ns)');
  if (/^Failure in decode: could not convert blob to UTF8/.test(text)) return 'Invalid argument error: Encountered non UTF-8 data';
  const field = /^(?:invalid|out of range)? ?(date|timestamp) field (?:format|value out of range): "([\s\S]*)", expected format/.exec(text);
  if (field) return field[1] === 'date' ? stringText(field[2] ?? '', 'Date32') : timestampText(field[2] ?? '');
  return undefined;
}

/** DuckDB prints all digits of the greatest doubles. */
function shortNumber(text: string): string {
  return text.length > 40 ? String(Number(text)) : text;
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

/** How what DuckDB says begins, and what is said instead. */
const fixedTexts: readonly (readonly [string, string])[] = [
  ['Slice step cannot be zero', 'array_slice got invalid stride: 0, it cannot be 0'],
  ['Map keys can not be NULL', 'map key cannot be null'],
  ['Map keys must be unique', 'map key must be unique, duplicate key found'],
  ['The map key list does not align with', 'map requires key and value lists to have the same length'],
  ['list_distance: list dimensions must be equal', 'Both arrays must have the same length'],
];

function dateText(year: number, month: number, day: number): string {
  if (month < 1 || month > 12) return `Month value '${month}' is out of range`;
  if (day < 1 || day > 31) return `Day value '${day}' is out of range`;
  return `Unable to parse date from ${year}, ${month}, ${day}`;
}

/** A value that a function could not read, as the whole message. Undefined = other words. */
export function functionText(text: string): string | undefined {
  if (patternFailure.test(text)) return `Arrow error: External error: Regular expression did not compile: ${text}`;
  if (text.startsWith('Invalid input for hex digit'))
    return 'Execution error: Failed to decode value using hex: Invalid character or length';
  if (/^Could not decode string [\s\S]* as base64/.test(text)) {
    return 'Execution error: Failed to decode value using base64: Invalid symbol or length';
  }
  const date = /^Date out of range: (-?\d+)-(-?\d+)-(-?\d+)$/.exec(text);
  if (date) return `Execution error: ${dateText(Number(date[1]), Number(date[2]), Number(date[3]))}`;
  const fixed = fixedTexts.find(([start]) => text.startsWith(start));
  if (fixed) return `Execution error: ${fixed[1]}`;
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
  const template = /^Cannot deduce template type '\w+' in function: '(?:_df\.)?(?:list|array)_(\w+)\(/.exec(text);
  if (template) return `Failed to coerce arguments to satisfy a call to 'array_${template[1]}' function: the types do not go together`;
  const mixed = /^Cannot mix values of type ([\s\S]+) and ([\s\S]+) in \w+ \w+/.exec(text);
  if (mixed) return `Failed to coerce ${withArrowTypes(mixed[1] ?? '')} and ${withArrowTypes(mixed[2] ?? '')} to a common type`;
  if (text.startsWith('subqueries in lambda expressions')) return 'a subquery is not supported in this argument';
  const cast = /^Unimplemented type for cast \(([\s\S]+) -> ([\s\S]+?)\)/.exec(text);
  return cast ? `Unsupported CAST from ${withArrowTypes(cast[1] ?? '')} to ${withArrowTypes(cast[2] ?? '')}` : undefined;
}
