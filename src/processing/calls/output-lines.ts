import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

export interface OutputLinesOptions {
  readonly onLine: (line: string) => void;
  /** Told once per second in which lines were left out. */
  readonly onDropped: (count: number) => void;
  readonly nowMs: () => number;
}

const LINE_CHARS_MAX = 64 * 1024;
const LINES_PER_SECOND_MAX = 1000;

/** Reads what a plugin prints, line by line: long lines are cut, a flood of lines is thinned out, nothing piles up. */
export function readOutput(stream: Readable, { onLine, onDropped, nowMs }: OutputLinesOptions): void {
  const decoder = new StringDecoder('utf8');
  let open = '';
  let cut = false;
  let second = 0;
  let lines = 0;
  let dropped = 0;
  const take = (line: string): void => {
    const now = Math.floor(nowMs() / 1000);
    if (now !== second) {
      if (dropped > 0) onDropped(dropped);
      second = now;
      lines = 0;
      dropped = 0;
    }
    if (lines++ < LINES_PER_SECOND_MAX) onLine(line);
    else dropped++;
  };
  stream.on('data', (chunk: Buffer) => {
    const parts = (open + decoder.write(chunk)).split('\n');
    open = parts.pop() ?? '';
    for (const part of parts) {
      if (cut) cut = false;
      else take(part.slice(0, LINE_CHARS_MAX));
    }
    if (open.length <= LINE_CHARS_MAX) return;
    if (!cut) take(open.slice(0, LINE_CHARS_MAX));
    cut = true;
    open = '';
  });
  stream.on('error', () => undefined); // the end of whoever printed is noticed elsewhere
  stream.on('end', () => {
    if (open !== '' && !cut) take(open);
    if (dropped > 0) onDropped(dropped);
  });
}
