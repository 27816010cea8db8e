const TAB = 0x09;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const HASH = 0x23;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** Index of the newline that ends the logical line at `start`, or `bytes.length`. */
export function logicalLineEnd(bytes: Uint8Array, start: number): number {
  const { length } = bytes;
  let i = start;
  let inFields = false;
  let quoted = false;
  let equals = 0;
  let commas = 0;
  for (; i < length; i++) {
    const c = bytes[i];
    if (c === BACKSLASH) i++;
    else if (c === NEWLINE) {
      if (!quoted) return i;
    } else if (!inFields) inFields = c === SPACE;
    else if (c === QUOTE) {
      if (equals > commas) quoted = !quoted;
    } else if (!quoted) {
      if (c === EQUALS) equals++;
      else if (c === COMMA) commas++;
    }
  }
  return length;
}

/** Where the data of a logical line begins, behind white space and comments; `end` when there is none. */
export function dataStart(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  for (; i < end; i++) {
    const c = bytes[i];
    if (c === SPACE || c === TAB || c === NEWLINE) continue;
    if (c !== HASH) return i;
    while (i < end && bytes[i] !== NEWLINE) i++;
  }
  return end;
}
