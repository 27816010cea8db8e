import { durationNs, type InfluxqlParam } from '../../../query/influxql/parse/index.ts';
import type { BindValue } from '../../../query/result.ts';
import { serdeJsonError } from '../response/errors.ts';
import { parseNode } from './json-body.ts';
import { type JsonNode, positionAt } from './json-text.ts';

const uint64Max = 0xffff_ffff_ffff_ffffn;
const int64Min = -0x8000_0000_0000_0000n;

/** Decodes `params` given as JSON text. */
export function bindParamsFromText(text: string): ReadonlyMap<string, BindValue> {
  const node = parseNode(text);
  return bindParams(text, node);
}

/** Decodes a `params` node of a JSON body; null stands for no parameters. */
export function bindParams(text: string, node: JsonNode): ReadonlyMap<string, BindValue> {
  const values = new Map<string, BindValue>();
  if (node.kind === 'null') return values;
  if (node.kind !== 'object') throw serdeJsonError(`invalid type: ${kindName(node)}, expected a map${positionAt(text, node.end)}`);
  for (const member of node.members) values.set(member.name, bindValue(text, member.value));
  return values;
}

function bindValue(text: string, node: JsonNode): BindValue {
  switch (node.kind) {
    case 'null':
      return { kind: 'null' };
    case 'boolean':
      return { kind: 'boolean', value: node.value };
    case 'string':
      return { kind: 'string', value: node.value };
    case 'number':
      return numberValue(node.text);
    case 'array':
      throw refused('arrays', text, node);
    case 'object':
      throw refused('objects', text, node);
  }
}

/** Integers become uint64 first, then int64; what fits neither is a float. */
function numberValue(text: string): BindValue {
  if (/^-?\d+$/.test(text) && text !== '-0') {
    const value = BigInt(text);
    if (value >= 0n && value <= uint64Max) return { kind: 'uint64', value };
    if (value < 0n && value >= int64Min) return { kind: 'int64', value };
  }
  return { kind: 'float64', value: Number(text) };
}

function refused(what: 'arrays' | 'objects', text: string, node: JsonNode): Error {
  // compat: the two texts end differently in InfluxDB 3 Core
  const dots = what === 'arrays' ? '.' : '';
  const message = `JSON ${what} are not supported as query parameters. Expected null, boolean, number, or string${dots}`;
  return serdeJsonError(message + positionAt(text, node.end));
}

function kindName(node: JsonNode): string {
  return node.kind === 'array' ? 'sequence' : node.kind === 'string' ? `string ${JSON.stringify(node.value)}` : node.kind;
}

/** As `bindParamsFromText`, also with values that say their type, as clients of InfluxDB 1 send them: `{"d": {"duration": "1m"}}`. */
export function typedParamsFromText(text: string): ReadonlyMap<string, InfluxqlParam> {
  const node = parseNode(text);
  if (node.kind !== 'object') return bindParams(text, node);
  return new Map(node.members.map(({ name, value }) => [name, typedValue(text, value)]));
}

function typedValue(text: string, node: JsonNode): InfluxqlParam {
  const [member, ...others] = node.kind === 'object' ? node.members : [];
  if (member === undefined || others.length > 0) return bindValue(text, node);
  const { name: type, value } = member;
  const given = value.kind === 'number' ? value.text : value.kind === 'string' ? value.value : undefined;
  if ((type === 'string' || type === 'regex') && value.kind === 'string') return { kind: 'string', value: value.value };
  if (type === 'boolean' && value.kind === 'boolean') return { kind: 'boolean', value: value.value };
  if (type === 'integer' && given !== undefined && /^-?\d+$/.test(given)) return numberValue(given);
  if ((type === 'float' || type === 'number') && given !== undefined && Number.isFinite(Number(given))) {
    return { kind: 'float64', value: Number(given) };
  }
  const ns = type !== 'duration' || given === undefined ? undefined : /^\d+$/.test(given) ? BigInt(given) : durationNs(given);
  return ns === undefined ? bindValue(text, node) : { kind: 'duration', ns };
}
