/**
 * Access to the parser's tree: plain data whose shape is not trusted. A node is an object with one key (the kind) or,
 * for kinds without content, a string. Absent options come as null or undefined.
 */
import { notImplemented } from '../types/errors.ts';

export type Raw = null | undefined | boolean | number | bigint | string | readonly Raw[] | RawObject;
export interface RawObject {
  readonly [key: string]: Raw;
}

export interface RawNode {
  readonly kind: string;
  readonly body: Raw;
}

/** The node's kind and content. */
export function nodeOf(raw: Raw): RawNode {
  if (typeof raw === 'string') return { kind: raw, body: undefined };
  if (isObject(raw)) {
    for (const kind in raw) return { kind, body: raw[kind] };
  }
  throw notImplemented('Unsupported syntax');
}

/** True for an object of the library's tree, false for lists and plain values. */
export function isObject(raw: Raw): raw is RawObject {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

/** The object; throws 'not implemented' (405) when it is something else. */
export function objectOf(raw: Raw): RawObject {
  if (!isObject(raw)) throw notImplemented('Unsupported syntax');
  return raw;
}

/** The list, empty when it is missing; throws 'not implemented' (405) when it is something else. */
export function listOf(raw: Raw): readonly Raw[] {
  if (raw === null || raw === undefined) return [];
  if (!Array.isArray(raw)) throw notImplemented('Unsupported syntax');
  return raw as readonly Raw[];
}

/** The text; throws 'not implemented' (405) when it is something else. */
export function textOf(raw: Raw): string {
  if (typeof raw !== 'string') throw notImplemented('Unsupported syntax');
  return raw;
}

/** True for a flag that is set. */
export function isTrue(raw: Raw): boolean {
  return raw === true;
}

/** True for a member that is there and not null. */
export function has(raw: Raw): boolean {
  return raw !== null && raw !== undefined;
}

const quietKeys = new Set([
  'span',
  'select_token',
  'attached_token',
  'flavor',
  'uses_odbc_syntax',
  'shorthand',
  'special',
  'window_before_qualify',
]);
const quietValues = new Set<Raw>([null, undefined, false, '', 'None', 'Standard', 'NoDateTime']);

/** Refuses a node that says more than the compiler understands: every other member must be empty. */
export function onlyMembers(node: RawObject, what: string, known: readonly string[]): void {
  for (const key in node) {
    if (known.includes(key) || quietKeys.has(key) || key.endsWith('_token')) continue;
    const value = node[key];
    if (quietValues.has(value) || (Array.isArray(value) && value.length === 0)) continue;
    throw notImplemented(`Unsupported ${what} syntax: ${key.replaceAll('_', ' ')}`);
  }
}
