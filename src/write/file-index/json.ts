/** JSON whose integers may be larger than 2^53. `number` for those that fit, `bigint` for the rest is the printer's input. */
export type JsonValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** Strings are matched only to be stepped over; 16 digits and more may not fit into a double. */
const STRING_OR_LONG_INTEGER = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

/** Pretty-printed with two spaces; members that are undefined are left out. */
export function printJson(value: JsonValue, indent = ''): string {
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const inner = `${indent}  `;
  if (isArray(value)) {
    if (value.length === 0) return '[]';
    return `[\n${value.map((item) => inner + printJson(item, inner)).join(',\n')}\n${indent}]`;
  }
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${inner}${JSON.stringify(key)}: ${printJson(member, inner)}`);
  }
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`;
}

/** Parses JSON with all digits: integers of 16 digits and more come as decimal text. Readers know which members are integers. */
export function parseJson(text: string): unknown {
  const quoted = text.replace(STRING_OR_LONG_INTEGER, (match) => (match.startsWith('"') ? match : `"${match}"`));
  return JSON.parse(quoted);
}

function isArray(value: object): value is readonly JsonValue[] {
  return Array.isArray(value);
}
