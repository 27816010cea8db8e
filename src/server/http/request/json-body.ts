import type { InfluxError } from '../../../shared/errors.ts';
import { serdeJsonError } from '../response/errors.ts';
import { type JsonNode, JsonTextError, parseJsonText, positionAt } from './json-text.ts';
import { missingField, unknownVariant } from './query-string.ts';

/**
 * Typed reading of a JSON request body. Every failure is the 400 `serde json error: ..` (docs/errors.md). Members that
 * nobody asks for are ignored; a member given twice is refused.
 */
export class JsonObjectReader {
  readonly #text: string;
  readonly #node: JsonNode & { readonly kind: 'object' };
  readonly #members: Map<string, JsonNode>;

  private constructor(text: string, node: JsonNode & { readonly kind: 'object' }, known: readonly string[]) {
    this.#text = text;
    this.#node = node;
    this.#members = new Map();
    for (const member of node.members) {
      if (!known.includes(member.name)) continue;
      if (this.#members.has(member.name)) throw this.#fail(`duplicate field \`${member.name}\``, member.nameEnd);
      this.#members.set(member.name, member.value);
    }
  }

  /** Parses a body that must be one object. `what` is InfluxDB 3 Core's type name, shown when it is something else. */
  static parse(text: string, what: string, known: readonly string[]): JsonObjectReader {
    const node = parseNode(text);
    if (node.kind !== 'object') throw invalidType(text, node, `struct ${what}`);
    return new JsonObjectReader(text, node, known);
  }

  /** Reader of a nested object. */
  nested(node: JsonNode, what: string, known: readonly string[]): JsonObjectReader {
    if (node.kind !== 'object') throw invalidType(this.#text, node, `struct ${what}`);
    return new JsonObjectReader(this.#text, node, known);
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  /** The raw node, or undefined when absent or null. */
  optionalNode(name: string): JsonNode | undefined {
    const node = this.#members.get(name);
    return node === undefined || node.kind === 'null' ? undefined : node;
  }

  node(name: string): JsonNode {
    const node = this.#members.get(name);
    if (node === undefined) throw this.#fail(missingField(name), this.#node.end);
    return node;
  }

  string(name: string): string {
    return this.#asString(this.node(name));
  }

  optionalString(name: string): string | undefined {
    const node = this.optionalNode(name);
    return node === undefined ? undefined : this.#asString(node);
  }

  boolean(name: string): boolean {
    const node = this.node(name);
    if (node.kind !== 'boolean') throw invalidType(this.#text, node, 'a boolean');
    return node.value;
  }

  optionalBoolean(name: string): boolean | undefined {
    return this.optionalNode(name) === undefined ? undefined : this.boolean(name);
  }

  /** An unsigned 64-bit integer. */
  optionalUint64(name: string): bigint | undefined {
    const node = this.optionalNode(name);
    if (node === undefined) return undefined;
    if (node.kind === 'number' && /^-\d+$/.test(node.text)) throw invalidValue(this.#text, node, 'u64');
    const isInteger = node.kind === 'number' && /^\d+$/.test(node.text);
    if (!isInteger || BigInt(node.text) > 0xffff_ffff_ffff_ffffn) throw invalidType(this.#text, node, 'u64');
    return BigInt(node.text);
  }

  variant(name: string, variants: readonly string[]): string {
    const node = this.node(name);
    return this.#checkVariant(this.#asString(node), node.end, variants);
  }

  optionalVariant(name: string, variants: readonly string[]): string | undefined {
    const node = this.optionalNode(name);
    return node === undefined ? undefined : this.#checkVariant(this.#asString(node), node.end, variants);
  }

  array(name: string): readonly JsonNode[] {
    const node = this.node(name);
    if (node.kind !== 'array') throw invalidType(this.#text, node, 'a sequence');
    return node.items;
  }

  stringArray(name: string): string[] {
    return this.array(name).map((item) => this.#asString(item));
  }

  optionalStringArray(name: string): string[] | undefined {
    return this.optionalNode(name) === undefined ? undefined : this.stringArray(name);
  }

  optionalStringMap(name: string): ReadonlyMap<string, string> | undefined {
    const node = this.optionalNode(name);
    if (node === undefined) return undefined;
    if (node.kind !== 'object') throw invalidType(this.#text, node, 'a map');
    return new Map(node.members.map((member) => [member.name, this.#asString(member.value)]));
  }

  /** A failure of a value of this object, placed behind the member `name`. */
  valueError(name: string, detail: string): InfluxError {
    return this.#fail(detail, this.#members.get(name)?.end ?? this.#node.end);
  }

  #asString(node: JsonNode): string {
    if (node.kind !== 'string') throw invalidType(this.#text, node, 'a string');
    return node.value;
  }

  #checkVariant(value: string, end: number, variants: readonly string[]): string {
    if (!variants.includes(value)) throw this.#fail(unknownVariant(value, variants), end);
    return value;
  }

  #fail(detail: string, end: number): InfluxError {
    return serdeJsonError(detail + positionAt(this.#text, end));
  }
}

/** Parses JSON text; a failure becomes a 400 (docs/errors.md). */
export function parseNode(text: string): JsonNode {
  try {
    return parseJsonText(text);
  } catch (error) {
    if (error instanceof JsonTextError) throw serdeJsonError(error.message);
    throw error;
  }
}

/** `invalid type: <what it is>, expected <what>` with its position. */
function invalidType(text: string, node: JsonNode, expected: string): InfluxError {
  // The decoder has seen only the first byte of a list or object when it refuses it.
  const end = node.kind === 'array' || node.kind === 'object' ? startOf(text, node) : node.end;
  return serdeJsonError(`invalid type: ${describe(node)}, expected ${expected}${positionAt(text, end)}`);
}

/** `invalid value: <what it is>, expected <what>`: the right kind, but out of range. */
function invalidValue(text: string, node: JsonNode, expected: string): InfluxError {
  return serdeJsonError(`invalid value: ${describe(node)}, expected ${expected}${positionAt(text, node.end)}`);
}

function startOf(text: string, node: JsonNode & { readonly kind: 'array' | 'object' }): number {
  const inner = node.kind === 'array' ? node.items[0]?.end : node.members[0]?.nameEnd;
  const open = node.kind === 'array' ? '[' : '{';
  return text.lastIndexOf(open, inner ?? node.end);
}

function describe(node: JsonNode): string {
  switch (node.kind) {
    case 'null':
      return 'null';
    case 'boolean':
      return `boolean \`${node.value}\``;
    case 'number':
      return /^-?\d+$/.test(node.text) ? `integer \`${node.text}\`` : `floating point \`${node.text}\``;
    case 'string':
      return `string ${JSON.stringify(node.value)}`;
    case 'array':
      return 'sequence';
    case 'object':
      return 'map';
  }
}
