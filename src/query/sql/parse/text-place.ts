/** Places of names in a statement's text. */
import { InfluxError, type TextPosition } from '../../../shared/errors.ts';
import { isObject, type Raw } from './raw.ts';

/** A line and a column in one number, so that it costs a node of the tree next to nothing. */
export type PackedPlace = number;

/** No statement is so long. */
const COLUMNS_MAX = 2 ** 21;

/** Where an identifier of the parser's tree begins; undefined when the parser does not say. */
export function packedPlace(identifier: Raw): PackedPlace | undefined {
  const span = isObject(identifier) ? identifier['span'] : undefined;
  const start = isObject(span) ? span['start'] : undefined;
  if (!isObject(start)) return undefined;
  const { line, column } = start;
  return typeof line === 'number' && typeof column === 'number' && line > 0 ? line * COLUMNS_MAX + column : undefined;
}

/** Line and column again. */
export function unpacked(place: PackedPlace): TextPosition {
  return { line: Math.floor(place / COLUMNS_MAX), column: place % COLUMNS_MAX };
}

/** Throws what `work` throws, with the place if the failure has none of its own: an inner one says more. */
export function placed<T>(place: PackedPlace | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (place !== undefined && error instanceof InfluxError) error.position ??= unpacked(place);
    throw error;
  }
}

/** UTF-16 offset of a place in a text. */
export function offsetOf(text: string, { line, column }: TextPosition): number {
  let start = 0;
  for (let i = 1; i < line; i++) start = text.indexOf('\n', start) + 1;
  const before = [...text.slice(start, start + 2 * column)].slice(0, column - 1);
  return start + before.join('').length;
}

/** The place of a UTF-16 offset in a text. */
export function positionOf(text: string, offset: number): TextPosition {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: [...(lines.at(-1) as string)].length + 1 };
}
