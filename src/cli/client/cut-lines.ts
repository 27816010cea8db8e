import { dataStart, logicalLineEnd } from '../../shared/logical-lines.ts';

const NEWLINE = 0x0a;

/** Whole lines of an input, as one request carries them. */
export interface Piece {
  readonly body: Buffer;
  /** Number of its first line in the input, from 1. */
  readonly firstLine: number;
  /** Line ends in it, and one more for a last line without. */
  readonly lineCount: number;
  /** Bytes of the input up to its end. */
  readonly endByte: number;
  /** Where it goes, when it is not where the others go. */
  readonly database?: string | undefined;
  /** Lines of the source that its rows come from, in their order, when they are not lines of the body. */
  readonly sourceLines?: readonly number[] | undefined;
  /** Where an import goes on that has got this far. */
  readonly position?: unknown;
}

/**
 * Cuts line protocol into pieces of at most `bytesMax` that end at line ends; line ends inside of quoted strings do not count.
 * A longer single line stays whole.
 */
export async function* cutAtLines(input: AsyncIterable<Uint8Array>, bytesMax: number): AsyncIterable<Piece> {
  let firstLine = 1;
  let endByte = 0;
  const piece = (body: Buffer): Piece => {
    endByte += body.length;
    const made = { body, firstLine, lineCount: countLines(body), endByte };
    firstLine += made.lineCount;
    return made;
  };
  let pending: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    pending.push(chunk);
    size += chunk.length;
    if (size <= bytesMax) continue;
    let rest: Buffer = Buffer.concat(pending);
    while (rest.length > bytesMax) {
      const end = cutPosition(rest, bytesMax);
      if (end === 0) break;
      yield piece(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    pending = [rest];
    size = rest.length;
  }
  if (size > 0) yield piece(Buffer.concat(pending));
}

/** Byte behind the last line that fits, behind the first one if it is longer; 0 when that does not end yet. */
function cutPosition(bytes: Buffer, bytesMax: number): number {
  let fitting = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = logicalLineEnd(bytes, at) + 1;
    if (end > bytesMax) {
      if (fitting > 0) return fitting;
      if (end <= bytes.length) return end;
      break;
    }
    fitting = end;
    at = end;
  }
  // A quote that is never closed must not collect the rest of the input: then every line end counts.
  const before = bytes.lastIndexOf(NEWLINE, bytesMax - 1);
  return (before === -1 ? bytes.indexOf(NEWLINE, bytesMax) : before) + 1;
}

/** Newlines, and one more for an unterminated last line. */
export function countLines(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let lines = buffer.length > 0 && buffer[buffer.length - 1] !== NEWLINE ? 1 : 0;
  for (let at = buffer.indexOf(NEWLINE); at !== -1; at = buffer.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}

/**
 * Numbers within a piece, from 1, of its lines that hold a row, in their order. A server numbers the lines of a body without
 * comments and empty lines; this leads back to the lines that a person sees.
 */
export function rowLines(body: Uint8Array): number[] {
  const lines: number[] = [];
  let line = 1;
  let counted = 0;
  for (let at = 0; at < body.length; ) {
    const end = logicalLineEnd(body, at);
    const data = dataStart(body, at, end);
    if (data < end) {
      for (; counted < data; counted += 1) if (body[counted] === NEWLINE) line += 1;
      lines.push(line);
    }
    at = end + 1;
  }
  return lines;
}
