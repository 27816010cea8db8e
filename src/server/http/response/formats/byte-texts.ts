import type { TextSink } from './text-sink.ts';

/** Texts up to this length are copied while they are looked at; longer ones are looked at, then copied by a native call. */
const SHORT_BYTES_MAX = 64;

/** Marks of bytes, for `appendPlain`. */
export type ByteMarks = Uint8Array;

/** Marks some bytes. */
export function marksOf(isMarked: (byte: number) => boolean): ByteMarks {
  return Uint8Array.from({ length: 256 }, (_, byte) => (isMarked(byte) ? 1 : 0));
}

/**
 * Appends `bytes[start .. end]` unless one of them is marked. False = one is, and nothing was appended.
 */
export function appendPlain(sink: TextSink, bytes: Uint8Array, start: number, end: number, marks: ByteMarks): boolean {
  const size = end - start;
  if (sink.length + size > sink.bytes.length) sink.reserve(size);
  const target = sink.bytes;
  let at = sink.length;
  if (size <= SHORT_BYTES_MAX) {
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (marks[byte] !== 0) return false;
      target[at++] = byte;
    }
    sink.length = at;
    return true;
  }
  for (let i = start; i < end; i++) if (marks[bytes[i] as number] !== 0) return false;
  target.set(bytes.subarray(start, end), at);
  sink.length = at + size;
  return true;
}

const nothingMarked = marksOf(() => false);

/** Appends `bytes[start .. end]` as they are. */
export function appendBytes(sink: TextSink, bytes: Uint8Array, start: number, end: number): void {
  appendPlain(sink, bytes, start, end, nothingMarked);
}
