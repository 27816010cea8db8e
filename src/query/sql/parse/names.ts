import { notImplemented } from '../types/errors.ts';
import { isObject, listOf, nodeOf, objectOf, type Raw, textOf } from './raw.ts';
import { type PackedPlace, packedPlace } from './text-place.ts';

/** An identifier as users mean it: unquoted ASCII letters fold to lower case, everything else is exact. */
export function identifier(raw: Raw): string {
  const ident = objectOf(raw);
  const value = textOf(ident['value']);
  return isQuoted(raw) ? value : foldCase(value);
}

/** True for an identifier that stands in quotes, whose case counts. */
export function isQuoted(raw: Raw): boolean {
  return isObject(raw) && typeof raw['quote_style'] === 'string';
}

/** `schema.table` and the like. */
export function objectName(raw: Raw): readonly string[] {
  return listOf(raw).map((part) => {
    const node = nodeOf(part);
    if (node.kind !== 'Identifier') throw notImplemented('Unsupported object name');
    return identifier(node.body);
  });
}

/** Where a name as `objectName` takes it begins. */
export function objectPlace(raw: Raw): PackedPlace | undefined {
  const [first] = listOf(raw);
  return packedPlace(nodeOf(first).body);
}

/** ASCII only: `FÉ` becomes `fÉ`. */
export function foldCase(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (part) => part.toLowerCase()) : text;
}
