import { appendPlain, marksOf } from './byte-texts.ts';
import type { CellStyle } from './cells.ts';
import type { TextSink } from './text-sink.ts';

const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/** Bytes of UTF-8 that JSON escapes. */
const escaped = marksOf((byte) => byte < 0x20 || byte === QUOTE || byte === BACKSLASH);

/** How JSON and JSON lines write cells: null members are left out, list items that are null stay. */
export const jsonCellStyle: CellStyle = {
  floats: 'json',
  notFinite: 'null',
  quote: '"',
  writeText: writeJsonText,
  nested: { separator: ',', colon: ':', nullText: 'null', skipsNullMembers: true, quotesNames: true },
};

/** Writes a JSON string whose characters are the UTF-8 in `bytes[start .. end]`. */
export function writeJsonText(sink: TextSink, bytes: Uint8Array, start: number, end: number): void {
  const before = sink.length;
  sink.byte(QUOTE);
  if (!appendPlain(sink, bytes, start, end, escaped)) {
    sink.length = before;
    sink.utf8(JSON.stringify(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')));
    return;
  }
  sink.byte(QUOTE);
}

/** Writes a JSON string. */
export function writeJsonString(sink: TextSink, text: string): void {
  sink.utf8(JSON.stringify(text));
}
